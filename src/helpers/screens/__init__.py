"""Screens: facts, layout, reading, checking, mapping, fetching, and the twin.

Names are imported on first use, so that the command line answers at once.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # For type checkers alone, which cannot look into the table below.
    from helpers.screens.check import check_screen as check_screen
    from helpers.screens.compounds import canonical_smiles as canonical_smiles
    from helpers.screens.compounds import match_compounds as match_compounds
    from helpers.screens.fetch import fetch_published as fetch_published
    from helpers.screens.fetch import fetch_rxrx19a as fetch_rxrx19a
    from helpers.screens.images.drawing import SiteState as SiteState
    from helpers.screens.images.drawing import draw_site as draw_site
    from helpers.screens.images.drawn import site_state as site_state
    from helpers.screens.images.open import open_images as open_images
    from helpers.screens.images.paths import image_address as image_address
    from helpers.screens.images.paths import image_path as image_path
    from helpers.screens.images.paths import site_address as site_address
    from helpers.screens.images.store import ImageStore as ImageStore
    from helpers.screens.locate import resolve_source as resolve_source
    from helpers.screens.problems import Problem as Problem
    from helpers.screens.provenance import describe_source as describe_source
    from helpers.screens.read import open_screen as open_screen
    from helpers.screens.read import read_classes as read_classes
    from helpers.screens.read import read_truth as read_truth
    from helpers.screens.twin.make import make_twin as make_twin
    from helpers.screens.twin.make import simulate_twin as simulate_twin
    from helpers.screens.twin.make import twin_failures as twin_failures
    from helpers.screens.twin.model import TwinModel as TwinModel

_HOME = {
    "open_screen": "read",
    "resolve_source": "locate",
    "describe_source": "provenance",
    "read_truth": "read",
    "read_classes": "read",
    "check_screen": "check",
    "Problem": "problems",
    "match_compounds": "compounds",
    "canonical_smiles": "compounds",
    "fetch_rxrx19a": "fetch",
    "fetch_published": "fetch",
    "image_path": "images.paths",
    "image_address": "images.paths",
    "site_address": "images.paths",
    "open_images": "images.open",
    "ImageStore": "images.store",
    "SiteState": "images.drawing",
    "draw_site": "images.drawing",
    "site_state": "images.drawn",
    "make_twin": "twin.make",
    "simulate_twin": "twin.make",
    "twin_failures": "twin.make",
    "TwinModel": "twin.model",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
