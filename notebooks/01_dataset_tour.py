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

# %% tags=["parameters"]
source: str = "twin"  # the screen: twin, rxrx19a, or a folder of your own
experiments: str = "all"  # which experiments: all, or a comma list such as HRCE-1,VERO-1
exclude_plates: str = ""  # plates to leave out, such as HRCE-1_25,HRCE-2_3; empty: none
plates: str = "all"  # which plates are drawn as maps: all, or a comma list such as 25 or HRCE-1_25
color_by: str = "condition"  # what the maps of all plates show [condition | dose_um | n_sites | rescue]
images: str = ""  # folder, zip or address; empty: drawings for a twin, else none
show_compounds: str = ""  # structures to draw, a comma list; empty: those with most arms
umap_max_wells: int = (
    20000  # draw at most so many wells of the embedding, half as many once centred [500 <= x <= 80000]
)
recipe: str = "plate_center"  # normalisation [raw | experiment_center | plate_center | plate_standard | plate_robust | position | pca | sphering | tvn | harmony | recommended]
min_z_prime: float = 0.0  # robust Z' from which on a plate passes [-1 <= x < 1]
fdr: float = 0.05  # share of false calls that is accepted [0 < x < 1]
seed: int = 0  # where random numbers start [x >= 0]
results: str = ""  # folder for tables and figures; empty: one that lasts as long as the kernel

# %%
from helpers import figures
from helpers.publish import (
    Analysis,
    assay,
    compounds,
    counts,
    failures,
    pictures,
    projections,
    recap,
    search,
    sentences,
    summaries,
    window,
)
from helpers.pages.show import say, show_table

# %%
figures.use_style()
analysis = Analysis(
    source=source,
    experiments=experiments,
    recipe=recipe,
    fdr=fdr,
    seed=seed,
    results=results,
    exclude_plates=exclude_plates,
    min_z_prime=min_z_prime,
)
wells, kind = analysis.wells.obs, analysis.screen["kind"]
maps = [{"max_wells": umap_max_wells}, {"max_wells": umap_max_wells // 2, "center_by": "experiment"}]
analysis.ahead(*(("projected", one) for one in maps))
analysis.banner()

# %% tags=["remove-input"]
say(sentences.lacking(analysis.lacks))

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
show_table(summaries.design_table(wells), rows=20)

# %% tags=["remove-input"]
say(sentences.design(wells, analysis.screen["n_sites"]) + "\n\n" + assay.cells(wells, kind))

# %% mystnb={"image": {"alt": "Horizontal bars, one per experiment, split into mock, UV-inactivated, infected untreated, infected treated and blank wells; parts that are wide enough bear their count."}, "figure": {"caption": "Wells of every experiment by kind. Treated wells are infected wells that received a compound.", "name": "fig-counts"}}
ax = figures.plot_counts(wells)
analysis.save_figure(ax.figure, "design_counts")

# %% [markdown]
# In {numref}`fig-counts` the wells without a compound are the thin parts at the ends. Their kinds are
#
# - **mock**: cells without virus, the healthy end of every scale;
# - **UV**: cells given virus that ultraviolet light has inactivated. They meet the viral particle, not the infection,
#   and serve as a check that nobody tuned anything to;
# - **infected, untreated**: cells with active virus and no compound, the diseased end, and the only reference for what no compound does;
# - **blank**: wells whose condition the files leave empty. What they are is unknown: they are shown, and never used.
#
# There is no compound on uninfected cells in such a design. A compound's own effect on cells and its rescue from
# disease arrive together, and only their directions can tell them apart.
#
# ### Are these the files they should be?

# %% tags=["output_scroll"]
counts.show_counts(wells, kind)

# %% tags=["remove-input"]
say(counts.verdict(wells, kind) + "\n\n" + sentences.notes(analysis.screen))

# %% [markdown]
# ## Where things stand on a plate

# %% mystnb={"image": {"alt": "Map of the first plate, one coloured cell per well in rows of letters and numbered columns: controls stand in a few columns, treated and infected untreated wells fill the rest; crosses mark wells that failed quality control, white places hold no well."}, "figure": {"caption": "One plate, seen from above. Crosses mark wells that failed quality control; white places hold no well.", "name": "fig-plate-map"}}
chosen = summaries.choose_plates(wells, plates)
first = chosen[chosen["plate_id"] == chosen["plate_id"].iloc[0]]
ax = figures.plot_plate(first, title=summaries.plate_title(first), mark_flagged=True)
analysis.save_figure(ax.figure, "plate_map")

# %%
show_table(summaries.control_places(wells))

# %% tags=["remove-input"]
say(sentences.controls(summaries.control_places(wells)))

# %% [markdown]
# Two things in {numref}`fig-plate-map` matter later. Controls that keep to fixed rows and columns cannot tell an effect
# of position from an effect of infection, so trends over the plate have to be learnt from wells that are scattered. And
# treatments that are drawn anew for every plate never meet the same neighbours twice, so that position does not
# follow a compound around. Whether they are, can be counted:

# %% tags=["remove-input"]
say(compounds.spread_over_plates(wells))

# %% mystnb={"image": {"alt": "Small maps of several plates side by side, coloured alike by the chosen column, each under the name of its plate.", "classes": "panels"}, "figure": {"caption": "Plates side by side, coloured by the parameter `color_by`: first those on which many controls failed, then one of each other experiment, then the rest. Above them stands how many of how many are drawn, unless it is all.", "name": "fig-plates"}}
shown = analysis.scored.obs.loc[chosen.index] if color_by == "rescue" else chosen
order = window.plates_to_look_at(chosen)
fig = figures.plot_plates(shown, color_by, mark_flagged=color_by == "condition", first=order)
analysis.save_figure(fig, "plate_maps")

# %% [markdown]
# In {numref}`fig-plates` compare the plates with one another: controls that stood elsewhere on one of them, a plate
# with many crosses, or half a plate of one kind would show here. The parameter `plates` draws others.
#
# ## The cells
#
# A photograph holds five stains in five channels, each taken for another part of the cell.

# %%
show_table(pictures.stains())

# %% tags=["remove-input"]
shots = pictures.load_pictures(analysis.scored.obs, source, kind, images)
say(pictures.origin(shots, kind))

# %% mystnb={"image": {"alt": "Square pictures of sites side by side, a panel per kind of well, five stains in five colours over each other, with a scale bar and a legend of the stains.", "classes": "panels"}, "figure": {"caption": "The middle of one site per kind of well, all five stains in one picture, stretched alike.", "name": "fig-sites"}}
fig = figures.plot_sites(shots.images, is_drawing=shots.is_drawing, window=512)
fig.set_dpi(96)
analysis.save_figure(fig, "example_sites")

# %% mystnb={"image": {"alt": "Six square pictures of one site: the composite, then nuclei, endoplasmic reticulum, actin, nucleoli and Golgi, each stain in its own colour, with scale bars and a legend.", "classes": "panels"}, "figure": {"caption": "One site, stain by stain.", "name": "fig-stains"}}
fig = figures.plot_stains(pictures.one_picture(shots), is_drawing=shots.is_drawing, window=512)
fig.set_dpi(96)
analysis.save_figure(fig, "example_stains")

# %% tags=["remove-input"]
say(pictures.treated_example(analysis.scored.obs))

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
ax = figures.plot_dose_sets(summaries.dose_sets(wells).head(12))
analysis.save_figure(ax.figure, "dose_sets")

# %% tags=["remove-input"]
say(sentences.doses(wells))

# %% mystnb={"image": {"alt": "Two bar charts: how many arms have how many wells, and how many arms stand on how many plates, a bar per experiment.", "classes": "panels"}, "figure": {"caption": "Replicates: wells per arm, and plates per arm.", "name": "fig-replicates"}}
fig = figures.plot_replicates(summaries.arm_sizes(wells))
analysis.save_figure(fig, "replicates")

# %% tags=["remove-input"]
say(sentences.replicates(wells))

# %% [markdown]
# {numref}`fig-doses` says at which doses compounds can be compared, {numref}`fig-replicates` how surely. The second
# holds the most common mistake with such data: counting wells, or even sites, as independent
# replicates. Wells of an arm on the same plate share the plate's error. An interval for a mean that ignores this is too
# narrow, and a p-value that ignores it too small. Per compound, that is (medians, with the range):

# %%
show_table(compounds.replicates_table(wells))

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Which compounds were tested in more than one experiment? They are the only ones whose results can be compared
# between experiments. Count them.
# ```

# %% tags=["solution", "hide-cell"]
show_table(summaries.shared_compounds(wells))

# %% [markdown]
# ## Names and structures
#
# A compound whose name is written in two ways looks like two compounds with half the replicates each. Names are
# therefore compared without regard to case, and by structure where the files give one; the commonest spelling is
# shown.

# %%
show_table(summaries.spellings(wells), rows=8)

# %% tags=["remove-input"]
say(sentences.names(wells) + " " + compounds.known_synonyms(wells, kind))

# %% tags=["remove-input"]
say(compounds.structures_found(wells))

# %% mystnb={"image": {"alt": "Structural formulas in black lines on white, side by side, each under the name of its compound."}, "figure": {"caption": "Structures of the compounds that the parameter `show_compounds` names.", "name": "fig-structures"}}
fig = figures.plot_structures(compounds.choose_compounds(wells, show_compounds))
analysis.save_figure(fig, "structures")

# %% tags=["remove-input"]
say(compounds.shown_compounds(wells, show_compounds))

# %% [markdown]
# The structures in {numref}`fig-structures` are drawn from the files' own text. Every compound can be looked up in the
# table below: type a part of a name, of another spelling or of an experiment into its search field, or sort by a
# column.

# %%
search.show_search(compounds.compound_table(wells), "compounds")

# %% [markdown]
# ## The embeddings at a glance
#
# The first principal components are the directions in which wells differ most. The map beside them (UMAP) keeps
# who is whose neighbour: wells in one clump are alike, but distances between clumps, their sizes and their densities mean
# nothing. Nothing was normalised yet, so both show what the raw embeddings are full of. Wells that failed quality
# control take no part in finding the components.

# %% mystnb={"image": {"alt": "Scatter plots of wells in pairs: on the left the first two principal components of the raw embeddings, on the right a map of neighbours; one pair coloured by condition, one by experiment, one by plate.", "classes": "panels"}, "figure": {"caption": "Wells by the first two principal components of the raw embeddings (left) and by neighbourhood (right), coloured by what might explain where they lie.", "name": "fig-embedding"}}
overall = analysis.projected(**maps[0])
fig = figures.plot_projections(overall.points, ["condition", "experiment", "plate"])
analysis.save_figure(fig, "embedding_raw")

# %%
show_table(projections.explained_table(overall.points))

# %% tags=["remove-input"]
say(projections.components_found(overall) + " " + projections.experiments_apart(overall))

# %% tags=["remove-input"]
say(projections.neighbors_found(overall))

# %% [markdown]
# Read {numref}`fig-embedding` with one question: do wells group by what was *done* to them, or by *where and when*?
# Where experiments are islands, everything else is too small to be seen. So {numref}`fig-within` subtracts each
# experiment's mean and looks again.

# %% mystnb={"image": {"alt": "Scatter plots of wells in pairs after each experiment was centred: on the left two principal components, on the right a map of neighbours; coloured by condition, plate, row and dose.", "classes": "panels"}, "figure": {"caption": "The same after subtracting the mean of each experiment, coloured by condition, plate, row of the plate and dose.", "name": "fig-within"}}
within = analysis.projected(**maps[1])
fig = figures.plot_projections(within.points, ["condition", "plate", "row", "dose_um"])
analysis.save_figure(fig, "embedding_within")

# %%
show_table(projections.explained_table(within.points, ("plate", "condition", "row", "dose_um")))

# %% tags=["remove-input"]
say(projections.drawn_wells(within) + " " + projections.neighbors_found(within))

# %% [markdown]
# The eye sees two dimensions of many. How much of *all* the variance goes with what is a question for a model in
# which every well is the sum of its experiment, its plate, its condition, its position, its arm, and a rest that belongs
# to the well alone. Plates are taken for a random draw from all plates that could have been made: their means would
# differ between two experiments by accident alone, and an experiment is credited only with what it adds to that. What
# many levels explain by chance is taken off.

# %% mystnb={"image": {"alt": "Stacked horizontal bars, one for the raw embeddings and one after normalisation, divided into the shares of variance of experiment, plate, condition, position, arm and single wells, with hatching; larger parts bear their percentage.", "classes": "panels"}, "figure": {"caption": "What the variance between wells goes with, before and after normalisation (percent; the smallest parts are not labelled).", "name": "fig-variance"}}
ax = figures.plot_variance(analysis.variance)
analysis.save_figure(ax.figure, "variance")

# %% tags=["remove-input"]
say(projections.variance_found(analysis.variance))

# %% [markdown]
# In {numref}`fig-variance` look at the left of the upper bar: what is *where and when*, and not *what was done*. Where
# that part is the larger one, distances between raw embeddings say more about plates than about drugs. Removing it is
# what the next notebook, on normalisation, is about.

# %% [markdown]
# ## Wells that failed
#
# Some wells went wrong: too few cells, dim stains, a bubble. Mock wells alone could not tell, for they can fail like all
# others; what stands firm is the bulk of the plate. A well that fails is *flagged*: its {term}`qc flag` holds the reason.
#
# Some numbers below use the {term}`disease axis`: the line from the centre of the mock wells to that of the infected
# untreated wells. Its length is their unit, and the next section uses it to judge the assay.

# %% tags=["remove-input"]
say(failures.rule(analysis.wells.n_vars))

# %%
show_table(failures.failed_wells(wells))

# %% tags=["remove-input"]
say(failures.counted(wells, analysis.wells.n_vars))

# %% mystnb={"image": {"alt": "Above, bars of the number of failed wells per plate, split by kind of well. Below, a plate in outline with every position the darker, the more often the well there failed.", "classes": "panels"}, "figure": {"caption": "Failed wells by plate, and where on the plates they stand.", "name": "fig-failures"}}
fig = figures.plot_failures(wells)
analysis.save_figure(fig, "failed_wells")

# %% tags=["remove-input"]
say(failures.placed(wells) + " " + failures.looks(analysis.scored.obs))

# %% tags=["remove-input"]
say(failures.compared(wells, analysis.known_failures))

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

# %% tags=["remove-input"]
say(window.window(analysis.scored.obs, analysis.quality))

# %% mystnb={"image": {"alt": "One row per plate: points of mock, UV-inactivated and infected untreated wells along the on-disease axis, with a tick at each median and the plate's robust Z-prime at the right; hollow points are wells that failed."}, "figure": {"caption": "Controls on the on-disease axis, plate by plate. Hollow points are wells that failed, ticks are medians.", "name": "fig-separation"}}
ax = figures.plot_control_separation(analysis.scored.obs, analysis.quality)
analysis.save_figure(ax.figure, "control_separation")

# %% [markdown]
# In {numref}`fig-separation` look for plates whose two clouds touch, for hollow points far from their own kind, and for
# UV wells: they should lie with the mock wells, because inactivated virus does not infect. {numref}`fig-gate` sums each
# plate up and draws the line at which a plate passes.

# %% mystnb={"image": {"alt": "Three dot plots with a row per plate: plain and robust Z-prime with a line at the gate, the strictly standardised mean difference, and the area under the curve; hollow dots are plates that do not pass.", "classes": "panels"}, "figure": {"caption": "Assay quality per plate. The solid line is the gate, dashed lines mean no separation.", "name": "fig-gate"}}
fig = figures.plot_gate(analysis.quality, min_z_prime)
analysis.save_figure(fig, "assay_quality")

# %%
analysis.write_table(analysis.quality, "assay_quality.csv")
show_table(analysis.quality, rows=20)

# %% tags=["remove-input"]
say(window.quality(analysis.quality) + " " + window.failed_beside_quality(analysis.quality))

# %% tags=["remove-input"]
say(window.gate(analysis.quality, min_z_prime) + "\n\n" + window.thinned_plates(wells))

# %% [markdown]
# ### What wells that defined nothing say
#
# UV and blank wells had no part in any of these numbers, which makes the former a check from outside.

# %% mystnb={"image": {"alt": "Two panels with a row per kind of well, mock, UV-inactivated, infected untreated, infected treated, blank and failed: points and boxes along the on-disease axis and along the distance from it.", "classes": "panels"}, "figure": {"caption": "Where every kind of well lands along the disease axis and away from it. Boxes hold the middle half of all wells of a kind, with a line at the median; of kinds with many wells the points are a random sample.", "name": "fig-landing"}}
fig = figures.plot_landing(analysis.scored.obs)
analysis.save_figure(fig, "landing")

# %% tags=["remove-input"]
say(window.uv(analysis.scored.obs))

# %% tags=["remove-input"]
say(window.blank(analysis.scored.obs))

# %% [markdown]
# {numref}`fig-landing` shows the blank wells, and that is all that is done with them: as long as nobody says what was in
# them, a place near mock or near infected is no evidence that they are either.
#
# ### Sites of a well, and places on a plate

# %% tags=["remove-input"]
say(window.agreement(analysis.agreement))

# %% mystnb={"image": {"alt": "Two line charts of the median rescue of infected untreated wells along the rows and along the columns of the plates, without normalisation and with it, with bands of uncertainty around a dashed zero line.", "classes": "panels"}, "figure": {"caption": "Infected untreated wells along rows and columns, relative to their plate, without and with normalisation; bands are two standard errors.", "name": "fig-untreated-profiles"}}
untreated = summaries.untreated_by_stage(analysis)
fig = figures.plot_position_profiles(untreated, "rescue")
analysis.save_figure(fig, "untreated_profiles")

# %% tags=["remove-input"]
say(sentences.position_effect(untreated["raw"], untreated[recipe]))

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
worst = summaries.worst_plate(analysis.scored.obs, analysis.quality)
ax = figures.plot_plate(worst, "rescue", title=summaries.plate_title(worst), mark_flagged=True)

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
        wells, analysis.quality, analysis.variance, analysis.screen, made_to_fail=analysis.known_failures
    )
)
