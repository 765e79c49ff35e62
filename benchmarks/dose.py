"""Speed and optima of the dose-response engine, beside named alternatives in the same run, on one core.

Prints curves per second of `fit_curves` (fits, tests against simulated flat curves, profile intervals, classes), of a
loop over scipy.optimize.curve_fit (fits alone), and of CurveCurator; then seconds and peak memory of a full-size screen
with plate-block bootstraps. Where real measurements are at hand (`RXRX_REAL_DATA`), the viability curves that
CurveCurator ships as its example, with missing values, are fitted by both. `make bench` installs CurveCurator into an
environment of its own, for it asks for older packages than ours, and sees to it that one core is used.
"""

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit

from helpers.dose import fit_curves, response_at
from helpers.dose.coverage import CurveNoise, simulate_curves

N_CURVES, N_SCREEN, N_DRAWS = 2000, 1760, 200  # 1,694 pairs of HRCE compound and experiment, and 64 of Vero
HILL, MARGIN = (0.2, 20.0), 10.0
VIABILITY_DOSES = (0, .0012, .0024, .0049, .0097, .019, .039, .078, .16, .31, .62, 1.2, 2.5, 5, 10, 20, 40)  # fmt: skip
"""Of the columns of CurveCurator's example, micromolar."""


def timed(job, clock=time.process_time, repeats: int = 1) -> tuple[float, object]:
    """Return seconds, the least of some runs, and result; processor time, because others may use the machine."""
    seconds = []
    for _ in range(repeats):
        start = clock()
        result = job()
        seconds.append(clock() - start)
    return min(seconds), result


def screen_like(n_curves: int) -> pd.DataFrame:
    """Return curves as a screen has them: a third with an effect, some of it seen in part, the others flat."""
    acting, _ = simulate_curves(n_curves // 3, ec50=(0.01, 6.0), back=(0.2, 1.0), seed=0)
    flat, _ = simulate_curves(n_curves - n_curves // 3, back=(0.0, 1e-9), seed=1)
    return pd.concat([acting, flat.assign(curve=flat["curve"] + n_curves // 3)], ignore_index=True)


def scipy_loop(table: pd.DataFrame) -> pd.Series:
    """Fit curve by curve within the bounds of fit_curves; return sums of squares, missing where it raised."""
    doses = table["dose"].unique()
    low, high = doses.min() / MARGIN, doses.max() * MARGIN
    bounds = ([-np.inf, -np.inf, low, HILL[0]], [np.inf, np.inf, high, HILL[1]])
    out = {}
    for name, points in table.groupby("curve"):
        x, y = points["dose"].to_numpy(), points["response"].to_numpy()
        start = (y[x == x.min()].mean(), y[x == x.max()].mean(), np.sqrt(doses.min() * doses.max()), 1.0)
        try:
            best, _ = curve_fit(response_at, x, y, p0=start, bounds=bounds, maxfev=5000)
            out[name] = ((y - response_at(x, *best)) ** 2).sum()
        except RuntimeError:
            out[name] = np.nan
    return pd.Series(out)


def children_seconds() -> float:
    """Return the processor time of the processes started so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def curvecurator_seconds(command: str, table: pd.DataFrame) -> float:
    """Return the seconds that CurveCurator takes for the curves, its start taken off."""
    names = table["curve"].unique()
    few = table[table["curve"].isin(names[:10])]
    return (_curvecurator(command, table) - _curvecurator(command, few)) * len(names) / (len(names) - 10)


def _curvecurator(command: str, table: pd.DataFrame) -> float:
    """Return the seconds of one run of CurveCurator on the plate means of the curves, one core."""
    wide = table.pivot_table(index="curve", columns=["plate", "dose"], values="response") + 1
    doses = [float(dose) for _, dose in wide.columns]
    wide.columns = [f"Raw {i}" for i in range(len(doses))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        wide.rename_axis("Name").reset_index().to_csv(path / "in.tsv", sep="\t", index=False)
        control = [i for i, dose in enumerate(doses) if dose == min(doses)]
        (path / "job.toml").write_text(
            "['Meta']\nid = 'bench'\ncondition = 'c'\ndescription = 'd'\ntreatment_time = '1'\n['Experiment']\n"
            f"experiments = {list(range(len(doses)))}\ndoses = {doses}\ndose_scale = '1e-06'\n"
            f"dose_unit = 'M'\ncontrol_experiment = {control}\nmeasurement_type = 'OTHER'\n"
            "data_type = 'OTHER'\nsearch_engine = 'OTHER'\nsearch_engine_version = '0'\n"
            f"['Paths']\ninput_file = '{path / 'in.tsv'}'\ncurves_file = '{path / 'out.tsv'}'\n"
            f"dashboard = '{path / 'dash.html'}'\n['Processing']\navailable_cores = 1\n"
            "['Curve Fit']\ntype = 'OLS'\n['F Statistic']\nalpha = 0.05\nfc_lim = 0.45\n"
        )
        seconds, done = timed(
            lambda: subprocess.run([command, str(path / "job.toml")], capture_output=True, text=True),
            clock=children_seconds,
        )
        if done.returncode or not (path / "out.tsv").exists():
            raise SystemExit(f"CurveCurator failed: {done.stderr[-500:]} {done.stdout[-500:]}")
    return seconds


def viability() -> pd.DataFrame | None:
    """Return the real viability curves, one row per response, without missing ones; None where not at hand."""
    project = Path(__file__).resolve().parent.parent
    folder = Path(os.environ.get("RXRX_REAL_DATA") or project.parent / "shared" / "real") / "dose" / "ctrp40"
    if not (folder / "input.tsv").exists():
        return None
    wide = pd.read_csv(folder / "input.tsv", sep="\t")
    long = wide.melt(id_vars="Name", var_name="column", value_name="response").dropna()
    place = long["column"].str.removeprefix("Raw ").astype(int)
    return long.assign(curve=long["Name"], dose=np.array(VIABILITY_DOSES)[place], plate=0)


def compare_on_viability(curvecurator: str | None) -> None:
    """Print curves per second on the real table, ours and CurveCurator's."""
    table = viability()
    if table is None:
        print("real viability curves: not at hand (RXRX_REAL_DATA), not measured")
        return
    n = table["curve"].nunique()
    settings = {"hill_bounds": (0.2, 10.0), "plateaus": (0.0, np.inf), "bell": False}
    seconds, _ = timed(lambda: fit_curves(table, **settings), repeats=5)
    designs = table.groupby("curve")["dose"].agg(tuple).nunique()
    print(f"real viability curves ({n}, {designs} patterns of missing doses): {n / seconds:,.0f} a second")
    if curvecurator:
        other = n / curvecurator_seconds(curvecurator, table)
        print(
            f"  CurveCurator on the same table: {other:,.0f} a second; ours {n / seconds / other:.0f}x as fast"
        )


def main() -> None:
    """Print one line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of the curves, in (0, 1]")
    parser.add_argument(
        "--curvecurator", default=shutil.which("CurveCurator"), help="its command, to compare with"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    n = max(int(N_CURVES * arguments.scale), 40)
    table = screen_like(n)
    fit_curves(table[table["curve"] < 40])  # imports
    seconds, ours = timed(lambda: fit_curves(table), repeats=3)
    print(f"fit_curves: {n / seconds:,.0f} curves a second ({n} curves, {seconds:.2f} s)", flush=True)
    for words, options in {
        "without the search for bells": {"bell": False},
        "estimates and test alone": {"bell": False, "alpha": 1e-300},
        "with plates as random effects": {"cluster": "plate"},
    }.items():
        bare, _ = timed(lambda options=options: fit_curves(table, **options), repeats=3)
        print(f"  {words}: {n / bare:,.0f} a second", flush=True)
    every_fifth = range(0, n, 5)
    some = table[table["curve"].isin(every_fifth)]
    scipy_seconds, theirs = timed(lambda: scipy_loop(some))
    rate = some["curve"].nunique() / scipy_seconds
    print(f"scipy.optimize.curve_fit in a loop: {rate:,.0f} a second; ours {n / seconds / rate:.0f}x as fast")
    centred = some["response"] - some.groupby("curve")["response"].transform("mean")
    total = (centred**2).groupby(some["curve"]).sum()
    mine = (1 - ours.set_index("curve")["r2"].loc[total.index]) * total
    worse = (mine > theirs * (1 + 1e-6)).mean()
    better = (theirs > mine * (1 + 1e-6)).mean()
    print(
        f"  optimum: ours worse in {worse:.2%}, better in {better:.2%}; scipy raised for {theirs.isna().mean():.2%}"
    )
    if arguments.curvecurator:
        few = some
        other = few["curve"].nunique() / curvecurator_seconds(arguments.curvecurator, few)
        print(f"CurveCurator: {other:,.0f} a second; ours {n / seconds / other:.0f}x as fast")
    else:
        print("CurveCurator: not installed, not measured")
    compare_on_viability(arguments.curvecurator)
    n_screen = max(int(N_SCREEN * arguments.scale), 40)
    screen, _ = simulate_curves(n_screen, noise=CurveNoise(shift_sd=0.05, gain_sd=0.06), seed=1)
    seconds, _ = timed(
        lambda: fit_curves(screen, cluster="plate", interval="bootstrap", bootstrap_draws=N_DRAWS)
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{n_screen} curves with {N_DRAWS} plate-block bootstraps: {seconds:.1f} s, peak memory {memory:,.0f} MB"
    )


if __name__ == "__main__":
    main()
