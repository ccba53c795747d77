"""A YAML text as values, with the place of each; or why it is none.

PyYAML composes the nodes. What no file of ours has ends that at once: an alias that stands for too much, a depth that
nobody means, a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

import yaml
from yaml.reader import Reader, ReaderError

from overmind_core.documents.reading import Path, Place
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.problems import Problem, Problems, decoded

MAX_BYTES = 64 * 1024
MAX_DEPTH = 30
"""Of lists and tables within each other."""
MAX_NODES = 10_000
"""With everything counted again where an alias stands for it."""
LONGEST_QUOTE = 60
"""Characters of the file that a message repeats."""

_CORE = "tag:yaml.org,2002:"
_MERGE = "<<"
_STRANGE = re.compile("[\x00\ud800-\udfff]")


class ScalarKind(Enum):
    """What a plain word means to YAML."""

    TEXT = "str"
    WHOLE = "int"
    NUMBER = "float"
    FLAG = "bool"
    NOTHING = "null"


_KINDS = {kind.value: kind for kind in ScalarKind}


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or text, as it was written; in wire form."""

    text: str
    kind: ScalarKind


Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"


@dataclass(frozen=True, slots=True)
class YamlPlaces:
    """Where things stand in a text."""

    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    """What stands behind a key or in a list; of what an alias stands for, where that is written."""

    def at_key(self, path: Path) -> Place:
        """Where a key stands; of what has none, where it begins itself."""
        return self.keys.get(path) or self.values[path]

    def at_value(self, path: Path) -> Place:
        """Where a value begins."""
        return self.values[path]

    def at_character(self, path: Path, index: int) -> Place:  # noqa: ARG002 - folded texts don't say it
        """Where the text begins that the character is part of."""
        return self.values[path]


def document(data: bytes) -> tuple[Value, YamlPlaces, list[Problem]]:
    """Return what a file says, where it says it, and which keys it says twice: the first one counts.

    Raises:
        Problems: it is no YAML of ours: the one reason.
    """
    if len(data) > MAX_BYTES:
        raise _wrong((1, 1), f"the file is larger than {MAX_BYTES // 1024} KiB")
    text = decoded(data)
    strange = Reader.NON_PRINTABLE.search(text)
    if strange is not None:
        line = text.count("\n", 0, strange.start()) + 1
        column = strange.start() - text.rfind("\n", 0, strange.start())
        raise _wrong((line, column), f"the character U+{ord(strange[0]):04X} is not allowed in this file")
    loader = _Loader(text)
    try:
        root = loader.root()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error) from None
    except ReaderError as error:
        raise _wrong((1, 1), str(error.reason)) from None
    except (ValueError, OverflowError):  # of chr() and int() in the scanner
        raise _wrong((loader.line + 1, loader.column + 1), "this number is too large here") from None
    finally:
        loader.dispose()
    places = YamlPlaces()
    return _value(root, (), places), places, loader.doubled


class _Size(NamedTuple):
    """How much stands in a value, itself included, and how deep."""

    nodes: int = 1
    depth: int = 0


class _Loader(yaml.SafeLoader):
    """PyYAML's, with an eye on each event before it becomes a node, and on each node once it has ended."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.doubled: list[Problem] = []
        self._sizes: dict[yaml.Node, _Size] = {}
        """Of what has ended."""
        self._open: list[_Size] = []
        """Of the lists and tables that have not, from the outermost."""
        self._events = 0

    def root(self) -> yaml.Node:
        """The value of the text's one document."""
        root = self.get_node() if self.check_node() else None
        if root is None:
            raise _wrong((1, 1), "the file is empty: write at least isolation: {}")
        if self.check_node():
            second = self.peek_event()  # type: ignore[no-untyped-call] # PyYAML has no types
            raise _wrong(_place(second), "a second document begins here: write only one")
        return root

    def get_event(self) -> yaml.Event:
        self._events += 1
        # Each node has two events at most, and the text itself has four.
        if self._events > 2 * MAX_NODES + 4:
            raise _wrong((self.line + 1, 1), _too_much())
        return super().get_event()  # type: ignore[no-any-return,no-untyped-call] # PyYAML has no types

    def compose_node(self, parent: yaml.Node | None, index: yaml.Node | int | None) -> yaml.Node:
        event = self.peek_event()  # type: ignore[no-untyped-call] # PyYAML has no types
        assert isinstance(event, yaml.NodeEvent)
        where = _place(event)
        if isinstance(event, yaml.AliasEvent):
            self._check_alias(event)
        else:
            self._check_new(event)
        if isinstance(parent, yaml.MappingNode) and index is None and not isinstance(event, yaml.ScalarEvent):
            raise _wrong(where, "a key must be a word")
        node = self._composed(parent, index, event)
        if self._open:
            self._count(self._sizes[node], where)
        is_merged = isinstance(index, yaml.ScalarNode) and index.value == _MERGE
        if is_merged and not all(isinstance(one, yaml.MappingNode) for one in _merged(node)):
            raise _wrong(where, "<< takes a table or a list of tables")
        return node

    def _check_alias(self, event: yaml.AliasEvent) -> None:
        name = short(str(event.anchor))
        if event.anchor not in self.anchors:
            raise _wrong(_place(event), f"no anchor &{name} is defined before this")
        if self.anchors[event.anchor] not in self._sizes:
            raise _wrong(_place(event), f"*{name} refers to itself")

    def _check_new(self, event: yaml.NodeEvent) -> None:
        if isinstance(event, yaml.ScalarEvent):
            _check_tag(event, event.tag, _KINDS)
            strange = _STRANGE.search(event.value)
            if strange is not None:
                raise _wrong(_place(event), f"the character U+{ord(strange[0]):04X} is not allowed in a string")
        elif isinstance(event, yaml.CollectionStartEvent):
            _check_tag(event, event.tag, ["seq" if isinstance(event, yaml.SequenceStartEvent) else "map"])
            if len(self._open) >= MAX_DEPTH:
                raise _wrong(_place(event), _too_deep())

    def _composed(self, parent: yaml.Node | None, index: yaml.Node | int | None, event: yaml.NodeEvent) -> yaml.Node:
        if isinstance(event, yaml.AliasEvent):
            self.get_event()
            return self.anchors[event.anchor]
        self.anchors.pop(event.anchor, None)  # its name may be given again
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append(_Size())
        node = super().compose_node(parent, index)  # type: ignore[arg-type] # its stub lacks None
        assert node is not None
        self._sizes[node] = self._open.pop() if isinstance(event, yaml.CollectionStartEvent) else _Size()
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        if isinstance(node, yaml.MappingNode):
            self.doubled += _doubled(node)
        elif isinstance(event, yaml.ScalarEvent) and event.tag == "!":
            node.tag = f"{_CORE}{ScalarKind.TEXT.value}"
        return node

    def _count(self, size: _Size, where: Place) -> None:
        """A value has ended within the innermost list or table."""
        nodes, depth = self._open[-1]
        self._open[-1] = _Size(nodes + size.nodes, max(depth, size.depth + 1))
        if self._open[-1].nodes > MAX_NODES:
            raise _wrong(where, _too_much())
        if self._open[-1].depth + len(self._open) > MAX_DEPTH + 1:
            raise _wrong(where, _too_deep())


def _check_tag(event: yaml.NodeEvent, tag: str | None, known: Iterable[str]) -> None:
    if tag not in {None, "!"} and str(tag).removeprefix(_CORE) not in known:
        raise _wrong(_place(event), f"the tag {short(str(tag).replace(_CORE, '!!', 1))} can't be used here")


def _doubled(table: yaml.MappingNode) -> list[Problem]:
    """What is reported of keys that the table has had before."""
    first: dict[str, yaml.Node] = {}
    keys = [key for key, _ in table.value if key.value != _MERGE]
    return [
        Problem(*_place(key), f"{short(to_wire(key.value))} is listed twice: first in line {_place(before)[0]}")
        for key in keys
        if (before := first.setdefault(to_wire(key.value), key)) is not key
    ]


def _merged(node: yaml.Node) -> list[yaml.Node]:
    """What stands behind <<."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]


def _pairs(table: yaml.Node) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The keys and values of a table by name: its own, then those that are merged into it."""
    found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key, value in table.value:
        if key.value != _MERGE:
            found.setdefault(to_wire(key.value), (key, value))
    for merged in [one for key, value in table.value if key.value == _MERGE for one in _merged(value)]:
        for name, pair in _pairs(merged).items():
            found.setdefault(name, pair)
    return found


def _value(node: yaml.Node, path: Path, places: YamlPlaces) -> Value:
    places.values[path] = _place(node)
    if isinstance(node, yaml.ScalarNode):
        return Scalar(to_wire(node.value), _KINDS.get(node.tag.removeprefix(_CORE), ScalarKind.TEXT))
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*path, place), places) for place, one in enumerate(node.value)]
    pairs = _pairs(node)
    places.keys.update(((*path, name), _place(key)) for name, (key, _) in pairs.items())
    return {name: _value(value, (*path, name), places) for name, (_, value) in pairs.items()}


def _place(found: yaml.Event | yaml.Node) -> Place:
    mark = found.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def short(text: str) -> str:
    """Return what a message repeats of the file."""
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def _too_much() -> str:
    return f"the file has more than {MAX_NODES} values, counting each use of an alias"


def _too_deep() -> str:
    return f"lists and tables are nested more than {MAX_DEPTH} levels deep"


def _wrong(place: Place, message: str) -> Problems:
    return Problems([Problem(*place, message)])


def _syntax(error: yaml.MarkedYAMLError) -> Problems:
    mark = error.problem_mark or error.context_mark
    line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
    problem = str(error.problem or error.context or "this is not valid YAML")
    if "'\\t'" in problem:
        problem = "a tab is not allowed here: indent with spaces"
    elif error.context and error.context_mark is not None and error.context_mark.line + 1 != line:
        problem = f"{problem} ({error.context} that begins in line {error.context_mark.line + 1})"
    return _wrong((line, column), short(problem) if len(problem) > 3 * LONGEST_QUOTE else problem)
