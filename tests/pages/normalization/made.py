"""A comparison of three recipes, made up by hand."""

import numpy as np
import pandas as pd


def made_recipes(**columns) -> pd.DataFrame:
    """Return a `normalization.csv` in which the rule picks plate_center."""
    defaults = {
        "recipe": ["raw", "plate_center", "sphering"],
        "plate_predictability": [1.0, 0.2, 0.1],
        "experiment_predictability": [0.9, 0.5, 0.5],
        "uv_mock_gap": np.nan,
        "replicate_map": [0.1, 0.3, 0.4],
        "z_prime_robust": [0.0, 0.4, 0.6],
        "control_auroc": 1.0,
        "replicate_error": [0.2, 0.1, 0.05],
        "null_ratio": [1.0, 1.0, 0.5],
        "replicate_map_low": [0.05, np.nan, 0.3],
        "replicate_map_high": [0.15, np.nan, 0.5],
        "selected": [False, True, False],
        "selection_share": [0.0, 0.9, 0.1],
        "excluded": ["", "", "its null is narrower than what replicates show"],
        "reason": ["", "", ""],
    }
    return pd.DataFrame(defaults | columns)
