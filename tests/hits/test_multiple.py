"""Q-values: the procedure by hand, missing p-values, and the order of the table."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits.multiple import q_values


def test_the_procedure_by_hand():
    p = pd.Series([0.01, 0.04, 0.03, 0.5], index=list("wxyz"))
    # m / rank times p is 0.04, 0.053, 0.06, 0.5; from the largest down, the smallest so far
    assert q_values(p).to_dict() == pytest.approx({"w": 0.04, "x": 0.04 * 4 / 3, "y": 0.04 * 4 / 3, "z": 0.5})


def test_missing_p_values_do_not_count():
    q = q_values(pd.Series([np.nan, 0.01, 0.02, None], dtype=float))
    assert q.isna().tolist() == [True, False, False, True]
    assert q.dropna().tolist() == pytest.approx([0.02, 0.02])
    assert q_values(pd.Series([np.nan, np.nan])).isna().all()
    assert q_values(pd.Series(dtype=float)).empty


@pytest.mark.slow
def test_the_rate_holds_where_nothing_works():
    rng = np.random.default_rng(0)
    called = [(q_values(pd.Series(rng.random(200))) <= 0.1).any() for _ in range(500)]
    assert np.mean(called) == pytest.approx(0.1, abs=0.04)


def test_benjamini_hochberg_by_hand():
    q = q_values(pd.Series([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(q, [0.03, np.nan, 0.04, 0.04])
