import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.errors import DataError
from helpers.screens import check_screen, open_screen
from helpers.screens.mapping import Mapping, read_mapping


def table(n_plates: int = 2) -> pd.DataFrame:
    """Return a made-up well-level screen in names of its own; doses in nM."""
    rows = []
    for plate in [f"P{i + 1}" for i in range(n_plates)]:
        rows += [(plate, f"A{c}", "healthy", "DMSO", 0.0) for c in (1, 2)]
        rows += [(plate, f"B{c}", "virus", "DMSO", 0.0) for c in (1, 2, 3)]
        rows += [(plate, "AF48", "virus", "drug x", 3.0), (plate, "C1", "virus", "drug x", 30_000.0)]
        rows += [(plate, "C2", "none", "", np.nan)]
    frame = pd.DataFrame(rows, columns=["barcode", "position", "state", "compound", "conc"])
    values = np.random.default_rng(1).normal(size=(len(frame), 3)).round(4)
    return frame.assign(F_2=values[:, 0], F_10=values[:, 1], area=100 * values[:, 2], batch="b1")


def mapping() -> dict:
    return {
        "name": "Mine",
        "level": "well",
        "table": "wells.csv",
        "columns": {
            "plate": "barcode",
            "well": "position",
            "condition": "state",
            "treatment": "compound",
            "dose": "conc",
        },
        "conditions": {"mock": "healthy", "infected": ["virus"], "blank": ["none"]},
        "untreated": {"compound": ["DMSO"]},
        "dose_unit": "nM",
        "features": ["F_*", "area"],
    }


def write(folder, given: dict, frame: pd.DataFrame | None = None):
    folder.mkdir(exist_ok=True)
    (table() if frame is None else frame).to_csv(folder / "wells.csv", index=False)
    (folder / "screen.yml").write_text(yaml.safe_dump(given, sort_keys=False))
    return folder


def fatal(folder) -> list[str]:
    return [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]


def test_one_table_of_wells(tmp_path):
    sites = open_screen(write(tmp_path, mapping()))
    frame = table()
    assert sites.shape == (16, 3)
    assert list(sites.var_names) == ["F_2", "F_10", "area"]
    frame.index = (
        "Mine_"
        + frame["barcode"]
        + "_"
        + frame["position"].replace({f"{r}{c}": f"{r}0{c}" for r in "ABC" for c in (1, 2, 3)})
        + "_1"
    )
    np.testing.assert_array_equal(
        sites.X, frame.loc[sites.obs_names, ["F_2", "F_10", "area"]].to_numpy(np.float32)
    )
    obs = sites.obs
    assert obs["condition"].value_counts().to_dict() == {"infected": 10, "mock": 4, "blank": 2, "uv": 0}
    assert obs["treatment"].dropna().unique().tolist() == ["drug x"]
    assert obs.loc["Mine_P1_AF48_1", ["row", "col", "dose_um"]].tolist() == [32, 48, 0.003]
    assert obs["dose_um"].dropna().unique().tolist() == [30.0, 0.003]
    assert obs["dose_um"].notna().sum() == 4
    assert (sites.uns["screen"]["name"], sites.uns["screen"]["level"]) == ("Mine", "well")
    assert sorted(sites.uns["screen"]["files"]) == ["screen.yml", "wells.csv"]


@pytest.mark.parametrize(("unit", "factor"), [("nM", 1e-3), ("uM", 1.0), ("mM", 1e3), ("M", 1e6)])
def test_doses_come_in_micromolar(unit, factor, tmp_path):
    obs = open_screen(write(tmp_path, mapping() | {"dose_unit": unit})).obs
    assert sorted(obs["dose_um"].dropna().unique()) == pytest.approx([3 * factor, 30_000 * factor], rel=1e-14)


def test_any_row_order_gives_the_same(tmp_path):
    one = open_screen(write(tmp_path / "a", mapping()))
    other = open_screen(write(tmp_path / "b", mapping(), table().sample(frac=1, random_state=0)))
    pd.testing.assert_frame_equal(one.obs, other.obs)
    np.testing.assert_array_equal(one.X, other.X)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_two_tables_joined_by_key_columns(suffix, tmp_path):
    expected = open_screen(write(tmp_path / "one", mapping()))
    folder = tmp_path / "two"
    folder.mkdir()
    frame = table()
    frame[["barcode", "position", "state", "compound", "conc"]].to_csv(folder / "a.csv", index=False)
    features = frame[["barcode", "position", "F_10", "area", "F_2"]].rename(columns={"barcode": "plate"})
    features = features.sample(frac=1, random_state=1)
    path = folder / f"b{suffix}"
    features.to_csv(path, index=False) if suffix == ".csv" else features.to_parquet(path)
    given = mapping() | {"metadata": "a.csv", "embeddings": f"b{suffix}"}
    given |= {"key": {"barcode": "plate", "position": "position"}}
    del given["table"]
    (folder / "screen.yml").write_text(yaml.safe_dump(given))
    sites = open_screen(folder)
    pd.testing.assert_frame_equal(sites.obs, expected.obs)
    np.testing.assert_array_equal(sites.X, expected.X)
    # Without a list of features, all other columns are.
    del given["features"]
    (folder / "screen.yml").write_text(yaml.safe_dump(given))
    assert list(open_screen(folder).var_names) == ["F_10", "area", "F_2"]
    # A well without a partner is found in either table.
    features.iloc[1:].to_csv(folder / "b.csv", index=False)
    (folder / "screen.yml").write_text(yaml.safe_dump(given | {"embeddings": "b.csv"}))
    assert "has no row in b.csv" in fatal(folder)[0]


def test_a_table_of_sites(tmp_path):
    frame = pd.concat([table().assign(field=field) for field in (1, 2)])
    given = mapping() | {"level": "site"}
    given["columns"] |= {"site": "field", "experiment": "batch", "cell_type": {"value": "A549"}}
    sites = open_screen(write(tmp_path, given, frame))
    assert sites.n_obs == 32
    assert sites.obs["site"].tolist()[:4] == [1, 2, 1, 2]
    assert sites.obs["well_id"].nunique() == 16
    assert sites.obs["experiment"].unique().tolist() == ["b1"]
    assert sites.obs["cell_type"].unique().tolist() == ["A549"]


def test_robust_scale_gives_each_feature_unit_spread_among_infected_untreated_wells(tmp_path):
    plain = open_screen(write(tmp_path / "a", mapping()))
    scaled = open_screen(write(tmp_path / "b", mapping() | {"scale_features": "robust"}))
    reference = ((plain.obs["condition"] == "infected") & plain.obs["treatment"].isna()).to_numpy()
    values = plain.X[reference]
    mad = np.median(np.abs(values - np.median(values, axis=0)), axis=0)
    np.testing.assert_allclose(scaled.X, plain.X / (1.4826 * mad), rtol=1e-5)


def test_less_is_enough(tmp_path):
    given = mapping()
    for name in ("treatment", "dose"):
        del given["columns"][name]
    del given["untreated"], given["dose_unit"], given["features"]
    sites = open_screen(write(tmp_path, given))
    assert sites.shape == (16, 0)
    assert sites.obs["treatment"].isna().all()
    given["columns"]["treatment"] = "compound"
    sites = open_screen(write(tmp_path, given | {"untreated": {"compound": ["DMSO"]}, "features": "area"}))
    assert sites.shape == (16, 1)
    assert sites.obs["dose_um"].isna().all()
    assert any("no dose" in note for note in sites.uns["screen"]["notes"])


def test_other_separators(tmp_path):
    write(tmp_path, mapping() | {"separator": ";"})
    table().to_csv(tmp_path / "wells.csv", index=False, sep=";")
    assert open_screen(tmp_path).shape == (16, 3)
    (tmp_path / "screen.yml").write_text(yaml.safe_dump(mapping()))
    assert "separated by semicolons" in fatal(tmp_path)[0]


def change(**keys):
    return lambda given: given | keys


def drop(name):
    return lambda given: {k: v for k, v in given.items() if k != name}


def within(name, **keys):
    return lambda given: given | {name: given[name] | keys}


MISTAKES = {
    "unknown_key": (change(feature=["area"]), "screen.yml, feature: unknown key (is 'features' meant?); allowed are"),
    "missing_name": (drop("name"), "screen.yml, name: is missing"),
    "missing_columns": (drop("columns"), "screen.yml, columns: is missing"),
    "missing_conditions": (drop("conditions"), "screen.yml, conditions: is missing"),
    "missing_table": (drop("table"), "screen.yml, table: the keys of the tables do not fit; allowed are `table`, or"),
    "table_and_metadata": (change(metadata="a.csv"), "allowed are `table`, or"),
    "no_such_file": (change(table="well.csv"), "screen.yml, table: there is no file 'well.csv'"),
    "bad_level": (change(level="plate"), "screen.yml, level: is 'plate'; allowed are 'site', 'well'"),
    "bad_unit": (change(dose_unit="ug/ml"), "screen.yml, dose_unit: is 'ug/ml'; allowed are 'nM', 'uM', 'mM', 'M'"),
    "bad_scale": (change(scale_features=True), "screen.yml, scale_features: is True; allowed are 'none', 'robust'"),
    "bad_separator": (change(separator=":"), "screen.yml, separator: is ':'; allowed are"),
    "unknown_column_key": (within("columns", wel="x"), "screen.yml, columns.wel: unknown key (is 'well' meant?)"),
    "missing_column_key": (
        lambda given: given | {"columns": {k: v for k, v in given["columns"].items() if k != "plate"}},
        "screen.yml, columns.plate: is missing",
    ),
    "no_such_column": (
        within("columns", plate="barcodes"),
        "screen.yml, columns.plate: 'barcodes' is no column of wells.csv (is 'barcode' meant?); it has 'barcode'",
    ),
    "site_at_well_level": (within("columns", site="batch"), "screen.yml, columns.site: unknown key"),
    "no_site_at_site_level": (change(level="site"), "screen.yml, columns.site: is missing"),
    "constant_condition": (within("columns", condition={"value": "virus"}), "screen.yml, columns.condition:"),
    "constant_without_value": (within("columns", cell_type={"val": "A549"}), "screen.yml, columns.cell_type.val"),
    "columns_as_list": (change(columns=["barcode"]), "screen.yml, columns: is ['barcode']; expected is a mapping"),
    "unknown_condition": (within("conditions", cured=["x"]), "screen.yml, conditions.cured: unknown key"),
    "unmapped_value": (
        within("conditions", infected=[]),
        "wells.csv, lines 4, 5, 6, 7 and 6 more: state 'virus' is unknown; allowed are 'healthy', 'none', or empty",
    ),
    "value_in_two_conditions": (
        within("conditions", uv=["virus"]),
        "screen.yml, conditions.uv: 'virus' is under infected too",
    ),
    "yaml_truth_value": (within("conditions", uv=[False]), "screen.yml, conditions.uv[0]: is False"),
    "no_mock": (within("conditions", mock=[], blank=["none", "healthy"]), "no mock well"),
    "no_such_feature": (
        change(features=["F_2", "aera"]),
        "screen.yml, features[1]: 'aera' matches no column of wells.csv (is 'area' meant?)",
    ),
    "pattern_without_match": (change(features="G_*"), "screen.yml, features[0]: 'G_*' matches no column"),
    "text_as_feature": (change(features=["batch"]), "wells.csv, line 1: column 'batch' holds no number"),
    "no_such_extra": (change(extra=["cells"]), "screen.yml, extra[0]: 'cells' is no column of wells.csv"),
    "no_such_untreated": (change(untreated={"type": "x"}), "screen.yml, untreated.type: 'type' is no column"),
    "untreated_as_list": (change(untreated=["DMSO"]), "screen.yml, untreated: is ['DMSO']; expected is a column"),
    "dose_of_untreated": (
        drop("untreated"),
        "conc '0.0' is not above 0; allowed is a dose in nM",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_mapping_gives_one_clear_line(name, tmp_path):
    edit, says = MISTAKES[name]
    folder = write(tmp_path, edit(mapping()))
    lines = [str(problem) for problem in check_screen(folder) if problem.level == "fatal"]
    assert any(says in line for line in lines), lines
    assert len(lines) == 1, lines
    assert "\n" not in lines[0]
    with pytest.raises(DataError):
        open_screen(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [1\nlevel: well", "is not YAML"),
        (
            "name: a\nlevel: well\nname: b\n",
            "screen.yml, lines 1 and 3: the key 'name' is given twice; keep one",
        ),
        ("columns:\n  plate: a\n  plate: b\n", "screen.yml, lines 2 and 3: the key 'plate' is given twice"),
        ("columns: {plate: a, plate: b}\n", "screen.yml, line 1: the key 'plate' is given twice"),
        ("a: " + "[" * 5000, "nested too deeply"),
        (f"name: {'9' * 5000}\n", "holds a value that cannot be read"),
        ("name: 2024-13-45\n", "holds a value that cannot be read"),
        ("", "expected is a mapping with the keys name, level"),
        ("- a\n- b\n", "expected is a mapping with the keys name, level"),
    ],
)
def test_a_file_that_is_no_mapping(text, says, tmp_path):
    folder = write(tmp_path, mapping())
    (folder / "screen.yml").write_text(text)
    assert len(fatal(folder)) == 1
    assert says in fatal(folder)[0]


def broken_table(row: int, column: str, value: object) -> pd.DataFrame:
    frame = table().astype(object)
    frame.loc[row, column] = value
    return frame


def treated_control() -> pd.DataFrame:
    frame = broken_table(0, "compound", "drug x")
    return frame.assign(conc=table()["conc"].replace(0.0, 5.0))


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pd.concat([table(), table().iloc[[5]]]), "lines 7, 18: well 'AF48' of plate 'P1' is there 2 times"),
        (broken_table(5, "position", "A1"), "lines 2, 7: well 'A01' of plate 'P1' is there 2 times"),
        (broken_table(5, "position", "AG1"), "line 7: position 'AG1' is no well"),
        (broken_table(5, "position", None), "line 7: position is empty"),
        (broken_table(5, "conc", "-3"), "line 7: conc '-3' is not above 0; allowed is a dose in nM"),
        (broken_table(5, "conc", None), "line 7: compound 'drug x' without conc"),
        (treated_control(), "on a control well (mock)"),
        (broken_table(5, "area", None), "line 7: area is empty, not a finite number"),
        (broken_table(5, "state", "cured"), "line 7: state 'cured' is unknown"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_named_as_the_user_named_it(frame, says, tmp_path):
    lines = fatal(write(tmp_path, mapping(), frame))
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"wells.csv, {says}") or says in lines[0]


def test_all_mistakes_are_found_at_once(tmp_path):
    given = mapping() | {"dose_unit": "g", "level": "x", "surplus": 1}
    del given["name"]
    assert len(fatal(write(tmp_path, given))) == 4


def test_controls_may_stand_on_plates_of_their_own(tmp_path):
    frame = table()
    frame = frame[(frame["barcode"] == "P1") | (frame["state"] != "healthy")]
    problems = [str(problem) for problem in check_screen(write(tmp_path, mapping(), frame))]
    assert any("plate Mine_P2: no mock well; those of the experiment's other plates" in p for p in problems)
    assert fatal(tmp_path) == []


def test_the_documented_keys_are_the_ones_that_are_read(tmp_path):
    """The docstring of the module is a mapping that reads."""
    from helpers.screens import mapping as module

    text = module.__doc__.split("::\n", 1)[1].rsplit("\n\nValues are compared", 1)[0]
    path = tmp_path / "screen.yml"
    path.write_text(text.replace("level: well ", "level: site "))
    read, problems = read_mapping(path)
    assert problems == []
    assert isinstance(read, Mapping)


def test_the_example_of_the_book_opens_the_real_screen(real_data, project, tmp_path):
    shutil.copy(project / "book" / "examples" / "a549" / "screen.yml", tmp_path)
    shutil.copy(real_data / "screens" / "sarscov2_a549" / "wells.csv", tmp_path)
    assert fatal(tmp_path) == []
    sites = open_screen(tmp_path)
    frame = pd.read_csv(tmp_path / "wells.csv")
    obs = sites.obs
    assert sites.shape == (3967, 1)
    untreated = obs["treatment"].isna()
    assert obs[untreated].value_counts("condition").to_dict() == {
        "infected": 649,
        "mock": 640,
        "uv": 0,
        "blank": 0,
    }
    assert (obs["treatment"] == "Remdesivir").sum() == 173
    key = frame["Metadata_Barcode"] + "_" + frame["Metadata_Well"]
    expected = frame.set_index(key).loc[obs["plate"].astype(str) + "_" + obs["well"].astype(str)]
    np.testing.assert_array_equal(sites.X[:, 0], expected["PLS_pred"].to_numpy(np.float32))
    np.testing.assert_array_equal(obs["Count_nuclei"], expected["Count_nuclei"])
    # The published quality of the assay, from the pooled control wells.
    mock = sites.X[((obs["condition"] == "mock") & untreated).to_numpy(), 0].astype(float)
    infected = sites.X[((obs["condition"] == "infected") & untreated).to_numpy(), 0].astype(float)
    z_prime = 1 - 3 * (mock.std(ddof=1) + infected.std(ddof=1)) / abs(mock.mean() - infected.mean())
    assert z_prime == pytest.approx(0.546, abs=0.001)
