"""Tables and figures as files of a run: whole or not at all, and equal bytes for equal content."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from helpers.files import atomic_path

if TYPE_CHECKING:
    import anndata as ad
    from IPython.display import Image
    from matplotlib.figure import Figure

WELL_COLUMNS = (
    "experiment", "plate", "well", "row", "col", "condition", "treatment", "dose_um", "n_sites", "qc_flag",
    "on_disease", "off_disease", "rescue",
)  # fmt: skip
"""Columns of wells.parquet that every screen's table has."""


def write_table(table: pd.DataFrame, name: str, results: str | Path = "") -> Path:
    """Write a table into ``tables/`` of the folder of results, whole or not at all.

    Parameters
    ----------
    table : DataFrame
        Its index is left out.
    name : str
        File name; its suffix chooses CSV or Parquet.
    results : str or Path
        The folder; empty: one that lasts as long as this process.

    Returns
    -------
    Path
        Of the file.
    """
    path = results_folder(results) / "tables" / name
    with atomic_path(path) as temporary:
        if path.suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False)
    return path


def save_figure(figure: "Figure", name: str, results: str | Path = "") -> "Image":
    """Write a figure into ``figures/`` of the folder of results as PNG and SVG, without the time of day.

    Both have the figure's own resolution, which pictures and clouds of points keep low. Returned, for display, is the
    PNG that was written: large figures take seconds to draw, and so they are drawn once, and the file is what the page
    shows. The figure is closed.

    Parameters
    ----------
    figure : matplotlib Figure
        Any.
    name : str
        File name without suffix.
    results : str or Path
        As in :func:`helpers.study.write_table`.

    Returns
    -------
    Image
        The PNG, for display.
    """
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from IPython.display import Image

    path = results_folder(results) / "figures" / name
    with mpl.rc_context({"svg.hashsalt": name}):
        for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
            with atomic_path(path.with_suffix(suffix)) as temporary:
                figure.savefig(temporary, dpi=figure.dpi, metadata=metadata, bbox_inches="tight")
    plt.close(figure)
    return Image(data=path.with_suffix(".png").read_bytes())


def results_folder(results: str | Path = "") -> Path:
    """Return the folder of results; for an empty name one that lasts as long as this process."""
    return Path(results) if str(results) else _scratch()


@functools.cache
def _scratch() -> Path:
    folder = tempfile.mkdtemp(prefix="rxrx19-results-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def wells_table(scored: "ad.AnnData") -> pd.DataFrame:
    """Return the table wells.parquet: one row per well, its scores, where the screen has them, and all it has.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.

    Returns
    -------
    DataFrame
        well_id, the columns of :data:`helpers.study.outputs.WELL_COLUMNS` (missing where the screen lacks them), then
        all others of `obs`.
    """
    obs = scored.obs
    table = obs.reindex(columns=[*WELL_COLUMNS, *[c for c in obs.columns if c not in WELL_COLUMNS]])
    return table.reset_index(names="well_id") if "well_id" not in table else table.reset_index(drop=True)
