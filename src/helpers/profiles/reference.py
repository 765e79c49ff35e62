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
        If `reference` is none of :data:`helpers.profiles.reference.REFERENCES`.
    """
    if reference not in REFERENCES:
        raise UsageError(f"reference {reference!r} is unknown; choose one of {', '.join(REFERENCES)}")
    return np.logical_or.reduce([controls(obs, kind) for kind in _KINDS[reference]])


def batch_column(batch: str) -> str:
    """Return the column of `obs` that holds the batches, for `plate` or `experiment`.

    Raises
    ------
    UsageError
        For any other word.
    """
    if batch not in BATCHES:
        raise UsageError(f"batch {batch!r} is unknown; choose one of {', '.join(BATCHES)}")
    return BATCHES[batch]


@dataclass
class Batches:
    """The reference wells of each plate or experiment.

    Attributes
    ----------
    by : str
        `plate_id` or `experiment`.
    rows : dict
        Batch -> row indices of all its wells.
    reference : dict
        Batch -> row indices of the wells to learn from; those of the whole experiment where the batch had too few.
    own : dict
        Batch -> how many reference wells it has itself.
    pooled : list
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


def batch_record(step: str, reference: str, batches: Batches | None) -> dict:
    """Return the part of a step's record that says which wells it learnt from, and how many there were."""
    record = {"step": step, "reference": REFERENCES[reference], "n": batches.own if batches else {}}
    if batches and batches.pooled:
        record["pooled"] = batches.pooled
    return record


@dataclass
class BatchStep:
    """What the steps that learn from the reference wells of every batch have in common.

    Parameters
    ----------
    by : str
        `plate_id` or `experiment`.
    reference : str
        One of :data:`helpers.profiles.reference.REFERENCES`.
    min_reference : int
        Reference wells that a batch needs.
    pooled : bool
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
        mask = reference_mask(obs, self.reference)
        all_rows = rows_by(obs, self.by)
        chosen = {batch: rows[mask[rows]] for batch, rows in all_rows.items()}
        own = {str(batch): len(rows) for batch, rows in chosen.items()}
        self.batches_ = Batches(self.by, all_rows, chosen, own)
        lacking = [batch for batch, rows in chosen.items() if len(rows) < self.min_reference]
        experiments = rows_by(obs, "experiment") if lacking else {}
        for batch in lacking:
            mates = experiments[obs["experiment"].iloc[all_rows[batch][0]]]
            self._pool(batch, mates[mask[mates]], purpose)
        return self.batches_

    def _pool(self, batch: str, mates: np.ndarray, purpose: str) -> None:
        """Let a batch with too few reference wells learn from those of its experiment, or say why it cannot."""
        n, kind = len(self.batches_.reference[batch]), REFERENCES[self.reference]
        named = f"{_NOUNS[self.by]} {batch} has {n} {kind} that passed quality control"
        if not self.pooled or self.by == "experiment":
            way = (
                ""
                if self.by == "experiment"
                else "let the experiment's other plates stand in (in Python: pooled=True), "
            )
            raise DataError(
                f"{named}, {purpose} needs {self.min_reference}: {way}use recipe raw, or leave it out"
            )
        if len(mates) < self.min_reference:
            raise DataError(
                f"{named}, and its experiment {len(mates)}; {purpose} needs {self.min_reference}: leave it out"
            )
        self.batches_.reference[batch] = mates
        self.batches_.pooled.append(str(batch))

    def note(self, step: str, **more: object) -> dict:
        """Return the record of the step: its reference, how many wells of it each batch had, and more.

        `centers` says what the null has to know: the batches whose infected untreated wells were moved to zero.
        """
        record = batch_record(f"{step} by {self.by}", self.reference, self.batches_) | more
        return record | ({"centers": self.by} if self.reference == "infected" else {})
