"""Settings of recipes as a notebook's parameters give them: words and plain numbers, checked before any work."""

from collections.abc import Collection

from helpers.errors import UsageError
from helpers.profiles import RECIPES
from helpers.profiles.reference import BATCHES, REFERENCES
from helpers.profiles.trend import POSITION_MODELS
from helpers.screens.twin.worlds import WORLDS

AUTO = "auto"
CHOICES = {"reference": tuple(REFERENCES), "batch": tuple(BATCHES), "position_model": POSITION_MODELS}


def read_settings(
    *,
    reference: str = "infected",
    batch: str = "plate",
    position_model: str = "trend",
    n_components: int = 0,
    regulariser: str | float = AUTO,
) -> dict[str, object]:
    """Return the settings that differ from each recipe's own, as :func:`helpers.profiles.normalize` takes them.

    Parameters
    ----------
    reference : str
        As in :class:`helpers.profiles.normalize.Settings`.
    batch : str
        As there.
    position_model : str
        As there.
    n_components : int
        Of pca, harmony and tvn; 0 = each recipe's own.
    regulariser : str or float
        Of sphering and recommended: `auto` = each recipe's own, `ledoit_wolf`, or the weight of the identity from 0 to
        1, as a number or as its text.

    Returns
    -------
    dict
        Name -> value, without those that are every recipe's own anyway.

    Raises
    ------
    UsageError
        For a value that is not allowed, naming the parameter and what is.

    Examples
    --------
    >>> read_settings(reference="mock", regulariser="0.3")
    {'reference': 'mock', 'regulariser': 0.3}
    >>> read_settings(batch="row")
    Traceback (most recent call last):
    helpers.errors.UsageError: parameter 'batch' = 'row' is not allowed; allowed: plate, experiment
    """
    for name, value in {"reference": reference, "batch": batch, "position_model": position_model}.items():
        if value not in CHOICES[name]:
            raise UsageError(
                f"parameter '{name}' = {value!r} is not allowed; allowed: {', '.join(CHOICES[name])}"
            )
    if n_components < 0:
        raise UsageError(f"parameter 'n_components' = {n_components} is not allowed; allowed: 0 or more")
    given: dict[str, object] = {"reference": reference, "batch": batch, "position_model": position_model}
    given |= {"n_components": n_components or None, "regulariser": _weight(regulariser)}
    own = {"reference": "infected", "batch": "plate", "position_model": "trend"}
    return {name: value for name, value in given.items() if value != own.get(name)}


def read_recipes(recipes: str) -> tuple[str, ...]:
    """Return the recipes that a comma list names, each once; ``all`` names all.

    Parameters
    ----------
    recipes : str
        Names with commas between them, or ``all``.

    Returns
    -------
    tuple of str
        In the order given, or in that of :data:`helpers.profiles.RECIPES`.

    Raises
    ------
    UsageError
        For an unknown name, or none.

    Examples
    --------
    >>> read_recipes("raw, plate_center, raw")
    ('raw', 'plate_center')
    """
    return _read_names("recipe", recipes, RECIPES)


def read_worlds(worlds: str) -> tuple[str, ...]:
    """Return the worlds that a comma list names, each once; ``all`` names all.

    Parameters
    ----------
    worlds : str
        Names with commas between them, or ``all``.

    Returns
    -------
    tuple of str
        In the order of :data:`helpers.screens.twin.worlds.WORLDS`.

    Raises
    ------
    UsageError
        For an unknown name, or none.

    Examples
    --------
    >>> read_worlds("rough, calm")
    ('calm', 'rough')
    """
    asked = _read_names("world", worlds, WORLDS)
    return tuple(name for name in WORLDS if name in asked)


def _read_names(noun: str, text: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the names of a comma list, each once; ``all`` names all that are known."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    names = list(known) if asked == ["all"] else asked
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise UsageError(
            f"parameter '{noun}s': no {noun} {', '.join(unknown) or '(empty)'}; valid: all, {', '.join(known)}"
        )
    return tuple(dict.fromkeys(names))


def read_bounds(name: str, text: str) -> tuple[float, float]:
    """Return the two numbers of a parameter such as ``0.2,20``.

    Parameters
    ----------
    name : str
        Of the parameter, for the message.
    text : str
        Its value.

    Returns
    -------
    tuple of float
        The smaller one first.

    Raises
    ------
    UsageError
        Unless they are two numbers above 0, the smaller first.

    Examples
    --------
    >>> read_bounds("hill_bounds", "0.2,20")
    (0.2, 20.0)
    """
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not 0 < low < high < float("inf"):
        raise UsageError(
            f"parameter '{name}' = {text!r} is not allowed; allowed: two numbers above 0, the smaller first, such as "
            "0.2,20"
        )
    return low, high


def _weight(regulariser: str | float) -> str | float | None:
    """Return a regulariser as recipes take it, None for their own."""
    if regulariser == AUTO:
        return None
    if regulariser == "ledoit_wolf":
        return regulariser
    try:
        weight = float(regulariser)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 1:
        raise UsageError(
            f"parameter 'regulariser' = {regulariser!r} is not allowed; allowed: {AUTO}, ledoit_wolf, or a number "
            f"from 0 to 1"
        )
    return weight
