"""Recipes against other people's implementations of the same method, and against its published definition."""

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.linalg import fractional_matrix_power
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from helpers.profiles import normalize
from helpers.profiles.spectrum import ledoit_wolf_weight

N_WELLS, N_REFERENCE = 60, 25


def made_wells(n_features: int, n_plates: int = 3) -> ad.AnnData:
    """Return correlated wells on shifted plates, the first of each plate infected untreated."""
    rng = np.random.default_rng(n_features)
    obs = pd.DataFrame(
        {
            "plate_id": pd.Categorical(np.repeat([f"E_{p + 1}" for p in range(n_plates)], N_WELLS)),
            "experiment": pd.Categorical(["E"] * (N_WELLS * n_plates)),
            "condition": pd.Categorical(
                ["infected"] * (N_WELLS * n_plates), ["mock", "uv", "infected", "blank"]
            ),
            "treatment": np.tile([None] * N_REFERENCE + ["a"] * (N_WELLS - N_REFERENCE), n_plates),
            "qc_flag": "",
            "row": np.tile(np.arange(N_WELLS) // 10 + 1, n_plates),
            "col": np.tile(np.arange(N_WELLS) % 10 + 1, n_plates),
        }
    )
    obs.index = [f"w{i:03d}" for i in range(len(obs))]
    mixing = rng.normal(size=(n_features, n_features)) / np.sqrt(n_features) + 2 * np.eye(n_features)
    X = rng.normal(size=(len(obs), n_features)) @ mixing + np.repeat(
        rng.normal(0, 3, (n_plates, n_features)), N_WELLS, axis=0
    )
    return ad.AnnData(X.astype(np.float32), obs=obs)


def by_pycytominer(wells: ad.AnnData, method: str) -> np.ndarray:
    import pycytominer

    out = []
    for plate in wells.obs["plate_id"].unique():
        part = wells[wells.obs["plate_id"] == plate]
        frame = pd.DataFrame(part.X, columns=[f"f{i}" for i in range(part.n_vars)])
        frame["Metadata_role"] = np.where(part.obs["treatment"].isna(), "reference", "treated")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = pycytominer.normalize(
                frame,
                features=list(frame.columns[:-1]),
                meta_features=["Metadata_role"],
                samples="Metadata_role == 'reference'",
                method=method,
                spherize_method="ZCA",
            )
        out.append(result.drop(columns="Metadata_role").to_numpy())
    return np.concatenate(out)


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    """Compare to 1e-4 of what is compared, entries near zero relative to the typical entry."""
    scale = np.maximum(np.abs(expected), np.abs(expected).mean())
    assert np.abs(found - expected).max() / scale.min() < 1e-3
    assert (np.abs(found - expected) / scale).max() < 1e-4


@pytest.mark.parametrize("n_features", [2, 12, 40])
@pytest.mark.parametrize(
    ("recipe", "method"),
    [("plate_standard", "standardize"), ("plate_robust", "mad_robustize"), ("sphering", "spherize")],
)
def test_recipes_agree_with_pycytominer_plate_by_plate(recipe, method, n_features):
    wells = made_wells(n_features)
    settings = {"regulariser": 0.0} if recipe == "sphering" else {}
    assert_close(normalize(wells, recipe, **settings).X, by_pycytominer(wells, method))


def tvn_as_published(wells: ad.AnnData) -> np.ndarray:
    """Write out the method: scale on controls, PCA, scale by batch, CORAL by batch with half the identity."""
    X, reference = wells.X.astype(float), wells.obs["treatment"].isna().to_numpy()
    plates = wells.obs["plate_id"].astype(str).to_numpy()
    X = StandardScaler().fit(X[reference]).transform(X)
    X = PCA().fit(X[reference]).transform(X)
    for plate in np.unique(plates):
        mine = plates == plate
        X[mine] = StandardScaler().fit(X[mine & reference]).transform(X[mine])
    half = 0.5 * np.eye(X.shape[1])
    target = np.cov(X[reference], rowvar=False, ddof=1) + half
    for plate in np.unique(plates):
        mine = plates == plate
        source = np.cov(X[mine & reference], rowvar=False, ddof=1) + half
        X[mine] = X[mine] @ fractional_matrix_power(source, -0.5) @ fractional_matrix_power(target, 0.5)
    return X


@pytest.mark.parametrize("n_features", [2, 12, 40])
def test_tvn_is_the_published_method(n_features):
    wells = made_wells(n_features)
    found, expected = normalize(wells, "tvn").X, tvn_as_published(wells)
    # The sign of a principal component is arbitrary.
    signs = np.sign((found * expected).sum(axis=0))
    assert_close(found * signs, expected)


def test_ledoit_wolf_agrees_with_scikit_learn():
    for n, d in ((30, 5), (30, 80)):
        X = np.random.default_rng(d).normal(size=(n, d)) * np.linspace(1, 3, d)
        assert ledoit_wolf_weight(X) == pytest.approx(
            ledoit_wolf_shrinkage(X, assume_centered=True), rel=1e-6
        )
