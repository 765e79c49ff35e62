"""Text of strangers on its way to a page: names stay names, whatever signs they hold.

Treatments, experiments, plates, classes and files are named by users. On a page such a name is text and nothing else:
no markup, no formula, no role of the book, no link. Each target has its one function here, and all of them show what
cannot be seen (line breaks, zero-width signs, signs that turn the direction of writing) as its code point, so that two
names that look alike cannot be two names.

Tables that are saved (CSV, Parquet) hold names as they are, so that they can be joined with other tables of the user.
"""

import functools
import html as _html
import re
import string
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST = 200
"""A name of more characters than this is cut on a page."""

# ASCII signs that mean nothing to any reader of Markdown.
_HARMLESS = frozenset(string.ascii_letters + string.digits + " ,;(/?")
_JOINERS = "\u200c\u200d"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: object, most: int = LONGEST) -> str:
    r"""Return a name with all its signs to be seen, on one line.

    Parameters
    ----------
    text : object
        Its text is taken.
    most : int
        Of a longer one the end is left out.

    Returns
    -------
    str
        Control signs, line breaks, tabs, zero-width signs, signs that turn the direction of writing, and halves of a
        surrogate pair are written as ``⟨U+202E⟩``. A joiner inside a word or an emoji stays.

    Examples
    --------
    >>> visible("two\nlines"), visible("US$ 5")
    ('two⟨U+000A⟩lines', 'US$ 5')
    """
    name = str(text)
    if len(name) > most:
        name = name[: most - 1] + "…"
    if name.isascii() and name.isprintable():
        return name
    return "".join(f"⟨U+{ord(sign):04X}⟩" if _is_unseen(name, i) else sign for i, sign in enumerate(name))


def _is_unseen(name: str, i: int) -> bool:
    sign = name[i]
    if sign in _JOINERS and 0 < i < len(name) - 1:
        # Persian and Indic words, and the emoji of a family, are not written without them.
        return name[i - 1].isascii() or name[i + 1].isascii() or name[i + 1] in _JOINERS
    return unicodedata.category(sign) in _UNSEEN or (ord(sign) & 0xFFFE) == 0xFFFE


def html(text: object, most: int = LONGEST) -> str:
    """Return a name for HTML, as the text of an element or in the quotes of an attribute.

    Examples
    --------
    >>> html('<b>"a"')
    '&lt;b&gt;&quot;a&quot;'
    """
    return _html.escape(visible(text, most), quote=True)


def markdown(text: object, most: int = LONGEST) -> str:
    """Return a name for a sentence in Markdown, also in that of MyST: each sign of markup is a character reference.

    A reference cannot begin anything: it is read as the sign itself, after all markup was found. Inside of code it
    would be read as it is written; use `code` there.

    Examples
    --------
    >>> markdown("GS-441524"), markdown("{download}`a`")
    ('GS-441524', '&#123;download&#125;&#96;a&#96;')
    """
    name = visible(text, most)
    return "".join(sign if _is_harmless(name, i) else f"&#{ord(sign)};" for i, sign in enumerate(name))


def _is_harmless(name: str, i: int) -> bool:
    """Return whether a sign may stand in Markdown as it is: most punctuation means something in some places only."""
    sign, before, after = name[i], name[i - 1 : i], name[i + 1 : i + 2]
    if sign == " ":
        return before not in ("", " ") and after != ""
    if sign in "-_'":  # inside of a word; elsewhere they begin lists, dashes, emphasis, quotations
        return (before.isalnum() or (sign == "-" and before == " ")) and after.isalnum()
    if sign == ".":  # not in what looks like an address, nor in the number of a list
        return after.isdigit() if before.isdigit() else before.isalpha() and after in ("", " ")
    if sign == ")":  # a list may count with it
        return not name[:i].isdigit()
    if sign in ":=":
        return before not in ("", sign) and after == " "
    return sign in _HARMLESS or not (sign.isascii() or sign.isspace())


def code(text: object, most: int = LONGEST) -> str:
    """Return a name set as code in Markdown, an empty one as a dash.

    Examples
    --------
    >>> code("raw"), code("a`b")
    ('`raw`', '`` a`b ``')
    """
    name = visible(text, most)
    if not name.strip():
        return "-"
    runs = {len(run) for run in re.findall("`+", name)}
    fence = "`" * next(n for n in range(1, len(name) + 2) if n not in runs)
    pad = " " if "`" in name or " " in (name[0], name[-1]) else ""
    return f"{fence}{pad}{name}{pad}{fence}"


def drawn(text: object, most: int = 60) -> str:
    """Return a name for a figure: a legend leaves out what begins with an underscore, so a blank goes before it.

    That no ``$`` starts a formula is set in `helpers.figures.style`.

    Examples
    --------
    >>> drawn("_hidden")
    ' _hidden'
    """
    name = visible(text, most)
    return f" {name}" if name.startswith("_") else name


def render(sentences: str) -> str:
    """Return sentences of a page as HTML: paragraphs, lists, emphasis and code are known, and nothing else.

    What is not known stays text. So whatever reaches this, it makes no element with a life of its own: no link, no
    picture, no script, no formula, no role.

    Parameters
    ----------
    sentences : str
        Markdown.

    Examples
    --------
    >>> render("**Two** <wells> in `raw`").strip()
    '<p><strong>Two</strong> &lt;wells&gt; in <code>raw</code></p>'
    """
    return _reader().render(sentences)


@functools.cache
def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    known = ["list", "fence", "emphasis", "backticks", "escape", "entity", "newline"]
    return MarkdownIt("zero", {"html": False}).enable(known)
