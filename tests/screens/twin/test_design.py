"""The twin's layout against every count that is known of RxRx19a."""

import numpy as np
import pandas as pd
import pytest

from helpers.screens import facts
from helpers.screens.layout import parse_well, scattered
from helpers.screens.twin.design import SCALES, design_wells
from helpers.screens.twin.names import case_spellings, compound_number, invented_smiles


@pytest.fixture(scope="module")
def full():
    return design_wells(SCALES["full"], seed=3)


@pytest.fixture(scope="module")
def hrce(full):
    return full[full["cell_type"] == "HRCE"]


@pytest.fixture(scope="module")
def treated(hrce):
    return hrce[hrce["treatment"] != ""]


@pytest.mark.slow
def test_wells_and_plates_of_the_full_twin_are_rxrx19as(full, hrce):
    assert len(full) == facts.COUNTS["wells"]
    assert full["well_id"].is_unique
    plates = full.groupby("experiment")["plate"].nunique().to_dict()
    assert plates == facts.COUNTS["plates"]
    sites = (full["condition"].value_counts() * 4).to_dict()
    assert sites == facts.COUNTS["sites_per_condition"]
    untreated = hrce[hrce["treatment"] == ""]["condition"].value_counts().to_dict()
    expected = dict(facts.COUNTS["hrce_wells"])
    assert (hrce["treatment"] != "").sum() == expected.pop("treated")
    assert untreated == {"infected": expected.pop("untreated"), **expected}


def test_replicate_groups_are_rxrx19as(treated):
    groups = treated.groupby([treated["treatment"].str.lower(), "dose_um"]).size()
    assert groups.value_counts().to_dict() == facts.COUNTS["hrce_groups"]
    sensitive = treated.groupby(["treatment", "dose_um"]).ngroups
    assert sensitive == facts.COUNTS["hrce_groups_case_sensitive"]


@pytest.mark.slow
def test_names_are_split_by_case_as_in_rxrx19a(treated, full):
    spellings = treated["treatment"].drop_duplicates()
    assert len(spellings) == facts.COUNTS["treatment_strings"]
    split = spellings.groupby(spellings.str.lower()).size()
    assert (split == 2).sum() == facts.COUNTS["names_split_by_case"]
    assert (split <= 2).all()
    experiments = treated.groupby(treated["treatment"].str.lower())["experiment"].nunique()
    assert (experiments == 2).sum() == facts.COUNTS["compounds_in_both_hrce"]
    one = full[full["compound"] >= 0].groupby("compound")["treatment"].agg(lambda s: s.str.lower().nunique())
    assert (one == 1).all()


@pytest.mark.slow
def test_dose_sets_are_rxrx19as(treated, full):
    sets = treated.groupby(["treatment", "experiment"])["dose_um"].agg(lambda d: tuple(sorted(set(d))))
    counts = {name: int((sets == doses).sum()) for name, doses in facts.DOSE_SETS.items()}
    # FACTS has 1,632 with six doses: two pairs cannot be told from what is known.
    assert counts == {"six": 1634, "eight": 59, "quarters": 3, "eight_high": 2, "six_low": 1}
    assert set(full["dose_um"].dropna()) == set(facts.DOSES)


@pytest.mark.slow
def test_vero_plates_hold_32_compounds_at_8_doses_in_4_wells(full):
    vero = full[full["cell_type"] == "VERO"]
    for _, plate in vero.groupby(["experiment", "plate"]):
        arms = plate[plate["treatment"] != ""].groupby(["treatment", "dose_um"]).size()
        assert (arms == 4).all()
        assert len(arms) == 32 * 8
        assert ((plate["condition"] == "infected") & (plate["treatment"] == "")).sum() == 206


@pytest.mark.slow
def test_a_library_set_has_three_plates_with_two_wells_an_arm(full):
    first = full[(full["experiment"] == "HRCE-2") & full["plate"].isin(["4", "5", "6"])]
    arms = first[first["treatment"] != ""].groupby(["plate", "treatment", "dose_um"]).size()
    assert len(arms) >= 3 * 588 - 6
    assert arms.groupby("plate").sum().tolist() == [1176] * 3
    contents = [set(arms[plate].index) for plate in ("4", "5", "6")]
    assert contents[0] == contents[1] == contents[2]


@pytest.mark.slow
def test_treatments_are_placed_anew_on_every_plate_over_scattered_wells(full):
    treated = full[full["treatment"] != ""]
    rows, cols = np.array([parse_well(well) for well in treated["well"]]).T
    assert scattered(rows, cols).all()
    wide = treated[treated["experiment"] == "HRCE-1"].assign(
        arm=lambda t: t["treatment"] + t["dose_um"].astype(str)
    )
    wide = wide.pivot_table(index="well", columns="plate", values="arm", aggfunc="first")
    stays = [(wide["1"] == wide["2"]).mean(), (wide["2"] == wide["3"]).mean()]
    # 2 wells of each of 588 arms on 1,230 positions: 0.16 % stay by chance.
    assert max(stays) < 0.01


@pytest.mark.slow
def test_files_are_ordered_by_well_as_text(full):
    for _, plate in full.groupby(["experiment", "plate"], sort=False):
        assert plate["well"].is_monotonic_increasing


@pytest.mark.parametrize(("scale", "n_plates"), [("tiny", 9), ("small", 16)])
def test_smaller_scales_keep_whole_plates_and_quirks(scale, n_plates):
    wells = design_wells(SCALES[scale], seed=0)
    assert wells.groupby(["experiment", "plate"]).size().tolist() == [1340] * n_plates
    spellings = wells["treatment"].drop_duplicates()
    assert spellings.str.lower().duplicated().sum() == SCALES[scale].split > 0
    hrce = wells[(wells["cell_type"] == "HRCE") & (wells["treatment"] != "")]
    both = hrce.groupby("compound")["experiment"].nunique().eq(2).sum()
    assert both == {"tiny": 20, "small": 30}[scale]


@pytest.mark.slow
def test_the_seed_decides_the_design():
    one, same, other = (design_wells(SCALES["tiny"], seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert (one["treatment"] != other["treatment"]).mean() > 0.8


def test_structures_are_valid_and_unique():
    from rdkit import Chem

    texts = [invented_smiles(number) for number in range(1, 1701)]
    assert 10 < texts.count("") < 30
    assert sum("," in text for text in texts) > 100
    assert any(text.endswith(" |c:1|") for text in texts)
    canonical = [Chem.CanonSmiles(text.split(" ")[0]) for text in texts if text]
    assert len(set(canonical)) == len(canonical)


def test_names_differ_in_case_only_and_keep_their_number():
    names = case_spellings(7)
    assert names[:2] == ("β-TWN-0007", "β-Twn-0007")
    assert len(set(names)) == len(names)
    assert len({name.lower() for name in names}) == 1
    assert sorted(names)[0] == names[0]
    assert [compound_number(name) for name in names] == [7] * len(names)
    assert case_spellings(421)[0] == "TWN-0421"
