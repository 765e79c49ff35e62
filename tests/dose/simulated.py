"""Simulated curves for tests, with noise and design as plain keywords."""

import dataclasses

from helpers.dose import coverage

NOISE = {field.name for field in dataclasses.fields(coverage.CurveNoise)}
DESIGN = {field.name for field in dataclasses.fields(coverage.CurveDesign)}


def simulate_curves(n_curves: int, *, noise: float | None = None, **keywords):
    """Return `helpers.dose.coverage.simulate_curves` of `noise` (of a well) and the fields of its two options."""
    if noise is not None:
        keywords["well_sd"] = noise
    options = {
        "noise": coverage.CurveNoise(**{k: keywords.pop(k) for k in NOISE & set(keywords)}),
        "design": coverage.CurveDesign(**{k: keywords.pop(k) for k in DESIGN & set(keywords)}),
    }
    return coverage.simulate_curves(n_curves, **options, **keywords)
