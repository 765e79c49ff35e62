"""The twin: a simulated screen with RxRx19a's layout and quirks, invented embeddings and known truth."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import DataError, UsageError
from helpers.files import atomic_path, sha256
from helpers.screens.twin.counts import CountDraw
from helpers.screens.twin.design import SCALES, design_wells, scale_of
from helpers.screens.twin.embeddings import TwinDraw
from helpers.screens.twin.metadata import four_sites, metadata_table, read_design, site_ids, site_table
from helpers.screens.twin.model import TwinModel
from helpers.screens.twin.worlds import find_world
from helpers.sealed import alone

if TYPE_CHECKING:
    import anndata as ad

FILE_FORMATS = ("csv", "parquet")
FILES = (
    "metadata.csv", "embeddings.csv", "embeddings.parquet",
    "truth.csv", "classes.csv", "failed_wells.csv", "twin.json",
)  # fmt: skip
NOTE = "Simulated: the layout is RxRx19a's, the embeddings, compounds and effects are invented."


@dataclass(frozen=True)
class _Twin:
    """Wells and sites in the order of the files, and what their embeddings are drawn from."""

    wells: pd.DataFrame
    sites: pd.DataFrame
    draw: TwinDraw

    def plates(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield site ids and embeddings plate by plate."""
        keys = (self.wells["experiment"] + "_" + self.wells["plate"]).to_numpy()
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        for start, end in zip(starts, [*starts[1:], len(keys)], strict=True):
            first, last = np.searchsorted(self.sites["well"], [start, end])
            sites = self.sites.iloc[first:last]
            own = sites["well"].to_numpy() - start
            yield site_ids(self.wells, sites), self.draw.plate(self.wells[start:end], own, sites["site"])

    def failed_wells(self) -> pd.DataFrame:
        """Return well_id and reason of the wells that failed."""
        plates = self.wells.groupby(["experiment", "plate"], sort=False)
        fates = np.concatenate([self.draw.fates(wells) for _, wells in plates])
        failed = pd.DataFrame({"well_id": self.wells["well_id"], "reason": fates})
        return failed[failed["reason"] != ""].reset_index(drop=True)

    def classes(self) -> pd.DataFrame:
        """Return treatment and class of the compounds that belong to one."""
        compounds = self.draw.compounds
        members = compounds.loc[compounds["mechanism_class"] != "", ["treatment", "mechanism_class"]]
        members = members.rename(columns={"mechanism_class": "class"})
        return members.sort_values(["class", "treatment"], ignore_index=True)


def _plan(scale: str, seed: int, design: str | Path | None, model: TwinModel) -> _Twin:
    """Draw everything but the embeddings."""
    if scale not in SCALES:
        raise UsageError(f"scale '{scale}': allowed are {', '.join(SCALES)}")
    if seed != int(seed) or seed < 0:
        raise UsageError(f"seed {seed}: allowed are whole numbers from 0")
    if design is None:
        wells = design_wells(scale_of(scale, model.layout), seed, model.layout)
        sites = four_sites(wells)
    else:
        wells, sites = read_design(Path(design), seed)
    if model.features == "counts":
        return _Twin(wells, sites, CountDraw(wells, model, seed))
    return _Twin(wells, sites, TwinDraw(wells, model, seed, SCALES[scale].n_features))


def make_twin(
    folder: str | Path,
    *,
    scale: str = "small",
    seed: int = 0,
    design: str | Path | None = None,
    world: str = "calm",
    model: TwinModel | None = None,
    file_format: str = "csv",
) -> Path:
    """Write a simulated screen in RxRx19a's layout, with its truth beside it.

    The folder gets metadata.csv, embeddings.csv (or .parquet), truth.csv (one row per experiment, treatment
    and dose), classes.csv, failed_wells.csv and twin.json. It appears as a whole or not at all. The same call
    writes the same bytes. Embeddings are made plate by plate, so memory does not grow with the screen.

    Parameters
    ----------
    folder : path
        A new or empty folder, or one that holds a twin, which is replaced.
    scale : {"tiny", "small", "full"}
        2 experiments x 3 plates x 64 features; 16 plates x 1,024; all 57 plates x 1,024.
    seed : int
        From 0.
    design : path, optional
        A metadata file in RxRx19a's layout. Its wells get the embeddings; conditions, doses and replicates are
        kept. Treatments are renamed to TWN-0001 and so on and structures are dropped, because no invented
        effect may carry a real drug's name. `scale` then only sets the number of features.
    world : str
        A named set of assumptions, one of :data:`helpers.screens.twin.worlds.WORLDS`.
    model : TwinModel, optional
        The assumptions, in place of those of the world.
    file_format : {"csv", "parquet"}
        Of the embeddings; both hold the same numbers.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageError
        If scale, seed, world or file format is not allowed, or `folder` is a file.
    DataError
        If the folder holds other files, another process makes a twin there, or the design cannot be used.
    """
    theirs = find_world(world).model()
    model = model or theirs
    if file_format not in FILE_FORMATS:
        raise UsageError(f"file format '{file_format}': allowed are {', '.join(FILE_FORMATS)}")
    folder = Path(folder).resolve()
    _refuse_other_files(folder)
    twin = _plan(scale, seed, design, model)
    with alone(folder), atomic_path(folder) as temporary:
        temporary.mkdir()
        _write(twin, temporary, file_format, borrowed=design is not None)
        provenance = _provenance(scale, seed, design, model, file_format, twin)
        provenance["world"] = world if model == theirs else "own"
        text = json.dumps(provenance, indent=2, ensure_ascii=False)
        (temporary / "twin.json").write_text(text + "\n", encoding="utf-8")
        _refuse_other_files(folder)
    return folder


def simulate_twin(
    scale: str = "tiny", seed: int = 0, model: TwinModel | None = None, *, world: str = "calm"
) -> tuple["ad.AnnData", pd.DataFrame]:
    """Return the sites of a twin and its truth, without files.

    Parameters
    ----------
    scale : {"tiny", "small", "full"}
        As for :func:`helpers.screens.make_twin`; the full one has more than a gigabyte of embeddings.
    seed : int
        From 0.
    model : TwinModel, optional
        The assumptions, in place of those of the world.
    world : str
        A named set of assumptions, one of :data:`helpers.screens.twin.worlds.WORLDS`.

    Returns
    -------
    sites : AnnData
        What `open_screen` gives for the files of ``make_twin`` with the same arguments.
    truth : DataFrame
        One row per experiment, treatment and dose: kind, mechanism_class, rescue (1 = as mock), off_disease and
        toxicity (axis lengths), emax, ec50_um, hill.

    Raises
    ------
    UsageError
        If scale, seed or world is not allowed.

    Examples
    --------
    >>> sites, truth = simulate_twin("tiny", seed=0)
    >>> sites.n_vars, sorted(sites.obs["experiment"].unique())
    (64, ['HRCE-1', 'HRCE-2'])
    >>> set(truth["kind"]) >= {"inert", "rescuing", "toxic"}
    True
    """
    import anndata as ad

    twin = _plan(scale, seed, None, model or find_world(world).model())
    obs = site_table(twin.wells, twin.sites, twin.draw.compounds["treatment"])
    order = _natural_order(obs)
    X = np.concatenate([plate for _, plate in twin.plates()])[order]
    sites = ad.AnnData(X, obs=obs.iloc[order], var=pd.DataFrame(index=_feature_names(X.shape[1])))
    sites.uns["screen"] = {
        "name": f"simulated twin ({scale}, seed {seed})",
        "kind": "twin",
        "path": "",
        "level": "site",
        "files": {},
        "notes": [NOTE],
    }
    return sites, twin.draw.truth(twin.wells)


def twin_failures(
    scale: str = "tiny", seed: int = 0, model: TwinModel | None = None, *, world: str = "calm"
) -> pd.DataFrame:
    """Return the wells that a twin makes fail.

    Parameters
    ----------
    scale : {"tiny", "small", "full"}
        As for :func:`helpers.screens.simulate_twin`.
    seed : int
        From 0.
    model : TwinModel, optional
        The assumptions, in place of those of the world.
    world : str
        A named set of assumptions, one of :data:`helpers.screens.twin.worlds.WORLDS`.

    Returns
    -------
    DataFrame
        well_id and reason: `dim`, `low_cells` or `odd` (in a direction of its own).

    Raises
    ------
    UsageError
        If scale, seed or world is not allowed.

    Examples
    --------
    >>> sorted(twin_failures("tiny", seed=0)["reason"].unique())
    ['dim', 'low_cells']
    """
    return _plan(scale, seed, None, model or find_world(world).model()).failed_wells()


def _feature_names(n: int) -> list[str]:
    """Return feature_0, feature_1, ..., unpadded as in RxRx19a's file."""
    return [f"feature_{i}" for i in range(n)]


def _natural_order(obs: pd.DataFrame) -> np.ndarray:
    """Return the order by experiment, plate, row, column and site; files have AA02 before B02."""
    keys = [obs[name].to_numpy() for name in ("site", "col", "row", "plate")]
    return np.lexsort([*keys, obs["experiment"].cat.codes.to_numpy()])


def _refuse_other_files(folder: Path) -> None:
    """Raise if writing a twin would destroy something that is not one."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a new or empty folder for the twin")
    present = {path.name for path in folder.iterdir()} if folder.exists() else set()
    other = sorted(present - set(FILES)) if "twin.json" in present else sorted(present)
    if other:
        raise DataError(f"{folder} holds {', '.join(other[:3])}, not just a twin: name a new or empty folder")


def _write(twin: _Twin, folder: Path, file_format: str, *, borrowed: bool) -> None:
    """Write all files of a twin but twin.json."""
    writer = {"csv": _write_csv, "parquet": _write_parquet}[file_format]
    writer(folder / f"embeddings.{file_format}", twin.plates(), _feature_names(twin.draw.n_features))
    metadata_table(twin.wells, twin.sites, smiles=not borrowed).write_csv(folder / "metadata.csv")
    tables = {
        "truth": twin.draw.truth(twin.wells),
        "classes": twin.classes(),
        "failed_wells": twin.failed_wells(),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def _write_csv(path: Path, plates: Iterator, features: list[str]) -> None:
    """Write embeddings as CSV, a plate at a time."""
    import polars as pl

    with path.open("wb") as file:
        for number, (ids, X) in enumerate(plates):
            frame = pl.from_numpy(X, schema=features).insert_column(0, pl.Series("site_id", ids.tolist()))
            frame.write_csv(file, include_header=number == 0)


def _write_parquet(path: Path, plates: Iterator, features: list[str]) -> None:
    """Write embeddings as Parquet, a row group per plate."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("site_id", pa.string()), *((name, pa.float32()) for name in features)])
    # Dictionaries cost time and save nothing on numbers that hardly ever repeat.
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        for ids, X in plates:
            columns = [pa.array(ids.tolist()), *(pa.array(column) for column in np.ascontiguousarray(X.T))]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=len(ids))


def _provenance(
    scale: str, seed: int, design: str | Path | None, model: TwinModel, file_format: str, twin: _Twin
) -> dict:
    """Return what twin.json holds; nothing in it depends on when or where the twin was made."""
    borrowed = None
    if design is not None:
        borrowed = {
            "file": Path(design).name,
            "sha256": sha256(design),
            "note": "Wells, conditions, doses and replicates are this file's. Treatments are renamed and"
            " structures dropped: no invented effect may carry a real drug's name.",
        }
    return {
        "kind": "twin",
        "note": NOTE,
        "scale": scale,
        "seed": int(seed),
        "n_features": twin.draw.n_features,
        "n_wells": len(twin.wells),
        "n_sites": len(twin.sites),
        "file_format": file_format,
        "design": borrowed,
        "model": model.to_dict(),
    }
