"""Classes on the page: whose list applies, who its members are, and sentences that hold for every kind of screen."""

from typing import NamedTuple

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.hits.classes import COLUMNS
from helpers.pages.hits import mechanism

NAMES = [f"TWN-{i:04d}" for i in range(120)]


class MadeUp(NamedTuple):
    """A screen of names and scores: its calls, wells and truth."""

    hits: pd.DataFrame
    wells: ad.AnnData
    truth: pd.DataFrame | None

    def members(self, classes: str = "") -> mechanism.Members:
        return mechanism.find_members(self.wells, classes)

    def effects(self) -> pd.DataFrame:
        return mechanism.own_effects(self.hits, self.wells.obs, self.members(), self.truth)


def design(obs: pd.DataFrame, kind: str, folder) -> ad.AnnData:
    obs = obs.set_index("w" + obs.index.astype(str))
    return ad.AnnData(
        np.zeros((len(obs), 0), np.float32), obs=obs, uns={"screen": {"kind": kind, "path": str(folder)}}
    )


def made_up(folder, kind="twin", shift=0.6, names=NAMES) -> MadeUp:
    """Return two experiments of one cell line, one of another.

    Each experiment has two sets of plates with levels of their own; members of A rescue.
    """
    rng = np.random.default_rng(0)
    rows = []
    for experiment, cells, take in (
        ("HRCE-1", "HRCE", names[:80]),
        ("HRCE-2", "HRCE", names[60:]),
        ("V", "VERO", names[:40]),
    ):
        for i, name in enumerate(take):
            half = i % 2
            score = rng.normal(0.2 * half, 0.1) + shift * (name in names[::10])
            rows.append((experiment, cells, f"{experiment}_{half}", name, name.lower(), score))
    columns = ["experiment", "cell_type", "plate_id", "treatment", "treatment_raw", "score"]
    obs = pd.DataFrame(rows, columns=columns)
    hits = obs[["experiment", "treatment", "score"]].assign(call="inactive")
    hits["rank"] = hits.groupby("experiment")["score"].rank(ascending=False).astype(int)
    truth = obs[["experiment", "treatment"]].assign(
        dose_um=1.0,
        rescue=obs["treatment"].isin(names[::10]) * 0.5,
        ec50_um=1.0,
        emax=0.5,
        hill=1.0,
        kind="class",
    )
    return MadeUp(hits, design(obs, kind, folder), truth if kind == "twin" else None)


@pytest.fixture
def folder(tmp_path):
    lines = (
        [f"{name},A" for name in NAMES[::10]]
        + [f"{name},B" for name in NAMES[5::20]]
        + ["TWN-9999,B", "TWN-0001,C"]
    )
    (tmp_path / "classes.csv").write_text("treatment,class\n" + "\n".join(lines) + "\n")
    return tmp_path


def test_a_twin_has_its_own_list_and_its_class_is_found(folder):
    screen = made_up(folder)
    members = screen.members()
    assert members.origin == "the list in the screen's folder"
    assert members.unknown == ["TWN-9999"]
    effects = screen.effects()
    assert list(effects) == ["cells", *COLUMNS, "true_rescue"]
    hrce = effects[effects["cells"] == "HRCE"].set_index("class")
    assert hrce.loc["A", "auc"] > 0.95
    assert hrce.loc["A", "q_value"] < 1e-4
    assert hrce.loc["A", "shift"] == pytest.approx(0.6, abs=0.1)
    assert hrce.loc["A", "true_rescue"] == 0.5
    assert hrce.loc["B", "q_value"] > 0.05
    assert hrce.loc["C", "note"].startswith("fewer than 3")
    text = mechanism.say_effects(effects, 0.05)
    assert "**HRCE**: of 2 classes tested, A (AUC " in text
    assert "Fewer than 3 scored, so not tested: C (1)." in text
    assert "1 name of the list is not in this screen: TWN-9999." in mechanism.say_members(members)


def test_levels_of_plates_are_taken_off_and_experiments_are_averaged(folder):
    screen = made_up(folder, shift=0.0)
    own = mechanism.own_scores(screen.hits, screen.wells.obs)
    hrce = own[own["cells"] == "HRCE"]
    assert len(hrce) == hrce["treatment"].nunique() == 120
    both = hrce[hrce["experiments"] == "HRCE-1, HRCE-2"]
    assert len(both) == 20
    assert hrce["aligned"].std() < 0.8 * hrce["score"].std()
    assert hrce["rank"].between(0, 1).all()


def test_a_measured_screen_uses_the_shipped_list_and_a_twin_never_does(tmp_path):
    names = ["Carvedilol", "TIMOLOL", "Nebivolol HCl", *NAMES[:60]]
    measured = made_up(tmp_path, "user", names=names).members()
    assert measured.origin == mechanism.SHIPPED
    assert measured.table["class"].tolist() == ["beta-blockers"] * 3
    text = mechanism.say_members(measured)
    assert "3 treatments of this screen are in 1 class." in text
    assert "names of the list are not in this screen" in text
    assert "atenolol" not in text, "the names of a list that nobody wrote for this screen help nobody"
    twin = made_up(tmp_path, "twin", names=names).members()
    assert twin.table.empty
    assert "no list of classes" in mechanism.say_members(twin)
    assert made_up(tmp_path, "twin").effects().empty


def test_a_list_given_comes_first(folder, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("treatment,class\ntwn-0003,mine\n")
    members = made_up(folder).members(str(path))
    assert members.table.to_numpy().tolist() == [["TWN-0003", "mine"]]
    assert "the list given (`classes`)" in mechanism.say_members(members)
    with pytest.raises(UsageError, match="parameter 'classes': no file"):
        made_up(folder).members(str(tmp_path / "none.csv"))


def test_a_screen_without_scores_says_so(folder):
    screen = made_up(folder)
    effects = screen._replace(hits=screen.hits.head(0)).effects()
    assert effects.empty
    assert "No class can be tested" in mechanism.say_effects(effects, 0.05)


def test_a_screen_without_cell_lines_is_told_by_its_experiments(folder):
    screen = made_up(folder, "user")
    bare = screen.wells.obs.drop(columns=["cell_type", "treatment_raw"])
    screen = screen._replace(wells=design(bare.reset_index(drop=True), "user", folder))
    assert set(mechanism.own_scores(screen.hits, bare)["cells"]) == {"HRCE-1", "HRCE-2", "V"}
    assert set(screen.effects()["cells"]) == {"HRCE-1", "HRCE-2", "V"}


def test_treatments_come_with_all_their_spellings():
    obs = pd.DataFrame(
        {
            "treatment": pd.Categorical(["b", "a", "a", None]),
            "treatment_raw": ["b", "A", "a", None],
            "smiles": pd.Categorical([None, "CCO", "CCO", None]),
        }
    )
    found = mechanism.treatments(obs)
    assert found["treatment"].tolist() == ["a", "b"]
    assert found["names"].tolist() == [["A", "a"], ["b"]]
    assert found["smiles"].tolist() == ["CCO", None]


def test_one_class_that_differs_from_the_rest_of_the_page_is_named_once():
    effects = pd.DataFrame(
        {
            "cells": ["X"],
            "class": ["k_1"],
            "n_members": [5],
            "auc": [0.1],
            "p_value": [0.001],
            "q_value": [0.001],
        }
    )
    assert mechanism.say_effects(effects, 0.05) == "**X**: of 1 class tested, k_1 (AUC 0.1) score lower."
    assert "none can be told" in mechanism.say_effects(effects.assign(q_value=0.5), 0.05)
