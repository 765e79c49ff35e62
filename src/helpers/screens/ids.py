"""Names of plates, wells and sites: their experiment, plate, well and site joined, so that no two share a name."""

from collections.abc import Iterator, Sequence

import polars as pl

PARTS = {
    "plate_id": ("experiment", "plate"),
    "well_id": ("experiment", "plate", "well"),
    "site_id": ("experiment", "plate", "well", "site"),
}
# RxRx19a's own first; then what names hold less often.
_SEPARATORS = ("_", "/", "|", ":", "~")


def joined(name: str, separator: str) -> pl.Expr:
    """Return the expression of a name: a key of `PARTS`, its parts joined."""
    return pl.concat_str(PARTS[name], separator=separator).alias(name)


def find_separator(metadata: pl.DataFrame, names: Sequence[str] = tuple(PARTS)) -> str:
    """Return what to put between the parts, so that different plates, wells and sites have different names.

    It is ``_`` as in RxRx19a, except where names of the user's hold one in a way that two would be alike: plate
    ``24h_P1`` of experiment ``U2OS``, and plate ``P1`` of ``U2OS_24h``.

    Parameters
    ----------
    metadata : DataFrame
        The parts as text; rows that lack one have no name.
    names : sequence of str
        Keys of `PARTS` that are asked for.
    """
    for separator in _candidates():
        if all(_tells_apart(metadata, name, separator) for name in names):
            return separator
    raise AssertionError("no name holds every character")


def _tells_apart(metadata: pl.DataFrame, name: str, separator: str) -> bool:
    different = metadata.select(PARTS[name]).drop_nulls().unique()
    return different.select(joined(name, separator).n_unique()).item() == different.height


def _candidates() -> Iterator[str]:
    yield from _SEPARATORS
    yield from map(chr, range(0x2500, 0x2600))  # a character that no name holds always tells names apart
