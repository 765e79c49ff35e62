"""A first screen.yml: what is plain is found, what is not is marked, and nothing is overwritten."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml

from helpers.cli import main
from helpers.errors import DataError, UsageError
from helpers.screens import check_screen, facts, open_screen
from helpers.screens.draft import draft_screen
from helpers.screens.guess import guess_roles, kind_of
from helpers.screens.mapping import read_mapping


def cellprofiler(seed=0):
    """Return a table as CellProfiler and its friends write them."""
    rng = np.random.default_rng(seed)
    rows = []
    for plate in ("BR001", "BR002"):
        for i in range(48):
            kind = "poscon" if i < 6 else "negcon" if i < 16 else "trt"
            name = {"poscon": "nocodazole", "negcon": "DMSO"}.get(kind, f"cpd-{i % 8}")
            rows.append((plate, f"{'ABCDEF'[i // 8]}{i % 8 + 1}", kind, name, 0.1 * 3 ** (i % 4)))
    table = pd.DataFrame(
        rows,
        columns=[
            "Metadata_Plate",
            "Metadata_Well",
            "Metadata_pert_type",
            "Metadata_Compound Name",
            "Metadata_Dose_nM",
        ],
    )
    for stem in ("Cells", "Nuclei"):
        for i in range(6):
            shift = np.where(table["Metadata_pert_type"] == "poscon", 3.0, 0.0)
            table[f"{stem}_Texture_{i}"] = 10.0**i * (rng.normal(size=len(table)) + shift)
    return table.assign(Metadata_Batch="b1", ImageNumber=np.arange(len(table)))


def test_decimal_commas_are_found_and_declared(tmp_path):
    made = {}
    for name, how in (("points", {}), ("commas", {"sep": ";", "decimal": ","})):
        path = tmp_path / name / "profiles.csv"
        path.parent.mkdir()
        cellprofiler().to_csv(path, index=False, **how)
        path, problems = draft_screen(path)
        assert [str(p) for p in problems if p.level == "fatal"] == []
        made[name] = read_mapping(path)[0], open_screen(path.parent)
    (points, sites), (commas, same) = made["points"], made["commas"]
    assert (commas.separator, commas.decimal, points.decimal) == (";", ",", ".")
    assert (commas.columns, commas.features) == (points.columns, points.features)
    np.testing.assert_array_equal(sites.X, same.X)
    assert sites.obs["dose_um"].equals(same.obs["dose_um"])


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [
        ({"f": ["0,5", "1,25"]}, ","),
        ({"f": ["1,234", "12,500"]}, "."),
        ({"f": ["1,234", "0,500"], "g": ["1,234", "1,500"]}, ","),
        ({"sites": ["1,2", "3,4"], "f": ["0.5", "1.5"]}, "."),
        ({"name": ["2,4-D", "a, b"]}, "."),
        ({"f": [None, "-1,5e-3"], "n": ["1", "2"]}, ","),
    ],
)
def test_a_comma_is_taken_for_a_decimal_one_only_where_numbers_say_so(cells, decimal):
    assert guess_roles(pl.DataFrame(cells), commas=True).decimal == decimal
    assert guess_roles(pl.DataFrame(cells)).decimal == "."


def test_an_embedding_in_one_column_is_drafted(tmp_path):
    table = pl.from_pandas(cellprofiler())
    features = [name for name in table.columns if "Texture" in name]
    lists = table.with_columns(pl.concat_list(features).alias("e"), pl.lit(["a"]).alias("files")).drop(
        features
    )
    lists.write_parquet(tmp_path / "profiles.parquet")
    path, problems = draft_screen(tmp_path / "profiles.parquet")
    assert [str(p) for p in problems if p.level == "fatal"] == []
    assert read_mapping(path)[0].features == ["e"]
    assert open_screen(tmp_path).n_vars == len(features)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "in" / "profiles.csv"
    path.parent.mkdir()
    cellprofiler().to_csv(path, index=False)
    return path


def test_a_plain_table_becomes_a_usable_screen(table):
    path, problems = draft_screen(table)
    assert path == table.parent / "screen.yml"
    assert [str(p) for p in problems if p.level == "fatal"] == []
    mapping, _ = read_mapping(path)
    assert mapping.columns == {
        "experiment": "Metadata_Batch", "plate": "Metadata_Plate", "well": "Metadata_Well",
        "condition": "Metadata_pert_type", "treatment": "Metadata_Compound Name", "dose": "Metadata_Dose_nM",
    }  # fmt: skip
    assert mapping.conditions.values == {
        "poscon": "mock",
        "negcon": "infected",
        "trt": "infected",
        "": "blank",
    }
    assert mapping.untreated == {"Metadata_pert_type": ["poscon", "negcon"]}
    assert (mapping.dose_unit, mapping.level, mapping.scale_features) == ("nM", "well", "robust")
    assert mapping.features == ["Cells_*", "Nuclei_*"]
    wells = open_screen(table.parent)
    assert wells.shape == (96, 12)
    assert set(wells.obs["treatment"].dropna()) == {f"cpd-{i}" for i in range(8)}


def test_every_guess_is_marked_and_every_key_is_explained(table):
    path, _ = draft_screen(table)
    text = path.read_text()
    settings = [line for line in text.splitlines() if ": " in line and not line.lstrip().startswith("#")]
    sure = [line for line in settings if "# guess" not in line]
    assert [line.split(":")[0].strip() for line in sure] == ["table", "untreated"]
    assert "cell_type:  not found" in text
    assert "Not used: ImageNumber." in text


def test_out_is_a_screen_of_its_own(table, tmp_path):
    path, _ = draft_screen(table, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["profiles.csv", "screen.yml"]
    assert not (table.parent / "screen.yml").exists()
    assert check_screen(path.parent) == check_screen(tmp_path / "out")
    with pytest.raises(
        UsageError, match=r"screen.yml exists; correct that file, or name another folder with --out"
    ):
        draft_screen(table, tmp_path / "out")
    other = tmp_path / "other"
    other.mkdir()
    (other / "profiles.csv").write_text("mine")
    with pytest.raises(UsageError, match="exists and is another file"):
        draft_screen(table, other)
    assert [p.name for p in other.iterdir()] == ["profiles.csv"]


@pytest.mark.parametrize("written", [".csv.gz", ".parquet", "semicolons", "tabs"])
def test_tables_of_every_kind_are_read(tmp_path, written):
    table = cellprofiler()
    if written == ".parquet":
        table.to_parquet(path := tmp_path / "t.parquet")
    elif written == ".csv.gz":
        with gzip.open(path := tmp_path / "t.csv.gz", "wt") as file:
            table.to_csv(file, index=False)
    else:
        table.to_csv(path := tmp_path / "t.csv", index=False, sep={"semicolons": ";", "tabs": "\t"}[written])
    _, problems = draft_screen(path)
    assert [str(p) for p in problems if p.level == "fatal"] == []


def test_compounds_in_the_place_of_a_condition_leave_the_rest(tmp_path):
    table = cellprofiler()
    names = table["Metadata_Compound Name"].replace({"nocodazole": "uninfected"})
    table = table.drop(columns="Metadata_pert_type").assign(**{"Metadata_Compound Name": names})
    table.to_csv(tmp_path / "t.csv", index=False)
    path, problems = draft_screen(tmp_path / "t.csv")
    assert [str(p) for p in problems if p.level == "fatal"] == []
    assert yaml.safe_load(path.read_text())["conditions"] == {"mock": ["uninfected"], "infected": "rest"}
    assert open_screen(tmp_path).obs["treatment"].nunique() == 8


def test_sites_are_told_from_wells(tmp_path):
    wells = cellprofiler()
    table = pd.concat([wells.assign(Metadata_Site=i) for i in (1, 2)]).assign(
        ImageNumber=lambda t: np.arange(len(t))
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    path, problems = draft_screen(tmp_path / "t.csv")
    assert [str(p) for p in problems if p.level == "fatal"] == []
    assert yaml.safe_load(path.read_text())["level"] == "site"
    assert len(open_screen(tmp_path)) == 192


def test_what_is_not_found_names_itself_and_the_check_says_so(tmp_path):
    pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]}).to_csv(tmp_path / "t.csv", index=False)
    path, problems = draft_screen(tmp_path / "t.csv")
    assert "plate: PLEASE NAME ONE  # not found; required" in path.read_text()
    assert any("'PLEASE NAME ONE' is no column of t.csv" in str(p) for p in problems)


def test_hostile_names_stay_names(tmp_path):
    table = cellprofiler().rename(columns={"Metadata_pert_type": "pert_type: {x}\n# [y]"})
    table["Metadata_Compound Name"] = table["Metadata_Compound Name"].replace(
        {"cpd-1": "a\n- b: *c", "cpd-2": "no"}
    )
    table.to_parquet(tmp_path / "t.parquet")
    path, _ = draft_screen(tmp_path / "t.parquet")
    mapping, problems = read_mapping(path)
    assert problems == []
    assert set(mapping.columns.values()) <= set(table.columns)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Mock", "mock"), ("uninfected", "mock"), ("Non-Inf", "mock"), ("pos", "positive"), ("DMSO", "infected"),
        ("neg control", "infected"), ("trt", "treated"), ("UV Inactivated SARS-CoV-2", "uv"), ("empty", "blank"),
        ("aspirin", ""), ("42", ""),
    ],
)  # fmt: skip
def test_values_are_told_by_whole_words(value, kind):
    assert kind_of(value) == kind


def test_what_is_no_table_is_refused_and_nothing_is_written(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "own.csv").write_text(
        ",".join(facts.COLUMNS) + "\n" + "x," * (len(facts.COLUMNS) - 1) + "x\n"
    )
    with pytest.raises(UsageError, match="no table at"):
        draft_screen(tmp_path / "none.csv")
    with pytest.raises(UsageError, match=r"notes\.txt is no table; allowed are files ending in \.parquet"):
        draft_screen(tmp_path / "notes.txt")
    with pytest.raises(DataError, match=r"empty\.csv"):
        draft_screen(tmp_path / "empty.csv")
    with pytest.raises(UsageError, match="RxRx19a's own layout"):
        draft_screen(tmp_path / "own.csv")
    assert not (tmp_path / "screen.yml").exists()


def test_the_command_says_where_and_what_next(table, capsys):
    assert main(["data", "init", str(table)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1].endswith(f"then run `rxrx19 data check {table.parent}`")
    assert main(["data", "init", str(table)]) == 2


def test_real_tables_are_described_as_their_owners_did(real_data, tmp_path):
    for name, file, features in (
        ("dahlin_u2os", "wells.parquet", ["Cells_*", "Cytoplasm_*", "Nuclei_*"]),
        ("cll_ctg", "wells.csv.gz", None),
    ):
        folder = real_data / "screens" / name
        given, _ = read_mapping(folder / "screen.yml")
        path, problems = draft_screen(folder / file, tmp_path / name)
        drafted, _ = read_mapping(path)
        assert [str(p) for p in problems if p.level == "fatal"] == []
        found = {role: column for role, column in drafted.columns.items() if role in given.columns}
        assert found == given.columns
        assert drafted.conditions == given.conditions
        assert {c: set(v) for c, v in drafted.untreated.items()} == {
            c: set(v) for c, v in given.untreated.items()
        }
        assert drafted.dose_unit == given.dose_unit
        assert features is None or drafted.features == features


def test_guesses_need_no_name_where_cells_tell():

    cells = pl.DataFrame(
        {"q": ["A01", "B02", "C03", "D04", "E05"] * 2, "kind": ["mock", "dmso"] * 5, "v": list("0123456789")}
    )
    guess = guess_roles(cells)
    assert (guess.columns["well"], guess.columns["condition"]) == ("q", "kind")
