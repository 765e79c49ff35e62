# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Dose response
#
# At what dose does a compound work, and how well can that be known from a handful of doses on a few plates?
#
# In this notebook we
#
# 1. explain one curve slowly: its four parameters, its interval, its class;
# 2. fit every compound, and say of each what the data can and cannot tell;
# 3. look at the strongest curves, at those that have no EC50, and at doses that harm cells;
# 4. set potency against effect, and one experiment against another;
# 5. check what the intervals promise, by simulation and against the truth where it is known.
#
# | Before you start | How much it helps | Where to read |
# |---|---|---|
# | hit calling | necessary | the page before this one |
# | logarithms | necessary | doses are spaced by factors |
# | least squares | helpful | any course on statistics |
#
# **Time to read:** 20 minutes.

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters", "code_prompt_hide": "Parameters"}
# the screen: twin, rxrx19a, or a folder of your own
source: str = "twin"
# assumptions of the twin, for source=twin alone [calm | busy | rough | bent
# | counts | small_plates | confounded]
world: str = "calm"
# which experiments: all, or a comma list such as HRCE-1,VERO-1
experiments: str = "all"
# plates to leave out, a comma list such as HRCE-1_25,HRCE-2_3; empty: none
exclude_plates: str = ""
# look for failed wells [true | false]
qc: bool = True
# share of good wells that may pass for failed ones [0 < x <= 0.005]
qc_rate: float = 0.0001
# draw these compounds too: a comma list, or empty for the strongest only
compounds: str = ""
# how many of the strongest curves are drawn [1 <= x <= 60]
n_curves: int = 8
# normalisation; auto: what the evidence on this screen picks [auto | raw
# | experiment_center | plate_center | percent_of_control
# | log_percent_of_control | plate_standard | plate_robust | position | pca
# | sphering | tvn | harmony | recommended]
recipe: str = "auto"
# share of false calls that is accepted [0 < x < 1]
fdr: float = 0.05
# rescue up to this counts as none [0 <= x < 1]
min_rescue: float = 0.1
# with four parameters, or three: starting at the infected level [4pl | 3pl]
model: str = "4pl"
# intervals from the likelihood, or from plates drawn anew [profile | bootstrap]
interval: str = "profile"
# draws of the bootstrap [50 <= x <= 10000]
bootstrap_draws: int = 200
# doses that a curve needs [3 <= x <= 20]
min_doses: int = 4
# smallest and largest Hill slope
hill_bounds: str = "0.2,20"
# how far beyond the tested doses an EC50 is sought, as a factor
# [1 <= x <= 1000]
ec50_margin: float = 10.0
# leave out doses at the top that move cells off the disease axis
drop_toxic: bool = True
# where random numbers start [0 <= x <= 4294967295]
seed: int = 0
# folder for tables and figures; empty: one that lasts as long as the kernel
results: str = ""

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports", "code_prompt_hide": "Imports"}
import numpy as np
from scipy.optimize import curve_fit

from helpers import figures
from helpers.dose import fit_curves
from helpers.pages.dose import curves as chosen
from helpers.pages.dose import potency
from helpers.pages.downloads import show_downloads
from helpers.pages.search import show_search
from helpers.pages.show import show_table
from helpers.pages.truth import true_potencies
from helpers.study import (
    call_hits,
    choose_recipe,
    coverage_by_noise,
    example_points,
    fit_screen,
    known_truth,
    normalize,
    open_screen,
    read_bounds,
    save_figure,
    score_wells,
    show_banner,
    to_wells,
    write_table,
)

figures.use_style()

# %% tags=["remove-cell"]
from helpers.pages.absent import lacking
from helpers.pages.dose import findings
from helpers.pages.examples import points_named
from helpers.pages.show import say
from helpers.study import lacking_sentences

# %% [markdown]
# From files to curves in six steps: those of the pages before, and the fit of every compound's wells.

# %%
sites = open_screen(
    source,
    world=world,
    experiments=experiments,
    exclude_plates=exclude_plates,
)
wells = to_wells(sites, qc=qc, qc_rate=qc_rate)
recipe = choose_recipe(wells, recipe, seed=seed)
normalized = normalize(wells, recipe, seed=seed)
scored = score_wells(normalized)
show_banner(wells.uns["screen"])

# %%
arms, hits = call_hits(scored, fdr=fdr, min_rescue=min_rescue, seed=seed)
curves = fit_screen(
    scored,
    arms=arms,
    hits=hits,
    fdr=fdr,
    min_rescue=min_rescue,
    model=model,
    interval=interval,
    bootstrap_draws=bootstrap_draws,
    min_doses=min_doses,
    hill_bounds=read_bounds("hill_bounds", hill_bounds),
    ec50_margin=ec50_margin,
    drop_toxic=drop_toxic,
    seed=seed,
)

# %% tags=["remove-input"]
say(lacking(lacking_sentences(wells)))

# %% [markdown]
# ## One curve, slowly
#
# Rescue $y$ at dose $d$ is described by the four-parameter log-logistic curve {cite}`ritz2015drc`
#
# $$
# y(d) = \text{front} + \frac{\text{back} - \text{front}}{1 + \left( \mathrm{EC}_{50} / d \right)^{h}} .
# $$
#
# - **front** is the response without compound, **back** the response at a dose without limit;
# - {term}`EC50` is the dose half-way between them;
# - the {term}`Hill slope` $h$ says how many doses the rise takes: with a slope of 1 it needs two decades of dose for most of its way.

# %% mystnb={"image": {"alt": "Wells of one compound over dose on a logarithmic axis, a marker per plate, with the fitted curve, the EC50 as a diamond on a bar that spans its interval, and dashed lines at infected and mock."}, "figure": {"caption": "One dose-response curve: wells by plate, the fit, and the EC50 with its 95 % interval (band and bar).", "name": "fig-curve"}}
example = chosen.example_curve(curves, compounds)
ax = figures.plot_curve(chosen.points_of(scored.obs, example), example)
save_figure(ax.figure, "one_curve", results)

# %% tags=["remove-input"]
say(findings.one_curve(example))

# %% [markdown]
# **The same with scipy.** Least squares over four numbers is all there is to the line itself. The EC50 is sought on a logarithmic axis, because
# doses are spaced by factors. `fit_curves` gives the same for the same wells, taken as independent:

# %%
points = example_points(scored.obs, example)
dose, response = points["dose_um"], points["rescue"]
start = [response.iloc[0], response.iloc[-1], np.log10(dose.median()), 1]
bounds = ([-2, -2, -4, 0.2], [3, 3, 3, 20])
mine, _ = curve_fit(
    lambda d, front, back, ec50, hill: (
        front + (back - front) / (1 + (10**ec50 / d) ** hill)
    ),
    dose,
    response,
    p0=np.clip(start, *bounds),
    bounds=bounds,
)
theirs = fit_curves(
    points.assign(curve="example"), dose="dose_um", response="rescue"
)
print(f"EC50 with scipy {10 ** mine[2]:.3g}, with fit_curves", end=" ")
print(f"{theirs['ec50_fit'].iloc[0]:.3g} µM")

# %% tags=["remove-input"]
say(points_named(points))

# %% [markdown]
# The band in {numref}`fig-curve` matters more than the diamond. It holds every EC50 for which some curve explains the wells almost as well
# as the best one does. Between two neighbouring doses nothing was measured: the further they are apart, the less a method can say about where
# in between the EC50 lies.
#
# A curve is only worth reading if it explains the wells better than a flat line does. The test compares the two fits,
#
# $$
# F = \frac{(\mathrm{RSS}_\text{flat} - \mathrm{RSS}_\text{curve}) / \mathrm{df}_1}{\mathrm{RSS}_\text{curve} / \mathrm{df}_2} ,
# $$
#
# and p-values become q-values over all curves of the experiment {cite}`benjamini1995`. Because a curve can bend towards noise, its p-value is
# taken from simulated flat curves of the same doses instead of from a textbook table. *Relevance* joins $F$ with the size of the effect, after
# CurveCurator {cite}`bayer2023curvecurator`.
#
# Wells of a plate share its error: a plate may lie higher than another as a whole, its window may be wider, and its doses may be off, which moves the EC50. So the test
# compares wells within plates, and the interval grows with what plates were found to differ by in all three, over all compounds of the experiment: three plates alone could not
# tell. Where an experiment has too few curves for that, its controls tell. A curve on a single plate has its wells to go by, and its interval
# knows nothing of another plate.

# %% [markdown]
# ## Every curve has a class
#
# | class | what the data say | EC50 |
# |---|---|---|
# | active | rescue rises, and the half-way point has limits on both sides | a number with an interval; none if it could lie anywhere among the doses |
# | partial | the same, but the highest dose reaches less than four fifths of the fitted effect, or the upper limit lies beyond it | a number with an interval that hangs on an unseen plateau |
# | step | it lies between two neighbouring doses, and a jump would fit as well as a curve | the gap |
# | bell | rescue rises and turns back at the highest doses, which the fit leaves out | as of the rise |
# | below range | only an upper limit is known: the start of the curve was not seen, as of a compound that does all it can at every dose | `<` the limit, or the lowest dose |
# | above range | only a lower limit is known: the end of the curve was not seen | `>` the limit, or the highest dose |
# | worsening | rescue falls with dose, whatever is known of the half-way point | a number, a bound or none |
# | toxic top | nothing is told but harm: below the doses that harm cells a flat line does as well, what rises may be harm too, or too few are left | none |
# | inactive | a flat line does as well | none |
# | not fitted | too few doses or points | none |

# %%
write_table(curves, "dose_response.csv", results)
columns = ["experiment", "treatment", "curve_class", "ec50_um"]
columns += ["ec50_low_um", "ec50_high_um", "ec50_censored"]
columns += ["back", "hill", "r2", "q_value", "relevance", "note"]
by_relevance = curves.sort_values("relevance", ascending=False)
shown = chosen.without_loose_limits(by_relevance)
show_table(shown, rows=12, columns=columns)

# %% tags=["remove-input"]
say(findings.curve_classes(curves) + "\n\n" + findings.falling(curves))

# %% [markdown]
# Every curve can be looked up here; the small pictures have one scale, from infected to mock (faint lines), and dots are means per dose. The whole table can be taken along.

# %%
fitted = chosen.fitted_points(scored.obs)
sketches = figures.curve_sparklines(fitted, curves).rename("curve")
show_search(chosen.curve_list(curves), "curves", pictures=sketches)

# %%
show_downloads(curves, "dose_response")

# %% mystnb={"image": {"alt": "Scatter of all fitted curves: the effect over the tested doses on the horizontal axis with dashed lines at no effect and at mock, relevance on the vertical axis with a dashed line at the false discovery rate, marked by class; a few of the most relevant are named.", "classes": "panels"}, "figure": {"caption": "Effect over the tested doses against relevance, every fitted curve a point. Dashed: no effect, an effect as large as the way from infected to mock, and the relevance that a large effect has at the accepted rate.", "name": "fig-relevance"}}
ax = figures.plot_relevance(curves, fdr)
save_figure(ax.figure, "relevance", results)

# %% [markdown]
# In {numref}`fig-relevance` curves that rise stand on the right, those that fall on the left. Relevance is deflated where the effect is small, so a tiny effect
# that happens to be measured well stays low. A compound that does all it can at every dose changes nothing over its doses, and stands near the line of no effect however
# relevant it is: its level tells it from the infected wells. Curves with a class other than *inactive* below the dashed line are such: told from a flat line, but small.

# %% [markdown]
# ## The strongest curves

# %% mystnb={"image": {"alt": "Grid of dose-response curves with one scale: wells by plate, the fit, the EC50 with its interval, an arrow where only a bound is known or a hatched span where it lies between two of them; the titles give compound, class and EC50.", "classes": "panels"}, "figure": {"caption": "The strongest rising curves by relevance, and those asked for. Markers: plates; crosses: wells that failed quality control. Hatched: the EC50 lies between two doses. Arrows: only a bound is known. Hollow points stand at doses that the fit left out, and a hollow diamond is the EC50 with them.", "name": "fig-curves"}}
shown = chosen.strongest_curves(curves, n_curves, compounds)
fig = figures.plot_curves(scored.obs, shown)
save_figure(fig, "top_curves", results)

# %% [markdown]
# In {numref}`fig-curves` compare markers of one plate with those of another at the same dose: where plates disagree as much as doses do, the
# curve stands on less than its number of wells suggests. Crosses are wells that failed quality control; they are shown and not fitted.

# %% [markdown]
# ## What can go wrong
#
# Curves can be difficult in several ways. The next figure shows one of each class that this screen holds.

# %% mystnb={"image": {"alt": "One dose-response curve of each class that occurs in the screen, with the same elements as the grid before.", "classes": "panels"}, "figure": {"caption": "One curve of each class, the most relevant of its kind. Only those called worsening fall.", "name": "fig-classes"}}
each = chosen.one_of_each_class(curves)
fig = figures.plot_curves(scored.obs, each)
save_figure(fig, "curve_classes", results)

# %% [markdown]
# Three mistakes are easily made with {numref}`fig-classes`:
#
# - to report an EC50 for a flat curve: least squares always returns four numbers;
# - to report a standard error for a step: the curve between the two doses is the model's invention;
# - to report a number for a curve whose start or end was not seen: it is a bound, written `<` or `>`.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Draw any compound by name: run this notebook with the parameter `compounds`. Which class would you have given the curve by eye, before reading the title?
# ```

# %% [markdown]
# ## Doses that harm
#
# Rescue is read along one axis, and cells that a compound harms move along it too, forward or back. Not everything off the axis is harm: most drugs change cells in some way of
# their own, and a distance that is there at every dose says nothing against a curve. Harm grows with dose. So a top dose is left out (`drop_toxic`) in three cases only:
#
# - cells lie at least as far off the axis as the disease is long, and further than at some lower dose;
# - rescue turns back while cells move further off;
# - the dose above harms, and here the same movement begins.
#
# Below such doses harm may have begun unseen. At the doses left out all that is seen along the axis could be harm; that ratio of *along* to *off* says how much harm could feign at each dose below.
# The curve is fitted with and without that much, and the interval covers both. Where only one of the two rises, nothing is told but harm. `off_fitted` in `dose_response.csv` says how far
# off the axis the fitted doses lie, `off_toxic` the others, `toxic_reason` which case held; `cells_top` says how many cells are left at the highest dose, where a screen counts them. The EC50 with all
# doses is kept beside.

# %% mystnb={"image": {"alt": "Curves whose EC50 changes most when toxic doses are left out: wells by plate, hollow at the doses left out, the fit, a filled diamond for the EC50 and a hollow one for the EC50 with all doses; or a sentence that there are none.", "classes": "panels"}, "figure": {"caption": "Curves fitted without their toxic doses (hollow points). First come those whose interval excludes the one of all doses, then those whose EC50 changes most. Hollow diamond: EC50 of the fit to all doses.", "name": "fig-toxic"}}
tops = potency.toxic_tops(curves).head(4)
fig = figures.plot_curves(scored.obs, tops)
save_figure(fig, "toxic_tops", results)

# %% tags=["remove-input"]
say(potency.say_toxic(curves))

# %% [markdown]
# In {numref}`fig-toxic` ask what the hollow points would have done to the curve. Where they continue it, little is lost without them; where they bend it, the EC50 of all
# doses is that of two effects at once.

# %% [markdown]
# ## Potency and effect

# %% mystnb={"image": {"alt": "Scatter of curves with an EC50: EC50 in micromolar on a logarithmic axis with its interval, against the fitted rescue at high dose; arrows where the EC50 is only bounded; marked by class, with a dark rim where the fit stands at a bound; a few of the most potent are named.", "classes": "panels"}, "figure": {"caption": "Potency against effect: EC50 with its interval, and the fitted rescue at high dose. Arrows: only a bound of the EC50 is known. Dark rim: a parameter of the fit stands at its bound, as a plateau does at the largest value allowed. Levels far below 0, if any, are arrowheads at the lower edge.", "name": "fig-potency"}}
ax = figures.plot_potency(curves)
save_figure(ax.figure, "potency", results)

# %% tags=["remove-input"]
say(findings.potency(curves))

# %% [markdown]
# A compound in the upper left of {numref}`fig-potency` works well and at low dose. One at the upper right may owe its effect to a dose at which
# everything does something: look up its off-disease score in `arms.csv` before anything else. The level is an extrapolation: a plateau beyond the
# highest dose. Points with a dark rim in a row at the top are rises whose end was not seen; the column `at_bound` of `dose_response.csv` marks them.

# %% mystnb={"image": {"alt": "Scatter of the EC50 in one experiment against the EC50 in another on logarithmic axes with intervals and a dashed line of equality, a panel per pair of experiments, or a sentence that no compound has both.", "classes": "panels"}, "figure": {"caption": "EC50 of compounds that have one in two experiments, with 95 % intervals. Dashed: equality.", "name": "fig-two-experiments"}}
shared = potency.shared_potencies(curves)
fig = figures.plot_two_experiments(shared)
save_figure(fig, "two_experiments", results)

# %% tags=["remove-input"]
say(potency.say_shared(shared))

# %% [markdown]
# Between the same cells, points off the line of {numref}`fig-two-experiments` by more than their intervals say that the intervals are too short; between different cells they
# may be biology.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Of which class are the curves of the compounds called `rescue`? Join the two tables.
# ```

# %% tags=["solution", "hide-cell"]
joined = hits.merge(
    curves, on=["experiment", "treatment"], suffixes=("", "_curve")
)
rescued = joined[joined["call"] == "rescue"]
show_table(rescued["curve_class"].value_counts().reset_index())

# %% [markdown]
# ## Do the intervals hold the truth?
#
# Curves with the doses and replicates of a large screen are simulated: with noise of single wells only, with plates that shift and stretch the response, and with
# plates on which the EC50 itself differs. Each is fitted twice: with plates as clusters, as on this page, and with wells taken as independent, as is common.

# %% mystnb={"image": {"alt": "Dot plot with a row for each kind of noise and two markers, for intervals that count plates and intervals that count wells: the share that holds the true EC50, with error bars and a dashed line at what is promised."}, "figure": {"caption": "Coverage of 95 % intervals of EC50 on simulated curves. Bars: 95 % intervals of the share itself.", "name": "fig-coverage"}}
coverage = coverage_by_noise(interval=interval, seed=seed)
ax = figures.plot_coverage(coverage)
save_figure(ax.figure, "coverage", results)

# %% tags=["remove-input"]
say(potency.say_coverage(coverage))

# %% [markdown]
# ## Against the truth

# %% mystnb={"image": {"alt": "Scatter of estimated against true EC50 in micromolar on logarithmic axes with intervals and the line of agreement, or a sentence that no truth is known."}, "figure": {"caption": "Estimated against true EC50 of truly rescuing compounds whose EC50 has limits on both sides, with 95 % intervals. Below: what share of the intervals hold the truth, by kind.", "name": "fig-truth-ec50"}}
truth = known_truth(wells)
known = true_potencies(curves, truth)
look = {
    "estimate": "ec50_um",
    "truth": "ec50_true_um",
    "label": "EC50 (µM)",
    "low": "ec50_low_um",
    "high": "ec50_high_um",
}
ax = figures.plot_truth(known, log=True, classes="kind", **look)
save_figure(ax.figure, "truth_ec50", results)

# %% tags=["remove-input"]
say(findings.truth_potency(curves, truth))

# %% [markdown]
# Where points leave the line in {numref}`fig-truth-ec50`, look at their kind first. A compound that rescues at low dose and is toxic at high dose draws the
# sum of two curves; one EC50 cannot describe both, and the estimate moves towards the larger of the two.

# %% [markdown]
# ## Recap
#
# - An EC50 is given only where the data limit it on both sides; otherwise a bound, a gap, or nothing.
# - Its interval is part of the number, and counts plates, not wells. Where a compound both rescues and harms, doses that harm are left out, and the interval covers what harm could feign below them.
# - A curve must beat a flat line first, at a false discovery rate over all curves.
# - Potency and effect are two things; so are effect and harm.

# %% tags=["remove-input"]
say(findings.truth_share(curves, truth))
