"""The memory of steps: what makes a result another one, and that no stale one is ever given."""

import inspect
import shutil

import numpy as np
import pandas as pd
import pytest

from helpers import hits, profiles, study
from helpers.study import memory
from helpers.study.memory import remember
from study.same import assert_same


def scaled(table: pd.DataFrame, *, factor: float = 2.0, **settings) -> pd.DataFrame:
    """Return a table times a factor."""
    CALLS.append((factor, settings))
    return table * factor


CALLS = []


@pytest.fixture
def step(monkeypatch, empty_memory):
    """Return a step of this file, as if it lived on a floor, with nothing remembered."""
    CALLS.clear()
    monkeypatch.setattr(memory, "floor_of", lambda _: "screens")
    return remember(scaled)


TABLE = pd.DataFrame({"x": [1.0, 2.5]})


def test_a_result_is_computed_once(step):
    assert not step.known(TABLE)
    first = step(TABLE)
    assert step.known(TABLE)
    pd.testing.assert_frame_equal(step(TABLE.copy()), first)
    assert len(CALLS) == 1


def test_a_default_is_a_value_like_any_other(step):
    assert step.entry(TABLE) == step.entry(TABLE, factor=2.0) == step.entry(table=TABLE)
    assert step.entry(TABLE) != step.entry(TABLE, factor=2.1)
    assert step.entry(TABLE) != step.entry(TABLE, more=1)


def test_changed_data_have_another_entry(step):
    changed = TABLE.copy()
    name = step.entry(changed)
    changed.loc[0, "x"] = 9.0
    assert step.entry(changed) != name
    assert step(changed)["x"].tolist() == [18.0, 5.0]


def test_changed_code_has_another_entry(step, monkeypatch):
    name = step.entry(TABLE)
    monkeypatch.setattr(memory, "code_mark", lambda _: "other code")
    assert step.entry(TABLE) != name


def test_two_functions_do_not_share_entries(step):
    def other(table: pd.DataFrame, *, factor: float = 2.0, **settings) -> pd.DataFrame:
        return table

    assert remember(other).entry(TABLE) != step.entry(TABLE)


def test_a_changed_result_does_not_change_what_is_remembered(step):
    first = step(TABLE)
    first["x"] = 0.0
    assert step(TABLE)["x"].tolist() == [2.0, 5.0]


def test_wrong_arguments_are_refused_before_anything(step):
    with pytest.raises(TypeError, match="missing a required argument"):
        step()
    with pytest.raises(TypeError, match="too many positional"):
        step(TABLE, 2.0)
    with pytest.raises(TypeError, match="no fingerprint"):
        step(TABLE, more=object())
    assert not CALLS


def test_where_something_is_missing_the_stand_in_answers_and_nothing_is_stored(monkeypatch, empty_memory):
    monkeypatch.setattr(memory, "floor_of", lambda _: "screens")
    step = remember(scaled, unless=lambda table, **_: table.empty, instead=lambda *_, **__: "nothing")
    none = TABLE.head(0)
    assert step.entry(none) is None
    assert step.known(none)
    assert step(none) == "nothing"
    assert not empty_memory.exists()
    assert step(TABLE)["x"].tolist() == [2.0, 5.0]


def test_a_mark_stands_for_an_argument(monkeypatch, empty_memory):
    monkeypatch.setattr(memory, "floor_of", lambda _: "screens")
    step = remember(scaled, marks={"table": lambda given: len(given["table"])})
    assert step.entry(TABLE) == step.entry(TABLE + 1)
    assert step.entry(TABLE) != step.entry(TABLE.head(1))


@pytest.mark.parametrize("name", ["open_screen", "normalize", "call_hits", "fit_screen", "coverage_by_noise"])
def test_a_step_looks_like_the_plain_function(name):
    step = getattr(study, name)
    assert inspect.signature(step) == inspect.signature(step.__wrapped__)
    assert step.__doc__ == step.__wrapped__.__doc__
    assert step.__name__ == name


# --- the steps of a screen ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_setting_of_a_late_step_leaves_early_ones_alone(wells, normalized, scored, called):
    early = [study.normalize.entry(wells, "plate_center"), study.score_wells.entry(normalized)]
    assert study.call_hits.entry(scored, fdr=0.2) != study.call_hits.entry(scored)
    study.call_hits(scored, fdr=0.2, null_draws=2000, rank_draws=0)
    assert early == [study.normalize.entry(wells, "plate_center"), study.score_wells.entry(normalized)]
    assert study.score_wells.known(normalized)


def test_the_recipe_shown_is_no_matter_to_the_comparison_of_recipes(wells):
    truth = study.known_truth(wells)
    names = []
    for recipe in ("raw", "plate_center", "experiment_center"):
        study.score_wells(study.normalize(wells, recipe))
        names.append(study.compare_recipes.entry(wells, ("raw", "plate_center"), truth=truth))
    assert len(set(names)) == 1
    assert study.normalize.entry(wells, "raw") != study.normalize.entry(wells, "plate_center")


def test_the_seed_reaches_the_steps_that_draw_and_no_others(sites, wells, normalized):
    assert study.normalize.entry(wells, "raw", seed=1) != study.normalize.entry(wells, "raw")
    assert study.activity_map.entry(normalized, seed=1) != study.activity_map.entry(normalized)
    again = study.normalize(wells, "plate_center", seed=1)
    if again.uns == normalized.uns:  # where the seed leaves no trace, the next step need not know
        assert study.score_wells.entry(again) == study.score_wells.entry(normalized)


def test_a_screen_is_known_by_its_files(source, tmp_path):
    folder = tmp_path / "screen"
    shutil.copytree(source, folder)
    name = study.open_screen.entry(str(folder))
    assert study.open_screen.entry(folder) == name, "a path is a name like any other"
    assert study.open_screen.entry(str(folder), experiments="HRCE-1") != name
    assert study.open_screen.entry(str(folder), exclude_plates="HRCE-1_1") != name
    (folder / "notes.txt").write_text("nobody reads this")
    assert study.open_screen.entry(str(folder)) == name
    metadata = next(folder.glob("metadata.*"))
    metadata.write_bytes(metadata.read_bytes() + b"\n")
    assert study.open_screen.entry(str(folder)) != name


def test_an_edited_annotation_is_another_screen(wells, normalized):
    edited = wells.copy()
    edited.obs.loc[edited.obs_names[0], "qc_flag"] = "seen by eye"
    assert study.normalize.entry(edited, "plate_center") != study.normalize.entry(wells, "plate_center")
    assert_same(study.normalize(edited, "plate_center"), profiles.normalize(edited, "plate_center"))


def test_an_annotation_edited_in_place_is_another_screen(sites):
    wells = study.to_wells(sites)
    before = study.normalize(wells, "plate_center")
    some = wells.obs_names[wells.obs["condition"] == "infected"][:100]
    wells.obs.loc[some, "qc_flag"] = "seen by eye"
    after = study.normalize(wells, "plate_center")
    assert (after.obs.loc[some, "qc_flag"] == "seen by eye").all()
    assert_same(after, profiles.normalize(wells, "plate_center"))
    assert not np.array_equal(before.X, after.X)
    assert (study.to_wells(sites).obs.loc[some, "qc_flag"] != "seen by eye").all()


def test_numbers_changed_in_a_copy_are_another_screen(normalized):
    copy = normalized.copy()
    assert study.score_wells.entry(copy) == study.score_wells.entry(normalized)
    copy.X[:] = 2 * copy.X + 1
    assert study.score_wells.entry(copy) != study.score_wells.entry(normalized)
    assert_same(study.score_wells(copy), hits.score_wells(copy))
    copy.X[:10] += 1
    assert_same(study.score_wells(copy), hits.score_wells(copy))


def test_an_array_put_in_the_place_of_the_first_is_another_screen(sites):
    wells = study.to_wells(sites)
    name = study.normalize.entry(wells, "raw")
    wells.X = wells.X + 1
    assert study.normalize.entry(wells, "raw") != name
    wells.X -= 1
    assert not wells.X.flags.writeable or study.normalize.entry(wells, "raw") == study.normalize.entry(
        wells.copy(), "raw"
    )


def test_a_part_of_the_wells_is_another_screen(normalized):
    one = (normalized.obs["experiment"] == "HRCE-2").to_numpy()
    part = normalized[one]
    assert study.score_wells.entry(part) != study.score_wells.entry(normalized)
    assert study.score_wells.entry(part) == study.score_wells.entry(part.copy())
    assert_same(study.score_wells(part.copy()), hits.score_wells(part.copy()))
    shuffled = normalized[np.random.default_rng(0).permutation(normalized.n_obs)].copy()
    assert study.score_wells.entry(shuffled) != study.score_wells.entry(normalized)


def test_wells_from_the_memory_are_read_only_and_as_computed(sites, wells, normalized, scored):
    plain = profiles.to_wells(sites)
    chain = {
        "wells": (wells, plain),
        "normalized": (normalized, profiles.normalize(plain, "plate_center")),
        "scored": (scored, hits.score_wells(profiles.normalize(plain, "plate_center"))),
    }
    for name, (remembered, computed) in chain.items():
        assert not remembered.X.flags.writeable, name
        np.testing.assert_array_equal(remembered.X, computed.X)


def test_arguments_are_usable_after_a_step(normalized):
    total = normalized.X.sum()
    study.score_wells(normalized)
    assert normalized.X.sum() == total
