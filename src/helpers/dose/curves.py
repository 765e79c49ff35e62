"""The four-parameter log-logistic curve in closed form: response, inverse, gradient, mean effect.

response(dose) = front + (back - front) / (1 + (ec50 / dose) ** hill)

`front` is the response at dose zero, `back` at infinite dose, `ec50` the dose half-way between (in the unit of the
doses), `hill` > 0 the steepness. Written like this `hill` is the b, `back` the c, `front` the d and `ec50` the e of the
log-logistic model in the R package drc (Ritz 2015, doi:10.1371/journal.pone.0146021). The three-parameter form is the
same curve with `front` given; the flat line is `back` = `front`.
"""

import numpy as np
import numpy.typing as npt
from scipy import special


def saturation(dose: np.ndarray, log_ec50: np.ndarray, log_hill: np.ndarray) -> np.ndarray:
    """Return the share of the full effect reached at each dose, in [0, 1]; exactly 0 at dose 0.

    Parameters
    ----------
    dose : array
        Doses, >= 0.
    log_ec50, log_hill : array
        Natural logarithms; all three broadcast.
    """
    with np.errstate(divide="ignore"):
        log_dose = np.log(dose)  # -inf at dose 0, which expit turns into an exact 0
    return special.expit(np.exp(log_hill) * (log_dose - log_ec50))


def response_at(
    dose: npt.ArrayLike, front: npt.ArrayLike, back: npt.ArrayLike, ec50: npt.ArrayLike, hill: npt.ArrayLike
) -> np.ndarray:
    """Return the response at a dose; all arguments broadcast.

    Parameters
    ----------
    dose : array_like
        Doses >= 0, in the unit of `ec50`.
    front : array_like
        Response at dose 0.
    back : array_like
        Response at infinite dose.
    ec50 : array_like
        Dose half-way between, > 0.
    hill : array_like
        Steepness, > 0.

    Returns
    -------
    array
        In the unit of `front` and `back`.

    Examples
    --------
    >>> float(response_at(1.0, front=0.0, back=1.0, ec50=1.0, hill=2.0))
    0.5
    >>> float(response_at(0.0, front=0.2, back=1.0, ec50=1.0, hill=2.0))
    0.2
    """
    share = saturation(np.asarray(dose, dtype=float), np.log(ec50), np.log(hill))
    return np.asarray(front) + (np.asarray(back) - np.asarray(front)) * share


def dose_at(
    response: npt.ArrayLike,
    front: npt.ArrayLike,
    back: npt.ArrayLike,
    ec50: npt.ArrayLike,
    hill: npt.ArrayLike,
) -> np.ndarray:
    """Return the dose at which the curve takes a value, the inverse of :func:`helpers.dose.response_at`.

    It is 0 at `front`, infinite at `back`, and missing for a response that the curve never takes.

    Parameters
    ----------
    response : array_like
        Values asked for.
    front, back, ec50, hill : array_like
        As in :func:`helpers.dose.response_at`; all arguments broadcast.

    Returns
    -------
    array
        In the unit of `ec50`.

    Examples
    --------
    >>> float(dose_at(0.5, front=0.0, back=1.0, ec50=0.3, hill=2.0))
    0.3
    >>> float(dose_at(1.5, front=0.0, back=1.0, ec50=0.3, hill=2.0))
    nan
    """
    front, back = np.asarray(front, dtype=float), np.asarray(back, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (np.asarray(response, dtype=float) - front) / (back - front)
        return effective_dose(np.where((share >= 0) & (share <= 1), share, np.nan), ec50, hill)


def effective_dose(share: npt.ArrayLike, ec50: npt.ArrayLike, hill: npt.ArrayLike) -> np.ndarray:
    """Return the dose at which a share of the full effect is reached: ED10 is `share` 0.1, EC50 is 0.5.

    Parameters
    ----------
    share : array_like
        In [0, 1].
    ec50, hill : array_like
        As in :func:`helpers.dose.response_at`; all arguments broadcast.

    Returns
    -------
    array
        In the unit of `ec50`; 0 for share 0 and infinite for share 1.

    Examples
    --------
    >>> round(float(effective_dose(0.9, ec50=1.0, hill=2.0)), 3)
    3.0
    """
    with np.errstate(divide="ignore"):
        return np.asarray(ec50) * np.exp(special.logit(np.asarray(share, dtype=float)) / np.asarray(hill))


def saturation_gradient(
    dose: np.ndarray, log_ec50: np.ndarray, log_hill: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return saturation and its derivatives with respect to log_ec50 and log_hill."""
    hill = np.exp(log_hill)
    with np.errstate(divide="ignore"):
        distance = np.log(dose) - log_ec50
    share = special.expit(hill * distance)
    slope = share * (1 - share) * hill
    finite = np.where(np.isfinite(distance), distance, 0.0)  # slope is 0 where dose is 0
    return share, -slope, slope * finite


def mean_effect(
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    front: npt.ArrayLike,
    back: npt.ArrayLike,
    ec50: npt.ArrayLike,
    hill: npt.ArrayLike,
) -> np.ndarray:
    """Return the mean of response - front over the logarithm of dose from `low` to `high`: the activity area.

    The area between the curve and its front, divided by the width of the dose range on the log scale (the activity
    area of Barretina 2012, doi:10.1038/nature11003, for a fitted curve). In the unit of the response; it joins
    potency and effect in one number and, unlike EC50, exists for curves whose end was not seen.

    Parameters
    ----------
    low, high : array_like
        Ends of the dose range, 0 < low < high, in the unit of `ec50`.
    front, back, ec50, hill : array_like
        As in :func:`helpers.dose.response_at`; all arguments broadcast.

    Returns
    -------
    array
        In the unit of `front` and `back`, negative where the curve falls.

    Examples
    --------
    >>> round(float(mean_effect(0.01, 1.0, front=0.0, back=1.0, ec50=0.1, hill=5.0)), 3)
    0.5
    """
    below, above = (np.asarray(hill) * (np.log(end) - np.log(ec50)) for end in (low, high))
    area = (np.logaddexp(0, above) - np.logaddexp(0, below)) / np.asarray(hill)
    return (np.asarray(back) - np.asarray(front)) * area / (np.log(high) - np.log(low))
