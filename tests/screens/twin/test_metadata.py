"""Metadata of the twin: written from a design, read back as a design, and borrowed without its names."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.screens.facts import COLUMNS
from helpers.screens.twin.design import SCALES, design_wells
from helpers.screens.twin.metadata import four_sites, metadata_table, read_design, site_ids, structures


@pytest.fixture(scope="module")
def wells() -> pd.DataFrame:
    return design_wells(SCALES["tiny"], seed=0)


@pytest.fixture(scope="module")
def table(wells):
    return metadata_table(wells, four_sites(wells))


def test_every_well_has_four_sites_with_ids(wells):
    sites = four_sites(wells)
    assert len(sites) == 4 * len(wells)
    ids = site_ids(wells, sites)
    assert len(set(ids)) == len(ids)
    assert ids[5] == f"{wells['well_id'].iloc[1]}_2"


def test_the_table_has_the_columns_and_the_text_of_the_release(wells, table):
    assert tuple(table.columns) == tuple(COLUMNS)
    assert {str(kind) for kind in table.dtypes} == {"String"}
    assert set(table["disease_condition"].unique()) == {
        "", "Mock", "UV Inactivated SARS-CoV-2", "Active SARS-CoV-2",
    }  # fmt: skip
    doses = {text for text in table["treatment_conc"].unique() if text}
    assert all(text == repr(float(text)) for text in doses)
    bare = metadata_table(wells, four_sites(wells), smiles=False)
    assert set(bare["SMILES"]) == {""}


def test_spellings_of_a_compound_share_a_structure_in_another_form():
    from rdkit import Chem

    made = structures(pd.Series(["TWN-0001", "twn-0001", "TWN-0002", ""]))
    assert made[3] == ""
    same = [Chem.CanonSmiles(text.split(" ")[0]) for text in made[:3]]
    assert same[0] == same[1] != same[2]


@pytest.mark.slow
def test_a_design_is_borrowed_without_its_names(table, tmp_path):
    real = table.to_pandas()
    named = real["treatment"] != ""
    real.loc[named, "treatment"] = "Real " + real.loc[named, "treatment"]
    real.sample(frac=1, random_state=0).to_csv(tmp_path / "m.csv", index=False)
    wells, sites = read_design(tmp_path / "m.csv", seed=1)
    assert len(sites) == len(real)
    borrowed = wells["treatment"][wells["treatment"] != ""]
    assert borrowed.str.casefold().str.fullmatch(r"(\S+-)?twn-\d{4}").all()
    assert not borrowed.str.contains("Real").any()
    theirs = real[named.to_numpy()].groupby("treatment")["well_id"].nunique().sort_values().tolist()
    assert borrowed.value_counts().sort_values().tolist() == theirs
    again, _ = read_design(tmp_path / "m.csv", seed=1)
    pd.testing.assert_frame_equal(wells, again)
    assert not wells["treatment"].equals(read_design(tmp_path / "m.csv", seed=2)[0]["treatment"])
    back = metadata_table(wells, sites, smiles=False).to_pandas().set_index("site_id")
    columns = ["disease_condition", "treatment_conc", "plate", "well"]
    pd.testing.assert_frame_equal(back[columns].sort_index(), real.set_index("site_id")[columns].sort_index())


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("disease_condition", "sick", "disease_condition 'sick' must be one of"),
        ("well", "Z99", "well 'Z99' must be a well like AA02"),
        ("treatment_conc", "lots", "treatment_conc 'lots' must be a number in uM"),
        ("site", "one", "site 'one' must be a whole number from 1"),
        ("cell_type", "other", "cell_type '.*' must be the same in all sites of a well"),
    ],
)
def test_a_design_that_cannot_be_read_is_refused(table, tmp_path, column, value, said):
    real = table.head(40).to_pandas()
    real.loc[5, column] = value
    real.to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(DataError, match=f"m.csv, site .*{said}"):
        read_design(tmp_path / "m.csv", seed=0)


def test_a_file_that_is_no_design_is_refused(table, tmp_path):
    with pytest.raises(DataError, match="is no file"):
        read_design(tmp_path / "none.csv", seed=0)
    table.head(4).drop("site", "plate").write_csv(tmp_path / "m.csv")
    with pytest.raises(DataError, match="column plate, site is missing"):
        read_design(tmp_path / "m.csv", seed=0)
    np.savetxt(tmp_path / "n.csv", np.zeros((2, 2)), delimiter=",")
    with pytest.raises(DataError, match=r"column .* is there twice|is missing"):
        read_design(tmp_path / "n.csv", seed=0)
