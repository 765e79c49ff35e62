"""Where calls and curves hold: ten seeds of every world, written beside the package as the table that the book cites.

`make worlds` takes about a quarter of an hour on two cores; `make worlds ARGS="--seeds 1 --worlds calm"` is a quick
look, which prints and writes nothing.
"""

import argparse
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from helpers.dose.promises import judge_curves
from helpers.files import atomic_path
from helpers.hits.promises import judge_world, summarize_promises
from helpers.screens.twin.worlds import WORLDS

TABLE = Path(__file__).parent.parent / "src/helpers/hits/data/where_it_holds.csv"
FULL = 10


def judge(task: tuple[str, int]) -> pd.DataFrame:
    warnings.simplefilter("ignore")
    return judge_world(*task, further=judge_curves)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=FULL)
    parser.add_argument("--first", type=int, default=1000, help="first seed")
    parser.add_argument("--worlds", default=",".join(WORLDS))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    worlds = options.worlds.split(",")
    tasks = [(world, options.first + n) for n in range(options.seeds) for world in worlds]
    parts = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for (world, seed), part in zip(tasks, pool.map(judge, tasks), strict=True):
            print(f"{world}, seed {seed}", flush=True)
            parts.append(part)
    table = summarize_promises(pd.concat(parts, ignore_index=True))
    print(table.round(4).to_string(index=False))
    if options.seeds >= FULL and set(worlds) == set(WORLDS):
        with atomic_path(TABLE) as temporary:
            table.round(5).to_csv(temporary, index=False, lineterminator="\n")
        print(f"written to {TABLE}")


if __name__ == "__main__":
    main()
