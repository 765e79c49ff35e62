"""Parameters of a notebook: read from its own cell, checked strictly, merged from the command line.

A parameters cell holds one typed line a parameter, with what it means behind it or above it, nothing else::

    fdr: float = 0.05  # share of false calls that is accepted [0 < x < 1]
    # how centroids are found [robust | mean]
    axis: str = "robust"

papermill alone would take an unknown name, a wrong type or a missing cell without a word.
"""

import ast
import datetime
import io
import json
import math
import re
import sys
import tokenize
from dataclasses import dataclass
from reprlib import repr as short_repr
from typing import Any

from helpers.errors import DataError, UsageError, shorten
from helpers.publish.suggest import suggest

Value = str | int | float | bool

LONGEST = 20_000
"""Characters of a text; a kernel takes no endless ones, and a list of all plates of a screen has fewer."""

TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
# What no list or range in a cell can say.
_ALLOWED_TEXTS = {"source": "twin | rxrx19a | a folder", "results": "a folder"}

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"(?:({_NUMBER})\s*(<=?)\s*)?x(?:\s*(<=?|>=?)\s*({_NUMBER}))?")
_ALLOWED = re.compile(r"\s*\[([^\[\]]*)\]\s*$")
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell; `allowed` is empty where any value of the type will do."""

    name: str
    kind: type
    default: Value
    help: str
    allowed: str = ""

    @property
    def allowed_text(self) -> str:
        """Return what is allowed, in words where no list or range says it."""
        return self.allowed or _ALLOWED_TEXTS.get(self.name, "any")

    def check(self, value: object) -> Value:
        """Return the value in the parameter's type.

        Raises
        ------
        UsageError
            If it has another type or is not an allowed value.
        """
        result = coerce(self.name, value, self.kind)
        if self.name == "source" and result == "":
            raise UsageError("parameter 'source' must not be empty; allowed: twin, rxrx19a or a folder")
        if not _is_allowed(result, self.kind, self.allowed):
            choices = _choices(self.allowed)
            near = suggest(str(result), choices) if choices else ""
            raise UsageError(
                f"parameter '{self.name}' = {shorten(json.dumps(result), 120)} is not allowed{near}; "
                f"allowed: {self.allowed}"
            )
        return result


def coerce(name: str, value: Any, kind: type) -> Value:
    """Return `value` as `kind`, from the text of a command line or from a value of a YAML file.

    An integer is never taken from ``1.0`` or ``true``, and a float is finite: silent conversions are how a
    run gets other numbers than its author meant.

    Raises
    ------
    UsageError
        If the value is not one of this type.
    """
    result = _from_text(value.strip(), kind) if isinstance(value, str) and kind is not str else value
    if kind is float and isinstance(result, int) and not isinstance(result, bool):
        result = float(result) if abs(result) <= sys.float_info.max else math.inf
    fits = type(result) is kind
    if not fits or (kind is float and not math.isfinite(result)) or (kind is str and not _is_plain(result)):
        form = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}[kind]
        plain = ", without control characters" if isinstance(value, str) and kind is str else ""
        raise UsageError(f"parameter '{name}' must be {form} ({kind.__name__}){plain}, got {_quoted(value)}")
    if kind is str and len(result) > LONGEST:
        raise UsageError(
            f"parameter '{name}' has {len(result):,} characters; at most {LONGEST:,} are allowed: shorten the list"
        )
    return result


def _quoted(value: object) -> str:
    return str(value) if isinstance(value, datetime.date) else short_repr(value)


def _is_plain(text: str) -> bool:
    """Tell if a text can be printed and written as UTF-8: neither control characters nor halves of one character."""
    return not any(
        ord(character) < 32 or 0x7F <= ord(character) < 0xA0 or 0xD800 <= ord(character) < 0xE000
        for character in text
    )


def _from_text(text: str, kind: type) -> Any:
    if kind is bool:
        return _TRUTH.get(text.lower())
    if kind is int:
        # No seed or count has more digits, and Python refuses to read thousands of them.
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,100}", text) else None
    try:
        # Digits of other scripts look like what they are not.
        return float(text) if "_" not in text and text.isascii() else None
    except ValueError:
        return None


def _choices(allowed: str) -> list[str]:
    return [] if _RANGE.fullmatch(allowed) else [choice.strip() for choice in allowed.split("|")]


def _is_allowed(value: Value, kind: type, allowed: str) -> bool:
    if not allowed:
        return True
    match = _RANGE.fullmatch(allowed)
    if match is None:
        return value in [choice if kind is str else _from_text(choice, kind) for choice in _choices(allowed)]
    low, low_sign, sign, bound = match.groups()
    holds = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}
    above = low is None or holds[low_sign](float(low), float(value))
    return above and (bound is None or holds[sign](float(value), float(bound)))


def parse_cell(source: str) -> dict[str, Parameter]:
    """Parse the text of a parameters cell into parameters by name, in its order.

    What a comment says of a parameter stands behind it, or on lines of its own above it.
    """
    behind, alone = _comments(source)
    found: dict[str, Parameter] = {}
    for statement in ast.parse(source).body:
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        start = first
        while start - 1 in alone:
            start -= 1
        said = [alone[line] for line in range(start, first)]
        said += [behind[line] for line in range(first, last + 1) if line in behind]
        parameter = _parse_line(statement, " ".join(said))
        if parameter.name in found:
            raise DataError(f"line {statement.lineno}: '{parameter.name}' is given twice")
        found[parameter.name] = parameter
    return found


def _comments(source: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return the comments by line: those behind code, and those that have a line of their own."""
    behind: dict[int, str] = {}
    alone: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            code = token.line[: token.start[1]].strip()
            (behind if code else alone)[token.start[0]] = token.string.lstrip("#").strip()
    return behind, alone


def _parse_line(statement: ast.stmt, comment: str) -> Parameter:
    form = "name: type = default  # help [allowed]"
    where = f"line {statement.lineno}"
    if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
        raise DataError(f"{where} must read `{form}`")
    name = statement.target.id
    kind = TYPES.get(ast.unparse(statement.annotation))
    if kind is None:
        raise DataError(f"{where}: the type of '{name}' must be one of {', '.join(TYPES)}")
    default: Any  # checked below
    try:
        default = ast.literal_eval(statement.value) if statement.value else None
    except ValueError:
        default = None
    bracket = _ALLOWED.search(comment)
    allowed = bracket[1].strip() if bracket else ""
    text = comment[: bracket.start()].strip() if bracket else comment
    if not text:
        raise DataError(f"{where}: '{name}' needs a help comment, `{form}`")
    if bracket and "|" not in allowed and not _RANGE.fullmatch(allowed):
        raise DataError(f"{where}: [{allowed}] is neither [a | b] nor a range such as [0 < x <= 1]")
    parameter = Parameter(name, kind, default, text, allowed)
    try:
        parameter.check(default)
    except UsageError as error:
        raise DataError(f"{where}: the default does not fit: {error}") from None
    return parameter
