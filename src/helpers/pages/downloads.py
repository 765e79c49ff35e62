"""Links that save a table of the page: it is part of the page, so no network is needed."""

import base64
import html
import io

import pandas as pd

from helpers.pages.words import count


def show_downloads(table: pd.DataFrame, name: str) -> None:
    """Display links that save a whole table as CSV and as Parquet.

    Parameters
    ----------
    table : DataFrame
        Any table without an index worth keeping.
    name : str
        File name without suffix.
    """
    from IPython.display import HTML, display

    display(HTML(downloads_html(table, name)))


def downloads_html(table: pd.DataFrame, name: str) -> str:
    """Return a line with two links that hold the table themselves."""
    parquet = io.BytesIO()
    table.to_parquet(parquet, index=False)
    files = {
        "csv": ("text/csv", table.to_csv(index=False).encode("utf-8")),
        "parquet": ("application/vnd.apache.parquet", parquet.getvalue()),
    }
    links = [_link(f"{name}.{suffix}", kind, content) for suffix, (kind, content) in files.items()]
    return f"<p>All {count(len(table), 'row')} and {count(table.shape[1], 'column')} to save: {' · '.join(links)}</p>"


def _link(name: str, kind: str, content: bytes) -> str:
    data = base64.b64encode(content).decode("ascii")
    size = f"{len(content) / 1000:,.0f} kB" if len(content) >= 1000 else f"{len(content)} bytes"
    name = html.escape(name, quote=True)
    return f'<a download="{name}" href="data:{kind};base64,{data}">{name}</a> ({size})'
