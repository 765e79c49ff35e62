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
# # A tour of the dataset
#
# A {term}`screen` is a long table of microscope sites. Before any compound is judged, this page asks what was
# measured, where it stands, and whether it can be trusted.
#
# In this notebook we
#
# 1. count what the screen holds: experiments, plates, wells, conditions, treatments and doses;
# 2. look at where controls and treatments stand on a plate, and at the cells themselves;
# 3. see how often each arm is repeated, and over how many plates;
# 4. find the compounds that the files spell in several ways, and look every compound up;
# 5. project the embeddings and ask what explains them;
# 6. find the wells that failed, and measure on every plate how well healthy and infected cells can be told apart;
# 7. say which wells may be trusted, and what must not be concluded from them.
#
# | Before you start | How much it helps | Where to read |
# |---|---|---|
# | what a {term}`well`, a {term}`plate` and a {term}`condition` are | necessary | the glossary |
# | principal components | helpful | any course on statistics |
# | pandas tables | helpful | only to change the code |
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
# which plates are drawn as maps: all, or a comma list such as 25 or HRCE-1_25
plates: str = "all"
# what the maps of all plates show [condition | dose_um | n_sites | rescue]
color_by: str = "condition"
# folder, zip or address; empty: drawings for a twin, else none
images: str = ""
# structures to draw, a comma list; empty: those with most arms
show_compounds: str = ""
# draw at most so many wells of the embedding, half as many once centred
# [500 <= x <= 80000]
umap_max_wells: int = 20000
# normalisation; auto: what the evidence on this screen picks [auto | raw
# | experiment_center | plate_center | percent_of_control
# | log_percent_of_control | plate_standard | plate_robust | position | pca
# | sphering | tvn | harmony | recommended]
recipe: str = "auto"
# robust Z' from which on a plate passes [-1 <= x < 1]
min_z_prime: float = 0.0
# share of false calls that is accepted [0 < x < 1]
fdr: float = 0.05
# where random numbers start [0 <= x <= 4294967295]
seed: int = 0
# folder for tables and figures; empty: one that lasts as long as the kernel
results: str = ""

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports", "code_prompt_hide": "Imports"}
from helpers import figures
from helpers.pages.examples import same_numbers
from helpers.pages.plates import choose_plates, plate_title, worst_plate
from helpers.pages.search import show_search
from helpers.pages.show import show_table
from helpers.pages.tour import compounds, design, failures, pictures, window
from helpers.pages.tour.counts import show_counts
from helpers.pages.tour.projections import explained_table
from helpers.profiles.positions import position_profiles
from helpers.profiles.selection import controls
from helpers.study import (
    assay_quality,
    choose_recipe,
    decompose_stages,
    example_plates,
    normalize,
    open_screen,
    project_wells,
    save_figure,
    score_wells,
    scored_stages,
    show_banner,
    to_wells,
    write_table,
)

figures.use_style()

# %% tags=["remove-cell"]
from functools import partial

from helpers.pages.absent import lacking
from helpers.pages.examples import example_named
from helpers.pages.positions import position_effect
from helpers.pages.show import say
from helpers.pages.tour import assay, counts, projections, recap, sentences
from helpers.study import (
    agreement_on_some,
    ahead,
    known_failures,
    lacking_sentences,
)

# %% [markdown]
# The screen is opened, its sites become wells, and the wells are normalised and scored: four steps that all pages share.
# What they do is the subject of this page and of the two that follow.

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

# %% tags=["remove-cell"]
# Drawn late on the page and slow: a second process computes them meanwhile.
overall_map = partial(project_wells, wells, max_wells=umap_max_wells, seed=seed)
within_map = partial(
    project_wells,
    wells,
    max_wells=umap_max_wells // 2,
    center_by="experiment",
    seed=seed,
)
ahead(overall_map, within_map)
screen, kind = wells.uns["screen"], wells.uns["screen"]["kind"]

# %% tags=["remove-input"]
say(lacking(lacking_sentences(wells)))

# %% [markdown]
# ## What was measured
#
# Cells were grown in the wells of plates, some infected with SARS-CoV-2 and some not, stained, and photographed at
# several {term}`sites <site>` per well. A deep network turned each photograph into an
# {term}`embedding`: a list of numbers that is alike for cells that look alike. One row of the files is one site.
#
# The {term}`well` is our unit of analysis: sites of one well share their cells' history, so averaging them comes first.
# The {term}`plate` is our unit of replication: wells of one plate share their day, their reagents and their mishaps.

# %%
show_table(design.design_table(wells.obs), rows=20)

# %% tags=["remove-input"]
say(sentences.design(wells.obs) + "\n\n" + assay.cells(wells.obs, kind))

# %% mystnb={"image": {"alt": "Horizontal bars, one per experiment, split into mock, UV-inactivated, infected untreated, infected treated and blank wells; parts that are wide enough bear their count."}, "figure": {"caption": "Wells of every experiment by kind. Treated wells are infected wells that received a compound.", "name": "fig-counts"}}
ax = figures.plot_counts(wells.obs)
save_figure(ax.figure, "design_counts", results)

# %% [markdown]
# In {numref}`fig-counts` the wells without a compound are the thin parts at the ends. Their kinds are
#
# - **mock**: cells without virus, the healthy end of every scale;
# - **UV**: cells given virus that ultraviolet light has inactivated. They meet the viral particle, not the infection,
#   and serve as a check on the disease axis, which is drawn without them;
# - **infected, untreated**: cells with active virus and no compound, the diseased end, and the only reference for what no compound does;
# - **blank**: wells whose condition the files leave empty. What they are is unknown: they are shown, and never used.
#
# There is no compound on uninfected cells in such a design. A compound's own effect on cells and its rescue from
# disease arrive together, and only their directions can tell them apart.
#
# ### Are these the files they should be?

# %% tags=["output_scroll"]
show_counts(wells.obs, wells.uns["screen"]["kind"])

# %% tags=["remove-input"]
say(counts.verdict(wells.obs, kind) + "\n\n" + sentences.notes(screen))

# %% [markdown]
# ## Where things stand on a plate

# %% mystnb={"image": {"alt": "Map of the first plate, one coloured cell per well in rows of letters and numbered columns: controls stand in a few columns, treated and infected untreated wells fill the rest; crosses mark wells that failed quality control, white places hold no well."}, "figure": {"caption": "One plate, seen from above. Crosses mark wells that failed quality control; white places hold no well.", "name": "fig-plate-map"}}
chosen = choose_plates(wells.obs, plates)
first = chosen[chosen["plate_id"] == chosen["plate_id"].iloc[0]]
ax = figures.plot_plate(first, title=plate_title(first), mark_flagged=True)
save_figure(ax.figure, "plate_map", results)

# %%
places = design.control_places(wells.obs)
show_table(places)

# %% tags=["remove-input"]
say(sentences.controls(places))

# %% [markdown]
# Two things in {numref}`fig-plate-map` matter later. Controls that keep to fixed rows and columns cannot tell an effect
# of position from an effect of infection, so trends over the plate have to be learnt from wells that are scattered. And
# treatments that are drawn anew for every plate never meet the same neighbours twice, so that position does not
# follow a compound around. Whether they are, can be counted:

# %% tags=["remove-input"]
say(compounds.spread_over_plates(wells.obs))

# %% mystnb={"image": {"alt": "Small maps of several plates side by side, coloured alike by the chosen column, each under the name of its plate.", "classes": "panels"}, "figure": {"caption": "Plates side by side, coloured by the parameter `color_by`: first those on which many controls failed, then one of each other experiment, then the rest. Above them stands how many of how many are drawn, unless it is all.", "name": "fig-plates"}}
shown = scored.obs.loc[chosen.index]
order = window.plates_to_look_at(chosen)
flags = color_by == "condition"
fig = figures.plot_plates(shown, color_by, mark_flagged=flags, first=order)
save_figure(fig, "plate_maps", results)

# %% [markdown]
# In {numref}`fig-plates` compare the plates with one another: controls that stood elsewhere on one of them, a plate
# with many crosses, or half a plate of one kind would show here. The parameter `plates` draws others.
#
# ## The cells
#
# A photograph holds five stains in five channels, each taken for another part of the cell.

# %%
show_table(pictures.stains())

# %%
shots = pictures.load_pictures(scored, images)

# %% tags=["remove-input"]
say(pictures.origin(shots, kind))

# %% mystnb={"image": {"alt": "Square pictures of sites side by side, a panel per kind of well, five stains in five colours over each other, with a scale bar and a legend of the stains.", "classes": "panels"}, "figure": {"caption": "The middle of one site per kind of well, all five stains in one picture, stretched alike.", "name": "fig-sites"}}
fig = figures.plot_sites(shots.images, is_drawing=shots.is_drawing, window=512)
fig.set_dpi(96)
save_figure(fig, "example_sites", results)

# %% mystnb={"image": {"alt": "Six square pictures of one site: the composite, then nuclei, endoplasmic reticulum, actin, nucleoli and Golgi, each stain in its own colour, with scale bars and a legend.", "classes": "panels"}, "figure": {"caption": "One site, stain by stain.", "name": "fig-stains"}}
fig = figures.plot_stains(
    pictures.one_picture(shots), is_drawing=shots.is_drawing, window=512
)
fig.set_dpi(96)
save_figure(fig, "example_stains", results)

# %% tags=["remove-input"]
say(pictures.treated_example(scored.obs))

# %% [markdown]
# {numref}`fig-sites` is one site each, near the median of its kind, or of its {term}`arm` if treated: an
# example and no evidence, since sites of one kind differ. ({term}`Rescue <rescue>` is how far back from infected to mock the
# cells look, {term}`off-disease` how far aside; the section on the assay measures both.) {numref}`fig-stains` takes one
# site apart. The scale of the bars rests on a third party's account of the microscope, not on the publisher's.
#
# ## Doses and replicates
#
# An {term}`arm` is one treatment at one dose in one experiment: what a statement about a compound rests on.

# %% mystnb={"image": {"alt": "One row of connected points per set of doses on a logarithmic axis in micromolar, labelled with the experiment and the number of compounds."}, "figure": {"caption": "Dose sets: each row is a set of doses in one experiment, with the number of compounds that were given it there.", "name": "fig-doses"}}
ax = figures.plot_dose_sets(design.dose_sets(wells.obs).head(12))
save_figure(ax.figure, "dose_sets", results)

# %% tags=["remove-input"]
say(sentences.doses(wells.obs))

# %% mystnb={"image": {"alt": "Two bar charts: how many arms have how many wells, and how many arms stand on how many plates, a bar per experiment.", "classes": "panels"}, "figure": {"caption": "Replicates: wells per arm, and plates per arm.", "name": "fig-replicates"}}
fig = figures.plot_replicates(design.arm_sizes(wells.obs))
save_figure(fig, "replicates", results)

# %% tags=["remove-input"]
say(sentences.replicates(wells.obs))

# %% [markdown]
# {numref}`fig-doses` says at which doses compounds can be compared, {numref}`fig-replicates` how surely. The second
# holds the most common mistake with such data: counting wells, or even sites, as independent
# replicates. Wells of an arm on the same plate share the plate's error. An interval for a mean that ignores this is too
# narrow, and a p-value that ignores it too small. Per compound, that is (medians, with the range):

# %%
show_table(compounds.replicates_table(wells.obs))

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Which compounds were tested in more than one experiment? They are the only ones whose results can be compared
# between experiments. Count them.
# ```

# %% tags=["solution", "hide-cell"]
show_table(design.shared_compounds(wells.obs))

# %% [markdown]
# ## Names and structures
#
# A compound whose name is written in two ways looks like two compounds with half the replicates each. Names are
# therefore compared without regard to case, and by structure where the files give one; the commonest spelling is
# shown.

# %%
show_table(design.spellings(wells.obs), rows=8)

# %% tags=["remove-input"]
say(
    sentences.names(wells.obs) + " " + compounds.known_synonyms(wells.obs, kind)
)

# %% tags=["remove-input"]
say(compounds.structures_found(wells.obs))

# %% mystnb={"image": {"alt": "Structural formulas in black lines on white, side by side, each under the name of its compound."}, "figure": {"caption": "Structures of the compounds that the parameter `show_compounds` names.", "name": "fig-structures"}}
drawn = compounds.choose_compounds(wells.obs, show_compounds)
fig = figures.plot_structures(drawn)
save_figure(fig, "structures", results)

# %% tags=["remove-input"]
say(compounds.shown_compounds(wells.obs, show_compounds))

# %% [markdown]
# The structures in {numref}`fig-structures` are drawn from the files' own text. Every compound can be looked up in the
# table below: type a part of a name, of another spelling or of an experiment into its search field, or sort by a
# column.

# %%
show_search(compounds.compound_table(wells.obs), "compounds")

# %% [markdown]
# ## The embeddings at a glance
#
# The first principal components are the directions in which wells differ most. The map beside them (UMAP) keeps
# who is whose neighbour: wells in one clump are alike, but distances between clumps, their sizes and their densities mean
# nothing. Nothing was normalised yet, so both show what the raw embeddings are full of. Wells that failed quality
# control take no part in finding the components.

# %% mystnb={"image": {"alt": "Scatter plots of wells in pairs: on the left the first two principal components of the raw embeddings, on the right a map of neighbours; one pair coloured by condition, one by experiment, one by plate.", "classes": "panels"}, "figure": {"caption": "Wells by the first two principal components of the raw embeddings (left) and by neighbourhood (right), coloured by what might explain where they lie.", "name": "fig-embedding"}}
overall = project_wells(wells, max_wells=umap_max_wells, seed=seed)
fig = figures.plot_projections(
    overall.points, ["condition", "experiment", "plate"]
)
save_figure(fig, "embedding_raw", results)

# %%
show_table(explained_table(overall.points))

# %% tags=["remove-input"]
say(
    projections.components_found(overall)
    + " "
    + projections.experiments_apart(overall)
)

# %% tags=["remove-input"]
say(projections.neighbors_found(overall))

# %% [markdown]
# Read {numref}`fig-embedding` with one question: do wells group by what was *done* to them, or by *where and when*?
# Where experiments are islands, everything else is too small to be seen. So {numref}`fig-within` subtracts each
# experiment's mean and looks again.

# %% mystnb={"image": {"alt": "Scatter plots of wells in pairs after each experiment was centred: on the left two principal components, on the right a map of neighbours; coloured by condition, plate, row and dose.", "classes": "panels"}, "figure": {"caption": "The same after subtracting the mean of each experiment, coloured by condition, plate, row of the plate and dose.", "name": "fig-within"}}
within = project_wells(
    wells,
    max_wells=umap_max_wells // 2,
    center_by="experiment",
    seed=seed,
)
fig = figures.plot_projections(
    within.points, ["condition", "plate", "row", "dose_um"]
)
save_figure(fig, "embedding_within", results)

# %%
columns = ("plate", "condition", "row", "dose_um")
show_table(explained_table(within.points, columns))

# %% tags=["remove-input"]
say(projections.drawn_wells(within) + " " + projections.neighbors_found(within))

# %% [markdown]
# The eye sees two dimensions of many. How much of *all* the variance goes with what is a question for a model in
# which every well is the sum of its experiment, its plate, its condition, its position, its arm, and a rest that belongs
# to the well alone. Plates are taken for a random draw from all plates that could have been made: their means would
# differ between two experiments by accident alone, and an experiment is credited only with what it adds to that. What
# many levels explain by chance is taken off.

# %% mystnb={"image": {"alt": "Stacked horizontal bars, one for the raw embeddings and one after normalisation, divided into the shares of variance of experiment, plate, condition, position, arm and single wells, with hatching; larger parts bear their percentage.", "classes": "panels"}, "figure": {"caption": "What the variance between wells goes with, before and after normalisation (percent; the smallest parts are not labelled).", "name": "fig-variance"}}
variance = decompose_stages({"raw": wells, recipe: normalized}, seed=seed)
ax = figures.plot_variance(variance)
save_figure(ax.figure, "variance", results)

# %% tags=["remove-input"]
say(projections.variance_found(variance))

# %% [markdown]
# In {numref}`fig-variance` look at the left of the upper bar: what is *where and when*, and not *what was done*. Where
# that part is the larger one, distances between raw embeddings say more about plates than about drugs. Removing it is
# what the next notebook, on normalisation, is about.

# %% [markdown]
# ## Wells that failed
#
# Some wells went wrong: too few cells, dim stains, a bubble. Mock wells alone could not tell, for they can fail like all
# others; what stands firm is the bulk of the plate. A well that fails is *flagged*: its {term}`qc flag` holds the reason.
# The hard part is to tell a failure from an effect. A strong compound moves its wells as far as any accident does, but
# it moves all of them alike.
#
# Some numbers below use the {term}`disease axis`: the line from the centre of the mock wells to that of the infected
# untreated wells. Its length is their unit, and the next section uses it to judge the assay.

# %% tags=["remove-input"]
say(failures.rule(wells.n_vars, qc=qc, rate=qc_rate))

# %%
show_table(failures.count_failed(wells.obs))

# %% tags=["remove-input"]
say(failures.counted(wells.obs, wells.n_vars))

# %% mystnb={"image": {"alt": "Above, bars of the number of failed wells per plate, split by kind of well. Below, a plate in outline with every position the darker, the more often the well there failed.", "classes": "panels"}, "figure": {"caption": "Failed wells by plate, and where on the plates they stand.", "name": "fig-failures"}}
fig = figures.plot_failures(wells.obs)
save_figure(fig, "failed_wells", results)

# %% tags=["remove-input"]
say(failures.placed(wells.obs) + " " + failures.looks(scored.obs))

# %% tags=["remove-input"]
say(failures.compared(wells.obs, known_failures(wells)))

# %% [markdown]
# A compound that lost most of its wells was hardly tested. Those that did:

# %%
lost = failures.lost_compounds(wells.obs)
show_table(lost, rows=10)

# %% tags=["remove-input"]
say(failures.lost(lost))

# %% [markdown]
# If failures were a matter of place, the dark wells in {numref}`fig-failures` would gather at a rim or in a corner. A well
# that failed is not a compound that failed: failed wells stay in the tables, marked, so that nobody takes a dim well for
# a cure or a poison.

# %% [markdown]
# ## How good is the assay?
#
# The {term}`on-disease` score runs along the line from the mock wells' centre to the infected wells' centre: 0 is mock,
# 1 is infected and untreated. The distance between the two is the assay's *window*; what matters is how much of it the
# scatter of single wells leaves free. With means $\mu$ and standard deviations $\sigma$ of mock (M) and infected (I)
# wells, and $x$ the score of a single well:
#
# $$
# \begin{aligned}
# Z' &= 1 - \frac{3\,(\sigma_M + \sigma_I)}{|\mu_M - \mu_I|} \\[4pt]
# \mathrm{SSMD} &= \frac{\mu_I - \mu_M}{\sqrt{\sigma_M^2 + \sigma_I^2}} \\[4pt]
# \mathrm{AUROC} &= P(x_I > x_M)
# \end{aligned}
# $$
#
# - {term}`Z-prime <Z-prime>` {cite}`zhang1999zprime` is the share of the window that three standard deviations on
#   either side leave free: 1 is perfect, from one half on an assay is called excellent, below 0 the clouds overlap.
# - **Robust Z′** is the same with medians, and with median absolute deviations times 1.4826: a few failed wells do not
#   spoil it.
# - {term}`SSMD` is the window in units of the noise of a difference. It says how strong the effect is, where Z′ says
#   whether single wells can be told apart.
# - {term}`AUROC` is the chance that a random infected well scores higher than a random mock well: one half is a coin.
#   It saturates at 1, and then says nothing about how wide the window is.
#
# Each plate is scored on an axis that was found *without* it. In many dimensions some direction always separates the
# wells it was fitted on, even if they are noise; an honest number needs other wells than those.
#
# **Robust Z′ in five lines**, for one plate, beside what `assay_quality` gives for it:

# %%
example = score_wells(example_plates(normalized))
first = example.obs[example.obs["plate_id"] == example.obs["plate_id"].iloc[0]]
mock = first["on_disease"][controls(first, "mock")]
infected = first["on_disease"][controls(first, "infected")]
spread = sum(1.4826 * (x - x.median()).abs().median() for x in (mock, infected))
robust = 1 - 3 * spread / abs(infected.median() - mock.median())
same_numbers(robust, assay_quality(example)["z_prime_robust"].iloc[0])

# %% tags=["remove-input"]
say(example_named(example))

# %% [markdown]
# For the whole screen:

# %%
quality = assay_quality(scored, min_z_prime=min_z_prime)

# %% tags=["remove-input"]
say(window.window(scored.obs, quality))

# %% mystnb={"image": {"alt": "One row per plate: points of mock, UV-inactivated and infected untreated wells along the on-disease axis, with a tick at each median and the plate's robust Z-prime at the right; hollow points are wells that failed."}, "figure": {"caption": "Controls on the on-disease axis, plate by plate. Hollow points are wells that failed, ticks are medians.", "name": "fig-separation"}}
ax = figures.plot_control_separation(scored.obs, quality)
save_figure(ax.figure, "control_separation", results)

# %% [markdown]
# In {numref}`fig-separation` look for plates whose two clouds touch, for hollow points far from their own kind, and for
# UV wells: they should lie with the mock wells, because inactivated virus does not infect. {numref}`fig-gate` sums each
# plate up and draws the line at which a plate passes.

# %% mystnb={"image": {"alt": "Three dot plots with a row per plate: plain and robust Z-prime with a line at the gate, the strictly standardised mean difference, and the area under the curve; hollow dots are plates that do not pass.", "classes": "panels"}, "figure": {"caption": "Assay quality per plate. The solid line is the gate, dashed lines mean no separation.", "name": "fig-gate"}}
fig = figures.plot_gate(quality, min_z_prime)
save_figure(fig, "assay_quality", results)

# %%
write_table(quality, "assay_quality.csv", results)
show_table(quality, rows=20)

# %% tags=["remove-input"]
say(window.quality(quality) + " " + window.failed_beside_quality(quality))

# %% tags=["remove-input"]
say(
    window.gate(quality, min_z_prime)
    + "\n\n"
    + window.windows(quality)
    + "\n\n"
    + window.thinned_plates(wells.obs)
)

# %% [markdown]
# ### What wells that defined nothing say
#
# UV and blank wells had no part in any of these numbers, which makes the former a check from outside.

# %% mystnb={"image": {"alt": "Two panels with a row per kind of well, mock, UV-inactivated, infected untreated, infected treated, blank and failed: points and boxes along the on-disease axis and along the distance from it.", "classes": "panels"}, "figure": {"caption": "Where every kind of well lands along the disease axis and away from it. Boxes hold the middle half of all wells of a kind, with a line at the median; of kinds with many wells the points are a random sample.", "name": "fig-landing"}}
fig = figures.plot_landing(scored.obs)
save_figure(fig, "landing", results)

# %% tags=["remove-input"]
say(window.uv(scored.obs))

# %% tags=["remove-input"]
say(window.blank(scored.obs))

# %% [markdown]
# {numref}`fig-landing` shows the blank wells, and that is all that is done with them: as long as nobody says what was in
# them, a place near mock or near infected is no evidence that they are either.
#
# ### Sites of a well, and places on a plate

# %% tags=["remove-input"]
say(window.agreement(agreement_on_some(sites, seed=seed)))

# %% mystnb={"image": {"alt": "Two line charts of the median rescue of infected untreated wells along the rows and along the columns of the plates, without normalisation and with it, with bands of uncertainty around a dashed zero line.", "classes": "panels"}, "figure": {"caption": "Infected untreated wells along rows and columns, relative to their plate, without and with normalisation; bands are two standard errors.", "name": "fig-untreated-profiles"}}
tables = scored_stages(wells, ["raw", recipe], seed=seed)
untreated = {name: design.untreated(tables[name]) for name in tables}
profiles = {name: position_profiles(untreated[name]) for name in untreated}
fig = figures.plot_position_profiles(profiles)
save_figure(fig, "untreated_profiles", results)

# %% tags=["remove-input"]
say(position_effect(untreated["raw"], untreated[recipe]))

# %% [markdown]
# Rescue is one minus on-disease. The wells of {numref}`fig-untreated-profiles` got no compound. Where their band leaves
# the zero line for many rows or columns in a run, the cause is where they stand; single medians leave it by chance, as about one in
# twenty does without any effect. A slope matters for the controls above all: mock wells that keep to certain rows carry
# a slope over rows into their distance from the infected wells.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Which plate has the lowest robust Z′, and what does its map of rescue look like? Draw it.
# ```

# %% tags=["solution", "hide-cell"] mystnb={"image": {"alt": "Map of the plate with the lowest robust Z-prime, wells coloured by rescue from infected to mock."}, "figure": {"caption": "The plate with the lowest robust Z′, coloured by rescue. Crosses mark wells that failed quality control; white places hold no well.", "name": "fig-worst-plate"}}
worst = worst_plate(scored.obs, quality)
ax = figures.plot_plate(
    worst, "rescue", title=plate_title(worst), mark_flagged=True
)

# %% [markdown]
# ## Recap
#
# - **What is one row?** One site: a photograph of a part of a well. The well is what we analyse.
# - **What is a replicate?** Another plate. Wells on one plate share its mishaps, and sites of one well share the well.
# - **Which wells may I trust?** Those that did not fail, of known condition, on plates that pass the gate. Failed wells stay
#   visible and never enter a fit; blank wells are shown and never used. A plate that lost many controls can pass the
#   gate all the same.
# - **What is the assay's window?** The distance from mock to infected on the {term}`disease axis`. Robust {term}`Z-prime <Z-prime>` is the
#   share of it that three standard deviations of single wells on either side leave free.
# - **What else is in the embeddings?** Where and when a well was made; {numref}`fig-variance` says how much of each. Hence
#   normalisation.
#
# **What must not be concluded:** that a cell which looks healthy is free of virus. Morphology is not viral load, and
# without compounds on uninfected cells a compound's own effect cannot be measured by itself. Nor does one plate
# speak for the next, or one site for its well.

# %% tags=["remove-input"]
say(
    recap.answers(
        wells.obs,
        quality,
        variance,
        screen,
        made_to_fail=known_failures(wells),
    )
)
