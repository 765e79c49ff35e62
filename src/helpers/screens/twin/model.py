"""The assumptions of the twin, each a named parameter, and the random streams they feed."""

import zlib
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import UsageError

AXIS = "axis lengths"
KINDS = ("inert", "phenotype", "rescuing", "class", "worsening", "toxic", "rescuing_toxic")
CLASS_LETTERS = "ABCDEFGH"


def stream(seed: int, *keys: str) -> np.random.Generator:
    """Return the random stream of one purpose, for example of one plate.

    Streams with different keys are independent and do not depend on which others were used before, so plates
    can be made one at a time and in any order.
    """
    spawn_key = tuple(zlib.crc32(str(key).encode()) for key in keys)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawn_key))


# What a value may be, by its unit: (lowest, highest, and whether the lowest itself is allowed). SDs are sizes
# whatever their unit. The ends of sizes keep all embeddings far inside float32.
_SIZE = (0.0, 1e3, True)
_ALLOWED = {
    AXIS: _SIZE,
    "embedding units": (0.0, 1e6, False),
    "share": (0.0, 1.0, True),
    "share of top dose": (0.0, 1.0, False),
    "cosine": (-1.0, 1.0, True),
    "rescue": (-10.0, 1.0, True),  # nothing rescues beyond mock
    "Hill slope": (0.0, 20.0, False),
    "log10 uM": (0.0, 10.0, True),
    "log": (0.0, 10.0, True),
    "log10": (0.0, 10.0, True),
    "relative": (0.0, 10.0, True),
    "fold": _SIZE,
    "share of displacement": _SIZE,
    "degrees": (0.0, 1e6, True),
    "cells": (1.0, 1e6, True),
}


def _given(
    default: object, unit: str, text: str, basis: str = "invented", *, above: float | None = None
) -> Any:
    """Return a dataclass field that carries its unit, its meaning and where its value comes from.

    `above` is a bound that a value must exceed, where its unit alone would allow more.
    """
    kind, _, rest = unit.partition(", ")
    # An SD is no cosine and no rescue, but none of theirs can exceed one.
    low, high, closed = (0.0, 1.0, True) if rest and kind in ("cosine", "rescue") else _ALLOWED[kind]
    allowed = (low, high, closed) if above is None else (above, high, False)
    return field(default=default, metadata={"unit": unit, "help": text, "basis": basis, "allowed": allowed})


def _chosen(default: str, choices: tuple[str, ...], text: str) -> Any:
    """Return a dataclass field that holds one of some words."""
    metadata = {"unit": "word", "help": text, "basis": "invented", "choices": choices}
    return field(default=default, metadata=metadata)


LAYOUTS = ("rxrx19a", "plates_384", "confounded")
FEATURES = ("embedding", "counts")


@dataclass(frozen=True)
class TwinModel:
    """Every assumption of the twin's embeddings.

    Sizes are in axis lengths: 1 is the distance from mock to infected untreated cells along the disease axis.
    Pairs are the two ends of a uniform distribution unless the text says otherwise. Noise is given per
    direction of the embedding space, so it does not depend on the number of features. ``describe()`` lists
    names, values, units, meaning, and what is a fact and what is invented.
    """

    axis_length: float = _given(10.0, "embedding units", "distance from mock to infected cells")

    share_phenotype: float = _given(0.25, "share", "compounds with an off-axis phenotype and no rescue")
    share_rescuing: float = _given(0.05, "share", "compounds that rescue")
    share_class: float = _given(0.08, "share", "members of weak mechanism classes A to H")
    share_worsening: float = _given(0.04, "share", "compounds that make infected cells look worse")
    share_toxic: float = _given(0.05, "share", "compounds toxic at high dose, without rescue")
    share_rescuing_toxic: float = _given(0.03, "share", "compounds that rescue, and are toxic at the top")
    reference_enrichment: float = _given(2.0, "fold", "more compounds that act among the eight-dose ones")

    rescue_emax: tuple = _given((0.25, 1.0), "rescue", "largest rescue of a rescuing compound")
    worsening_emax: tuple = _given((-0.6, -0.2), "rescue", "largest rescue of a worsening compound")
    hill: tuple = _given((1.0, 3.0), "Hill slope", "steepness of rescue and of phenotypes over dose")
    class_emax: tuple = _given(
        (0.30, 0.20, 0.12, 0.0, 0.0, -0.12, -0.20, -0.30), "rescue", "mean largest rescue of classes A to H"
    )
    class_emax_sd: float = _given(0.04, "rescue, SD", "SD of largest rescue among members of a class")
    class_phenotype: float = _given(0.20, AXIS, "off-axis phenotype that members of a class share")
    phenotype_size: tuple = _given((0.3, 0.8), AXIS, "largest off-axis phenotype of a phenotype compound")
    phenotype_leak: float = _given(0.05, "cosine, SD", "how far off-axis phenotypes lean on the axis")
    mild_phenotype: float = _given(0.15, AXIS, "largest off-axis phenotype of a compound that rescues")
    toxic_size: tuple = _given((1.2, 3.0), AXIS, "largest displacement of a toxic compound")
    toxic_cosine: tuple = _given((0.2, 0.6), "cosine", "toxic direction to the direction of rescue")
    toxic_ec50: tuple = _given((0.1, 0.6), "share of top dose", "half-maximal toxic dose, log-uniform")
    toxic_hill: tuple = _given((2.0, 4.0), "Hill slope", "steepness of toxicity over dose")
    vero_ec50_sd: float = _given(0.3, "log10 uM", "SD of a compound's EC50 in Vero around HRCE's")
    vero_emax_sd: float = _given(0.2, "relative", "SD of a compound's largest rescue in Vero around HRCE's")

    axis_cosine: float = _given(0.95, "cosine", "disease axes of two experiments of one cell line", above=0.0)
    vero_axis_cosine: float = _given(0.70, "cosine", "disease axes of an HRCE and a Vero experiment")
    experiment_shift: float = _given(6.0, AXIS, "distance of an experiment's island from the common centre")
    plate_shift: float = _given(2.5, AXIS, "distance of a plate from its experiment's centre, off the axis")
    plate_shift_on_axis: float = _given(0.18, f"{AXIS}, SD", "shift of a plate along the disease axis")
    plate_gain_sd: float = _given(0.06, "relative, SD", "strength of all effects on a plate")
    gradient_on_axis: float = _given(0.10, f"{AXIS}, SD", "row and column trend at a corner, along the axis")
    gradient_off_axis: float = _given(0.40, AXIS, "row and column trend at a corner, off the axis")
    gradient_common: float = _given(0.5, "share", "variance of the trend that an experiment's plates share")
    site_offset: float = _given(0.30, AXIS, "offset of each of the four sites of a well")
    latent_sizes: tuple = _given(
        (0.45, 0.36, 0.30, 0.24, 0.20, 0.16), f"{AXIS}, SD", "correlated well noise along six directions"
    )
    latent_on_axis: float = _given(0.045, f"{AXIS}, SD", "correlated well noise that reaches the axis")
    well_noise: float = _given(0.05, f"{AXIS}, SD", "well noise in every direction")
    site_noise: float = _given(0.08, f"{AXIS}, SD", "site noise in every direction")

    dim_share: float = _given(0.03, "share", "wells that failed and look dim")
    dim_spread: float = _given(0.5, "log, SD", "how much that share varies from plate to plate")
    dim_bad_plate: tuple = _given((0.30, 0.40), "share", "dim mock and UV wells on one plate an experiment")
    dim_size: tuple = _given((3.0, 4.5), AXIS, "displacement of dim wells")
    dim_cosine: float = _given(0.10, "cosine", "artefact direction of dim wells to the disease axis")
    dim_jitter: float = _given(0.25, "share of displacement", "scatter of dim wells around their direction")
    low_cell_blank: float = _given(
        434 / 1606, "share", "wells with an empty condition that hold few cells", "fact"
    )
    low_cell_other: float = _given(
        13 / 2120, "share", "other wells that hold few cells (the share seen in mock wells)", "fact"
    )
    low_cell_size: float = _given(0.8, AXIS, "displacement of wells with few cells")
    low_cell_noise: float = _given(0.06, f"{AXIS}, SD", "noise that few cells add in every direction")
    uv_offset: float = _given(0.12, AXIS, "distance of UV wells from mock wells")
    uv_cosine: float = _given(0.3, "cosine", "that offset to the disease axis")
    blank_infected: float = _given(0.5, "share", "wells with an empty condition that look infected, not mock")

    # What worlds other than the calm one change.
    layout: str = _chosen("rxrx19a", LAYOUTS, "plates, where controls stand on them, and replicates")
    features: str = _chosen("embedding", FEATURES, "what a site is measured by")
    own_effect: tuple = _given((0.0, 0.0), AXIS, "further off-axis effect of a compound that acts")
    inert_effect: tuple = _given((0.0, 0.0), AXIS, "off-axis effect of a compound without any other")
    own_leak: float = _given(0.0, "cosine, SD", "how far those further effects lean on the axis")
    noise_tail: float = _given(0.0, "degrees", "of the t distribution of well noise; 0 is Gaussian")
    noise_gain: float = _given(0.0, "log, SD", "strength of a well's own effect and noise, well by well")
    odd_share: float = _given(0.0, "share", "wells that failed, each in a direction of its own")
    odd_size: tuple = _given((1.5, 4.0), AXIS, "displacement of these")
    saturation: float = _given(0.0, AXIS, "distance at which effects stop growing; 0 is never")
    density_sd: float = _given(0.0, f"{AXIS}, SD", "shift of a well by how densely its cells stand")
    density_cosine: float = _given(0.5, "cosine", "direction of that shift to the disease axis")
    gradient_gain: float = _given(
        0.0, "relative", "change of all effects from the centre of a plate to a corner"
    )
    count_level: float = _given(4000.0, "cells", "cells of a mock well, of counts")
    count_window: float = _given(0.0, "log10", "half range of the level of counts from plate to plate")
    count_survivors: tuple = _given(
        (0.01, 0.2), "share", "infected cells that survive on a plate, log-uniform"
    )
    count_spread: float = _given(0.12, "relative, SD", "spread of counts, relative to their mean")

    def __post_init__(self) -> None:
        for item in fields(self):
            self._check(item)
        if self.vero_axis_cosine < -self.axis_cosine:
            raise UsageError(
                f"assumption 'vero_axis_cosine' of the twin = {self.vero_axis_cosine} is not allowed; allowed: at "
                f"least -axis_cosine ({-self.axis_cosine}), for no axis lies further from the others"
            )
        shares = self.shares()
        if min(shares.values()) < 0:
            raise UsageError(f"the shares of compound kinds must lie in 0..1 and sum to at most 1: {shares}")
        if len(self.class_emax) != len(CLASS_LETTERS):
            raise UsageError(f"class_emax needs one value for each of the classes {', '.join(CLASS_LETTERS)}")

    def _check(self, item: Field) -> None:
        """Refuse a value that its unit does not allow."""
        if choices := item.metadata.get("choices"):
            if getattr(self, item.name) not in choices:
                raise UsageError(
                    f"assumption '{item.name}' of the twin = {getattr(self, item.name)!r} is not allowed; allowed: "
                    f"{', '.join(choices)} ({item.metadata['help']})"
                )
            return
        value, (low, high, closed) = getattr(self, item.name), item.metadata["allowed"]
        numbers: tuple[float, ...] = value if isinstance(item.default, tuple) else (value,)
        what = f"assumption '{item.name}' of the twin = {value} is not allowed; allowed"
        meaning = f"({item.metadata['unit']}: {item.metadata['help']})"
        if not all((low <= x if closed else low < x) and x <= high for x in numbers):
            raise UsageError(f"{what}: {low:g} {'<=' if closed else '<'} x <= {high:g} {meaning}")
        if (
            isinstance(item.default, tuple)
            and len(item.default) == 2
            and not (len(numbers) == 2 and numbers[0] <= numbers[1])
        ):
            raise UsageError(f"{what}: a pair (low, high) {meaning}")

    def shares(self, *, reference: bool = False) -> dict[str, float]:
        """Return the share of each kind of compound, of the eight-dose ones if `reference`; they sum to 1."""
        shares = {kind: getattr(self, f"share_{kind}") for kind in KINDS[1:]}
        if reference:
            total = sum(shares.values())
            fold = min(self.reference_enrichment, 1 / total) if total else 1.0
            # Phenotypes without rescue are not what a compound is chosen for.
            fold = {kind: 1.0 if kind == "phenotype" else fold for kind in shares}
            shares = {kind: share * fold[kind] for kind, share in shares.items()}
        return {"inert": round(1 - sum(shares.values()), 12), **shares}

    def without_actives(self) -> "TwinModel":
        """Return the model in which every compound is inert: whatever is called on it is false."""
        changes: dict[str, Any] = {f"share_{kind}": 0.0 for kind in KINDS[1:]}
        return replace(self, **changes)

    def describe(self) -> pd.DataFrame:
        """Return one row per parameter: name, value, unit, basis (`fact` or `invented`) and help."""
        rows = [
            {"name": f.name, "value": getattr(self, f.name)}
            | {key: f.metadata[key] for key in ("unit", "basis", "help")}
            for f in fields(self)
        ]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict:
        """Return the parameters as plain values, as ``twin.json`` holds them."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
