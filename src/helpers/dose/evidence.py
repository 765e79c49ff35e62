"""Evidence of harm beside the distance from the axis: each kind in its own column, none of which decides alone."""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.dose.harm import ARM, PAIR
from helpers.profiles.selection import controls, treated, usable

CELL_COUNTS = (
    "cell_count", "n_cells", "count_cells", "cells_count", "number_of_cells", "cell_number", "nuclei_count",
    "count_nuclei", "metadata_count_cells", "metadata_cell_count", "cells_number_object_number",
    "nuclei_number_object_number",
)  # fmt: skip
"""Names, in small letters, of a column that counts the cells of a well, if a screen brings one along as `extra`."""
COLUMNS = ["toxic_reason", "cells_top"]


def harm_evidence(scored: ad.AnnData, toxic: pd.DataFrame) -> pd.DataFrame:
    """Return what speaks for and against harm at the highest dose of each compound.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`.
    toxic : DataFrame
        From :func:`helpers.dose.harm.toxic_doses`.

    Returns
    -------
    DataFrame
        One row per pair of experiment and treatment with a usable well:

        - `toxic_reason`: why its toxic doses count as such, from the lowest to the highest, "" where it has none;
        - `cells_top`: cells at its highest dose relative to infected untreated wells of the same plates (medians),
          where the wells have a column of :data:`helpers.dose.evidence.CELL_COUNTS`.
    """
    tables = []
    for experiment in scored.obs["experiment"].astype(str).unique():
        mine = (scored.obs["experiment"].astype(str) == experiment).to_numpy() & usable(scored.obs)
        top = _top_wells(scored.obs[mine])
        if not top.any():
            continue
        obs = scored.obs[mine].astype({"plate_id": str, "treatment": object})
        table = pd.DataFrame({"treatment": np.unique(obs.loc[top, "treatment"].astype(str))}).assign(
            experiment=experiment
        )
        harmful = toxic[toxic["experiment"] == experiment]
        table["toxic_reason"] = table["treatment"].map(_reasons(harmful)).fillna("")
        table["cells_top"] = table["treatment"].map(_cells(obs, top))
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=[*PAIR, *COLUMNS])
    return pd.concat(tables, ignore_index=True)[[*PAIR, *COLUMNS]]


def _top_wells(obs: pd.DataFrame) -> np.ndarray:
    """Return which wells hold the highest dose of their treatment."""
    chosen = treated(obs) & obs["dose_um"].notna().to_numpy()
    highest = obs["dose_um"].where(chosen).groupby(obs["treatment"], observed=True).transform("max")
    return chosen & (obs["dose_um"] == highest).to_numpy()


def _reasons(toxic: pd.DataFrame) -> pd.Series:
    """Return the reasons of each treatment, by dose, each once."""
    ordered = toxic.sort_values(ARM, kind="stable")
    return ordered.groupby("treatment")["reason"].agg(lambda reasons: ", ".join(dict.fromkeys(reasons)))


def _cells(obs: pd.DataFrame, top: np.ndarray) -> pd.Series:
    """Return the cells of each treatment's highest dose, relative to infected untreated wells of its plates."""
    named = [name for name in obs.columns if str(name).casefold() in CELL_COUNTS]
    if not named:
        return pd.Series(dtype=float)
    count = pd.to_numeric(obs[named[0]], errors="coerce")
    usual = count[controls(obs, "infected")].groupby(obs["plate_id"]).median()
    usual = obs["plate_id"].map(usual)
    share = (count / usual.where(usual > 0))[top]
    return share.groupby(obs.loc[top, "treatment"]).median()
