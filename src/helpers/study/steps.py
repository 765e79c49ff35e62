"""The steps of a study: the functions of the floors below, each with a memory, and content with what a screen lacks.

Every name here is called as the plain function of the same name is, and returns the same. Two things come on top: a
result that was computed before, by whatever notebook, is read from disk (:mod:`helpers.study.memory`); and where a
screen lacks what a step needs, an empty table (or wells without scores) takes the place of an error, so that a page can
say what is missing and go on.
"""

from collections.abc import Mapping
from typing import Any

from helpers import dose, hits, profiles, screens
from helpers.dose import coverage, promises
from helpers.hits.compare import FALLBACK
from helpers.profiles import variance
from helpers.screens.provenance import describe_source
from helpers.study import agreement, projections
from helpers.study.absent import (
    empty,
    empty_table,
    lacks_axis,
    lacks_calls,
    lacks_curves,
    lacks_embeddings,
    unscored,
)
from helpers.study.memory import remember


def _files(given: Mapping[str, Any]) -> dict:
    """Return what stands for a screen in a key: its folder, and the hashes of its files."""
    known = describe_source(str(given["source"]), world=given["world"])
    return {name: known[name] for name in ("kind", "name", "path", "sha256")}


open_screen = remember(screens.open_screen, marks={"source": _files})
to_wells = remember(profiles.to_wells)
normalize = remember(
    profiles.normalize, unless=lacks_embeddings, instead=lambda wells, *_, **__: wells.copy()
)
score_wells = remember(hits.score_wells, unless=lacks_axis, instead=unscored)
assay_quality = remember(hits.assay_quality, unless=lacks_axis, instead=empty("quality"))
call_hits = remember(
    hits.call_hits, unless=lacks_calls, instead=lambda *_, **__: (empty_table("arms"), empty_table("hits"))
)
fit_screen = remember(dose.fit_screen, unless=lacks_curves, instead=empty("curves"))

pick_recipe = remember(hits.pick_recipe, unless=lacks_axis, instead=lambda *_, **__: FALLBACK)
compare_recipes = remember(hits.compare_recipes, unless=lacks_axis, instead=empty("recipes"))
activity_map = remember(hits.activity_map, unless=lacks_calls, instead=empty("activity"))
energy_test = remember(hits.energy_test, unless=lacks_calls, instead=empty("energy"))
ranking_sensitivity = remember(hits.ranking_sensitivity, unless=lacks_calls, instead=empty("sensitivity"))
experiment_agreement = remember(hits.experiment_agreement)
decompose_stages = remember(
    variance.decompose_stages,
    unless=lambda stages, **_: all(lacks_embeddings(wells) for wells in stages.values()),
    instead=empty("variance"),
)
agreement_on_some = remember(agreement.agreement_on_some)
sites_named_on_some = remember(agreement.sites_named_on_some)
project_wells = remember(projections.project_wells)

calibration_study = remember(hits.calibration_study)
judge_worlds = remember(promises.judge_worlds)
coverage_by_noise = remember(coverage.coverage_by_noise)
