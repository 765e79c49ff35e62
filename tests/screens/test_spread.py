"""When a feature has a spread: helpers.screens.spread, and what scaling does of it."""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.screens.mapped import scale_features
from helpers.screens.spread import live_scale, rounding


def test_rounding_is_no_spread():
    X = np.array([[300, 1], [300.00003, 2], [299.99997, 4]], np.float32)
    assert rounding(np.abs(X).max(axis=0))[0] > X[:, 0].std()
    np.testing.assert_allclose(live_scale(X.std(axis=0), X), [1, X[:, 1].std()])


def test_a_feature_of_rounding_noise_is_as_none():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2)).astype(np.float32)
    X[:, 1] = 300 + 3e-5 * rng.integers(-1, 2, 40)
    X[30:, 1] = 302
    obs = pd.DataFrame({"condition": ["infected"] * 30 + ["mock"] * 10, "treatment": [None] * 40})
    obs.index = obs.index.astype(str)
    scaled = scale_features(ad.AnnData(X, obs=obs))
    assert not scaled[:, 1].any()
    assert 0.5 < scaled[:30, 0].std() < 2
