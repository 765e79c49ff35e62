"""Names of strangers stay text: whatever they hold, a page shows them and does nothing else."""

import html as builtin
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from helpers.text import LONGEST, code, drawn, html, markdown, render, visible

HOSTILE = (
    '<script>alert(1)</script>', '<svg onload=alert(1)>', 'a&amp;b', '&lt;b&gt;', 'US$ 1 and US$ 2', '$$x$$',
    'E$\\x$2', '{download}`../../etc/hostname`', '{math}`x`', '{{ title }}', '![x](y.png)',
    '[x](javascript:alert)', '[^1]', '[x]: y', 'https://example.org/a', 'www.example.org', 'example.com',
    'me@example.com', '<https://example.org>', '# head', '- item', '1. one', '1) one', '> quote', ':::{note}',
    '```{note}', '% comment', '+++', '(target)=', 'a | b', '*a* **b** _c_ __d__', '~~a~~', 'a\\_b \\* \\\\',
    '"a" -- \'b\'...', '<!-- a', '    code', '\tcode', '=====', ': definition', '[ ] task', '`', '``a`',
    '^a^ ~b~', '{term}`x`', '{#id .class}', '&#36;', '&nbsp;', 'a\nb', 'a\r\n\r\n# b', ' ', '\\', '\xa0',
)  # fmt: skip
SIGNS = "\\`*_{}[]()<>#+-.!|$&:/%@^~='\" a1\n"
NAMES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(min_size=1, max_size=30),
    st.text(SIGNS, min_size=1, max_size=30),
)


class Reader(HTMLParser):
    """The elements and the text of a piece of HTML."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        assert not attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(NAMES)
def test_a_name_is_read_as_it_is_in_a_sentence(name: str) -> None:
    page = Reader(render(f"It is {markdown(name)}, **{markdown(name)}**.\n\n- {markdown(name)} too"))
    assert page.tags == ["p", "strong", "ul", "li"]
    shown = visible(name)
    assert page.text.split("\n")[0] == f"It is {shown}, {shown}."


@given(NAMES)
def test_a_name_alone_in_a_paragraph_or_as_code_is_read_as_it_is(name: str) -> None:
    page = Reader(render(markdown(name)))
    assert page.tags == ["p"]
    assert page.text.removesuffix("\n") == visible(name)
    shown = Reader(render(f"in {code(name)} here"))
    assert shown.text == f"in {visible(name) if visible(name).strip() else '-'} here\n"


@given(NAMES)
def test_a_name_in_html_is_text_in_an_element_and_in_an_attribute(name: str) -> None:
    assert Reader(f"<p>{html(name)}</p>").text == visible(name)
    assert not set(html(name)) & set("<>\"'")


@given(st.text(max_size=60))
def test_what_nobody_escaped_becomes_no_element_with_a_life_of_its_own(name: str) -> None:
    """A forgotten name may look odd; it links, loads, runs and computes nothing."""
    allowed = {"p", "ul", "ol", "li", "em", "strong", "code", "pre", "br"}
    assert set(re.findall(r"<(\w+)", render(name))) <= allowed


@pytest.mark.parametrize("name", HOSTILE)
def test_what_nobody_escaped_brings_along_no_markup_of_its_own(name: str) -> None:
    assert not re.search(r"<(script|svg|a|img|math|h\d|blockquote|table)\b", render(f"so: {name}\n\n{name}"))


def myst(source: str) -> str:
    """Return HTML as the parser of the book makes it, with all that it knows."""
    config = yaml.safe_load((Path(__file__).parents[1] / "_config.yml").read_text(encoding="utf-8"))
    extensions = set(config["parse"]["myst_enable_extensions"])
    return create_md_parser(MdParserConfig(enable_extensions=extensions), RendererHTML).render(source)


@settings(deadline=None, max_examples=60)
@given(NAMES)
def test_also_the_parser_of_the_book_reads_a_name_as_text(name: str) -> None:
    page = Reader(myst(f"It is {markdown(name)}."))
    assert page.tags == ["p"]
    assert page.text == f"It is {visible(name)}.\n"
    cells = Reader(myst(f"| a | b |\n|---|---|\n| {markdown(name)} | x |"))
    assert cells.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]


def test_what_cannot_be_seen_is_shown() -> None:
    assert visible("a\nb\tc\x00") == "a⟨U+000A⟩b⟨U+0009⟩c⟨U+0000⟩"
    assert visible("gpj.\u202eexe\u200b") == "gpj.⟨U+202E⟩exe⟨U+200B⟩"
    assert visible("half \ud800") == "half ⟨U+D800⟩"
    assert visible("É–µ 日本 👨\u200d👩\u200d👧 می\u200cخواهم") == "É–µ 日本 👨\u200d👩\u200d👧 می\u200cخواهم"
    assert visible("a\u200db") == "a⟨U+200D⟩b"


@given(st.text())
def test_what_is_shown_can_be_written_and_keeps_to_its_line(name: str) -> None:
    shown = visible(name)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert visible(shown, len(shown)) == shown


def test_a_very_long_name_is_cut() -> None:
    assert visible("x" * LONGEST) == "x" * LONGEST
    assert visible("x" * 10_000) == "x" * (LONGEST - 1) + "…"
    assert builtin.unescape(markdown("*" * 10_000)) == "*" * (LONGEST - 1) + "…"


def test_a_figure_keeps_names_that_legends_leave_out() -> None:
    assert drawn("_x").lstrip() == "_x"
    assert not drawn("_x").startswith("_")
    assert len(drawn("x" * 100)) == 60
