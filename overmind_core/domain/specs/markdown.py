r"""A document as Markdown, for people, reviews and git; and back.

`# phase: title`, then `## field` for each field that is not empty (`_` as blank): a text, `- item`, `- key: value`,
or things: `### ID title`, `- key: value` lines, then the text. What belongs to an item or value stands two blanks
deeper. A line of text that begins with `#`, `-` or `\` gets a `\`; so does a colon in a key that would end it. Sections
that no phase knows are kept as they are, at the end.

`parse` makes the value of which the same document could be read as JSON, and knows the line of each thing in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.specs.reading import (
    MOST_FAULTS,
    NO_ID,
    Reading,
    field_name,
    is_id,
    normal_lines,
    one_line,
    read,
)
from overmind_core.domain.specs.shape import (
    MAX_BYTES,
    SHAPES,
    Document,
    DocumentField,
    Fault,
    FieldKind,
    Path,
    ThingShape,
)
from overmind_core.domain.specs.spec import PhaseName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

INDENT = "  "
BULLET = "- "

_TITLE = re.compile(r"#[ \t]+(\w+)[ \t]*(?::(.*))?")
_SECTION = re.compile(r"##[ \t]+(\S.*)")
_THING = re.compile(r"###(?:[ \t]+(.*))?")
_ITEM = re.compile(r"[-*](?:[ \t]+(.*))?")
_KEY_LINE = re.compile(r"-(?:[ \t]+(.*))?")
_KEY = re.compile(r"((?:[^:\\]|\\[\\:]|\\(?![\\:])|:(?=\S))*):(?:\s+(.*))?")
_ESCAPED_TEXT = re.compile(r"\\[#\\-]")
_ESCAPED_KEY = re.compile(r"\\([\\:])")
_COLON_THAT_ENDS = re.compile(r":(?=\s|$)")
_LISTS = frozenset({FieldKind.TEXTS, FieldKind.IDS, FieldKind.PATHS})
_INLINE = frozenset({FieldKind.IDS, FieldKind.PATHS})
"""Lists that fit in a line, with commas."""


def phase_of(text: str) -> PhaseName | None:
    """Return the phase that the first line of a document names; None when it names none."""
    first = text.removeprefix("\ufeff").lstrip()[:200].split("\n", 1)[0]
    found = _TITLE.fullmatch(first.strip())
    name = found[1].lower() if found else ""
    return PhaseName(name) if name in SHAPES else None


def parse(phase: PhaseName, text: str) -> Reading:
    """Return the document that a Markdown text is, whatever the text; each fault has its line."""
    if len(text) > MAX_BYTES:
        fault = Fault("too_large", f"larger than {MAX_BYTES >> 20} MiB", (), 1)
        return Reading(read(phase, {}).document, (fault,), lambda: {(): 1})
    parser = _Parser(SHAPES[phase])
    value = parser.document(phase, normal_lines(text.removeprefix("\ufeff")).split("\n"))
    reading = read(phase, value)._replace(lines=lambda: parser.lines)
    return reading._replace(faults=reading.located((*parser.faults, *reading.faults))[:MOST_FAULTS])


class _Line(NamedTuple):
    number: int
    text: str


class _Entry(NamedTuple):
    """A bullet, or a paragraph where bullets should be."""

    number: int
    text: str
    """What stands behind the bullet."""
    below: list[_Line]
    """What belongs to it, without the blanks that say so."""
    is_bullet: bool = True

    @property
    def whole(self) -> str:
        """All of it, as one text."""
        if not self.below:
            return self.text
        return "\n".join((self.text, *(line.text for line in self.below)))


class _Parser:
    """Makes a value of lines."""

    def __init__(self, shape: ThingShape) -> None:
        self.shape = shape
        self.lines: dict[Path, int] = {(): 1}
        self.faults: list[Fault] = []

    def wrong(self, number: int, sentence: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault("invalid", sentence, (), number))

    def document(self, phase: PhaseName, texts: Sequence[str]) -> dict[str, Any]:
        """Return the whole."""
        lines = [_Line(number, text) for number, text in enumerate(texts, 1)]
        start = next((place for place, line in enumerate(lines) if line.text), 0)
        found = _TITLE.fullmatch(lines[start].text)
        if found is None or found[1].lower() != phase:
            self.wrong(lines[start].number, f"expected `# {phase}: TITLE` first")
        value: dict[str, Any] = {"title": (found[2] or "") if found else ""}
        rows = {row.name: row for row in self.shape.fields}
        free: list[dict[str, str]] = []
        for heading, number, block in _parts(lines[start + bool(found) :], _SECTION):
            row = rows.get(field_name(heading))
            if row is None:
                self.lines["sections", len(free)] = number
                free.append({"heading": heading, "text": "\n".join(line.text for line in block)})
            elif row.name in value:
                self.wrong(number, f"section {heading!r} is listed twice, first on line {self.lines[row.name,]}")
            else:
                self.lines[row.name,] = number
                value[row.name] = self.section(row, block)
        return value | {"sections": free}

    def section(self, row: DocumentField, block: Sequence[_Line]) -> object:
        """Return the value of a field."""
        path = (row.name,)
        if row.kind in _LISTS:
            return self.items(block, path)
        if row.kind is FieldKind.MAP:
            return self.map(block, path)
        if row.of is None:
            return _plain(block)
        if row.kind is FieldKind.RECORD:
            return self.thing(block, row.of, path, {})
        return self.pairs(block, row.of, path) if row.kind is FieldKind.PAIRS else self.things(block, row.of, path)

    def items(self, block: Sequence[_Line], path: Path) -> list[str]:
        """Return the items of a list; a paragraph is one, too."""
        found: list[str] = []
        for entry in _entries(block):
            self.lines[*path, len(found)] = entry.number
            found.append(entry.whole)
        return found

    def map(self, block: Sequence[_Line], path: Path) -> dict[str, str]:
        """Return texts by name."""
        found: dict[str, str] = {}
        for key, entry in self.keyed(self.bullets(block)):
            name = one_line(key)
            if not name:
                self.wrong(entry.number, "the name before the colon is missing")
            elif name in found:
                self.wrong(entry.number, f"{name!r} is listed twice")
            else:
                self.lines[*path, name] = entry.number
                found[name] = entry.whole
        return found

    def pairs(self, block: Sequence[_Line], shape: ThingShape, path: Path) -> list[object]:
        """Return things of two fields; a text alone where there is no colon."""
        found: list[object] = []
        first, second = shape.fields
        for entry in self.bullets(block):
            self.lines[*path, len(found)] = entry.number
            parted = _parted(entry)
            if parted is None:
                found.append(entry.whole)
            else:
                found.append({first.name: parted[0], second.name: _value(second, parted[1])})
        return found

    def things(self, block: Sequence[_Line], shape: ThingShape, path: Path) -> list[object]:
        """Return things with headings."""
        found: list[object] = []
        parts = _parts(block, _THING)
        for line in next(parts).block:
            if line.text:
                self.wrong(line.number, f"expected `### {' '.join(shape.heading).upper()}` before this")
                break
        for heading, number, lines in parts:
            here = (*path, len(found))
            self.lines[here] = number
            found.append(self.thing(lines, shape, here, _headed(heading, shape)))
        return found

    def thing(self, block: Sequence[_Line], shape: ThingShape, path: Path, value: dict[str, Any]) -> dict[str, Any]:
        """Return a thing: its keys are added to `value`, and its text."""
        rows = {row.name: row for row in shape.fields}
        end = _end_of_keys(block)
        for key, entry in self.keyed(_entries(block[:end], _KEY_LINE)):
            row = rows.get(key) or rows.get(field_name(key))
            name = row.name if row else key
            if name in value:
                self.wrong(entry.number, f"{name} is listed twice")
            else:
                self.lines[*path, name] = entry.number
                value[name] = _value(row, entry) if row else entry.whole
        line = next((line for line in block[end:] if line.text), None)
        if line is None:
            return value
        if not shape.body:
            self.wrong(line.number, _NO_KEY)
        elif shape.body in value:
            self.wrong(line.number, f"{shape.body} is listed twice")
        else:
            self.lines[*path, shape.body] = line.number
            value[shape.body] = _plain(block[end:])
        return value

    def bullets(self, block: Sequence[_Line]) -> Iterator[_Entry]:
        """Yield bullets; anything else is wrong."""
        for entry in _entries(block):
            if entry.is_bullet:
                yield entry
            else:
                self.wrong(entry.number, _NO_KEY)

    def keyed(self, entries: Iterable[_Entry]) -> Iterator[tuple[str, _Entry]]:
        """Yield what stands before and behind the colon of each; one without a colon is wrong."""
        for entry in entries:
            parted = _parted(entry)
            if parted is None:
                self.wrong(entry.number, _NO_KEY)
            else:
                yield parted


_NO_KEY = "expected `- key: value`"


class _Part(NamedTuple):
    heading: str
    number: int
    block: list[_Line]


def _parts(lines: Sequence[_Line], heading: re.Pattern[str]) -> Iterator[_Part]:
    """Yield what stands before the first heading, then each heading with what follows it."""
    part = _Part("", lines[0].number if lines else 1, [])
    for line in lines:
        found = heading.fullmatch(line.text) if line.text.startswith("##") else None
        if found is None:
            part.block.append(line)
        else:
            yield part
            part = _Part(found[1] or "", line.number, [])
    yield part


def _entries(block: Iterable[_Line], bullet: re.Pattern[str] = _ITEM) -> Iterator[_Entry]:
    """Yield bullets and paragraphs, each with what belongs to it."""
    entry: _Entry | None = None
    after_blank = True
    for line in block:
        found = bullet.fullmatch(line.text) if line.text.startswith(("-", "*")) else None
        deeper = _dedented(line.text)
        if found is None and entry is not None and (not line.text or deeper is not None or not after_blank):
            entry.below.append(line if deeper is None else _Line(line.number, deeper))
        elif line.text:
            if entry is not None:
                yield _trimmed(entry)
            text = line.text.strip() if found is None else found[1] or ""
            entry = _Entry(line.number, text, [], is_bullet=found is not None)
        after_blank = not line.text
    if entry is not None:
        yield _trimmed(entry)


def _dedented(text: str) -> str | None:
    """Return what stands two blanks deeper; None: it doesn't."""
    if text.startswith(INDENT):
        return text[len(INDENT) :]
    return text[1:] if text.startswith("\t") else None


def _trimmed(entry: _Entry) -> _Entry:
    while entry.below and not entry.below[-1].text:
        entry.below.pop()
    return entry


def _end_of_keys(block: Sequence[_Line]) -> int:
    """Return the place of the first line of a thing's text."""
    within = False
    for place, line in enumerate(block):
        if line.text.startswith(BULLET):
            within = True
        elif line.text and not (within and _dedented(line.text) is not None):
            return place
    return len(block)


def _parted(entry: _Entry) -> tuple[str, _Entry] | None:
    """Return the key of a bullet, and the bullet with what stands behind the colon."""
    found = _KEY.fullmatch(entry.text)
    if found is None:
        return None
    key = _ESCAPED_KEY.sub(r"\1", found[1]) if "\\" in found[1] else found[1]
    return key, _Entry(entry.number, found[2] or "", entry.below)


def _headed(heading: str, shape: ThingShape) -> dict[str, Any]:
    """Return the fields of which a heading consists: an id and a title, or a name."""
    if len(shape.heading) == 1:
        return {shape.heading[0]: heading}
    first, _, rest = heading.partition(" ")
    name, title = shape.heading
    return {name: first, title: rest} if is_id(first) or first == NO_ID else {name: NO_ID, title: heading}


def _value(row: DocumentField, entry: _Entry) -> object:
    """Return what stands behind a key."""
    if row.kind in _INLINE:
        found = _words(entry.text)
        for item in _entries(entry.below):
            found += [item.text] if item.is_bullet else _words(item.whole)
        return found
    if row.kind is FieldKind.TEXTS:
        return [*filter(None, [entry.text]), *(item.whole for item in _entries(entry.below))]
    return entry.whole


def _words(text: str) -> list[str]:
    return [word.strip() for line in text.split("\n") for word in line.split(",")]


def _plain(block: Iterable[_Line]) -> str:
    """Return a text without the marks that keep its lines from meaning something."""
    return "\n".join(line.text[1:] if _ESCAPED_TEXT.match(line.text) else line.text for line in block)


def render(document: Document) -> str:
    """Return a document as Markdown: `parse` makes the same one of it."""
    title = f": {document.title}" if document.title else ""
    parts = [f"# {document.phase}{title}"]
    parts += [section.text for section in document.sections if not section.heading]
    for row in SHAPES[document.phase].fields:
        lines = list(_section(row, getattr(document, row.name)))
        if lines:
            parts += [f"## {row.name.replace('_', ' ')}", "\n".join(lines)]
    for section in document.sections:
        if section.heading:
            parts += [f"## {section.heading}", *filter(None, [section.text])]
    return "\n\n".join(parts) + "\n"


def render_thing(thing: object, shape: ThingShape) -> str:
    """Return one requirement or task as it stands in a document, without its heading."""
    return "\n".join(_keys_and_body(thing, shape)).strip("\n") + "\n"


def _section(row: DocumentField, value: Any) -> Iterator[str]:  # noqa: ANN401 - what the table says
    """Return the lines of a field; none when it is empty."""
    if row.kind is FieldKind.HOURS:
        return iter(() if value is None else (_number(value),))
    if row.kind in _LISTS:
        return (line for item in value for line in _bullet(item))
    if row.kind is FieldKind.MAP:
        return (line for key, text in value.items() for line in _keyed(key, text))
    if row.of is None:
        return _escaped(value) if value else iter(())
    if row.kind is FieldKind.RECORD:
        return _keys_and_body(value, row.of)
    return _pairs(value, row.of) if row.kind is FieldKind.PAIRS else _things(value, row.of)


def _pairs(pairs: Iterable[object], shape: ThingShape) -> Iterator[str]:
    first, second = shape.fields
    for pair in pairs:
        yield from _key_lines(second, getattr(pair, first.name), getattr(pair, second.name))


def _things(things: Iterable[object], shape: ThingShape) -> Iterator[str]:
    for place, thing in enumerate(things):
        yield from [""] if place else []
        first, *rest = (getattr(thing, name) for name in shape.heading)
        yield " ".join(filter(None, ("###", first or NO_ID, *rest)))
        lines = list(_keys_and_body(thing, shape))
        yield from ["", *lines] if lines else []


def _keys_and_body(thing: object, shape: ThingShape) -> Iterator[str]:
    has_keys = False
    for row in shape.fields:
        value = getattr(thing, row.name)
        if row.name in shape.heading or row.name == shape.body or value in {"", None, ()}:
            continue
        has_keys = True
        yield from _key_lines(row, row.name, value)
    for key, text in getattr(thing, "other", ()):
        has_keys = True
        yield from _keyed(key, text)
    body = getattr(thing, shape.body) if shape.body else ""
    if body:
        yield from [""] if has_keys else []
        yield from _escaped(body)


def _key_lines(row: DocumentField, key: str, value: Any) -> Iterator[str]:  # noqa: ANN401 - what the table says
    if row.kind is FieldKind.HOURS:
        yield from _keyed(key, _number(value))
    elif row.kind not in _LISTS:
        yield from _keyed(key, value)
    elif row.kind in _INLINE and not any("," in word for word in value):
        yield from _keyed(key, ", ".join(value))
    else:
        yield from _keyed(key, "")
        for item in value:
            for line in _bullet(item):
                yield INDENT + line if line else ""


def _bullet(text: str) -> Iterator[str]:
    first, *rest = text.split("\n")
    yield BULLET + first
    for line in rest:
        yield INDENT + line if line else ""


def _keyed(key: str, text: str) -> Iterator[str]:
    escaped = _COLON_THAT_ENDS.sub(r"\:", key.replace("\\", "\\\\"))
    return _bullet(f"{escaped}: {text}" if text else f"{escaped}:")


def _number(hours: float) -> str:
    return repr(int(hours) if hours.is_integer() else hours)


def _escaped(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield f"\\{line}" if line.startswith(("#", "-", "\\")) else line
