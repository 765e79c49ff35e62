"""Pages that the book makes of a run: its status, and the assumptions of the twin."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from helpers.text import code


def write_pages(record: Mapping, folder: Path) -> None:
    """Write the generated pages of the book.

    Parameters
    ----------
    record : mapping
        A run's ``run.json``.
    folder : Path
        ``generated/`` inside the book's sources. ``status.md`` is a page; ``twin_parameters.md`` and
        ``worlds.md`` are included by the page on the twin.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "status.md").write_text(status_page(record), encoding="utf-8")
    (folder / "twin_parameters.md").write_text(twin_table(), encoding="utf-8")
    (folder / "worlds.md").write_text(world_table(), encoding="utf-8")


def status_page(record: Mapping) -> str:
    """Return the status page: cost, data and parameters of every notebook, and the versions behind them."""
    return "\n\n".join(
        [
            "(status)=\n# Status of this build",
            "What the analyses of this book were computed from and with, and what they cost. The same record is in "
            "`run.json` beside the tables of the run.",
            _run_table(record),
            "## Notebooks",
            "Notebooks run in parallel, so their run times may add up to more than the total time above.",
            _notebook_table(record),
            "## Parameters",
            _parameter_table(record),
            "## Data",
            *_data(record),
            "## Versions",
            table(
                ("package", "version"),
                sorted((name, value or "-") for name, value in record["versions"].items()),
            ),
            "",
        ]
    )


def world_table() -> str:
    """Return the worlds of the twin as a table: name, what is different, why a real screen may look so, assumptions."""
    from helpers.screens.twin.worlds import describe_worlds

    worlds = describe_worlds()
    rows = [
        (code(row.world), f"{row.summary}. {row.reason}", code(row.changes) if row.changes else "none")
        for row in worlds.itertuples()
    ]
    return table(
        ("world", "what is different, and why a real screen may look so", "assumptions changed"), rows
    )


def _run_table(record: Mapping) -> str:
    git = record.get("git")
    commit = (
        f"{git['commit'][:12]}{' with local changes' if git['dirty'] else ''}" if git else "not under git"
    )
    rows = [
        ("run", code(record["run_id"])),
        ("started (UTC)", record["started"]),
        ("total time", f"{record['seconds']:.0f} s"),
        ("commit", code(commit) if git else commit),
        ("Python", record["python"]),
        ("platform", record["platform"]),
    ]
    return table(("item", "value"), rows)


def _notebook_table(record: Mapping) -> str:
    rows = [
        (
            "{doc}`/" + entry["file"].removesuffix(".ipynb") + "`",
            f"{entry['seconds']:.1f}",
            f"{entry['peak_memory_mb']:.0f}",
            code((entry["source_sha256"] or "-")[:16]),
        )
        for entry in record["notebooks"].values()
    ]
    return table(("notebook", "run time (s)", "peak memory (MB)", "data hash"), rows)


def _parameter_table(record: Mapping) -> str:
    """Return one row a parameter and one column a notebook; the folder of results is no part of the analysis."""
    notebooks = record["notebooks"]
    names = dict.fromkeys(name for entry in notebooks.values() for name in entry["parameters"])
    names.pop("results", None)
    rows = [
        (code(name), *(_value(name, entry["parameters"].get(name)) for entry in notebooks.values()))
        for name in names
    ]
    return table(("parameter", *notebooks), rows)


def _value(name: str, value: object) -> str:
    # The folders of whoever built the book are nobody's business.
    shown = Path(str(value)).name if name in ("source", "classes", "published") else value
    return "-" if value is None else code(str(shown))


def _data(record: Mapping) -> list[str]:
    sources = record["source"] if isinstance(record["source"], list) else [record["source"]]
    blocks = []
    for source in filter(None, sources):
        rows = [(code(name), code(digest)) for name, digest in source["files"].items()]
        blocks += [f"Screen: {code(source['name'])} ({source['kind']}).", table(("file", "SHA-256"), rows)]
    return blocks or ["The notebooks of this run read no screen."]


def twin_table() -> str:
    """Return the twin's assumptions as a table, from the model itself so that the page cannot fall behind."""
    from helpers.screens.twin.model import TwinModel

    rows = [
        (f"{code(row.name)} = {_number(row.value)} {_unit(row.unit)}".strip(), row.basis, row.help)
        for row in TwinModel().describe().itertuples(index=False)
    ]
    return table(("assumption", "basis", "meaning"), rows) + "\n"


def _number(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_number, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _unit(unit: str | None) -> str:
    return (unit or "").replace("uM", "µM")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a vertical bar inside a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )
