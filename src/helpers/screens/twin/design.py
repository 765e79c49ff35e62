"""Which treatment stands in which well of the twin: RxRx19a's layout, counts and quirks.

The counts of HRCE in FACTS leave little freedom. Call a spelled compound in one slot of a library an entry. A
library set is 3 plates with 588 arms x 2 wells: 98 six-dose entries. Sixteen full sets, a seventeenth set of
58 six-dose and 30 eight-dose entries, a reference plate of 29 eight-dose compounds x 5 wells and one plate of
94 arms x 6 wells give every count exactly. One thing does not come out: FACTS has 1,632 pairs of compound and
experiment with the doses 0.01-3, and this design 1,634. The data at hand cannot tell which two differ.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.screens.facts import CELL_TYPES, DOSE_SETS
from helpers.screens.twin.layouts import LAYOUTS
from helpers.screens.twin.model import stream
from helpers.screens.twin.names import draw_names

WELL_COLUMNS = [
    "well_id", "cell_type", "experiment", "plate", "well", "row", "col",
    "condition", "compound", "treatment", "dose_um",
]  # fmt: skip
# Compounds with eight doses: the first 29 stand in both HRCE experiments, the last two have higher doses.
N_REFERENCE = 32
_HIGH_DOSE = (30, 31)


@dataclass(frozen=True)
class Block:
    """Plates that hold the same arms, each in `wells` wells a plate.

    `reference` is the half-open range of eight-dose compounds; `n_blank` scattered wells have no condition.
    """

    experiment: str
    plates: tuple[int, ...]
    n_six: int = 0
    reference: tuple[int, int] = (0, 0)
    wells: int = 2
    n_blank: int = 0


@dataclass(frozen=True)
class Scale:
    """The size of a twin and how many six-dose entries have which quirk.

    `shared`: compounds in both HRCE experiments; `repeated`: listed twice in one; `split`: two spellings that
    differ in letter case, in one experiment; `split_reference`: the same, one spelling an eight-dose entry;
    `quarters`, `six_low`: entries with the rarer dose sets.
    """

    name: str
    n_features: int
    blocks: tuple[Block, ...]
    shared: int
    repeated: int
    split: int
    split_reference: int
    quarters: int
    six_low: int


class Entry(NamedTuple):
    """A spelled compound with its doses on the plates of a block."""

    block: int
    compound: int
    spelling: int
    doses: tuple[float, ...]


def _libraries(experiment: str, n_sets: int) -> tuple[Block, ...]:
    """Return library sets of 98 six-dose entries on plates 1-3, 4-6, ..."""
    return tuple(Block(experiment, tuple(range(3 * k + 1, 3 * k + 4)), n_six=98) for k in range(n_sets))


def _reference_plate(experiment: str, plate: int) -> Block:
    """Return the plate of 29 eight-dose compounds with 5 wells per dose."""
    return Block(experiment, (plate,), reference=(0, 29), wells=5, n_blank=16)


def _vero(experiment: str) -> Block:
    """Return the two plates of a Vero experiment."""
    return Block(experiment, (1, 2), reference=(0, N_REFERENCE), wells=4)


SCALES = {
    "tiny": Scale(
        "tiny", 64, _libraries("HRCE-1", 2) + _libraries("HRCE-2", 1),
        shared=20, repeated=0, split=4, split_reference=0, quarters=1, six_low=0,
    ),
    "small": Scale(
        "small", 1024,
        (
            *_libraries("HRCE-1", 2), _reference_plate("HRCE-1", 7),
            *_libraries("HRCE-2", 2), _reference_plate("HRCE-2", 7),
            _vero("VERO-1"),
        ),
        shared=1, repeated=1, split=6, split_reference=0, quarters=1, six_low=1,
    ),
    "full": Scale(
        "full", 1024,
        (
            *_libraries("HRCE-1", 8), _reference_plate("HRCE-1", 25),
            Block("HRCE-1", (26,), n_six=13, reference=(30, 32), wells=6),
            *_libraries("HRCE-2", 8), Block("HRCE-2", (25, 26, 27), n_six=58, reference=(0, 30)),
            _vero("VERO-1"), _vero("VERO-2"),
        ),
        shared=1, repeated=1, split=31, split_reference=1, quarters=3, six_low=1,
    ),
}  # fmt: skip


def _small_libraries(experiment: str, n_sets: int) -> tuple[Block, ...]:
    """Return sets of 58 six-dose entries on plates 1-2, 3-4, ... of 384 wells, one well a dose and plate."""
    return tuple(Block(experiment, (2 * k + 1, 2 * k + 2), n_six=58, wells=1) for k in range(n_sets))


def _single_plates(experiment: str, n_plates: int) -> tuple[Block, ...]:
    """Return plates of 98 six-dose entries each, none of which stands on another plate."""
    return tuple(Block(experiment, (k + 1,), n_six=98) for k in range(n_plates))


OTHER_SCALES = {
    "plates_384": {
        "tiny": (_small_libraries("HRCE-1", 3) + _small_libraries("HRCE-2", 2), 20, 4),
        "small": (_small_libraries("HRCE-1", 6) + _small_libraries("HRCE-2", 4), 20, 6),
        "full": (_small_libraries("HRCE-1", 18) + _small_libraries("HRCE-2", 12), 30, 20),
    },
    "confounded": {
        "tiny": (_single_plates("HRCE-1", 5) + _single_plates("HRCE-2", 4), 0, 4),
        "small": (_single_plates("HRCE-1", 8) + _single_plates("HRCE-2", 4), 0, 6),
        "full": (_single_plates("HRCE-1", 20) + _single_plates("HRCE-2", 12), 0, 20),
    },
}
"""Layout -> scale -> blocks, compounds in both experiments, and compounds with two spellings."""


def scale_of(name: str, layout: str) -> Scale:
    """Return the size of a twin with a layout of plates."""
    scale = SCALES[name]
    if layout not in OTHER_SCALES:
        return scale
    blocks, shared, split = OTHER_SCALES[layout][name]
    return replace(
        scale, blocks=blocks, shared=shared, repeated=0, split=split, split_reference=0, quarters=0, six_low=0
    )


def design_wells(scale: Scale, seed: int, layout: str = "rxrx19a") -> pd.DataFrame:
    """Return the wells of a twin, one row each, in the order of RxRx19a's files.

    Treatments are placed anew over the scattered positions of every plate.

    Parameters
    ----------
    scale : Scale
        From :func:`helpers.screens.twin.design.scale_of`.
    seed : int
        Of the placement and of the quirks.
    layout : str
        A name in :data:`helpers.screens.twin.layouts.LAYOUTS`.

    Returns
    -------
    wells : DataFrame
        Columns `WELL_COLUMNS`; `compound` is a number from 0 (-1: none), `treatment` its name as spelled in
        that entry ("" : none), `dose_um` in uM (NaN: none).
    """
    entries = _entries(scale, stream(seed, "design"))
    names = draw_names(1 + max(entry.compound for entry in entries), stream(seed, "names"))
    plates = [
        _plate(block, plate, [entry for entry in entries if entry.block == index], names, seed, layout)
        for index, block in enumerate(scale.blocks)
        for plate in block.plates
    ]
    return LAYOUTS[layout].prune(pd.concat(plates, ignore_index=True)[WELL_COLUMNS])


def _entries(scale: Scale, rng: np.random.Generator) -> list[Entry]:
    """Return all entries: the eight-dose ones, then the six-dose ones with their quirks drawn at random."""
    entries = [
        Entry(index, compound, 0, DOSE_SETS["eight_high" if compound in _HIGH_DOSE else "eight"])
        for index, block in enumerate(scale.blocks)
        for compound in range(*block.reference)
    ]
    fresh = N_REFERENCE if entries else 0
    slots = {
        experiment: _shuffled_slots(scale, experiment, rng)
        for experiment in dict.fromkeys(block.experiment for block in scale.blocks)
    }
    for compound, spelling, slot, doses in _fill(scale, slots, fresh, rng):
        entries.append(Entry(slot, compound, spelling, DOSE_SETS[doses]))
    return entries


def _shuffled_slots(scale: Scale, experiment: str, rng: np.random.Generator) -> list[int]:
    """Return the block of every six-dose slot of an experiment, in random order."""
    slots = [i for i, block in enumerate(scale.blocks) if block.experiment == experiment]
    return rng.permutation(np.repeat(slots, [scale.blocks[i].n_six for i in slots])).tolist()


def _fill(scale: Scale, slots: dict[str, list[int]], fresh: int, rng: np.random.Generator):
    """Yield compound, spelling, slot and dose set until no six-dose slot is left.

    The quirks come first, so that one entry never has two of them.
    """
    for quirk, n in (("shared", scale.shared), ("repeated", scale.repeated), ("split", scale.split)):
        for _ in range(n):
            home = "HRCE-1" if rng.random() < 0.5 else "HRCE-2"
            other = "HRCE-2" if quirk == "shared" and home == "HRCE-1" else home
            other = "HRCE-1" if quirk == "shared" and home == "HRCE-2" else other
            yield fresh, 0, slots[home].pop(), "six"
            yield fresh, int(quirk == "split"), slots[other].pop(), "six"
            fresh += 1
    for high in _HIGH_DOSE[: scale.split_reference]:
        yield high, 1, slots["HRCE-1"].pop(), "six"
    for doses, n in (("quarters", scale.quarters), ("six_low", scale.six_low), ("six", None)):
        for slot in _take(slots, n):
            yield fresh, 0, slot, doses
            fresh += 1


def _take(slots: dict[str, list[int]], n: int | None):
    """Yield n slots (all if None), from the first experiment that has any left."""
    for experiment in slots:
        while slots[experiment] and n != 0:
            n = None if n is None else n - 1
            yield slots[experiment].pop()


def _plate(
    block: Block, plate: int, entries: list[Entry], names: list, seed: int, layout: str
) -> pd.DataFrame:
    """Return the wells of one plate."""
    wells = LAYOUTS[layout].positions()
    wells["compound"], wells["treatment"], wells["dose_um"] = -1, "", np.nan
    rng = stream(seed, "layout", block.experiment, str(plate))
    free = rng.permutation(np.flatnonzero(wells["free"]))
    arms = [(e.compound, names[e.compound][e.spelling], dose) for e in entries for dose in e.doses]
    treated = free[: len(arms) * block.wells]
    placed = pd.DataFrame(arms * block.wells, columns=["compound", "treatment", "dose_um"], index=treated)
    wells.loc[treated, placed.columns] = placed
    wells.loc[free[len(treated) : len(treated) + block.n_blank], "condition"] = "blank"
    wells["cell_type"], wells["experiment"] = CELL_TYPES[block.experiment], block.experiment
    wells["plate"] = str(plate)
    wells["well_id"] = f"{block.experiment}_{plate}_" + wells["well"]
    return wells
