"""A document from a value as JSON or Markdown gave it: whatever is wrong is collected, whatever can be read is kept.

One rule makes documents comparable: a text is normal. Its lines end in a newline and nothing else, have no blanks at
their ends, and no control characters in them; nor do blank lines stand around it. So what is read from what was written
is what was there before. It is generous where nothing is lost by it: a text stands for a list of one, an object in a
list of texts becomes lines of `key: value`, a number may be written in quotes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeGuard

from overmind_core.domain.specs.shape import (
    MAX_ID,
    MAX_PATH,
    MAX_TEXT,
    SHAPES,
    Document,
    DocumentField,
    Fault,
    FieldKind,
    FreeSection,
    Path,
    ThingShape,
)
from overmind_core.domain.specs.spec import PhaseName
from overmind_core.domain.text import file_pattern
from overmind_core.domain.text.globs import glob_problem

NO_ID = "?"
"""Stands in a heading where an id, or a name, is missing."""
MOST_FAULTS = 100
"""Most faults that are reported at once; after fixing them the next ones are."""

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*")
_PLAIN_IDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\n[A-Za-z0-9][A-Za-z0-9_-]*)*")
_PLAIN_PATHS = re.compile(r"\w[\w.@+-]*(?:[/\n]\w[\w.@+-]*)*", re.ASCII)
"""Matches lists of plain paths, joined by newlines: they need no further check."""
_SECTION = re.compile(r"^(?=##[ \t]+\S)", re.MULTILINE)
_MAX_HOURS = 1e6


_Others: TypeAlias = list[tuple[str, object]]
"""Keys that no table knows, with their values."""
_Read: TypeAlias = "Callable[[_Reader, Any, DocumentField], Any]"
_Rows: TypeAlias = dict[str, tuple[_Read, DocumentField, tuple[str, ...]]]


class Reading(NamedTuple):
    """A document as it was read, with the faults of its text."""

    document: Document
    """As far as it could be read."""
    faults: tuple[Fault, ...] = ()
    lines: Callable[[], Mapping[Path, int]] = dict
    """Returns the lines of things in the text: path → line, from 1. Called only if there are faults."""
    is_readable: bool = True
    """Whether there is a text at all; else the faults say why not, and nothing is known of the document."""

    def located(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """Return faults with their lines, in the order of the file; they get that of the nearest thing around them."""
        found = tuple(faults)
        lines = self.lines() if any(fault.line is None for fault in found) else {}
        return tuple(sorted((_with_line(fault, lines) for fault in found), key=lambda fault: fault.line or 0))


def _with_line(fault: Fault, lines: Mapping[Path, int]) -> Fault:
    if fault.line is not None:
        return fault
    path = fault.path
    return fault._replace(
        line=next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), None)
    )


def is_id(text: str) -> bool:
    """Whether it can be the id of a requirement or task: part of a quest's name, and one word of a heading."""
    return len(text) <= MAX_ID and _ID.fullmatch(text) is not None


def normal_lines(text: str) -> str:
    """Return a text with normal lines; what stands around it stays."""
    if text.isprintable():
        return text.rstrip()
    text = _UNSAFE.sub(_REPLACEMENT, text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join([line.rstrip() for line in text.split("\n")])


def normal(text: str) -> str:
    """Return a normal text; see the head of this file."""
    return normal_lines(text).strip()


def one_line(text: str) -> str:
    """Return a normal text of one line, with single blanks."""
    return " ".join(normal(text).split())


def field_name(key: str) -> str:
    """Return a key as the tables write it: `Codebase summary` is `codebase_summary`."""
    return "_".join(key.lower().replace("-", " ").split())


def read(phase: PhaseName, value: object, *, title: str = "") -> Reading:
    """Return the document that a value is.

    Args:
        phase: Which one it should be.
        value: What JSON says, of any type.
        title: The spec's, where the value has none.
    """
    reader = _Reader()
    shape = SHAPES[phase]
    if not isinstance(value, dict):
        reader.wrong("must be an object with the fields of this document")
        return Reading(shape.type(title=one_line(title)), tuple(reader.faults))
    values = dict(value)
    head = {name: values.pop(name, None) for name in ("phase", "title", "sections")}
    if head["phase"] is not None and head["phase"] != phase:
        reader.wrong(f"must be {phase}", "phase")
    title = ("" if head["title"] is None else reader.line(head["title"], None, "title")) or one_line(title)
    sections = reader.sections(head["sections"], shape)
    fields, other = reader.fields(values, shape)
    sections += [_free_section(name, text) for name, text in reader.free_texts(other)]
    document = shape.type(title=title, sections=_in_order(sections), **fields)
    return Reading(document, tuple(reader.faults))


def _in_order(sections: list[FreeSection]) -> tuple[FreeSection, ...]:
    """Merge all text before the first section into one free section, which comes first."""
    first = "\n\n".join(section.text for section in sections if not section.heading and section.text)
    rest = [section for section in sections if section.heading]
    return (*([FreeSection("", first)] if first else ()), *rest)


class _Reader:
    """Reads values by the tables, and collects faults.

    Where it is, is not passed on but remembered: documents are read more often than there is something wrong with one.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.thing: Path = ()
        """Whose fields are read."""
        self.field: tuple[str, ...] = ()
        """Which of them."""

    def wrong(self, sentence: str, *inside: str | int, code: str = "invalid") -> None:
        """Record a fault of the current field, or of something inside it."""
        path = (*self.thing, *self.field, *inside)
        if len(self.faults) < MOST_FAULTS:
            name = next((part for part in reversed(path) if isinstance(part, str)), "")
            self.faults.append(Fault(code, f"{name}: {sentence}" if name else sentence, path))

    def fields(self, values: Mapping[Any, object], shape: ThingShape) -> tuple[dict[str, Any], _Others]:
        """Return the fields of a thing that are there, and what no table knows."""
        found: dict[str, Any] = {}
        rows = _READERS[shape.type]
        for name, (read_one, row, field) in rows.items():
            value = values.get(name)
            if value is not None:
                self.field = field
                found[name] = read_one(self, value, row)
        self.field = ()
        return found, [] if rows.keys() >= values.keys() else self._others(values, found, rows)

    def _others(self, values: Mapping[Any, object], found: dict[str, Any], rows: _Rows) -> _Others:
        """Read keys in another spelling than that of the tables; return the unknown ones."""
        others: dict[str, tuple[str, object]] = {}
        for key, value in values.items():
            shown = one_line(str(key))
            name = field_name(shown)
            if key in rows or value is None or shown.startswith("$"):  # `$schema` and the like are said to programs
                continue
            if not name:
                self.wrong("empty key", str(key))
            elif name in found or name in others:
                self.wrong("listed twice", str(key))
            elif name in rows:
                read_one, row, _ = rows[name]
                self.field = (str(key),)
                found[name] = read_one(self, value, row)
                self.field = ()
            else:
                others[name] = shown, value
        return list(others.values())

    def text(self, value: object, row: DocumentField | None, *inside: str | int) -> str:
        """A text; several lines are fine."""
        del row
        if type(value) is str and len(value) <= MAX_TEXT and value.isprintable():
            return value.strip()
        if not isinstance(value, str):
            self.wrong("must be text", *inside)
            return ""
        text = normal(value)
        if len(text) > MAX_TEXT:
            sentence = f"{len(text):,} characters; the limit is {MAX_TEXT:,}"
            self.wrong(sentence, *inside, code="too_large")
            return text[:MAX_TEXT].rstrip()
        return text

    def line(self, value: object, row: DocumentField | None, *inside: str | int) -> str:
        """A text of one line."""
        if type(value) is str and len(value) <= MAX_TEXT and "  " not in value and value.isprintable():
            return value.strip()
        text = self.text(value, row, *inside)
        return " ".join(text.split())

    def id(self, value: object, row: DocumentField | None) -> str:
        """The id of a thing; empty where a heading says that there is none."""
        text = self.line(value, row)
        if not text or is_id(text):
            return text
        if text != NO_ID:
            self.wrong(f"{text[:MAX_ID]!r} is not an id: use letters, digits, '.', '_' and '-', at most {MAX_ID}")
        return ""

    def path(self, value: object, row: DocumentField | None, *inside: str | int) -> str:
        """A path inside the repository, without `./` and a slash at its end."""
        text = self.text(value, row, *inside)
        problem = _path_problem(text)
        if problem:
            self.wrong(f"{text[:MAX_ID]!r} {problem}", *inside)
            return ""
        return "/".join(name for name in text.split("/") if name not in {"", "."})

    def file(self, value: object, row: DocumentField) -> str:
        """A path of a file; one that ends as only a folder's may is none, whatever is there."""
        found = self.path(value, row)
        if found and str(value).strip().rpartition("/")[2] in {"", "."}:
            self.wrong(f"{str(value).strip()[:MAX_ID]!r} is a folder: name a file")
            return ""
        return found

    def hours(self, value: object, row: DocumentField) -> float | None:
        """A number of hours."""
        if value == "":
            return None
        try:
            number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if 0 <= number <= _MAX_HOURS:
            return number
        self.wrong(f"must be {row.kind.value}")
        return None

    def texts(self, value: object, row: DocumentField) -> tuple[str, ...]:
        """Texts; blank ones are left out."""
        found = []
        for place, item in enumerate(self._list(value, row)):
            text = item if isinstance(item, str) else self._folded(item, place)
            found.append(self.text(text, row, place))
        return tuple(filter(None, found))

    def ids(self, value: object, row: DocumentField) -> tuple[str, ...]:
        """Ids that are referred to: whether there are such things is for a check to say."""
        items = self._list(value, row)
        if _is_plain(items, _PLAIN_IDS):
            return tuple(dict.fromkeys(items))
        found = [self.line(item, row, place) for place, item in enumerate(items)]
        return tuple(dict.fromkeys(filter(None, found)))

    def paths(self, value: object, row: DocumentField) -> tuple[str, ...]:
        """Paths inside the repository."""
        items = self._list(value, row)
        if _is_plain(items, _PLAIN_PATHS):
            return tuple(dict.fromkeys(items))
        found = [self.path(item, row, place) for place, item in enumerate(items)]
        return tuple(dict.fromkeys(filter(None, found)))

    def map(self, value: object, row: DocumentField) -> dict[str, str]:
        """Texts by name."""
        if not isinstance(value, dict):
            self.wrong(f"must be {row.kind.value}")
            return {}
        found: dict[str, str] = {}
        for key, item in value.items():
            name = one_line(str(key))
            if not name:
                self.wrong("empty key", str(key))
            elif name in found:
                self.wrong("listed twice", str(key))
            else:
                found[name] = self.text(self._folded(item, str(key)), row, str(key))
        return found

    def record(self, value: object, row: DocumentField) -> Any:  # noqa: ANN401 - of the type that the table names
        """One thing."""
        assert row.of is not None
        return self._thing(value, row.of, (*self.thing, *self.field)) or row.of.type()

    def pairs(self, value: object, row: DocumentField) -> tuple[Any, ...]:
        """Things of two fields; what else is said of one is written below its second."""
        assert row.of is not None
        second = row.of.fields[1]
        found = []
        for thing, other in self._things(value, row):
            if other and second.kind is FieldKind.TEXT:
                lines = [thing.get(second.name, ""), *(f"{key}: {text}" for key, text in self.free_texts(other))]
                thing[second.name] = self.text("\n".join(filter(None, lines)), second)
            if any(thing.values()):
                found.append(row.of.type(**thing))
        return tuple(found)

    def things(self, value: object, row: DocumentField) -> tuple[Any, ...]:
        """Things with headings; of those with ids, each has one."""
        assert row.of is not None
        name, *_ = row.of.heading
        has_id = row.of.fields[0].kind is FieldKind.ID
        found = []
        for thing, other in self._things(value, row):
            if thing.get(name) == NO_ID:
                thing[name] = ""
            if has_id and not thing.get(name) and not any(fault.path == (*self.thing, name) for fault in self.faults):
                self.wrong("missing", name)
            found.append(self._made(row.of, thing, other))
        return tuple(found)

    def _things(self, value: object, row: DocumentField) -> Iterator[tuple[dict[str, Any], _Others]]:
        """Yield the fields of each thing of a list; in the meantime it is the one that is read."""
        assert row.of is not None
        around, field = self.thing, self.field
        path = (*around, *field)
        for place, item in enumerate(self._list(value, row)):
            self.thing, self.field = (*path, place), ()
            if (values := self._object(item, row.of)) is not None:
                yield self.fields(values, row.of)
        self.thing, self.field = around, field

    def _thing(self, value: object, shape: ThingShape, path: Path) -> Any | None:  # noqa: ANN401 - of the shape's type
        around, field = self.thing, self.field
        self.thing, self.field = path, ()
        values = self._object(value, shape)
        made = None if values is None else self._made(shape, *self.fields(values, shape))
        self.thing, self.field = around, field
        return made

    def _object(self, value: object, shape: ThingShape) -> Mapping[Any, object] | None:
        if isinstance(value, dict):
            return value
        if isinstance(value, str) and shape.body:
            return {shape.body: value}
        self.wrong(f"must be an object with {', '.join(row.name for row in shape.fields)}")
        return None

    def _made(self, shape: ThingShape, fields: dict[str, Any], other: _Others) -> Any:  # noqa: ANN401 - of the shape's type
        if other:
            fields["other"] = tuple((key, text) for key, text in self.free_texts(other) if text)
        return shape.type(**fields)

    def _list(self, value: object, row: DocumentField) -> list[object]:
        """The entries of a list; one stands for a list of one."""
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list):
            self.wrong(f"must be {row.kind.value}")
            return []
        if row.most is not None and len(value) > row.most:
            self.wrong(f"{len(value):,} entries; the limit is {row.most:,}", code="too_large")
            return value[: row.most]
        return value

    def free_texts(self, values: _Others) -> list[tuple[str, str]]:
        """What no table knows, as texts."""
        return [(key, self.text(self._folded(value, key), None, key)) for key, value in values]

    def sections(self, value: object, shape: ThingShape) -> list[FreeSection]:
        """Sections that no phase knows, as Markdown brings them."""
        found = []
        known = {row.name for row in shape.fields}
        for place, item in enumerate(value if isinstance(value, list) else [] if value is None else [None]):
            texts = [item.get("heading"), item.get("text")] if isinstance(item, dict) else []
            heading, text = (one if isinstance(one, str) else None for one in texts or (None, None))
            if heading is None or text is None:
                self.wrong("must be an object with heading and text", "sections", place)
            elif field_name(one_line(heading)) in known:
                self.wrong(f"{heading!r} is a field of this document", "sections", place)
            else:
                found.append(_free_section(self.line(heading, None, "sections", place), text))
        return found

    def _folded(self, value: object, *inside: str | int) -> str:
        """Return an object or list, where a text should stand, as lines; anything else as JSON writes it."""
        if not isinstance(value, (dict, list)):
            return "" if value is None else _word(value)
        try:
            if isinstance(value, dict):
                return "\n".join(f"{key}: {_word(item)}" for key, item in value.items())
            return "\n".join(f"- {_word(item)}" for item in value)
        except RecursionError:
            self.wrong("nested too deep", *inside)
            return ""


def _free_section(heading: str, text: str) -> FreeSection:
    r"""Return a section; a line that would begin another one gets a `\`."""
    return FreeSection(heading, _SECTION.sub(r"\\", normal_lines(text).strip("\n")))


def _is_plain(items: list[Any], plain: re.Pattern[str]) -> TypeGuard[list[str]]:
    """Whether these are short texts without anything to look into, as they mostly are."""
    try:
        joined = "\n".join(items)
    except TypeError:
        return False
    return len(joined) <= MAX_PATH and joined.count("\n") < len(items) and plain.fullmatch(joined) is not None


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def owned(path: str) -> str:
    """Return the pattern of what a path of a document names: itself, and all below it; one with `*` is a pattern."""
    if "*" in path:
        return path
    exact = file_pattern.exactly(path).removeprefix("./")
    return exact if "/" in exact else f"/{exact}"


def _path_problem(path: str) -> str | None:
    names = path.split("/")
    for is_wrong, problem in (
        ("\n" in path, "has more than one line"),
        (len(path) > MAX_PATH, f"has more than {MAX_PATH:,} characters"),
        (path.startswith("/"), "is absolute: make it relative to the top of the repository"),
        (".." in names, "must not contain '..'"),
        (bool(path) and not any(name not in {"", "."} for name in names), "is the whole repository"),
    ):
        if is_wrong:
            return problem
    return glob_problem(owned(path)) if path else None


_READ: Mapping[FieldKind, _Read] = {
    FieldKind.TEXT: _Reader.text,
    FieldKind.LINE: _Reader.line,
    FieldKind.ID: _Reader.id,
    FieldKind.PATH: _Reader.file,
    FieldKind.HOURS: _Reader.hours,
    FieldKind.TEXTS: _Reader.texts,
    FieldKind.IDS: _Reader.ids,
    FieldKind.PATHS: _Reader.paths,
    FieldKind.MAP: _Reader.map,
    FieldKind.RECORD: _Reader.record,
    FieldKind.PAIRS: _Reader.pairs,
    FieldKind.THINGS: _Reader.things,
}


def _readers(shape: ThingShape) -> Iterator[tuple[type[Any], _Rows]]:
    """Yield how the fields of a thing, and of all things in it, are read."""
    yield shape.type, {row.name: (_READ[row.kind], row, (row.name,)) for row in shape.fields}
    for row in shape.fields:
        if row.of is not None:
            yield from _readers(row.of)


_READERS = dict(one for shape in SHAPES.values() for one in _readers(shape))
"""Type of a thing → its fields: what reads each, its row, and its path."""
