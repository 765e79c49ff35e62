"""Screens opened as AnnData: one row per site, its embeddings, and where every number came from."""

import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import polars as pl

from helpers.errors import UsageError
from helpers.files import sha256
from helpers.screens import facts
from helpers.screens.check import Examined, examine
from helpers.screens.folder import open_source
from helpers.screens.locate import resolve_source
from helpers.screens.order import natural_key
from helpers.screens.problems import raise_first_fatal
from helpers.screens.provenance import name_screen
from helpers.screens.source import OBS, READ, WORKING

_TEXT_BESIDE = ("experiment", "treatment", "kind", "mechanism_class", "class")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
# Working columns that are not the user's.
_WORKING = {*WORKING, *READ, *facts.COLUMNS}


def open_screen(
    source: str | Path,
    *,
    experiments: str | list[str] = "all",
    exclude_plates: str = "",
    world: str = "calm",
) -> ad.AnnData:
    """Open a screen as sites.

    Parameters
    ----------
    source : str or Path
        ``twin`` (the small simulated screen, made on first use), ``rxrx19a`` (the downloaded release), or a
        folder: `metadata` and `embeddings` in RxRx19a's layout, or any table with a ``screen.yml``.
    experiments : str or list of str
        ``all``, or names with commas between them.
    exclude_plates : str
        Plates to leave out, a comma list of names such as ``HRCE-1_25`` (column `plate_id`); empty: none.
    world : str
        Of the twin, as for :func:`helpers.screens.resolve_source`.

    Returns
    -------
    sites : AnnData
        `X` float32, shape (n_sites, n_features), without features for a design. `obs` has one row per site,
        sorted by experiment, plate, row, column and site, so that every plate is one slice; doses in uM.
        `uns["screen"]` has `name`, `kind`, `path`, `level`, `files` (SHA-256 of each) and `notes`.

    Raises
    ------
    DataError
        If a file is missing or wrong: the first problem, and how many more there are.
    UsageError
        If there is no such folder, an experiment or a plate is not in the screen, or no plate is left.
    """
    folder = resolve_source(source, world)
    with open_source(folder) as opened, _hashing(opened.files) as hashes:
        examined = examine(opened, experiments=experiments)
        raise_first_fatal(examined.problems, folder)
        files = hashes()
    sites = _scaled(_to_anndata(examined, opened.features), examined.spreads)
    sites.uns["screen"] = {
        **name_screen(folder),
        "path": str(folder),
        "level": opened.level,
        "files": files,
        "notes": [str(problem) for problem in examined.problems],
    }
    return _without_plates(sites, exclude_plates)


def _scaled(sites: ad.AnnData, spreads: np.ndarray | None) -> ad.AnnData:
    """Divide features by their spreads, and leave out those that have none."""
    if spreads is None:
        return sites
    if not (spreads > 0).all():
        sites = sites[:, spreads > 0].copy()
    sites.X = (sites.X / spreads[spreads > 0]).astype(np.float32)
    return sites


def _without_plates(sites: ad.AnnData, unwanted: str) -> ad.AnnData:
    """Leave out the plates that a comma list names."""
    names = {name.strip() for name in unwanted.split(",") if name.strip()}
    plates = sites.obs["plate_id"].astype(str)
    if unknown := sorted(names - set(plates)):
        valid = ", ".join(plates.unique()[:60])
        raise UsageError(f"parameter 'exclude_plates': no plate {', '.join(unknown)}; valid: {valid}")
    keep = ~plates.isin(names).to_numpy()
    if not keep.any():
        raise UsageError("parameter 'exclude_plates' leaves out every plate; name fewer")
    return sites if keep.all() else sites[keep].copy()


def read_truth(source: str | Path) -> pd.DataFrame | None:
    """Return the truth of a twin, None for a real screen.

    Parameters
    ----------
    source : str or Path
        ``twin``, ``rxrx19a`` or a folder, as for :func:`helpers.screens.open_screen`.

    Returns
    -------
    DataFrame or None
        One row per experiment, treatment and dose: kind, mechanism_class, rescue (1 = as mock), off_disease and
        toxicity (axis lengths), emax, ec50_um, hill.

    Raises
    ------
    DataError
        If RxRx19a was not downloaded.
    UsageError
        If there is no such folder.
    """
    return _beside(source, "truth.csv")


def read_classes(source: str | Path) -> pd.DataFrame | None:
    """Return the mechanism class of each treatment, None where the screen's folder holds no ``classes.csv``.

    Parameters
    ----------
    source : str or Path
        ``twin``, ``rxrx19a`` or a folder, as for :func:`helpers.screens.open_screen`.

    Returns
    -------
    DataFrame or None
        treatment, class, and what else the file has.

    Raises
    ------
    DataError
        If RxRx19a was not downloaded.
    UsageError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> members = pd.DataFrame({"treatment": ["TWN-0046"], "class": ["A"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     members.to_csv(Path(folder) / "classes.csv", index=False)
    ...     read_classes(folder)
      treatment class
    0  TWN-0046     A
    """
    return _beside(source, "classes.csv")


def _beside(source: str | Path, name: str) -> pd.DataFrame | None:
    path = resolve_source(source) / name
    if not path.is_file():
        return None
    # In text an empty cell is no gap but "none", and a compound may be called NA.
    numbers = [column for column in pd.read_csv(path, nrows=0) if column not in _TEXT_BESIDE]
    return pd.read_csv(path, keep_default_na=False, na_values={column: [""] for column in numbers})


@contextlib.contextmanager
def _hashing(files: list[Path]) -> Iterator:
    """Hash files in a thread of its own while they are read; yield what returns the hashes by name."""
    with ThreadPoolExecutor(1) as pool:
        pending = {path.name: pool.submit(sha256, path) for path in files if path.is_file()}
        yield lambda: {name: result.result() for name, result in pending.items()}


def _to_anndata(examined: Examined, features: tuple[str, ...]) -> ad.AnnData:
    table = examined.sites
    assert table is not None, "a screen without sites was refused before"
    X = np.empty((table.height, 0), dtype=np.float32) if examined.X is None else examined.X
    obs = _obs(table)
    return ad.AnnData(
        X, obs=obs, var=pd.DataFrame(index=pd.Index(list(features)[: X.shape[1]], dtype=object))
    )


def _obs(table: pl.DataFrame) -> pd.DataFrame:
    """Return the observations of sites as pandas: sorted categories, numbers as documented."""
    table = table.with_columns(
        treatment_raw=pl.col("treatment"),
        treatment=pl.col("name"),
        smiles=pl.col("structure"),
        site=pl.col("site_number"),
    )
    extra = [name for name in table.columns if name not in {*_WORKING, *OBS}]
    obs: dict[str, Any] = {}
    for name in OBS:
        column = table[name]
        obs[name] = column.to_numpy() if column.dtype.is_numeric() else _categorical(column)
    obs["condition"] = obs["condition"].set_categories(list(facts.CONDITION_ORDER))
    obs["plate"] = _whole_plates(obs["plate"])
    obs |= {name: _extra(table[name]) for name in extra}
    index = pd.Index(table["site_id"].to_list(), dtype=object, name="site_id")
    return pd.DataFrame(obs, index=index)


def _categorical(column: pl.Series) -> pd.Categorical:
    """Return text as sorted categories, experiments and plates in natural order; null is missing."""
    order = natural_key if column.name in ("experiment", "plate") else None
    categories = sorted(column.drop_nulls().unique(), key=order)
    codes = column.replace_strict({v: i for i, v in enumerate(categories)}, default=-1, return_dtype=pl.Int32)
    return pd.Categorical.from_codes(
        codes.fill_null(-1).to_numpy(), categories=pd.Index(categories, dtype=object)
    )


def _whole_plates(plates: pd.Categorical) -> pd.Categorical:
    """Turn plates into integers if all of them are whole numbers without leading zeros that an int64 holds."""
    names = list(plates.categories)
    if not all(_WHOLE.fullmatch(name) for name in names):
        return plates
    return plates.rename_categories([int(name) for name in names])


def _extra(column: pl.Series) -> np.ndarray | pd.Categorical:
    """Return a column of the user's as numbers if all its cells are, else as categories."""
    numbers = column.cast(pl.Float64, strict=False)
    if numbers.null_count() == column.null_count():
        return numbers.to_numpy()
    return _categorical(column)
