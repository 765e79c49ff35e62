"""A user's tables through a screen.yml: cells in the release's words, and features on one scale."""

import contextlib

import pandas as pd
import polars as pl
import pytest

from helpers.errors import DataError
from helpers.profiles import to_wells
from helpers.screens import check_screen, open_screen
from helpers.screens.mapped import mapped_source

YML = """
name: mine
level: well
table: t.csv
columns: {plate: P, well: W, condition: state, treatment: drug, dose: conc}
conditions: {mock: [healthy], infected: [ill]}
dose_unit: nM
features: ["f*"]
untreated: {drug: [DMSO]}
extra: [batch]
"""
TABLE = "P,W,state,drug,conc,batch,f10,f2\n1,b2,healthy,DMSO,5,x,0.5,1\n1,C12,ill,A,30,y,2,3\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "screen.yml").write_text(YML)
    (tmp_path / "t.csv").write_text(TABLE)
    return tmp_path


def opened(folder, **how):
    with contextlib.ExitStack() as stack:
        source = mapped_source(folder, stack, **how)
    return source


def test_rows_come_in_the_words_of_the_release(folder):
    source = opened(folder)
    assert [str(problem) for problem in source.problems] == []
    assert (source.name, source.mapped, source.dose_unit) == ("mine", True, "nM")
    table = source.metadata
    assert table["well"].to_list() == ["B02", "C12"], "written like the others"
    assert table["treatment"].to_list() == [None, "A"], "DMSO is no treatment"
    assert table["treatment_conc"].to_list() == [None, "30"]
    assert table["experiment"].to_list() == ["mine", "mine"]
    assert table["site_id"].to_list() == ["mine_1_B02_1", "mine_1_C12_1"]
    assert table["batch"].to_list() == ["x", "y"]
    assert source.features == ("f2", "f10"), "in numeric order"
    assert source.label("well") == "W"
    assert source.label("treatment_conc") == "conc"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("table: t.csv", "table: u.csv", "there is no file 'u.csv' in .*; it holds 't.csv'"),
        ("well: W", "well: V", "columns.well: 'V' is no column of t.csv"),
        ('"f*"', '"g*"', r"features\[0\]: 'g\*' matches no column of t.csv"),
        ("[batch]", "[batches]", r"extra\[0\]: 'batches' is no column of t.csv.*batch"),
    ],
)
def test_a_name_that_the_table_has_not_is_named(folder, old, new, said):
    (folder / "screen.yml").write_text(YML.replace(old, new))
    problems = [str(problem) for problem in opened(folder).problems if problem.level == "fatal"]
    assert len(problems) == 1
    assert pd.Series(problems).str.contains(said).all(), problems


MAPPED = """name: s
level: well
table: {table}
separator: ";"
decimal: ","
columns: {{plate: p, well: w, condition: c, treatment: t, dose: d}}
conditions: {{mock: [m], infected: [i]}}
features: [x]
"""


def write_mapped(folder, table: str = "t.csv") -> None:
    folder.mkdir()
    rows = [f"24.0;A{n};m;;;{n},5" for n in range(1, 4)] + [f"24.0;B{n};i;;;{n},25" for n in range(1, 4)]
    text = "p;w;c;t;d;x\n" + "\n".join([*rows, "24.0;C1;i;k;0,3;1,5", "24.0;C2;i;k;300 nM;1,5"]) + "\n"
    (folder / table).write_text(text)
    (folder / "screen.yml").write_text(MAPPED.format(table=table))


def test_decimal_commas_are_read_where_they_are_announced(tmp_path):
    write_mapped(tmp_path / "s")
    sites = open_screen(tmp_path / "s")
    assert sorted(sites.X[:3, 0].tolist()) == [1.5, 2.5, 3.5]
    assert sites.obs["dose_um"].dropna().tolist() == [0.3, 0.3]
    assert sites.obs["plate"].unique().tolist() == [24]
    assert sites.obs["well"].iloc[0] == "A01"


@pytest.mark.parametrize("way", ["path", "link"])
def test_a_table_outside_of_the_folder_needs_leave(tmp_path, monkeypatch, way):
    write_mapped(tmp_path / "s")
    (tmp_path / "s" / "t.csv").rename(tmp_path / "t.csv")
    if way == "link":
        (tmp_path / "s" / "t.csv").symlink_to(tmp_path / "t.csv")
    else:
        (tmp_path / "s" / "screen.yml").write_text(MAPPED.format(table="../t.csv"))
    problems = [str(problem) for problem in check_screen(tmp_path / "s")]
    assert any(
        "lies outside of the screen's folder" in text and "RXRX19_ALLOW_OUTSIDE" in text for text in problems
    )
    assert not any("p;w" in text for text in problems), "nothing of the file is shown"
    monkeypatch.setenv("RXRX19_ALLOW_OUTSIDE", "1")
    assert open_screen(tmp_path / "s").n_obs == 8


SCREEN = f"{TABLE}1,C11,ill,DMSO,,z,1,2\n"
TWO_PLATES = (("U2OS_24h", "P1"), ("U2OS", "24h_P1"))


def test_plates_and_wells_whose_names_would_be_alike_stay_apart(folder):
    header, *rows = SCREEN.splitlines()
    lines = [f"{header},E"]
    for experiment, plate in TWO_PLATES:
        lines += [f"{plate}{row.removeprefix('1')},{experiment}" for row in rows]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    (folder / "screen.yml").write_text(YML.replace("columns: {", "columns: {experiment: E, "))
    sites = open_screen(folder)
    assert sites.obs_names.is_unique
    plates = sites.obs.groupby("plate_id", observed=True)["experiment"].nunique().to_dict()
    assert plates == {"U2OS/24h_P1": 1, "U2OS_24h/P1": 1}
    assert to_wells(sites).n_obs == 6
    assert any("parted by '/'" in text for text in sites.uns["screen"]["notes"])
    assert open_screen(folder, exclude_plates="U2OS/24h_P1").n_obs == 3


def test_extra_columns_keep_their_values_whatever_they_are_called(folder):
    names = ["qc_flag", "n_sites", "rescue", "window", "index", "site", "plate_id", "well_id", "pc_1", "name"]
    values = [f"v{i}" for i in range(len(names))]
    header, *rows = SCREEN.splitlines()
    lines = [",".join([header, *names]), *(",".join([row, *values]) for row in rows)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    (folder / "screen.yml").write_text(YML.replace("[batch]", f"[batch, {', '.join(names)}]"))
    sites = open_screen(folder)
    assert any("'window' as 'window_file'" in text for text in sites.uns["screen"]["notes"])
    obs = sites.obs
    for name, value in zip(names, values, strict=True):
        assert obs[name if name == "pc_1" else f"{name}_file"].tolist() == [value] * 3, name


@pytest.mark.parametrize("dtype", [pl.List(pl.Float32), pl.Array(pl.Float32, 2)])
@pytest.mark.parametrize("features", ["[e]", '["e*"]'])
def test_an_embedding_in_one_column_is_read_and_other_lists_do_no_harm(folder, dtype, features):
    table = pl.read_csv(SCREEN.encode(), infer_schema=False).with_columns(
        pl.Series("files", [["a.tif"], ["b.tif"], ["c.tif"]]),
        pl.Series("e", [[0.5, 1.0], [2.0, 3.0], [1.0, 2.0]], dtype=dtype),
    )
    table.write_parquet(folder / "t.parquet")
    yml = YML.replace("t.csv", "t.parquet")
    (folder / "screen.yml").write_text(yml.replace('["f*"]', features))
    sites = open_screen(folder)
    assert list(sites.var_names) == ["e_0", "e_1"]
    assert sites["mine_1_C11_1"].X.tolist() == [[1.0, 2.0]]
    (folder / "screen.yml").write_text(yml.replace('"f*"', "files"))
    with pytest.raises(DataError, match=r"t\.parquet, column 'files': holds List\(String\)"):
        open_screen(folder)


def test_a_column_of_the_key_is_no_feature(folder):
    (folder / "e.csv").write_text("bar,pos,f1\n1,B2,1\n1,C12,2\n1,C11,3\n")
    (folder / "t.csv").write_text(SCREEN)
    yml = YML.replace("table: t.csv", "metadata: t.csv\nembeddings: e.csv\nkey: {P: bar, W: pos}")
    (folder / "screen.yml").write_text(yml)
    assert open_screen(folder).X[:, 0].tolist() == [1, 3, 2]
    (folder / "screen.yml").write_text(yml.replace('["f*"]', '["f*", bar]'))
    with pytest.raises(DataError, match=r"screen\.yml, features\[1\]: 'bar' is a column of the key"):
        open_screen(folder)


def test_text_of_a_parquet_may_have_decimal_commas(folder):
    cells = SCREEN.replace("0.5", '"0,5"').replace("A,30", 'A,"30,5"')
    pl.read_csv(cells.encode(), infer_schema=False).write_parquet(folder / "t.parquet")
    yml = YML.replace("t.csv", "t.parquet")
    (folder / "screen.yml").write_text(yml)
    with pytest.raises(DataError, match="decimal"):
        open_screen(folder)
    (folder / "screen.yml").write_text(f'{yml}decimal: ","\n')
    sites = open_screen(folder)
    assert sites.X[0].tolist() == [1.0, 0.5]
    assert sites.obs["dose_um"].tolist()[2] == 0.0305


@pytest.mark.parametrize(
    ("bars", "good"),
    [(pl.Float32, False), (pl.Float64, True), (pl.Int64, True), (pl.String, True), (pl.Decimal(20, 2), True)],
)
def test_barcodes_meet_however_they_are_kept_unless_digits_are_lost(folder, bars, good):
    barcode = 110000294901
    (folder / "t.csv").write_text(SCREEN.replace("\n1,", f"\n{barcode}.0,"))
    bar = pl.Series([barcode] * 3).cast(bars)
    table = pl.DataFrame({"bar": bar, "pos": ["C11", "B2", "c12"], "f1": [3.0, 1.0, 2.0]})
    table.write_parquet(folder / "e.parquet")
    yml = YML.replace("table: t.csv", "metadata: t.csv\nembeddings: e.parquet\nkey: {P: bar, W: pos}")
    (folder / "screen.yml").write_text(yml)
    if good:
        sites = open_screen(folder)
        assert sites.obs["plate"].cat.categories.tolist() == [barcode]
        assert sites.X[:, 0].tolist() == [1.0, 3.0, 2.0]
    else:
        (problem,) = [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]
        assert (
            "column 'bar', rows 1, 2, 3: holds 110000291840 as Float32, which keeps every digit only"
            in problem
        )
