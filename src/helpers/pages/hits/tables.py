"""Tables of calls to look compounds up in."""

import pandas as pd

from helpers.pages.show import heading

SMALLEST_Q = 1e-6
"""Q-values below this rest on the shape of a fitted tail; tables to look things up in show this number instead."""


def _floored(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(q_value=table["q_value"].clip(lower=SMALLEST_Q)) if "q_value" in table else table


def hit_list(hits: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `hits.csv` that one looks a compound up for, with headings in words."""
    columns = ["treatment", "experiment", "call", "rank", "score", "score_low", "score_high", "rescue_max"]
    columns += ["dose_at_max_um", "off_disease", "q_value", "top_k_probability"]
    table = hits.sort_values(["experiment", "rank"])[[c for c in columns if c in hits]]
    table = _floored(table)
    return table.rename(columns=heading)


def first_hit(hits: pd.DataFrame) -> tuple[str, str]:
    """Return experiment and treatment of the best compound: called `rescue` if any is, by score."""
    if hits.empty:
        return "", "No compound"
    order = hits.assign(called=hits["call"] == "rescue").sort_values(["called", "score"], ascending=False)
    return str(order["experiment"].iloc[0]), str(order["treatment"].iloc[0])
