"""The book: run the notebooks, put them between its pages, build the site, and accept it only if it is whole."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import DataError, UsageError
from helpers.publish.notebooks import select_notebooks, tags, write_notebook
from helpers.publish.parameters import Value
from helpers.publish.run.folders import check_writable
from helpers.publish.run.jobs import run_notebooks
from helpers.publish.run.kernel import quiet_environment
from helpers.publish.run.provenance import read_record
from helpers.publish.site.api import write_reference
from helpers.publish.site.check import check_site
from helpers.publish.site.current import is_current, record_site, site_mark
from helpers.publish.site.policy import set_policy
from helpers.publish.site.status import write_pages
from helpers.study.banner import banner_html

if TYPE_CHECKING:
    from nbformat import NotebookNode

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# A warning of Sphinx, or a link that does not answer.
_PROBLEM = re.compile(r"\b(?:WARNING|ERROR|CRITICAL):|\) broken\s")
# What Python prints of an object that has nothing better to show; its address was taken out.
_TYPE = re.compile(r"<[\w.]+( object|>)")


def build_book(
    root: Path,
    values: Mapping[str, Mapping[str, Value]],
    *,
    run: Path | None = None,
    site: Path | None = None,
    jobs: int = 2,
    say: Callable[[str], None] = lambda _: None,
    builder: str = "html",
) -> Path:
    """Run all notebooks and build the site from them and the pages in ``book/``.

    The sources are copied first, so that a build neither writes into the project's folders nor meets another
    build there. The finished site takes its place only if there was no cell error, no warning, no missing page,
    no dead inner link and nothing that a page would load from elsewhere. What an earlier build made
    of the same sources is not made again.

    Parameters
    ----------
    root : Path
        Folder with ``notebooks``, ``book`` and ``_config.yml``.
    values : mapping
        Checked parameters by notebook.
    run, site : Path, optional
        Folder of the run (``build/book-run``) and of the site (``_build/html``).
    jobs : int
        Notebooks at a time.
    say : callable
        Takes one line a finished notebook.
    builder : str
        ``html``, or ``linkcheck`` to ask other sites whether the book's links still answer.

    Raises
    ------
    DataError
        If anything of this fails; the message holds the first problem and the log's path.
    UsageError
        If a folder cannot be written, or the folder of the site holds something else.
    """
    run = (run or root / "build" / "book-run").resolve()
    site = (site or root / "_build" / "html").resolve()
    _refuse_other_files(site)
    notebooks = select_notebooks([], root / "notebooks")
    run_notebooks(notebooks, values, run, jobs=jobs, say=say, root=root, reuse=True)
    mark = site_mark(root, run)
    if builder == "html" and is_current(site, mark):
        return site
    with _copy_of_sources(root) as copy:
        log = root / "build" / "book.log"
        log.unlink(missing_ok=True)
        _accept(_add_run(copy, run, root), log)
        _build(copy, builder, log)
        if builder == "html":
            built = copy / "_build" / "html"
            set_policy(built)
            _accept(check_site(built, toc_pages(copy / "book")), log)
            record_site(built, mark)
            replace_folder(built, site)
    return site


def _refuse_other_files(site: Path) -> None:
    """Refuse to replace a folder that holds no site of this builder."""
    check_writable(site, "choose another folder with --site")
    if site.is_dir() and any(site.iterdir()) and not (site / "objects.inv").is_file():
        raise UsageError(
            f"{site} holds something else than a built site: choose a new or empty folder with --site"
        )


@contextlib.contextmanager
def _copy_of_sources(root: Path) -> Iterator[Path]:
    (root / "build").mkdir(exist_ok=True)
    copy = Path(tempfile.mkdtemp(prefix="book-", dir=root / "build"))
    try:
        ignored = shutil.ignore_patterns("_build", "notebooks", "generated", ".*")
        shutil.copytree(root / "book", copy / "book", ignore=ignored)
        shutil.copy(root / "_config.yml", copy)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _add_run(copy: Path, run: Path, root: Path) -> list[str]:
    """Add what comes from the run: executed notebooks, generated pages, the banner on every page.

    Returns the flaws of the executed cells.
    """
    import nbformat
    import yaml

    record = read_record(run)
    flaws = []
    for entry in record["notebooks"].values():
        text = (run / entry["file"]).read_text(encoding="utf-8")
        # Where the builder keeps the project says nothing to a reader.
        node = nbformat.reads(text.replace(json.dumps(f"{root}/")[1:-1], ""), as_version=4)
        flaws += cell_flaws(node, entry["file"])
        for cell in node.cells:
            if "solution" in tags(cell):
                cell.metadata["tags"] = [*tags(cell), "hide-cell"]
        write_notebook(node, copy / "book" / entry["file"])
    write_pages(record, copy / "book" / "generated")
    write_reference(copy / "book" / "generated" / "api", root)
    config = yaml.safe_load((copy / "_config.yml").read_text(encoding="utf-8"))
    source = record["source"]
    if isinstance(source, dict):
        config.setdefault("html", {})["announcement"] = banner_html(source)
    (copy / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return flaws


def cell_flaws(node: "NotebookNode", name: str) -> list[str]:
    """Return what of executed cells is not for readers.

    That is errors, what was written to stderr (a warning that nobody dealt with), and objects that show nothing but
    their type.
    """
    flaws = []
    for cell in node.cells:
        for output in cell.get("outputs", []):
            where = f"{name}, cell {cell.execution_count}"
            if output.output_type == "error":
                flaws.append(f"{where}: {output.ename}: {output.evalue}")
            elif output.output_type == "stream" and output.name == "stderr" and output.text.strip():
                flaws.append(f"{where} warns: {output.text.strip().splitlines()[0]}")
            elif set(data := output.get("data", {})) == {"text/plain"} and _TYPE.match(data["text/plain"]):
                flaws.append(f"{where} shows {data['text/plain']}")
    return flaws


def _build(copy: Path, builder: str, log: Path) -> None:
    """Run jupyter-book; any warning is an error, and all of them are reported, not only the first."""
    main = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    # --all: unchanged pages would not repeat their warnings.
    options = ["build", "book", "-W", "-n", "--keep-going", "--all"]
    command = [sys.executable, "-c", main, *options]
    command += [] if builder == "html" else ["--builder", builder]
    with log.open("w", encoding="utf-8") as file:
        ended = subprocess.run(
            command,
            cwd=copy,
            env=quiet_environment(copy),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    text = _COLOUR.sub("", log.read_text(encoding="utf-8", errors="replace")).replace(f"{copy}/", "")
    log.write_text(text, encoding="utf-8")
    problems = [line for line in text.splitlines() if _PROBLEM.search(line)]
    if ended.returncode and not problems:
        last = [line for line in text.splitlines() if line.strip()][-1:]
        problems = last or ["jupyter-book failed without a word"]
    _accept(problems, log)


def _accept(problems: list[str], log: Path) -> None:
    if not problems:
        return
    with log.open("a", encoding="utf-8") as file:
        file.write("\nProblems:\n" + "\n".join(problems) + "\n")
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    raise DataError(f"the book was not built: {problems[0].strip()}{more}; all are in {log}")


def toc_pages(book: Path) -> list[str]:
    """Return the pages that the table of contents names, without suffix, in order."""
    import yaml

    def walk(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (value for key, value in node.items() if key in ("root", "file"))
            for value in node.values():
                yield from walk(value)
        elif isinstance(node, list):
            for item in node:
                yield from walk(item)

    return list(walk(yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8"))))


def replace_folder(new: Path, old: Path) -> None:
    """Put a finished folder where an older one stood; the old one is gone only when the new one is there."""
    old.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{old.name}-", dir=old.parent))
    try:
        shutil.move(new, aside / "new")
        if old.exists():
            old.replace(aside / "old")
        (aside / "new").replace(old)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
