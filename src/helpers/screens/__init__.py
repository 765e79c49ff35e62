"""Screens: facts, layout, reading, checking, mapping, fetching, and the twin.

Names are imported on first use, so that the command line answers at once.
"""

import importlib
from typing import Any

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
    "TwinModel": "twin.model",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
