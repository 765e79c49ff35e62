"""The page of the shipped classes shows the list that ships."""

import re

from helpers.hits.classes import shipped_classes


def test_the_page_shows_the_list_that_ships(project):
    page = (project / "book" / "classes.md").read_text(encoding="utf-8")
    table = page[page.index("| class | members | basis |") :]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    shown = {(treatment, name, basis) for name, members, basis in rows for treatment in members.split(", ")}
    assert shown == set(shipped_classes().itertuples(index=False, name=None))


def test_the_list_is_packed_into_the_wheel(project):
    """Hatch packs every file of the package that git does not ignore."""
    ignored = (project / ".gitignore").read_text().split()
    for name in ("classes.csv", "synonyms.csv", "structures.csv"):
        assert (project / "src" / "helpers" / "hits" / "data" / name).is_file()
    assert not [pattern for pattern in ignored if re.search(r"csv|data", pattern)]
