"""The twin's compounds: what each one does, by dose."""

import numpy as np
import pandas as pd

from helpers.screens.twin.model import CLASS_LETTERS, KINDS, TwinModel, stream

RESCUERS = ("rescuing", "class", "worsening", "rescuing_toxic")
TOXIC = ("toxic", "rescuing_toxic")


def draw_compounds(wells: pd.DataFrame, model: TwinModel, seed: int) -> pd.DataFrame:
    """Return what each compound of a design does, the same in every experiment (but see `in_cells`).

    Kinds are dealt out in the model's shares, exactly but for rounding, apart for eight-dose and other
    compounds.

    Returns
    -------
    compounds : DataFrame, indexed by compound number
        treatment (usual spelling), kind, mechanism_class; `emax` (rescue), `ec50_um`, `hill`; `phenotype`,
        `phenotype_ec50_um`, `phenotype_hill` and `leak` (cosine of that phenotype to the direction of rescue);
        `toxic`, `toxic_ec50_um`, `toxic_hill`, `toxic_cosine`; `own`, `own_ec50_um`, `own_hill` and `own_leak`, a
        further effect off the axis. Sizes in axis lengths, 0 where there is none.
    """
    compounds = _tested(wells)
    rng = stream(seed, "compounds")
    compounds["kind"] = ""
    for reference, group in compounds.groupby(compounds["n_doses"] >= 8):
        compounds.loc[group.index, "kind"] = _deal_kinds(len(group), model.shares(reference=reference), rng)
    members = np.flatnonzero(compounds["kind"] == "class")
    letters = np.array([""] * len(compounds), dtype=object)
    letters[members] = np.resize(list(CLASS_LETTERS), len(members))
    compounds["mechanism_class"] = letters
    _draw_rescue(compounds, model, rng)
    _draw_phenotype(compounds, model, rng)
    _draw_toxicity(compounds, model, rng)
    # from a stream of its own, so that nothing else is drawn otherwise in worlds without it
    _draw_own(compounds, model, stream(seed, "own effects"))
    return compounds.drop(columns=["n_doses", "low", "high"])


def in_cells(compounds: pd.DataFrame, cell_type: str, model: TwinModel, seed: int) -> pd.DataFrame:
    """Return the compounds as they act in a cell line: in all but HRCE, EC50 and largest rescue differ.

    Parameters
    ----------
    compounds : DataFrame
        From `draw_compounds`.
    cell_type : str
        The cell line.
    model : TwinModel
        Its `vero_ec50_sd` and `vero_emax_sd` say how much they differ.
    seed : int
        Of the twin.

    Returns
    -------
    DataFrame
        As given, with other `ec50_um` and `emax`.
    """
    if cell_type == "HRCE":
        return compounds
    rng = stream(seed, "cells", cell_type)
    ec50 = compounds["ec50_um"] * 10 ** rng.normal(0, model.vero_ec50_sd, len(compounds))
    emax = compounds["emax"] * np.clip(1 + rng.normal(0, model.vero_emax_sd, len(compounds)), 0, None)
    # Nothing rescues beyond mock.
    return compounds.assign(ec50_um=ec50, emax=emax.clip(upper=1.0))


def hill_share(dose: np.ndarray, ec50: np.ndarray, hill: np.ndarray) -> np.ndarray:
    """Return the share of the largest effect at a dose, 0 to 1, 0 where there is no EC50."""
    with np.errstate(divide="ignore"):
        share = 1 / (1 + (np.asarray(ec50) / np.asarray(dose)) ** np.asarray(hill))
    return np.nan_to_num(share)


def effect_sizes(compounds: pd.DataFrame, dose: np.ndarray) -> pd.DataFrame:
    """Return rescue, phenotype, toxicity and own effect of each row of `compounds` at its dose, in axis lengths."""
    effects = {
        "rescue": ("emax", "ec50_um", "hill"),
        "phenotype": ("phenotype", "phenotype_ec50_um", "phenotype_hill"),
        "toxicity": ("toxic", "toxic_ec50_um", "toxic_hill"),
        "own": ("own", "own_ec50_um", "own_hill"),
    }
    return pd.DataFrame(
        {
            effect: compounds[size].fillna(0).to_numpy()
            * hill_share(dose, compounds[ec50].to_numpy(), compounds[hill].to_numpy())
            for effect, (size, ec50, hill) in effects.items()
        }
    )


def _tested(wells: pd.DataFrame) -> pd.DataFrame:
    """Return usual spelling, number of doses and dose range per compound, over all experiments."""
    treated = wells[wells["compound"] >= 0]
    counts = treated.groupby(["compound", "treatment"], as_index=False).size()
    # A draw goes to the spelling that sorts first, capitals before small letters.
    usual = counts.sort_values(["compound", "size", "treatment"], ascending=[True, False, True])
    compounds = usual.drop_duplicates("compound").set_index("compound")[["treatment"]]
    doses = treated[treated["dose_um"] > 0].groupby("compound")["dose_um"]
    compounds = compounds.assign(n_doses=doses.nunique(), low=doses.min(), high=doses.max())
    # A borrowed design may name a treatment without a dose.
    return compounds.fillna({"n_doses": 0, "low": 1.0, "high": 1.0})


def _deal_kinds(n: int, shares: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """Return n kinds in random order, as close to the shares as whole numbers allow."""
    quotas = np.array([shares[kind] for kind in KINDS]) * n
    counts = np.floor(quotas).astype(int)
    largest = np.argsort(counts - quotas, kind="stable")[: n - counts.sum()]
    counts[largest] += 1
    return rng.permutation(np.repeat(KINDS, counts))


def _log_uniform(low: np.ndarray, high: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return draws that are uniform in the logarithm."""
    return np.exp(rng.uniform(np.log(low), np.log(high)))


def _draw_rescue(compounds: pd.DataFrame, model: TwinModel, rng: np.random.Generator) -> None:
    """Add emax, ec50_um and hill: log-uniform EC50 over the doses tested."""
    n, kind = len(compounds), compounds["kind"].to_numpy()
    letter_emax = dict(zip(CLASS_LETTERS, model.class_emax, strict=True))
    class_emax = compounds["mechanism_class"].map(letter_emax).to_numpy(dtype=float)
    rescuing = rng.uniform(*model.rescue_emax, n)
    emax = {
        "rescuing": rescuing,
        "rescuing_toxic": rescuing,
        "worsening": rng.uniform(*model.worsening_emax, n),
        # A class without effect on average has members without any.
        "class": np.where(class_emax == 0, 0, class_emax + rng.normal(0, model.class_emax_sd, n)),
    }
    compounds["emax"] = np.select([kind == k for k in emax], list(emax.values()), default=0.0)
    # Half of what would be rescue at the top is hidden by toxicity there, so it must start below.
    high = np.where(
        kind == "rescuing_toxic", np.sqrt(compounds["low"] * compounds["high"]), compounds["high"]
    )
    ec50, hill = _log_uniform(compounds["low"], high, rng), rng.uniform(*model.hill, n)
    compounds["ec50_um"] = np.where(compounds["emax"] != 0, ec50, np.nan)
    compounds["hill"] = np.where(compounds["emax"] != 0, hill, np.nan)


def _draw_phenotype(compounds: pd.DataFrame, model: TwinModel, rng: np.random.Generator) -> None:
    """Add the compound's own effect off the disease axis."""
    n, kind = len(compounds), compounds["kind"].to_numpy()
    own, mild = rng.uniform(*model.phenotype_size, n), rng.uniform(0, model.mild_phenotype, n)
    size = np.where(kind == "phenotype", own, np.where(np.isin(kind, RESCUERS), mild, 0.0))
    compounds["phenotype"] = np.where(kind == "class", model.class_phenotype, size)
    ec50, hill = _log_uniform(compounds["low"], compounds["high"], rng), rng.uniform(*model.hill, n)
    # What a class does to cells and to the infection sets in at the same dose.
    shared = compounds["ec50_um"].notna()
    compounds["phenotype_ec50_um"] = np.where(shared, compounds["ec50_um"], ec50)
    compounds["phenotype_hill"] = np.where(shared, compounds["hill"], hill)
    leak = rng.normal(0, model.phenotype_leak, n)
    compounds["leak"] = np.where(kind == "phenotype", np.clip(leak, -1, 1), 0.0)


def _draw_toxicity(compounds: pd.DataFrame, model: TwinModel, rng: np.random.Generator) -> None:
    """Add the displacement of toxic compounds, which sets in near their top dose."""
    n, toxic = len(compounds), compounds["kind"].isin(TOXIC).to_numpy()
    compounds["toxic"] = np.where(toxic, rng.uniform(*model.toxic_size, n), 0.0)
    top = compounds["high"].to_numpy()
    ec50 = _log_uniform(top * model.toxic_ec50[0], top * model.toxic_ec50[1], rng)
    compounds["toxic_ec50_um"] = np.where(toxic, ec50, np.nan)
    compounds["toxic_hill"] = np.where(toxic, rng.uniform(*model.toxic_hill, n), np.nan)
    compounds["toxic_cosine"] = np.where(toxic, rng.uniform(*model.toxic_cosine, n), 0.0)


def _draw_own(compounds: pd.DataFrame, model: TwinModel, rng: np.random.Generator) -> None:
    """Add a further effect off the axis, at doses of its own, of compounds that act and of inert ones."""
    n, kind = len(compounds), compounds["kind"].to_numpy()
    acting, inert = rng.uniform(*model.own_effect, n), rng.uniform(*model.inert_effect, n)
    compounds["own"] = np.select([np.isin(kind, RESCUERS), kind == "inert"], [acting, inert], default=0.0)
    compounds["own_ec50_um"] = _log_uniform(compounds["low"], compounds["high"], rng)
    compounds["own_hill"] = rng.uniform(*model.hill, n)
    compounds["own_leak"] = np.clip(rng.normal(0, model.own_leak, n), -1, 1)
