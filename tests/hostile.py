"""Calls, parameters and lists with one slip each, and the page of the book that shows what every one is told.

`make messages` writes the page anew, from the table here, that of broken screens and that of mistakes in `screen.yml`.
"""

import contextlib
import functools
import io
import os
import re
import tempfile
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from helpers.cli import main
from helpers.errors import LONGEST_LINE
from helpers.publish import notebooks
from helpers.publish.run import preflight
from helpers.publish.site.status import table
from helpers.text import code
from screens import broken
from screens.broken import BROKEN, write_screen

PAGE = Path(__file__).resolve().parents[1] / "book" / "messages.md"
HEADER = """<!-- Written by `make messages` from the tests; change those, not this page. -->

# What is said of broken input

Whatever is wrong with a call, a file or a folder, the answer is one line: what is wrong, where, what is allowed and
what to do next. Nothing is computed before these checks, no file is changed, and the exit code is 1 if the data are
wrong and 2 if the call is. This page lists {n} broken inputs and what each is told, as the tests see it;
`rxrx19 data check` lists all problems of a screen at once.
"""
ROW = ("input", "what is said")
SCREENS = "A screen: "
MAPPING = "A screen.yml"


def _nothing(_: Path) -> None:
    """Make no file."""


@dataclass(frozen=True)
class Hostile:
    """One slip outside of a screen: the group it is shown in, its name, the call, and the file that the call names."""

    group: str
    name: str
    call: tuple[str, ...]
    make: Callable[[Path], object] = _nothing


def _text(content: str | bytes) -> Callable[[Path], object]:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return lambda path: path.write_bytes(data)


def _call(name: str, call: str) -> Hostile:
    return Hostile("The call", name, tuple(call.split()))


def _value(name: str, pair: str) -> Hostile:
    return Hostile("Values of parameters", name, ("run", "hit_calling", "-p", pair))


def _file(name: str, content: str | bytes | Callable[[Path], object]) -> Hostile:
    make = content if callable(content) else _text(content)
    return Hostile("A file of parameters (`-f`)", name, ("run", "hit_calling", "-f", "params.yml"), make)


def _list(kind: str, name: str, content: str | bytes | Callable[[Path], object]) -> Hostile:
    group, file = {
        "classes": ("A list of classes", "classes.csv"),
        "published": ("Published scores", "published.csv"),
    }[kind]
    make = content if callable(content) else _text(content)
    return Hostile(group, name, ("run", "hit_calling", "-p", f"{kind}={file}"), make)


def _huge(path: Path) -> None:
    """Make a file of many bytes that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(1 << 40)


PUBLISHED = "assay,molecule_chembl_id,name,smiles,score\n"
HOSTILE = [
    _call("an unknown command", "rnu"),
    _call("an unknown notebook", "run hit_caling"),
    _call("an unknown option", "run --ot x"),
    _call("a number of another script", "run --jobs ٣"),
    _call("far too many jobs", "run --jobs 99999999999"),
    _call("a seed that generators do not take", "data make twin x --seed 18446744073709551616"),
    _call("a folder that is not there", "data check no/such/folder"),
    _call("a scale that is not there", "data make twin x --scale tinny"),
    _value("an unknown name", "fdrr=0.1"),
    _value("no value", "fdr"),
    _value("text for a number", "fdr=high"),
    _value("not a number", "fdr=nan"),
    _value("an endless number", "fdr=inf"),
    _value("a share above 1", "fdr=1.5"),
    _value("digits of another script", "fdr=٠.٥"),
    _value("a fraction for a whole number", "seed=1.5"),
    _value("a negative seed", "seed=-1"),
    _value("a seed beyond 32 bits", "seed=4294967296"),
    _value("a seed of 5,000 digits", "seed=" + "9" * 5000),
    _value("a control character", "results=a\x07b"),
    _value("a half of a character", "results=a\ud800b"),
    _value("an endless list", "experiments=" + "HRCE-1," * 9000),
    _value("a choice that is not there", "recipe=tvm"),
    _file("not there", _nothing),
    _file("a folder", lambda path: path.mkdir()),
    _file("a pipe", lambda path: os.mkfifo(path)),
    _file("a device", lambda path: path.symlink_to("/dev/zero")),
    _file("links in a circle", lambda path: path.symlink_to(path)),
    _file("a terabyte", _huge),
    _file("random bytes", bytes(range(200, 256)) * 9),
    _file("a NUL", "fdr: 0.1\nseed: \0\n"),
    _file("a control character", "fdr: 0.1\nseed: \x07\n"),
    _file("a list", "- fdr\n- seed\n"),
    _file("a single number", "0.05\n"),
    _file("a name that is no text", "fdr: 0.1\n7: 2\n"),
    _file("a key given twice", "fdr: 0.1\nseed: 1\nfdr: 0.2\n"),
    _file("aliases that multiply", "a: &a [1, 1, 1]\nb: &b [*a, *a, *a]\nfdr: *b\n"),
    _file("an alias of itself", "fdr: &a [*a]\n"),
    _file("a thousand levels", "fdr: " + "[" * 5000),
    _file("an object", "fdr: !!python/object:os.system x\n"),
    _file("a number of 5,000 digits", "seed: " + "9" * 5000),
    _file("a 13th month", "seed: 2024-13-45\n"),
    _file("a date for a number", "seed: 2024-12-24\n"),
    _file("an open bracket", "fdr: [0.1\n"),
    _file("two documents", "fdr: 0.1\n---\nfdr: 0.2\n"),
    _file("a section of no notebook", "hit_caling:\n  fdr: 0.1\n"),
    _file("a half of a character", 'results: "\\ud800"\n'),
    *(
        _list(kind, name, content)
        for kind in ("classes", "published")
        for name, content in (
            ("not there", _nothing),
            ("a folder", lambda path: path.mkdir()),
            ("a pipe", lambda path: os.mkfifo(path)),
            ("a device", lambda path: path.symlink_to("/dev/zero")),
            ("a terabyte", _huge),
            ("empty", ""),
            ("not UTF-8", b"treatment,class\nb\xe4,x\n"),
            ("a NUL", "treatment,class\na,\0\n"),
            ("other columns", "name,group\na,b\n"),
        )
    ),
    _list("classes", "a header alone", "treatment,class\n"),
    _list("classes", "an empty cell", "treatment,class\na,x\nb,\n"),
    _list("classes", "too many cells", "treatment,class\na,x,y\n"),
    _list("classes", "an open quote", 'treatment,class\n"a,x\n'),
    _list("classes", "two columns of classes", "treatment,class,Class\na,x,y\n"),
    _list("published", "no score of the two assays", f"{PUBLISHED}CHEMBL1,CHEMBL2,a,CCO,1\n"),
    _list("published", "text for a score", f"{PUBLISHED}CHEMBL4303810,CHEMBL2,a,CCO,high\n"),
    _list("published", "neither id nor structure", f"{PUBLISHED}CHEMBL4303810,,a,,1\n"),
    _list("published", "a structure that cannot be read", f"{PUBLISHED}CHEMBL4303810,,a,C(,1\n"),
    _list("published", "a structure of 100,000 atoms", f"{PUBLISHED}CHEMBL4303810,,a,{'C' * 100_000},1\n"),
]


@contextlib.contextmanager
def working_folder() -> Iterator[Path]:
    """Yield a new folder to call the command in."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            yield Path(name).resolve()
        finally:
            os.chdir(before)


def answer(hostile: Hostile) -> str:
    """Return what the command says of one slip; it must refuse before it computes."""
    file = hostile.call[-1].rpartition("=")[2]
    said = io.StringIO()
    with working_folder() as folder, contextlib.redirect_stderr(said):
        hostile.make(folder / file)
        assert main(list(hostile.call)) in (1, 2)
    assert not re.search("unexpected [A-Z]", said.getvalue()), (hostile.name, said.getvalue())
    return (
        said.getvalue().strip().removeprefix("rxrx19: ").replace(f"{folder}/", "").replace(str(folder), ".")
    )


def answer_of_screen(folder: Path) -> str:
    """Return the first fatal line that `data check` says of a screen."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        main(["data", "check", str(folder)])
    fatal = [line for line in said.getvalue().splitlines() if line.startswith("fatal: ")]
    return fatal[0].removeprefix("fatal: ").replace(str(folder), folder.name)


def groups() -> dict[str, str]:
    """Return the group of every broken screen: the comment that stands above it in the table."""
    names = {item.name for item in BROKEN}
    group, found = "files", {}
    with Path(broken.__file__).open(encoding="utf-8") as file:
        inside = False
        for token in tokenize.generate_tokens(file.readline):
            inside = inside or token.line.startswith("BROKEN")
            if inside and token.type == tokenize.COMMENT and token.start[1] == 4:
                group = token.string.lstrip("# ").rstrip(".")
            if inside and token.type == tokenize.STRING and token.string.strip("\"'") in names:
                found.setdefault(token.string.strip("\"'"), group)
    last = ""
    for item in BROKEN:  # a name that is put together belongs to what stands before it
        last = found.setdefault(item.name, last)
    return found


def outside_rows() -> list[tuple[str, str, str]]:
    """Return group, input and answer of all that is no screen; a second or two."""
    from screens.test_mapping import MISTAKES, mapping, write

    with (
        # Each notebook is read once; what is accepted by mistake must not be run.
        mock.patch.object(notebooks, "read_parameters", functools.cache(notebooks.read_parameters)),
        mock.patch.object(preflight, "resolve_source", side_effect=AssertionError),
    ):
        rows = [(item.group, item.name, answer(item)) for item in HOSTILE]
    for name, (edit, _) in MISTAKES.items():
        with working_folder() as folder:
            given = write(folder / "screen", edit(mapping()))
            rows.append((MAPPING, name.replace("_", " "), answer_of_screen(given)))
    return rows


def screen_rows() -> list[tuple[str, str, str]]:
    """Return group, input and answer of every broken screen."""
    of, rows = groups(), []
    for item in BROKEN:
        with working_folder() as folder:
            screen = write_screen(folder / "screen")
            item.do(screen)
            rows.append((*screen_label(item.name, of), answer_of_screen(screen)))
    return rows


def screen_label(name: str, of: dict[str, str]) -> tuple[str, str]:
    """Return the group and the input that a broken screen is shown under."""
    return SCREENS + of[name][:1].lower() + of[name][1:], name.replace("_", " ")


def page(rows: list[tuple[str, str, str]]) -> str:
    """Return the page."""
    parts = [HEADER.format(n=len(rows))]
    for group in dict.fromkeys(row[0] for row in rows):
        lines = [(name, code(said, LONGEST_LINE)) for other, name, said in rows if other == group]
        parts.append(f"## {group}\n\n{table(ROW, lines)}\n")
    return "\n".join(parts)


def shown_rows() -> list[tuple[str, str, str]]:
    """Return group, input and answer as they stand on the page of the book."""
    group, rows = "", []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            group = line[3:]
        elif (match := re.fullmatch(r"\| (.*?) \| (`.*`|-) \|", line)) and group:
            said = match[2].replace("\\|", "|").strip("`").strip()
            rows.append((group, match[1], said))
    return rows


def without_library_words(said: str) -> str:
    """Return an answer without what is in brackets: there other libraries speak, in other words in other versions."""
    return re.sub(r"\([^()]*\)", "()", said).strip("` ")


if __name__ == "__main__":
    PAGE.write_text(page([*outside_rows(), *screen_rows()]), encoding="utf-8")
    print(f"{PAGE} has {len(shown_rows())} rows")
