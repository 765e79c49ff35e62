"""Published scores: read from both forms, matched, refused in one line; and the numbers that were reported."""

import csv

import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.hits.classes import assign_classes, class_effects, shipped_classes
from helpers.hits.names import find_name, index_names
from helpers.hits.published import find_published, match_treatments, published_compounds, read_published
from helpers.screens import facts

HRCE, VERO = facts.CHEMBL_ASSAYS["HRCE"], facts.CHEMBL_ASSAYS["VERO"]
ASPIRIN, SALT = "CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Oc1ccccc1C(=O)[O-].[Na+]"
FETCHED = (
    "assay,molecule_chembl_id,name,smiles,score,type,comment,record_id,activity_id\n"
    f'{HRCE},CHEMBL1,ASPIRIN,{ASPIRIN},0.7,Hit score,"N=2 (0.8,0.6)",1,1\n'
    f"{HRCE},CHEMBL2,ASPIRIN SODIUM,{SALT},0.1,Hit score,,2,2\n"
    f"{HRCE},CHEMBL3,,,-0.2,Hit score,,3,3\n"
    f"{VERO},CHEMBL4,GS-441524,CCO,1.0,Hit score,,4,4\n"
    f"{VERO},CHEMBL5,OTHER,CCN,5.0,IC50,,5,5\n"
    "CHEMBL999,CHEMBL6,OTHER,CCN,,Hit score,,6,6\n"
)
EXPORT = (
    '"Molecule ChEMBL ID";"Molecule Name";"Compound Key";"Smiles";"Standard Type";"Standard Value";"Comment";'
    '"Assay ChEMBL ID"\n'
    f'"CHEMBL1";"ASPIRIN";"asa; Aspirin";"{ASPIRIN}";"Hit score";"0.7";"N=2 (0.8,0.6)";"{HRCE}"\n'
)


def written(tmp_path, content: str | bytes, name="published.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_fetched_form(tmp_path):
    rows = read_published(written(tmp_path, FETCHED))
    assert rows["cells"].tolist() == ["HRCE", "HRCE", "HRCE", "VERO"]
    assert rows["name"].tolist() == ["aspirin", "aspirin sodium", "CHEMBL3", "GS-441524"]
    assert rows["n_scores"].tolist() == [2, 1, 1, 1]
    assert rows.loc[0, ["first", "second"]].tolist() == [0.8, 0.6]
    assert rows["smiles"].isna().tolist() == [False, False, True, False]


def test_the_export_of_the_web_site(tmp_path):
    rows = read_published(written(tmp_path, EXPORT))
    assert rows.loc[0, "names"] == ("asa; Aspirin", "ASPIRIN")
    assert rows.loc[0, "score"] == 0.7


def test_salts_are_one_compound_whose_score_is_the_mean_of_its_measurements(tmp_path):
    compounds = published_compounds(read_published(written(tmp_path, FETCHED)))
    assert compounds["cells"].tolist() == ["HRCE", "HRCE", "VERO"]
    aspirin = compounds[compounds["name"] == "aspirin"].iloc[0]
    assert aspirin["score"] == pytest.approx((0.7 * 2 + 0.1) / 3)
    assert (aspirin["n_scores"], aspirin["n_rows"]) == (3, 2)
    assert aspirin["names"] == ("ASPIRIN", "ASPIRIN SODIUM")


def test_rows_in_any_order_give_the_same_compounds(tmp_path):
    lines = FETCHED.splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])])
    one = published_compounds(read_published(written(tmp_path, FETCHED)))
    other = published_compounds(read_published(written(tmp_path, turned, "turned.csv")))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", r"line 1: no column for assay .*\(found: nothing\)"),
        ("a,b\n1,2\n", r"line 1: no column for assay \(assay or assay chembl id\); molecule .*; score"),
        (FETCHED.splitlines()[0], r"no hit score of CHEMBL4303810 and CHEMBL4303811 in 0 lines"),
        (FETCHED.replace(HRCE, "X").replace(VERO, "Y"), "no hit score of .* in 6 lines"),
        (FETCHED.replace("-0.2", "low"), "line 4: the score 'low' is no number"),
        (FETCHED.replace("-0.2", ""), "line 4: the score '' is no number"),
        (FETCHED.replace("-0.2", "inf"), "line 4: the score 'inf' is no number"),
        (FETCHED.replace("ASPIRIN,", '"ASPIRIN,', 1), r"line 2: cannot be split into cells"),
        (
            FETCHED.replace("name,smiles", "molecule name,molecule_pref_name"),
            "line 1: two columns hold the name",
        ),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (FETCHED.replace("CHEMBL3,,,", "CHEMBL3,,,,,,"), "line 4: 12 cells where the header has 9"),
    ],
)
def test_broken_files_give_one_clear_line(content, says, tmp_path):
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=says) as raised:
        read_published(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_where_the_file_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))
    assert find_published() is None
    fetched = tmp_path / "cache" / "rxrx19a" / "published.csv"
    fetched.parent.mkdir(parents=True)
    fetched.write_text(FETCHED)
    assert find_published() == fetched
    alone = tmp_path / "alone"
    alone.mkdir()
    path = written(alone, EXPORT, "chembl.csv")
    assert find_published(str(alone)) == find_published(str(path)) == path
    with pytest.raises(
        UsageError, match=r"parameter 'published': no file .*rxrx19 data fetch rxrx19a --what published"
    ):
        find_published(str(tmp_path / "none"))
    written(alone, EXPORT, "second.csv")
    with pytest.raises(
        UsageError, match=r"must hold one CSV of scores, found chembl.csv, second.csv; name the file"
    ):
        find_published(str(alone))


def test_treatments_are_matched_by_structure_then_name_then_without_stereo():
    compounds = pd.DataFrame(
        {
            "compound": ["BSYNRYMUTXBXSQ-UHFFFAOYSA-N", "JVTAAEKCZFNVCJ-REOHCLBHSA-N", "CHEMBL7"],
            "names": [("ASPIRIN",), ("LACTIC ACID",), ("no structure",)],
        }
    )
    treatments = pd.DataFrame(
        {
            "treatment": ["x", "y", "No Structure", "z", "aspirin"],
            "names": [["x"], ["y"], ["No Structure"], ["z"], ["aspirin"]],
            "smiles": [SALT, "CC(O)C(=O)O", None, "CCCC", "CCO"],
        }
    )
    found = match_treatments(treatments, compounds).set_index("treatment")
    assert found["how"].to_dict() == {
        "x": "structure",
        "y": "structure without stereo",
        "No Structure": "name",
        "aspirin": "name",
    }
    assert match_treatments(treatments.assign(smiles=None), compounds)["how"].tolist() == ["name", "name"]


def test_two_stereoisomers_are_not_matched_without_their_stereo():
    compounds = pd.DataFrame(
        {
            "compound": ["JVTAAEKCZFNVCJ-REOHCLBHSA-N", "JVTAAEKCZFNVCJ-UWTATZPHSA-N"],
            "names": [("l-lactic acid",), ("d-lactic acid",)],
        }
    )
    treatments = pd.DataFrame({"treatment": ["y"], "names": [["y"]], "smiles": ["CC(O)C(=O)O"]})
    assert match_treatments(treatments, compounds).empty


@pytest.fixture(scope="module")
def real_rows(real_data):
    return read_published(find_published(str(real_data / "published")))


@pytest.fixture(scope="module")
def real_compounds(real_rows):
    return published_compounds(real_rows)


def test_the_ten_hits_in_their_order_and_three_in_vero(real_compounds):
    for cells, n in (("HRCE", 10), ("VERO", 3)):
        table = real_compounds[real_compounds["cells"] == cells].sort_values("score", ascending=False)
        hits = table[table["score"] > facts.PUBLISHED_HIT_THRESHOLD]
        index = index_names(table.set_index("compound")["names"])
        reported = [name for name, score in facts.PUBLISHED_HITS[cells].items() if score > 0.6]
        assert len(hits) == n
        assert [find_name(name, index) for name in reported] == hits["compound"].tolist()


def test_class_effects_are_those_that_were_reported(real_compounds):
    table = real_compounds[real_compounds["cells"] == "HRCE"]
    members, unknown = assign_classes(table.set_index("compound")["names"], shipped_classes())
    assert unknown == []
    effects = class_effects(table, members).set_index("class")
    for name, (auc, n) in facts.CLASS_AUC.items():
        # The glucocorticoids of the list are all that ATC names, 32 for the 25 that were counted.
        tolerance = 0.015 if name == "glucocorticoids" else 0.01
        assert effects.loc[name, "auc"] == pytest.approx(auc, abs=tolerance), name
        assert abs(effects.loc[name, "n_members"] - n) <= 7


@pytest.mark.slow
def test_the_fetched_form_of_the_real_scores_says_the_same(real_data, real_rows, tmp_path):
    """As the web services give it: without the names of the screen, and the drug's name missing for some."""
    export = pd.read_csv(
        real_data / "published" / "chembl_activities.csv", sep=";", dtype=str, keep_default_na=False
    )
    fetched = export.rename(
        columns={
            "Assay ChEMBL ID": "assay", "Molecule ChEMBL ID": "molecule_chembl_id", "Molecule Name": "name",
            "Smiles": "smiles", "Standard Value": "score", "Standard Type": "type", "Comment": "comment",
        }
    )  # fmt: skip
    columns = ["assay", "molecule_chembl_id", "name", "smiles", "score", "type", "comment"]
    fetched[columns].to_csv(tmp_path / "published.csv", index=False, quoting=csv.QUOTE_MINIMAL)
    rows = read_published(tmp_path / "published.csv")
    pd.testing.assert_frame_equal(
        rows[["cells", "score", "n_scores"]], real_rows[["cells", "score", "n_scores"]]
    )
    hrce = published_compounds(rows).query("cells == 'HRCE'")
    members, unknown = assign_classes(hrce.set_index("compound")["names"], shipped_classes())
    effects = class_effects(hrce, members).set_index("class")
    assert set(unknown) == {"anlotinib", "fruquintinib"}, "these have neither a name nor a structure there"
    top = hrce.sort_values("score", ascending=False)["name"].head(10).tolist()
    assert top == [
        "remdesivir", "GS-441524", "aloxistatin", "silmitasertib", "almitrine", "sirolimus", "zotarolimus",
        "calcipotriene", "alpelisib", "duvelisib",
    ]  # fmt: skip
    for name in ("mTOR/PI3K inhibitors", "beta-blockers", "vitamin D analogues", "proteasome inhibitors"):
        assert effects.loc[name, "auc"] == pytest.approx(facts.CLASS_AUC[name][0], abs=0.01)


def test_the_treatments_of_the_real_vero_plates_are_found(real_data, real_compounds):
    design = pd.read_csv(real_data / "screens/vero1_design/metadata.csv", dtype=str)
    design = design[["treatment", "SMILES"]].dropna().drop_duplicates("treatment")
    treatments = pd.DataFrame(
        {
            "treatment": design["treatment"],
            "names": [[t] for t in design["treatment"]],
            "smiles": design["SMILES"],
        }
    )
    vero = real_compounds[real_compounds["cells"] == "VERO"]
    found = match_treatments(treatments, vero)
    assert len(treatments) == 32
    assert set(treatments["treatment"]) - set(found["treatment"]) == {"ML-9"}, "ChEMBL has no score of it"
    assert found["compound"].is_unique


@pytest.mark.parametrize(
    ("smiles", "says"),
    [("C(", "'C\\(' cannot be read \\(SMILES is allowed"), ("C" * 9000, "at most 4,000 characters")],
)
def test_a_row_that_tells_no_compound_is_refused(tmp_path, smiles, says):
    line = FETCHED.splitlines()[1].split(",")
    header = FETCHED.splitlines()[0].split(",")
    line[header.index("molecule_chembl_id")], line[header.index("smiles")] = "", smiles
    path = written(tmp_path, "\n".join([",".join(header), ",".join(line)]))
    with pytest.raises(DataError, match=f"line 2: no ChEMBL id, and the structure .*{says}"):
        read_published(path)
