"""Dose response: curve models, fitting, inference."""

from helpers.dose.curves import response_at
from helpers.dose.screen import fit_screen
from helpers.dose.table import fit_curves

__all__ = ["fit_curves", "fit_screen", "response_at"]
