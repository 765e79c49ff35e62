"""Links that save a table of the page: it is part of the page, so no network is needed."""

import base64
import io

import pandas as pd

from helpers.pages.words import count
from helpers.text import html

SPREADSHEET = (
    ". Some names begin as formulas do (with = + - or @): import the columns of text into a spreadsheet "
    "as text"
)


def show_downloads(table: pd.DataFrame, name: str) -> None:
    """Display links that save a whole table as CSV and as Parquet, with a word on opening them in a spreadsheet.

    The files hold every name as it is, so that they can be joined with other tables of the same screen. A spreadsheet
    takes a name that begins with ``=``, ``+``, ``-`` or ``@`` for a formula unless it is told that the column is text.

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
    size = f"{count(len(table), 'row')} and {count(table.shape[1], 'column')}"
    warning = SPREADSHEET if _like_formulas(table) else ""
    return f"<p>All {size} to save: {' · '.join(links)}{warning}</p>"


def _like_formulas(table: pd.DataFrame) -> bool:
    """Return whether a spreadsheet would take some text of a table for a formula."""
    texts = [
        table[name].dropna().astype(str) for name in table if not pd.api.types.is_numeric_dtype(table[name])
    ]
    return any(column.str.match(r"\s*[=+@-]").any() for column in texts)


def _link(name: str, kind: str, content: bytes) -> str:
    data = base64.b64encode(content).decode("ascii")
    size = f"{len(content) / 1000:,.0f} kB" if len(content) >= 1000 else f"{len(content)} bytes"
    name = html(name)
    return f'<a download="{name}" href="data:{kind};base64,{data}">{name}</a> ({size})'
