"""Invented names and structures of the twin's compounds."""

import numpy as np

# Name parts that real compound names have and careless code breaks on.
_PREFIXES = ("β-", "(+)-", "α-", "5'-", "N,N-", "(−)-", "Δ9-", "γ-")

_STEMS = ("TWN", "Twn", "twn", "TwN", "tWn", "TWn", "tWN", "twN")
_TAILS = ("F", "Cl", "Br", "N#C", "FC(F)(F)", "FC(Cl)(Br)")
_LINKERS = ("", "C(=O)N", "S(=O)(=O)N", "OC(=O)", "NC(=O)N")
_RINGS = (
    "C1=CC(F)=C(Cl)C(Br)=C1",
    "C1=CC(Br)=NC(F)=C1",
    "C1CC(F)(F)CC(Cl)C1",
    "C1=C(Cl)SC(Br)=C1",
    "C1CC(Br)OC(F)C1",
    "C1=CN(CCCl)C(F)=C1",
)
_CHAINS = range(5, 18)
# Ring bonds as ChemAxon appends them; a comma makes the CSV writer quote the field.
_SUFFIXES = {0: " |c:1|", 3: " |c:1,3|", 5: " |c:1,t:3|"}


def draw_names(n: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Return the spellings of n compounds; their numbers are drawn, so they tell nothing."""
    return [case_spellings(number) for number in rng.permutation(n) + 1]


def case_spellings(number: int) -> tuple[str, ...]:
    """Return the spellings of an invented compound, which differ in letter case only.

    The usual one, in capitals, sorts first. Two names in fifty carry a part with Greek letters or punctuation.
    """
    prefix = _PREFIXES[number // 25 % len(_PREFIXES)] if number % 50 in (7, 31) else ""
    return tuple(f"{prefix}{stem}-{number:04d}" for stem in _STEMS)


def invented_smiles(number: int, variant: int = 0) -> str:
    """Return a valid structure that is no drug, unique up to 2,340 numbers; "" for one compound in 97.

    A chain of 5 to 17 carbons between an end group and a halogenated ring. Half carry a CXSMILES suffix, which
    depends on `variant` too, so two spellings of one compound may differ in it.
    """
    if number % 97 == 11:
        return ""
    index = number - 1
    index, ring = divmod(index, len(_RINGS))
    index, linker = divmod(index, len(_LINKERS))
    index, tail = divmod(index, len(_TAILS))
    chain = "C" * _CHAINS[index % len(_CHAINS)]
    suffix = _SUFFIXES.get((number + 2 * variant) % 6, "")
    return f"{_TAILS[tail]}{chain}{_LINKERS[linker]}{_RINGS[ring]}{suffix}"


def compound_number(treatment: str) -> int:
    """Return the number in an invented name: ``compound_number("β-TWN-0007")`` is 7."""
    return int(treatment.rsplit("-", 1)[1])
