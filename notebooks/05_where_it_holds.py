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
# # Where it holds
#
# The pages before promise much: few false calls, intervals that hold, failed wells found and good ones spared, an EC50 where there is one. Simulated screens can show whether these promises are kept, and a
# simulated screen is only as good as its assumptions. So this chapter changes the assumptions, one world at a time, and counts again.
#
# In this notebook we
#
# 1. list the {term}`worlds <world>`, and why a real screen may look like each;
# 2. run the whole way from wells to calls in every world, with and without active compounds;
# 3. compare what was found with the truth, promise by promise;
# 4. say for every world what breaks first.
#
# | Before you start | How much it helps | Where to read |
# |---|---|---|
# | hit calling | necessary | {doc}`03_hit_calling` |
# | false discovery rates and coverage | necessary | {doc}`03_hit_calling`, *Do the promises hold?* |
# | classes of curves | helpful | {doc}`04_dose_response` |
#
# **Time to read:** 10 minutes.

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters", "code_prompt_hide": "Parameters"}
# worlds to visit: all, or a comma list such as calm,rough
worlds: str = "all"
# simulated screens of each world that this page runs [1 <= x <= 50]
world_seeds: int = 1
# by which calls are made; auto: what the rule picks on each screen [auto | raw
# | experiment_center | plate_center | percent_of_control
# | log_percent_of_control | plate_standard | plate_robust | position | pca
# | sphering | tvn | harmony | recommended]
recipe: str = "auto"
# recipes among which the rule picks: all, or a comma list
recipes: str = "plate_center,percent_of_control,recommended"
# where random numbers start [0 <= x <= 4294967295]
seed: int = 0
# folder for tables and figures; empty: one that lasts as long as the kernel
results: str = ""

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports", "code_prompt_hide": "Imports"}
from helpers import figures
from helpers.hits.promises import stored_promises
from helpers.pages.show import show_table
from helpers.pages.worlds import PANELS, judged, world_table
from helpers.screens.twin.worlds import describe_worlds
from helpers.study import (
    judge_worlds,
    read_recipes,
    read_worlds,
    save_figure,
    write_table,
)

figures.use_style()

# %% tags=["remove-cell"]
from helpers.pages import worlds as words
from helpers.pages.show import say
from helpers.study import show_banner

# %% tags=["remove-input"]
show_banner({"kind": "twin"})

# %% [markdown]
# ## The worlds
#
# A world is a named set of assumptions of the simulation. `calm` is the kindest: what fails there fails anywhere. Each of the others makes one kind of trouble that real screens are
# known for.

# %%
columns = ["world", "summary", "reason"]
show_table(describe_worlds(), rows=10, columns=columns)

# %% [markdown]
# Any of them can be made and looked at: `rxrx19 data make twin DIR --world rough` writes one to a folder, and `rxrx19 run -p world=rough` runs every analysis on it. The assumptions are single
# numbers ({doc}`/twin` lists them), so worlds can be mixed with `--set`.
#
# ## What is counted
#
# In each world the whole way from sites to calls is run twice: on a screen with active compounds, and on one where no compound does anything. The calls are then compared with the truth.
#
# - **False calls.** A call of `rescue` is false if the compound nowhere rescues by more than `min_rescue`, one of `worsens` if it nowhere worsens by more. Among the calls at a rate of 5 %, at most
#   5 % should be false on average.
# - **Silence.** Where nothing does anything, hardly any compound should be called anything.
# - **Power.** Compounds that rescue by half or more should be found.
# - **Coverage.** 95 % intervals of the rescue of an arm should hold the truth in 95 % of the cases.
# - **Failed wells.** They should be found, or do no harm: a failed well that was missed is harmless if no call would differ without it.
# - **Good wells.** They should stay.
# - **The recipe.** The recipe that the evidence picks should be about as good as the one that the truth would pick. *Regret* is by how much its error exceeds that one's; on nine screens of ten it should be at most a tenth.
# - **EC50s.** Compounds that rescue by half or more at a tested dose, with an EC50 among the doses, should get a number; intervals, with one limit or two, should hold the true one, also those of compounds that
#   harm cells at higher doses; and what only harms should be called so.

# %%
here = judge_worlds(
    world_seeds,
    worlds=read_worlds(worlds),
    recipe=recipe,
    recipes=read_recipes(recipes),
    seed=seed,
)
write_table(here, "where_it_holds.csv", results)
show_table(world_table(here), rows=30)

# %% [markdown]
# That is this page's own count, on few and small screens. The numbers to rely on come from a larger study, with more screens of every world and all recipes, which `make worlds` repeats.
# Its result:

# %%
large = stored_promises()
show_table(world_table(large), rows=30)

# %% tags=["remove-input"]
say(words.overview(here, large))

# %% mystnb={"image": {"alt": "Panels, one per promise, with a row per world: a point with an error bar for what was counted in the large study, and a dashed line for what was promised; filled circles where it is kept, hollow crosses where it is not.", "classes": "panels"}, "figure": {"caption": "What was counted in the large study, world by world, with two simulation errors. Dashed: what was promised. Filled circles keep it, hollow crosses do not. Where no line is drawn nothing was promised.", "name": "fig-worlds"}}
fig = figures.plot_worlds(judged(large, all_panels=True), PANELS)
save_figure(fig, "where_it_holds", results)

# %% [markdown]
# In {numref}`fig-worlds` look first for hollow crosses, then for points near their line. False shares of zero are the price of the hypothesis: a compound has to rescue by *more than* `min_rescue`, and most
# inert ones stay far below it.
#
# ## What breaks first

# %% tags=["remove-input"]
say(words.breaks_first(large))

# %% [markdown]
# ## Recap
#
# - What holds in one simulated world need not hold in another; so promises are counted in all.
# - Failed wells that look like nothing else are found by their replicates; an arm of two wells is judged by the one that shows less.
# - What is weak is missed, and more so where noise has heavy tails.
# - EC50s of compounds that also harm are counted apart: part of what is seen along the axis may then be harm, and where harm only takes cells away nothing off the axis tells it.

# %% tags=["remove-input"]
say(words.unlike(large))
