"""Time and memory of `rxrx19 data check` on wide and long tables, beside pandas, which only reads them.

Each runs in a process of its own, start included. A table has 200 wells and as many features as it says, the last a
million wells of 20 features.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

WIDE = (1_000, 5_000, 20_000)
LONG = 1_000_000
YML = """
name: made up
level: well
table: wells.csv
columns: {plate: plate, well: well, condition: state, treatment: compound, dose: dose}
conditions: {mock: [healthy], infected: [ill, drug]}
features: ["f_*"]
"""
PANDAS = "import sys, pandas; pandas.read_csv(sys.argv[1])"


def make(folder: Path, n_wells: int, n_features: int) -> Path:
    """Write a screen of random numbers, and return its table."""
    rng, i = np.random.default_rng(0), np.arange(n_wells)
    place, plate = i % 1_248, i // 1_248
    letters = np.array([chr(65 + k) for k in range(26)])
    state = np.where(place % 10 == 0, "healthy", np.where(place % 10 < 4, "ill", "drug"))
    drug = state == "drug"
    wells = {
        "plate": plate,
        "well": np.char.add(letters[place // 48], (place % 48 + 1).astype(str)),
        "state": state,
        "compound": np.where(drug, np.char.add("c", (place % 30).astype(str)), ""),
        "dose": np.where(drug, (place % 4 + 1).astype(str), ""),
    }
    features = {f"f_{k}": rng.normal(size=n_wells).round(4) for k in range(n_features)}
    folder.mkdir()
    (folder / "screen.yml").write_text(YML)
    pl.DataFrame(wells | features).write_csv(folder / "wells.csv")
    return folder / "wells.csv"


def measured(command: list[str]) -> tuple[float, float]:
    """Return seconds and peak megabytes of a process."""
    watch = (
        f"import resource, subprocess, sys; subprocess.run({command!r}, check=True, capture_output=True); "
    )
    watch += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", watch], check=True, capture_output=True, text=True)
    return time.perf_counter() - start, int(done.stdout) / 1024


def main() -> None:
    """Print one line per table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of the columns and rows, in (0, 1]")
    scale = parser.parse_args().scale
    shapes = [(200, max(int(n * scale), 10)) for n in WIDE] + [(max(int(LONG * scale), 2_600), 20)]
    command = str(Path(sys.executable).parent / "rxrx19")
    with tempfile.TemporaryDirectory() as home:
        for n_wells, n_features in shapes:
            table = make(Path(home) / f"{n_wells}x{n_features}", n_wells, n_features)
            ours, memory = measured([command, "data", "check", str(table.parent)])
            theirs, other = measured([sys.executable, "-c", PANDAS, str(table)])
            print(
                f"{n_wells:,} wells x {n_features:,} features: checked in {ours:.1f} s and {memory:,.0f} MB; "
                f"pandas.read_csv alone {theirs:.1f} s and {other:,.0f} MB; {ours / theirs:.1f}x the time",
                flush=True,
            )


if __name__ == "__main__":
    main()
