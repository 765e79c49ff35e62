"""Fingerprints: equal for equal content whatever holds it, different for whatever differs."""

import gc
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.study.fingerprint import _TRUSTED, array_mark, fingerprint, trust


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "experiment": pd.Categorical(["E", "F", "E", None], ["E", "F", "G"]),
            "treatment": ["a", None, "c", "d"],
            "dose_um": [0.1, np.nan, 3.0, 1.0],
            "n": [1, 2, 3, 4],
        },
        index=list("uvwx"),
    )


def wells_of(obs: pd.DataFrame) -> ad.AnnData:
    X = np.arange(3 * len(obs), dtype=np.float32).reshape(len(obs), 3)
    return ad.AnnData(X, obs=obs, uns={"screen": {"kind": "user"}, "axis": {"E": {"length": 1.5}}})


def test_content_counts_and_not_the_object(table):
    twice = pd.concat([table, table])
    for same in (
        table.copy(),
        table[:],
        twice.iloc[:4],
        twice[np.arange(8) < 4],
        table.iloc[::-1].iloc[::-1],
    ):
        assert fingerprint(same) == fingerprint(table)


def test_wells_are_their_content_too(table):
    table["experiment"] = table["experiment"].cat.remove_unused_categories()  # as a part of wells has them
    wells = wells_of(table)
    twice = ad.AnnData(
        np.vstack([wells.X, wells.X + 1]), obs=pd.concat([table, table.set_axis(list("abcd"))]), uns=wells.uns
    )
    for same in (wells.copy(), wells[:], twice[:4], twice[:4].copy(), twice[twice.obs_names[:4]].copy()):
        assert fingerprint(same) == fingerprint(wells)
    turned = wells.copy()
    turned.X = np.asfortranarray(turned.X)
    assert fingerprint(turned) == fingerprint(wells)


CHANGES = {
    "a cell": lambda t: t.assign(n=[1, 2, 3, 5]),
    "a missing cell": lambda t: t.assign(dose_um=[0.1, 0.0, 3.0, 1.0]),
    "empty text": lambda t: t.assign(treatment=["a", "", "c", "d"]),
    "a type": lambda t: t.astype({"n": float}),
    "a width": lambda t: t.astype({"n": "int32"}),
    "a category": lambda t: t.assign(experiment=t["experiment"].cat.remove_unused_categories()),
    "order of categories": lambda t: t.assign(
        experiment=t["experiment"].cat.reorder_categories(["F", "E", "G"])
    ),
    "ordered categories": lambda t: t.assign(experiment=t["experiment"].cat.as_ordered()),
    "no categories": lambda t: t.astype({"experiment": object}),
    "order of columns": lambda t: t[list(t)[::-1]],
    "name of a column": lambda t: t.rename(columns={"n": "m"}),
    "order of rows": lambda t: t.iloc[::-1],
    "index": lambda t: t.set_axis(list("uvwy")),
    "name of the index": lambda t: t.rename_axis("well_id"),
    "no rows": lambda t: t.head(0),
    "no column": lambda t: t.drop(columns="n"),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_every_change_of_a_table_shows(table, name):
    changed = CHANGES[name](table)
    assert fingerprint(changed) != fingerprint(table)
    if len(changed) == len(table):
        assert fingerprint(wells_of(changed)) != fingerprint(wells_of(table))


def test_attributes_of_a_table_count(table):
    other = table.copy()
    other.attrs["explained"] = [0.5]
    assert fingerprint(other) != fingerprint(table)


def test_every_change_of_wells_shows(table):
    marks = [fingerprint(wells_of(table))]
    for change in (
        lambda w: w.X.__setitem__((0, 0), -0.5),
        lambda w: setattr(w, "X", w.X.astype(np.float64)),
        lambda w: setattr(w, "obs", w.obs.assign(n=7)),
        lambda w: setattr(w, "var_names", ["f1", "f2", "f9"]),
        lambda w: w.uns.__setitem__("axis", {"E": {"length": 1.6}}),
        lambda w: w.uns["screen"].__setitem__("kind", "twin"),
    ):
        wells = wells_of(table)
        change(wells)
        marks.append(fingerprint(wells))
    assert len(set(marks)) == len(marks)


@dataclass(frozen=True)
class One:
    """A record."""

    a: int = 1


@dataclass(frozen=True)
class Two:
    """Another record with the same content."""

    a: int = 1


def test_plain_values_are_told_apart():
    values = [
        None, True, 1, 1.0, "1", 0, False, 0.0, "", [], (), {}, [1], (1,), [[1]], {"a": 1}, {"b": 1}, {"a": "1"},
        float("inf"), float("nan"), Path("a"), "a", One(), One(2), Two(), np.arange(2), np.arange(2.0),
        np.arange(2).reshape(2, 1), pd.Series([1]), pd.Series([1], name="b"), pd.DataFrame({"value": [1]}),
    ]  # fmt: skip
    marks = [fingerprint(value) for value in values]
    assert len(set(marks)) == len(values)
    assert all(len(mark) == 64 and set(mark) <= set("0123456789abcdef") for mark in marks)


def test_numbers_of_numpy_are_numbers():
    assert fingerprint({"fdr": np.float64(0.05)}) == fingerprint({"fdr": 0.05})
    assert fingerprint(np.int64(3)) == fingerprint(3)
    assert fingerprint(np.bool_(True)) == fingerprint(True)
    assert fingerprint(float("nan")) == fingerprint(float("nan"))


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: 0, b"a", One, {"a": object()}, [print]])
def test_what_cannot_be_told_apart_has_none(value):
    with pytest.raises(TypeError, match="has no fingerprint"):
        fingerprint(value)


def test_tables_with_columns_of_several_types_have_one():
    mixed = pd.DataFrame({"a": [1, "b", 2.5]}, dtype=object)
    assert fingerprint(mixed) == fingerprint(mixed.copy())
    assert fingerprint(mixed) != fingerprint(mixed.assign(a=["1", "b", 2.5]))


@pytest.mark.slow
def test_another_process_finds_the_same(table):
    code = (
        "import numpy as np, pandas as pd\n"
        "from helpers.study.fingerprint import fingerprint\n"
        "t = pd.DataFrame({'a': pd.Categorical(['x', 'y']), 'b': [1.5, np.nan], 'c': ['p', None]})\n"
        "print(fingerprint({'t': t, 's': (1, 'two')}))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    t = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1.5, np.nan], "c": ["p", None]})
    assert told.strip() == fingerprint({"t": t, "s": (1, "two")})


def test_only_an_array_that_cannot_be_changed_is_trusted():
    array = np.arange(4.0)
    trust(array, "told")
    assert array_mark(array) != "told"
    array.flags.writeable = False
    trust(array, "told")
    assert array_mark(array) == "told"
    assert array_mark(array[:]) != "told", "a part, or another view, is looked at itself"
    assert array_mark(array.copy()) == array_mark(np.arange(4.0))
    array.flags.writeable = True
    array[0] = 5
    assert array_mark(array) == array_mark(np.array([5.0, 1, 2, 3]))


def test_trust_ends_with_the_array():
    array = np.arange(4.0)
    array.flags.writeable = False
    trust(array, "told")
    place = id(array)
    del array
    gc.collect()
    assert place not in _TRUSTED
