"""What is known of curves from other wells than their own: controls, above all."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

LEVEL_SHARE = 0.2
"""Of the error of a test, what the level of a curve gets where other wells tell it; its slope gets the rest."""


@dataclass(frozen=True)
class Known:
    """What other wells tell of the curves of a table.

    A curve on a few plates cannot tell how far these lie off: its own shift and the level of its responses are the same
    thing. Wells whose effect is known can.

    Attributes
    ----------
    level_p : Series, optional
        Curve -> p-value of *its responses lie where they would without any effect*.
    shift_sd : float, optional
        Standard deviation of what all responses of a plate share, in units of the response.
    gain_sd : float, optional
        Standard deviation of a plate's gain, relative to the effect.
    """

    level_p: pd.Series | None = None
    shift_sd: float | None = None
    gain_sd: float | None = None

    def levels(self, names: list) -> np.ndarray:
        """Return `level_p` of curves in this order, 1 where nothing is known."""
        if self.level_p is None:
            return np.ones(len(names))
        return self.level_p.reindex(names).fillna(1.0).to_numpy(float)


NOTHING = Known()
