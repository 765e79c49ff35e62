"""Sentences on the published scores: by themselves, in two cell lines, and beside a screen's own."""

import numpy as np
import pandas as pd

from helpers.files import sha256
from helpers.hits.published import FETCH
from helpers.hits.reliability import MIN_PAIRS, duplicate_pairs, hit_recovery, noise_sd, rank_agreement
from helpers.pages.hits.published import THRESHOLD, Published, two_cells
from helpers.pages.words import count, listing, name_code, names_listed, number
from helpers.screens import facts
from helpers.text import code

NOT_FETCHED = (
    f"The published scores are not here. `{FETCH}` downloads them from ChEMBL; `published` names a file or "
    "folder that holds them. What follows is what was reported about them."
)
TWIN = (
    "This screen is simulated: its compounds are no drugs and what they do is invented, so nothing of it is laid "
    "beside a real drug's score."
)


def say_published(scores: Published) -> str:
    """Say what scores there are, and how many of them count as hits."""
    if not scores.here:
        return NOT_FETCHED
    parts = []
    for cells, assay in facts.CHEMBL_ASSAYS.items():
        rows, compounds = scores.rows[scores.rows["cells"] == cells], scores.of(cells)
        if compounds.empty:
            parts.append(f"none for {cells} ({assay})")
            continue
        n = int((compounds["score"] > THRESHOLD).sum())
        what = f"{count(len(rows), 'score')} of {count(len(compounds), 'compound')} in {cells} ({assay})"
        parts.append(f"{what}, {n or 'none'} of them above {number(THRESHOLD)}")
    origin = f"{code(scores.path.name)} (SHA-256 `{sha256(scores.path)[:12]}…`)"
    return (
        f"Read from {origin}: {'; '.join(parts)}. Scores of one structure, such as those of a drug and its salt, are "
        "taken together."
    )


def say_noise(scores: Published) -> str:
    """Say how large the noise of a published score is, told from compounds that were scored twice."""
    if not scores.here:
        noise = facts.SCORE_NOISE
        return (
            f"Reported: over {noise['n_pairs']} duplicate pairs one HRCE score has a standard deviation of about "
            f"{number(noise['sd_one_score'])}, against {number(noise['sd_all'])} over all compounds, whose median is "
            f"{number(noise['median_all'])}, not 0. Most of the spread among weak scores is noise."
        )
    parts = []
    for cells, noise in scores.noise.items():
        if np.isnan(noise["sd_one_score"]):
            parts.append(f"{cells}: {count(noise['n_pairs'], 'duplicate pair')}, too few to tell the noise")
            continue
        parts.append(
            f"**{cells}**: over {count(noise['n_pairs'], 'compound')} that were scored twice, one score has a standard "
            f"deviation of {_with_interval(noise, 'sd_one_score')}, against {number(noise['sd_all'])} over all "
            f"{count(noise['n_compounds'], 'compound')}, whose median is {number(noise['median_all'])}. A share of "
            f"{_with_interval(noise, 'reliability')} of the variance among compounds is not noise. So a perfect "
            "measurement of the same thing could have a rank correlation of about "
            f"{_with_interval(noise, 'ceiling')} with these scores, and the same experiment done again one of "
            f"{_with_interval(noise, 'repeat')}"
        )
    text = (
        ".\n\n".join(parts) + ".\n\nThis takes the compounds that were scored twice for as noisy as the rest."
    )
    return text + _renamed(scores.rows) + _order_of_pairs(scores.rows)


def _with_interval(values: dict, name: str) -> str:
    low, high = (number(values[f"{name}_{end}"], 2) for end in ("low", "high"))
    return f"{number(values[name], 2)} ({low} to {high})"


def _renamed(rows: pd.DataFrame) -> str:
    """Give the noise as compounds tell it that were scored under two names, if there are enough of them."""
    pairs = duplicate_pairs(rows, compounds=True)
    if len(pairs) < MIN_PAIRS:
        return ""
    return (
        f" Another {count(len(pairs), 'compound')} stand in the list twice, under two names or as two salts: their "
        f"scores tell a standard deviation of {number(noise_sd(pairs['first'], pairs['second']), 2)}."
    )


def _order_of_pairs(rows: pd.DataFrame) -> str:
    """Warn if the pairs are listed by size: their plain correlation would then flatter."""
    pairs = rows[rows["n_scores"] == 2]
    if len(pairs) < 10 or not (pairs["first"] >= pairs["second"]).all():
        return ""
    return (
        " Each pair is listed with its higher score first, so a correlation between first and second scores would be "
        "far too high; the standard deviation of a difference does not mind the order."
    )


def say_cells(scores: Published) -> str:
    """Say how far the two cell lines agree."""
    both = two_cells(scores)
    hits = {
        cells: both[both[cells] > THRESHOLD].sort_values(cells, ascending=False)["name"]
        for cells in ("HRCE", "VERO")
    }
    shared = [name for name in hits["HRCE"] if name in set(hits["VERO"])]
    named = {cells: names_listed(names, 12) or "none" for cells, names in hits.items()}
    above = (
        f"Above {number(THRESHOLD)} are in HRCE {named['HRCE']}; in VERO {named['VERO']}; in both "
        f"{names_listed(shared) or 'none'}."
    )
    n = count(len(both), "compound")
    if not scores.here:
        return f"Reported one by one in both cell lines: the scores of {n}. {above}"
    found = rank_agreement(both["HRCE"], both["VERO"], seed=scores.seed)
    if np.isnan(found["spearman"]):
        return f"Scored in both cell lines: {n}, too few for a correlation. {above}"
    return f"Of {n} scored in both cell lines, the rank correlation is {_with_interval(found, 'spearman')}. {above}"


def say_classes(effects: pd.DataFrame, fdr: float) -> str:
    """Say which classes score otherwise than the rest in the published scores, and whether that was reported before."""
    found = effects[effects["q_value"] <= fdr]
    if "shift" not in effects:
        return (
            f"Reported for {count(len(effects), 'class', 'classes')}; {len(found) or 'none'} of them can be told from"
            " the other compounds, by what AUC and size imply."
        )
    ways = [
        (word, found[chosen].sort_values("q_value", kind="stable")["class"])
        for word, chosen in (("higher", found["auc"] > 0.5), ("lower", found["auc"] < 0.5))
    ]
    parts = [f"{names_listed(names, 12)} score {word}" for word, names in ways if len(names)]
    both = effects.dropna(subset=["auc_reported"])
    n = count(effects["p_value"].notna().sum(), "class", "classes")
    text = f"Of {n} tested: {'; '.join(parts) or 'none differs'}."
    if len(both):
        far = both.loc[(both["auc"] - both["auc_reported"]).abs().idxmax()]
        gap = abs(far["auc"] - far["auc_reported"])
        text += (
            f" For the {len(both)} classes whose AUC was reported, the largest difference is {number(gap, 2)} "
            f"({name_code(far['class'])}; {far['n_members']} members "
            f"here, {far['n_reported']} there)."
        )
    return text


def say_agreement(kind: str, scores: Published, joined: pd.DataFrame) -> str:
    """Say how far a screen's own scores agree with the published ones, and how far they could."""
    if kind == "twin":
        return TWIN
    if not scores.here:
        return "Without the published scores there is nothing to compare this screen's own with."
    if joined.empty:
        return "No compound has both a score here and a published one, so there is nothing to compare."
    parts = []
    for cells, group in joined.groupby("cells", sort=True):
        assay = str(group["assay"].iloc[0])
        other = f" The published score is of other cells ({assay})." if cells.upper() != assay else ""
        found = rank_agreement(group["score"], group["published"], seed=scores.seed)
        text = f"**{name_code(cells)}**: both scores are known of {count(len(group), 'compound')}.{other}"
        if pd.notna(found["spearman"]):
            text += f" Their rank correlation is {_with_interval(found, 'spearman')}"
            noise = scores.noise.get(assay, {})
            if pd.notna(noise.get("ceiling", np.nan)):
                text += f"; the noise of the published scores allows about {_with_interval(noise, 'ceiling')}"
            text += "."
        parts.append(
            text + " " + _recovery(group, scores.of(assay)) + _alone(joined.attrs.get("alone", {}).get(cells))
        )
    return "\n\n".join(parts)


def _alone(names: list[str] | None) -> str:
    """Name the treatments that no published score was found for."""
    if not names:
        return ""
    named = names_listed(names)
    return f" No published score was found for {count(len(names), 'treatment')} of this screen: {named}."


def _recovery(group: pd.DataFrame, published: pd.DataFrame) -> str:
    """Say how many of the published hits were screened here, how they rank, and which are not called."""
    found = hit_recovery(group["score"], group["published"])
    n, n_all = found["n_hits"], int((published["score"] > THRESHOLD).sum())
    if not n:
        return f"None of them is a published hit (above {number(THRESHOLD)})."
    hits = group[group["published"] > THRESHOLD].sort_values("published", ascending=False)
    called = hits["call"].str.contains(r"\brescue\b")
    top = number(found["in_top"])
    ranked = f"{top} of them rank among the first {n}"
    if n == 1:
        ranked = "it ranks first" if found["in_top"] == 1 else "it does not rank first alone"
    text = (
        f"Of {count(n_all, 'published hit')} {n} {'has' if n == 1 else 'have'} a score here: {int(called.sum())} of "
        f"{n} called `rescue`, and {ranked}"
    )
    if pd.notna(found["auroc_low"]):
        text += f" (AUROC {_with_interval(found, 'auroc')})"
    pairs = zip(hits.loc[~called, "name"], hits.loc[~called, "call"], strict=True)
    missed = [f"{name_code(name)} ({name_code(call)})" for name, call in pairs]
    return f"{text}." + (f" Not called: {listing(missed, 10)}." if missed else "")
