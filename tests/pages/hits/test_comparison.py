"""The published result on the page: with scores, without, from a server, and never beside a twin's effects."""

import threading
from typing import NamedTuple

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.files import sha256
from helpers.hits.published import find_published
from helpers.pages.hits import comparison, mechanism
from helpers.pages.hits import published as chembl
from helpers.screens import facts, fetch_published
from screens import test_fetch

N = 60


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """Return published scores of invented compounds: 60 in HRCE, 20 of them also in Vero, 20 scored twice."""
    rng = np.random.default_rng(0)
    true = rng.normal(0.1, 0.15, N)
    true[:4] = 0.9, 0.8, 0.75, 0.7
    lines = ["assay,molecule_chembl_id,name,score,type,comment"]
    for cells, n in (("HRCE", N), ("VERO", 20)):
        for i in range(n):
            pair = np.sort(true[i] + 0.05 * rng.standard_normal(2))[::-1]
            comment = f'"N=2 ({pair[0]:.4f},{pair[1]:.4f})"' if i < 20 else ""
            lines.append(
                f"{facts.CHEMBL_ASSAYS[cells]},CHEMBL{i},COMPOUND{i:03d}X,{pair.mean():.4f},Hit score,{comment}"
            )
    path = tmp_path_factory.mktemp("scores") / "published.csv"
    path.write_text("\n".join(lines) + "\n")
    return chembl.load_published(str(path))


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RXRX19_CACHE", str(tmp_path_factory.mktemp("cache")))
        return chembl.load_published()


class Screen(NamedTuple):
    """A screen of names and scores: its calls and its wells."""

    hits: pd.DataFrame
    wells: ad.AnnData

    def joined(self, scores: chembl.Published) -> pd.DataFrame:
        own = mechanism.own_scores(self.hits, self.wells.obs)
        return chembl.compare_own(own, self.wells, scores)


def screen(
    scores: chembl.Published, kind="user", cells="HRCE", noise=0.05, n=N, named: list | None = None
) -> Screen:
    """Return a screen whose own scores are the published ones with noise; `named` renames its first treatments."""
    rng = np.random.default_rng(1)
    table = scores.of("HRCE").head(n)
    names = table["name"].str.title().tolist()
    names[: len(named or [])] = named or []
    obs = pd.DataFrame({"experiment": "E", "cell_type": cells, "plate_id": "E_1", "treatment": names})
    hits = pd.DataFrame({"experiment": "E", "treatment": names})
    hits["score"] = table["score"].to_numpy() + noise * rng.standard_normal(len(table))
    hits["call"] = np.where(hits["score"] > 0.72, "rescue", "rescue_off_target")
    hits["rank"] = hits["score"].rank(ascending=False).astype(int)
    obs.index = obs.index.astype(str)
    X = np.zeros((len(obs), 0), np.float32)
    return Screen(hits, ad.AnnData(X, obs=obs, uns={"screen": {"kind": kind}}))


@pytest.mark.slow
def test_a_screen_that_agrees_is_said_to(made_up):
    joined = screen(made_up).joined(made_up)
    assert len(joined) == N
    assert list(joined) == list(chembl.OWN_COLUMNS)
    assert set(joined["how"]) == {"name"}
    assert joined["treatment"].str.upper().tolist() == joined["name"].tolist()
    text = comparison.say_agreement("user", made_up, joined)
    assert "**HRCE**: both scores are known of 60 compounds. Their rank correlation is 0.9" in text
    assert "the noise of the published scores allows about 0.9" in text
    assert "Of 4 published hits 4 have a score here: " in text
    assert "4 of them rank among the first 4 (AUROC 1 (" in text
    assert "(rescue_off_target)" in text, "a rescue off target is not a call of rescue"


@pytest.mark.slow
def test_other_cells_are_said_to_be_others(made_up):
    joined = screen(made_up, cells="A549").joined(made_up)
    assert set(joined["assay"]) == {"HRCE"}
    assert "The published score is of other cells (HRCE)." in comparison.say_agreement(
        "user", made_up, joined
    )
    vero = screen(made_up, cells="VERO").joined(made_up)
    assert set(vero["assay"]) == {"VERO"}
    assert len(vero) == 20


def test_nothing_of_a_twin_stands_beside_a_real_drug(made_up):
    joined = screen(made_up, kind="twin").joined(made_up)
    assert joined.empty
    assert comparison.say_agreement("twin", made_up, joined) == comparison.TWIN
    effects = pd.DataFrame(
        {"cells": ["HRCE"], "class": ["beta-blockers"], "auc": [0.9], "true_rescue": [0.5]}
    )
    assert chembl.published_effects(made_up, effects)["auc_own"].isna().all()


def test_own_class_effects_stand_beside_the_published_ones(nothing):
    own = pd.DataFrame({"cells": ["HRCE", "VERO"], "class": "beta-blockers", "auc": [0.9, 0.1]})
    table = chembl.published_effects(nothing, own).set_index("class")
    assert table.loc["beta-blockers", "auc_own"] == 0.9
    assert table["auc_own"].notna().sum() == 1


def test_few_or_no_common_compounds(made_up):
    text = comparison.say_agreement("user", made_up, screen(made_up, n=3).joined(made_up))
    assert "known of 3 compounds" in text
    assert "rank correlation" not in text
    joined = screen(made_up, n=3, named=["x1x", "y1y", "z1z"]).joined(made_up)
    assert "No compound has both" in comparison.say_agreement("user", made_up, joined)


@pytest.mark.slow
def test_treatments_without_a_published_score_are_named(made_up):
    joined = screen(made_up, named=["unheard of", "nobody's"]).joined(made_up)
    text = comparison.say_agreement("user", made_up, joined)
    assert "known of 58 compounds" in text
    assert "No published score was found for 2 treatments of this screen: nobody's and unheard of." in text


def test_noise_and_cells_of_made_up_scores(made_up):
    text = comparison.say_noise(made_up)
    assert "**HRCE**: over 20 compounds that were scored twice" in text
    assert "under two names" not in text
    assert "Each pair is listed with its higher score first" in text
    assert made_up.noise["HRCE"]["sd_one_score"] == pytest.approx(0.05, rel=0.5)
    assert "Of 20 compounds scored in both cell lines, the rank correlation is 0.9" in comparison.say_cells(
        made_up
    )
    said = comparison.say_published(made_up)
    assert said.startswith(
        f"Read from `published.csv` (SHA-256 `{sha256(made_up.path)[:12]}…`): 60 scores of 60 compounds"
    )
    assert "none for" not in said


@pytest.mark.slow
def test_scores_of_one_cell_line_only(made_up):
    rows = made_up.rows.query("cells == 'HRCE'")
    half = chembl.Published(made_up.path, rows, made_up.of("HRCE"))
    assert "none for VERO (CHEMBL4303811)" in comparison.say_published(half)
    assert "Scored in both cell lines: no compounds, too few" in comparison.say_cells(half)
    assert list(half.noise) == ["HRCE"]


def test_without_scores_the_page_says_what_was_reported_and_how_to_get_them(nothing):
    assert not nothing.here
    assert "rxrx19 data fetch rxrx19a --what published" in comparison.say_published(nothing)
    hits = chembl.hits_table(nothing)
    assert hits.query("cells == 'HRCE'")["compound"].tolist()[:3] == [
        "remdesivir",
        "GS-441524",
        "aloxistatin",
    ]
    assert len(hits) == 13
    effects = chembl.published_effects(nothing).set_index("class")
    for name, (auc, n) in facts.CLASS_AUC.items():
        assert (effects.loc[name, "auc"], effects.loc[name, "n_members"]) == (auc, n)
    told = effects.index[effects["q_value"] < 0.05]
    assert set(effects.index) - set(told) == {"glucocorticoids"}
    assert "Reported for 6 classes; 5 of them can be told" in comparison.say_classes(
        effects.reset_index(), 0.05
    )
    assert "standard deviation of about 0.096" in comparison.say_noise(nothing)
    assert "6 compounds" in comparison.say_cells(nothing)
    assert nothing.noise == {}
    assert "nothing to compare" in comparison.say_agreement("user", nothing, pd.DataFrame())


def test_p_values_told_from_an_auc_are_those_of_the_test(nothing):
    from scipy import stats

    rng = np.random.default_rng(2)
    m, n = 18, facts.COUNTS["treatment_strings"] - 18
    x, y = rng.normal(-1, 1, m), rng.normal(0, 1, n)
    test = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "CLASS_AUC", {"k": (test.statistic / (m * n), m)})
        assert chembl.reported_effects()["p_value"].iloc[0] == pytest.approx(test.pvalue)


@pytest.fixture
def served(real_data, monkeypatch):
    """Serve the real scores as ChEMBL's web services do."""
    export = pd.read_csv(
        real_data / "published" / "chembl_activities.csv", sep=";", dtype=str, keep_default_na=False
    )
    look = {
        "assay_chembl_id": "Assay ChEMBL ID", "molecule_chembl_id": "Molecule ChEMBL ID", "canonical_smiles": "Smiles",
        "molecule_pref_name": "Molecule Name", "standard_value": "Standard Value", "standard_type": "Standard Type",
        "activity_comment": "Comment",
    }  # fmt: skip
    rows = [
        {"activity_id": i, "record_id": i, **{ours: row[theirs] or None for ours, theirs in look.items()}}
        for i, row in enumerate(export.to_dict("records"))
    ]
    assays = {a: [row for row in rows if row["assay_chembl_id"] == a] for a in facts.CHEMBL_ASSAYS.values()}
    monkeypatch.setattr(test_fetch, "ACTIVITIES", assays)
    server = test_fetch.Server()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_the_real_scores_from_a_server_to_the_page(served, tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path))
    path = fetch_published(base_url=served.url + "data", progress=False)
    assert find_published() == path
    scores = chembl.load_published()
    text = comparison.say_published(scores)
    assert "1,637 scores of " in text
    assert "10 of them above 0.6; 32 scores of " in text
    assert "3 of them above 0.6" in text
    hits = chembl.hits_table(scores)
    assert len(hits) == 13
    np.testing.assert_allclose(hits["published"], hits["reported"], atol=6e-4)
    effects = chembl.published_effects(scores)
    reported = effects.dropna(subset=["auc_reported"])
    assert len(reported) == 6
    gap = (reported["auc"] - reported["auc_reported"]).abs()
    assert gap[reported["class"] != "glucocorticoids"].max() < 0.01
    assert "beta-blockers, mTOR/PI3K inhibitors" in comparison.say_classes(effects, 0.05)
    assert "in both GS-441524." in comparison.say_cells(scores)
    assert "stand in the list twice, under two names or as two salts" in comparison.say_noise(scores)


@pytest.mark.slow
def test_the_treatments_of_a_measured_screen_meet_their_published_scores(real_data, served, tmp_path):
    """The real Vero design with invented scores would join real names: only that they are found is looked at."""
    path = fetch_published(tmp_path, base_url=served.url + "data", progress=False)
    scores = chembl.load_published(str(path))
    design = pd.read_csv(real_data / "screens" / "vero1_design" / "metadata.csv", dtype=str)
    obs = design.rename(columns={"SMILES": "smiles"})[["treatment", "smiles"]].dropna()
    from helpers.hits.published import match_treatments

    found = match_treatments(mechanism.treatments(obs), scores.of("VERO"))
    # Names that only the screen uses are lost in this form, so structures must do.
    assert len(found) >= 29
