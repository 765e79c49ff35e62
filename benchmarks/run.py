"""Time and memory of what must be fast, each beside a named alternative in the same run.

Each job runs in a process of its own, so that its peak memory is its own; what counts are the ratios, because
seconds depend on the machine. `make bench`, or `make bench ARGS="--scale 0.1"` for a quick look.
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

N_SITES, N_FEATURES, N_CURVES = 305_520, 1024, 2000
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
    "curves with intervals": (
        curves_ours,
        "a loop over scipy.optimize.curve_fit, no intervals",
        curves_scipy,
    ),
}


def measure(make: Callable, scale: float, pipe) -> None:
    """Run one job and send its seconds and the memory it added at its peak, in MB."""
    job = make(scale)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    job()
    seconds = time.perf_counter() - start
    pipe.send((seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))


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


def main() -> None:
    """Print one line per job."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size, in (0, 1]")
    scale = parser.parse_args().scale
    for name, (ours, other_name, other) in JOBS.items():
        seconds, memory = in_own_process(ours, scale)
        other_seconds, other_memory = in_own_process(other, scale)
        print(
            f"{name}: {seconds:.2f} s, {memory:.0f} MB; {other_name}: {other_seconds:.2f} s, {other_memory:.0f} MB; "
            f"{other_seconds / seconds:.1f}x as fast"
        )


if __name__ == "__main__":
    main()
