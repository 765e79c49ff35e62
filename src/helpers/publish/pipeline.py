"""One screen with one set of parameters, and every step of its analysis, computed when first asked for."""

import functools
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anndata as ad
import pandas as pd

from helpers.dose import fit_screen
from helpers.dose.coverage import ec50_coverage, simulate_curves
from helpers.errors import UsageError
from helpers.hits import (
    Calibration,
    activity_map,
    assay_quality,
    calibration_study,
    call_hits,
    compare_recipes,
    energy_test,
    experiment_agreement,
    ranking_sensitivity,
    score_wells,
    shared_arms,
)
from helpers.profiles import RECIPES, normalize, to_wells
from helpers.profiles.variance import decompose_variance
from helpers.publish import ahead
from helpers.publish.absent import empty_table, has_part, lacking_sentences, unscored
from helpers.publish.agreement import agreement_on_some, sites_named_on_some
from helpers.publish.banner import banner_markdown
from helpers.publish.cache import cached_tables, cached_wells, entry_key, is_cached
from helpers.publish.outputs import save_figure, write_table
from helpers.publish.projections import Projection, join_projection, project_wells
from helpers.publish.provenance import describe_source
from helpers.publish.settings import read_settings
from helpers.screens import open_screen, read_classes, read_truth, resolve_source

PLATE_NOISE = {
    "wells only": {},
    "plates that\nshift and stretch": {"shift_sd": 0.1, "gain_sd": 0.15},
    "plates of\nother EC50": {"potency_sd": 0.4},
}
"""Noise under which intervals of EC50 are tried out: of single wells, and of plates too."""

WELL_COLUMNS = (
    "experiment", "plate", "well", "row", "col", "condition", "treatment", "dose_um", "n_sites", "qc_flag",
    "on_disease", "off_disease", "rescue",
)  # fmt: skip


COMPARED = "raw,experiment_center,plate_center,plate_robust,recommended"
SENSITIVITY = ("plate_center", "plate_robust", "recommended")
"""Recipes under which the compounds are ranked once more."""


class Analysis:
    """The steps from a screen's files to its tables, shared by all notebooks.

    Steps are properties, computed on first use. Wells, scores and tables come from a cache keyed by the hash of
    the data, the parameters and the source of `helpers` (:mod:`helpers.publish.cache`), so each notebook runs alone
    and a stale result is never shown.

    Parameters
    ----------
    source
        `twin`, `rxrx19a` or a folder.
    experiments
        `all` or a comma list.
    recipe
        A name in :data:`helpers.profiles.RECIPES`.
    recipes
        The recipes to compare: a comma list, or `all`.
    axis
        As in :func:`helpers.hits.score_wells`.
    fdr, min_rescue, statistic, null_draws, off_limit, top_k
        As in :func:`helpers.hits.call_hits`.
    seed
        Of everything random.
    exclude_plates
        Plates to leave out of everything, as a comma list of `experiment_plate` names such as HRCE-1_25; empty = none.
    min_z_prime
        Robust Z' from which on a plate passes.
    results
        Folder for tables and figures; empty = one that lasts as long as this object.
    fitting
        Of the curves, as in :func:`helpers.dose.fit_screen`; what is not named keeps its default.
    **settings
        Of the recipes: reference, batch, position_model, n_components, regulariser, as in
        :func:`helpers.publish.settings.read_settings`.
    """

    def __init__(
        self,
        source: str = "twin",
        *,
        experiments: str = "all",
        recipe: str = "plate_center",
        recipes: str = COMPARED,
        fdr: float = 0.05,
        min_rescue: float = 0.1,
        axis: str = "mean_difference",
        statistic: str = "max",
        null_draws: int = 40_000,
        off_limit: float = 0.999,
        top_k: int = 20,
        seed: int = 0,
        exclude_plates: str = "",
        min_z_prime: float = 0.0,
        results: str = "",
        fitting: Mapping[str, object] | None = None,
        **settings: str | float,
    ):
        self.settings = read_settings(**settings)
        self.source, self.experiments, self.recipe = source, experiments, recipe
        self.compared = _recipe_names(recipes)
        self.fdr, self.min_rescue, self.seed = fdr, min_rescue, seed
        self.axis, self.fitting = axis, dict(fitting or {})
        self.calling = {
            "statistic": statistic,
            "null_draws": null_draws,
            "off_limit": off_limit,
            "top_k": top_k,
        }
        self.exclude_plates, self.min_z_prime = exclude_plates, min_z_prime
        self.results = Path(results) if results else self._scratch()
        self._given = {
            "source": source,
            "experiments": experiments,
            "exclude_plates": exclude_plates,
            "recipe": recipe,
            "seed": seed,
            **settings,
        }

    def _scratch(self) -> Path:
        """Make a folder for results that lives as long as this object."""
        folder = tempfile.mkdtemp(prefix="rxrx19-results-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    # --- the steps -------------------------------------------------------------------------------------------

    @functools.cached_property
    def sites(self) -> ad.AnnData:
        """Sites as read from the screen's files."""
        return open_screen(self.source, experiments=self.experiments)

    @functools.cached_property
    def wells(self) -> ad.AnnData:
        """Wells with `qc_flag`, not normalised."""
        return cached_wells(self._key("wells"), self._aggregate)

    def _aggregate(self) -> ad.AnnData:
        """Read the sites, take from them what only sites can tell, and let go of them: they are the largest part."""
        sites = self._without_plates(open_screen(self.source, experiments=self.experiments))
        self._agreement_of(sites)
        return to_wells(sites)

    def _agreement_of(self, sites: ad.AnnData | None = None) -> dict[str, pd.DataFrame]:
        def compute() -> dict[str, pd.DataFrame]:
            some = self._without_plates(self.sites) if sites is None else sites
            return {"agreement": agreement_on_some(some, seed=self.seed), "named": sites_named_on_some(some)}

        return cached_tables(self._key("wells", part="agreement", seed=self.seed), compute)

    def _without_plates(self, sites: ad.AnnData) -> ad.AnnData:
        """Leave out the plates that the user named."""
        unwanted = [name.strip() for name in self.exclude_plates.split(",") if name.strip()]
        plates = sites.obs["plate_id"].astype(str)
        unknown = sorted(set(unwanted) - set(plates))
        if unknown:
            valid = ", ".join(plates.unique()[:60])
            raise UsageError(f"parameter 'exclude_plates': no plate {', '.join(unknown)}; valid: {valid}")
        keep = ~plates.isin(unwanted).to_numpy()
        if not keep.any():
            raise UsageError("parameter 'exclude_plates' leaves out every plate; name fewer")
        return sites if keep.all() else sites[keep].copy()

    @functools.cached_property
    def normalized(self) -> ad.AnnData:
        """Wells after the recipe, as they are where there is nothing to normalise."""
        if not self.has("embeddings"):
            return self.wells
        return self.normalize(self.recipe)

    def normalize(self, recipe: str) -> ad.AnnData:
        """Return the wells after any recipe, with the settings that were given."""
        return normalize(self.wells, recipe, seed=self.seed, **self.settings)

    @functools.cached_property
    def scored(self) -> ad.AnnData:
        """Normalised wells with on_disease, off_disease and rescue, all missing where there is no axis."""
        if not self.has("axis"):
            return unscored(self.wells)
        return self._wells("scored", lambda: score_wells(self.normalized, axis=self.axis))

    @functools.cached_property
    def quality(self) -> pd.DataFrame:
        """Control separation per plate (assay_quality.csv)."""
        return (
            assay_quality(self.scored, min_z_prime=self.min_z_prime)
            if self.has("axis")
            else empty_table("quality")
        )

    @functools.cached_property
    def recipes(self) -> pd.DataFrame:
        """Recipes compared (normalization.csv)."""
        if not self.has("axis"):
            return empty_table("recipes")

        def compute() -> dict[str, pd.DataFrame]:
            return {
                "recipes": compare_recipes(
                    self.wells, self.compared, seed=self.seed, truth=self.truth, **self.settings
                )
            }

        return cached_tables(self._key("recipes", recipes=self.compared), compute)["recipes"]

    @functools.cached_property
    def _calls(self) -> dict[str, pd.DataFrame]:
        if not (self.has("axis") and self.has("treatments")):
            return {name: empty_table(name) for name in ("arms", "hits")}

        def compute() -> dict[str, pd.DataFrame]:
            thresholds = {"fdr": self.fdr, "min_rescue": self.min_rescue}
            arms, hits = call_hits(self.scored, **thresholds, **self.calling, seed=self.seed)
            return {"arms": arms, "hits": hits}

        return self._tables("calls", compute)

    @property
    def arms(self) -> pd.DataFrame:
        """Rescue of every arm (arms.csv)."""
        return self._calls["arms"]

    @property
    def hits(self) -> pd.DataFrame:
        """Calls of every compound (hits.csv)."""
        return self._calls["hits"]

    @functools.cached_property
    def activity(self) -> dict[str, pd.DataFrame]:
        """Whether compounds change cells at all, without an axis: activity (by retrieval), energy (distance)."""
        if not (self.has("axis") and self.has("treatments")):
            return {name: empty_table(name) for name in ("activity", "energy")}

        def compute() -> dict[str, pd.DataFrame]:
            wells = self.normalized
            return {
                "activity": activity_map(wells, seed=self.seed),
                "energy": energy_test(wells, seed=self.seed),
            }

        return self._tables("activity", compute)

    @functools.cached_property
    def checks(self) -> dict[str, pd.DataFrame]:
        """What speaks for or against the ranking: sensitivity (to recipe and axis), shared (arms), agreement."""
        if not (self.has("axis") and self.has("treatments")):
            return {name: empty_table(name) for name in ("sensitivity", "shared", "agreement")}

        def compute() -> dict[str, pd.DataFrame]:
            cells = self.wells.obs.groupby("experiment", observed=True)["cell_type"].first().astype(str)
            return {
                "sensitivity": ranking_sensitivity(
                    self.wells,
                    dict.fromkeys([self.recipe, *SENSITIVITY]),
                    reference=self.hits,
                    reference_is=(self.recipe, self.axis),
                    recipe_settings=self.settings,
                    top_k=self.calling["top_k"],
                    fdr=self.fdr,
                    min_rescue=self.min_rescue,
                    seed=self.seed,
                ),
                "shared": shared_arms(self.arms),
                "agreement": experiment_agreement(self.arms, cells.to_dict(), seed=self.seed),
            }

        return self._tables("checks", compute)

    def calibrate(self, n_twins: int) -> Calibration:
        """Return what the calls of this recipe and these settings are worth on simulated screens of known truth."""

        def compute() -> dict[str, pd.DataFrame]:
            thresholds = {"min_rescue": self.min_rescue, **self.calling}
            recipe = {"recipe": self.recipe, "axis": self.axis}
            return vars(calibration_study(n_twins, seed=self.seed, **recipe, **thresholds))

        calling = {"axis": self.axis, "min_rescue": self.min_rescue, **self.calling}
        more = {"recipe": self.recipe, "seed": self.seed, "n_twins": n_twins, **calling}
        return Calibration(**cached_tables(entry_key("calibration", "", more), compute))

    @functools.cached_property
    def curves(self) -> pd.DataFrame:
        """Fitted curves (dose_response.csv)."""
        if not (self.has("axis") and self.has("doses")):
            return empty_table("curves")

        def compute() -> dict[str, pd.DataFrame]:
            thresholds = {"fdr": self.fdr, "min_rescue": self.min_rescue}
            curves = fit_screen(self.scored, arms=self.arms, **thresholds, **self.fitting, seed=self.seed)
            return {"curves": curves}

        return self._tables("curves", compute)["curves"]

    def interval_coverage(self, n_curves: int = 600) -> pd.DataFrame:
        """Return in what share of simulated curves the intervals of EC50 hold the truth.

        Returns
        -------
        DataFrame
            noise (in words), interval, coverage, n_curves, fold; see :func:`helpers.dose.coverage.ec50_coverage`.
        """

        def compute() -> dict[str, pd.DataFrame]:
            options = {"interval": self.fitting.get("interval", "profile"), "seed": self.seed}
            parts = [
                ec50_coverage(*simulate_curves(n_curves, **noise, seed=self.seed), **options).assign(
                    noise=name
                )
                for name, noise in PLATE_NOISE.items()
            ]
            return {"coverage": pd.concat(parts, ignore_index=True)}

        more = {"fitting": self.fitting, "seed": self.seed, "n_curves": n_curves}
        return cached_tables(entry_key("coverage", "", more), compute)["coverage"]

    def ahead(self, *calls: tuple[str, Mapping]) -> None:
        """Let a second process compute steps that take long and are shown later, where they are not known yet.

        Parameters
        ----------
        calls
            Pairs of a step, `projected` or `activity`, and its arguments.
        """
        keys = {"projected": self._projection_key, "activity": functools.partial(self._key, "activity")}
        wanted = [(name, given) for name, given in calls if not is_cached(keys[name](**given))]
        if wanted and self.wells.n_vars:
            self._ahead = ahead.start(self._given, wanted)

    # --- what the tour shows -------------------------------------------------------------------------------------

    @functools.cached_property
    def raw_scored(self) -> ad.AnnData:
        """Wells scored as they are, without normalisation: what position and plate do to a score."""
        return score_wells(self.wells) if self.has("axis") else unscored(self.wells)

    @functools.cached_property
    def agreement(self) -> pd.DataFrame:
        """How alike the sites of a well are, per experiment: experiment, n_plates, icc, sites_per_well."""
        return self._agreement_of()["agreement"]

    @functools.cached_property
    def sites_named(self) -> pd.DataFrame:
        """How well the number of a site is told from its embedding, per experiment: experiment, predictability."""
        return self._agreement_of()["named"]

    @functools.cached_property
    def variance(self) -> pd.DataFrame:
        """Shares of variance before and after the recipe: recipe, factor, share, degrees."""
        if not self.has("embeddings"):
            return pd.DataFrame(columns=["recipe", "factor", "share", "degrees"])

        def compute() -> dict[str, pd.DataFrame]:
            stages = {"raw": self.wells} | {self.recipe: self.normalized}
            with ThreadPoolExecutor(2) as pool:
                shares = pool.map(lambda wells: decompose_variance(wells, seed=self.seed), stages.values())
                parts = [table.assign(recipe=name) for name, table in zip(stages, shares, strict=True)]
            return {"variance": pd.concat(parts, ignore_index=True)}

        return self._tables("variance", compute)["variance"]

    @functools.cached_property
    def known_failures(self) -> pd.DataFrame | None:
        """Wells that a twin made fail (well_id, reason), None for a real screen."""
        path = resolve_source(self.source) / "failed_wells.csv"
        if self.screen["kind"] != "twin" or not path.exists():
            return None
        return pd.read_csv(path, keep_default_na=False)

    def projected(
        self, max_wells: int, center_by: str | None = None, *, normalized: bool = False
    ) -> Projection:
        """Return wells, raw or after the recipe, on components and on a map of neighbours (see `project_wells`)."""

        def compute() -> dict[str, pd.DataFrame]:
            wells = self.normalized if normalized else self.wells
            return project_wells(wells, max_wells=max_wells, center_by=center_by, seed=self.seed)

        key = self._projection_key(max_wells, center_by, normalized=normalized)
        return join_projection(cached_tables(key, compute), self.wells.obs)

    def _projection_key(
        self, max_wells: int, center_by: str | None = None, *, normalized: bool = False
    ) -> str:
        stage = {"normalized": True} if normalized else {}
        return self._key("projection", max_wells=max_wells, center_by=center_by, **stage)

    @property
    def wells_table(self) -> pd.DataFrame:
        """One row per well with scores where the screen has them (wells.parquet)."""
        obs = self.scored.obs
        table = obs.reindex(columns=[*WELL_COLUMNS, *[c for c in obs.columns if c not in WELL_COLUMNS]])
        return table.reset_index(names="well_id") if "well_id" not in table else table.reset_index(drop=True)

    @functools.cached_property
    def truth(self) -> pd.DataFrame | None:
        """Known truth of a twin, None for a real screen."""
        truth = read_truth(self.source)
        if truth is None:
            return None
        mine = truth["experiment"].isin(self.wells.obs["experiment"].astype(str).unique())
        return truth[mine].reset_index(drop=True)

    @functools.cached_property
    def classes(self) -> pd.DataFrame | None:
        """Mechanism class per treatment, None where the screen names none."""
        return read_classes(self.source)

    # --- what the screen is, and what it lacks -------------------------------------------------------------

    @property
    def screen(self) -> dict:
        """Name, kind, files with hashes, notes and counts of the screen."""
        obs = self.wells.obs
        counts = {
            "n_sites": int(obs["n_sites"].sum()),
            "n_wells": len(obs),
            "n_plates": obs["plate_id"].nunique(),
            "n_experiments": obs["experiment"].nunique(),
            "n_treatments": obs["treatment"].nunique(),
            "n_features": self.wells.n_vars,
        }
        twin = {key: self._source[key] for key in ("scale", "seed") if key in self._source}
        return {**self.wells.uns["screen"], **twin, **counts}

    def has(self, name: str) -> bool:
        """Return whether the screen has something: `truth`, or a name in :data:`helpers.publish.absent.PARTS`."""
        return self.truth is not None if name == "truth" else has_part(self.wells, name)

    @property
    def lacks(self) -> list[str]:
        """What the screen lacks, as sentences that say what cannot be known from it."""
        return lacking_sentences(self.wells)

    def banner(self):
        """Return the banner that names the source of the page, for display."""
        from IPython.display import Markdown

        return Markdown(banner_markdown(self.screen))

    # --- what leaves the analysis ----------------------------------------------------------------------------

    def write_table(self, table: pd.DataFrame, name: str) -> Path:
        """Write a table into `tables/`; see :func:`helpers.publish.outputs.write_table`."""
        return write_table(self.results, table, name)

    def save_figure(self, figure, name: str):
        """Write a figure into `figures/` and return it for display; see :func:`helpers.publish.outputs.save_figure`."""
        return save_figure(self.results, figure, name)

    # --- keys ------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _source(self) -> dict:
        return describe_source(self.source)

    def _key(self, step: str, **more: object) -> str:
        parameters = {"experiments": self.experiments, "exclude_plates": self.exclude_plates}
        if step != "wells":
            parameters |= {"recipe": self.recipe, "seed": self.seed, "settings": self.settings}
        if step in ("scored", "calls", "curves", "checks"):
            parameters |= {"axis": self.axis}
        if step in ("calls", "curves", "checks"):
            parameters |= {"fdr": self.fdr, "min_rescue": self.min_rescue}
        if step in ("calls", "checks", "curves"):
            parameters |= self.calling  # curves take the toxic doses from the arms
        if step == "curves":
            parameters |= {"fitting": self.fitting}
        return entry_key(step, self._source["sha256"], parameters | more)

    def _wells(self, step: str, compute: Callable[[], ad.AnnData]) -> ad.AnnData:
        return cached_wells(self._key(step), compute)

    def _tables(self, step: str, compute: Callable[[], dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
        return cached_tables(self._key(step), compute)


def _recipe_names(recipes: str) -> tuple[str, ...]:
    """Return the recipes that a comma list names, each once."""
    names = (
        list(RECIPES) if recipes.strip() == "all" else [n.strip() for n in recipes.split(",") if n.strip()]
    )
    unknown = [name for name in names if name not in RECIPES]
    if unknown or not names:
        raise UsageError(
            f"parameter 'recipes': no recipe {', '.join(unknown) or '(empty)'}; valid: all, {', '.join(RECIPES)}"
        )
    return tuple(dict.fromkeys(names))
