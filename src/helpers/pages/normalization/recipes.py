"""The recipes as a table, and the settings that they run with."""

import anndata as ad
import pandas as pd

from helpers.pages.words import count, listing, name_code, names_listed
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
    parts = [f"`{name}` = {name_code(value)}" for name, value in settings.items()]
    return f"On this page the recipes run with {listing(parts)} where they take it, and else with their own settings."


def plates_without_reference(normalized: ad.AnnData) -> str:
    """Name the plates that had too few reference wells of their own, and say what stood in for these."""
    steps = normalized.uns.get("normalization", {}).get("steps", {})
    plates = list(dict.fromkeys(str(name) for step in steps.values() for name in step.get("pooled", [])))
    if not plates:
        return ""
    return (
        f"{count(len(plates), 'plate')} ({names_listed(plates, 6)}) had too few reference wells. What is learnt from "
        "such wells was taken from the other plates of the experiment there, and the centre from the plate's own "
        "treated wells, most of which do nothing. Intervals and p-values know how much less sure that is."
    )
