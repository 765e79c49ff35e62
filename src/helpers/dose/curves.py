"""The four-parameter log-logistic curve.

response(dose) = front + (back - front) / (1 + (ec50 / dose) ** hill)

`front` is the response at dose zero, `back` at infinite dose, `ec50` the dose half-way between (in the unit of the
doses), `hill` > 0 the steepness. Written like this `hill` is the b, `back` the c, `front` the d and `ec50` the e of the
log-logistic model in the R package drc (Ritz 2015, doi:10.1371/journal.pone.0146021).
"""

import numpy as np
from scipy import special


def saturation(dose: np.ndarray, log_ec50: np.ndarray, log_hill: np.ndarray) -> np.ndarray:
    """Return the share of the full effect reached at each dose, in [0, 1]; exactly 0 at dose 0.

    Parameters
    ----------
    dose
        Doses, >= 0.
    log_ec50, log_hill
        Natural logarithms; all three broadcast.
    """
    with np.errstate(divide="ignore"):
        log_dose = np.log(dose)  # -inf at dose 0, which expit turns into an exact 0
    return special.expit(np.exp(log_hill) * (log_dose - log_ec50))


def response_at(dose, front, back, ec50, hill):
    """Return the response at a dose; all arguments broadcast.

    Parameters
    ----------
    dose
        Doses >= 0, in the unit of `ec50`.
    front, back
        Response at dose 0 and at infinite dose.
    ec50, hill
        Both > 0.

    Examples
    --------
    >>> float(response_at(1.0, front=0.0, back=1.0, ec50=1.0, hill=2.0))
    0.5
    >>> float(response_at(0.0, front=0.2, back=1.0, ec50=1.0, hill=2.0))
    0.2
    """
    share = saturation(np.asarray(dose, dtype=float), np.log(ec50), np.log(hill))
    return np.asarray(front) + (np.asarray(back) - np.asarray(front)) * share


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
