"""Coverage of a full run: what it is measured on, and what is shown of it: the worst modules, not a line for each."""

import io
from pathlib import Path

import coverage
import pytest

REPEATING = ("tests/dose/", "tests/hits/")
"""Where slow tests run the lines of the others again, on thousands of curves and wells."""

WORST = 10
"""So many modules are named."""


def rows(measured: coverage.Coverage) -> list[tuple[float, int, str]]:
    """Return the share of lines that were run, the lines that were not, and the name of every module, worst first."""
    found = []
    for file in measured.get_data().measured_files():
        _, lines, _, missing, _ = measured.analysis2(file)
        if lines:
            parts = Path(file).parts
            name = "/".join(parts[len(parts) - parts[::-1].index("helpers") :])
            found.append((1 - len(missing) / len(lines), len(missing), name))
    return sorted(found)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave slow tests of some rooms unmeasured: measured, they would take a third longer."""
    for item in items:
        if item.get_closest_marker("slow") and item.nodeid.startswith(REPEATING):
            item.add_marker("no_cover")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Write the summary of a run that was measured."""
    if not config.pluginmanager.hasplugin("_cov") or not config.getoption("cov_source", None):
        return
    measured = coverage.Coverage()
    measured.load()
    total = measured.report(file=io.StringIO())
    terminalreporter.section("coverage")
    for share, missing, name in rows(measured)[:WORST]:
        terminalreporter.write_line(f"{share:6.1%}  {missing:4d} lines not run  {name}")
    terminalreporter.write_line(f"{total:5.1f}%  of all lines of the package")
