"""Tables and sentences as a page shows them."""

import hashlib

import pandas as pd

from helpers.pages.words import number, probability
from helpers.text import html, render

HEADERS = {
    "dose_um": "dose (µM)",
    "doses_um": "doses (µM)",
    "dose_at_max_um": "best dose (µM)",
    "n_wells": "wells",
    "n_plates": "plates",
    "n_doses": "doses",
    "n_compounds": "compounds",
    "n_spellings": "spellings found",
    "n_mock": "mock wells",
    "n_infected": "infected wells",
    "n_failed_controls": "failed mock and infected",
    "z_prime": "Z′",
    "z_prime_robust": "robust Z′",
    "ssmd": "SSMD",
    "auroc": "AUROC",
    "rescue_low": "rescue, low",
    "rescue_high": "rescue, high",
    "rescue_max": "rescue at best dose",
    "rescue_true": "true rescue",
    "off_disease": "off-disease (axis lengths)",
    "p_value": "p",
    "q_value": "q",
    "p_worsens": "p (worsens)",
    "q_worsens": "q (worsens)",
    "null_sd": "null SD",
    "curve_class": "class",
    "ec50_um": "EC50 (µM)",
    "ec50_low_um": "EC50, low (µM)",
    "ec50_high_um": "EC50, high (µM)",
    "ec50_censored": "bound",
    "ec50_true_um": "true EC50 (µM)",
    "hill": "Hill slope",
    "r2": "R²",
    "plate_predictability": "plate predictability",
    "experiment_predictability": "experiment predictability",
    "replicate_map": "replicate mAP",
    "control_auroc": "control AUROC",
    "uv_mock_gap": "UV to mock gap (axis lengths)",
}
"""Columns of the tables in words, with their units; scores without one are fractions of the axis."""

WRAPPED = 40
"""Text of more characters than this is broken into lines."""

CUT = 2000
"""Of longer text in a cell the end is left out; files keep it."""

NO_MATH = "tex2jax_ignore mathjax_ignore"
"""Classes of what holds no formulas: JupyterLab would take what stands between two dollar signs for one."""

PROBABILITIES = ("p_value", "q_value", "p_worsens", "q_worsens")


def say(text: str):
    """Return computed sentences for display, None where there is nothing to say: an empty one would show its type.

    They are read here and not by the builder of the book, whose Markdown knows roles, links, formulas and HTML: nothing
    that a name brings along can become one of these (see :func:`helpers.text.render`).

    Parameters
    ----------
    text : str
        Paragraphs, lists, emphasis and code, as Markdown writes them; names in it went through `words.name_code`.
    """
    from IPython.display import HTML

    return HTML(f'<div class="said {NO_MATH}">{render(text)}</div>') if text.strip() else None


def show_table(table: pd.DataFrame, rows: int = 10, *, columns: list[str] | None = None):
    """Return the first rows of a table, ready to be displayed.

    Parameters
    ----------
    table : DataFrame
        Any table of the analyses.
    rows : int
        Show at most so many; a caption says how many there are, also where there are none.
    columns : list of str, optional
        Which columns, in this order; all by default, missing ones are left out.

    Returns
    -------
    pandas Styler
        Headers in words with units, numbers to three digits, the same HTML for the same table.
    """
    chosen = table[[c for c in columns if c in table]] if columns else table
    shown = chosen.head(rows).copy().reset_index(drop=True)
    formats = {c: _format_of(shown[c]) for c in shown}
    shown.columns = pd.Index(_distinct([heading(c) for c in shown]))
    formats = dict(zip(shown, formats.values(), strict=True))
    styler = shown.style.hide(axis="index").format(formats, na_rep="–")
    styler = styler.format_index(html, axis="columns").set_table_attributes(f'class="{NO_MATH}"')
    if prose := [c for c in shown if any(isinstance(v, str) and len(v) > WRAPPED for v in shown[c])]:
        styler = styler.set_properties(subset=prose, **{"white-space": "normal", "min-width": "15em"})
    if len(chosen) > rows or not len(chosen):
        styler = styler.set_caption(f"The first {rows} of {len(chosen):,} rows" if len(chosen) else "No rows")
    return styler.set_uuid(_name_of(shown))


def heading(column: object) -> str:
    """Return the heading of a column in words; a name that is not one of ours (of a user's column) as it is."""
    name = str(column)
    return HEADERS.get(name, name.replace("_", " "))


def _distinct(headings: list[str]) -> list[str]:
    """Return headings none of which is there twice: a table goes by them."""
    seen: dict[str, int] = {}
    for text in headings:
        seen[text] = seen.get(text, 0) + 1
    return [f"{text} ({i})" if seen[text] > 1 else text for i, text in enumerate(headings, start=1)]


def _name_of(shown: pd.DataFrame) -> str:
    """Return a name that differs between tables: a page's styles go by it, and reach every table of that name."""
    return hashlib.sha256(shown.to_json(orient="split", default_handler=str).encode()).hexdigest()[:10]


def _format_of(column: pd.Series):
    """Return how the values of a column are written."""
    if pd.api.types.is_bool_dtype(column):
        return lambda value: "yes" if value else "no"
    if pd.api.types.is_integer_dtype(column):
        return "{:,}"
    if column.name in PROBABILITIES:
        return probability
    if pd.api.types.is_float_dtype(column):
        return number
    return lambda value: ", ".join(number(v) for v in value) if isinstance(value, tuple) else html(value, CUT)
