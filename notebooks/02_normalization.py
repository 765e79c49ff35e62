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
# 1. see what each recipe does to the same few plates, and which wells it takes as its reference;
# 2. measure for every recipe what technical variation is left and what biology is kept;
# 3. pick one recipe by a stated rule, and ask how firm that pick is;
# 4. look at wells, rows, columns, whole plates and shared compounds before and after.
#
# | Before you start | How much it helps | Where to read |
# |---|---|---|
# | the dataset tour | necessary | the page before this one |
# | medians, and why they forgive outliers | helpful | any course on statistics |
# | covariance matrices | helpful | only for the recipes that whiten |
# | linear classifiers | helpful | only for the evidence |
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
# the first of these plates is drawn before and after: all, or a comma list
plates: str = "all"
# the recipe shown as "after"; auto: what the evidence on this screen picks
# [auto | raw | experiment_center | plate_center | percent_of_control
# | log_percent_of_control | plate_standard | plate_robust | position | pca
# | sphering | tvn | harmony | recommended]
recipe: str = "auto"
# recipes compared: all, or a comma list
recipes: str = "all"
# wells that recipes learn from [infected | mock | uninfected | controls]
reference: str = "infected"
# what scaling, whitening, tvn and harmony make alike [plate | experiment]
batch: str = "plate"
# how position is modelled: a smooth trend, every row and column, or not
# [trend | row_column | none]
position_model: str = "trend"
# components kept by pca, harmony and tvn; 0: each recipe's own number [x >= 0]
n_components: int = 0
# shrinkage of sphering and recommended: auto, ledoit_wolf, or the weight of the
# identity from 0 to 1
regulariser: str = "auto"
# draw at most so many wells of the embedding [500 <= x <= 80000]
umap_max_wells: int = 3000
# share of false calls that is accepted [0 < x < 1]
fdr: float = 0.05
# where random numbers start [0 <= x <= 4294967295]
seed: int = 0
# folder for tables and figures; empty: one that lasts as long as the kernel
results: str = ""

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports", "code_prompt_hide": "Imports"}
import numpy as np

from helpers import figures
from helpers.pages.examples import same_numbers
from helpers.pages.normalization.choice import chosen
from helpers.pages.normalization.evidence import measure_table
from helpers.pages.normalization.pictures import (
    one_plate_by_recipe,
    step_pictures,
)
from helpers.pages.normalization.recipes import recipe_table
from helpers.pages.normalization.stages import most_shared_arms
from helpers.pages.show import show_table
from helpers.profiles.positions import position_profiles
from helpers.profiles.selection import controls, well_kind
from helpers.study import (
    choose_recipe,
    compare_recipes,
    example_plates,
    known_truth,
    normalize,
    open_screen,
    project_wells,
    read_recipes,
    read_settings,
    save_figure,
    scored_stages,
    show_banner,
    to_wells,
    write_table,
)

figures.use_style()

# %% tags=["remove-cell"]
from helpers.pages.absent import lacking
from helpers.pages.examples import example_named
from helpers.pages.normalization import choice, evidence, stages
from helpers.pages.normalization.recipes import (
    plates_without_reference,
    settings_given,
)
from helpers.pages.positions import position_effect
from helpers.pages.show import say
from helpers.study import lacking_sentences, sites_named_on_some

# %% [markdown]
# The wells of the page before are taken as they are, and normalised with the settings of this page. What differs from a
# recipe's own settings is in `settings`.

# %%
sites = open_screen(
    source,
    world=world,
    experiments=experiments,
    exclude_plates=exclude_plates,
)
wells = to_wells(sites, qc=qc, qc_rate=qc_rate)
settings = read_settings(
    reference=reference,
    batch=batch,
    position_model=position_model,
    n_components=n_components,
    regulariser=regulariser,
)
recipe = choose_recipe(
    wells, recipe, read_recipes(recipes), seed=seed, **settings
)
normalized = normalize(wells, recipe, seed=seed, **settings)
show_banner(wells.uns["screen"])

# %% tags=["remove-input"]
say(lacking(lacking_sentences(wells)))

# %% [markdown]
# ## The recipes

# %%
show_table(recipe_table(settings), rows=20)

# %% tags=["remove-input"]
say(settings_given(settings) + " " + plates_without_reference(normalized))

# %% [markdown]
# The settings in the last column are parameters of this page: `rxrx19 params normalization` says what each may be.
#
# Write $x_w$ for the embedding of {term}`well` $w$ on {term}`plate` $p$ of {term}`experiment` $e$, in row $r$ and column $c$, and $I$
# for the {term}`reference wells`: by default the infected untreated wells that passed quality control. Two choices hide in that
# sentence. The wells are *infected*, because they look like the treated wells that are judged later; the more of them a plate has,
# and the better they are scattered over it, the better its centre is known. And they are all of *one* condition: subtracting the
# centre of each condition would subtract the disease itself.
#
# **`raw`** does nothing: $x_w$. It is the baseline that every other recipe has to beat.
#
# Every other recipe gets a formula, an intuition, and one picture of the same few plates before and after. In most of them the
# horizontal axis is {term}`rescue <rescue>`, which every picture computes anew: 0 for infected untreated wells and 1 for mock wells.

# %%
pictures = step_pictures(wells, plates, seed=seed, **settings)

# %% [markdown]
# ### `experiment_center`: experiments side by side
#
# $$\tilde x_w = x_w - \operatorname{median}_{v \in I(e)} x_v .$$
#
# *Intuition:* the centres of experiments differ for reasons nobody is interested in. A median forgives the few failed wells that quality
# control missed.

# %% mystnb={"image": {"alt": "Two scatter plots of control wells, before and after, rescue on the horizontal axis and the direction in which experiments differ on the vertical one, coloured by experiment.", "classes": "panels"}, "figure": {"caption": "Experiments before and after `experiment_center`: each mark is an infected untreated or a mock well.", "name": "fig-step-experiment-center"}}
fig = figures.plot_step(pictures["experiment_center"])
save_figure(fig, "step_experiment_center", results)

# %% [markdown]
# In {numref}`fig-step-experiment-center` whole experiments are moved up or down onto each other. What lies apart within an experiment,
# its plates, stays apart. (With a single experiment its plates are drawn, and nothing is moved onto anything.)

# %% [markdown]
# ### `plate_center`: plates side by side
#
# $$
# \begin{aligned}
# y_w &= x_w - f_p(r, c) , \\
# \tilde x_w &= y_w - \operatorname{median}_{v \in I(p)} y_v ,
# \end{aligned}
# $$
#
# where $f_p$ is the trend over rows and columns that `position` removes.
# *Intuition:* plates differ in staining and handling. Whatever moves a whole plate moves its reference wells too, so their median takes
# it out.

# %% mystnb={"image": {"alt": "Two scatter plots of control wells, before and after, rescue on the horizontal axis and the direction in which plates differ on the vertical one, coloured by plate.", "classes": "panels"}, "figure": {"caption": "Plates of one experiment before and after `plate_center`.", "name": "fig-step-plate-center"}}
fig = figures.plot_step(pictures["plate_center"])
save_figure(fig, "step_plate_center", results)

# %% [markdown]
# In {numref}`fig-step-plate-center` look at both directions. Plates that lie apart vertically make a cloud of neighbours by plate; plates that
# lie apart *horizontally* look as if all their compounds did something.

# %% [markdown]
# **The same in three lines.** The second formula needs no library: take the wells after `position`, and subtract from every plate the
# median of its own reference wells. The last line asks whether `normalize` returns the same numbers.

# %%
example = example_plates(wells)
placed = normalize(example, "position")
plate = placed.obs["plate_id"] == placed.obs["plate_id"].iloc[0]
x = placed.X[plate]
known = controls(placed.obs, "infected")[plate]
centred = x - np.median(x[known], axis=0)
same_numbers(centred, normalize(example, "plate_center").X[plate])

# %% tags=["remove-input"]
say(example_named(example))

# %% [markdown]
# ### `percent_of_control`: for counts and brightness
#
# $$\tilde x_w = \frac{x_w}{\operatorname{median}_{v \in I(p)} x_v} , \qquad \text{or its logarithm (`log_percent_of_control`)} .$$
#
# *Intuition:* where a feature counts cells or measures light, a plate that got twice the cells shows twice of everything. Dividing takes that out, which no
# subtraction can. With the logarithm, what multiplies adds; it suits features that vary in proportion to their mean. Both need positive features, and an
# embedding has none: there the picture says that the recipe cannot be used.

# %% mystnb={"image": {"alt": "Two scatter plots of control wells, before and after, rescue on the horizontal axis and the direction in which plates differ on the vertical one, coloured by plate; or a sentence that the features are not positive.", "classes": "panels"}, "figure": {"caption": "Plates of one experiment before and after `percent_of_control`.", "name": "fig-step-percent"}}
fig = figures.plot_step(pictures["percent_of_control"])
save_figure(fig, "step_percent_of_control", results)

# %% [markdown]
# In {numref}`fig-step-percent`, where it can be drawn, plates of different brightness come to lie on each other, and those that were bright no longer scatter more.

# %% [markdown]
# ### `plate_standard`: the same scale for every feature
#
# $$\tilde x_w = \frac{x_w - \operatorname{mean}_{v \in I(p)} x_v}{\operatorname{sd}_{v \in I(p)} x_v} .$$
#
# *Intuition:* a feature that scatters widely among wells that should be alike counts less. The price: each plate has an estimate of its own for
# every feature, so the disease axes of two plates turn a little against each other.

# %% mystnb={"image": {"alt": "Two scatter plots of control wells, before and after, rescue on the horizontal axis and the direction in which plates differ on the vertical one, coloured by plate.", "classes": "panels"}, "figure": {"caption": "Plates of one experiment before and after `plate_standard`.", "name": "fig-step-plate-standard"}}
fig = figures.plot_step(pictures["plate_standard"])
save_figure(fig, "step_plate_standard", results)

# %% [markdown]
# Compare the mock wells of {numref}`fig-step-plate-standard` with those of {numref}`fig-step-plate-center`: the fewer reference wells a plate has,
# the less well its scale is known, and the further mock wells of different plates end up from one another.

# %% [markdown]
# ### `plate_robust`: a scale that failed wells cannot move
#
# $$\tilde x_w = \frac{x_w - m_p}{1.4826\, \operatorname{median}_{v \in I(p)} |x_v - m_p|} , \qquad m_p = \operatorname{median}_{v \in I(p)} x_v .$$
#
# *Intuition:* one failed well in the reference can double a standard deviation, and a doubled scale halves every effect on that plate. The
# median absolute deviation hardly notices, but is known less well where nothing failed.

# %% mystnb={"image": {"alt": "Two scatter plots with a point per feature, standard deviation against scaled median absolute deviation, without and with failed wells in the reference, and a line of equality.", "classes": "panels"}, "figure": {"caption": "Two estimates of each feature's spread on one plate, from reference wells that passed quality control and with the failed ones let in.", "name": "fig-step-plate-robust"}}
fig = figures.plot_step(pictures["plate_robust"])
save_figure(fig, "step_plate_robust", results)

# %% [markdown]
# In {numref}`fig-step-plate-robust` points on the dashed line are features for which both estimates agree. Where wells failed, letting them in drives points to the
# right: the standard deviation grows, the robust one does not. Quality control takes most of that away beforehand.

# %% [markdown]
# ### `position`: rows and columns
#
# $$
# \begin{aligned}
# \tilde x_w &= x_w - f_p(r, c) , \\
# f_p &= s_p \, (\beta_1 r + \beta_2 c + \beta_3 r^2 + \beta_4 c^2 + \beta_5 r c) , \qquad s_p = \max(0,\, 1 - 1/F) .
# \end{aligned}
# $$
#
# *Intuition:* wells near an edge may differ from those inside. The trend is learnt from wells that are *scattered* over the plate, treated or not,
# never from controls in fixed places; where position explains no more than chance would, the factor $s_p$ leaves the plate alone.

# %% mystnb={"image": {"alt": "Two maps of the same plate side by side, wells coloured by rescue, before and after the trend over rows and columns was removed.", "classes": "panels"}, "figure": {"caption": "One plate, coloured by rescue, before and after `position`.", "name": "fig-step-position"}}
fig = figures.plot_step(pictures["position"])
save_figure(fig, "step_position", results)

# %% [markdown]
# In {numref}`fig-step-position` a slope or a bright corner should go while mock wells stay as dark as they were. The plate as a whole is not moved: that is
# left to a centre.

# %% [markdown]
# ### `pca`: fewer directions
#
# $$\tilde x_w = A_k^{\mathsf T} (y_w - \bar y) ,$$
#
# with $A_k$ the $k$ leading principal axes of all wells after `plate_center`.
# *Intuition:* most directions of an embedding hold only the noise of single wells. Leaving them out shortens distances that are noise, and turns nothing.

# %% mystnb={"image": {"alt": "Two scatter plots of the controls of one plate, rescue on the horizontal axis and distance from the disease axis on the vertical one, before and after.", "classes": "panels"}, "figure": {"caption": "Controls of one plate by rescue and distance from the axis, before and after `pca`.", "name": "fig-step-pca"}}
fig = figures.plot_step(pictures["pca"])
save_figure(fig, "step_pca", results)

# %% [markdown]
# In {numref}`fig-step-pca` rescue should stay as it was while the distance from the axis shrinks, the more so the more features a screen has beyond the
# components that are kept.

# %% [markdown]
# ### `sphering`: loud directions turned down
#
# $$\tilde x_w = \Sigma_p^{-1/2} \big(x_w - \operatorname{mean}_{v \in I(p)} x_v\big) , \qquad \Sigma_p = (1 - \lambda)\, S_p + \lambda\, \bar s\, \mathbf 1 ,$$
#
# with $S_p$ the covariance of the plate's reference wells, $\bar s$ its mean variance, and $\lambda$ by default the weight that {cite:t}`ledoit2004` derived.
# *Intuition:* a direction in which untreated wells differ anyway says little about treatment. A plate has far fewer reference wells than an embedding has features, hence the $\lambda$.

# %% mystnb={"image": {"alt": "Two scatter plots of the controls of one plate with an ellipse around mock and infected wells each, rescue on the horizontal axis and the loudest direction off the axis on the vertical one, before and after.", "classes": "panels"}, "figure": {"caption": "Controls of one plate before and after `sphering`, with ellipses that would hold four fifths of Gaussian wells.", "name": "fig-step-sphering"}}
fig = figures.plot_step(pictures["sphering"])
save_figure(fig, "step_sphering", results)

# %% [markdown]
# In {numref}`fig-step-sphering` compare the two standard deviations in the right panel. If the infected wells have become much quieter than the mock wells, it is because the
# whitening was fitted to *them*: treated wells did not get quieter to the same degree, and a null built on these wells will be too narrow.

# %% [markdown]
# ### `tvn`: typical variation normalisation
#
# $$\tilde x_w = \big(C + \tfrac12 \mathbf 1\big)^{1/2} \big(C_p + \tfrac12 \mathbf 1\big)^{-1/2}\, \frac{A^{\mathsf T} z_w - m_p}{s_p} , \qquad z_w = \frac{x_w - \mu}{\sigma} ,$$
#
# with $\mu$, $\sigma$ and the principal axes $A$ those of all reference wells, $m_p$ and $s_p$ those of the plate's, $C_p$ and $C$ their covariances {cite:p}`ando2017tvn,celik2024efaar`.
# *Intuition:* what varies among controls is typical and of no interest; make it alike in all directions, then give all plates the same covariance. Half the identity is added to both covariances, so
# that directions in which a plate's few wells hardly vary are not blown up.

# %% mystnb={"image": {"alt": "Two scatter plots of the controls of one plate with an ellipse around mock and infected wells each, rescue on the horizontal axis and the loudest direction off the axis on the vertical one, before and after.", "classes": "panels"}, "figure": {"caption": "Controls of one plate before and after `tvn`.", "name": "fig-step-tvn"}}
fig = figures.plot_step(pictures["tvn"])
save_figure(fig, "step_tvn", results)

# %% [markdown]
# {numref}`fig-step-tvn` has the same warning as {numref}`fig-step-sphering`: compare the reference wells with the ones that took no part in the fit.

# %% [markdown]
# ### `harmony`: alignment without reference wells
#
# $$\tilde z_w = z_w - \sum_k R_{wk}\, \beta_{pk} ,$$
#
# with $z_w$ the leading principal components, $R_{wk}$ how far a well belongs to cluster $k$, and $\beta_{pk}$ how far plate $p$ is off in that cluster {cite:p}`korsunsky2019harmony`.
# *Intuition:* wells that look alike should come from all plates; where a cluster does not mix, its plates are moved onto each other. No well is a reference, so whatever two plates do not
# share is taken for technical, compounds included.

# %% mystnb={"image": {"alt": "Two scatter plots of control wells, before and after, rescue on the horizontal axis and the direction in which plates differ on the vertical one, coloured by plate.", "classes": "panels"}, "figure": {"caption": "Plates of one experiment in principal components, before and after `harmony`.", "name": "fig-step-harmony"}}
fig = figures.plot_step(pictures["harmony"])
save_figure(fig, "step_harmony", results)

# %% [markdown]
# In {numref}`fig-step-harmony` look at how completely plates come together, in comparison with {numref}`fig-step-plate-center`, which used the controls.

# %% [markdown]
# ### `recommended`: whitening by other plates
#
# $$\tilde x_w = W_{-p}\, y_w , \qquad W_{-p} \propto \big((1 - \lambda)\, S_{-p} + \lambda\, \bar s\, \mathbf 1\big)^{-1/2} ,$$
#
# with $y_w$ from `plate_center` and $S_{-p}$ the covariance of mock and UV wells on the *other* plates of the experiment; $\lambda$ is by default the weight that makes noise along the axis
# small on plates that were held out.
# *Intuition:* sphering's gain without its fault. The wells that form the null, and the plate that is judged, take no part in the fit.

# %% mystnb={"image": {"alt": "Two scatter plots of the controls of one plate with an ellipse around mock and infected wells each, rescue on the horizontal axis and the loudest direction off the axis on the vertical one, before and after.", "classes": "panels"}, "figure": {"caption": "Controls of one plate before and after `recommended`.", "name": "fig-step-recommended"}}
fig = figures.plot_step(pictures["recommended"])
save_figure(fig, "step_recommended", results)

# %% [markdown]
# In {numref}`fig-step-recommended` both ellipses should shrink, the infected one without collapsing as it does in {numref}`fig-step-sphering`. If the mock wells have become the quieter
# kind, there are few plates: each then helps to whiten the plates that define its axis, and control AUROC and robust Z′ flatter a little. The null, which is made of infected wells, is not
# touched by that. An experiment with one plate has no other plates to learn from, and stays as `plate_center` left it.

# %% [markdown]
# ## The evidence
#
# Two kinds of evidence pull in opposite directions, and a recipe has to be good at both.
#
# - **Technical variation left.** *Plate predictability*: how much better than by chance a classifier names the plate of
#   control wells that it has not seen and that are no recipe's reference, by default mock wells (0 = chance, 1 = always right). *Experiment predictability*: the same for the experiment,
#   on plates it has not seen. *Position predictability*: the share of the variance of row and column that is told from scattered wells.
#   *UV to mock gap*: how far apart two conditions lie that should look alike.
# - **Biology kept.** *Replicate mAP*: the mean average precision with which a compound's profile on one plate finds its own
#   profiles on other plates among all other compounds. *Control AUROC* and *robust Z′*: how well mock and infected wells
#   separate on wells that did not define the axis. Here the plates of an experiment are pooled, so that what plates differ by counts
#   too; the tour measures each plate on its own and reports the median plate, which is why the two numbers differ.
#   *Shared arms*: the correlation of the rescue of arms that two experiments both tested, mean over pairs of experiments. *Replicate error*: the standard error of an arm's rescue,
#   told from how its plates differ, in axis lengths.
# - **A guard.** *Null ratio*: the error that infected untreated wells promise over the one that replicates of treated wells show. Well below 1 the null is too narrow,
#   and inert compounds would be called.
#
# A recipe that removed everything would score perfectly on the first list, one that did nothing might on the second. The brackets hold
# 95 % intervals over plates: what a measure does when one plate after the other is left out says how far it would differ with other
# plates of the same experiments.

# %%
compared = compare_recipes(
    wells,
    read_recipes(recipes),
    truth=known_truth(wells),
    seed=seed,
    **settings,
)
write_table(compared, "normalization.csv", results)
show_table(measure_table(compared, list(figures.TECHNICAL)), rows=20)

# %%
kept = [*figures.BIOLOGY, *figures.GUARD]
show_table(measure_table(compared, kept), rows=20)

# %% tags=["remove-input"]
measures = [*figures.TECHNICAL, *kept]
say(evidence.intervals_missing(compared, measures, wells.obs))

# %% tags=["remove-input"]
say(evidence.unusable(compared))

# %% mystnb={"image": {"alt": "Table of dots with a row per recipe and a column per measure; each dot stands along its column's range with its value beneath, the best recipe of each measure is filled and the selected recipe is in bold.", "classes": "panels"}, "figure": {"caption": "Technical variation left by each recipe. Arrows point to what is better; filled dots are the best of their column, and any that is written like it; the selected recipe is bold.", "name": "fig-recipe-table"}}
fig = figures.plot_recipe_table(compared, figures.TECHNICAL)
save_figure(fig, "recipe_technical", results)

# %% mystnb={"image": {"alt": "Table of dots with a row per recipe and a column per measure; each dot stands along its column's range with its value beneath, the best recipe of each measure is filled and the selected recipe is in bold.", "classes": "panels"}, "figure": {"caption": "Biology kept by each recipe, drawn alike.", "name": "fig-recipe-biology"}}
fig = figures.plot_recipe_table(compared, figures.BIOLOGY)
save_figure(fig, "recipe_biology", results)

# %% [markdown]
# Compare {numref}`fig-recipe-table` with {numref}`fig-recipe-biology`: recipes that are best in the first need not be in the second. What is missing here is missing because
# this screen cannot say it.

# %% tags=["remove-input"]
say(evidence.site_offsets(sites_named_on_some(sites)))

# %% [markdown]
# ## The choice
#
# The rule is written down before anyone looks at a compound, and uses only what a real screen has; the truth of the
# {term}`twin` plays no part in it.

# %% tags=["remove-input"]
say(choice.recipe_rule())

# %% mystnb={"image": {"alt": "Two plots. Above, a scatter of recipes by plate predictability and replicate mean average precision with intervals in both directions. Below, a row per recipe with its replicate error, an interval, and how often the bootstrap picks it. The selected recipe has a ring.", "classes": "panels"}, "figure": {"caption": "Above: technical variation left against biology kept; the upper left is best. Below: what the rule minimises, and in what share of the bootstrap draws over plates it picks each recipe. Markers are the same in both; hollow ones are not considered; the ring is the selected recipe.", "name": "fig-choice"}}
fig = figures.plot_recipe_choice(compared)
save_figure(fig, "recipe_choice", results)

# %% tags=["remove-input"]
say(choice.choice(compared))

# %% tags=["remove-input"]
say(choice.against_truth(compared))

# %% tags=["remove-input"]
say(choice.recipe_of_the_pages(recipe, compared))

# %% [markdown]
# In {numref}`fig-choice` a step to the upper left is a gain. {numref}`fig-recipe-table` and {numref}`fig-recipe-biology` show where a recipe pays for it: in
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
by_map = compared.sort_values("replicate_map", ascending=False)
by_plate = compared.sort_values("plate_predictability")
print("by replicate mAP:", ", ".join(by_map["recipe"]))
print("by plate predictability:", ", ".join(by_plate["recipe"]))

# %% [markdown]
# ## Before and after: neighbours
#
# A map of neighbours (UMAP) keeps who is near whom; distances between far groups, their sizes and their densities mean nothing in it.

# %%
before = project_wells(wells, max_wells=umap_max_wells, seed=seed)
after = project_wells(normalized, max_wells=umap_max_wells, seed=seed)

# %% mystnb={"image": {"alt": "Four maps of neighbours, raw embeddings on the left and normalised ones on the right, coloured by condition above and by plate below.", "classes": "panels"}, "figure": {"caption": "Wells by neighbourhood, from raw embeddings and after the recipe, coloured by condition and by plate.", "name": "fig-maps"}}
maps = {"raw": before.points, "after": after.points}
fig = figures.plot_maps(maps, ["condition", "plate"])
save_figure(fig, "maps_before_after", results)

# %% tags=["remove-input"]
say(stages.neighbors_change(before, after))

# %% [markdown]
# The aim is that islands by plate dissolve in {numref}`fig-maps` and conditions come together. What remains apart afterwards is either biology, or
# something that the recipe does not know.

# %% [markdown]
# ## Before and after: plates
#
# Infected untreated wells had no compound on any plate, so wherever a plate's median is away from 0, the plate itself pretends to be an effect.

# %%
picked = chosen(compared)
shown = ["raw", "experiment_center", "plate_center", picked, recipe]
tables = scored_stages(wells, shown, seed=seed, **settings)

# %% mystnb={"image": {"alt": "Horizontal lines, one per plate, grouped by recipe: the middle ninety percent of rescue of infected untreated wells with a marker at the median, coloured by experiment, and a dashed line at zero.", "classes": "panels"}, "figure": {"caption": "Infected untreated wells under some recipes, the selected one among them: median and middle 90 % of every plate.", "name": "fig-spread"}}
ax = figures.plot_before_after(tables)
save_figure(ax.figure, "plate_spread", results)

# %% tags=["remove-input"]
say(stages.plate_spread(tables))

# %% [markdown]
# In {numref}`fig-spread` the markers of a good recipe stand in one column. The length of a line is what wells of one plate
# differ by; no recipe that only shifts plates can shorten it.
#
# ## Before and after: rows and columns

# %% mystnb={"image": {"alt": "Two line charts of the median rescue of scattered wells relative to their plate, by plate row and by plate column, one line with a band for raw embeddings and one for the chosen recipe.", "classes": "panels"}, "figure": {"caption": "Position effects: median rescue of scattered wells, treated or not, relative to their plate, along rows and columns, with two standard errors.", "name": "fig-position"}}
profiles = {name: position_profiles(tables[name]) for name in ("raw", recipe)}
fig = figures.plot_position_profiles(profiles)
save_figure(fig, "position_profiles", results)

# %% tags=["remove-input"]
say(position_effect(tables["raw"], tables[recipe]))

# %% tags=["remove-input"]
say(stages.position_left(tables["raw"], tables[recipe], recipe, compared))

# %% [markdown]
# A slope in {numref}`fig-position` is an effect of place. Averaging over plates does not remove it, for every plate has the same
# geometry. It would be mistaken for a compound's effect wherever a compound happens to stand in one region.
#
# ## Before and after: one plate

# %% mystnb={"image": {"alt": "Two maps of the same plate side by side, wells coloured by rescue, from raw embeddings and after the chosen recipe.", "classes": "panels"}, "figure": {"caption": "One plate coloured by rescue, from raw embeddings and after the recipe.", "name": "fig-before-after"}}
both = one_plate_by_recipe(tables, plates, recipe)
fig = figures.plot_plates(both, "rescue")
save_figure(fig, "plate_before_after", results)

# %% [markdown]
# {numref}`fig-before-after` is the eye's check: mock wells should stand out, most of the rest should be even, and no
# corner or edge should look like a treatment.
#
# ## Before and after: compounds that experiments share
#
# Arms that were tested in two experiments are a check that no recipe was fitted to: their rescue should agree.

# %% mystnb={"image": {"alt": "Scatter plots of the rescue of shared arms, one experiment against the other, from raw embeddings and under the chosen recipe, with the line of equality and the correlation.", "classes": "panels"}, "figure": {"caption": "Arms that two experiments share: rescue in the one against rescue in the other.", "name": "fig-shared"}}
shared = {name: most_shared_arms(tables[name]) for name in ("raw", recipe)}
fig = figures.plot_shared(shared)
save_figure(fig, "shared_arms", results)

# %% tags=["remove-input"]
say(stages.shared_found(tables))

# %% [markdown]
# In {numref}`fig-shared` the dashed line is equality. A correlation that is high before any normalisation is carried by the strongest arms; the cloud near zero
# shows what a recipe gains.

# %% [markdown] tags=["exercise"]
# ```{admonition} Exercise
# :class: tip
# Do UV wells lie with the mock wells after normalisation? Compare the medians of their rescue, without the wells that failed.
# ```

# %% tags=["solution", "hide-cell"]
passed = tables[recipe][tables[recipe]["qc_flag"].astype(str) == ""]
by_kind = passed.groupby(well_kind(passed), observed=True)["rescue"]
show_table(by_kind.median().reset_index())

# %% [markdown]
# ## Recap
#
# - A recipe is judged by what it removes *and* by what it leaves.
# - The reference wells are part of the recipe: here, infected untreated wells that passed quality control unless the page says otherwise.
# - Trends over the plate are learnt from wells that are scattered over it, never from controls in fixed places.
# - Whitening that is fitted on the wells of the null makes the null too narrow; other plates, and wells that form no null, do it honestly.
# - The rule that picks the recipe uses nothing that a real screen does not have, and the bootstrap says how firm the pick is.
# - The recipe that wins on the whole need not win everywhere: read the columns in which it loses.
# - What a recipe cannot mend are plates whose controls do not separate, and wells that failed.
