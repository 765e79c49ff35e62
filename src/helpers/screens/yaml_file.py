"""A YAML file read strictly: a repeated key is an error, where YAML's own readers let the last one win."""

import re
from typing import Any

import yaml

from helpers.errors import shorten

MOST_BYTES = 500_000
"""Of a file that a person writes; a longer one takes many seconds to read."""

_TAG = re.compile(r"could not determine a constructor for the tag '(?:tag:yaml\.org,2002:)?([^']*)'")


class YamlFileError(Exception):
    """A text is no YAML or repeats a key; `where` is its line, empty if it is about the whole."""

    def __init__(self, where: str, reason: str):
        super().__init__(f"{where}: {reason}" if where else reason)
        self.where, self.reason = where, reason


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: a few of them can stand for more than any memory holds, or for themselves."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            reason = f"the alias *{event.anchor} stands for another part; write that part out in its place"
            raise YamlFileError(f"line {event.start_mark.line + 1}", shorten(reason, 200))
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Refuse a key that is there twice."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                where = f"lines {lines[key.value]} and {line}" if lines[key.value] != line else f"line {line}"
                raise YamlFileError(where, f"the key '{shorten(key.value, 60)}' is given twice; keep one")
            lines[key.value] = line
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """Return the content of a YAML text.

    Raises
    ------
    YamlFileError
        If it cannot be parsed, is nested too deeply, has an alias, or a key is given twice in one mapping.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        reason = f"holds the character U+{error.character:04X}, which YAML does not allow; remove it"
        raise YamlFileError(f"line {line}", reason) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        reason = shorten(
            _TAG.sub(r"the tag !!\1 is not read here", getattr(error, "problem", None) or "cannot be parsed"),
            200,
        )
        raise YamlFileError(where, f"is not YAML ({reason}); check indents, quotes and colons") from None
    except RecursionError:
        raise YamlFileError("", "is nested too deeply: a few levels are enough") from None
    except (ValueError, OverflowError, TypeError, KeyError, IndexError, AttributeError) as error:
        # A number of thousands of digits, a 13th month, a tag that the value does not fit.
        own = "digits" in str(error) or not isinstance(error, ValueError)
        reason = (
            "a number of thousands of digits, or a tag that it does not fit"
            if own
            else shorten(str(error), 200)
        )
        raise YamlFileError("", f"holds a value that cannot be read ({reason}); put it in quotes") from None
