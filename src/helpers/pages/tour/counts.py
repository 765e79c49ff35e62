"""The counts of RxRx19a as published beside those of the files at hand."""

import pandas as pd

from helpers.pages.show import say, show_table
from helpers.pages.words import count, listing
from helpers.screens.expected import AGREES, DIFFERS, compare_counts


def show_counts(wells: pd.DataFrame, kind: str):
    """Return the table of expected and found counts for display; for other screens a sentence that there is none.

    Parameters
    ----------
    wells : DataFrame
        As in :func:`helpers.screens.expected.compare_counts`.
    kind : str
        ``twin``, ``rxrx19a`` or ``user``.
    """
    if kind != "rxrx19a":
        return say(
            "*With `source=rxrx19a` a table stands here that compares each of these counts with what is known of the "
            "release. This screen is another one, so there is nothing to compare it with.*"
        )
    table = compare_counts(wells)
    return show_table(table.astype({"expected": object, "found": object}).map(_grouped), rows=len(table))


def _grouped(value: object) -> object:
    """Return a count with its thousands set off, a missing one as a dash."""
    if isinstance(value, str):
        return value
    return "–" if pd.isna(value) else f"{value:,}"


def verdict(wells: pd.DataFrame, kind: str) -> str:
    """Say how many counts agree, and name those that do not; "" for screens other than RxRx19a."""
    if kind != "rxrx19a":
        return ""
    table = compare_counts(wells)
    known = table[table["verdict"].isin([AGREES, DIFFERS])]
    differing = known[known["verdict"] == DIFFERS]
    text = f"Of {count(len(known), 'count')} that can be compared here, {len(known) - len(differing)} agree."
    if len(known) < len(table):
        text += f" {len(table) - len(known)} more are about experiments that were not all read."
    if differing.empty:
        return text
    parts = [f"{r.quantity} ({r.found:,} for {r.expected:,})" for r in differing.itertuples()]
    return (
        f"{text} **These differ:** {listing(parts, 12)}. Unless plates were left out on purpose, the files are not the "
        "corrected release of August 2020, or not all of it."
    )
