"""Hits: disease axis, control separation, recipes compared, null, arms and calls."""

from helpers.hits.axis import Axis, fit_axis, project, score_wells
from helpers.hits.calls import CALLS, call_hits
from helpers.hits.choice import RULE, explain_choice, select_recipe
from helpers.hits.compare import compare_recipes
from helpers.hits.quality import assay_quality, auroc, pooled_quality, robust_z_prime, ssmd, z_prime

__all__ = [
    "CALLS",
    "RULE",
    "Axis",
    "assay_quality",
    "auroc",
    "call_hits",
    "compare_recipes",
    "explain_choice",
    "fit_axis",
    "pooled_quality",
    "project",
    "robust_z_prime",
    "score_wells",
    "select_recipe",
    "ssmd",
    "z_prime",
]
