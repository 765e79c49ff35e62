"""Every problem of a screen's files, found at once."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from helpers.errors import UsageError
from helpers.screens.compounds import match_compounds
from helpers.screens.doses import merge_doses
from helpers.screens.embeddings import read_features
from helpers.screens.folder import open_source
from helpers.screens.order import natural_key
from helpers.screens.problems import Problem, fatal, listed, note, plural, raise_first_fatal
from helpers.screens.rules import check_rows, typed
from helpers.screens.scaling import feature_spreads, reference_rows, scaling_problems
from helpers.screens.source import FILE, ROW, Source

MIN_INFECTED = 3
"""Infected untreated wells that an experiment needs: no median of fewer is worth subtracting."""
_NEED_CONTROLS = "both mock and infected untreated wells are needed, the disease axis runs between them"


@dataclass
class Examined:
    """A screen's content after all checks.

    Parameters
    ----------
    sites : DataFrame or None
        The metadata, typed and sorted, of the experiments asked for; None if it could not be read.
    X : float32 array or None
        Features in the order of `sites`.
    problems : list of Problem
        Everything found, fatal ones first.
    spreads : array or None
        What features are to be divided by, 0 for one to leave out; None if they stay as they are.
    """

    sites: pl.DataFrame | None = None
    X: np.ndarray | None = None
    problems: list[Problem] = field(default_factory=list)
    spreads: np.ndarray | None = None


def check_screen(folder: str | Path) -> list[Problem]:
    """Find every problem of a screen's folder at once.

    Parameters
    ----------
    folder : str or Path
        In RxRx19a's layout or with a ``screen.yml``.

    Returns
    -------
    problems : list of Problem
        Fatal ones first, then the notes on quirks that are handled; empty if there is nothing to say.

    Raises
    ------
    UsageError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "metadata.csv").write_text("site_id,well")
    ...     problems = check_screen(folder)
    >>> print(problems[0])
    metadata.csv: has a header but no rows; download or export it again
    """
    with open_source(folder) as source:
        found = examine(source, store=False)
        # One slip is one line: what else is wrong may be the reason.
        is_sound = all(problem.level != "fatal" for problem in found.problems)
        few = _few_infected(found.sites) if is_sound and source.tables and found.sites is not None else []
        return [*few, *found.problems]


def check_design(folder: str | Path, experiments: str | list[str] = "all") -> None:
    """Refuse a screen whose metadata is wrong or lacks an experiment, in seconds: its embeddings stay closed.

    Raises
    ------
    DataError
        If a file is missing or wrong: the first problem, and how many more there are.
    UsageError
        If there is no such folder, or an experiment is not in the screen.
    """
    with open_source(folder, embeddings=False) as source:
        source.tables = []
        raise_first_fatal(examine(source, experiments=experiments, store=False).problems, folder)


def examine(source: Source, *, experiments: str | list[str] = "all", store: bool = True) -> Examined:
    """Check metadata, features and their join, and bring both into the order of sites.

    Parameters
    ----------
    source : Source
        An opened folder.
    experiments : str or list of str
        ``all``, or names with commas between them: only their features are kept in memory.
    store : bool
        False to check without keeping the features.

    Raises
    ------
    UsageError
        If an experiment is not in the screen.
    """
    problems, sites, rows = list(source.problems), None, None
    if source.metadata is not None:
        found, sites, rows = _examine_metadata(source, experiments)
        problems += found
    X = spreads = None
    if source.tables:
        if source.scale == "robust" and sites is not None and rows is not None:
            X, spreads, found = _read_scaled(source, rows, sites, store=store)
        else:
            X, found = read_features(source, rows, 0 if sites is None else sites.height, store=store)
        problems += found
    problems.sort(key=lambda problem: problem.level != "fatal")
    return Examined(sites, X, problems, spreads)


def _examine_metadata(
    source: Source, experiments: str | list[str]
) -> tuple[list[Problem], pl.DataFrame, np.ndarray]:
    """Return what is wrong with the metadata, its sites in order, and the place of each of its rows among them.

    What it makes on the way is large and goes when it returns: before features are read.
    """
    table, merged = merge_doses(typed(source))
    problems, good = check_rows(table, source)
    same = [note(table[FILE][0], "", merged)] if merged else []
    problems += same + _check_controls(good, complete=not problems)
    table, notes = _name_compounds(table, source.merge)
    problems += [note(table[FILE][0], "", text) for text in notes] + _note_quirks(good)
    chosen = _choose(table, experiments)
    sites = _sort(table.with_row_index(ROW).filter(pl.col("experiment").is_in(chosen)))
    rows = np.full(table.height, -1)
    rows[sites[ROW].to_numpy()] = np.arange(sites.height)
    return problems, sites, rows


def _read_scaled(
    source: Source, rows: np.ndarray, sites: pl.DataFrame, *, store: bool
) -> tuple[np.ndarray | None, np.ndarray | None, list[Problem]]:
    """Read features, and by what each is to be divided; of a check those of the reference alone are kept."""
    reference = reference_rows(sites)
    n_rows = sites.height
    if not store:
        n_rows, place = int(reference.sum()), np.where(reference, np.cumsum(reference) - 1, -1)
        rows = np.where(rows >= 0, place[rows], -1)
    X, problems = read_features(source, rows, n_rows, store=True)
    if X is None or not reference.any() or any(problem.level == "fatal" for problem in problems):
        return X if store else None, None, problems
    spreads = feature_spreads(X[reference] if store else X)
    return X if store else None, spreads, problems + scaling_problems(source, spreads)


def _choose(table: pl.DataFrame, experiments: str | list[str]) -> list[str]:
    """Return the experiments asked for, or say which there are."""
    known = sorted(table["experiment"].drop_nulls().unique(), key=natural_key)
    asked = experiments.split(",") if isinstance(experiments, str) else list(experiments)
    asked = [name.strip() for name in asked if name.strip()]
    if asked == ["all"]:
        return known
    if unknown := [name for name in asked if name not in known]:
        raise UsageError(
            f"experiments: {listed(unknown)} is not in this screen; allowed are all, {', '.join(known)}"
        )
    if not asked:
        raise UsageError(f"experiments is empty; allowed are all, {', '.join(known)}")
    return asked


def _sort(table: pl.DataFrame) -> pl.DataFrame:
    """Sort by experiment, plate (2 before 10), row, column and site, so that every plate is one slice."""
    rank = {
        name: pl.col(name).replace_strict(
            {v: i for i, v in enumerate(sorted(table[name].drop_nulls().unique(), key=natural_key))},
            default=None,
            return_dtype=pl.Int32,
        )
        for name in ("experiment", "plate")
    }
    return table.sort(rank["experiment"], rank["plate"], "row", "col", "site_number", ROW)


def _name_compounds(table: pl.DataFrame, merge: str) -> tuple[pl.DataFrame, list[str]]:
    """Add `name` (how a compound is shown) and `structure` (canonical SMILES)."""
    pair = ["treatment", "SMILES"]
    treated = table.filter(pl.col("treatment").is_not_null())
    spellings = treated.group_by(pair).agg(pl.col("well_id").n_unique().alias("n_wells")).sort(pair)
    given = pd.DataFrame(
        {
            "treatment": spellings["treatment"].to_list(),
            "smiles": pd.Series(spellings["SMILES"].to_list(), dtype=object),
            "n_wells": spellings["n_wells"].to_numpy(),
        }
    )
    compounds, notes = match_compounds(given, by=merge)
    text = dict.fromkeys(("treatment", "SMILES", "name", "structure"), pl.String)
    found = [[None if pd.isna(v) else v for v in compounds[c]] for c in compounds]
    named = pl.DataFrame(dict(zip(text, found, strict=True)), schema=text)
    return table.join(named, on=pair, how="left", nulls_equal=True, maintain_order="left"), notes


def _check_controls(good: pl.DataFrame, *, complete: bool) -> list[Problem]:
    """Report experiments and plates without mock or infected untreated wells.

    Where other plates of an experiment have them, these stand in, which is noted. Without all rows (`complete` false)
    nothing can be said.
    """
    if not complete or not good.height:
        return []
    is_mock = pl.col("condition") == "mock"
    is_infected = (pl.col("condition") == "infected") & pl.col("treatment").is_null()
    plates = good.group_by("experiment", "plate", maintain_order=True).agg(
        is_mock.sum().alias("mock"),
        is_infected.sum().alias("infected untreated"),
        pl.col(FILE, "plate_id").first(),
    )
    problems = []
    for (experiment,), part in plates.sort("experiment").group_by("experiment", maintain_order=True):
        for control in ("mock", "infected untreated"):
            without = sorted(part.filter(pl.col(control) == 0)["plate"], key=natural_key)
            if not without:
                continue
            ids = dict(part.select("plate", "plate_id").iter_rows())
            names = listed([ids[plate] for plate in without]).replace("'", "")
            where = f"plate{'s' if without[1:] else ''} {names}"
            if len(without) < part.height:
                message = f"no {control} well; those of the experiment's other plates stand in"
                problems.append(note(part[FILE][0], where, message))
            else:
                message = f"no {control} well; {_NEED_CONTROLS}: add the controls or leave the plate out"
                problems.append(fatal(part[FILE][0], where, message))
        kinds = part.select("mock", "infected untreated").to_numpy() > 0
        if kinds.any(axis=0).all() and not kinds.all(axis=1).any():
            message = (
                "no plate with both mock and infected untreated wells; the disease axis runs between them: add the "
                "missing controls to one plate at least"
            )
            problems.append(fatal(part[FILE][0], f"experiment {experiment}", message))
    return problems


def _few_infected(sites: pl.DataFrame) -> list[Problem]:
    """Report experiments that can be opened, but have too few infected untreated wells for any recipe but `raw`."""
    is_infected = (pl.col("condition") == "infected") & pl.col("treatment").is_null()
    counts = (
        sites.filter(is_infected)
        .group_by("experiment", maintain_order=True)
        .agg(pl.col("well_id").n_unique().alias("n"), pl.col(FILE).first())
    )
    return [
        fatal(
            row[FILE],
            f"experiment {row['experiment']}",
            f"{plural(row['n'], 'infected untreated well')} in all; at least {MIN_INFECTED} are needed to say where a "
            "plate lies: add some, or leave the experiment out",
        )
        for row in counts.filter(pl.col("n") < MIN_INFECTED).iter_rows(named=True)
    ]


def _note_quirks(good: pl.DataFrame) -> list[Problem]:
    """Note what is unusual, but can be worked with."""
    if not good.height:
        return []
    file, found = good[FILE][0], []
    sizes = good.group_by("well_id").len()["len"]
    usual = int(sizes.mode().to_numpy().max())
    if n_short := int((sizes < usual).sum()):
        found.append(f"{plural(n_short, 'well')} with fewer than the usual {plural(usual, 'site')}")
    wells = good.unique("well_id")
    counts = dict(wells.group_by("condition").len().iter_rows())
    if n_blank := counts.get("blank"):
        found.append(f"{plural(n_blank, 'well')} with an empty condition: kept out of every fit")
    if not counts.get("uv"):
        found.append("no UV well: what inactivated virus does cannot be seen")
    n_treated = int(wells["treatment"].is_not_null().sum())
    if not n_treated:
        found.append("no treated well: only controls can be looked at")
    elif not wells["dose_um"].is_not_null().any():
        found.append("no dose: a treatment is one arm, and nothing can be said about its potency")
    return [note(file, "", text) for text in found]
