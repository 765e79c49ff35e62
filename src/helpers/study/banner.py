"""The banner that names the screen behind a page, so that no simulated number is taken for a measured one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.text import LONGEST, html

if TYPE_CHECKING:
    from IPython.display import HTML


def banner_text(screen: Mapping) -> tuple[str, str]:
    """Return the banner's headline and its sentence, both plain text.

    Parameters
    ----------
    screen : mapping
        ``kind`` (``twin``, ``rxrx19a`` or ``user``) and ``name``; a twin may carry ``scale`` and ``seed``.
    """
    kind = screen.get("kind")
    if kind == "twin":
        details = [
            str(screen[key]) if key == "scale" else f"seed {screen[key]}"
            for key in ("scale", "seed")
            if key in screen
        ]
        size = f" ({', '.join(details)})" if details else ""
        return (
            "Simulated twin",
            f"Every number here comes from a simulated screen{size} with the layout of RxRx19a and known truth, "
            "except published ones, which are quoted with their source. Compound names are invented; nothing computed "
            "from the simulation says anything about a real drug.",
        )
    if kind == "rxrx19a":
        return (
            "RxRx19a",
            "The numbers here are computed from Recursion's RxRx19a (CC BY 4.0). They are a reconstruction; "
            "morphology is not viral load, and no clinical claim follows.",
        )
    return (
        f"Screen: {screen.get('name') or 'unnamed'}",
        "The numbers here are computed from a screen given by the user, not from RxRx19a.",
    )


def banner_html(screen: Mapping) -> str:
    """Return the banner as one line of HTML, for the strip on top of every page of the book."""
    headline, sentence = banner_text(screen)
    return f"<strong>{html(headline)}.</strong> {html(sentence, LONGEST + len(sentence))}"


def show_banner(screen: Mapping) -> "HTML":
    """Return the banner that names the source of the page, for display.

    Parameters
    ----------
    screen : mapping
        ``uns["screen"]`` of sites or wells.

    Returns
    -------
    HTML
        Shown as a quotation where a cell ends with it.
    """
    from IPython.display import HTML

    # not Markdown: the book's knows formulas, roles and links, and a screen may have any name
    return HTML(f'<blockquote class="tex2jax_ignore"><p>{banner_html(screen)}</p></blockquote>')
