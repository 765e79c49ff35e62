"""The command `rxrx19`. Exit codes: 0 done, 1 the data or the analysis cannot go on, 2 the call is wrong."""

import argparse
import contextlib
import errno
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from helpers.errors import DataError, UsageError, explain_system_error, shorten, system_advice
from helpers.publish.arguments import Parser, jobs_number, refuse_unknown, seed_number

# Everything heavier is imported by the command that needs it, so that --help answers at once.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    if sys.platform == "win32":
        _complain("Windows is not supported; use the Windows Subsystem for Linux (WSL)")
        return 2
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in arguments
    for stream in (sys.stdout, sys.stderr):
        # A name in another encoding must not end what prints it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _stoppable(), warnings.catch_warnings():
            # polars says it beside our own line on the same file.
            warnings.filterwarnings("ignore", "CSV malformed")
            options, unknown = build_parser().parse_known_args(arguments)
            refuse_unknown(unknown, options.parser)
            from helpers.publish.limits import check_limits  # on Windows there are none

            check_limits(options.parser.prog.split()[1])
            return options.command(options)
    except KeyboardInterrupt as error:
        _complain("interrupted")
        return 128 + (error.args[0] if error.args else signal.SIGINT)
    except BrokenPipeError:
        # The reader of a pipe had enough; Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        return _explain(error)


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Let a request to end, or the terminal going away, take the way of Ctrl-C, which cleans up."""

    def stop(number: int, _: object) -> NoReturn:
        # Once is enough: a second one must not break off the cleaning up.
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    in_main = threading.current_thread() is threading.main_thread()
    # One that is ignored, as under nohup, stays ignored.
    changed = [number for number in wanted if in_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def _explain(error: Exception) -> int:
    match error:
        case UsageError():
            _complain(str(error))
            return 2
        case DataError():
            _complain(str(error))
        case OSError():
            _complain(explain_system_error(error))
        case MemoryError():
            _complain(f"not done: {system_advice(OSError(errno.ENOMEM, ''))}")
        case _:
            _complain(f"unexpected {type(error).__name__}: {error}; run again with --debug for the traceback")
    return 1


def _complain(message: str) -> None:
    print("rxrx19:", shorten(message), file=sys.stderr)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    common = Parser(add_help=False)
    common.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
    )
    parser = Parser(prog="rxrx19", description="Run and publish the RxRx19a companion.", parents=[common])
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True, parser_class=Parser)

    def add(name: str, function: Callable, text: str, to: argparse._SubParsersAction = commands) -> Parser:
        made = to.add_parser(name, help=text, description=text, parents=[common])
        made.set_defaults(command=function, parser=made)
        return made

    _add_run(add("run", _run, "run notebooks with parameters"))
    params = add("params", _params, "list every parameter: type, default, allowed values, one line of help")
    params.add_argument("notebook", nargs="?", metavar="NOTEBOOK")
    data = commands.add_parser("data", help="make, fetch, describe or check a screen", parents=[common])
    actions = data.add_subparsers(metavar="ACTION", dest="action", required=True, parser_class=Parser)
    _add_make(add("make", _make, "make a simulated screen with known truth", actions))
    _add_fetch(add("fetch", _fetch, "download RxRx19a or the published scores", actions))
    check = add("check", _check, "list every problem of a screen; exit 1 if any is fatal", actions)
    check.add_argument("folder", metavar="DIR", type=Path)
    draft = add("init", _init, "write a first screen.yml for a table, guesses marked", actions)
    draft.add_argument("table", metavar="TABLE", type=Path)
    draft.add_argument("--out", metavar="DIR", type=Path, help="folder of the screen (default the table's)")
    _add_book(add("book", _book, "run the notebooks and build the site"))
    workshop = add("workshop", _workshop, "write student and instructor notebooks")
    workshop.add_argument("--out", metavar="DIR", type=Path, default=Path("workshop"))
    cache = add("cache", _cache, "show, prune or clear what is kept between runs")
    cache.add_argument(
        "action", metavar="ACTION", nargs="?", default="show", help="show (default), prune or clear"
    )
    cache.add_argument("--older-than", metavar="AGE", help="prune what was not used for so long, such as 30d")
    cache.add_argument("--larger-than", metavar="SIZE", help="prune the oldest beyond this, such as 2GB")
    cache.add_argument("--downloads", action="store_true", help="clear downloads too")
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print("rxrx19", version("rxrx19-companion"))
        parser.exit()


def _add_values(parser: Parser) -> None:
    parser.add_argument(
        "-p", dest="pairs", metavar="NAME=VALUE", action="append", default=[], help="set a parameter"
    )
    parser.add_argument(
        "-f", dest="file", metavar="PARAMS.yml", type=Path, help="a file of parameters (YAML)"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="folder of the run (default results/<run id>)"
    )
    parser.add_argument(
        "--jobs", metavar="N", type=jobs_number, default=2, help="notebooks at a time (default 2)"
    )


def _add_run(parser: Parser) -> None:
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="none means the four analyses")
    _add_values(parser)


def _add_book(parser: Parser) -> None:
    _add_values(parser)
    parser.add_argument("--site", metavar="DIR", type=Path, help="folder of the site (default _build/html)")
    parser.add_argument(
        "--check-links", action="store_true", help="check links to other sites; needs the network"
    )


def _add_make(parser: Parser) -> None:
    parser.add_argument("model", metavar="SCREEN", choices=["twin"])
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--scale", choices=["tiny", "small", "full"], default="small")
    parser.add_argument("--seed", metavar="N", type=seed_number, default=0)
    parser.add_argument(
        "--world", metavar="NAME", default="calm", help="assumptions of the twin (default calm)"
    )
    parser.add_argument("--design", metavar="METADATA.csv", type=Path, help="use the wells of a real screen")
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument(
        "--set",
        dest="pairs",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="change an assumption of the world",
    )


def _add_fetch(parser: Parser) -> None:
    parser.add_argument("screen", metavar="SCREEN", choices=["rxrx19a"])
    parser.add_argument(
        "--what", choices=["metadata", "embeddings", "published"], help="one part (default all)"
    )
    parser.add_argument("--dest", metavar="DIR", type=Path, help="folder to write (default the cache)")


def _run(options: argparse.Namespace) -> int:
    from helpers.publish.assign import assign
    from helpers.publish.notebooks import ANALYSES, project_root, select_notebooks
    from helpers.publish.run.jobs import run_notebooks

    root = project_root()
    notebooks = select_notebooks(options.notebooks or ANALYSES, root / "notebooks")
    values = assign(notebooks, options.pairs, options.file)
    out = run_notebooks(notebooks, values, options.out, jobs=options.jobs, say=_say, root=root)
    _say(f"results are in {out}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _params(options: argparse.Namespace) -> int:
    from helpers.publish.notebooks import select_notebooks

    for notebook in select_notebooks([options.notebook] if options.notebook else []):
        rows = [
            (item.name, item.kind.__name__, repr(item.default), item.allowed_text, item.help)
            for item in notebook.parameters.values()
        ]
        _say(notebook.name)
        for line in _columns([("parameter", "type", "default", "allowed", "help"), *rows]):
            _say(f"  {line}")
    return 0


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _make(options: argparse.Namespace) -> int:
    from helpers.publish.assign import assign_assumptions
    from helpers.publish.run.folders import check_writable
    from helpers.screens.twin.make import make_twin

    design = options.design and options.design.resolve()
    if design and not design.is_file():
        raise UsageError(f"no design file at {design}")
    model = assign_assumptions(options.world, options.pairs)
    check_writable(options.folder.resolve(), "name a new or empty folder for the twin")
    folder = make_twin(
        options.folder,
        scale=options.scale,
        seed=options.seed,
        design=design,
        world=options.world,
        model=model,
        file_format=options.format,
    )
    _say(f"the twin is in {folder}")
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from helpers.screens import fetch

    for what in [options.what] if options.what else ["metadata", "embeddings", "published"]:
        published = what == "published"
        path = fetch.fetch_published(options.dest) if published else fetch.fetch_rxrx19a(what, options.dest)
        _say(f"{what}: {path}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from helpers.screens.check import check_screen
    from helpers.screens.problems import plural

    if not options.folder.is_dir():
        raise UsageError(f"no folder at {options.folder}: name the one that holds the files of the screen")
    problems = check_screen(options.folder)
    for problem in problems:
        _say(f"{problem.level}: {problem}")
    fatal = sum(problem.level == "fatal" for problem in problems)
    notes = plural(len(problems) - fatal, "note")
    _say(f"{options.folder}: {fatal} fatal, {notes}" + ("" if fatal else "; usable"))
    return 1 if fatal else 0


def _init(options: argparse.Namespace) -> int:
    from helpers.screens.draft import draft_screen

    path, problems = draft_screen(options.table, options.out)
    for problem in problems:
        _say(f"{problem.level}: {problem}")
    _say(f"{path}: a draft; correct the lines marked `guess`, then run `rxrx19 data check {path.parent}`")
    return 0


def _book(options: argparse.Namespace) -> int:
    from helpers.publish.assign import assign
    from helpers.publish.notebooks import project_root, select_notebooks
    from helpers.publish.site.book import build_book

    root = project_root()
    notebooks = select_notebooks([], root / "notebooks")
    values = assign(notebooks, options.pairs, options.file)
    site = build_book(
        root,
        values,
        run=options.out,
        site=options.site,
        jobs=options.jobs,
        say=_say,
        builder="linkcheck" if options.check_links else "html",
    )
    _say(f"the book is in {site / 'index.html'}" if not options.check_links else "all links answer")
    return 0


def _cache(options: argparse.Namespace) -> int:
    from helpers.publish.cache import manage_cache

    names = ("action", "older_than", "larger_than", "downloads")
    manage_cache(**{name: getattr(options, name) for name in names}, say=_say)
    return 0


def _workshop(options: argparse.Namespace) -> int:
    from helpers.publish.site.workshop import build_workshop

    for path in build_workshop(options.out):
        _say(str(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
