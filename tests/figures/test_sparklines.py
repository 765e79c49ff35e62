"""Small curves: where dots and lines lie, and what is not drawn."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from helpers.figures.sparklines import HEIGHT, WIDTH, curve_sparklines

DOSES = [0.01, 0.1, 1.0, 10.0]


def curve(kind: str, **values) -> dict:
    row = {"experiment": "E", "treatment": "A", "curve_class": kind, "ec50_um": 0.3, "ec50_low_um": 0.1}
    return row | {"ec50_high_um": 1.0, "ec50_censored": "", "front": 0.0, "back": 1.0, "hill": 2.0} | values


def draw(*curves: dict, rescue=(0.0, 0.1, 0.9, 1.0)) -> list[str]:
    points = pd.DataFrame({"experiment": "E", "treatment": "A", "dose_um": DOSES, "rescue": rescue})
    return curve_sparklines(pd.concat([points, points]), pd.DataFrame(curves)).tolist()


def paths(svg: str) -> list[str]:
    return [element.attrib["d"] for element in ET.fromstring(svg)]


def test_dots_are_the_means_and_rise_to_the_right():
    dots = re.findall(r"M(\d+) ([\d.]+)h0", draw(curve("active"))[0])
    x, y = np.array(dots, dtype=float).T
    assert len(x) == 4  # two wells a dose, one dot
    assert np.allclose(np.diff(x), np.diff(x)[0], atol=1)  # even on a logarithmic axis
    assert (np.diff(y) < 0).all()  # pixels count downwards
    assert 0 < x.min() < x.max() < WIDTH
    assert 0 < y.min() < y.max() < HEIGHT


def test_the_line_is_the_fit_of_its_class():
    active, step, flat, bound, none = draw(
        curve("active"),
        curve("step"),
        curve("inactive"),
        curve("above_range", ec50_censored=">"),
        curve("not_fitted"),
    )
    assert len(paths(active)) == len(paths(step)) == len(paths(flat)) == 4  # two levels, the line, the dots
    assert len(paths(bound)) == len(paths(none)) == 3
    middle = [p.split()[1] for p in paths(active)[2].removeprefix("M").split("L")]
    assert float(middle[0]) > HEIGHT / 2 > float(middle[-1])
    assert "stroke-dasharray" in flat
    assert 'aria-label="curve, above range"' in bound


@pytest.mark.parametrize("value", [5.0, -5.0])
def test_points_beyond_the_scale_stay_inside_the_picture(value):
    _, y = np.array(
        re.findall(r"M(\d+) ([\d.]+)h0", draw(curve("inactive"), rescue=[value] * 4)[0]), dtype=float
    ).T
    assert ((y > 0) & (y < HEIGHT)).all()


def test_a_compound_without_good_wells_has_no_picture():
    assert draw(curve("not_fitted", treatment="B")) == [""]
    assert draw(curve("inactive"), rescue=[np.nan] * 4) == [""]
