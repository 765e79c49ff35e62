"""Publish: run notebooks with parameters, provenance, and the pages of the book."""

import importlib

# Looked up on first use: the command line must answer `--help` without loading the scientific stack.
_HOMES = {
    "Analysis": "pipeline",
    "assign": "parameters",
    "banner_markdown": "banner",
    "build_book": "book",
    "build_workshop": "workshop",
    "check_site": "site",
    "project_root": "notebooks",
    "read_parameters": "parameters",
    "run_notebooks": "run",
    "select_notebooks": "notebooks",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'helpers.publish' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
