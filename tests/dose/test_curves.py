import numpy as np
import pytest

from helpers.dose.curves import (
    dose_at,
    effective_dose,
    mean_effect,
    response_at,
    saturation_gradient,
)


def test_plateaus_and_middle():
    assert response_at(0.0, 0.2, 0.9, 1.0, 2.0) == 0.2
    assert response_at(1e12, 0.2, 0.9, 1.0, 2.0) == pytest.approx(0.9)
    assert response_at(3.0, 0.2, 0.9, 3.0, 5.0) == pytest.approx(0.55)


def test_agrees_with_the_formula_written_out():
    dose = np.array([0.01, 0.5, 20.0])
    expected = 0.1 + (0.8 - 0.1) / (1 + (2.0 / dose) ** 1.7)
    np.testing.assert_allclose(response_at(dose, 0.1, 0.8, 2.0, 1.7), expected, rtol=1e-12)


def test_gradient_is_that_of_finite_differences():
    dose, e, h, step = np.array([0.0, 0.03, 1.0, 40.0]), np.log(0.7), np.log(1.9), 1e-6
    share, d_ec50, d_hill = saturation_gradient(dose, e, h)
    up = saturation_gradient(dose, e + step, h)[0] - saturation_gradient(dose, e - step, h)[0]
    steeper = saturation_gradient(dose, e, h + step)[0] - saturation_gradient(dose, e, h - step)[0]
    np.testing.assert_allclose(d_ec50, up / (2 * step), atol=1e-8)
    np.testing.assert_allclose(d_hill, steeper / (2 * step), atol=1e-8)
    assert share[0] == 0


def test_inverse_undoes_the_response():
    dose = np.array([0.0, 0.02, 0.4, 7.0])
    response = response_at(dose, 0.9, 0.1, 0.4, 1.7)
    np.testing.assert_allclose(dose_at(response, 0.9, 0.1, 0.4, 1.7), dose, rtol=1e-9)
    assert dose_at(0.1, 0.9, 0.1, 0.4, 1.7) == np.inf
    assert np.isnan(dose_at([0.05, 0.95], 0.9, 0.1, 0.4, 1.7)).all()


def test_effective_dose_reaches_its_share():
    for share in (0.1, 0.5, 0.9):
        dose = effective_dose(share, 0.3, 2.2)
        assert response_at(dose, 0.0, 1.0, 0.3, 2.2) == pytest.approx(share)


def test_mean_effect_is_the_area_by_quadrature():
    x = np.linspace(np.log(0.01), np.log(3), 20_001)
    effect = response_at(np.exp(x), 0.2, 0.9, 0.3, 1.7) - 0.2
    area = np.trapezoid(effect, x) / (x[-1] - x[0])
    assert mean_effect(0.01, 3, 0.2, 0.9, 0.3, 1.7) == pytest.approx(area, rel=1e-7)
