"""Effects of rows and columns in words."""

import pandas as pd

from helpers.pages.absent import NO_EMBEDDINGS
from helpers.pages.words import number
from helpers.profiles.positions import position_profile, position_trend

FEW_WELLS = 5
"""Fewer wells than this per row or column say nothing about the effect of position."""


def position_effect(before: pd.DataFrame, after: pd.DataFrame, value: str = "rescue") -> str:
    """Say how much rows and columns move the scattered wells, before and after normalisation."""
    unknown = [value not in obs or obs[value].isna().all() for obs in (before, after)]
    if all(unknown):
        return NO_EMBEDDINGS
    if any(unknown):
        return "Wells cannot be scored on raw embeddings here, so there is nothing to compare with."
    parts = []
    for by, word in (("row", "row"), ("col", "column")):
        tables = [position_profile(obs, value, by) for obs in (before, after)]
        if tables[0]["n"].median() < FEW_WELLS:
            return (
                "With so few wells per row and column, effects of position cannot be told from noise on "
                "this screen."
            )
        spans = [number(table["median"].max() - table["median"].min(), 2) for table in tables]
        trends = [position_trend(table) for table in tables]
        parts.append(
            f"- **{word}s:** between the {word}s with the lowest and the highest median it differs by {spans[0]} "
            f"before and {spans[1]} after, the noise of two medians included. From the first {word} to the last a "
            f"straight line changes by {_change(trends[0])} before and by {_change(trends[1])} after: "
            f"{_beyond_noise(*trends)}."
        )
    return (
        f"The median {value} of wells that stand scattered, before and after normalisation (in brackets: two standard "
        "errors):\n\n" + "\n".join(parts)
    )


def _change(trend: tuple[float, float, float]) -> str:
    """Return ``0.02 (−0.01 to 0.05)``: what a straight line changes by."""
    change, low, high = (number(round(value, 3), 2) for value in trend)
    return f"{change} ({low} to {high})"


def _beyond_noise(before: tuple[float, float, float], after: tuple[float, float, float]) -> str:
    """Say which of two changes noise cannot explain."""
    clear = [not low <= 0 <= high for _, low, high in (before, after)]
    if clear[0] and clear[1]:
        return "both are more than noise"
    if not any(clear):
        return "neither is more than noise can do"
    return f"only the change {'before' if clear[0] else 'after'} is more than noise can do"
