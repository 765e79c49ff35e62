"""Figures: plot functions that draw on the axes they are given.

Every ``plot_*`` takes tables of the contract (wells, `assay_quality.csv`, `arms.csv`, ...), draws on `ax` or on
axes of its own, and returns them (figures of several panels return the figure). None calls ``show``. Where a
screen lacks what a figure needs, a sentence that says so is drawn instead.
"""

from helpers.figures.calibration import plot_p_values, plot_promises
from helpers.figures.classes import plot_classes
from helpers.figures.compounds import plot_structures
from helpers.figures.crosschecks import plot_experiments, plot_sensitivity
from helpers.figures.curves import plot_curve, plot_curves
from helpers.figures.design import plot_counts, plot_dose_sets, plot_replicates
from helpers.figures.ec50 import ec50_text
from helpers.figures.embedding import plot_embedding, plot_embeddings, plot_projections
from helpers.figures.example import plot_stains
from helpers.figures.failures import plot_failures, plot_landing
from helpers.figures.fits import plot_fits
from helpers.figures.gate import plot_gate
from helpers.figures.images import plot_site, plot_sites, show_site, stretch_limits
from helpers.figures.maps import plot_maps
from helpers.figures.plane import plot_on_off
from helpers.figures.plates import plate_grid, plot_plate, plot_plates
from helpers.figures.positions import plot_position_profiles
from helpers.figures.potency import plot_potency
from helpers.figures.published import plot_agreement, plot_published, plot_two_cells
from helpers.figures.quality import (
    plot_before_after,
    plot_control_separation,
)
from helpers.figures.ranking import plot_rank, plot_ranks, plot_top
from helpers.figures.recipe_table import plot_recipe_table
from helpers.figures.recipes import BIOLOGY, GUARD, TECHNICAL, plot_recipe_choice, plot_shared
from helpers.figures.relevance import plot_coverage, plot_relevance, plot_two_experiments
from helpers.figures.sparklines import curve_sparklines
from helpers.figures.stability import plot_stability
from helpers.figures.steps import StepPicture, plot_step
from helpers.figures.strip import plot_strip
from helpers.figures.style import CALL_STYLE, CONDITION_STYLE, plot_missing, use_style
from helpers.figures.truth import plot_truth
from helpers.figures.variance import plot_variance
from helpers.figures.volcano import plot_volcano
from helpers.figures.worlds import plot_worlds

__all__ = [
    "BIOLOGY",
    "CALL_STYLE",
    "CONDITION_STYLE",
    "GUARD",
    "TECHNICAL",
    "StepPicture",
    "curve_sparklines",
    "ec50_text",
    "plate_grid",
    "plot_agreement",
    "plot_before_after",
    "plot_classes",
    "plot_control_separation",
    "plot_counts",
    "plot_coverage",
    "plot_curve",
    "plot_curves",
    "plot_dose_sets",
    "plot_embedding",
    "plot_embeddings",
    "plot_experiments",
    "plot_failures",
    "plot_fits",
    "plot_gate",
    "plot_landing",
    "plot_maps",
    "plot_missing",
    "plot_on_off",
    "plot_p_values",
    "plot_plate",
    "plot_plates",
    "plot_position_profiles",
    "plot_potency",
    "plot_projections",
    "plot_promises",
    "plot_published",
    "plot_rank",
    "plot_ranks",
    "plot_recipe_choice",
    "plot_recipe_table",
    "plot_relevance",
    "plot_replicates",
    "plot_sensitivity",
    "plot_shared",
    "plot_site",
    "plot_sites",
    "plot_stability",
    "plot_stains",
    "plot_step",
    "plot_strip",
    "plot_structures",
    "plot_top",
    "plot_truth",
    "plot_two_cells",
    "plot_two_experiments",
    "plot_variance",
    "plot_volcano",
    "plot_worlds",
    "show_site",
    "stretch_limits",
    "use_style",
]
