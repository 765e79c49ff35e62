"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real measurements that are not part of the project, or skip."""
    folder = Path(os.environ.get("RXRX_REAL_DATA") or PROJECT.parent / "shared" / "real")
    if not (folder / "screens").is_dir():
        pytest.skip(
            f"no real data at {folder}: set RXRX_REAL_DATA to the folder that holds screens/ and dose/"
        )
    return folder


@pytest.fixture(scope="session")
def project() -> Path:
    """Return the project's top folder."""
    return PROJECT
