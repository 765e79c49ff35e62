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
# # Hit calling
#
# Which compounds push infected cells back towards healthy, which only look as if they did, and how sure can one be?
#
# In this notebook we
#
# 1. score every well along the {term}`disease axis` and away from it;
# 2. summarise wells to arms, with intervals that treat the plate as the replicate;
# 3. ask of every compound whether its {term}`rescue` is more than chance and more than negligible;
# 4. give each compound a {term}`call` and a rank, and say how firm they are;
# 5. check that p-values, rates and intervals hold what they promise;
# 6. ask the same in other ways, class by class, and against the published result;
# 7. look at the truth where it is known.
#
# | Before you start | How much it helps | Where to read |
# |---|---|---|
# | normalisation | necessary | the page before this one |
# | p-values | necessary | any course on statistics |
# | false discovery rates | helpful | {cite}`benjamini1995` |
#
# **Time to read:** 25 minutes.

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
# normalisation; auto: what the evidence on this screen picks [auto | raw
# | experiment_center | plate_center | percent_of_control
# | log_percent_of_control | plate_standard | plate_robust | position | pca
# | sphering | tvn | harmony | recommended]
recipe: str = "auto"
# share of false calls that is accepted [0 < x < 1]
fdr: float = 0.05
# rescue up to this counts as none [0 <= x < 1]
min_rescue: float = 0.1
# direction of the disease axis [mean_difference | discriminant]
axis: str = "mean_difference"
# over doses: any run of them, or runs that end at the highest [max | trend]
statistic: str = "max"
# pseudo-compounds in the null [1000 <= x <= 1000000]
null_draws: int = 40000
# an arm is off the axis beyond this quantile of the null [0.5 < x < 1]
off_limit: float = 0.999
# so many compounds count as the best [1 <= x <= 1000]
top_k: int = 10
# simulated screens on which p-values and rates are checked [2 <= x <= 100]
calibration_twins: int = 6
# mechanism classes, a CSV of treatment,class; empty: the screen's own or the
# shipped list
classes: str = ""
# published scores, a file or folder; empty: where fetch puts them
published: str = ""
# where random numbers start [0 <= x <= 4294967295]
seed: int = 0
# folder for tables and figures; empty: one that lasts as long as the kernel
results: str = ""

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports", "code_prompt_hide": "Imports"}
import numpy as np
import pandas as pd

from helpers import figures
from helpers.hits.contours import chance_contours
from helpers.hits.deciding import best_arms, deciding_arms, with_calls
from helpers.pages.downloads import show_downloads
from helpers.pages.examples import same_numbers
from helpers.pages.hits import mechanism
from helpers.pages.hits import published as chembl
from helpers.pages.hits.calibration import coverage_ranges
from helpers.pages.hits.crosschecks import activity_table, changed_calls
from helpers.pages.hits.tables import first_hit, hit_list
from helpers.pages.search import show_search
from helpers.pages.show import show_table
from helpers.pages.tour.compounds import structures_of_hits
from helpers.pages.truth import truth_of_arms, truth_table
from helpers.profiles.selection import controls
from helpers.study import (
    activity_map,
    calibration_study,
    call_hits,
    choose_recipe,
    energy_test,
    example_plates,
    experiment_agreement,
    known_truth,
    normalize,
    open_screen,
    ranking_sensitivity,
    save_figure,
    score_wells,
    shared_arms,
    show_banner,
    to_wells,
    wells_table,
    write_table,
)

figures.use_style()

# %% tags=["remove-cell"]
from functools import partial

from helpers.pages.absent import lacking
from helpers.pages.examples import example_named
from helpers.pages.hits import calibration, calls, comparison, crosschecks
from helpers.pages.show import say
from helpers.study import ahead, lacking_sentences

# %% [markdown]
# From files to scores in four steps. Each is a plain function; what the pages before have computed is not computed again.

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
scored = score_wells(normalized, axis=axis)
show_banner(wells.uns["screen"])

# %% tags=["remove-cell"]
# Shown late on the page and slow: a second process computes them meanwhile.
ahead(
    partial(activity_map, normalized, seed=seed),
    partial(energy_test, normalized, seed=seed),
)

# %% tags=["remove-input"]
say(lacking(lacking_sentences(wells)))

# %% [markdown]
# ## Scores
#
# Let $c_M$ be the centre of the mock wells of an experiment, $c_I$ that of its infected untreated wells, $L = \|c_I - c_M\|$ the
# length of the axis and $u = (c_I - c_M) / L$ its direction. A well with normalised embedding $x$ has the scores
#
# $$
# \begin{aligned}
# \text{on} &= (x - c_M) \cdot u \,/\, L \\
# \text{off} &= \left\| x - c_M - L\,\text{on}\; u \right\| / L \\
# \text{rescue} &= 1 - \text{on}
# \end{aligned}
# $$
#
# - {term}`On-disease <on-disease>`: 0 is mock, 1 is infected and untreated.
# - {term}`Off-disease <off-disease>`: how far from the axis, in lengths of the axis. Neither healthy nor infected cells look like that.
# - {term}`Rescue <rescue>`: 0 is as infected, 1 is as mock, below 0 is worse than infected.
#
# This is a reconstruction from descriptions in later papers {cite}`cuccarese2020`; how the published scores were computed is not
# public. Centres are robust, failed wells take no part, and where an experiment has several plates a
# well is never scored on an axis that its own plate's controls defined.
#
# Plates show the disease more or less strongly. Scores are therefore in units of the *plate's own window*, the distance between its controls along the axis of the
# other plates. A few controls do not tell that well, so the logarithm of the window is drawn towards the experiment's, by how much windows differ beyond their errors
# (random effects {cite}`dersimonian1986`).

# %%
write_table(wells_table(scored), "wells.parquet", results)
columns = ["experiment", "plate", "well", "condition", "treatment", "dose_um"]
columns += ["on_disease", "off_disease", "rescue"]
treated = scored.obs[scored.obs["treatment"].notna()]
show_table(treated, rows=5, columns=columns)

# %% [markdown]
# ### The axis and the scores, step by step
#
# What `score_wells` does fits on a page. Take a few plates of one experiment, and score the first of them. Its own controls must not define
# its axis: in many dimensions some direction always separates the wells that it was fitted on. So the axis comes from the *other*
# plates. On each of these, the median infected well minus the median mock well points along the disease; the mean of these differences is
# the direction.

# %%
example = example_plates(normalized)
obs, x = example.obs, example.to_df()
first = (obs["plate_id"] == obs["plate_id"].iloc[0]).to_numpy()
others = {kind: controls(obs, kind) & ~first for kind in ("mock", "infected")}
of_plate = {
    kind: x[rows].groupby(obs["plate_id"][rows].astype(str))
    for kind, rows in others.items()
}
mock, infected = of_plate["mock"].median(), of_plate["infected"].median()
n_mock, n_infected = of_plate["mock"].size(), of_plate["infected"].size()
weights = 1 / (1 / n_mock + 1 / n_infected)
u = np.average(infected - mock, axis=0, weights=weights)
u /= np.linalg.norm(u)

# %% [markdown]
# Every well of the first plate is then projected onto that direction. What the projection leaves is the way off the axis. The unit is the
# window of the plate: how far its controls lie apart on an axis that *others* defined. It is taken from the library here.

# %%
library = score_wells(example)
length = library.uns["axis"][str(obs["experiment"].iloc[0])]["length"]
length *= library.obs["window"].iloc[0]
origin = np.average(infected, axis=0, weights=n_infected)
way = x[first] - origin
along = way @ u
rescue = -along / length
off_disease = np.linalg.norm(way - np.outer(along, u), axis=1) / length
theirs = library.obs[first]
print("rescue:", same_numbers(rescue, theirs["rescue"]))
print("off axis:", same_numbers(off_disease, theirs["off_disease"]))

# %% tags=["remove-input"]
say(example_named(example))

# %% [markdown]
# ## From wells to arms
#
# The rescue of an {term}`arm` is the mean over its wells, each drawn in towards the middle well of its arm if it lies further from it than wells of an arm ever do: a
# single failed well that quality control missed cannot carry the mean. Its interval must answer: *where would the mean lie if the experiment were
# done again?* Then plates would differ anew, and all wells of a plate together. So the plate, not the well, is the
# replicate.
#
# Let an arm have $k_p$ of its $K$ wells on plate $p$. There $\sigma_p^2$ is the variance of a well and $\tau_p^2$ that of what all wells of the plate share: the error of
# its centre, and how far the bulk of its treated wells lies from where it should. An arm without any effect then has the variance
#
# $$
# v_0 = \sum_p \Big(\frac{k_p}{K}\Big)^2 \Big(\frac{\sigma_p^2}{k_p} + \tau_p^2\Big) .
# $$
#
# Three plates do not tell a variance. So the variance between the arm's own plate means, relative to the expected one, is moderated over all arms of the
# experiment {cite}`smyth2004`: $s^2 = (d_0 s_0^2 + d\, r) / (d_0 + d)$, with $r$ the arm's own ratio on $d$ degrees of freedom, and $s_0^2$ and $d_0$ told by all arms. Less than one counts as
# one. What scatters with the effect $\bar x$ comes on top. Wells that are rescued scatter as mock wells do, $g$ times as much as infected ones, and the windows of plates are known up to a relative
# variance $\gamma^2$:
#
# $$
# \mathrm{se}^2 = \max(s^2, 1)\, \big(1 + (g - 1) \min(\max(\bar x, 0), 1)\big)\, v_0 + \bar x^2 \gamma^2 , \qquad \bar x \pm t_{d_0 + d}\ \mathrm{se} .
# $$
#
# An arm on one plate has no other plate to differ from. Its interval rests on its wells alone (`interval_basis` is `wells`): it says where the mean would lie if more wells were put on *the same
# plate*, and is too narrow for the other question.
#
# The off-disease of an arm needs more care. A distance adds up squares, and the squares of noise cannot cancel: a single well lies
# far off the axis through noise alone, the further the more features there are. So the off-disease of a *well* says little.
# For an arm the noise can be left out. Let $r_w$ be the part of well $w$ away from the axis, relative to the infected untreated wells
# of its plate, and $s_p$ the sum of $r_w$ over the arm's $n_p$ wells on plate $p$. Noise of two plates is independent, so in products *between* plates
# it averages to nothing, and only what the plates have in common remains:
#
# $$
# \widehat{\text{off}}^{\,2} = \frac{1}{L^2} \, \frac{\sum_{p \ne q} s_p \cdot s_q}{\sum_{p \ne q} n_p \, n_q} .
# $$
#
# Where a compound does nothing off the axis, this estimate lies below zero as often as above; below zero the off-disease is set to 0. On a single plate,
# products between different wells take the place of those between plates.

# %%
arms, hits = call_hits(
    scored,
    fdr=fdr,
    min_rescue=min_rescue,
    statistic=statistic,
    null_draws=null_draws,
    off_limit=off_limit,
    top_k=top_k,
    seed=seed,
)
write_table(arms, "arms.csv", results)
columns = ["experiment", "treatment", "dose_um", "n_wells", "n_plates"]
columns += ["rescue", "rescue_low", "rescue_high", "off_disease"]
columns += ["p_value", "q_value"]
best_first = arms.sort_values("rescue", ascending=False)
show_table(best_first, rows=8, columns=columns)

# %% tags=["remove-input"]
off = calls.well_noise(scored.obs, arms, wells.n_vars)
say(calls.plates_limit(arms) + "\n\n" + off)

# %% [markdown]
# ## What is a false call?
#
# A compound may change cells without touching the disease, and a little of that leaks onto the axis. "Different from infected" is
# therefore too weak a claim. The hypothesis that has to fall is
#
# $$H_0:\ \text{rescue} \le \rho ,$$
#
# with $\rho$ the parameter `min_rescue`. How far chance alone moves an arm is learnt from the {term}`null`: infected untreated
# wells put together to pseudo-compounds that have the same plates and doses as a real one. A compound's statistic is its largest
# standardised mean over runs of neighbouring doses, and the same is done with the pseudo-compounds, so that looking at
# many doses costs nothing in honesty.
#
# Three questions are asked of a compound. `p_value`: does it rescue at any run of doses? `p_on_target`: does it rescue at doses at which its cells moved no further off the axis than back along
# it? `p_worsens`: does it push cells beyond infected? A screen asks the first and the third of every compound, so both belong to *one* family of tests, and likewise the second and the third. With
# $m$ tests in a family and ordered p-values $p_{(1)} \le \dots \le p_{(m)}$, the procedure of Benjamini and Hochberg {cite}`benjamini1995` gives
#
# $$q_{(k)} = \min_{j \ge k} \frac{m}{j}\, p_{(j)} ,$$
#
# and calling everything with $q \le$ `fdr` keeps the expected share of false calls at that level ({term}`FDR`), rescues and worsenings of an experiment together. The proof asks for independent
# p-values, or for ones that depend on each other in a positive way {cite}`benjamini2001`. These share the controls of their plates: a centre that lies too low lifts all compounds of a plate
# together. That dependence is positive for tests in one direction; for a family of two directions nothing is proved, and {doc}`05_where_it_holds` counts false calls under it instead. For the first
# experiment, by hand:

# %%
mine = hits[hits["experiment"] == hits["experiment"].astype(str).min()]
family = {"rescues": mine["p_value"], "worsens": mine["p_worsens"]}
p = pd.concat(family).dropna().sort_values()
m, k = len(p), np.arange(1, len(p) + 1)
q = (p * m / k)[::-1].cummin()[::-1]
same_numbers(q["rescues"], mine.loc[q["rescues"].index, "q_value"])

# %% [markdown]
# ## The calls

# %%
write_table(hits, "hits.csv", results)
top = ["experiment", "rank", "treatment", "call", "rescue_max"]
top += ["dose_at_max_um", "score", "q_value"]
show_table(hits.sort_values(["rank", "experiment"]), rows=15, columns=top)

# %% [markdown]
# Every compound can be looked up here, once for each experiment that tested it, and the whole table taken along. Q-values below $10^{-6}$ are shown as that: further
# down they rest on the shape of a fitted tail.

# %%
show_search(hit_list(hits), "results")

# %%
show_downloads(hits, "hits")

# %% tags=["remove-input"]
say(
    calls.calls(hits, fdr, min_rescue)
    + "\n\n"
    + calls.top_hits(hits)
    + "\n\n"
    + calls.deciding_dose(hits, arms)
)

# %% [markdown]
# | call | what it says |
# |---|---|
# | `not_tested` | every well failed: nothing is said |
# | `rescue` | more rescue than $\rho$ at doses that are *on target* (`q_on_target` at most `fdr`) |
# | `rescue_off_target` | more rescue than $\rho$ (`q_value` at most `fdr`), but not shown at doses on target |
# | `toxic` | no rescue that counts, and at some dose further off the axis than the axis is long, and than noise reaches |
# | `worsens` | less rescue than $-\rho$ (`q_worsens` at most `fdr`) |
# | `inactive` | none of these could be shown; which is not the same as no effect |
#
# The first row that fits is the call. A dose is *on target* if its cells have moved no further
# off the axis than back along it: off-disease at most rescue. In this comparison a rescue above 1 counts as 1. It means *past mock*, and cells driven
# past mock are no more like mock than those that stop there; without this limit, a compound that pushes cells far out in every direction would
# earn its distance off the axis by its distance along it.
#
# One dose stands for the compound in `hits.csv` and in the figures, the dose that decides:
#
# - for `rescue`, that of the largest rescue among the doses on target;
# - for `worsens`, in the figures that of the lowest rescue (`hits.csv` names the largest);
# - for all others, that of the largest rescue.
#
# The {term}`score`, which ranks, is taken over the same doses. It is largest for a way straight back to mock: rescue, at most 1, times the
# cosine between the way the cells went and the way back.

# %% mystnb={"image": {"alt": "One panel per experiment: compounds by rank with their rescue at the dose that decides and its interval, coloured and marked by call; dashed lines at zero and one; the first few compounds are named.", "classes": "panels"}, "figure": {"caption": "All compounds by rank, with the rescue at the dose that decides (of the largest rescue; for compounds called worsens, of the lowest) and its 95 % interval. Dashed: infected (0) and mock (1).", "name": "fig-rank"}}
ranked = deciding_arms(hits, arms)
fig = figures.plot_ranks(ranked)
save_figure(fig, "rank_plot", results)

# %% [markdown]
# Two things in {numref}`fig-rank` deserve mistrust. The largest of several noisy numbers is too high on average: this is why inactive
# compounds with several doses do not lie around 0, and the lowest one, drawn where a compound worsens, is too low. And the ranking follows the
# score, which also counts how straight the way back is, so the points need not fall evenly.

# %% mystnb={"image": {"alt": "Names of the compounds of highest rank, one row each, with a marker for rescue at the dose that decides, its interval, the dose in micromolar, and the call as colour and marker.", "classes": "panels"}, "figure": {"caption": "The compounds of highest rank in each experiment by name, with the dose that decides at the right.", "name": "fig-top"}}
fig = figures.plot_top(ranked, n=10)
save_figure(fig, "top_compounds", results)

# %% mystnb={"image": {"alt": "Structural formulas of the compounds of highest rank that have a structure, each under its name, or a sentence that there is none."}, "figure": {"caption": "Structures of the compounds of highest rank, as the files give them.", "name": "fig-hit-structures"}}
fig = figures.plot_structures(structures_of_hits(wells.obs, hits))
save_figure(fig, "hit_structures", results)

# %% [markdown]
# ### How firm is a rank?
#
# A rank is the order of one draw of plates, and what stands on top stands there in part by luck. To see how much of it would stay, the true rescue of every arm is drawn many times from what it is likely to be,
# given its error *and the rescue of all other arms* (adaptive shrinkage {cite}`stephens2017`), and all compounds are ranked again each time. The bars say in what share of the draws a compound is among the best `top_k`.

# %% mystnb={"image": {"alt": "Names of the compounds of highest rank with the interval of their rank on a logarithmic axis, and beside it bars of their chance to be among the best, coloured by call.", "classes": "panels"}, "figure": {"caption": "The compounds of highest rank: the 95 % interval of the rank, and the chance to be among the best `top_k` on other plates.", "name": "fig-stability"}}
fig = figures.plot_stability(hits, n=15)
save_figure(fig, "rank_stability", results)

# %% tags=["remove-input"]
say(crosschecks.say_ranks(hits, top_k))

# %% [markdown]
# In {numref}`fig-stability` two compounds whose intervals overlap widely have no order worth defending.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# How many compounds would be called `rescue` if any rescue above 0 counted? Count those whose interval at the best dose lies
# above 0, and compare. Which error does the difference consist of?
# ```

# %% tags=["solution", "hide-cell"]
best = best_arms(hits, arms)
above = best[best["rescue_low"] > 0]
print("interval above 0:", len(above))
print("called rescue:", (hits["call"] == "rescue").sum())

# %% [markdown]
# ## On the axis and off it

# %% mystnb={"image": {"alt": "Scatter of arms: on-disease on the horizontal axis with dashed lines at mock and infected, off-disease on the vertical axis, coloured and marked by the call of the compound; three nested outlines around the infected line hold what chance alone does."}, "figure": {"caption": "Arms in the plane of the two scores. Straight to the left: the disease is undone. Left of the mock line: past mock. Upwards: something else happens. Colour and mark: the call of the compound, which need not rest on this arm. Outlined: where chance alone puts about half, 95 % and 99.9 % of arms without effect. Arms far beyond all others, if any, are arrowheads at the edge.", "name": "fig-on-off"}}
called = with_calls(arms, hits)
contours = chance_contours(arms)
ax = figures.plot_on_off(called, contours)
save_figure(ax.figure, "on_off_plane", results)

# %% tags=["remove-input"]
say(calls.off_axis(hits))

# %% [markdown]
# {numref}`fig-on-off` warns of rescues that may be coincidence. Dying cells can drift in a direction that is partly the way back to
# healthy; what gives them away is how far off the axis they are. The figure cannot show that a rescue on the axis is more than that.

# %% [markdown]
# ## Effect and evidence

# %% mystnb={"image": {"alt": "Volcano plot of arms: rescue on the horizontal axis, minus log ten of the q-value on the vertical axis, coloured and marked by call, with lines at the false discovery rate and at the smallest rescue that counts."}, "figure": {"caption": "Effect against evidence of rescue for every arm, coloured by the call of its compound. Dashed: the accepted false discovery rate; dotted: the rescue that the hypothesis allows. Arms far beyond all others, if any, are arrowheads at the edge.", "name": "fig-volcano"}}
ax = figures.plot_volcano(called, fdr=fdr, min_rescue=min_rescue)
save_figure(ax.figure, "volcano", results)

# %% [markdown]
# Read {numref}`fig-volcano` by its corners: upper right is large and certain. Where most arms have as many wells on as many plates, the points lie near one curve, and the q-value says little that the rescue does not. Points just right of the dotted line can be certain only if they have many wells; points far to
# the right but low, if there are any, are large and uncertain: they have few wells, or stand on noisy plates. The test asks for rescue, so arms that worsen lie at the
# bottom however certain they are; `p_worsens` in `arms.csv` is their test.

# %% [markdown]
# ## One compound in full

# %% mystnb={"image": {"alt": "Every well of the compound of highest rank over dose on a logarithmic axis, a marker per plate, a line through the means, crosses for failed wells, and bands for infected untreated and mock wells of the same plates, all named in a legend."}, "figure": {"caption": "The compound of highest score in all experiments; the title names it and its experiment. Every well, by dose and plate; crosses are wells that failed quality control. Bands hold the middle 90 % of the good infected untreated and mock wells of the same plates.", "name": "fig-strip"}}
experiment, treatment = first_hit(hits)
ax = figures.plot_strip(scored.obs, experiment, treatment)
save_figure(ax.figure, "top_strip", results)

# %% [markdown]
# {numref}`fig-strip` is the picture to ask for before believing any rank: do the doses rise in order, do all plates tell the same story, and
# does the rise begin outside the band of the infected wells?

# %% [markdown]
# ## Do the promises hold?
#
# A p-value promises to be small no more often than it says; a {term}`FDR`, to keep false calls rare; an interval, to hold the truth. No measured
# screen can show whether they do, since nobody knows its truth. Simulated ones can. The whole way from wells to calls is therefore run, with the
# settings of this page, on small screens made for the purpose: `calibration_twins` of them without any active compound, and as many with.
#
# These screens have few plates and few features, and they come from the model that the methods were developed on. What holds here need not hold elsewhere: {doc}`05_where_it_holds` tries other
# models. (Where the recipe divides, as percent of control does, they are screens of counts: its world `counts`.) P-values are those of the test with `min_rescue` 0, so that every compound stands exactly on the edge of the hypothesis, where false calls are most likely; calls and intervals are made with the
# settings of the page.

# %% mystnb={"image": {"alt": "Two curves on logarithmic axes, for arms and for compounds, of the share of p-values up to p, with bands of error, near a dotted diagonal that stands for an exact test."}, "figure": {"caption": "P-values on simulated screens on which nothing works: how often they are at most p. Above the dotted line they are small too often; the lower left is where calls are made. Bands: two standard errors over screens.", "name": "fig-p-values"}}
study = calibration_study(
    calibration_twins,
    recipe=recipe,
    axis=axis,
    min_rescue=min_rescue,
    statistic=statistic,
    null_draws=null_draws,
    off_limit=off_limit,
    top_k=top_k,
    seed=seed,
)
ax = figures.plot_p_values(study.p_values)
save_figure(ax.figure, "calibration_p_values", results)

# %% tags=["remove-input"]
say(calibration.nulls(study))

# %% mystnb={"image": {"alt": "Left: the false share of the calls against the rate that was accepted, points with error bars beside a dashed diagonal. Right: the share of intervals that hold the truth for ranges of the true rescue, with a dashed line at what is promised.", "classes": "panels"}, "figure": {"caption": "Simulated screens with active compounds. Left: false calls against the accepted rate. Right: coverage of the 95 % intervals of arms, by true rescue. Bars: two standard errors over screens.", "name": "fig-promises"}}
ranges = coverage_ranges(study.coverage)
fig = figures.plot_promises(study.discoveries, ranges)
save_figure(fig, "calibration_promises", results)

# %% tags=["remove-input"]
say(calibration.promises(study))

# %% [markdown]
# Points of {numref}`fig-promises` far below the diagonal are the price of the hypothesis: a compound must rescue by *more than* `min_rescue`, and most inert ones
# stay far below that. Such points cannot show that a rate is exact, only that it is not exceeded. {numref}`fig-p-values` shows the test where nothing is given away.
#
# ## Asked in other ways
#
# A call should not hang on one way of asking. Others follow.
#
# **Without an axis.** Do a compound's wells differ from the infected untreated ones at all, in whatever direction? *Retrieval* asks whether wells of an arm find their
# replicates on other plates before they find infected untreated wells (mean average precision {cite}`kalinin2025copairs`). The *energy distance* {cite}`szekely2013energy` compares the two clouds
# of wells; its null comes from exchanging them within plates.

# %%
retrieved = activity_map(normalized, seed=seed)
energy = energy_test(normalized, seed=seed)
activity = activity_table(hits, retrieved, energy, fdr)
show_table(activity)

# %% tags=["remove-input"]
say(crosschecks.say_activity(activity))

# %% [markdown]
# **With the simplest recipe.** The recipe of this page is, unless it was named, the one that the evidence on this screen picks ({doc}`02_normalization`). What would the recipe that is explained by hand, `plate_center`, have
# called?

# %%
simple = normalize(wells, "plate_center", seed=seed)
_, simple_hits = call_hits(
    score_wells(simple, axis=axis),
    fdr=fdr,
    min_rescue=min_rescue,
    statistic=statistic,
    null_draws=null_draws,
    off_limit=off_limit,
    top_k=top_k,
    seed=seed,
)
changed = changed_calls(hits, simple_hits)
show_table(changed)

# %% tags=["remove-input"]
say(crosschecks.say_changed(changed, recipe, "plate_center"))

# %% [markdown]
# **With other recipes and axes.** The axis can be the difference of the means, or the discriminant that weighs features by their noise.

# %% mystnb={"image": {"alt": "Two dot plots with a row per recipe and axis and a marker per experiment: the rank correlation with the scores of this page, and the share of the best compounds that stay, with a dashed line at chance for each experiment.", "classes": "panels"}, "figure": {"caption": "Other recipes and axes against the ranking of this page. Dashed, in the colour of the experiment: chance.", "name": "fig-sensitivity"}}
sensitivity = ranking_sensitivity(
    wells,
    (recipe, "plate_center", "plate_robust", "recommended"),
    reference=hits,
    reference_is=(recipe, axis),
    top_k=top_k,
    fdr=fdr,
    min_rescue=min_rescue,
    seed=seed,
)
fig = figures.plot_sensitivity(sensitivity)
save_figure(fig, "ranking_sensitivity", results)

# %% tags=["remove-input"]
say(crosschecks.say_sensitivity(sensitivity))

# %% [markdown]
# The correlation of {numref}`fig-sensitivity` is low for a simple reason where it is: most compounds do nothing, and their order is noise in every ranking. What
# should stay is the top.
#
# **In another experiment.** Compounds that were screened twice are the only test against a new set of cells, of plates and of days.

# %% mystnb={"image": {"alt": "Scatter plots, one per pair of experiments: the rescue of arms that both hold, with error bars and a dashed line of equality.", "classes": "panels"}, "figure": {"caption": "Arms that two experiments share, with their 95 % intervals. Dashed: equality.", "name": "fig-experiments"}}
fig = figures.plot_experiments(shared_arms(arms))
save_figure(fig, "shared_experiments", results)

# %% tags=["remove-input"]
cells = mechanism.cell_lines(wells.obs)
agreement = experiment_agreement(arms, cells, seed=seed)
say(crosschecks.say_experiments(agreement))

# %% [markdown]
# Between different cells, what {numref}`fig-experiments` lacks in agreement beyond noise may be biology: not every compound works in every cell. Between
# the same cells it may not.

# %% [markdown]
# ## Mechanism classes
#
# One compound of weak effect proves little; if most compounds of one mechanism lean the same way, that is another matter. A class is
# compared with all other compounds by ranks, in the test of Mann and Whitney {cite}`mann1947`. Its effect is an {term}`AUROC`, here called AUC: the chance that a
# member has a higher {term}`score` than another compound. At a half the class is like the rest.
#
# Scores of compounds that stand on the same plates share an error, so the median of those plates' compounds is taken off first. Which compounds are members is
# known pharmacology, from before the screen: {doc}`/classes` lists them. With `classes` the page uses a list of your own.

# %%
truth = known_truth(wells)
members = mechanism.find_members(wells, classes)
effects = mechanism.own_effects(hits, wells.obs, members, truth)
write_table(effects, "class_effects.csv", results)
columns = ["cells", "class", "n_members", "auc", "auc_low", "auc_high"]
columns += ["shift", "true_rescue", "p_value", "q_value"]
show_table(effects, rows=12, columns=columns)

# %% tags=["remove-input"]
say(
    mechanism.say_members(members)
    + "\n\n"
    + mechanism.say_effects(effects, fdr)
)

# %% mystnb={"image": {"alt": "One panel per cell line with a row per mechanism class: the AUC of its members against all other compounds with its interval, a dashed line at one half, coloured and marked by whether members score higher, lower or like the rest, and the number of members at the right.", "classes": "panels"}, "figure": {"caption": "Mechanism classes: AUC of the members against all other compounds, with its 95 % interval. Of many classes those of smallest p-value are drawn.", "name": "fig-class-effects"}}
fig = figures.plot_classes(effects, fdr=fdr)
save_figure(fig, "class_effects", results)

# %% [markdown]
# Read {numref}`fig-class-effects` by its intervals: three members can stand at the top by luck, and theirs shows it. The null hypothesis is that members are
# like *any other compounds*, so a class may stand out through what it shares besides its target, such as toxicity.

# %% [markdown]
# ## Against the published result
#
# The preprint gives one score per compound {cite}`heiser2020`, which ChEMBL keeps {cite}`chembl4303122`. How it was computed is not public, so
# the question is not whether the scores here are the same, but whether they rank compounds alike, as far as noise allows. Numbers beside names of real drugs in this
# section are quoted from that publication.

# %%
scores = chembl.load_published(published, seed=seed)
show_table(chembl.hits_table(scores), rows=15)

# %% tags=["remove-input"]
say(comparison.say_published(scores))

# %% mystnb={"image": {"alt": "Published scores of all HRCE compounds by rank with a grey band of noise around the median, a dashed line where hits begin, and the names of the hits, or a sentence that the scores are not here.", "classes": "panels"}, "figure": {"caption": "Published scores in HRCE by rank, once they were fetched. Band: what noise alone does to a compound in the middle. Dashed: above it a compound counts as a hit.", "name": "fig-published"}}
noise = scores.noise.get("HRCE", {}).get("sd_one_score", float("nan"))
ax = figures.plot_published(
    scores.of("HRCE"), threshold=chembl.THRESHOLD, noise=noise
)
save_figure(ax.figure, "published_scores", results)

# %% tags=["remove-input"]
say(comparison.say_noise(scores))

# %% [markdown]
# Where single compounds do not stand out of the band of noise in {numref}`fig-published`, they can show something only as a class:

# %%
reported = chembl.published_effects(scores, effects)
columns = ["class", "n_members", "auc", "auc_low", "auc_high", "q_value"]
columns += ["auc_reported", "n_reported", "auc_own"]
show_table(reported, rows=12, columns=columns)

# %% tags=["remove-input"]
say(comparison.say_classes(reported, fdr))

# %% mystnb={"image": {"alt": "Rows of mechanism classes with the AUC of their members in the published HRCE scores and its interval, coloured and marked by whether members score higher, lower or like the rest; hollow diamonds for the scores of this screen where it has any.", "classes": "panels"}, "figure": {"caption": "Mechanism classes in the published HRCE scores, as in the figure of the section before. Where this screen has scores in HRCE of its own, hollow diamonds show them.", "name": "fig-published-classes"}}
fig = figures.plot_classes(
    reported, fdr=fdr, other="auc_own", other_label="this screen"
)
save_figure(fig, "published_classes", results)

# %% [markdown]
# The abstract names some of the classes of {numref}`fig-published-classes`: beta-blockers, inhibitors of mTOR and PI3K and vitamin D analogues for a weak benefit,
# beta-agonists for a mild worsening.

# %% mystnb={"image": {"alt": "Scatter of published scores: HRCE on the horizontal and Vero on the vertical axis, dashed lines where hits begin, a dotted line where both are equal, hits coloured and named."}, "figure": {"caption": "Published scores of the compounds that were scored in both cell lines. Dashed: above it a compound counts as a hit.", "name": "fig-two-cells"}}
both = chembl.two_cells(scores)
ax = figures.plot_two_cells(both, threshold=chembl.THRESHOLD)
save_figure(ax.figure, "published_two_cells", results)

# %% tags=["remove-input"]
say(comparison.say_cells(scores))

# %% [markdown]
# What helps in one cell line need not help in the other ({numref}`fig-two-cells`), so a score is always the score of a cell line.

# %%
own = mechanism.own_scores(hits, wells.obs)
joined = chembl.compare_own(own, wells, scores)
write_table(joined, "published_comparison.csv", results)
columns = ["cells", "name", "treatment", "published", "score", "call", "how"]
best_first = joined.sort_values("published", ascending=False)
show_table(best_first, rows=10, columns=columns)

# %% tags=["remove-input"]
say(comparison.say_agreement(wells.uns["screen"]["kind"], scores, joined))

# %% mystnb={"image": {"alt": "Scatter of the scores of this screen against the published ones, a dashed line where published hits begin, hits coloured, the compounds that the two rank most differently named; or a sentence why there is nothing to compare."}, "figure": {"caption": "Scores of this screen against the published ones. Named are published hits, then the compounds whose ranks differ most.", "name": "fig-agreement"}}
ax = figures.plot_agreement(joined, threshold=chembl.THRESHOLD)
save_figure(ax.figure, "published_agreement", results)

# %% [markdown]
# {numref}`fig-agreement` can be read only where a measured screen and the published scores meet. A compound far from the crowd is a question, not an error: the two
# scores weigh doses, replicates and off-disease effects in different ways.

# %% [markdown]
# ## Against the truth
#
# In a {term}`twin` it is known what each compound does. A measured screen has no such page, which is why the twin exists: what
# holds there, with the same code, is what one may hope for elsewhere.

# %%
show_table(truth_table(hits, truth, min_rescue))

# %% tags=["remove-input"]
say(
    calls.truth_calls(hits, truth, min_rescue)
    + " "
    + calls.truth_arms(arms, truth)
)

# %% mystnb={"image": {"alt": "Scatter of estimated against true rescue of all arms with the line of agreement, marked by the kind of compound, or a sentence that no truth is known."}, "figure": {"caption": "Estimated against true rescue of every arm, by kind of compound.", "name": "fig-truth"}}
ax = figures.plot_truth(truth_of_arms(arms, truth), classes="kind")
save_figure(ax.figure, "truth_rescue", results)

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Does a stricter rate lose true hits? Call the compounds again at a rate of 0.01 and compare the counts.
# ```

# %% tags=["solution", "hide-cell"]
rescues = hits["call"] == "rescue"
print("at", fdr, ":", rescues.sum())
print("at 0.01:", (rescues & (hits["q_value"] <= 0.01)).sum())

# %% [markdown]
# ## Recap
#
# - Rescue is a position between two kinds of controls; its two ends are measured on every screen anew.
# - The plate is the replicate, in the intervals and in the null.
# - The hypothesis is *rescue at most `min_rescue`*, because a little of every strong effect leaks onto the axis.
# - A call of `rescue` needs evidence and a direction, both at one dose; past mock is no better than mock.
# - `inactive` only means that nothing could be shown.
# - A well's distance from the axis is mostly noise; an arm's is estimated without it.
# - The rank follows a reconstructed score. It is not the published one, whose formula is not public {cite}`heiser2020`.
#
# **What must not be concluded:** that a compound called `rescue` is a drug against the disease. It made infected cells in a dish look more like
# uninfected ones; whether less virus, fewer dying cells or another change is behind it, this assay cannot say.
