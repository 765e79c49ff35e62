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
# 2. look at where controls and treatments stand on a plate;
# 3. see how often each arm is repeated, and over how many plates;
# 4. find the compounds that the files spell in several ways;
# 5. project the embeddings and ask what explains them;
# 6. find the wells that failed, and measure on every plate how well healthy and infected cells can be told apart.
#
# | Before you start | How much it helps | Where to read |
# |---|---|---|
# | what a {term}`well`, a {term}`plate` and a {term}`condition` are | necessary | the glossary |
# | principal components | helpful | any course on statistics |
# | pandas tables | helpful | only to change the code |
#
# **Time to read:** 15 minutes.

# %% tags=["parameters"]
source: str = "twin"  # the screen: twin, rxrx19a, or a folder of your own
experiments: str = "all"  # which experiments: all, or a comma list such as HRCE-1,VERO-1
plates: str = "all"  # which plates are drawn as maps: all, or a comma list such as 25 or HRCE-1_25
color_by: str = "condition"  # what the maps of all plates show [condition | dose_um | n_sites | rescue]
recipe: str = "plate_center"  # normalisation [raw | experiment_center | plate_center]
fdr: float = 0.05  # share of false calls that is accepted [0 < x < 1]
seed: int = 0  # where random numbers start [x >= 0]
results: str = ""  # folder for tables and figures; empty: a temporary one

# %%
from IPython.display import Markdown

from helpers import figures
from helpers.publish import Analysis, sentences, summaries
from helpers.publish.show import show_table

figures.use_style()
analysis = Analysis(
    source=source, experiments=experiments, recipe=recipe, fdr=fdr, seed=seed, results=results
)
wells = analysis.wells.obs
analysis.banner()

# %% tags=["remove-input"]
Markdown(sentences.lacking(analysis.lacks))

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
Markdown(sentences.design(wells, analysis.screen["n_sites"]))

# %% mystnb={"image": {"alt": "Horizontal bars, one per experiment, split into mock, UV-inactivated, infected untreated, infected treated and blank wells, each part with its count."}, "figure": {"caption": "Wells of every experiment by kind. Treated wells are infected wells that received a compound.", "name": "fig-counts"}}
ax = figures.plot_counts(wells)
analysis.save_figure(ax.figure, "design_counts")

# %% [markdown]
# In {numref}`fig-counts` the controls are the thin parts at the ends. Their kinds are
#
# - **mock**: cells without virus, the healthy end of every scale;
# - **UV**: cells given virus that ultraviolet light has inactivated. They meet the viral particle, not the infection,
#   and serve as a check that nobody tuned anything to;
# - **infected, untreated**: the diseased end, and the only reference for what no compound does;
# - **blank**: wells whose condition the files leave empty. What they are is unknown: they are shown, and never used.
#
# There is no compound on uninfected cells in such a design. A compound's own effect on cells and its rescue from
# disease arrive together, and only their directions can tell them apart.

# %% [markdown]
# ## Where things stand on a plate

# %% mystnb={"image": {"alt": "Map of the first plate, one coloured cell per well in rows of letters and numbered columns: controls stand in a few columns, treated and infected untreated wells fill the rest; crosses mark wells that failed quality control."}, "figure": {"caption": "One plate, seen from above. Crosses mark wells that failed quality control.", "name": "fig-plate-map"}}
chosen = summaries.choose_plates(wells, plates)
first = chosen[chosen["plate_id"] == chosen["plate_id"].iloc[0]]
ax = figures.plot_plate(first, title=summaries.plate_title(first), mark_flagged=True)
analysis.save_figure(ax.figure, "plate_map")

# %%
show_table(summaries.control_places(wells))

# %% tags=["remove-input"]
Markdown(sentences.controls(summaries.control_places(wells)))

# %% [markdown]
# Two things in {numref}`fig-plate-map` matter later. Controls that keep to fixed rows and columns cannot tell an effect
# of position from an effect of infection, so trends over the plate have to be learnt from wells that are scattered. And
# treatments that are drawn anew for every plate never meet the same neighbours twice, so that position does not
# follow a compound around.

# %% mystnb={"image": {"alt": "Small maps of several plates side by side, coloured alike by the chosen column."}, "figure": {"caption": "The plates side by side, coloured by the parameter `color_by`.", "name": "fig-plates"}}
shown = analysis.scored.obs.loc[chosen.index] if color_by == "rescue" else chosen
fig = figures.plot_plates(shown, color_by, mark_flagged=color_by == "condition")
analysis.save_figure(fig, "plate_maps")

# %% [markdown]
# ## Doses and replicates
#
# An {term}`arm` is one treatment at one dose in one experiment: what a statement about a compound rests on.

# %% mystnb={"image": {"alt": "One row of connected points per set of doses on a logarithmic axis in micromolar, labelled with the experiment and the number of compounds."}, "figure": {"caption": "Dose sets: each row is a set of doses, with the number of compounds that were given it.", "name": "fig-doses"}}
ax = figures.plot_dose_sets(summaries.dose_sets(wells).head(12))
analysis.save_figure(ax.figure, "dose_sets")

# %% tags=["remove-input"]
Markdown(sentences.doses(wells))

# %% mystnb={"image": {"alt": "Two bar charts: how many arms have how many wells, and how many arms stand on how many plates, a bar per experiment."}, "figure": {"caption": "Replicates: wells per arm, and plates per arm.", "name": "fig-replicates"}}
fig = figures.plot_replicates(summaries.arm_sizes(wells))
analysis.save_figure(fig, "replicates")

# %% tags=["remove-input"]
Markdown(sentences.replicates(wells))

# %% [markdown]
# {numref}`fig-replicates` holds the most common mistake with such data: counting wells, or even sites, as independent
# replicates. Wells of an arm on the same plate share the plate's error. An interval that ignores this is too narrow,
# and a p-value that ignores it too small.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Which compounds were tested in more than one experiment? They are the only ones whose results can be compared
# between experiments. Count them.
# ```

# %% tags=["solution", "hide-cell"]
show_table(summaries.shared_compounds(wells))

# %% [markdown]
# ## Names
#
# A compound whose name is written in two ways looks like two compounds with half the replicates each. Names are
# therefore compared without regard to case, and by structure where the files give one; the commonest spelling is
# shown.

# %%
show_table(summaries.spellings(wells), rows=8)

# %% tags=["remove-input"]
Markdown(sentences.names(wells))

# %% tags=["remove-input"]
Markdown(sentences.notes(analysis.screen))

# %% [markdown]
# ## The embeddings at a glance
#
# The first principal components are the directions in which wells differ most. Nothing was normalised yet, so they
# show what the raw embeddings are full of. Wells that failed quality control take no part in finding the directions.

# %% mystnb={"image": {"alt": "Scatter plots of wells on the first two principal components of the raw embeddings, coloured by condition, by experiment, by plate and by row."}, "figure": {"caption": "Wells on the first two principal components of the raw embeddings, coloured by what might explain them.", "name": "fig-pca"}}
components = figures.principal_components(analysis.wells, n_components=4, seed=seed)
fig = figures.plot_embeddings(components, ["condition", "experiment", "plate", "row"])
analysis.save_figure(fig, "pca_raw")

# %% mystnb={"image": {"alt": "Two scatter plots of wells on the third and fourth principal component of the raw embeddings, coloured by plate and by condition."}, "figure": {"caption": "The third and fourth component: what is left once the two largest differences are taken away.", "name": "fig-pca-more"}}
fig = figures.plot_embeddings(components, ["plate", "condition"], x="pc_3", y="pc_4")
analysis.save_figure(fig, "pca_raw_more")

# %%
show_table(summaries.explained_table(components))

# %% tags=["remove-input"]
Markdown(sentences.projection(components))

# %% [markdown]
# Read {numref}`fig-pca` and {numref}`fig-pca-more` with one question: do wells group by what was *done* to them, or by *where and when*? Where the
# second is stronger, distances between raw embeddings say more about plates than about drugs. That is what the next
# notebook, on normalisation, removes.

# %% [markdown]
# ## Wells that failed
#
# Some wells went wrong: too few cells, dim stains, a bubble. They lie far from everything else on their plate, in the
# direction in which wells fail. Mock wells alone could not tell, for they can fail like all others: so each well is
# judged by its robust distance from the bulk of its plate.

# %%
show_table(summaries.failed_wells(wells))

# %% tags=["remove-input"]
Markdown(sentences.failures(wells) + " " + sentences.failed_controls(wells))

# %% [markdown]
# ## How good is the assay?
#
# The {term}`on-disease` score runs along the line from the mock wells' centre to the infected wells' centre: 0 is mock,
# 1 is infected and untreated. How well do single wells of both kinds keep apart on it? With means $\mu$ and standard
# deviations $\sigma$ of mock (M) and infected (I) wells, four numbers say so:
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
# - {term}`SSMD` is the window in units of the noise of a difference.
# - {term}`AUROC` is the chance that a random infected well scores higher than a random mock well: one half is a coin.
#
# Each plate is scored on an axis that was found *without* it. In many dimensions some direction always separates the
# wells it was fitted on, even if they are noise; an honest number needs other wells than those.

# %% mystnb={"image": {"alt": "One row per plate: points of mock, UV-inactivated and infected untreated wells along the on-disease axis, with a tick at each median and the plate's robust Z-prime at the right; hollow points are wells that failed."}, "figure": {"caption": "Controls on the on-disease axis, plate by plate. Hollow points are wells that failed, ticks are medians.", "name": "fig-separation"}}
ax = figures.plot_control_separation(analysis.scored.obs, analysis.quality)
analysis.save_figure(ax.figure, "control_separation")

# %% mystnb={"image": {"alt": "Two dot plots with a row per plate: plain and robust Z-prime with a line at one half, and AUROC with a line at one half; hollow dots are plates that do not pass."}, "figure": {"caption": "Assay quality per plate. Dashed lines: a Z′ of one half, and the AUROC of a coin.", "name": "fig-quality"}}
fig = figures.plot_assay_quality(analysis.quality)
analysis.save_figure(fig, "assay_quality")

# %%
analysis.write_table(analysis.quality, "assay_quality.csv")
show_table(analysis.quality, rows=20)

# %% tags=["remove-input"]
Markdown(sentences.quality(analysis.quality))

# %% [markdown]
# In {numref}`fig-separation` look for plates whose two clouds touch, and for UV wells: they should lie with the mock wells,
# because inactivated virus does not infect. {numref}`fig-quality` sums each plate up.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Which plate has the lowest robust Z′, and what does its map of rescue look like? Draw it.
# ```

# %% tags=["solution", "hide-cell"] mystnb={"image": {"alt": "Map of the plate with the lowest robust Z-prime, wells coloured by rescue from infected to mock."}}
worst = summaries.worst_plate(analysis.scored.obs, analysis.quality)
ax = figures.plot_plate(worst, "rescue", title=summaries.plate_title(worst), mark_flagged=True)

# %% [markdown]
# ## Recap
#
# - One row of the files is a site; the well is what we analyse, the plate is what we replicate.
# - Controls stand in fixed places, treatments and infected untreated wells are scattered.
# - Arms have few plates, so few independent replicates, however many wells and sites there are.
# - Raw embeddings carry experiments and plates along with the disease.
# - Failed wells are flagged and stay visible; they never enter a fit.
# - Plates whose controls do not separate cannot say anything about a compound.
#
# **What must not be concluded:** that a cell which looks healthy is free of virus. Morphology is not viral load, and
# without compounds on uninfected cells a compound's own effect cannot be measured by itself.
