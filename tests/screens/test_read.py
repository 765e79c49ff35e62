import gzip
import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.errors import DataError, UsageError
from helpers.files import sha256
from helpers.screens import make_twin, resolve_source, simulate_twin
from helpers.screens.order import natural_key
from helpers.screens.read import open_screen, read_classes, read_truth
from screens.broken import embeddings, metadata, write_screen, write_table


def assert_same(a, b):
    """Assert that two screens hold the same numbers, whatever files they came from."""
    pd.testing.assert_frame_equal(a.obs, b.obs)
    assert list(a.var_names) == list(b.var_names)
    np.testing.assert_array_equal(a.X, b.X)
    assert a.X.dtype == b.X.dtype == np.float32


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return open_screen(write_screen(tmp_path_factory.mktemp("plain")))


@pytest.fixture(scope="module")
def tiny_twin(tmp_path_factory):
    return make_twin(tmp_path_factory.mktemp("twin") / "tiny", scale="tiny", seed=3)


def test_the_contract(plain, tmp_path):
    obs = plain.obs
    assert plain.shape == (64, 4)
    assert list(obs.columns) == [
        *("well_id", "cell_type", "experiment", "plate", "plate_id", "well", "row", "col", "site"),
        *("condition", "treatment", "treatment_raw", "dose_um", "smiles"),
    ]
    categorical = ["well_id", "cell_type", "experiment", "plate", "plate_id", "well", "condition"]
    categorical += ["treatment", "treatment_raw", "smiles"]
    assert all(obs[name].dtype == "category" for name in categorical)
    assert list(obs["condition"].cat.categories) == ["mock", "uv", "infected", "blank"]
    assert list(obs["plate"].cat.categories) == [2, 10]
    assert [obs[name].dtype for name in ("row", "col", "site", "dose_um")] == ["int16"] * 3 + ["float64"]
    # Plate 2 before 10, row B before AA, features by number.
    assert list(obs["plate"].astype(int)) == [2] * 32 + [10] * 32
    wells = ["B08", "C02", "D02", "E08", "F03", "F04", "M08", "AA03"]
    assert list(obs["well"].astype(str)[:32:4]) == wells
    assert list(plain.var_names) == ["feature_0", "feature_1", "feature_2", "feature_10"]
    first = obs.loc["HRCE-1_2_F04_3"]
    assert (first["dose_um"], first["treatment"], first["condition"]) == (10.0, "TWN-0001", "infected")
    assert first["smiles"] == obs.loc["HRCE-1_2_F03_1", "smiles"] == "CCO"
    assert obs.loc[obs["condition"] != "infected", ["treatment", "dose_um", "smiles"]].isna().all(axis=None)


def test_every_site_gets_its_own_embeddings(plain):
    table = embeddings(metadata()["site_id"]).set_index("site_id").loc[plain.obs_names]
    np.testing.assert_array_equal(plain.X, table.to_numpy())


def test_provenance(tmp_path):
    folder = write_screen(tmp_path / "mine")
    screen = open_screen(folder).uns["screen"]
    assert (screen["name"], screen["kind"], screen["level"]) == ("mine", "user", "site")
    assert screen["files"] == {n: sha256(folder / n) for n in ("metadata.csv", "embeddings.csv")}
    assert screen["path"] == str(folder)
    assert screen["notes"] == ["metadata.csv: 2 wells with an empty condition: kept out of every fit"]


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(64)))
def test_any_row_order(order, plain, tmp_path):
    assert_same(open_screen(write_screen(tmp_path, order=np.array(order))), plain)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".zip", ".parquet"])
def test_any_format(suffix, plain, tmp_path):
    assert_same(open_screen(write_screen(tmp_path, suffix=suffix)), plain)


def mark(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


def crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def blank_lines(data: bytes) -> bytes:
    return data + b"\n\r\n\n"


def blank_line_inside(data: bytes) -> bytes:
    first, rest = data.split(b"\n", 1)
    return first + b"\n\n" + rest


def no_last_newline(data: bytes) -> bytes:
    return data.rstrip(b"\n")


def quoted(data: bytes) -> bytes:
    rows = data.decode().splitlines()
    return "\n".join(",".join(f'"{cell}"' for cell in row.split(",")) for row in rows).encode()


def everything(data: bytes) -> bytes:
    return mark(crlf(data + b"\n\n"))


@pytest.mark.parametrize(
    "change", [mark, crlf, blank_lines, blank_line_inside, no_last_newline, quoted, everything]
)
@pytest.mark.parametrize("name", ["metadata.csv", "embeddings.csv"])
def test_harmless_ways_of_writing_a_csv(change, name, plain, tmp_path):
    folder = write_screen(tmp_path)
    data = (folder / name).read_bytes()
    # The one structure with a comma is quoted already.
    data = data.replace(b'"CCO |c:1,t:2|"', b"CCO") if change is quoted else data
    (folder / name).write_bytes(change(data))
    assert_same(open_screen(folder), plain)


def test_the_files_as_they_are_downloaded(plain, tmp_path):
    """Zips of the release: a folder inside, one embeddings CSV per experiment, things that are no data."""
    table = pd.concat([metadata(), metadata().replace("HRCE-1", "HRCE-2").pipe(in_experiment, "HRCE-2")])
    features = embeddings(table["site_id"])
    with zipfile.ZipFile(tmp_path / "RxRx19a-metadata.zip", "w") as archive:
        archive.writestr("RxRx19a/metadata.csv", table.to_csv(index=False))
        archive.writestr("__MACOSX/RxRx19a/._metadata.csv", b"\0\1")
        archive.writestr("RxRx19a/LICENSE.txt", "CC BY 4.0")
    with zipfile.ZipFile(tmp_path / "RxRx19a-DL-embeddings.zip", "w") as archive:
        for experiment in ("HRCE-2", "HRCE-1"):
            part = features[features["site_id"].str.startswith(experiment)]
            # Columns of the second member stand in another order.
            part = part if experiment == "HRCE-2" else part[part.columns[::-1]]
            archive.writestr(f"RxRx19a/{experiment}.csv", part.to_csv(index=False))
        archive.writestr("RxRx19a/columns.csv", "name,meaning\nfeature_0,none\n")
    sites = open_screen(tmp_path)
    assert sites.uns["screen"]["kind"] == "rxrx19a"
    assert any("columns.csv" in line and "ignored" in line for line in sites.uns["screen"]["notes"])
    expected = features.set_index("site_id").loc[sites.obs_names, plain.var_names]
    np.testing.assert_array_equal(sites.X, expected.to_numpy())
    assert_same(open_screen(tmp_path, experiments="HRCE-1"), plain)


def test_every_member_of_a_zip_of_metadata_is_read(tmp_path):
    names = ("HRCE-1", "HRCE-2")
    with zipfile.ZipFile(tmp_path / "metadata.zip", "w") as archive:
        for name in names:
            archive.writestr(f"{name}.csv", in_experiment(metadata(), name).to_csv(index=False))
    assert open_screen(tmp_path).obs["experiment"].value_counts().to_dict() == dict.fromkeys(names, 64)


def in_experiment(table: pd.DataFrame, experiment: str) -> pd.DataFrame:
    well_id = experiment + "_" + table["plate"].astype(str) + "_" + table["well"]
    return table.assign(
        experiment=experiment, well_id=well_id, site_id=well_id + "_" + table["site"].astype(str)
    )


@pytest.mark.parametrize("folder", [".", "RxRx19a"])
def test_the_files_may_lie_in_a_folder_of_their_own(folder, plain, tmp_path):
    write_screen(tmp_path / folder)
    assert_same(open_screen(tmp_path), plain)


def test_a_typed_parquet_with_floats_for_whole_numbers(plain, tmp_path):
    """What pandas writes once a column had a gap: plate 2.0, site 1.0."""
    table = metadata().astype({"plate": float, "site": float, "disease_condition": "category"})
    table.iloc[::-1].to_parquet(tmp_path / "metadata.parquet")
    features = embeddings(table["site_id"]).astype({"feature_0": float})
    features.iloc[::-1].to_parquet(tmp_path / "embeddings.parquet")  # keeps the index as a column
    assert_same(open_screen(tmp_path), plain)


def test_experiments(tmp_path):
    table = pd.concat([in_experiment(metadata(), name) for name in ("E-10", "E-9", "E-11")])
    write_table(table, tmp_path / "metadata.csv")
    write_table(embeddings(table["site_id"]), tmp_path / "embeddings.csv")
    whole = open_screen(tmp_path)
    assert list(whole.obs["experiment"].cat.categories) == ["E-9", "E-10", "E-11"]
    some = open_screen(tmp_path, experiments="E-11, E-9")
    expected = whole[whole.obs["experiment"].isin(["E-9", "E-11"])]
    assert list(some.obs_names) == list(expected.obs_names)
    np.testing.assert_array_equal(some.X, expected.X)
    assert list(open_screen(tmp_path, experiments=["E-10"]).obs["experiment"].cat.categories) == ["E-10"]
    for wrong in ("E-1", "E-9,HRCE-1", ""):
        with pytest.raises(UsageError, match="allowed are all, E-9, E-10, E-11"):
            open_screen(tmp_path, experiments=wrong)


def test_plates_with_names_and_extra_columns(tmp_path):
    table = metadata().assign(operator="X", cells=np.arange(64.0), row=5)
    table["plate"] = table["plate"].map({2: "02", 10: "P10"})
    table = in_experiment(table, "HRCE-1")
    write_table(table, tmp_path / "metadata.csv")
    sites = open_screen(tmp_path)
    assert sites.shape == (64, 0)
    assert list(sites.obs["plate"].cat.categories) == ["02", "P10"]
    assert sites.obs["operator"].dtype == "category"
    assert sites.obs["cells"].dtype == float
    assert (sites.obs["row_file"] == 5).all()
    assert sites.obs["row"].iloc[0] == 2


def test_any_names_of_features(tmp_path):
    table = metadata()
    write_table(table, tmp_path / "metadata.csv")
    features = embeddings(table["site_id"])
    features.columns = ["site_id", "PC2", "area", "line", "PC1"]
    write_table(features.assign(plate=2), tmp_path / "embeddings.csv")
    sites = open_screen(tmp_path)
    assert list(sites.var_names) == ["PC2", "area", "line", "PC1"]
    assert any("'plate' belongs to the metadata" in note for note in sites.uns["screen"]["notes"])
    write_table(features[["site_id", "area"]], tmp_path / "embeddings.csv")
    assert open_screen(tmp_path).shape == (64, 1)


def test_compound_names_differ_in_case(tmp_path):
    table = metadata()
    table.loc[table["well"] == "AA03", "treatment"] = "twn-0001"
    table.loc[table["well"] == "AA03", "SMILES"] = None
    write_table(table, tmp_path / "metadata.csv")
    obs = open_screen(tmp_path).obs
    assert list(obs["treatment"].cat.categories) == ["TWN-0001"]
    assert set(obs["treatment_raw"].dropna()) == {"TWN-0001", "twn-0001"}
    assert set(obs.loc[obs["well"] == "AA03", "smiles"]) == {"CCO"}


@pytest.mark.slow
def test_a_twin_read_back_is_the_twin_simulated(tiny_twin):
    sites = open_screen(tiny_twin)
    expected, truth = simulate_twin("tiny", 3)
    assert_same(sites, expected)
    assert sites.uns["screen"]["kind"] == "twin"
    pd.testing.assert_frame_equal(read_truth(tiny_twin), truth, check_dtype=False, check_categorical=False)


def test_truth_and_classes_speak_of_the_treatments_of_the_screen(tiny_twin):
    obs = open_screen(tiny_twin).obs
    arms = obs[["experiment", "treatment", "dose_um"]].dropna().astype({"experiment": str, "treatment": str})
    truth = read_truth(tiny_twin)
    assert set(arms.itertuples(index=False, name=None)) == set(
        truth[["experiment", "treatment", "dose_um"]].itertuples(index=False, name=None)
    )
    assert set(read_classes(tiny_twin)["treatment"]) <= set(obs["treatment"].cat.categories)


def test_a_real_screen_has_no_truth(tmp_path):
    assert read_truth(write_screen(tmp_path)) is None
    assert read_classes(tmp_path) is None


def test_the_twin_is_made_once(tmp_path, monkeypatch, tiny_twin):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path))
    calls = []

    def stand_in(folder, **options):
        calls.append(options)
        shutil.copytree(tiny_twin, folder)

    monkeypatch.setattr("helpers.screens.twin.make.make_twin", stand_in)
    folder = resolve_source("twin")
    assert folder == resolve_source("twin")
    assert calls == [{"scale": "small", "seed": 0, "world": "calm", "file_format": "parquet"}]
    assert json.loads((folder / "twin.json").read_text())["scale"] == "tiny"


def test_rxrx19a_names_the_command_that_fetches_it(tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="rxrx19 data fetch rxrx19a --what metadata"):
        resolve_source("rxrx19a")
    write_screen(tmp_path / "rxrx19a", suffix=".zip")
    (tmp_path / "rxrx19a" / "metadata.zip").rename(tmp_path / "rxrx19a" / "RxRx19a-metadata.zip")
    with pytest.raises(DataError, match="rxrx19 data fetch rxrx19a --what embeddings"):
        resolve_source("rxrx19a")
    (tmp_path / "rxrx19a" / "embeddings.zip").rename(tmp_path / "rxrx19a" / "RxRx19a-DL-embeddings.zip")
    assert open_screen("rxrx19a").uns["screen"]["kind"] == "rxrx19a"


def test_real_plate(real_data):
    folder = real_data / "screens" / "hrce1_plate25"
    sites = open_screen(folder)
    table = pd.read_csv(folder / "embeddings.csv").set_index("site_id").loc[sites.obs_names]
    np.testing.assert_array_equal(sites.X, table.to_numpy(np.float32))
    wells = sites.obs.drop_duplicates("well_id")
    assert wells["condition"].value_counts().to_dict() == {"infected": 30, "mock": 6, "uv": 6, "blank": 0}
    doses = wells.groupby("treatment", observed=True)["dose_um"].agg(["size", "nunique"])
    assert sorted(map(tuple, doses.to_numpy())) == [(8, 8), (16, 8)]


def test_real_design(real_data):
    sites = open_screen(real_data / "screens" / "vero1_design")
    assert sites.shape == (10_720, 0)
    wells = sites.obs.drop_duplicates("well_id")
    per_plate = wells.groupby(["plate", "condition"], observed=False).size()
    assert [per_plate[plate, "mock"] for plate in (1, 2)] == [40, 40]
    assert [per_plate[plate, "blank"] for plate in (1, 2)] == [30, 30]
    arms = wells.groupby(["treatment", "dose_um"], observed=True).size()
    assert len(arms) == 32 * 8
    assert (arms == 8).all()


def test_a_gzip_may_end_with_blank_lines(plain, tmp_path):
    folder = write_screen(tmp_path)
    data = (folder / "metadata.csv").read_bytes()
    (folder / "metadata.csv").unlink()
    (folder / "metadata.csv.gz").write_bytes(gzip.compress(everything(data)))
    assert_same(open_screen(folder), plain)


def test_a_plate_may_have_thousands_of_digits(tmp_path):
    """More than Python turns into a number, and more than an int64 holds: then plates are names."""
    long = "9" * 5000
    table = metadata()
    table["plate"] = table["plate"].map({2: long, 10: "10"})
    table = in_experiment(table, "HRCE-1")
    write_table(table, tmp_path / "metadata.csv")
    assert list(open_screen(tmp_path).obs["plate"].cat.categories) == ["10", long]
    made = make_twin(tmp_path / "twin", scale="tiny", design=tmp_path / "metadata.csv")
    assert (made / "twin.json").is_file()


def test_numbers_of_any_length_are_sorted_as_numbers():
    names = ["P10", "P9", "P009", "P" + "1" * 5000, "P" + "2" * 4999, "Q1", "10", "9", "P"]
    ordered = ["9", "10", "P", "P9", "P009", "P10", "P" + "2" * 4999, "P" + "1" * 5000, "Q1"]
    assert sorted(names, key=natural_key) == ordered
