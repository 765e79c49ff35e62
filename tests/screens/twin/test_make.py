"""The twin as files: the same numbers everywhere, whole or not there, and no real drug's name."""

import json
import subprocess
import sys
import time

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from helpers.errors import DataError, UsageError
from helpers.files import sha256
from helpers.screens.facts import COLUMNS, CONDITIONS
from helpers.screens.read import open_screen, read_classes, read_truth
from helpers.screens.twin import make as twin_module
from helpers.screens.twin.make import make_twin, simulate_twin
from helpers.screens.twin.model import TwinModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_twin(tmp_path_factory.mktemp("twin") / "tiny", scale="tiny", seed=5)


@pytest.fixture(scope="module")
def simulated():
    return simulate_twin("tiny", seed=5)


def _metadata(folder):
    return pd.read_csv(folder / "metadata.csv", dtype=str, keep_default_na=False)


def test_two_at_once_do_not_mix(tmp_path):
    with (
        FileLock(tmp_path / ".twin.make.lock"),
        pytest.raises(DataError, match=r"another process is making .*: wait for it, or name another folder"),
    ):
        make_twin(tmp_path / "twin", scale="tiny")
    assert not (tmp_path / "twin").exists()


def test_what_a_killed_call_left_goes_with_the_next(tmp_path):
    half, mine = tmp_path / ".twin.ab_cd012", tmp_path / ".twin.notes"
    for folder in (half / "twin", mine):
        folder.mkdir(parents=True)
        (folder / "metadata.csv").write_text("half")
    make_twin(tmp_path / "twin", scale="tiny")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".twin.notes", "twin"]


@pytest.mark.slow
def test_a_call_killed_at_any_moment_is_repeated(tmp_path, tiny_folder):
    """The folder is whole or as it was, and the next call gives the undisturbed bytes and leaves nothing else."""
    call = [
        sys.executable,
        "-m",
        "helpers.cli",
        "data",
        "make",
        "twin",
        str(tmp_path / "twin"),
        "--scale",
        "tiny",
    ]
    whole = {path.name: path.read_bytes() for path in tiny_folder.iterdir()}

    def found() -> dict:
        return {path.name: path.read_bytes() for path in (tmp_path / "twin").glob("*")}

    with subprocess.Popen(call, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(tmp_path.glob(".twin.*/twin/*")):
            time.sleep(0.002)
        time.sleep(0.01)
        process.kill()
    assert found() in ({}, whole)
    make_twin(tmp_path / "twin", scale="tiny")
    assert found() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["twin"]


def test_the_files_opened_are_the_twin_in_memory(folder, simulated):
    sites, truth = simulated
    opened = open_screen(folder)
    assert isinstance(opened, ad.AnnData)
    assert opened.uns["screen"]["kind"] == "twin"
    assert opened.obs_names.tolist() == sites.obs_names.tolist()
    assert opened.var_names.tolist() == sites.var_names.tolist()
    np.testing.assert_array_equal(opened.X, sites.X)
    for column in sites.obs:
        ours, theirs = (
            x.obs[column].astype(object).where(x.obs[column].notna(), None) for x in (sites, opened)
        )
        assert ours.tolist() == theirs.tolist(), column
    pd.testing.assert_frame_equal(read_truth(folder).fillna({"mechanism_class": ""}), truth)


def test_every_arm_has_its_truth(folder, simulated):
    sites, truth = simulated
    keys = ["experiment", "treatment", "dose_um"]
    arms = sites.obs.dropna(subset="treatment")[keys].astype({"experiment": str, "treatment": str})
    assert not truth.duplicated(keys).any()
    assert set(map(tuple, arms.drop_duplicates().to_numpy())) == set(map(tuple, truth[keys].to_numpy()))


def test_sites_are_sorted_so_that_every_plate_is_one_slice(simulated):
    obs = simulated[0].obs
    keys = ["experiment", "plate", "row", "col", "site"]
    order = obs[keys].astype({"experiment": str, "plate": int}).sort_values(keys, kind="stable").index
    assert obs.index.equals(order)
    assert simulated[0].X.dtype == np.float32


def test_metadata_is_in_rxrx19as_form(folder):
    metadata = _metadata(folder)
    assert tuple(metadata.columns) == COLUMNS
    assert set(metadata["disease_condition"]) == set(CONDITIONS)
    assert (metadata["site_id"] == metadata["well_id"] + "_" + metadata["site"]).all()
    first = metadata.iloc[0]
    assert (first["site_id"], first["well"]) == ("HRCE-1_1_AA02_1", "AA02")
    assert {"0.01", "10.0", "3.0"} & set(metadata["treatment_conc"]) == {"0.01", "3.0"}
    assert ((metadata["treatment"] == "") == (metadata["treatment_conc"] == "")).all()
    assert metadata.loc[metadata["treatment"] != "", "treatment"].str.contains("TWN-", case=False).all()
    text = (folder / "metadata.csv").read_text(encoding="utf-8")
    assert ' |c:1,3|"' in text


def test_csv_and_parquet_hold_the_same_numbers(folder, tmp_path):
    import pyarrow.parquet as pq

    other = make_twin(tmp_path / "parquet", scale="tiny", seed=5, file_format="parquet")
    file = pq.ParquetFile(other / "embeddings.parquet")
    assert file.num_row_groups == 9  # one per plate
    parquet = file.read().to_pandas()
    csv = pd.read_csv(folder / "embeddings.csv").astype({f"feature_{i}": np.float32 for i in range(64)})
    pd.testing.assert_frame_equal(parquet, csv)
    assert not (other / "embeddings.csv").exists()
    assert sha256(other / "truth.csv") == sha256(folder / "truth.csv")


@pytest.mark.slow
def test_the_same_call_writes_the_same_bytes(folder, tmp_path):
    again = make_twin(tmp_path / "again", scale="tiny", seed=5)
    hashes = {path.name: sha256(path) for path in folder.iterdir()}
    assert {path.name: sha256(path) for path in again.iterdir()} == hashes
    other = make_twin(tmp_path / "other", scale="tiny", seed=6)
    assert all(sha256(other / name) != hashes[name] for name in hashes)


def test_provenance_holds_what_is_needed_to_make_it_again(folder):
    provenance = json.loads((folder / "twin.json").read_text(encoding="utf-8"))
    assert (provenance["kind"], provenance["scale"], provenance["seed"]) == ("twin", "tiny", 5)
    assert provenance["n_sites"] == len(_metadata(folder))
    assert (
        TwinModel(**{k: tuple(v) if isinstance(v, list) else v for k, v in provenance["model"].items()})
        == TwinModel()
    )


def test_classes_and_failed_wells_name_what_is_in_the_screen(folder, simulated):
    classes, truth = read_classes(folder), simulated[1]
    expected = truth[truth["kind"] == "class"].groupby("treatment")["mechanism_class"].first()
    assert classes.set_index("treatment")["class"].sort_index().to_dict() == expected.to_dict()
    failed = pd.read_csv(folder / "failed_wells.csv")
    assert set(failed["reason"]) == {"dim", "low_cells"}
    assert set(failed["well_id"]) <= set(_metadata(folder)["well_id"])


def test_a_failing_run_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("killed")

    monkeypatch.setattr(twin_module, "_provenance", fail)
    with pytest.raises(RuntimeError):
        make_twin(tmp_path / "t", scale="tiny")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_run_leaves_the_former_twin_whole(folder, monkeypatch):
    before = {path.name: sha256(path) for path in folder.iterdir()}
    monkeypatch.setattr(twin_module, "_provenance", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_twin(folder, scale="tiny", seed=9)
    assert {path.name: sha256(path) for path in folder.iterdir()} == before


@pytest.mark.slow
def test_a_twin_replaces_a_twin_but_nothing_else(tmp_path):
    target = make_twin(tmp_path / "t", scale="tiny", seed=0)
    make_twin(target, scale="tiny", seed=1, file_format="parquet")
    assert sorted(path.suffix for path in target.glob("embeddings.*")) == [".parquet"]
    (target / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"notes\.txt"):
        make_twin(target, scale="tiny")
    user = tmp_path / "user"
    user.mkdir()
    (user / "metadata.csv").write_text("mine")
    with pytest.raises(DataError, match="new or empty folder"):
        make_twin(user, scale="tiny")
    assert (user / "metadata.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": "huge"}, "tiny, small, full"),
        ({"seed": -1}, "whole numbers from 0"),
        ({"file_format": "xlsx"}, "csv, parquet"),
    ],
)
def test_wrong_calls_list_what_is_allowed(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        make_twin(tmp_path / "t", **({"scale": "tiny"} | options))


DESIGN = """site_id,well_id,cell_type,experiment,plate,well,site,disease_condition,treatment,treatment_conc,SMILES
X-1_10_B03_1,X-1_10_B03,HRCE,X-1,10,B03,1,Active SARS-CoV-2,Realdrug,1.0,CCO
X-1_10_B03_2,X-1_10_B03,HRCE,X-1,10,B03,2,Active SARS-CoV-2,Realdrug,1.0,CCO
X-1_9_B02_2,X-1_9_B02,HRCE,X-1,9,B02,2,Active SARS-CoV-2,realdrug,0.50,CCO
X-1_9_B02_1,X-1_9_B02,HRCE,X-1,9,B02,1,Active SARS-CoV-2,realdrug,0.50,CCO
X-1_9_E08_1,X-1_9_E08,HRCE,X-1,9,E08,1,Mock,,,
"""


def test_a_borrowed_design_keeps_everything_but_names_and_structures(tmp_path):
    design = tmp_path / "design.csv"
    design.write_text(DESIGN)
    made = make_twin(tmp_path / "t", scale="tiny", design=design)
    metadata = _metadata(made)
    expected = ["X-1_9_B02_1", "X-1_9_B02_2", "X-1_9_E08_1", "X-1_10_B03_1", "X-1_10_B03_2"]
    assert metadata["site_id"].tolist() == expected
    assert metadata["treatment_conc"].tolist() == ["0.50", "0.50", "", "1.0", "1.0"]
    assert metadata["treatment"].tolist() == ["Twn-0001"] * 2 + [""] + ["TWN-0001"] * 2
    assert (metadata["SMILES"] == "").all()
    assert pd.read_csv(made / "embeddings.csv")["site_id"].tolist() == expected
    assert json.loads((made / "twin.json").read_text())["design"]["sha256"] == sha256(design)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Mock", "mocked", "disease_condition 'mocked' must be one of Mock"),
        ("E08", "AG08", "well 'AG08' must be a well like AA02"),
        ("0.50", "half", "treatment_conc 'half' must be a number"),
        ("X-1_9_B02_2,", "X-1_9_B02_1,", "site_id 'X-1_9_B02_1' must be unique"),
        (
            "1,Active SARS-CoV-2,Realdrug",
            "1,Active SARS-CoV-2,Other",
            "treatment 'Realdrug' must be the same",
        ),
        ("E08,1", "E08,a", "site 'a' must be a whole number"),
        ("disease_condition", "disease", "column disease_condition is missing"),
    ],
)
def test_a_broken_design_is_refused_with_its_first_problem(tmp_path, old, new, message):
    design = tmp_path / "design.csv"
    design.write_text(DESIGN.replace(old, new))
    with pytest.raises(DataError, match=message):
        make_twin(tmp_path / "t", scale="tiny", design=design)


def test_a_design_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="is no file"):
        make_twin(tmp_path / "t", scale="tiny", design=tmp_path / "nothing.csv")


def test_the_real_vero_design_gets_embeddings_without_real_names(tmp_path, real_data):
    design = real_data / "screens/vero1_design/metadata.csv"
    made = make_twin(tmp_path / "t", scale="tiny", design=design)
    ours, real = _metadata(made), pd.read_csv(design, dtype=str, keep_default_na=False)
    kept = [name for name in COLUMNS if name not in ("treatment", "SMILES")]
    pd.testing.assert_frame_equal(ours[kept], real[kept])
    pairs = pd.DataFrame({"ours": ours["treatment"], "real": real["treatment"]}).drop_duplicates()
    assert len(pairs) == 33
    assert pairs["ours"].is_unique
    text = (made / "metadata.csv").read_text() + (made / "truth.csv").read_text()
    assert not any(name in text for name in pairs["real"] if name)
    assert len(pd.read_csv(made / "truth.csv")) == 32 * 8
