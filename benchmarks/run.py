"""Time and memory of what must be fast, each beside a named alternative in the same run.

Each job runs in a process of its own, so that its peak memory is its own; what counts are the ratios, because
seconds depend on the machine. `make bench`, or `make bench ARGS="--scale 0.1"` for a quick look.
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

N_SITES, N_FEATURES, N_CURVES = 305_520, 1024, 2000
N_PLATES, N_WELLS, N_REFERENCE = 57, 1340, 54  # 76,380 wells; infected untreated wells of most RxRx19a plates
DOSES = np.array([0.01, 0.03, 0.1, 0.3, 1, 3])


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
    obs["experiment"], obs["condition"], obs["qc_flag"] = "E", "infected", ""
    obs["treatment"] = np.where(place < N_REFERENCE, None, "a")
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
    frame["Metadata_role"] = np.where(wells.obs["treatment"].isna(), "reference", "treated")
    plates = np.split(np.arange(wells.n_obs), range(N_WELLS, wells.n_obs, N_WELLS))

    def one(rows: np.ndarray) -> pd.DataFrame:
        return pycytominer.normalize(
            frame.iloc[rows],
            features=names,
            meta_features=["Metadata_role"],
            samples="Metadata_role == 'reference'",
            method=method,
            spherize_method="ZCA",
        )

    def job():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pd.concat([one(rows) for rows in plates], ignore_index=True)

    return job


def make_curves(scale: float) -> pd.DataFrame:
    """Return noisy curves of six doses and six wells each."""
    from helpers.dose import response_at

    n, rng = max(int(N_CURVES * scale), 20), np.random.default_rng(0)
    curve, dose = np.repeat(np.arange(n), 36), np.tile(np.repeat(DOSES, 6), n)
    ec50, back = 10 ** rng.uniform(-1.5, 0, n), rng.uniform(0.3, 1, n)
    response = response_at(dose, 0, back[curve], ec50[curve], 1.5) + rng.normal(0, 0.1, len(dose))
    return pd.DataFrame({"curve": curve, "dose": dose, "response": response})


def curves_ours(scale: float) -> Callable:
    from helpers.dose import fit_curves

    table = make_curves(scale)
    return lambda: fit_curves(table)


def curves_scipy(scale: float) -> Callable:
    from scipy.optimize import curve_fit

    from helpers.dose import response_at

    table = make_curves(scale)
    bounds = ([-10, -10, 0.001, 0.2], [10, 10, 30, 20])

    def job():
        for _, points in table.groupby("curve"):
            start = (0.0, points["response"].iloc[-6:].mean(), 0.2, 1.0)
            curve_fit(response_at, points["dose"], points["response"], p0=start, bounds=bounds, maxfev=5000)

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
    "curves with intervals": (
        curves_ours,
        "a loop over scipy.optimize.curve_fit, no intervals",
        curves_scipy,
    ),
}


def measure(make: Callable, scale: float, repeats: int, pipe) -> None:
    """Run one job and send its seconds, the best of some runs, and the memory that its first run added, in MB.

    The best, because whatever else the machine does can only make a run slower.
    """
    job = make(scale)
    before = current_memory()
    seconds = [timed(job)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    seconds += [timed(job) for _ in range(repeats - 1)]
    pipe.send((min(seconds), memory))


def timed(job: Callable) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def current_memory() -> float:
    """Return the memory in use in MB, and forget, where the system lets us, what making the data took at its peak."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def in_own_process(make: Callable, scale: float, repeats: int) -> tuple[float, float]:
    """Return seconds and added peak memory of a job, measured in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measure, args=(make, scale, repeats, sender))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return result


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
        seconds, memory = in_own_process(ours, scale, arguments.repeats)
        other_seconds, other_memory = in_own_process(other, scale, arguments.repeats)
        print(
            f"{name}: {seconds:.2f} s, {memory:.0f} MB; {other_name}: {other_seconds:.2f} s, {other_memory:.0f} MB; "
            f"{other_seconds / seconds:.1f}x as fast, {memory / max(other_memory, 1):.2f} of the memory",
            flush=True,
        )


if __name__ == "__main__":
    main()
