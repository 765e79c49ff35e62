"""The assay's window, the gate and the wells that defined nothing, against numbers counted by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.pages.tour import recap, window
from helpers.study import assay_quality, normalize, open_screen, score_wells, to_wells
from pages.tour.tour import quality, screen


@pytest.fixture
def wells() -> pd.DataFrame:
    return screen()


def test_the_window_is_what_three_deviations_leave(wells):
    text = window.window(wells, quality())
    # Medians of (-.1, 0, .1) and (.9, 1, 1, 1.1): absolute deviations .1 and .05, times 1.4826. Robust Z′ is 0.2.
    assert "robust standard deviation of 0.15, single infected wells with 0.074" in text
    assert "plate by plate, take up 80 % of the window on the median plate; the rest is free" in text
    wide = wells.assign(on_disease=(wells["on_disease"] - 0.5) * 5)
    assert "nothing is left between the two" in window.window(wide, quality((-1, -1, -1)))
    assert "lacks one of them" in window.window(wells.assign(on_disease=np.nan), quality())


def test_quality_gives_all_four_measures():
    text = window.quality(quality())
    assert "Robust Z′ is **0.2** on the median plate (−0.1 to 0.5), plain Z′ 0.1, SSMD 6 and AUROC 1." in text
    assert "flatters" in text
    assert "flatters" not in window.quality(quality().assign(held_out=True))
    assert "on the only plate" in window.quality(quality().head(1))
    assert "needs mock and infected" in window.quality(quality().head(0))


def test_the_gate_names_plates_and_gives_the_parameter_that_leaves_them_out():
    text = window.gate(quality((0.5, -0.2, -0.1)), 0.0)
    assert "2 plates of 3 do not: E-1_2 (robust Z′ -0.20) and E-2_10 (robust Z′ -0.10)." in text
    assert "rxrx19 run -p exclude_plates=E-1_2,E-2_10\n" in text
    strict = window.gate(quality(minimum=0.4), 0.4)
    assert "robust Z′ of 0.4 or more" in strict
    assert "bands" not in strict  # these words are about a gate at 0
    assert "All 3 plates pass" in window.gate(quality((0.5, 0.2, 0.1)), 0.0)


@pytest.mark.slow
def test_the_parameter_that_is_printed_works(tiny_folder):
    sites = open_screen(str(tiny_folder))
    strict = assay_quality(score_wells(normalize(to_wells(sites), "plate_center")), min_z_prime=0.5)
    text = window.gate(strict, 0.5)
    names = text.split("exclude_plates=")[1].split("\n")[0]
    again = open_screen(str(tiny_folder), exclude_plates=names)
    assert set(again.obs["plate_id"]) == set(sites.obs["plate_id"]) - set(names.split(","))


def test_a_gate_that_lets_nothing_through_says_so():
    text = window.gate(quality((-1, -1, -1)), 0.0)
    assert "No plate is left" in text
    assert "exclude_plates" not in text
    assert "no disease axis" in window.gate(quality().head(0), 0.0)


def test_a_plate_that_cannot_be_judged_is_named_and_not_left_out():
    table = quality((0.5, 0.2, -0.1))
    table["passes"] = pd.array([True, None, False], dtype="boolean")
    table["reason"] = ["", "no mock well", "robust Z′ -0.10"]
    text = window.gate(table, 0.0)
    assert (
        "1 plate of 3 has too few controls to be judged: no mock well (E-1_2). That is nothing against them."
        in text
    )
    assert "1 plate of 2 does not: E-2_10 (robust Z′ -0.10)." in text
    assert "exclude_plates=E-2_10\n" in text
    table["passes"] = pd.array([True, None, True], dtype="boolean")
    assert "All other 2 plates pass" in window.gate(table, 0.0)
    table["passes"] = pd.array([None] * 3, dtype="boolean")
    assert "exclude_plates" not in window.gate(table, 0.0)


def test_windows_and_the_place_of_mock_wells_are_told():
    text = window.windows(quality())
    assert "the distance from mock to infected runs from 0.8 to 1.2 times that of the experiment" in text
    assert "The median mock well of a plate has a rescue between 0.9 and 1.1 " in text
    assert window.windows(quality().assign(mock_rescue=np.nan)) == ""


def test_uv_wells_are_judged_by_the_window(wells):
    assert "stand at 0.1 (median of 9 wells; plates: 0.1 to 0.1), near the 0" in window.uv(wells)
    shifted = wells.assign(on_disease=wells["on_disease"] + 0.5 * (wells["condition"] == "uv"))
    assert "towards infected wells, 60 % of the window" in window.uv(shifted)
    assert "check is missing" in window.uv(wells[wells["condition"] != "uv"])


def test_blank_wells_are_shown_and_claimed_for_nothing(wells):
    text = window.blank(wells)
    assert text.startswith("3 blank wells: what they hold is unknown")
    assert "100 % of them land within a quarter of the window from mock, 0 % within" in text
    assert "no wells without a condition" in window.blank(wells[wells["condition"] != "blank"])


def test_agreement_of_sites_becomes_reliability_of_their_mean():
    table = pd.DataFrame({"experiment": ["E"], "n_plates": [2], "icc": [0.4], "sites_per_well": [4.0]})
    text = window.agreement(table)
    assert "0.4 in E (2 plates looked at)" in text
    assert "reliable to 73 %" in text  # Spearman and Brown: 4 x .4 / (1 + 3 x .4)
    assert "cannot be seen" in window.agreement(table.head(0))


def test_failed_controls_beside_the_quality():
    assert "1 on the median plate and up to 1" in window.failed_beside_quality(quality())
    assert "none was left out" in window.failed_beside_quality(quality().assign(n_failed_controls=0))


def test_plates_that_lost_many_controls_are_named(wells):
    failed = wells.copy()
    mock = failed.index[(failed["condition"] == "mock") & (failed["plate_id"] == failed["plate_id"].iloc[0])]
    failed["qc_flag"] = ""
    assert window.thinned_plates(failed) == ""
    failed.loc[mock[:1], "qc_flag"] = "failed"
    assert "No plate lost 20 % or more" in window.thinned_plates(failed)
    failed.loc[mock[:2], "qc_flag"] = "failed"
    text = window.thinned_plates(failed)
    assert (
        f"1 plate lost 20 % or more of a kind of control to failures: {failed['plate_id'].iloc[0]}, 2 of"
        in text
    )
    assert f"2 of {len(mock)} mock wells ({round(200 / len(mock))} %)" in text


def test_plates_to_look_at_are_thinned_ones_and_one_of_each_other_experiment(wells):
    failed = wells.assign(qc_flag="")
    assert window.plates_to_look_at(failed) == ["E-1_1", "E-2_10"]
    mock = failed.index[((failed["condition"] == "mock") & (failed["plate_id"] == "E-1_2")).to_numpy()]
    failed.loc[mock[:2], "qc_flag"] = "failed"
    assert window.plates_to_look_at(failed) == ["E-1_2", "E-2_10"]
    table = window.lost_controls(failed)
    assert table.to_numpy().tolist() == [["E-1_2", "mock", len(mock), 2, 2 / len(mock)]]


def test_the_recap_warns_of_thinned_plates_and_of_failures_not_found(wells):
    screen = {"level": "site"}
    # One well of four is an accident.
    assert "Be wary" not in recap.answers(wells, quality(), pd.DataFrame(), screen)
    failed = wells.copy()
    mock = failed.index[((failed["condition"] == "mock") & (failed["plate_id"] == "E-1_2")).to_numpy()]
    failed.loc[mock[:2], "qc_flag"] = "failed"
    text = recap.answers(
        failed, quality(), pd.DataFrame(), screen, pd.DataFrame({"well_id": [*mock[:1], "E-1_1_R5C8"]})
    )
    assert "Be wary of 1 plate (E-1_2): 20 % or more of a kind of control failed there" in text
    assert "of 2 wells that the twin made fail, 1 passed (50 %)" in text


def test_the_recap_says_what_else_the_embeddings_hold(wells):
    shares = {"experiment": 0.6, "plate": 0.2, "position": 0.0, "condition": 0.04, "arm": 0.01, "well": 0.15}
    table = pd.DataFrame({"recipe": "raw", "factor": list(shares), "share": list(shares.values())})
    text = recap.answers(wells, quality(), table, {"level": "site"})
    assert (
        "done to the cells (5 % of the variance) the raw embeddings hold experiment (60 %) and plate (20 %)"
        in text
    )
    assert "there are none" in recap.answers(wells, quality(), table.head(0), {"level": "site"})


def test_the_recap_answers_its_questions_in_numbers(wells):
    text = recap.answers(wells, quality(), pd.DataFrame(), {"level": "site"})
    assert text.count("\n- ") == 6
    assert "172 rows, usually 4 of one well, for 43 wells" in text
    # 3 failed, 3 blank, and of E-2's 14 wells those that neither failed nor are blank.
    assert (
        "25 wells of 43 (58 %) may be trusted: 3 of known condition failed, 3 are of unknown condition and 12 stand"
        in text
    )
    assert "20 % of the distance from mock to infected is free" in text
    assert "no uninfected well got one" in text
    assert "One row is a well" in recap.answers(wells, quality(), pd.DataFrame(), {"level": "well"})
    assert "window is closed" in recap.answers(
        wells, quality((-1, -1, -1)), pd.DataFrame(), {"level": "site"}
    )
    assert "could not be measured" in recap.answers(
        wells, quality().head(0), pd.DataFrame(), {"level": "site"}
    )
