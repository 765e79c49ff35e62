"""What a page of the book may load and run: a content security policy on each, so that nothing of a stranger runs.

A page runs the scripts that lie beside it, and of those in the page itself only what the tools of this book are known
to write: what a script says is compared with that, whatever stands where it was found. What is not known keeps no
hash, and a browser does not run it.
"""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

from helpers.files import atomic_path
from helpers.pages.search import is_table_script

HANDLERS = ("toggleFullScreen()", "window.print()")
"""What the buttons of the theme do."""

RULES = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "style-src": "'self' 'unsafe-inline'",  # of tables, formulas and the theme
    "object-src": "'none'",
    "frame-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
"""What pages may load, but for scripts."""

# What Sphinx, its extensions and the theme write into pages, with what varies between pages and settings.
_KNOWN = re.compile(
    r"""\s*(?:
    DOCUMENTATION_OPTIONS\.pagename\ =\ '[\w/.-]*';
    | kernelName\ =\ 'python3'
    | let\ toggle\w+\ =\ '[\w ]*';
    | var\ togglebuttonSelector\ =\ '[.\w, -]*';
    | const\ THEBE_JS_URL\ =\ "https://unpkg\.com/[\w@./-]+";(?:\ const\ thebe_selector\w*\ =\ "[.\w, -]*";?)+
    | document\.documentElement\.dataset\.mode\ =\ localStorage\.getItem\("mode"\)\ \|\|\ "\w*";
      \s*document\.documentElement\.dataset\.theme\ =\ localStorage\.getItem\("theme"\)\ \|\|\ "\w*";
    | (?://[^\n]*\s+)?let\ searchInput\ =\ document\.querySelector\("form\.bd-search\ input"\);
      \s*if\ \(searchInput\)\ \{\s*searchInput\.focus\(\);\s*searchInput\.select\(\);
      (?:\s*//[^\n]*|\s*console\.log\("[\w .:\[\]]*"\);)*\s*\}
    )\s*""",
    re.VERBOSE,
)
_SETTINGS = "window.MathJax = "
# A browser looks for the encoding in the first kilobyte, so it stays first.
_HEAD = re.compile(r"<head\b[^>]*>(?:\s*<meta charset=[^>]*>)?", re.IGNORECASE)
_NO_SCRIPT = re.compile(r"json|x-thebe-config", re.IGNORECASE)


class _Scripts(HTMLParser):
    """The scripts that stand in a page, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._open = (
            tag == "script" and "src" not in values and not _NO_SCRIPT.search(values.get("type") or "")
        )
        if self._open:
            self.found.append("")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "script"


def inline_scripts(page: str) -> list[str]:
    """Return the scripts that stand in a page, in order; data blocks are none."""
    reader = _Scripts()
    reader.feed(page)
    reader.close()
    return reader.found


def is_known(script: str) -> bool:
    """Return whether a script is one that the tools of the book write.

    Parameters
    ----------
    script : str
        What stands between the tags.

    Examples
    --------
    >>> is_known("kernelName = 'python3'"), is_known("kernelName = 'python3'; alert(1)")
    (True, False)
    """
    return bool(_KNOWN.fullmatch(script)) or _is_settings(script) or is_table_script(script)


def _is_settings(script: str) -> bool:
    """Return whether a script only tells MathJax its settings, as data."""
    if not script.startswith(_SETTINGS):
        return False
    try:
        json.loads(script.removeprefix(_SETTINGS))
    except ValueError:
        return False
    return True


def policy(page: str) -> str:
    """Return the content security policy of a page.

    Parameters
    ----------
    page : str
        Its HTML. Scripts in it that are not known are not allowed to run.
    """
    scripts = list(dict.fromkeys(filter(is_known, inline_scripts(page))))
    sources = ["'self'", "'unsafe-hashes'", *(_hash(text) for text in (*HANDLERS, *scripts))]
    if any(map(is_table_script, scripts)):  # they unpack their library into one
        sources.append("blob:")
    rules = {**RULES, "script-src": " ".join(sources)}
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def set_policy(site: Path) -> None:
    """Write its policy into the head of every page of a built site, before anything that it rules."""
    for path in sorted(site.rglob("*.html")):
        if "_static" in path.relative_to(site).parts:
            continue
        page = path.read_text(encoding="utf-8")
        head = _HEAD.search(page)
        if head is None:
            continue
        tag = f'\n<meta http-equiv="Content-Security-Policy" content="{policy(page)}">'
        with atomic_path(path) as temporary:
            temporary.write_text(page[: head.end()] + tag + page[head.end() :], encoding="utf-8")


def unknown_scripts(site: Path) -> list[str]:
    """Return what stands as a script in a page of a site and is not known, one line each."""
    return [
        f"{path.relative_to(site)}: a script that nobody knows: {' '.join(script.split())[:60]}"
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.relative_to(site).parts
        for script in inline_scripts(path.read_text(encoding="utf-8"))
        if not is_known(script)
    ]
