import shutil

import pytest

from helpers.errors import DataError
from helpers.screens import check_screen, open_screen
from screens.broken import BROKEN, write_screen


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_screen_gives_one_clear_line(broken, tmp_path):
    folder = write_screen(tmp_path / "screen")
    broken.do(folder)
    fatal = [problem for problem in check_screen(folder) if problem.level == "fatal"]
    assert len(fatal) == 1, [str(problem) for problem in fatal]
    line = str(fatal[0])
    assert "\n" not in line
    for part in broken.says:
        assert part in line
    with pytest.raises(DataError) as raised:
        open_screen(folder)
    assert str(raised.value) == line


def test_the_valid_screen_has_nothing_fatal(tmp_path):
    problems = check_screen(write_screen(tmp_path))
    assert [str(p) for p in problems] == [
        "metadata.csv: 2 wells with an empty condition: kept out of every fit"
    ]


def test_all_problems_are_found_at_once(tmp_path):
    folder = write_screen(tmp_path)
    slips = ["unknown_condition", "negative_dose", "text_in_embeddings", "site_without_embeddings"]
    for broken in BROKEN:
        if broken.name in slips:
            broken.do(folder)
    fatal = [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]
    assert len(fatal) == 4
    with pytest.raises(DataError, match="and 3 more: `rxrx19 data check"):
        open_screen(folder)


@pytest.mark.parametrize("name", ["metadata.csv", "embeddings.csv"])
def test_a_broken_file_does_not_hide_the_other(name, tmp_path):
    folder = write_screen(tmp_path)
    other = {"metadata.csv": "text_in_embeddings", "embeddings.csv": "unknown_condition"}[name]
    next(broken for broken in BROKEN if broken.name == other).do(folder)
    (folder / name).write_bytes(b"")
    fatal = [problem for problem in check_screen(folder) if problem.level == "fatal"]
    assert {problem.file for problem in fatal} == {"metadata.csv", "embeddings.csv"}


@pytest.mark.parametrize("source", ["nowhere", "metadata.csv"])
def test_a_source_that_is_no_folder(source, tmp_path):
    folder = write_screen(tmp_path)
    with pytest.raises(DataError, match="folder"):
        check_screen(folder / source)
    with pytest.raises(DataError, match="allowed are twin, rxrx19a, or a folder"):
        open_screen(folder / source)


def test_an_unreadable_file(tmp_path):
    folder = write_screen(tmp_path)
    (folder / "embeddings.csv").unlink()
    (folder / "embeddings.csv").mkdir()
    fatal = [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]
    assert len(fatal) == 1
    assert fatal[0].startswith("embeddings.csv: cannot be opened")


def notes(folder):
    problems = check_screen(folder)
    assert [str(p) for p in problems if p.level == "fatal"] == []
    return " | ".join(str(p) for p in problems)


def rewrite(folder, change, name="metadata.csv"):
    import pandas as pd

    table = pd.read_csv(folder / name, dtype=object)
    change(table).to_csv(folder / name, index=False)


def test_quirks_are_notes(tmp_path):
    folder = write_screen(tmp_path / "a")
    rewrite(folder, lambda t: t.assign(operator="X", row="7"))
    assert "column 'operator', 'row' is not one of RxRx19a's" in notes(folder)
    folder = write_screen(tmp_path / "b")
    rewrite(folder, lambda t: t.drop(columns="SMILES"))
    assert "no column 'SMILES'" in notes(folder)
    folder = write_screen(tmp_path / "c")
    (folder / "embeddings.csv").unlink()
    assert "a design only" in notes(folder)
    folder = write_screen(tmp_path / "d")
    rewrite(folder, lambda t: t[t["site_id"] != "HRCE-1_2_C02_4"])
    rewrite(folder, lambda t: t[t["site_id"] != "HRCE-1_2_C02_4"], "embeddings.csv")
    assert "1 well with fewer than the usual 4 sites" in notes(folder)
    folder = write_screen(tmp_path / "e")
    shutil.copy(folder / "metadata.csv", folder / "RxRx19a-metadata.csv")
    assert "'RxRx19a-metadata.csv' beside it is ignored" in notes(folder)


def test_a_screen_without_doses_or_treatments_or_uv(tmp_path):
    folder = write_screen(tmp_path / "a")
    rewrite(folder, lambda t: t.assign(treatment_conc=None))
    assert "no dose" in notes(folder)
    folder = write_screen(tmp_path / "b")
    rewrite(folder, lambda t: t.assign(treatment_conc=None, treatment=None))
    assert "no treated well" in notes(folder)
    folder = write_screen(tmp_path / "c")
    rewrite(folder, lambda t: t[t["well"] != "M08"])
    rewrite(folder, lambda t: t[~t["site_id"].str.contains("M08")], "embeddings.csv")
    assert "no UV well" in notes(folder)


def test_real_screens_pass(real_data):
    vero = notes(real_data / "screens" / "vero1_design")
    assert "a design only" in vero
    assert "60 wells with an empty condition" in vero
    assert notes(real_data / "screens" / "hrce1_plate25") == ""
