"""The status page and the table of the twin: what they give, and what they keep to themselves."""

import re
from pathlib import Path

from helpers.publish.site.status import code, status_page, table, twin_table, write_pages

RECORD = {
    "run_id": "20260101T000000Z-abcdef01",
    "started": "2026-01-01T00:00:00+00:00",
    "seconds": 61.4,
    "python": "3.11.7",
    "platform": "Linux",
    "git": {"commit": "0123456789abcdef", "dirty": True},
    "versions": {"numpy": "2.4.6", "umap-learn": None},
    "source": {"name": "mine", "kind": "user", "files": {"metadata.csv": "ab" * 32}, "sha256": "cd" * 32},
    "notebooks": {
        "hit_calling": {
            "file": "notebooks/03_hit_calling.ipynb",
            "seconds": 12.34,
            "peak_memory_mb": 456,
            "source_sha256": "cd" * 32,
            "parameters": {"source": "/home/someone/mine", "mode": "a|b", "results": "/home/someone/out"},
        }
    },
}


def test_the_status_page_gives_cost_parameters_versions_and_hash() -> None:
    page = status_page(RECORD)
    assert "| {doc}`/notebooks/03_hit_calling` | 12.3 | 456 | `cdcdcdcdcdcdcdcd` |" in page
    assert "| `mode` | `a\\|b` |" in page
    assert "| numpy | 2.4.6 |" in page
    assert "| umap-learn | - |" in page
    assert f"| `metadata.csv` | `{'ab' * 32}` |" in page
    assert "`0123456789ab with local changes`" in page


def test_the_status_page_keeps_the_builders_folders_to_itself() -> None:
    page = status_page(RECORD)
    assert "/home/someone" not in page
    assert "| `source` | `mine` |" in page


def test_the_twin_table_has_one_row_an_assumption() -> None:
    from helpers.screens.twin.model import TwinModel

    rows = twin_table().strip().splitlines()
    assert len(rows) - 2 == len(TwinModel().describe())
    assert {row.count(" | ") for row in rows} == {2}


def test_the_twin_table_writes_for_readers() -> None:
    text = twin_table()
    assert "uM" not in text
    assert "log10 µM" in text
    assert not re.search(r"\d\.\d{5,}", text.replace("0.006132", "")), "digits that nobody needs"
    assert "| `low_cell_blank` = 0.2702 share | fact |" in text


def test_the_status_page_says_why_times_do_not_add_up() -> None:
    assert "Notebooks run in parallel" in status_page(RECORD)


def test_tables_escape_bars_and_code_holds_any_sign() -> None:
    assert table(("a",), [("x|y",)]).splitlines()[-1] == "| x\\|y |"
    assert code("a`b") == "`` a`b ``"
    assert code("") == "-"


def test_pages_are_written_where_the_table_of_contents_looks(tmp_path: Path) -> None:
    write_pages(RECORD, tmp_path / "generated")
    assert {path.name for path in (tmp_path / "generated").iterdir()} == {
        "status.md",
        "twin_parameters.md",
        "worlds.md",
    }
