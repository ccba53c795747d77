"""Rows of notes, and all about one with its history, for reading. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from overmind_core.domain.missions.status_marks import StatusMark
from overmind_core.errors import OvermindError
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.describe import Lines, Rendering, clock, pairs
from overmind_core.view.note_marks import CONFLICT, GONE, LIVE, PINNED, PROPOSED
from overmind_core.view.quests import safe_lines
from overmind_core.view.tables import Orders

CHANGES = frozenset({"note", "voted", "notes_given", "memory"})
"""Kinds of events after which rows of notes may have changed."""
RESTS, STALE = "rests", "stale"
"""Words of notes that are given to nobody, beside the mark that they have anyhow."""
NO_NAMES: Mapping[str, str] = {}
WAYS: Mapping[str, Mapping[str, bool]] = {
    "proposed": {"proposed": True},
    "conflicts": {"conflicts": True},
    "stale": {"stale": True},
    "resting": {"resting": True},
    "all": {"all": True},
}
"""Word behind the view's → what the supervisor is asked with."""
NONE_OF: Mapping[str, str] = {
    "proposed": "Nothing is proposed.\n:notes   lists all notes of this folder",
    "conflicts": "No note has two newest versions.\n:notes   lists all notes of this folder",
    "stale": "No note is about files that are gone.\n:notes   lists all notes of this folder",
    "resting": "No note rests: none was said to hurt more often than to help.\n:notes   lists all notes of this folder",
}
"""The same word → the text of an empty list."""
HINTS: Mapping[str, str] = {
    "conflict": "conflict: enter shows its newest versions, e replaces them",
    "proposed": "proposed: given to nobody until y accepts it",
    RESTS: "rests: given to nobody until e edits it",
}
"""State of a note → the hint about it."""
_ORDER = (CONFLICT, PROPOSED, PINNED, LIVE, GONE)
_FADED = frozenset({RESTS, STALE, GONE.word, "replaced", "purged"})
_LINE = "line"
"""Noted in each row: its text in one line."""
_ASCII = "ascii_only"
"""Noted there, too: whether its mark is drawn with ASCII."""


def whole(answer: Row) -> list[Row]:
    """The answer itself: its notes are made rows by `listed` and `found`."""
    return [answer]


def listed(answer: Row) -> list[Row]:
    """The notes of an answer to `notes`, in its order."""
    return [_row(note) for note in answer["notes"]]


def found(answer: Row) -> list[Row]:
    """The notes of an answer to `search`, the best first, each with why it was found."""
    return [{**_row(one["note"]), "why": one["why"], "corrected": one["corrected"]} for one in answer["notes"]]


def _row(note: Row) -> Row:
    line = safe(" ".join(str(note["text"]).split()))
    return {**note, "name": note["id"], "at": note["edited_at"], _LINE: line}


def draw_marks(rows: Sequence[Row], *, ascii_only: bool) -> None:
    """Have the marks of these drawn with ASCII, or not."""
    for row in rows:
        row[_ASCII] = ascii_only


def mark(row: Row) -> StatusMark:
    """The mark of a note."""
    if row["state"] not in {"proposed", "live"}:
        return GONE
    if row["conflicts"]:
        return CONFLICT
    if row["state"] == "proposed":
        return PROPOSED
    return PINNED if row["pinned"] else LIVE


def state(row: Row) -> str:
    """How a note stands, in a word."""
    found = mark(row)
    if found is GONE:
        return str(row["state"])
    if found in {LIVE, PINNED} and (row["rests"] or row["stale"]):
        return RESTS if row["rests"] else STALE
    return found.word


def is_meant(row: Row, way: str) -> bool:
    """Whether a note is one of those that the word behind the view's means."""
    match way:
        case "proposed":
            return bool(row["state"] == "proposed")
        case "conflicts" | "stale":
            return bool(row[way])
        case "resting":
            return bool(row["rests"])
    return True


def is_faded(row: Row) -> bool:
    """Whether it is given to nobody, and nobody has to decide about it."""
    return state(row) in _FADED


def sign(row: Row) -> str:
    """Its mark, as it is drawn."""
    return mark(row).ascii if row.get(_ASCII) else mark(row).mark


def hint(row: Row) -> str:
    """The hint about the state of a note; "": none."""
    return HINTS.get(state(row), "")


# cells


def _state_cell(row: Row, _now: float) -> Cell:
    return Cell(f"{sign(row)} {state(row)}", "off" if is_faded(row) else mark(row).tone)


def _text_cell(row: Row, _now: float) -> Cell:
    return Cell(row[_LINE], "faint" if is_faded(row) else "")


def _quiet(row: Row, text: str) -> Cell:
    return Cell(text, "faint" if is_faded(row) else "quiet")


def votes(row: Row) -> str:
    """How often it has helped and hurt: `+4 -0`; "" while nobody has voted."""
    return f"+{row['helped']} -{row['hurt']}" if row["helped"] or row["hurt"] else ""


def _votes_cell(row: Row, _now: float) -> Cell:
    more = row["helped"] - row["hurt"]
    return Cell(votes(row), "faint" if is_faded(row) else "good" if more > 0 else "bad" if more < 0 else "quiet")


def age(row: Row, now: float) -> float:
    """Seconds since its text was written."""
    return max(0.0, now - (numbers.moment(row["edited_at"]) or now))


def author(by: Row) -> str:
    """Who wrote it, in a word: a person, or the mission as it was called then."""
    return safe(by["person"] or by["name"] or by["mission"])


COLUMNS: tuple[Column, ...] = (
    Column("state", "STATE", 1, 11, 0, _state_cell),
    Column("text", "TEXT", 16, 0, 1, _text_cell),
    Column("kind", "KIND", 4, 8, 3, lambda row, _now: _quiet(row, safe(row["kind"]))),
    Column("age", "AGE", 4, 5, 4, lambda row, now: _quiet(row, numbers.span(age(row, now))), right=True),
    Column("votes", "VOTES", 5, 9, 4, _votes_cell, right=True),
    Column("scope", "SCOPE", 5, 7, 8, lambda row, _now: _quiet(row, safe(row["scope"])), wide=True),
    Column("author", "AUTHOR", 6, 16, 9, lambda row, _now: _quiet(row, author(row["author"])), wide=True),
    Column("used", "USED", 4, 5, 7, lambda row, _now: _quiet(row, str(row["used"] or "")), right=True, wide=True),
    Column("tags", "TAGS", 4, 24, 11, lambda row, _now: _quiet(row, safe(" ".join(row["tags"]))), wide=True,
           spare=True),
    Column("files", "FILES", 5, 30, 12, lambda row, _now: _quiet(row, safe(" ".join(row["files"]))), wide=True,
           spare=True),
)  # fmt: skip


def state_and_text(row: Row) -> tuple[Cell, Cell]:
    """How a note stands, and its text in one line."""
    return _state_cell(row, 0.0), _text_cell(row, 0.0)


def written(answer: Row | OvermindError, *, ascii_only: bool) -> dict[str, tuple[Cell, Cell]] | None:
    """The same of each note of an answer to `notes`, by id; None of a refusal: where memory is off ids are enough."""
    if isinstance(answer, OvermindError):
        return None
    rows = listed(answer)
    draw_marks(rows, ascii_only=ascii_only)
    return {row["id"]: state_and_text(row) for row in rows}


def _text_of(key: str) -> By:
    return By(lambda row, _now: str(row[key]).casefold(), rises=True)


def _most(key: str) -> By:
    return By(lambda row, _now: row[key])


def _joined(key: str) -> By:
    return By(lambda row, _now: " ".join(row[key]).casefold(), rises=True)


ORDERS: Orders = {
    "state": By(lambda row, _now: (_ORDER.index(mark(row)), is_faded(row)), rises=True),
    "text": _text_of(_LINE),
    "name": _text_of(_LINE),
    "kind": _text_of("kind"),
    "age": By(age),
    "votes": By(lambda row, _now: (row["helped"] - row["hurt"], row["helped"])),
    "scope": _text_of("scope"),
    "author": By(lambda row, _now: author(row["author"]).casefold(), rises=True),
    "used": _most("used"),
    "tags": _joined("tags"),
    "files": _joined("files"),
}


def looked_in(row: Row) -> str:
    """The text that a plain word of a filter is looked for in: the visible cells, the id and the key."""
    parts = (row["id"], row["key"], state(row), row["kind"], row["scope"], author(row["author"]), *row["tags"],
             *row["files"], row[_LINE])  # fmt: skip
    return "\n".join(map(safe, parts))


def why_found(row: Row) -> str:
    """Why a search found it, and which word was looked for in place of another: `words, spelling (redsi: redis)`."""
    corrected = ", ".join(f"{safe(word)}: {safe(known)}" for word, known in (row.get("corrected") or {}).items())
    return ", ".join(row.get("why") or ()) + (f" ({corrected})" if corrected else "")


# all about one


def description(note: Row, look: Rendering, names: Mapping[str, str] = NO_NAMES) -> Lines:
    """All of a note, as `note` answers it with its history; first what it says.

    Args:
        note: The answer.
        look: How times and marks are drawn.
        names: Id of a mission → its name, of those that are still there.
    """
    row = {**note, _ASCII: look.ascii_only}
    used_at = f", last {clock(note['used_at'], look)}" if note["used_at"] else ""
    versions = f"{note['version']} of {note['versions']}" if note["versions"] > 1 else ""
    lines: Lines = [
        [Cell(f" {note['id']} ", "accent"), Cell(f"{sign(row)} {state(row)}", mark(row).tone)],
        *_text(note["text"]),
        [],
        [Cell(" details", "title")],
        *pairs(
            ("kind", note["kind"]),
            ("key", safe(note["key"])),
            ("scope", note["scope"]),
            ("repository", safe(note["repository"])),
            ("tags", ", ".join(map(safe, note["tags"]))),
            ("files", ", ".join(map(safe, note["files"]))),
            ("pinned", note["pinned"]),
            ("stale", "none of its files is there" if note["stale"] else None),
            ("rests", "it has hurt too often: it is given to nobody until it is edited" if note["rests"] else None),
            ("conflict", "edited in two places: an edit replaces the newest versions below" if note["conflicts"]
             else None),
            ("written", f"{clock(note['created_at'], look)} by {_by(note['author'])}"),
            ("edited", clock(note["edited_at"], look) if note["versions"] > 1 else None),
            ("from", note["from"]),
            ("version", versions),
            ("helped", str(note["helped"])),
            ("hurt", str(note["hurt"])),
            ("given", f"to {note['used']} run{'s' * (note['used'] != 1)}{used_at}" if note["used"] else None),
            ("changes", f"accepted, it becomes a version of {safe(note['proposed_for'])}" if note["proposed_for"]
             else None),
        ),
    ]  # fmt: skip
    return [*lines, *_uses(note.get("used_by") or (), look, names), *_history(note, look)]


def _by(one: Row) -> str:
    agent = f" ({safe(one['agent'])})" if one["agent"] else ""
    return f"mission {author(one)}{agent}" if one["mission"] else author(one)


def _text(text: str) -> Lines:
    return [[Cell(f"  {line}")] for line in safe_lines(text)] or [[Cell("  (its text was purged)", "quiet")]]


def _uses(uses: Sequence[Row], look: Rendering, names: Mapping[str, str]) -> Lines:
    if not uses:
        return []
    lines = [
        [Cell(f"  {clock(one['at'], look):<19}  ", "quiet"), Cell(f"{safe(one['mission'])}  run {one['run']}"),
         Cell(f"  {safe(names.get(one['mission'], ''))}", "name")]
        for one in uses
    ]  # fmt: skip
    return [[], [Cell(f" given to {numbers.counted(len(uses), 'run')}", "title")], *lines]


def _history(note: Row, look: Rendering) -> Lines:
    versions: Sequence[Row] = note.get("history") or ()
    heads = set(note["conflicts"])
    if len(versions) < 2:  # noqa: PLR2004 - one version is the note
        return []
    lines: Lines = [[], [Cell(f" {numbers.counted(len(versions), 'version')}", "title")]]
    texts = [one["text"] for one in versions] + [None]
    for one, older in zip(versions, texts[1:], strict=True):
        said = [one["standing"], *(["pinned"] if one["pinned"] else [])]
        beside = [Cell("  beside the one that is shown", CONFLICT.tone)] if one["version"] in heads else []
        head = f"  {one['number']:>3}  {clock(one['at'], look)}  "
        lines.append([Cell(head, "quiet"), Cell(_by(one["by"]), "name"), Cell(f"  {', '.join(said)}", "quiet"),
                      *beside])  # fmt: skip
        same = one["text"] == older
        lines += [[Cell("       (the same text)", "faint")]] if same else [
            [Cell(f"       {line}")] for line in safe_lines(one["text"])
        ]  # fmt: skip
    return lines
