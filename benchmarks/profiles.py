"""Time and memory of sites to wells and of recipes, each beside a named alternative in the same run.

Each run is the first one of a process of its own, as a screen is normalised once, and so that its peak memory is its
own. What counts are the ratios, because seconds depend on the machine. `make bench`, or `make bench ARGS="--scale 0.1"`
for a quick look.
"""

import argparse
import multiprocessing
import resource
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

N_SITES, N_FEATURES = 305_520, 1024
N_PLATES, N_WELLS, N_REFERENCE = 57, 1340, 54  # 76,380 wells; infected untreated wells of most RxRx19a plates


def make_sites(scale: float):
    """Return sites of whole plates with RxRx19a's number of features, noise for embeddings."""
    import anndata as ad

    n_wells = max(int(N_SITES * scale) // 4, 40)
    names = [f"w{i}" for i in range(n_wells)]
    obs = pd.DataFrame({"well_id": pd.Categorical(np.repeat(names, 4), categories=names)})
    obs["site"] = np.tile(np.arange(1, 5), n_wells)
    obs["condition"] = pd.Categorical(["blank"] * len(obs), ["mock", "uv", "infected", "blank"])
    obs["experiment"], obs["plate_id"], obs["treatment"] = "E", "E_1", None
    obs.index = obs.index.astype(str)
    X = np.random.default_rng(0).standard_normal((len(obs), N_FEATURES), dtype=np.float32)
    return ad.AnnData(X, obs=obs)


def wells_ours(scale: float) -> Callable:
    from helpers.profiles.wells import _aggregate, _group_sites

    sites = make_sites(scale)

    def job():
        _, starts = _group_sites(sites.obs)
        _aggregate(sites.X, starts, "mean")

    return job


def wells_pandas(scale: float) -> Callable:
    sites = make_sites(scale)
    frame = pd.DataFrame(sites.X, index=sites.obs["well_id"].to_numpy())
    return lambda: frame.groupby(level=0, sort=False, observed=True).mean()


def wells_pycytominer(scale: float) -> Callable:
    import pycytominer

    sites = make_sites(scale)
    names = [f"f{i}" for i in range(N_FEATURES)]
    frame = pd.DataFrame(sites.X, columns=names)
    frame.insert(0, "Metadata_Well", sites.obs["well_id"].astype(str).to_numpy())
    return lambda: pycytominer.aggregate(frame, strata=["Metadata_Well"], features=names, operation="mean")


def make_wells(scale: float):
    """Return wells of whole plates, noise for embeddings, some of each plate infected untreated."""
    import anndata as ad

    n_plates = max(round(N_PLATES * scale), 2)
    plates = [f"E_{i + 1}" for i in range(n_plates)]
    place = np.tile(np.arange(N_WELLS), n_plates)
    obs = pd.DataFrame({"plate_id": pd.Categorical(np.repeat(plates, N_WELLS), categories=plates)})
    for name, value in (("experiment", "E"), ("condition", "infected"), ("qc_flag", "")):
        obs[name] = pd.Categorical([value] * len(obs))
    obs["treatment"] = pd.Categorical(np.where(place < N_REFERENCE, None, "a"))
    obs["row"], obs["col"] = place // 48 + 1, place % 48 + 1
    obs.index = obs.index.astype(str)
    X = np.random.default_rng(0).standard_normal((len(obs), N_FEATURES), dtype=np.float32)
    return ad.AnnData(X, obs=obs)


def recipe_ours(recipe: str, scale: float, **settings) -> Callable:
    from helpers.profiles import normalize

    wells = make_wells(scale)
    return lambda: normalize(wells, recipe, **settings)


def recipe_pycytominer(method: str, scale: float) -> Callable:
    import pycytominer

    wells = make_wells(scale)
    names = [f"f{i}" for i in range(N_FEATURES)]
    frame = pd.DataFrame(wells.X, columns=names)
    annotation = wells.obs.add_prefix("Metadata_").reset_index(drop=True)
    annotation["Metadata_role"] = np.where(annotation["Metadata_treatment"].isna(), "reference", "treated")
    frame = pd.concat(
        [annotation.astype(dict.fromkeys(annotation.select_dtypes("category"), object)), frame], axis=1
    )
    plates = np.split(np.arange(wells.n_obs), range(N_WELLS, wells.n_obs, N_WELLS))

    def one(rows: np.ndarray) -> pd.DataFrame:
        return pycytominer.normalize(
            frame.iloc[rows],
            features=names,
            meta_features=list(annotation),
            samples="Metadata_role == 'reference'",
            method=method,
            spherize_method="ZCA",
        )

    def job():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pd.concat([one(rows) for rows in plates], ignore_index=True)

    return job


JOBS = {
    "sites to wells": (wells_ours, "pandas groupby", wells_pandas),
    "sites to wells again": (wells_ours, "pycytominer aggregate", wells_pycytominer),
    "plate_standard": (
        partial(recipe_ours, "plate_standard"),
        "pycytominer standardize, plate by plate",
        partial(recipe_pycytominer, "standardize"),
    ),
    "plate_robust": (
        partial(recipe_ours, "plate_robust"),
        "pycytominer mad_robustize, plate by plate",
        partial(recipe_pycytominer, "mad_robustize"),
    ),
    "sphering": (
        partial(recipe_ours, "sphering", regulariser=0.0),
        "pycytominer spherize, plate by plate",
        partial(recipe_pycytominer, "spherize"),
    ),
}


def measure(make: Callable, scale: float, pipe) -> None:
    """Run one job and send its seconds and the memory that it added at its peak, in MB."""
    job = make(scale)
    before = current_memory()
    start = time.perf_counter()
    job()
    seconds = time.perf_counter() - start
    pipe.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before))


def current_memory() -> float:
    """Return the memory in use in MB, and forget, where the system lets us, what making the data took at its peak."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def in_own_process(make: Callable, scale: float) -> tuple[float, float]:
    """Return seconds and added peak memory of a job, measured in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measure, args=(make, scale, sender))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return result


def best_of(make: Callable, scale: float, repeats: int) -> tuple[float, float]:
    """Return the least seconds and memory of some runs, for what else the machine does can only add to them."""
    seconds, memory = zip(*(in_own_process(make, scale) for _ in range(repeats)), strict=True)
    return min(seconds), min(memory)


def main() -> None:
    """Print one line per job."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size, in (0, 1]")
    parser.add_argument("--only", default="", help="run the jobs whose name holds this")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each job, of which the best counts")
    arguments = parser.parse_args()
    scale = arguments.scale
    for name, (ours, other_name, other) in JOBS.items():
        if arguments.only not in name:
            continue
        seconds, memory = best_of(ours, scale, arguments.repeats)
        other_seconds, other_memory = best_of(other, scale, arguments.repeats)
        print(
            f"{name}: {seconds:.2f} s, {memory:.0f} MB; {other_name}: {other_seconds:.2f} s, {other_memory:.0f} MB; "
            f"{other_seconds / seconds:.1f}x as fast, {memory / max(other_memory, 1):.2f} of the memory",
            flush=True,
        )


if __name__ == "__main__":
    main()
