"""A table that readers can search and sort without a network, and a plain one under it for those without script."""

import functools
import json
import re

import pandas as pd

from helpers.pages.show import CUT, NO_MATH
from helpers.pages.words import number
from helpers.text import html, visible

ARGUMENTS = "let dt_args = "
"""What stands before the arguments of a table in its script."""

_NAME = re.compile(r"\ball-[a-z-]+?(?=_fallback|\b(?![-\w]))")

ROWS = 10
"""Rows on a page of the searchable table."""


# Dark themes put such an output on white and leave its letters light.
STYLE = """<style>.search-table {background: #fff; padding: 0.5em}
.search-table, .search-table * {color: #1f2328 !important}</style>"""


def show_search(table: pd.DataFrame, what: str = "rows", *, pictures: pd.Series | None = None) -> None:
    """Display a table to search and sort, then the same table as plain HTML, folded away.

    The script is stored in the page (about 1 MB), so nothing is fetched when it opens.

    Parameters
    ----------
    table : DataFrame
        At least one column.
    what : str
        What its rows are, for the line that unfolds the plain table.
    pictures : Series of str, optional
        An SVG for each row, shown beside the first column; the plain table goes without.
    """
    from IPython.display import HTML, display

    if table.empty:
        display(HTML(f"<p>This screen has no {html(what)} to list.</p>"))
        return
    display(HTML(searchable_html(table, what, pictures)))
    display(HTML(plain_html(table, what)))


def searchable_html(table: pd.DataFrame, what: str, pictures: pd.Series | None = None) -> str:
    """Return the searchable table with all the script it needs."""
    import itables
    from itables.javascript import generate_init_offline_itables_html

    script = generate_init_offline_itables_html(itables.options.dt_bundle)
    # Its note for readers without script speaks of notebooks; here the plain table speaks for itself.
    script = re.sub(r"(?s)<div[^>]*>\s*<noscript>.*?</noscript>\s*</div>", "", script)
    shown = _readable(table)
    shown = shown if pictures is None else _with_pictures(shown, pictures)
    with pd.option_context("display.float_format", number):
        body = _datatable(shown, what, pictures is not None)
    return f'{script}{STYLE}<div class="search-table {NO_MATH}">{body}</div>'


def _with_pictures(table: pd.DataFrame, pictures: pd.Series) -> pd.DataFrame:
    """Return the table with a second column of SVG, and its own text and headings safe to be read as HTML."""
    shown = table.copy()
    for name in shown.columns[~shown.dtypes.map(pd.api.types.is_numeric_dtype)]:
        shown[name] = shown[name].map(lambda value: "" if pd.isna(value) else html(value, CUT))
    shown.columns = [html(name) for name in shown]
    shown.insert(1, pictures.name, pictures)
    return shown


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with all signs of its text to be seen."""
    shown = table.copy()
    for name in shown.columns[~shown.dtypes.map(pd.api.types.is_numeric_dtype)]:
        values = shown[name].astype(object)
        shown[name] = values.map(lambda value: value if pd.isna(value) else visible(value, CUT))
    return shown.rename(columns=visible)


def _datatable(table: pd.DataFrame, what: str, allow_html: bool) -> str:
    import itables

    page = itables.to_html_datatable(
        table,
        connected=False,
        table_id=f"all-{what.replace(' ', '-')}",
        showIndex=False,
        pageLength=ROWS,
        lengthMenu=[ROWS, 50, 200],
        maxBytes=0,
        scrollX=True,
        display_logo_when_loading=False,
        allow_html=allow_html,
    )
    # what is missing looks as it does in all other tables; it is sorted by the second of each pair
    page = page.replace(r"[\"NaN\", \"___NaN___", r"[\"–\", \"___NaN___").replace(">NaN</td>", ">–</td>")
    return _without_code(page)


def _without_code(page: str) -> str:
    """Return a table whose arguments are data alone: itables has a function in them, and a page evaluates none."""
    before, arguments, after = split_arguments(page)
    for column in arguments.get("columnDefs", ()):
        if isinstance(column.get("render"), str):  # of a pair the first is shown, the second sorted by
            column["render"] = {"_": "0", "sort": "1", "type": "1"}
    arguments.pop("keys_to_be_evaluated", None)
    return before + json.dumps(arguments, ensure_ascii=False).replace("<", "\\u003c") + after


def split_arguments(script: str) -> tuple[str, dict, str]:
    """Return what stands before the arguments of a table's script, the arguments, and what stands after them.

    Raises
    ------
    ValueError
        If there are none, or if they are anything but data.
    """
    start = script.index(ARGUMENTS) + len(ARGUMENTS)
    arguments, length = json.JSONDecoder().raw_decode(script[start:])
    return script[:start], arguments, script[start + length :]


def is_table_script(script: str) -> bool:
    """Return whether a script is one of those that `show_search` writes: the same but for a table's name and data."""
    return _skeleton(script) in _own_scripts()


def _skeleton(script: str) -> str:
    """Return a script without the name of its table and its data; as it is where it has none."""
    try:
        before, _, after = split_arguments(script)
    except ValueError:
        return _NAME.sub("all-rows", script)
    return _NAME.sub("all-rows", f"{before}{{}}{after}")


@functools.cache
def _own_scripts() -> frozenset[str]:
    page = searchable_html(pd.DataFrame({"a": [1.0]}), "rows")
    return frozenset(_skeleton(script) for script in re.findall(r"(?s)<script[^>]*>(.*?)</script>", page))


def plain_html(table: pd.DataFrame, what: str) -> str:
    """Return the whole table as HTML without script, behind a line that unfolds it."""
    shown = _readable(table)
    for name in shown.columns[shown.dtypes.map(pd.api.types.is_float_dtype)]:
        shown[name] = shown[name].map(number)
    # pandas would break long names off
    with pd.option_context("display.max_colwidth", None):
        body = shown.to_html(index=False, border=0, na_rep="–", justify="left", classes=NO_MATH)
    line = f"All {len(table):,} {html(what)} as a plain table, for readers without script"
    return f"<details><summary>{line}</summary><div style='overflow-x:auto'>{body}</div></details>"
