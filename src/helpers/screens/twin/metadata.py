"""Metadata of the twin in RxRx19a's layout: written from a design, or a design borrowed from a file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.errors import DataError
from helpers.screens.facts import COLUMNS, CONDITION_ORDER, CONDITIONS
from helpers.screens.layout import SITES, parse_well
from helpers.screens.order import digits_key
from helpers.screens.twin.model import stream
from helpers.screens.twin.names import compound_number, draw_names, invented_smiles

if TYPE_CHECKING:
    import polars as pl

_FILE_CONDITIONS = {ours: raw for raw, ours in CONDITIONS.items()}
_NEEDED = tuple(name for name in COLUMNS if name not in ("well_id", "SMILES"))


def four_sites(wells: pd.DataFrame) -> pd.DataFrame:
    """Return the sites of a design with four sites a well: columns `well` (row of `wells`), `site`."""
    n = len(wells)
    return pd.DataFrame({"well": np.repeat(np.arange(n), len(SITES)), "site": np.tile(SITES, n)})


def site_ids(wells: pd.DataFrame, sites: pd.DataFrame) -> np.ndarray:
    """Return the ids of sites, such as ``HRCE-1_25_AA02_1``."""
    well_id = wells["well_id"].to_numpy(dtype=object)[sites["well"]]
    return well_id + "_" + sites["site"].astype(str).to_numpy(dtype=object)


def metadata_table(wells: pd.DataFrame, sites: pd.DataFrame, *, smiles: bool = True) -> "pl.DataFrame":
    """Return the metadata of a twin, one row per site, all columns text as in RxRx19a's file."""
    import polars as pl

    table = pd.DataFrame(
        {
            "well_id": wells["well_id"],
            "cell_type": wells["cell_type"],
            "experiment": wells["experiment"],
            "plate": wells["plate"],
            "well": wells["well"],
            "disease_condition": wells["condition"].map(_FILE_CONDITIONS),
            "treatment": wells["treatment"],
            "treatment_conc": _dose_text(wells),
            "SMILES": structures(wells["treatment"]) if smiles else "",
        }
    )
    texts = {name: column.tolist() for name, column in table.items()}
    frame = pl.DataFrame(texts)[sites["well"].to_numpy()].with_columns(
        pl.Series("site_id", site_ids(wells, sites).tolist()),
        pl.Series("site", sites["site"].astype(str).tolist()),
    )
    return frame.select(COLUMNS)


def site_table(wells: pd.DataFrame, sites: pd.DataFrame, usual: pd.Series) -> pd.DataFrame:
    """Return the `obs` of a screen in memory, in the order of `sites`.

    `usual` holds the spelling to display of each compound number.
    """
    structure = structures(wells["treatment"])
    table = pd.DataFrame(
        {
            "well_id": wells["well_id"],
            "cell_type": wells["cell_type"],
            "experiment": wells["experiment"],
            "plate": wells["plate"].astype(int),
            "plate_id": wells["experiment"] + "_" + wells["plate"],
            "well": wells["well"],
            "row": wells["row"].astype(np.int16),
            "col": wells["col"].astype(np.int16),
            "condition": pd.Categorical(wells["condition"], categories=list(CONDITION_ORDER)),
            "treatment": wells["compound"].map(usual),
            "treatment_raw": wells["treatment"].where(wells["treatment"] != ""),
            "dose_um": wells["dose_um"],
            "smiles": structure.map({text: _canonical(text) for text in structure.unique() if text}),
        }
    )
    text = [name for name in table if name == "plate" or table[name].dtype == object]
    table = table.astype(dict.fromkeys(text, "category")).iloc[sites["well"].to_numpy()]
    table.insert(8, "site", sites["site"].to_numpy(dtype=np.int16))
    return table.set_index(pd.Index(site_ids(wells, sites), name="site_id"))


def structures(treatments: pd.Series) -> pd.Series:
    """Return the invented structure of each treatment, "" where there is none; spellings may differ in form."""
    variants = {
        name: invented_smiles(compound_number(name), int("TWN" not in name))
        for name in treatments.unique()
        if name
    }
    return treatments.map(variants).fillna("")


def _canonical(smiles: str) -> str:
    """Return the canonical form of a structure, its CXSMILES suffix cut."""
    from rdkit import Chem

    return Chem.CanonSmiles(smiles.split(" ")[0])


def _dose_text(wells: pd.DataFrame) -> pd.Series:
    """Return doses as the file writes them, ``10.0``; as they were written if the design is borrowed."""
    if "dose_text" in wells:
        return wells["dose_text"]
    return (
        wells["dose_um"]
        .map({dose: repr(float(dose)) for dose in wells["dose_um"].dropna().unique()})
        .fillna("")
    )


def read_design(path: Path, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Borrow the design of a metadata file: its wells, conditions, doses and replicates, not its names.

    The twin's effects are invented, and none may be attached to a real drug. So treatments are renamed to
    ``TWN-0001`` and so on, in an order drawn from the seed (names that differ in letter case still do), and
    structures are dropped.

    Parameters
    ----------
    path : Path
        Metadata in RxRx19a's layout: CSV, gzipped CSV, zip or Parquet.
    seed : int
        Of the order of the invented names.

    Returns
    -------
    wells, sites : DataFrame
        As `twin_design.design_wells` returns it, plus `dose_text`; and as `four_sites` returns it.

    Raises
    ------
    DataError
        If a column is missing, an id is there twice, or a condition, well, site or dose cannot be read.
    """
    rows = _read_text(path)
    rows["condition"] = rows["disease_condition"].map(CONDITIONS)
    _refuse(
        path, rows, rows["condition"].isna(), "disease_condition", f"one of {', '.join(CONDITIONS)} or empty"
    )
    positions = {well: _position(well) for well in rows["well"].unique()}
    _refuse(path, rows, rows["well"].map(positions).isna(), "well", "a well like AA02")
    dose = pd.to_numeric(rows["treatment_conc"].replace("", "nan"), errors="coerce")
    _refuse(path, rows, dose.isna() & (rows["treatment_conc"] != ""), "treatment_conc", "a number in uM")
    _refuse(path, rows, ~rows["site"].str.fullmatch("[1-9][0-9]?"), "site", "a whole number from 1")
    _refuse(path, rows, rows["site_id"].duplicated(), "site_id", "unique")
    for column in ("cell_type", "disease_condition", "treatment", "treatment_conc"):
        first = rows.groupby(["experiment", "plate", "well"])[column].transform("first")
        _refuse(path, rows, rows[column] != first, column, "the same in all sites of a well")
    rows = rows.rename(columns={"treatment_conc": "dose_text"}).assign(dose_um=dose)
    rows["row"], rows["col"] = np.array([positions[well] for well in rows["well"]]).T
    rows["compound"], rows["treatment"] = _renamed(rows["treatment"], seed)
    return _in_order(rows)


def _read_text(path: Path) -> pd.DataFrame:
    """Read the columns of a metadata file as text, "" where empty."""
    from helpers.screens.problems import BrokenFileError
    from helpers.screens.tables import open_tables

    if not path.is_file():
        raise DataError(f"design {path} is no file: give the metadata.csv of a screen in RxRx19a's layout")
    try:
        with open_tables(path) as tables:
            table = tables[0].text()
    except BrokenFileError as error:
        raise DataError(str(error)) from error
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise DataError(
            f"{path.name}: column {', '.join(missing)} is missing; a design needs {', '.join(_NEEDED)}"
        )
    frame = table.select(_NEEDED).fill_null("")
    return pd.DataFrame({name: frame[name].to_list() for name in _NEEDED})


def _refuse(path: Path, rows: pd.DataFrame, bad: pd.Series, column: str, allowed: str) -> None:
    """Raise if any row is bad, naming the first."""
    if bad.any():
        row = rows[bad.to_numpy(dtype=bool)].iloc[0]
        more = f" (and {int(bad.sum()) - 1} more)" if bad.sum() > 1 else ""
        raise DataError(
            f"{path.name}, site {row['site_id']}{more}: {column} '{row[column]}' must be {allowed}"
        )


def _position(well: str) -> tuple[int, int] | None:
    try:
        return parse_well(well)
    except ValueError:
        return None


def _renamed(treatment: pd.Series, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return compound numbers (-1: none) and invented names; spellings by frequency."""
    counts = (
        treatment[treatment != ""].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    )
    spelled = pd.Series(counts.index, index=counts.index).str.lower()
    compounds = {name: index for index, name in enumerate(sorted(spelled.unique()))}
    names = draw_names(len(compounds), stream(seed, "names"))
    numbers = spelled.map(compounds)
    variants = spelled.groupby(spelled).cumcount()
    invented = {name: names[numbers[name]][variants[name] % 8] for name in spelled.index}
    return treatment.map(numbers).fillna(-1).astype(int).to_numpy(), treatment.map(invented).fillna(
        ""
    ).to_numpy()


def _in_order(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return wells and sites in the order of RxRx19a's files."""
    from helpers.screens.twin.design import WELL_COLUMNS

    plate = rows["plate"].map(lambda p: (0, *digits_key(p)) if p.isdecimal() else (1, 0, p))
    rows["well_id"] = rows["experiment"] + "_" + rows["plate"] + "_" + rows["well"]
    rows = rows.assign(order=plate, site=rows["site"].astype(int))
    rows = rows.sort_values(["experiment", "order", "well", "site"], kind="stable", ignore_index=True)
    first = ~rows["well_id"].duplicated()
    sites = pd.DataFrame({"well": np.cumsum(first) - 1, "site": rows["site"]})
    return rows.loc[first, [*WELL_COLUMNS, "dose_text"]].reset_index(drop=True), sites
