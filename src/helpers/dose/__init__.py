"""Dose response: curve models, fitting, inference."""

from helpers.dose.classes import CLASSES, LOCATED, RISING, SCREEN_CLASSES
from helpers.dose.curves import dose_at, effective_dose, mean_effect, response_at
from helpers.dose.screen import fit_screen
from helpers.dose.summary import summary
from helpers.dose.table import fit_curves
from helpers.dose.weights import replicate_weights

__all__ = [
    "CLASSES",
    "LOCATED",
    "RISING",
    "SCREEN_CLASSES",
    "dose_at",
    "effective_dose",
    "fit_curves",
    "fit_screen",
    "mean_effect",
    "replicate_weights",
    "response_at",
    "summary",
]
