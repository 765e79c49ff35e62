"""Reference wells: which wells a step may learn from, batch by batch, and what happens where there are too few."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.errors import DataError, UsageError
from helpers.profiles.selection import controls, rows_by

REFERENCES = {
    "infected": "infected untreated wells",
    "mock": "mock wells",
    "uninfected": "mock and UV wells",
    "controls": "mock and infected untreated wells",
}
_KINDS = {
    "infected": ("infected",),
    "mock": ("mock",),
    "uninfected": ("mock", "uv"),
    "controls": ("mock", "infected"),
}
BATCHES = {"plate": "plate_id", "experiment": "experiment"}
_NOUNS = {column: noun for noun, column in BATCHES.items()}


def reference_mask(obs: pd.DataFrame, reference: str) -> np.ndarray:
    """Return which wells are the reference, shape (n_wells,); failed and treated wells never are.

    Raises
    ------
    UsageError
        If `reference` is none of :data:`REFERENCES`.
    """
    if reference not in REFERENCES:
        raise UsageError(f"reference {reference!r} is unknown; choose one of {', '.join(REFERENCES)}")
    return np.logical_or.reduce([controls(obs, kind) for kind in _KINDS[reference]])


def batch_column(batch: str) -> str:
    """Return the column of `obs` that holds the batches, for `plate` or `experiment`."""
    if batch not in BATCHES:
        raise UsageError(f"batch {batch!r} is unknown; choose one of {', '.join(BATCHES)}")
    return BATCHES[batch]


@dataclass
class Batches:
    """The reference wells of each plate or experiment.

    Attributes
    ----------
    by
        `plate_id` or `experiment`.
    rows
        Batch -> row indices of all its wells.
    reference
        Batch -> row indices of the wells to learn from; those of the whole experiment where the batch had too few.
    own
        Batch -> how many reference wells it has itself.
    pooled
        Batches that take the estimate of their experiment.
    """

    by: str
    rows: dict
    reference: dict
    own: dict
    pooled: list = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """Return pairs of a batch and the rows to learn from."""
        return iter(self.reference.items())


def find_batches(
    obs: pd.DataFrame, by: str, *, reference: str, min_reference: int, pooled: bool, purpose: str
) -> Batches:
    """Return the reference wells of every batch.

    Parameters
    ----------
    obs
        One row per well.
    by
        `plate_id` or `experiment`.
    reference
        One of :data:`REFERENCES`.
    min_reference
        Reference wells that a batch needs.
    pooled
        Take all reference wells of the experiment where a batch has fewer; otherwise that is an error.
    purpose
        What the wells are needed for, for the message.

    Raises
    ------
    DataError
        If a batch has too few reference wells, naming it, and pooling is not asked for or does not help.
    """
    mask = reference_mask(obs, reference)
    all_rows = rows_by(obs, by)
    chosen = {batch: rows[mask[rows]] for batch, rows in all_rows.items()}
    out = Batches(by, all_rows, chosen, {str(batch): len(rows) for batch, rows in chosen.items()})
    lacking = [batch for batch, rows in chosen.items() if len(rows) < min_reference]
    experiments = rows_by(obs, "experiment") if lacking else {}
    for batch in lacking:
        named = f"{_NOUNS[by]} {batch} has {len(chosen[batch])} {REFERENCES[reference]} that passed quality control"
        if not pooled or by == "experiment":
            way = "" if by == "experiment" else "take the pooled estimate of its experiment (pooled=True), "
            raise DataError(f"{named}, {purpose} needs {min_reference}: {way}use recipe raw, or leave it out")
        mates = experiments[obs["experiment"].iloc[all_rows[batch][0]]]
        mates = mates[mask[mates]]
        if len(mates) < min_reference:
            raise DataError(
                f"{named}, and its experiment {len(mates)}; {purpose} needs {min_reference}: leave it out"
            )
        out.reference[batch] = mates
        out.pooled.append(str(batch))
    return out


def batch_record(step: str, reference: str, batches: Batches | None) -> dict:
    """Return the part of a step's record that says which wells it learnt from, and how many there were."""
    record = {"step": step, "reference": REFERENCES[reference], "n": batches.own if batches else {}}
    if batches and batches.pooled:
        record["pooled"] = batches.pooled
    return record


def centers_record(reference: str, by: str) -> dict:
    """Return what the null has to know: the batches whose infected untreated wells were moved to zero."""
    return {"centers": by} if reference == "infected" else {}


@dataclass
class BatchStep:
    """What the steps that learn from the reference wells of every batch have in common.

    Parameters
    ----------
    by
        `plate_id` or `experiment`.
    reference
        One of :data:`REFERENCES`.
    min_reference
        Reference wells that a batch needs.
    pooled
        Take all reference wells of the experiment where a batch has fewer, instead of raising.

    Raises
    ------
    DataError
        In `fit`, naming the batch that has too few reference wells.
    """

    by: str = "plate_id"
    reference: str = "infected"
    min_reference: int = 3
    pooled: bool = False
    batches_: Batches | None = field(default=None, repr=False)

    def find(self, obs: pd.DataFrame, purpose: str) -> Batches:
        """Find the reference wells of every batch and remember them; `purpose` is for the message."""
        self.batches_ = find_batches(
            obs,
            self.by,
            reference=self.reference,
            min_reference=self.min_reference,
            pooled=self.pooled,
            purpose=purpose,
        )
        return self.batches_

    def note(self, step: str, **more: object) -> dict:
        """Return the record of the step: its reference, how many wells of it each batch had, and more."""
        record = batch_record(f"{step} by {self.by}", self.reference, self.batches_)
        return {**record, **more, **centers_record(self.reference, self.by)}
