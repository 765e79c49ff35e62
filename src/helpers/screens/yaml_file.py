"""A YAML file read strictly: a repeated key is an error, where YAML's own readers let the last one win."""

from typing import Any

import yaml

MOST_VALUES = 200_000
"""Values in one file, aliases written out; a list of every feature of the widest table is allowed."""


class YamlFileError(Exception):
    """A text is no YAML or repeats a key; `where` is its line, empty if it is about the whole."""

    def __init__(self, where: str, reason: str):
        super().__init__(f"{where}: {reason}" if where else reason)
        self.where, self.reason = where, reason


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Refuse a key that is there twice."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in lines:
                where = f"lines {lines[key.value]} and {line}" if lines[key.value] != line else f"line {line}"
                raise YamlFileError(where, f"the key '{key.value}' is given twice; keep one")
            lines[key.value] = line
        return super().construct_mapping(node, deep)


def _refuse_bomb(root: yaml.Node | None) -> None:
    """Refuse aliases of aliases, of which a few hundred bytes unfold to any size."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) in sizes:
            return sizes[id(node)]
        sizes[id(node)] = MOST_VALUES + 1  # of a node that holds itself
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = [part for pair in parts for part in pair] if isinstance(node, yaml.MappingNode) else parts
        sizes[id(node)] = min(1 + sum(size(part) for part in parts), MOST_VALUES + 1)
        return sizes[id(node)]

    if root is not None and size(root) > MOST_VALUES:
        reason = f"holds, with its aliases (*) written out, more than {MOST_VALUES:,} values; name what is meant once"
        raise YamlFileError("", reason)


def parse_yaml(text: str) -> Any:
    """Return the content of a YAML text.

    Raises
    ------
    YamlFileError
        If it cannot be parsed, is nested too deeply, or a key is given twice in one mapping.
    """
    try:
        _refuse_bomb(yaml.compose(text, _Loader))
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "cannot be parsed"
        raise YamlFileError(where, f"is not YAML ({reason}); check indents, quotes and colons") from None
    except RecursionError:
        raise YamlFileError("", "is nested too deeply: a few levels are enough") from None
    except ValueError as error:
        # A number of thousands of digits, a 13th month.
        raise YamlFileError("", f"holds a value that cannot be read ({error}); put it in quotes") from None
