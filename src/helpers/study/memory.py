"""The memory between notebooks: one mechanism that lets any function of the floors below remember its results.

A result is found again under a key that follows from the function, its settings, the content of what it is given, the
versions of the libraries that the project declares and the source of the floors that the function can use. Nothing of
that is listed by hand; so a stale result cannot be found, and an edited sentence or figure makes nothing anew.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import anndata as ad

from helpers.study.code import code_mark, floor_of
from helpers.study.fingerprint import fingerprint
from helpers.study.store import is_stored, recall, release

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class Remembered(Protocol[P, R_co]):
    """A function that remembers: called like the plain one, which is its ``__wrapped__``."""

    __name__: str
    entry: Callable[..., str | None]
    known: Callable[..., bool]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Return what the plain function returns."""
        ...


def remember(
    function: Callable[P, R_co],
    *,
    unless: Callable[..., bool] = lambda *_, **__: False,
    instead: Callable[..., R_co] | None = None,
    marks: Mapping[str, Callable[[Mapping[str, Any]], object]] | None = None,
) -> Remembered[P, R_co]:
    """Return a function that does what another one does, and remembers the results on disk.

    Parameters
    ----------
    function : callable
        Its result depends on its arguments alone: tables, AnnData, plain values, and dicts, tuples or dataclasses of
        these; the result is one of these too.
    unless, instead : callable
        Both take the same arguments. Where `unless` is true, a screen lacks what the function needs, and what `instead`
        returns is returned and not remembered.
    marks : mapping
        What stands for an argument in the key, by its name, where that is not its value, told from all arguments: for
        the name of a screen the hashes of its files.

    Returns
    -------
    callable
        With the same signature and two functions more, both of the same arguments: ``entry`` returns the name under
        which a result is or would be stored (None where `instead` answers), ``known`` whether it is there.
    """
    signature = inspect.signature(function)
    marks = marks or {}

    def bound(args: tuple, kwargs: dict) -> inspect.BoundArguments:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        return given

    def entry(*args: P.args, **kwargs: P.kwargs) -> str | None:
        if unless(*args, **kwargs):
            return None
        arguments = bound(args, kwargs).arguments
        given = arguments | {name: mark(arguments) for name, mark in marks.items()}
        mark = fingerprint(
            [f"{function.__module__}.{function.__qualname__}", given, code_mark(floor_of(function))]
        )
        return f"{function.__name__}-{mark[:32]}"

    def known(*args: P.args, **kwargs: P.kwargs) -> bool:
        name = entry(*args, **kwargs)
        return name is None or is_stored(name)

    @functools.wraps(function)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> R_co:
        name = entry(*args, **kwargs)
        if name is None:
            assert instead is not None, "`unless` asks for `instead`"
            return instead(*args, **kwargs)
        result = recall(name, lambda: function(*args, **kwargs))
        for value in (*args, *kwargs.values()):
            if isinstance(value, ad.AnnData):
                release(value)
        return result

    result = cast(Remembered[P, R_co], remembered)
    result.entry, result.known = entry, known
    return result
