"""Plates that a user asks for, or that a page picks."""

import pandas as pd

from helpers.errors import UsageError
from helpers.screens.order import natural_order


def choose_plates(obs: pd.DataFrame, plates: str) -> pd.DataFrame:
    """Return the wells of the plates a user asks for.

    Parameters
    ----------
    obs : DataFrame
        Wells with experiment, plate and plate_id.
    plates : str
        ``all``, or a comma list of plates (``25``) or plate ids (``HRCE-1_25``).

    Raises
    ------
    UsageError
        If a plate is not in the screen; the line lists those that are.
    """
    if plates.strip() == "all":
        return obs
    wanted = [name.strip() for name in plates.split(",") if name.strip()]
    known = set(obs["plate"].astype(str)) | set(obs["plate_id"].astype(str))
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        valid = ", ".join(map(str, natural_order(obs["plate_id"].astype(str))[:60]))
        raise UsageError(
            f"parameter 'plates': no plate {', '.join(unknown) or '(empty)'}; valid: all, {valid}"
        )
    chosen = obs["plate"].astype(str).isin(wanted) | obs["plate_id"].astype(str).isin(wanted)
    return obs[chosen.to_numpy()]


def worst_plate(wells: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Return the wells of the plate with the lowest robust Z′, of the first plate where none is known."""
    known = quality.dropna(subset=["z_prime_robust"]) if len(quality) else quality
    if known.empty:
        return wells[(wells["plate_id"] == wells["plate_id"].iloc[0]).to_numpy()]
    worst = known.loc[known["z_prime_robust"].idxmin()]
    same = (wells["experiment"].astype(str) == str(worst["experiment"])) & (
        wells["plate"].astype(str) == str(worst["plate"])
    )
    return wells[same.to_numpy()]


def plate_title(wells: pd.DataFrame) -> str:
    """Return the id of the plate of some wells, for the title of its map."""
    return str(wells["plate_id"].iloc[0])
