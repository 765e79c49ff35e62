"""Tables and figures as files of a run: whole or not at all, and equal bytes for equal content."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from helpers.files import atomic_path

if TYPE_CHECKING:
    from IPython.display import Image
    from matplotlib.figure import Figure


def write_table(folder: Path, table: pd.DataFrame, name: str) -> Path:
    """Write a table into `tables/` of a folder; the suffix of `name` chooses CSV or Parquet."""
    path = folder / "tables" / name
    with atomic_path(path) as temporary:
        if path.suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False)
    return path


def save_figure(folder: Path, figure: "Figure", name: str) -> "Image":
    """Write a figure into `figures/` of a folder as PNG and SVG, without the time of day.

    Both have the figure's own resolution, which pictures and clouds of points keep low. Returned, for display, is the
    PNG that was written: large figures take seconds to draw, and so they are drawn once, and the file is what the page
    shows. The figure is closed.
    """
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from IPython.display import Image

    path = folder / "figures" / name
    with mpl.rc_context({"svg.hashsalt": name}):
        for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
            with atomic_path(path.with_suffix(suffix)) as temporary:
                figure.savefig(temporary, dpi=figure.dpi, metadata=metadata, bbox_inches="tight")
    plt.close(figure)
    return Image(data=path.with_suffix(".png").read_bytes())
