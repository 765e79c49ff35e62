"""What the calibration study found, in words: p-values where nothing works, false calls, intervals."""

import pandas as pd

from helpers.hits.calibration import Calibration
from helpers.pages.words import listing, number, percent, probability

ALPHA = 0.01 / 3
"""Level of each of the three tests by which p-values are judged, together 1 %."""


def coverage_ranges(coverage: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage by range of the true rescue, from low to high, with the range in words (`rescue`)."""
    table = coverage[coverage["true_rescue"] != "all"].copy()
    ends = table["true_rescue"].str.strip("(]").str.split(", ", expand=True).astype(float)
    table["rescue"] = [_range(low, high) for low, high in ends.itertuples(index=False)]
    return table.iloc[ends[1].argsort(kind="stable")].reset_index(drop=True)


def _range(low: float, high: float) -> str:
    if low == float("-inf"):
        return f"below {number(high, 2)}"
    if high == float("inf"):
        return f"above {number(low, 2)}"
    return "none" if low < 0 < high else f"{number(low, 2)} to {number(high, 2)}"


def nulls(study: Calibration) -> str:
    """Say how p-values are spread on simulated screens on which no compound does anything."""
    table = study.uniformity.set_index("level")
    parts = [
        f"{percent(row['rejected_05'])} of the {int(row['n']):,} p-values of {level} are at most 0.05 and "
        f"{percent(row['rejected_01'])} at most 0.01"
        for level, row in table.iterrows()
    ]
    tests = [f"{probability(row['ks_p'])} for {level}" for level, row in table.iterrows()]
    alone = int(table["n_independent"].iloc[0])
    n = int(table["n_twins"].iloc[0])
    text = (
        f"On {n} simulated screens without any active compound {listing(parts)} (5 % and 1 % would be exact). P-values "
        f"of one screen share its controls. One of each experiment, {alone} in all, are independent; their "
        f"Kolmogorov-Smirnov test against a uniform distribution has p = {listing(tests)}, and so few can show coarse "
        "errors only"
    )
    much = [level for level, row in table.iterrows() if row["rejected_05"] > 0.05 and _is_off(row)]
    if much:
        return f"{text}: **those of {listing(much)} promise too much**, so read them with care."
    shy = [level for level, row in table.iterrows() if _is_off(row)]
    if shy:
        return (
            f"{text}: those of {listing(shy)} are not uniform, but seldom small: they promise too little rather than "
            "too much."
        )
    return f"{text}: no sign, in so many screens, that they promise too much."


def _is_off(row: pd.Series) -> bool:
    """Return whether p-values are further from uniform than chance explains, by any of three tests."""
    return row[["p_value", "ks_p", "too_often_p"]].min() < ALPHA


def promises(study: Calibration) -> str:
    """Say how many calls were false on simulated screens with active compounds, and how many intervals held."""
    parts = [
        f"{percent(row.fdp)} at a rate of {number(row.fdr)}"
        for row in study.discoveries.itertuples(index=False)
    ]
    strict = study.discoveries.sort_values("fdr").iloc[0]
    every = study.coverage.set_index("true_rescue").loc["all"]
    found = ""
    if pd.notna(strict["power_strong"]):
        found = (
            f" At {number(strict['fdr'])}, {percent(strict['power_strong'])} of the compounds that truly rescue by "
            "half or more were called"
        )
        if pd.notna(strict["power_medium"]):
            found += f", and {percent(strict['power_medium'])} of those between a quarter and a half"
        found += "."
    return (
        f"Among the compounds called `rescue` on such screens with active compounds, on average {listing(parts)} truly "
        f"rescue nowhere by more than what the hypothesis allows.{found} The 95 % intervals of "
        f"{int(every['n']):,} arms that are not toxic hold the true rescue in {percent(every['coverage'])}."
    )
