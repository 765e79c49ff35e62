"""What differs by rounding only is no spread: not for scales, not for recipes, not for what is said."""

import numpy as np
import pytest

from helpers.hits import call_hits, score_wells
from helpers.profiles import normalize, to_wells
from helpers.profiles.steps import mean_and_sd, median_and_mad
from helpers.screens import check_screen, open_screen
from helpers.screens.rounding import ROUNDING, divisor, varies
from helpers.screens.scaling import feature_spreads

YML = """
name: rounding
level: well
table: t.csv
columns: {plate: plate, well: well, condition: state, treatment: cpd, dose: dose}
conditions: {mock: [healthy], infected: [ill, drug]}
features: ["f_*"]
scale_features: SCALE
"""


def screen(folder, odd=None, scale="robust"):
    """Write a screen of three plates whose last feature, if any, is given by the state of a well."""
    rng, apart = np.random.default_rng(0), np.random.default_rng(1)
    header = "plate,well,state,cpd,dose,f_0,f_1" + (",f_2" if odd else "")
    lines = [header]
    for plate in "123":
        for i in range(96):
            state = "healthy" if i < 12 else "ill" if i < 36 else "drug"
            cpd, dose = (f"c{i % 5}", 0.1 * 4 ** (i // 5 % 3)) if state == "drug" else ("", "")
            level = {"healthy": 0.0, "ill": 4.0}.get(state, 0.0 if cpd == "c0" else 4.0)
            cells = [level + rng.normal(), 100 * (level + rng.normal())]
            cells += [odd(state, apart)] if odd else []
            lines.append(
                f"{plate},{'ABCDEFGH'[i // 12]}{i % 12 + 1},{state},{cpd},{dose},"
                + ",".join(map(repr, cells))
            )
    folder.mkdir()
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    (folder / "screen.yml").write_text(YML.replace("SCALE", scale))
    return folder


def noise(state, rng):
    """Return 300, as float32 and its sums leave it."""
    return float(np.float32(300) + np.float32(3e-5) * rng.integers(-1, 2))


def moved(state, rng):
    """Return 300 among diseased wells and what differs in others."""
    return noise(state, rng) + (0 if state == "ill" else rng.normal())


def rescue(folder, recipe="plate_center"):
    _, hits = call_hits(score_wells(normalize(to_wells(open_screen(folder)), recipe)))
    return hits.set_index("treatment")["rescue_max"].sort_index()


@pytest.mark.parametrize("odd", [noise, moved])
def test_a_feature_without_a_scale_is_named_and_left_out(tmp_path, odd):
    plain, with_it = screen(tmp_path / "plain"), screen(tmp_path / "odd", odd)
    said = [str(p) for p in check_screen(with_it)]
    assert any("1 of 3 features do not vary among infected untreated wells" in s and "f_2" in s for s in said)
    sites = open_screen(with_it)
    assert list(sites.var_names) == ["f_0", "f_1"]
    assert any("f_2" in note for note in sites.uns["screen"]["notes"])
    assert np.abs(sites.X).max() < 50
    np.testing.assert_allclose(rescue(with_it), rescue(plain), atol=1e-6)


def test_rounding_among_all_wells_counts_as_one_value(tmp_path):
    folder = screen(tmp_path / "s", noise, scale="none")
    assert any(
        "1 of 3 features have one value in all rows (but for rounding)" in str(p)
        for p in check_screen(folder)
    )


@pytest.mark.parametrize("recipe", ["plate_standard", "plate_robust", "sphering", "tvn", "recommended"])
def test_no_recipe_divides_by_rounding(tmp_path, recipe):
    plain, with_it = (screen(tmp_path / name, odd, "none") for name, odd in (("plain", None), ("odd", noise)))
    wells = normalize(to_wells(open_screen(with_it)), recipe)
    assert np.abs(wells.X).max() < 1e4
    np.testing.assert_allclose(rescue(with_it, recipe), rescue(plain, recipe), atol=0.03)


def test_a_screen_where_nothing_has_a_scale_is_refused(tmp_path):
    folder = screen(tmp_path / "s", noise)
    text = (folder / "screen.yml").read_text().replace('["f_*"]', "[f_2]")
    (folder / "screen.yml").write_text(text)
    assert any(p.level == "fatal" for p in check_screen(folder))


def test_the_rule_is_one():
    values = np.float32([[299.99997], [300.0], [300.00003], [300.0]])
    assert feature_spreads(values).tolist() == [0.0]
    assert mean_and_sd(values)[1].tolist() == [1.0]
    assert median_and_mad(values)[1].tolist() == [1.0]
    assert divisor(np.array([2.0]), np.array([1.0])).tolist() == [2.0]
    assert not varies(np.array([ROUNDING]), np.array([1.0]))[0]
    assert feature_spreads(np.array([[1.0], [2.0], [3.0]]))[0] == pytest.approx(1.4826)
