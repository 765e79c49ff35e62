"""Worlds: named sets of the twin's assumptions, each with the reason why a real screen may look so."""

from dataclasses import dataclass, field, replace

import pandas as pd

from helpers.errors import UsageError
from helpers.screens.twin.model import TwinModel


@dataclass(frozen=True)
class World:
    """A named set of assumptions.

    Attributes
    ----------
    name : str
        As the command and the parameter `world` take it.
    summary : str
        What is different in it, in a few words.
    reason : str
        Why a real screen may look so.
    changes : dict
        Assumptions of :class:`helpers.screens.TwinModel` that differ from the calm world's.
    """

    name: str
    summary: str
    reason: str
    changes: dict[str, object] = field(default_factory=dict)

    def model(self, model: TwinModel | None = None) -> TwinModel:
        """Return a model with this world's assumptions in place of its own."""
        return replace(model or TwinModel(), **self.changes)


_REASONS = {
    "calm": """
        The simplest screen that has RxRx19a's layout, counts and quirks. Methods that fail here fail anywhere.
    """,
    "busy": """
        Drugs have targets in healthy cells too. At the doses of a screen most of them change how cells look, whether
        they help or not, and at doses of their own.
    """,
    "rough": """
        Pipettes clog, bubbles form, stains are weak, cells were seeded unevenly. Wells fail in ways that nobody has
        seen before, and a batch of virus is stronger or weaker than the last.
    """,
    "bent": """
        An embedding is no ruler: twice the change is not twice the distance. Density changes how cells look much as a
        damaging virus does, and wells at an edge respond more or less to everything.
    """,
    "counts": """
        Many screens count cells and measure a few sizes and intensities. A well with more cells varies more, a virus
        that kills nearly all cells leaves next to nothing to vary, and plates were not seeded alike.
    """,
    "small_plates": """
        The commonest format of academic screens. Controls stand where an edge effect is largest, and an arm has two
        wells, of which one may have failed.
    """,
    "confounded": """
        Plates were filled compound by compound, and controls were thought a waste of wells. What a plate does and what
        a compound does cannot be told apart by replicates.
    """,
}
_ROUGH = {
    "noise_tail": 4.0,
    "noise_gain": 0.15,
    "latent_on_axis": 0.04,
    "well_noise": 0.04,
    "plate_gain_sd": 0.2,
    "low_cell_other": 0.02,
    "odd_share": 0.03,
}


def _world(name: str, summary: str, **changes: object) -> World:
    return World(name, summary, " ".join(_REASONS[name].split()), changes)


WORLDS = {
    world.name: world
    for world in (
        _world("calm", "Gaussian noise, effects that add up, most compounds without any effect"),
        _world(
            "busy",
            "every compound does something to the cells besides what it does to the disease",
            own_effect=(0.1, 0.9),
            inert_effect=(0.0, 0.3),
        ),
        _world(
            "rough",
            "heavy-tailed noise, plates of other strength, a narrow window, one well in twelve failed",
            **_ROUGH,
        ),
        _world(
            "bent",
            "effects that saturate, cell density along the disease axis, gradients that multiply",
            saturation=1.5,
            density_sd=0.1,
            gradient_gain=0.2,
        ),
        _world(
            "counts",
            "a few positive features whose spread grows with their mean; windows that differ tenfold",
            features="counts",
            count_window=0.5,
        ),
        _world(
            "small_plates",
            "384 wells, controls in the outer columns, two plates a compound with one well each",
            layout="plates_384",
        ),
        _world(
            "confounded",
            "each compound on one plate, one mock well a plate, plates without controls, no inactivated virus",
            layout="confounded",
        ),
    )
}
"""Name -> world, from the kindest on."""


def find_world(name: str) -> World:
    """Return a world by its name.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if name not in WORLDS:
        raise UsageError(f"world {name!r} is unknown; choose one of {', '.join(WORLDS)}")
    return WORLDS[name]


def describe_worlds() -> pd.DataFrame:
    """Return one row per world: world, summary, reason, changes (as text)."""
    rows = [
        (world.name, world.summary, world.reason, ", ".join(f"{k} = {v}" for k, v in world.changes.items()))
        for world in WORLDS.values()
    ]
    return pd.DataFrame(rows, columns=["world", "summary", "reason", "changes"])
