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
# # Normalisation
#
# Raw {term}`embeddings <embedding>` know which plate a well stood on, often better than what was done to it. A
# {term}`recipe` removes what is technical, and must leave what is biology.
#
# In this notebook we
#
# 1. say what each recipe does, and which wells it takes as its reference;
# 2. measure for every recipe what technical variation is left and what biology is kept;
# 3. pick one recipe by a stated rule;
# 4. look at infected untreated wells, rows, columns and whole plates before and after.
#
# | Before you start | How much it helps | Where to read |
# |---|---|---|
# | the dataset tour | necessary | the page before this one |
# | medians, and why they forgive outliers | helpful | any course on statistics |
# | linear classifiers | helpful | only for the evidence |
#
# **Time to read:** 10 minutes.

# %% tags=["parameters"]
source: str = "twin"  # the screen: twin, rxrx19a, or a folder of your own
experiments: str = "all"  # which experiments: all, or a comma list such as HRCE-1,VERO-1
plates: str = "all"  # the first of these plates is drawn before and after: all, or a comma list
recipe: str = "plate_center"  # the recipe shown as "after" [raw | experiment_center | plate_center | plate_standard | plate_robust | position | pca | sphering | tvn | harmony | recommended]
recipes: str = (
    "raw,experiment_center,plate_center,plate_robust,recommended"  # recipes compared: a comma list, or all
)
exclude_plates: str = ""  # plates to leave out, a comma list such as HRCE-1_25
fdr: float = 0.05  # share of false calls that is accepted [0 < x < 1]
seed: int = 0  # where random numbers start [x >= 0]
results: str = ""  # folder for tables and figures; empty: a temporary one

# %%
from IPython.display import Markdown

from helpers import figures
from helpers.publish import Analysis, findings, sentences, summaries
from helpers.publish.show import show_table

figures.use_style()
analysis = Analysis(
    source=source,
    experiments=experiments,
    exclude_plates=exclude_plates,
    recipe=recipe,
    recipes=recipes,
    fdr=fdr,
    seed=seed,
    results=results,
)
analysis.banner()

# %% tags=["remove-input"]
Markdown(sentences.lacking(analysis.lacks))

# %% [markdown]
# ## The recipes

# %%
show_table(summaries.recipe_list(), rows=20)

# %% [markdown]
# Write $x_w$ for the embedding of {term}`well` $w$ on {term}`plate` $p$, in row $r$ and column $c$.
#
# **`raw`** does nothing: $x_w$. It is the baseline that every other recipe has to beat.
#
# **`experiment_center`** subtracts what all infected untreated wells of the {term}`experiment` $e$ share,
#
# $$\tilde x_w = x_w - \operatorname{median}_{v \in I(e)} x_v .$$
#
# *Intuition:* the centres of experiments differ for reasons nobody is interested in.
#
# **`plate_center`** does the same plate by plate, then removes a trend over rows and columns,
#
# $$
# \begin{aligned}
# y_w &= x_w - a_{r} - b_{c} , \\
# \tilde x_w &= y_w - \operatorname{median}_{v \in I(p)} y_v ,
# \end{aligned}
# $$
#
# where $a$ and $b$ are estimated on wells that are *scattered* over the plate, not on controls in fixed places.
# *Intuition:* plates differ in staining, and wells near an edge may differ from those inside.
#
# **`plate_robust`** and **`plate_standard`** also divide each feature by how much the reference wells of the plate scatter;
# **`recommended`** whitens after `plate_center`, by how the uninfected wells of *other* plates vary. The table above names
# the rest; the parameter `recipes` says which are compared here.
#
# The reference $I$ of a centre is always the infected untreated wells that passed quality control. Two choices hide in that
# sentence. The wells are *infected*, because they look like the treated wells that are judged later; the more of them a plate has,
# and the better they are scattered over it, the better its centre is known. And they are all of *one* condition: subtracting the
# centre of each condition would subtract the disease itself.

# %% [markdown]
# ## The evidence
#
# Two kinds of evidence pull in opposite directions, and a recipe has to be good at both.
#
# - **Technical variation left.** *Plate predictability*: how much better than by chance a classifier names the plate of
#   mock wells it has not seen (0 = chance, 1 = always right). *Experiment predictability*: the same for the experiment,
#   on plates it has not seen. *UV to mock gap*: how far apart two conditions lie that should look alike.
# - **Biology kept.** *Replicate mAP*: the mean average precision with which a compound's profile on one plate finds its own
#   profiles on other plates among all other compounds. *Control AUROC* and *robust Z′*: how well mock and infected wells
#   separate on wells that did not define the axis. Here the plates of an experiment are pooled, so that what plates differ by counts
#   too; the tour measures each plate on its own and reports the median plate, which is why the two numbers differ.
#
# A recipe that removed everything would score perfectly on the first list, one that did nothing might on the second.

# %%
analysis.write_table(analysis.recipes, "normalization.csv")
show_table(summaries.recipe_measures(analysis.recipes), rows=20)

# %% mystnb={"image": {"alt": "Table of dots with a row per recipe and a column per measure; each dot stands along its column's range with its value beneath, the best recipe of each measure is filled and the selected recipe is in bold.", "classes": "panels"}, "figure": {"caption": "Recipes compared. Arrows point to what is better; filled dots are the best of their column, and any that is written like it; the selected recipe is bold.", "name": "fig-recipe-table"}}
fig = figures.plot_recipe_table(analysis.recipes)
analysis.save_figure(fig, "recipe_table")

# %% mystnb={"image": {"alt": "Scatter of recipes: plate predictability on the horizontal axis, replicate mean average precision on the vertical axis, each point labelled with its recipe and the selected one ringed."}, "figure": {"caption": "Technical variation left against biology kept. The upper left is best; the ring is the selected recipe.", "name": "fig-tradeoff"}}
ax = figures.plot_recipe_tradeoff(analysis.recipes)
analysis.save_figure(ax.figure, "recipe_tradeoff")

# %% [markdown]
# ## The choice
#
# The rule is written down before anyone looks at a compound, and uses only what a real screen has; the truth of the
# {term}`twin` plays no part in it.

# %% tags=["remove-input"]
Markdown(
    sentences.recipe_rule()
    + " "
    + sentences.recipe_choice(analysis.recipes)
    + " "
    + findings.recipe_price(analysis.recipes)
)

# %% [markdown]
# In {numref}`fig-tradeoff` a step to the upper left is a gain. {numref}`fig-recipe-table` shows where a recipe pays for it: in
# the columns in which the selected recipe is *not* the filled dot. Not every such column is a loss. A recipe that leaves plates far apart can
# have a low experiment predictability for a bad reason: on plates it has not seen, the classifier is lost among the differences between
# plates. And part of what tells experiments apart may be the disease itself, which need not look the same in each; that is why every experiment
# gets an axis of its own.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Would another rule pick another recipe? Sort the table by replicate mAP alone, then by plate predictability alone.
# ```

# %% tags=["solution", "hide-cell"]
by_map = analysis.recipes.sort_values("replicate_map", ascending=False)
by_plate = analysis.recipes.sort_values("plate_predictability")
print("by replicate mAP:", ", ".join(by_map["recipe"]))
print("by plate predictability:", ", ".join(by_plate["recipe"]))

# %% [markdown]
# ## Before and after: plates
#
# {term}`Rescue <rescue>` is 0 for infected untreated wells and 1 for mock wells. Infected untreated wells had no compound on
# any plate, so wherever a plate's median is away from 0, the plate itself pretends to be an effect.

# %% mystnb={"image": {"alt": "Horizontal lines, one per plate, grouped by recipe: the middle ninety percent of rescue of infected untreated wells with a marker at the median, coloured by experiment, and a dashed line at zero.", "classes": "panels"}, "figure": {"caption": "Infected untreated wells under each recipe: median and middle 90 % of every plate.", "name": "fig-spread"}}
tables = summaries.scored_by_recipe(analysis)
ax = figures.plot_before_after(tables)
analysis.save_figure(ax.figure, "plate_spread")

# %% tags=["remove-input"]
Markdown(sentences.plate_spread(tables))

# %% [markdown]
# In {numref}`fig-spread` the markers of a good recipe stand in one column. The length of a line is what wells of one plate
# differ by; no recipe that only shifts plates can shorten it.

# %% [markdown]
# ## Before and after: rows and columns

# %% mystnb={"image": {"alt": "Two line charts of the median rescue of scattered wells relative to their plate, by plate row and by plate column, one line with a band for raw embeddings and one for the chosen recipe.", "classes": "panels"}, "figure": {"caption": "Position effects: median rescue of scattered wells, treated or not, relative to their plate, along rows and columns, with two standard errors.", "name": "fig-position"}}
fig = figures.plot_position_profiles({name: tables[name] for name in ("raw", recipe)})
analysis.save_figure(fig, "position_profiles")

# %% tags=["remove-input"]
Markdown(sentences.position_effect(tables["raw"], tables[recipe]))

# %% [markdown]
# A slope in {numref}`fig-position` is an effect of place. Averaging over plates does not remove it, for every plate has the same
# geometry. It would be mistaken for a compound's effect wherever a compound happens to stand in one region.

# %% [markdown]
# ## Before and after: one plate

# %% mystnb={"image": {"alt": "Two maps of the same plate side by side, wells coloured by rescue, from raw embeddings and after the chosen recipe.", "classes": "panels"}, "figure": {"caption": "One plate coloured by rescue, from raw embeddings and after the recipe.", "name": "fig-before-after"}}
fig = figures.plot_plates(summaries.one_plate_by_recipe(tables, plates, recipe), "rescue")
analysis.save_figure(fig, "plate_before_after")

# %% [markdown]
# {numref}`fig-before-after` is the eye's check: mock wells should stand out, most of the rest should be even, and no
# corner or edge should look like a treatment.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Do UV wells lie with the mock wells after normalisation? Compare the medians of their rescue.
# ```

# %% tags=["solution", "hide-cell"]
obs = tables[recipe]
show_table(obs.groupby(figures.well_kind(obs), observed=True)["rescue"].median().reset_index())

# %% [markdown]
# ## Recap
#
# - A recipe is judged by what it removes *and* by what it leaves.
# - The reference wells are part of the recipe: here, infected untreated wells that passed quality control.
# - Trends over the plate are learnt from wells that are scattered over it, never from controls in fixed places.
# - The rule that picks the recipe uses nothing that a real screen does not have.
# - The recipe that wins on the whole need not win everywhere: read the columns in which it loses.
# - What a recipe cannot mend are plates whose controls do not separate, and wells that failed.
#
# More elaborate recipes, such as typical variation normalisation {cite}`ando2017tvn`, whiten the embedding as well. They need
# care: whitening that is fitted on the wells of the null makes the null too narrow.
