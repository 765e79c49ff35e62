import os
import shutil
import time

import pytest

from helpers.errors import DataError, UsageError
from helpers.screens import check_screen, open_screen, read_truth
from helpers.screens.check import check_design
from screens.broken import BROKEN, metadata, write_screen


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
    with pytest.raises(UsageError, match="folder"):
        check_screen(folder / source)
    with pytest.raises(UsageError, match="allowed are twin, rxrx19a, or a folder"):
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


def test_embeddings_in_capitals_are_not_taken_for_a_design(tmp_path):
    folder = write_screen(tmp_path)
    (folder / "embeddings.csv").rename(folder / "Embeddings.CSV")
    if (folder / "embeddings.csv").exists():
        pytest.skip("this file system does not tell capitals from small letters")
    fatal = [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]
    assert len(fatal) == 1
    assert fatal[0].startswith("Embeddings.CSV: is not read; allowed are embeddings.parquet, embeddings.csv,")


def test_some_constant_features_are_a_note(tmp_path):
    folder = write_screen(tmp_path)
    rewrite(folder, lambda t: t.assign(feature_1="7", feature_10="0.0"), "embeddings.csv")
    said = notes(folder)
    assert "2 of 4 features have one value in all rows (but for rounding) and tell nothing" in said
    assert "'feature_1', 'feature_10'" in said


def test_a_feature_that_varies_in_the_last_row_only_is_not_constant(tmp_path):
    folder = write_screen(tmp_path)
    rewrite(folder, lambda t: t.assign(feature_1=["7"] * 63 + ["8"]), "embeddings.csv")
    assert "one value" not in notes(folder)


def test_a_nul_in_a_parquet_is_found(tmp_path):
    folder = write_screen(tmp_path, suffix=".parquet")
    table = metadata()
    table.loc[16:19, "treatment"] = "TWN\0001"
    table.to_parquet(folder / "metadata.parquet")
    fatal = [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]
    assert len(fatal) == 1
    assert fatal[0].startswith("metadata.parquet, row 17: column 'treatment' holds a NUL")


@pytest.mark.parametrize("name", ["metadata.csv", "embeddings.csv"])
def test_two_gigabytes_of_nul_are_refused_at_once(name, tmp_path):
    """A sparse file, as an interrupted copy leaves it; reading its one last line used to take for ever."""
    folder = write_screen(tmp_path)
    size = (folder / name).stat().st_size
    with (folder / name).open("r+b") as file:
        file.truncate(2 << 30)
    clock = time.monotonic()
    fatal = [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]
    assert time.monotonic() - clock < 10
    assert len(fatal) == 1
    assert f"{name}, line 66: holds a NUL, which no text has, as byte {size + 1:,}" in fatal[0]


@pytest.mark.parametrize("name", ["screen.yml", "twin.json", "truth.csv", "embeddings.csv"])
def test_a_pipe_never_blocks(name, tmp_path):
    folder = write_screen(tmp_path)
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    fatal = [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]
    assert len(fatal) == (name in ("screen.yml", "embeddings.csv"))
    assert read_truth(folder) is None


def test_the_design_is_checked_without_the_embeddings(tmp_path):
    folder = write_screen(tmp_path)
    check_design(folder, "HRCE-1")
    with pytest.raises(UsageError, match="'HRCE-2' is not in this screen; allowed are all, HRCE-1"):
        check_design(folder, "HRCE-2")
    (folder / "embeddings.csv").write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"embeddings\.csv: is a web page"):
        check_design(folder)
    (folder / "embeddings.csv").write_bytes(b"site_id,feature_0\nnobody,1\n")
    check_design(folder)
    next(broken for broken in BROKEN if broken.name == "unknown_condition").do(folder)
    with pytest.raises(DataError, match="is 'Mock' meant"):
        check_design(folder)


def test_a_plate_that_lacks_a_control_is_noted(tmp_path):
    folder = write_screen(tmp_path / "screen")
    rewrite(
        folder,
        lambda t: t.assign(
            disease_condition=t["disease_condition"].where((t["well"] != "E08") | (t["plate"] != "10"), None)
        ),
    )
    found = [str(problem) for problem in check_screen(folder)]
    assert any(
        "plate HRCE-1_10: no mock well; those of the experiment's other plates stand in" in p for p in found
    )
    assert not [problem for problem in check_screen(folder) if problem.level == "fatal"]
