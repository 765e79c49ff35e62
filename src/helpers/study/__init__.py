"""Study: the analysis of a screen step by step, each step with a memory that all notebooks share.

The steps are those of the floors below, under the same names: see :mod:`helpers.study.steps`. Beside them stand what a
page needs of a screen besides its wells, and what it writes.
"""

from helpers.hits import shared_arms
from helpers.study.absent import has_part, lacking_sentences
from helpers.study.ahead import ahead
from helpers.study.banner import show_banner
from helpers.study.examples import example_plates, example_points
from helpers.study.known import known_failures, known_truth
from helpers.study.outputs import save_figure, wells_table, write_table
from helpers.study.projections import Projection
from helpers.study.recipes import choose_recipe
from helpers.study.settings import read_bounds, read_recipes, read_settings, read_worlds
from helpers.study.stages import scored_stages
from helpers.study.steps import (
    activity_map,
    agreement_on_some,
    assay_quality,
    calibration_study,
    call_hits,
    compare_recipes,
    coverage_by_noise,
    decompose_stages,
    energy_test,
    experiment_agreement,
    fit_screen,
    judge_worlds,
    normalize,
    open_screen,
    pick_recipe,
    project_wells,
    ranking_sensitivity,
    score_wells,
    sites_named_on_some,
    to_wells,
)

__all__ = [
    "Projection",
    "activity_map",
    "agreement_on_some",
    "ahead",
    "assay_quality",
    "calibration_study",
    "call_hits",
    "choose_recipe",
    "compare_recipes",
    "coverage_by_noise",
    "decompose_stages",
    "energy_test",
    "example_plates",
    "example_points",
    "experiment_agreement",
    "fit_screen",
    "has_part",
    "judge_worlds",
    "known_failures",
    "known_truth",
    "lacking_sentences",
    "normalize",
    "open_screen",
    "pick_recipe",
    "project_wells",
    "ranking_sensitivity",
    "read_bounds",
    "read_recipes",
    "read_settings",
    "read_worlds",
    "save_figure",
    "score_wells",
    "scored_stages",
    "shared_arms",
    "show_banner",
    "sites_named_on_some",
    "to_wells",
    "wells_table",
    "write_table",
]
