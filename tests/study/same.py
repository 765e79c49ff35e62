"""Whether two results of steps are the same, to the last bit."""

import dataclasses

import anndata as ad
import numpy as np
import pandas as pd


def assert_same(value: object, other: object) -> None:
    """Compare wells, tables, plain values, and dicts, tuples or dataclasses of these."""
    assert type(value) is type(other)
    if isinstance(value, ad.AnnData):
        assert value.X.dtype == other.X.dtype
        np.testing.assert_array_equal(value.X, other.X)
        pd.testing.assert_frame_equal(value.obs, other.obs, check_exact=True)
        pd.testing.assert_frame_equal(value.var, other.var, check_exact=True)
        assert dict(value.uns) == dict(other.uns)
    elif isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(value, other, check_exact=True)
        assert value.attrs == other.attrs
    elif isinstance(value, dict):
        assert list(value) == list(other)
        for name in value:
            assert_same(value[name], other[name])
    elif isinstance(value, tuple):
        assert len(value) == len(other)
        for one, two in zip(value, other, strict=True):
            assert_same(one, two)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            assert_same(getattr(value, field.name), getattr(other, field.name))
    else:
        assert value == other
