"""A built page runs what the tools of the book write, and nothing that came with a name."""

import base64
import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.pages.search import searchable_html
from helpers.publish.site.policy import inline_scripts, is_known, policy, set_policy, unknown_scripts

HEAD = "<html><head>\n<meta charset=\"utf-8\">\n<script>kernelName = 'python3'</script></head><body>"


def digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def rules(page: str) -> dict[str, list[str]]:
    """Return the sources by directive of the policy that stands in a page."""
    text = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    return {name: sources for name, *sources in (rule.split() for rule in text.split(";"))}


def test_a_page_keeps_its_own_scripts_and_gives_no_hash_to_a_strangers(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(f"{HEAD}<script>alert(1)</script><p>µ</p></body></html>")
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "part.html").write_text("<head></head>")
    assert len(unknown_scripts(tmp_path)) == 1
    set_policy(tmp_path)
    page = (tmp_path / "index.html").read_text()
    found = rules(page)
    assert digest("kernelName = 'python3'") in found["script-src"]
    assert digest("alert(1)") not in found["script-src"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "blob:", "*"} & set(found["script-src"])
    assert found["default-src"] == ["'self'"]
    assert found["object-src"] == ["'none'"]
    assert found["base-uri"] == found["form-action"] == ["'self'"]
    assert not any(":" in source and source not in ("data:",) for rule in found.values() for source in rule)
    # the encoding stays within the first kilobyte, the policy before the first script
    assert page.index("charset") < page.index("Content-Security-Policy") < page.index("<script>")
    assert (tmp_path / "_static" / "part.html").read_text() == "<head></head>"


def test_a_table_of_the_book_runs_whatever_its_rows_hold() -> None:
    table = pd.DataFrame({"compound": ["</script><script>alert(1)</script>", "a"], "x": [1.5, None]})
    for pictures in (None, pd.Series(["<svg></svg>"] * 2, name="curve")):
        page = searchable_html(table, "odd results", pictures)
        scripts = inline_scripts(page)
        assert len(scripts) == 3
        assert all(map(is_known, scripts))
        assert "blob:" in policy(page)
        assert "'unsafe-eval'" not in policy(page)


@pytest.mark.parametrize(
    ("own", "strange"),
    [
        ("DOCUMENTATION_OPTIONS.pagename = 'notebooks/01';", "DOCUMENTATION_OPTIONS.pagename = ''+alert(1)+'';"),
        ("let toggleHintShow = 'Click to show';", "let toggleHintShow = 'x'; fetch('/')"),
        ('window.MathJax = {"options": {"a": "b|c"}}', 'window.MathJax = {"options": alert(1)}'),
        ('window.MathJax = {"options": {}}', 'window.MathJax = {"options": {}}; alert(1)'),
    ],
)  # fmt: skip
def test_what_looks_like_a_script_of_the_book_is_none(own: str, strange: str) -> None:
    assert is_known(own)
    assert not is_known(strange)


def test_a_table_script_with_a_line_more_is_not_known() -> None:
    script = inline_scripts(searchable_html(pd.DataFrame({"a": [1]}), "rows"))[2]
    assert is_known(script)
    assert not is_known(script + "alert(1)")
    assert not is_known(script.replace("let dt_args = {", "let dt_args = {a: alert(1), ", 1))
    assert not is_known(script.replace("new ITable(table, dt_args)", "eval(table)"))
