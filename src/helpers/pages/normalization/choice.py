"""The choice of a recipe in words: the rule, its pick and its price, and the recipe of the pages."""

from collections.abc import Sequence

import pandas as pd

from helpers.figures.recipe_table import RECIPE_MEASURES
from helpers.hits.choice import RULE, explain_choice
from helpers.hits.compare import FALLBACK
from helpers.pages.words import listing, number


def choice(recipes: pd.DataFrame) -> str:
    """Say what the rule picks, at what price, how firmly, and what would change it."""
    text = recipe_choice(recipes)
    if recipes.empty or not recipes["selected"].any():
        return text
    names = sorted(recipes["recipe"].astype(str), key=len, reverse=True)
    lines = [line.replace("%", " %") for line in explain_choice(recipes)[1:]]
    bullets = "\n".join(f"- {_code_names(line, names)}" for line in lines)
    return f"{text} {recipe_price(recipes)}\n\nHow firm that is, and what would change it:\n\n{bullets}"


def recipe_of_the_pages(recipe: str, table: pd.DataFrame) -> str:
    """Say which recipe pictures and results use, and how it stands to the rule's pick.

    Parameters
    ----------
    recipe : str
        Of the page.
    table : DataFrame
        `normalization.csv`.
    """
    text = (
        '**The recipe of the pages.** What this page shows as "after", and all results on the pages that follow, use '
        f"`{recipe}`. The parameter `recipe` decides: `auto`, the default, takes the rule's pick on the screen at "
        f"hand, and `{FALLBACK}` where no recipe can be measured; any other value names a recipe."
    )
    if table.empty or not table["selected"].any():
        return text
    picked = chosen(table)
    if picked == recipe:
        return (
            f"{text} Here it is the rule's pick. What `{FALLBACK}`, the recipe that can be followed with simple "
            "arithmetic, would have called is shown beside the calls."
        )
    own = table[table["recipe"] == recipe]
    return (
        f"{text} The rule's pick is another one, `{picked}`{_beside(table, own)}. To compute everything with the pick, "
        "run `rxrx19 run -p recipe=auto`, with whatever other parameters this page was given."
    )


def _beside(table: pd.DataFrame, own: pd.DataFrame) -> str:
    """Return, in brackets, what the rule's pick has before the recipe of the pages."""
    if own.empty:
        return ""
    own, best = own.iloc[0], table[table["selected"].astype(bool)].iloc[0]
    if own["reason"]:
        return f" (`{own['recipe']}` cannot be used on this screen)"
    parts = []
    if pd.notna(own["replicate_error"]) and pd.notna(best["replicate_error"]):
        parts.append(
            f"replicate error {number(best['replicate_error'], 2)} against {number(own['replicate_error'], 2)} axis "
            f"lengths with `{own['recipe']}`"
        )
    if own["excluded"]:
        parts.append(f"the rule does not consider `{own['recipe']}`: {own['excluded']}")
    return f" ({'; '.join(parts)})" if parts else ""


def _code_names(line: str, names: Sequence[str]) -> str:
    """Put the names of recipes in code type, each word at most once."""
    return " ".join(
        f"`{word.rstrip(';:,.')}`{word[len(word.rstrip(';:,.')) :]}" if word.rstrip(";:,.") in names else word
        for word in line.split(" ")
    )


def chosen(recipes: pd.DataFrame) -> str:
    """Return the name of the recipe that was selected, `raw` where none was."""
    if recipes.empty or not recipes["selected"].any():
        return "raw"
    return str(recipes.loc[recipes["selected"].astype(bool), "recipe"].iloc[0])


def against_truth(recipes: pd.DataFrame) -> str:
    """Say how far the pick is from the best recipe where the truth is known."""
    if recipes.empty or not recipes["selected"].any():
        return ""
    if "truth_rmse" not in recipes or recipes["truth_rmse"].isna().all():
        return "The truth of this screen is not known, so the pick cannot be checked against it."
    picked = recipes[recipes["selected"].astype(bool)].iloc[0]
    best = recipes.loc[recipes["truth_rmse"].idxmin()]
    text = (
        f"In this simulated screen the truth is known. The root mean square error of an arm's rescue is "
        f"{number(picked['truth_rmse'], 2)} with `{picked['recipe']}`, and its rank correlation with the truth "
        f"{number(picked['truth_rank'], 2)}"
    )
    raw = recipes[recipes["recipe"] == "raw"]
    if len(raw) and picked["recipe"] != "raw":
        text += f" (raw: {number(raw['truth_rmse'].iloc[0], 2)} and {number(raw['truth_rank'].iloc[0], 2)})"
    if best["recipe"] == picked["recipe"]:
        return f"{text}. Of the recipes compared none comes closer, on this one simulated screen."
    return f"{text}. The closest is `{best['recipe']}` with {number(best['truth_rmse'], 2)}."


def recipe_rule() -> str:
    """State the rule that picks a recipe."""
    return f"**The rule:** {RULE}."


def recipe_choice(recipes: pd.DataFrame) -> str:
    """Say which recipe was selected, and how it compares with raw embeddings."""
    if recipes.empty or not recipes["selected"].any():
        return "No recipe could be selected: comparing them needs embeddings and both controls."
    best = recipes[recipes["selected"].astype(bool)].iloc[0]
    text = f"The rule selects **`{best['recipe']}`**."
    raw = recipes[recipes["recipe"] == "raw"]
    if raw.empty or best["recipe"] == "raw":
        return text
    raw = raw.iloc[0]
    changes = {
        "plate_predictability": "plate predictability",
        "replicate_map": "replicate mAP",
        "z_prime_robust": "robust Z′",
    }
    parts = [
        f"{words} is {number(best[column], 2)} (raw: {number(raw[column], 2)})"
        for column, words in changes.items()
        if pd.notna(best.get(column)) and pd.notna(raw.get(column))
    ]
    return f"{text} With it {listing(parts)}." if parts else text


def recipe_price(recipes: pd.DataFrame) -> str:
    """Say in which measures another recipe is better than the selected one, and by how much."""
    if recipes.empty or not recipes["selected"].any():
        return ""
    chosen = recipes["selected"].astype(bool)
    parts = []
    for column, (label, better) in RECIPE_MEASURES.items():
        own, others = recipes.loc[chosen, column].iloc[0], recipes.loc[~chosen, column].dropna()
        if pd.isna(own) or others.empty:
            continue
        best = others.idxmin() if better == "low" else others.idxmax()
        loss = round(own, 3) - round(others[best], 3)
        if (loss > 0) if better == "low" else (loss < 0):
            name = label.replace("-\n", "").replace("\n", " ")
            other = f"`{recipes.loc[best, 'recipe']}`: {_plain(others[best])}"
            parts.append(f"{name} ({_plain(own)}; {other})")
    if not parts:
        return "No other recipe is better than the selected one in any measure."
    return f"The selected recipe is not the best in {listing(parts)}."


def _plain(value: float) -> str:
    """Return a number with at most three decimals."""
    return number(round(value, 3) + 0.0)
