"""Publish: run notebooks with parameters, provenance, and the pages of the book."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # For type checkers alone, which cannot look into the table below.
    from helpers.publish.assign import assign as assign
    from helpers.publish.notebooks import project_root as project_root
    from helpers.publish.notebooks import read_parameters as read_parameters
    from helpers.publish.notebooks import select_notebooks as select_notebooks
    from helpers.publish.run.jobs import run_notebooks as run_notebooks
    from helpers.publish.site.book import build_book as build_book
    from helpers.publish.site.check import check_site as check_site
    from helpers.publish.site.workshop import build_workshop as build_workshop

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


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'helpers.publish' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
