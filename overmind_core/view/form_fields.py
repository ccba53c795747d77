"""The form of a new mission: its entries, what is typed into each, what keys do to it, and how it is drawn. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.text.cells import width
from overmind_core.view import composer, field
from overmind_core.view import field as line_editing
from overmind_core.view.cells import Cell, clipped, safe
from overmind_core.view.field import Field

SHELL, COMMAND = "shell", "command"
"""What can be started besides agents."""


class EntryKind(StrEnum):
    """How an entry is filled in."""

    CHOICE = "choice"
    LINE = "line"
    LINES = "lines"
    FOLDER = "folder"
    FOLD = "fold"
    """Nothing to fill in: it unfolds the rest."""


class ProgramKind(StrEnum):
    """What the chosen program is."""

    AGENT = "agent"
    SHELL = "shell"
    COMMAND = "command"


class Startable(NamedTuple):
    """Something that can be started, and why it can't be here; "" when it can."""

    name: str
    missing: str = ""

    @property
    def sort(self) -> ProgramKind:
        """Anything but a shell or a command is an agent."""
        return {SHELL: ProgramKind.SHELL, COMMAND: ProgramKind.COMMAND}.get(self.name, ProgramKind.AGENT)


class Entry(NamedTuple):
    """One entry; `sorts`: of what it is a question at all; `more`: it is folded away at first."""

    key: str
    label: str
    hint: str
    kind: EntryKind
    choices: tuple[str, ...] = ()
    sorts: frozenset[ProgramKind] = frozenset(ProgramKind)
    more: bool = False


_AGENT = frozenset({ProgramKind.AGENT})
_OF_TEXT = frozenset({ProgramKind.AGENT, ProgramKind.COMMAND})
_RULES = "one rule per line, e.g. Bash(git status)"
ENTRIES: tuple[Entry, ...] = (
    Entry("what", "what", "", EntryKind.CHOICE),
    Entry("text", "", "", EntryKind.LINES, sorts=_OF_TEXT),
    Entry("name", "name", "", EntryKind.LINE),
    Entry("cwd", "folder", "working directory", EntryKind.FOLDER),
    Entry("more", "more", "", EntryKind.FOLD),
    Entry("isolate", "isolate", "", EntryKind.CHOICE, ("project default", "yes", "no"), more=True),
    Entry("restart", "restart", "", EntryKind.CHOICE, ("never", "on-failure", "always"), more=True),
    Entry("labels", "labels", "key=value key=value", EntryKind.LINE, more=True),
    Entry("env", "variables", "NAME=value NAME='two words'", EntryKind.LINE, more=True),
    Entry("model", "model", "default of the agent", EntryKind.LINE, sorts=_AGENT, more=True),
    Entry("permission_mode", "mode", "", EntryKind.CHOICE, ("default", "plan", "acceptEdits"), sorts=_AGENT, more=True),
    Entry("allow", "allow", _RULES, EntryKind.LINES, sorts=_AGENT, more=True),
    Entry("deny", "deny", _RULES, EntryKind.LINES, sorts=_AGENT, more=True),
    Entry("max_cost", "max cost", "no limit; in US dollars", EntryKind.LINE, sorts=_AGENT, more=True),
    Entry("max_tokens", "max tokens", "no limit; e.g. 500k or 2M", EntryKind.LINE, sorts=_AGENT, more=True),
    Entry("timeout", "timeout", "none; per run, e.g. 90s, 10m or 2h", EntryKind.LINE, more=True),
)
TEXTS = {ProgramKind.AGENT: ("prompt", "the task; empty: it waits for your message"),
         ProgramKind.COMMAND: ("command", "a shell command, e.g. make test")}  # fmt: skip
"""Label and hint of the entry `text`."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a new mission as it stands.

    Attributes:
        whats: What can be started; those that are installed first.
        values: What was typed, by entry; a choice is its word.
        generated: The name that it gets unless another one is typed.
        at: The entry with the cursor.
        unfolded: The rest is shown, too.
        refusal: The entry that is wrong, and why; "" when none is.
        ghost: What would complete the folder.
        candidates: Folders that the typed one could become.
    """

    whats: tuple[Startable, ...]
    values: Mapping[str, Field]
    generated: str
    at: str = "text"
    unfolded: bool = False
    refusal: tuple[str, str] = ("", "")
    ghost: str = ""
    candidates: tuple[str, ...] = ()

    @property
    def what(self) -> Startable:
        """What is chosen."""
        word = self.values["what"].text
        return next((one for one in self.whats if one.name == word), self.whats[0])

    @property
    def entry(self) -> Entry:
        """The one with the cursor."""
        return next(one for one in ENTRIES if one.key == self.at)

    def text(self, key: str) -> str:
        """What was typed, without blanks around it."""
        return self.values[key].text.strip()


def empty(whats: Sequence[Startable], *, folder: str, generated: str) -> Form:
    """A form in which nothing was typed."""
    first = {entry.key: Field(entry.choices[0] if entry.choices else "") for entry in ENTRIES}
    values = {**first, "what": Field(whats[0].name), "cwd": Field.of(folder)}
    return settled(Form(tuple(whats), values, generated))


def settled(form: Form) -> Form:
    """The cursor on an entry that is there."""
    keys = [entry.key for entry in shown(form)]
    return form if form.at in keys else replace(form, at="name" if "name" in keys else keys[0])


def shown(form: Form) -> list[Entry]:
    """The entries that are a question now, in their order."""
    sort = form.what.sort
    return [
        entry._replace(label=TEXTS[sort][0], hint=TEXTS[sort][1]) if entry.key == "text" else entry
        for entry in ENTRIES
        if sort in entry.sorts and (form.unfolded or not entry.more)
    ]


def choices(form: Form, entry: Entry) -> tuple[str, ...]:
    """The words of an entry that is a choice."""
    return tuple(one.name for one in form.whats) if entry.key == "what" else entry.choices


def typed(form: Form, text: str) -> Form:
    """The form after typing or pasting into the entry with the cursor."""
    entry, before = form.entry, form.values[form.at]
    if entry.kind is EntryKind.CHOICE:
        return _chosen(form, 1) if text == " " else form
    if entry.kind is EntryKind.FOLD:
        return replace(form, unfolded=not form.unfolded) if text == " " else form
    return written(form, (composer if entry.kind is EntryKind.LINES else field).typed(before, text))


def pressed(form: Form, key: str) -> Form:
    """The form after a key that is no character and no action of the form."""
    entry, before = form.entry, form.values[form.at]
    if entry.kind is EntryKind.CHOICE:
        return _chosen(form, {"left": -1, "right": 1}.get(key, 0))
    if entry.kind is EntryKind.FOLD:
        return replace(form, unfolded=key == "right") if key in {"left", "right"} else form
    if entry.kind is EntryKind.FOLDER and key in {"right", "ctrl+f"} and form.ghost and before.at == len(before.text):
        return completed(form)
    changed = (composer if entry.kind is EntryKind.LINES else field).pressed(before, key)
    return form if changed is None else written(form, changed)


def written(form: Form, value: Field) -> Form:
    """The form with this in the entry with the cursor; what was wrong with that is not any more."""
    refusal = ("", "") if form.refusal[0] == form.at and value.text != form.values[form.at].text else form.refusal
    ghost = form.ghost if form.at != "cwd" or value.text == form.values["cwd"].text else ""
    return replace(form, values={**form.values, form.at: value}, refusal=refusal, ghost=ghost,
                   candidates=form.candidates if ghost == form.ghost else ())  # fmt: skip


def stepped(form: Form, step: int) -> Form:
    """The cursor on the next entry, or on the one before."""
    keys = [entry.key for entry in shown(form)]
    return replace(form, at=keys[(keys.index(form.at) + step) % len(keys)], ghost="", candidates=())


def newline(form: Form) -> Form:
    """Another line, where there can be several."""
    return typed(form, "\n") if form.entry.kind is EntryKind.LINES else form


def continued(form: Form) -> Form | None:
    """A new line in place of the backslash before the cursor; None where there is none."""
    changed = composer.continued_draft(form.values[form.at]) if form.entry.kind is EntryKind.LINES else None
    return None if changed is None else written(form, changed)


def offered(form: Form, text: str, ghost: str, candidates: Sequence[str]) -> Form:
    """What completes the folder, if that is still what is typed."""
    if form.at != "cwd" or form.values["cwd"].text != text:
        return form
    return replace(form, ghost=ghost, candidates=tuple(candidates))


def completed(form: Form) -> Form:
    """The folder with what completes it."""
    return written(form, Field.of(form.values["cwd"].text + form.ghost))


def refused(form: Form, key: str, reason: str) -> Form:
    """It was not started: the cursor is where the mistake is."""
    entry = next((one for one in ENTRIES if one.key == key), ENTRIES[1])
    unfolded = form.unfolded or entry.more
    return settled(replace(form, at=entry.key, unfolded=unfolded, refusal=(entry.key, reason), ghost="", candidates=()))


def _chosen(form: Form, step: int) -> Form:
    words = choices(form, form.entry)
    before = form.values[form.at].text
    at = words.index(before) if before in words else 0
    return written(form, Field(words[(at + step) % len(words)]))


LABEL = 11
"""Cells of a label with the blanks beside it."""
FEWEST, MOST = 1, 8
"""Rows of a text of several lines."""
CURSOR = "cursor-cell"
"""The tone of the cell with the cursor."""
Line = Sequence[Cell]


class Drawn(NamedTuple):
    """All lines, and which of them the entry with the cursor has."""

    lines: list[list[Cell]]
    first: int
    last: int


def drawn(state: Form, cells: int, *, ascii_only: bool = False) -> Drawn:
    """The form in lines of at most `cells` cells."""
    lines: list[list[Cell]] = []
    first = last = 0
    for entry in shown(state):
        active = entry.key == state.at
        rows = _rows(state, entry, max(cells - LABEL - 1, 4), ascii_only=ascii_only)
        rows += [[Cell(text, "bad")] for text in _refusal(state, entry, cells - LABEL - 1)]
        rows += _below(state, entry, cells - LABEL - 1)
        if active:
            first, last = len(lines), len(lines) + len(rows) - 1
        label = Cell(f" {entry.label:<{LABEL}}", "accent" if active else "quiet")
        lines += [[label if at == 0 else Cell(" " * (LABEL + 1)), *row] for at, row in enumerate(rows)]
    return Drawn(lines, first, last)


def _rows(state: Form, entry: Entry, cells: int, *, ascii_only: bool) -> list[list[Cell]]:
    active, value = entry.key == state.at, state.values[entry.key]
    match entry.kind:
        case EntryKind.CHOICE:
            return [_choice(state, entry, cells, active=active, ascii_only=ascii_only)]
        case EntryKind.FOLD:
            return [[Cell(clipped(_folded(state, ascii_only=ascii_only), cells), "" if active else "faint")]]
        case EntryKind.LINES if value.text:
            return _several(value, cells, active=active)
    return [line(value, _hint(state, entry), cells, active=active, ghost=state.ghost if entry.key == "cwd" else "")]


def _hint(state: Form, entry: Entry) -> str:
    return f"{state.generated} (generated)" if entry.key == "name" else entry.hint


def _folded(state: Form, *, ascii_only: bool) -> str:
    entries = [entry.label for entry in ENTRIES if entry.more and state.what.sort in entry.sorts]
    signs = ("-", "+") if ascii_only else ("▾", "▸")
    return signs[0] if state.unfolded else f"{signs[1]} {', '.join(entries)}"


def _choice(state: Form, entry: Entry, cells: int, *, active: bool, ascii_only: bool) -> list[Cell]:
    """All words, or where those don't fit the chosen one between arrows."""
    words, chosen = choices(state, entry), state.values[entry.key].text
    missing = {one.name for one in state.whats if one.missing} if entry.key == "what" else set()
    on, off = ("(o)", "( )") if ascii_only else ("●", "○")
    tone = "accent" if active else ""
    if sum(width(on) + 1 + width(word) + 2 for word in words) <= cells:
        return [
            Cell(f"{on if word == chosen else off} {word}  ",
                 "faint" if word in missing else (tone if word == chosen else "quiet"))
            for word in words
        ]  # fmt: skip
    left, right = ("<", ">") if ascii_only else ("◂", "▸")
    return [Cell(clipped(f"{left} {chosen} {right}", cells), "faint" if chosen in missing else tone)]


def line(value: Field, hint: str, cells: int, *, active: bool, ghost: str = "") -> list[Cell]:
    """A line; too long a one is shown around the cursor."""
    if not active:
        return [Cell(clipped(value.text, cells))] if value.text else [Cell(clipped(hint, cells), "faint")]
    text, at = value.text, value.at
    under, behind, tone = text[at : at + 1], text[at + 1 : at + cells], ""
    if not under:
        rest = ghost or ("" if text else clipped(hint, cells - 1))
        under, behind, tone = (rest[:1] if ghost else "") or " ", rest[1:] if ghost else rest, "faint"
    return [Cell(text[line_editing.begin(value, cells - 1) : at]), Cell(under, CURSOR), Cell(behind, tone)]


def _several(value: Field, cells: int, *, active: bool) -> list[list[Cell]]:
    """A text of several lines; at most `MOST` rows around the cursor."""
    rows = composer.rows(value.text, cells - 1)
    here = composer.row_of(rows, value.at)
    top = max(0, min(here - MOST + 1, len(rows) - MOST)) if active else 0
    lines = []
    for at, (start, end) in enumerate(rows[top : top + MOST], top):
        if active and at == here:
            under = composer.drawn(value.text[value.at : min(value.at + 1, end)]) or " "
            lines.append([Cell(composer.drawn(value.text[start : value.at])), Cell(under, CURSOR),
                          Cell(composer.drawn(value.text[value.at + 1 : end]))])  # fmt: skip
        else:
            lines.append([Cell(composer.drawn(value.text[start:end]))])
    if len(rows) > MOST:
        lines.append([Cell(clipped(f"{here + 1 if active else len(rows)} of {len(rows)} lines", cells), "faint")])
    return lines


def _refusal(state: Form, entry: Entry, cells: int) -> list[str]:
    key, reason = state.refusal
    if key != entry.key or not reason:
        return []
    text = safe(reason)
    return [text[start:end] for start, end in composer.rows(text, max(cells, 4))][:3]


def _below(state: Form, entry: Entry, cells: int) -> list[list[Cell]]:
    """What there is to say about an entry."""
    if entry.key == "what" and state.what.missing and state.refusal[0] != entry.key:
        return [[Cell(clipped(state.what.missing, cells), "slow")]]
    if entry.key == "cwd" and state.at == "cwd" and len(state.candidates) > 1:
        return [[Cell(clipped(safe("  ".join(state.candidates)), cells), "faint")]]
    return []


def moved(state: Form, cells: int, step: int) -> Form | None:
    """The form with the cursor a row below or above in a text of several; None where there is none."""
    if state.entry.kind is not EntryKind.LINES:
        return None
    value = state.values[state.at]
    changed = composer.vertical(value, composer.rows(value.text, max(cells - LABEL - 1, 4) - 1), step)
    return None if changed is None else written(state, changed)
