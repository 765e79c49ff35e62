"""Tables and figures as files: whole or not at all, equal bytes for equal content, and a scratch folder that goes."""

import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers.study.outputs import WELL_COLUMNS, results_folder, save_figure, wells_table, write_table


def test_files_are_equal_byte_for_byte(called, scored, tmp_path):
    arms, _ = called
    for name in ("a", "b"):
        figure, ax = plt.subplots()
        ax.plot([1, 2], [3, 4])
        results = str(tmp_path / name)
        write_table(arms, "arms.csv", results)
        write_table(wells_table(scored), "wells.parquet", results)
        shown = save_figure(figure, "line", results)
        assert shown.data == (tmp_path / name / "figures" / "line.png").read_bytes()
        assert not plt.fignum_exists(figure.number)  # else the page would show it twice
    for path in sorted((tmp_path / "a").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path
    assert {path.name for path in (tmp_path / "a").rglob("*.*")} == {
        "arms.csv",
        "wells.parquet",
        "line.png",
        "line.svg",
    }
    read = pd.read_csv(tmp_path / "a" / "tables" / "arms.csv", float_precision="round_trip")
    np.testing.assert_array_equal(read["rescue"], arms["rescue"])


def test_a_table_that_cannot_be_written_leaves_the_former_one(tmp_path):
    table = pd.DataFrame({"a": [1]})
    path = write_table(table, "t.parquet", tmp_path)
    before = path.read_bytes()
    with pytest.raises(Exception, match=r"cannot mix|Conversion failed|Expected bytes"):
        write_table(pd.DataFrame({"a": [1, "b", object()]}), "t.parquet", tmp_path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["t.parquet"]


def test_the_index_is_left_out(tmp_path):
    path = write_table(pd.DataFrame({"a": [1]}, index=["row"]), "t.csv", tmp_path)
    assert path.read_text() == "a\n1\n"


@pytest.mark.slow
def test_without_a_folder_one_lasts_as_long_as_the_process():
    code = (
        "import pandas as pd\n"
        "from helpers.study import write_table\n"
        "paths = [write_table(pd.DataFrame({'a': [1]}), name) for name in ('x.csv', 'y.csv')]\n"
        "assert all(path.exists() for path in paths)\n"
        "assert len({path.parent for path in paths}) == 1\n"
        "print(paths[0].parents[1])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    folder = Path(told.strip())
    assert folder.name.startswith("rxrx19-results-")
    assert not folder.exists()


def test_a_folder_is_taken_as_it_is(tmp_path):
    assert results_folder(str(tmp_path)) == results_folder(tmp_path) == tmp_path


def test_the_table_of_wells_has_its_columns_first_and_each_well_once(scored):
    table = wells_table(scored)
    assert list(table)[: len(WELL_COLUMNS) + 1].count("well_id") <= 1
    named = [column for column in table if column in WELL_COLUMNS]
    assert named == list(WELL_COLUMNS)
    assert table["well_id"].tolist() == scored.obs_names.tolist()
    np.testing.assert_array_equal(table["rescue"], scored.obs["rescue"])
