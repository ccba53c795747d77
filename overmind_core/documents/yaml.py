"""A YAML text as values, with the place of each; or why it is none.

PyYAML cuts the text into events; the values are built here, because what it builds has no places, expands aliases
without end, and goes as deep as the text wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import yaml
from yaml.reader import Reader, ReaderError

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


class ScalarKind(Enum):
    """What a plain word means to YAML."""

    TEXT = "str"
    WHOLE = "int"
    NUMBER = "float"
    FLAG = "bool"
    NOTHING = "null"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or text, as it was written; in wire form."""

    line: int
    column: int
    text: str
    kind: ScalarKind


@dataclass(frozen=True, slots=True)
class Series:
    """A list."""

    line: int
    column: int
    entries: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A key of a table, where it stands, and what is behind it."""

    line: int
    column: int
    value: Node


@dataclass(frozen=True, slots=True)
class Table:
    """Keys, as they were written, and their values."""

    line: int
    column: int
    entries: dict[str, TableEntry] = field(default_factory=dict)


Node = Scalar | Series | Table


def document(data: bytes) -> tuple[Node, list[Problem]]:
    """Return what a file says, and which keys it says twice: the first one counts.

    Raises:
        Problems: it is no YAML of ours: the one reason.
    """
    if len(data) > MAX_BYTES:
        raise _wrong(1, 1, f"the file has more than {MAX_BYTES // 1024} KiB")
    text = decoded(data)
    strange = Reader.NON_PRINTABLE.search(text)
    if strange is not None:
        line = text.count("\n", 0, strange.start()) + 1
        column = strange.start() - text.rfind("\n", 0, strange.start())
        raise _wrong(line, column, f"the character U+{ord(strange[0]):04X} can't stand in this file")
    loader = yaml.SafeLoader(text)
    try:
        return _Builder(loader).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error) from None
    except ReaderError as error:
        raise _wrong(1, 1, str(error.reason)) from None
    except (ValueError, OverflowError):  # of chr() and int() in the scanner
        raise _wrong(loader.line + 1, loader.column + 1, "this number is too large for what it is used for") from None
    finally:
        loader.dispose()


@dataclass(slots=True)
class _Built:
    """A value, and how much stands in it."""

    node: Node
    nodes: int = 1
    depth: int = 0


@dataclass(slots=True)
class _OpenCollection:
    """A list or table that has not ended yet."""

    built: _Built
    anchor: str | None
    key: Scalar | None = None
    """The key whose value comes next."""
    merged: list[Table] = field(default_factory=list)


class _Builder:
    """The way through the events of one text."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self.loader = loader
        self.open: list[_OpenCollection] = []
        self.anchors: dict[str | None, _Built | None] = {}
        """None: it has not ended yet."""
        self.doubled: list[Problem] = []
        self.root: _Built | None = None

    def document(self) -> tuple[Node, list[Problem]]:
        for event in self._events():
            if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
                raise _wrong(*_place(event), "a second document begins here; write one")
            if isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.ScalarEvent):
                self._add(_Built(self._scalar(event)), event.anchor)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
        if self.root is None:
            raise _wrong(1, 1, "the file says nothing; write at least: isolation: {}")
        return self.root.node, self.doubled

    def _events(self) -> Iterator[yaml.Event]:
        seen = 0
        while self.loader.check_event():
            seen += 1
            # Each node has two events at most, and the text itself has four.
            if seen > 2 * MAX_NODES + 4:
                raise _wrong(self.loader.line + 1, 1, _too_much())
            yield self.loader.get_event()  # type: ignore[no-untyped-call]

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        line, column = _place(event)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        self._report_tag(event, ("seq",) if is_list else ("map",))
        if len(self.open) >= MAX_DEPTH:
            raise _wrong(line, column, f"lists and tables stand more than {MAX_DEPTH} deep within each other")
        if self.open and self._awaits_key():
            raise _wrong(line, column, "a key must be a word")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node: Node = Series(line, column) if is_list else Table(line, column)
        self.open.append(_OpenCollection(_Built(node), event.anchor))

    def _end(self) -> None:
        ended = self.open.pop()
        if isinstance(ended.built.node, Table):
            for table in ended.merged:
                for name, entry in table.entries.items():
                    ended.built.node.entries.setdefault(name, entry)
        self._add(ended.built, ended.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = short(str(event.anchor))
        if event.anchor not in self.anchors:
            raise _wrong(*_place(event), f"there is no anchor &{name} before this")
        built = self.anchors[event.anchor]
        if built is None:
            raise _wrong(*_place(event), f"*{name} stands within what it stands for")
        if self.open and self._awaits_key():
            raise _wrong(*_place(event), "a key must be a word")
        self._add(built, None, at=_place(event))

    def _awaits_key(self) -> bool:
        top = self.open[-1]
        return isinstance(top.built.node, Table) and top.key is None

    def _add(self, built: _Built, anchor: str | None, at: tuple[int, int] | None = None) -> None:
        """Put a value where it belongs: behind a key, into a list, or at the top."""
        if anchor is not None:
            self.anchors[anchor] = built
        if not self.open:
            self.root = built
            return
        top, node = self.open[-1], built.node
        where = at or (node.line, node.column)
        self._count(top.built, built, where)
        above = top.built.node
        if isinstance(above, Series):
            above.entries.append(node)
        elif isinstance(above, Table):
            if top.key is None:
                top.key = self._key(node)
                return
            self._pair(top, top.key, node, where)
            top.key = None

    def _key(self, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            raise _wrong(node.line, node.column, "a key must be a word")
        return node

    def _pair(self, top: _OpenCollection, key: Scalar, node: Node, where: tuple[int, int]) -> None:
        assert isinstance(top.built.node, Table)
        if key.text == _MERGE:
            merged = node.entries if isinstance(node, Series) else [node]
            if not all(isinstance(one, Table) for one in merged):
                raise _wrong(*where, "behind << stands a table, or a list of tables")
            top.merged += [one for one in merged if isinstance(one, Table)]
            return
        before = top.built.node.entries.get(key.text)
        if before is None:
            top.built.node.entries[key.text] = TableEntry(key.line, key.column, node)
        else:
            told = f"{short(key.text)} is there twice: first in line {before.line}"
            self.doubled.append(Problem(key.line, key.column, told))

    def _count(self, above: _Built, built: _Built, where: tuple[int, int]) -> None:
        above.nodes += built.nodes
        above.depth = max(above.depth, built.depth + 1)
        if above.nodes > MAX_NODES:
            raise _wrong(*where, _too_much())
        if above.depth + len(self.open) > MAX_DEPTH + 1:
            raise _wrong(*where, f"lists and tables stand more than {MAX_DEPTH} deep within each other")

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        line, column = _place(event)
        self._report_tag(event, tuple(kind.value for kind in ScalarKind))
        strange = re.search("[\x00\ud800-\udfff]", event.value)
        if strange is not None:
            raise _wrong(line, column, f"the character U+{ord(strange[0]):04X} can't stand in a text")
        tag = event.tag or self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        word = str(tag).removeprefix(_CORE)
        kind = next((one for one in ScalarKind if one.value == word), ScalarKind.TEXT)
        return Scalar(line, column, to_wire(event.value), kind)

    def _report_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, known: tuple[str, ...]) -> None:
        tag = event.tag
        if tag is None or tag == "!" or tag.removeprefix(_CORE) in known:
            return
        told = tag.replace(_CORE, "!!", 1)
        raise _wrong(*_place(event), f"the tag {short(told)} can't be used here")


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def short(text: str) -> str:
    """Return what a message repeats of the file."""
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def _too_much() -> str:
    return f"the file has more than {MAX_NODES} values, counted again wherever an alias stands for them"


def _wrong(line: int, column: int, message: str) -> Problems:
    return Problems([Problem(line, column, message)])


def _syntax(error: yaml.MarkedYAMLError) -> Problems:
    mark = error.problem_mark or error.context_mark
    line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
    told = str(error.problem or error.context or "this is no YAML")
    if "'\\t'" in told:
        told = "a tab can't stand here; indent with spaces"
    elif error.context and error.context_mark is not None and error.context_mark.line + 1 != line:
        told = f"{told} ({error.context} that begins in line {error.context_mark.line + 1})"
    return _wrong(line, column, short(told) if len(told) > 3 * LONGEST_QUOTE else told)
