"""The recipes as a table, and the settings that they run with."""

import pandas as pd

from helpers.pages.words import listing
from helpers.profiles.normalize import RECIPES


def recipe_table(settings: dict) -> pd.DataFrame:
    """Return the recipes: recipe, what it does, settings it takes (with the values given, where there are any)."""
    rows = []
    for recipe in RECIPES.values():
        taken = [f"{name} = {settings[name]}" if name in settings else name for name in recipe.takes]
        rows.append((recipe.name, recipe.summary, ", ".join(taken) or "none"))
    return pd.DataFrame(rows, columns=["recipe", "what it does", "settings it takes"])


def settings_given(settings: dict) -> str:
    """Say which settings were changed for this page."""
    if not settings:
        return "On this page every recipe runs with its own settings."
    parts = [f"`{name}` = {value}" for name, value in settings.items()]
    return f"On this page the recipes run with {listing(parts)} where they take it, and else with their own settings."
