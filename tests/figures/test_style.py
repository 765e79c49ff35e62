"""The look: legible, and distinct without colour vision or colour."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from helpers.dose import SCREEN_CLASSES
from helpers.figures import CALL_STYLE, CONDITION_STYLE, plot_missing, use_style
from helpers.figures.coloring import RESCUE_MAP
from helpers.figures.style import CURVE_STYLE, dose_axis, dose_positions, format_um, plate_label
from helpers.hits import CALLS

# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def lab(color: str, sight: str = "none") -> np.ndarray:
    """Return CIE L*a*b* of a colour as an eye with this sight sees it."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(BLINDNESS[sight] @ linear, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("styles", [CONDITION_STYLE, CALL_STYLE], ids=["conditions", "calls"])
@pytest.mark.parametrize("sight", list(BLINDNESS))
def test_classes_differ_for_every_eye(styles, sight):
    for a, b in itertools.combinations(styles.values(), 2):
        assert np.linalg.norm(lab(a.color, sight) - lab(b.color, sight)) > 14, (a.label, b.label)


@pytest.mark.parametrize("styles", [CONDITION_STYLE, CALL_STYLE], ids=["conditions", "calls"])
def test_classes_differ_in_grey_and_by_marker(styles):
    lightness = sorted(lab(mark.color)[0] for mark in styles.values())
    assert np.diff(lightness).min() > 8
    assert len({mark.marker for mark in styles.values()}) == len(styles)


def test_rescue_scale_darkens_all_the_way():
    lightness = [lab(RESCUE_MAP(x))[0] for x in np.linspace(0, 1, 20)]
    assert np.all(np.diff(lightness) < -1)


def test_every_curve_class_has_a_style_and_a_marker_of_its_own():
    assert set(CURVE_STYLE) == set(SCREEN_CLASSES)
    assert len({mark.marker for mark in CURVE_STYLE.values()}) == len(CURVE_STYLE)


def test_every_call_has_a_style():
    assert set(CALL_STYLE) == set(CALLS)


def test_text_is_legible_on_a_phone():
    with mpl.rc_context():
        use_style()
        sizes = [
            plt.rcParams[key] for key in ("font.size", "axes.labelsize", "xtick.labelsize", "legend.fontsize")
        ]
        assert min(sizes) >= 9
        assert plt.rcParams["figure.figsize"][0] <= 7


def test_figure_is_the_same_bytes_twice(tmp_path):
    with mpl.rc_context():
        use_style()
        for name in ("a.svg", "b.svg"):
            plot_missing("Nothing to see.").figure.savefig(tmp_path / name, metadata={"Date": None})
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_missing_figure_says_why():
    ax = plot_missing("This screen has no doses.")
    assert [text.get_text() for text in ax.texts] == ["This screen has no doses."]
    assert not ax.axison


def test_plate_label_names_the_experiment_only_if_needed():
    obs = pd.DataFrame({"experiment": ["E", "E"], "plate": [1, 2]})
    assert plate_label(obs).tolist() == ["plate 1", "plate 2"]
    assert plate_label(obs.assign(experiment=["E", "F"])).tolist() == ["E_1", "F_2"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.003, "0.003"), (10.0, "10"), (0.30000000000000004, "0.3"), (100, "100")]
)
def test_doses_are_written_plainly(value, text):
    assert format_um(value) == text


def test_dose_axis_labels_doses_that_leave_room():
    _, ax = plt.subplots()
    doses = pd.Series([0.01, 0.03, 0.1, 0.3, 1.0, 3.0] * 5 + [0.025, 0.25, 2.5])
    dose_axis(ax, doses)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.01", "0.03", "0.1", "0.3", "1", "3"]
    assert ax.get_xlabel() == "dose (µM)"
    assert ax.get_xscale() == "log"


def test_zero_dose_has_a_place_and_a_label():
    doses = pd.Series([0.0, 0.1, 1.0])
    assert dose_positions(doses).iloc[0] == pytest.approx(0.1 / 10**0.5)
    _, ax = plt.subplots()
    dose_axis(ax, doses)
    assert ax.get_xticklabels()[0].get_text() == "0"
