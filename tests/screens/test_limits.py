"""Tables that no screen can be are refused before they are read, and wide ones are read in one go."""

import numpy as np
import polars as pl
import pytest

from helpers.screens import check_screen, limits
from helpers.screens.limits import refuse_columns, refuse_rows
from helpers.screens.problems import BrokenFileError
from helpers.screens.tables import open_tables

YML = """
name: wide
level: well
table: t.csv
columns: {plate: plate, well: well, condition: state, treatment: cpd}
conditions: {mock: [healthy], infected: [ill, drug]}
features: ["f_*"]
"""


def wide(folder, n_features, blank=""):
    """Write a screen of 24 wells."""
    values = np.random.default_rng(0).normal(size=(24, n_features)).round(3).astype(str)
    lines = [",".join(["plate,well,state,cpd", *(f"f_{i}" for i in range(n_features))])]
    for i, row in enumerate(values):
        state = "healthy" if i < 6 else "ill" if i < 14 else "drug"
        lines.append(
            ",".join(["1", f"{'AB'[i // 12]}{i % 12 + 1}", state, "a" if state == "drug" else "", *row])
        )
    folder.mkdir()
    (folder / "t.csv").write_text("\n".join([*lines[:5], *([blank] if blank else []), *lines[5:]]) + "\n")
    (folder / "screen.yml").write_text(YML)
    return folder


def test_the_work_does_not_grow_with_the_columns(tmp_path, monkeypatch):
    calls, collect = [], pl.LazyFrame.collect
    monkeypatch.setattr(pl.LazyFrame, "collect", lambda *a, **k: calls.append(1) or collect(*a, **k))
    counts = []
    for n in (20, 2000):
        calls.clear()
        assert not [p for p in check_screen(wide(tmp_path / str(n), n)) if p.level == "fatal"]
        counts.append(len(calls))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("blank", [",,,,,", "  , ,,,,", '"",,,,,'])
def test_lines_without_any_cell_are_passed_over(tmp_path, blank):
    folder = wide(tmp_path / "a", 2, blank)
    assert [str(p) for p in check_screen(folder) if p.level == "fatal"] == []


def test_a_line_with_nothing_but_features_is_no_blank_line(tmp_path):
    folder = wide(tmp_path / "a", 2, ",,,,1,2")
    assert "t.csv, line 6: plate is empty" in next(str(p) for p in check_screen(folder))


def test_limits_say_both_numbers(tmp_path, monkeypatch):
    with pytest.raises(BrokenFileError, match=r"has 1,000,000 columns; allowed are 100,000") as caught:
        refuse_columns(1_000_000, "t")
    assert caught.value.problem.where == "line 1"
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 1000)
    refuse_rows(tmp_path / "t.csv", "t")
    monkeypatch.setattr(limits, "MOST_ROWS", 500)
    with pytest.raises(BrokenFileError, match=r"has about 1,001 rows; allowed are 500"):
        refuse_rows(tmp_path / "t.csv", "t")
    pl.DataFrame({"a": range(600), "b": 0}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(BrokenFileError, match=r"t\.parquet: has 600 rows; allowed are 500"):
        open_tables(tmp_path / "t.parquet").__enter__()
    monkeypatch.setattr(limits, "MOST_COLUMNS", 1)
    for name in ("t.csv", "t.parquet"):
        monkeypatch.setattr(limits, "MOST_ROWS", 5000)
        with pytest.raises(BrokenFileError, match="has 2 columns; allowed are 1"):
            open_tables(tmp_path / name).__enter__()
