"""Profiles: sites to wells, quality control, normalisation recipes."""

from helpers.profiles.normalize import RECIPES, Recipe, normalize
from helpers.profiles.qc import flag_wells
from helpers.profiles.wells import to_wells

__all__ = ["RECIPES", "Recipe", "flag_wells", "normalize", "to_wells"]
