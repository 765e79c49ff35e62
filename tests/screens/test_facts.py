"""The facts must agree with each other and with the published files."""

import pandas as pd

from helpers.screens import facts


def test_counts_agree_with_each_other():
    counts = facts.COUNTS
    plates = sum(counts["plates"].values())
    assert counts["wells"] == plates * counts["wells_per_plate"]
    assert counts["sites"] == counts["wells"] * counts["sites_per_well"]
    assert counts["sites"] == sum(counts["sites_per_experiment"].values())
    assert counts["sites"] == sum(counts["sites_per_condition"].values())
    for experiment, n in counts["plates"].items():
        assert counts["sites_per_experiment"][experiment] == n * 1340 * 4
    hrce_plates = counts["plates"]["HRCE-1"] + counts["plates"]["HRCE-2"]
    assert sum(counts["hrce_wells"].values()) == hrce_plates * counts["wells_per_plate"]
    assert (counts["hrce_wells"]["blank"] + counts["vero_blank_wells"]) * 4 == 6_904


def test_dose_groups_hold_all_treated_wells():
    groups = facts.COUNTS["hrce_groups"]
    assert sum(groups.values()) == 9_887
    assert sum(size * n for size, n in groups.items()) == facts.COUNTS["hrce_wells"]["treated"]


def test_dose_sets_only_use_known_levels():
    assert set(facts.DOSES) == {dose for doses in facts.DOSE_SETS.values() for dose in doses}


def test_exactly_ten_published_hrce_hits():
    scores = facts.PUBLISHED_HITS["HRCE"]
    assert sum(score > facts.PUBLISHED_HIT_THRESHOLD for score in scores.values()) == 10


def test_published_scores_are_chembls(real_data):
    table = pd.read_csv(real_data / "published/chembl_activities.csv", sep=";")
    for cells, assay in facts.CHEMBL_ASSAYS.items():
        published = table[table["Assay ChEMBL ID"] == assay]
        assert len(published) == {"HRCE": 1637, "VERO": 32}[cells]
        for name, score in facts.PUBLISHED_HITS[cells].items():
            keys = published["Compound Key"].fillna("") + " " + published["Molecule Name"].fillna("")
            named = keys.str.lower().str.contains(name.lower(), regex=False)
            values = published.loc[named, "Standard Value"]
            assert (values.sub(score).abs() < 6e-3).any(), (cells, name, values.tolist())


def test_columns_are_those_of_the_real_file(real_data):
    header = (real_data / "screens/vero1_design/metadata.csv").read_text().splitlines()[0]
    assert tuple(header.split(",")) == facts.COLUMNS
