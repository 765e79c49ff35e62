"""Publish: run notebooks with parameters, provenance, and the pages of the book."""

import importlib

# Looked up on first use: the command line must answer `--help` without loading the scientific stack.
_HOMES = {
    "assign": "assign",
    "build_book": "site.book",
    "build_workshop": "site.workshop",
    "check_site": "site.check",
    "project_root": "notebooks",
    "read_parameters": "notebooks",
    "run_notebooks": "run.jobs",
    "select_notebooks": "notebooks",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'helpers.publish' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
