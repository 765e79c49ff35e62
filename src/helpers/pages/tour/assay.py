"""What the cells of RxRx19a were, and how they were infected and read, in words."""

import pandas as pd

from helpers.pages.words import names_listed, number
from helpers.screens.facts import ASSAYS, CELL_NAMES, CELL_TYPES
from helpers.screens.order import natural_order

DESCRIBED = ("rxrx19a", "twin")
"""Kinds of screens with RxRx19a's cells; of a screen of the user's own nothing of this is known."""


def cells(wells: pd.DataFrame, kind: str) -> str:
    """Say how each cell type of RxRx19a was infected and when it was read; "" for other screens.

    Parameters
    ----------
    wells : DataFrame
        One row per well: experiment.
    kind : str
        ``twin``, ``rxrx19a`` or ``user``.
    """
    known = [e for e in natural_order(wells["experiment"].astype(str)) if e in CELL_TYPES]
    if kind not in DESCRIBED or not known:
        return ""
    parts = []
    for cell_type in dict.fromkeys(CELL_TYPES[experiment] for experiment in known):
        mine = [experiment for experiment in known if CELL_TYPES[experiment] == cell_type]
        assay = ASSAYS[cell_type]
        parts.append(
            f"**{CELL_NAMES[cell_type]}** cells ({names_listed(mine)}) were infected at a multiplicity of "
            f"{number(assay['moi'])} and read {assay['hours']} hours later"
        )
    whose = "RxRx19a has" if kind == "twin" else "The screen has"
    pretence = " The twin borrows the names; its cells are numbers." if kind == "twin" else ""
    return (
        f"{'; '.join(parts)} (the glossary has what such names usually stand for). The multiplicity is the number of "
        f"infectious particles per cell. {whose} no well with the solvent alone (no vehicle control), so infected "
        f"untreated wells are the only reference for compounds.{pretence}"
    )
