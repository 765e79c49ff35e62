"""Options of the fit: what :func:`helpers.dose.fit_curves` and :func:`helpers.dose.fit_screen` share."""

from dataclasses import dataclass

import numpy as np

from helpers.errors import UsageError

MIN_DOSES = 4
HILL_BOUNDS = (0.2, 20.0)
EC50_MARGIN = 10.0


@dataclass(frozen=True)
class CurveOptions:
    """How curves are fitted, tested and reported.

    Attributes
    ----------
    alpha : float
        A curve is inactive, and gets no EC50, unless its q-value over the table is at most this.
    level : float
        Coverage of the intervals, in (0, 1).
    min_effect : float
        Effect below which the relevance score is deflated, in units of the response.
    min_doses : int
        Distinct doses a curve needs to be fitted, at least 4 (3 where the front is given).
    hill_bounds : tuple of float
        Smallest and largest Hill slope that is searched.
    ec50_margin : float
        Factor by which EC50 is searched beyond the lowest and highest dose, at least 1.
    plateaus : tuple of float
        Smallest and largest value that front and back may take, where the response has natural limits: an EC50
        that is half-way to a plateau nobody has seen is otherwise not bounded from above.
    front_limits, back_limits : tuple of float, optional
        As `plateaus`, of one of them alone.
    loss : str
        `squares`, or `robust`: Tukey's biweight, so that a failed well does not bend the curve. With eight responses a
        curve and Gaussian noise 95 % intervals of robust fits held the EC50 in 91 %, with twelve in 94 %.
    bell : bool
        Look for curves that turn back at the highest doses, and fit those without these doses.
    interval : str
        `profile` (profile likelihood) or `bootstrap` (whole plates resampled; residuals without plates).
    bootstrap_draws : int
        How many resamples, at least 50.
    permutations : int
        If above 0, a second p-value from that many shuffles of the doses within plates, `p_permutation`. It is that of
        least squares with either loss.
    effective_doses : tuple of float
        Percentages, such as (10, 90), to report as columns `ed10`, `ed10_low`, `ed10_high`, ...
    standard_errors : bool
        Add Wald standard errors (`ec50_se`, `hill_se`, ...), as other software prints them. They are symmetric and
        know of no bound; the intervals are to be preferred.
    """

    alpha: float = 0.05
    level: float = 0.95
    min_effect: float = 0.0
    min_doses: int = MIN_DOSES
    hill_bounds: tuple[float, float] = HILL_BOUNDS
    ec50_margin: float = EC50_MARGIN
    plateaus: tuple[float, float] = (-np.inf, np.inf)
    front_limits: tuple[float, float] | None = None
    back_limits: tuple[float, float] | None = None
    loss: str = "squares"
    bell: bool = True
    interval: str = "profile"
    bootstrap_draws: int = 200
    permutations: int = 0
    effective_doses: tuple[float, ...] = ()
    standard_errors: bool = False

    def __post_init__(self) -> None:
        for name in ("alpha", "level"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)} is outside (0, 1)")
        if not 0 < self.hill_bounds[0] < self.hill_bounds[1]:
            raise UsageError(f"hill_bounds={self.hill_bounds} must be two numbers, 0 < smallest < largest")
        for name in ("plateaus", "front_limits", "back_limits"):
            limits = getattr(self, name)
            if limits is not None and not limits[0] < limits[1]:
                raise UsageError(f"{name}={limits} must be two numbers, smallest < largest")
        if self.ec50_margin < 1:
            raise UsageError(
                f"ec50_margin={self.ec50_margin} must be at least 1: a factor beyond the tested doses"
            )
        allowed = {"interval": ("profile", "bootstrap"), "loss": ("squares", "robust")}
        for name, choices in allowed.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"{name}={getattr(self, name)!r} is unknown; choose {' or '.join(choices)}")
        if self.interval == "bootstrap" and self.bootstrap_draws < 50:
            raise UsageError(
                f"bootstrap_draws={self.bootstrap_draws} is too few for an interval; take at least 50"
            )
        if self.permutations < 0:
            raise UsageError(f"permutations={self.permutations} must be 0 or more")
        if not all(0 < percent < 100 for percent in self.effective_doses):
            raise UsageError(f"effective_doses={self.effective_doses} must be percentages between 0 and 100")

    @property
    def limits(self) -> np.ndarray:
        """Smallest and largest front, and the same of back, shape (2, 2)."""
        return np.array([self.front_limits or self.plateaus, self.back_limits or self.plateaus], dtype=float)

    def column_names(self, *, clustered: bool) -> list[str]:
        """Return the columns that the options add to the result."""
        doses = [f"ed{percent:g}" for percent in self.effective_doses]
        out = ["p_permutation"] if self.permutations else []
        out += ["ec50_naive_low", "ec50_naive_high"] if clustered else []
        out += [name + end for name in doses for end in ("", "_low", "_high")]
        if self.standard_errors:
            out += [f"{name}_se" for name in ("ec50", "hill", "front", "back", *doses)]
        return out


@dataclass(frozen=True)
class Fitting(CurveOptions):
    """The options of a call, and what follows from its other arguments.

    Attributes
    ----------
    clustered : bool
        Plates play a part.
    known_front, known_back : bool
        Whether a plateau is given.
    seed : int
        Of everything drawn.
    """

    clustered: bool = False
    known_front: bool = False
    known_back: bool = False
    seed: int = 0

    @property
    def n_parameters(self) -> int:
        """Parameters that are fitted: 4, less one for each plateau that is given."""
        return 4 - self.known_front - self.known_back
