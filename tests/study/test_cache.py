import numpy as np
import pandas as pd
import pytest

from helpers.publish import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path))


def test_wells_come_back_as_they_were(tiny_scored):
    stored = cache.cached_wells("a", lambda: tiny_scored)
    again = cache.cached_wells("a", lambda: pytest.fail("computed twice"))
    for wells in (stored, again):
        np.testing.assert_array_equal(wells.X, tiny_scored.X)
        pd.testing.assert_frame_equal(wells.obs, tiny_scored.obs, check_exact=True)
        assert wells.obs["condition"].cat.categories.tolist() == ["mock", "uv", "infected", "blank"]
        assert wells.uns == tiny_scored.uns


def test_a_failing_step_stores_nothing():
    def fail():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.cached_tables("b", fail)
    table = pd.DataFrame({"x": [1.5]})
    got = cache.cached_tables("b", lambda: {"t": table})["t"]
    pd.testing.assert_frame_equal(got, table)


def test_keys_name_data_parameters_and_code(monkeypatch):
    key = cache.entry_key("wells", "abc", {"seed": 0})
    assert key == cache.entry_key("wells", "abc", {"seed": 0})
    assert key != cache.entry_key("wells", "abd", {"seed": 0})
    assert key != cache.entry_key("wells", "abc", {"seed": 1})
    monkeypatch.setattr(cache, "code_hash", lambda: "other code")
    assert key != cache.entry_key("wells", "abc", {"seed": 0})


def test_old_entries_make_room(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "MAX_BYTES", 20_000)
    for name in ("one", "two", "three"):
        cache.cached_tables(
            name, lambda: {"t": pd.DataFrame({"x": np.random.default_rng(0).normal(size=1000)})}
        )
    kept = sorted(p.name for p in (tmp_path / "steps").iterdir() if p.is_dir())
    assert "three" in kept
    assert "one" not in kept
