"""Check a built site: every page there, every inner link and picture resolves, nothing is loaded from elsewhere."""

import re
import urllib.parse
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

# What a page loads when it opens, as opposed to what a reader may click.
_LOADS = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "link": ("href",),
}
# Of the links in a head only these are fetched.
_FETCHED_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "manifest", "shortcut"}
_STYLE_LOAD = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")
_GENERATED = {"genindex", "search"}
_SOURCES = "_modules/"
"""Where the pages with the source of the package are; the reference links to them."""


@dataclass
class _Page(HTMLParser):
    """The anchors, inner targets and loads of one page."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    language: str = ""
    alts: list[str] = field(default_factory=list)
    without_alt: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.loads += _STYLE_LOAD.findall(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids.update(filter(None, (values.get("id"), values.get("name") if tag == "a" else None)))
        if tag == "html":
            self.language = values.get("lang", "")
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "img":
            self.alts.append(values.get("alt", ""))
            self.without_alt += "alt" not in values
        if tag != "link" or _FETCHED_RELATIONS & set(values.get("rel", "").split()):
            self.loads += [values[name].split()[0] for name in _LOADS.get(tag, ()) if values.get(name)]


def read_page(path: Path) -> _Page:
    """Parse one HTML page."""
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def check_site(site: Path, pages: list[str]) -> list[str]:
    """Return every problem of a built site, one line each.

    Parameters
    ----------
    site : Path
        The folder that holds ``index.html``.
    pages : list of str
        The pages that must be there, without suffix, as in the table of contents.
    """
    site = site.resolve()
    built = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts]
    read = {path: read_page(path) for path in built}
    found = {path.relative_to(site).with_suffix("").as_posix() for path in built}
    problems = [f"{page}.html is missing" for page in pages if page not in found]
    unlisted = {page for page in found if not page.startswith(_SOURCES)} - set(pages) - _GENERATED
    problems += [f"{page}.html is in no table of contents" for page in sorted(unlisted)]
    for sheet in sorted(site.rglob("*.css")):
        found_loads = _STYLE_LOAD.findall(sheet.read_text(encoding="utf-8"))
        problems += [f"{sheet.relative_to(site)}: loads {target} from elsewhere" for target in found_loads]
    for path, page in read.items():
        name = path.relative_to(site)
        problems += [f"{name}: loads {target} from elsewhere" for target in page.loads if _is_remote(target)]
        problems += [
            f"{name}: {target} leads nowhere"
            for target in dict.fromkeys(page.links + page.loads)
            if _is_inner(target) and not _resolves(path, target, read)
        ]
    return problems


def _is_remote(target: str) -> bool:
    return urllib.parse.urlsplit(target).scheme in ("http", "https") or target.startswith("//")


def _is_inner(target: str) -> bool:
    return not urllib.parse.urlsplit(target).scheme and not target.startswith("//")


def _resolves(page: Path, target: str, read: dict[Path, _Page]) -> bool:
    parts = urllib.parse.urlsplit(target)
    path = (page.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else page
    if path.is_dir():
        path /= "index.html"
    if not path.is_file():
        return False
    anchor = urllib.parse.unquote(parts.fragment)
    return not anchor or path not in read or anchor in read[path].ids
