"""Hits: disease axis, control separation, recipes compared, null, arms, calls, and what stands behind a call."""

from helpers.hits.activity import activity_map, compound_activity
from helpers.hits.axis import AXES, Axis, fit_axis, project, score_wells
from helpers.hits.between import experiment_agreement, shared_arms
from helpers.hits.calibration import Calibration, calibration_study
from helpers.hits.calls import call_hits
from helpers.hits.choice import RULE, explain_choice, select_recipe
from helpers.hits.compare import compare_recipes, pick_recipe
from helpers.hits.energy import energy_test
from helpers.hits.quality import assay_quality, auroc, pooled_quality, robust_z_prime, ssmd, z_prime
from helpers.hits.rule import CALLS, Rule, recall
from helpers.hits.scan import STATISTICS
from helpers.hits.sensitivity import ranking_sensitivity

__all__ = [
    "AXES",
    "CALLS",
    "RULE",
    "STATISTICS",
    "Axis",
    "Calibration",
    "Rule",
    "activity_map",
    "assay_quality",
    "auroc",
    "calibration_study",
    "call_hits",
    "compare_recipes",
    "compound_activity",
    "energy_test",
    "experiment_agreement",
    "explain_choice",
    "fit_axis",
    "pick_recipe",
    "pooled_quality",
    "project",
    "ranking_sensitivity",
    "recall",
    "robust_z_prime",
    "score_wells",
    "select_recipe",
    "shared_arms",
    "ssmd",
    "z_prime",
]
