"""The whole of what an agent asks: the command, the change of a file as a diff, the plan, the choices. Pure.

Nothing is left out: what has no form of its own here is shown as the command line shows it. Options are chosen by their
numbers, of one question or of several that are asked at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Any, NamedTuple

from overmind_core.domain import engine_questions
from overmind_core.domain.agents import approval_subject
from overmind_core.domain.text.cells import width
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.log_lines import wrapped as wrapped_line


class Ask(NamedTuple):
    """One question: its text, its options with what is said about them, and whether several may be chosen."""

    text: str
    options: tuple[tuple[str, str], ...]
    several: bool = False


class Choosing(NamedTuple):
    """Questions one after the other: what was chosen for each, and which one is next."""

    asks: tuple[Ask, ...]
    chosen: tuple[tuple[int, ...], ...]
    at: int = 0

    @classmethod
    def of(cls, subject: Mapping[str, Any]) -> Choosing | None:
        """Nothing chosen yet; None where nothing can be."""
        questions = subject.get("questions")
        if not isinstance(questions, list) or not questions or not all(isinstance(one, dict) for one in questions):
            return None
        asks = tuple(_ask(one) for one in questions)
        return cls(asks, ((),) * len(asks))

    @property
    def several(self) -> bool:
        """Whether a number only marks an option, and something else ends the choice."""
        return not self.complete and self.asks[self.at].several

    @property
    def complete(self) -> bool:
        """Whether every question has its answer."""
        return self.at >= len(self.asks)

    @property
    def begun(self) -> bool:
        """Whether the question that is next has an answer that only has to be confirmed."""
        return self.several and bool(self.chosen[self.at])

    @property
    def labels(self) -> list[str]:
        """What was chosen, question by question; of several each with the number of its question."""
        return [
            f"{place}:{ask.options[number - 1][0]}" if len(self.asks) > 1 else ask.options[number - 1][0]
            for place, (ask, numbers) in enumerate(zip(self.asks, self.chosen, strict=True), 1)
            for number in sorted(numbers)
        ]

    def pressed(self, number: int) -> Choosing | None:
        """With this option chosen (of several: or no longer); None where there is no such option."""
        if self.complete or not 1 <= number <= len(self.asks[self.at].options):
            return None
        if self.several:
            before = self.chosen[self.at]
            return self._with(tuple(one for one in before if one != number) if number in before else (*before, number))
        return self._with((number,))._replace(at=self.at + 1)

    def confirmed(self) -> Choosing:
        """On to the question after the one of which several were chosen."""
        return self._replace(at=self.at + 1)

    def _with(self, numbers: tuple[int, ...]) -> Choosing:
        return self._replace(chosen=(*self.chosen[: self.at], numbers, *self.chosen[self.at + 1 :]))


def _ask(question: Mapping[str, Any]) -> Ask:
    options = question.get("options")
    known = [_option(one) for one in options] if isinstance(options, list) else []
    return Ask(str(question.get("question", "")), tuple(known), bool(question.get("multiSelect")))


def _option(option: Any) -> tuple[str, str]:  # noqa: ANN401 - the agent's own JSON
    if not isinstance(option, dict):
        return str(option), ""
    return str(option.get("label", "")), str(option.get("description") or "")


Line = list[Cell]


SubjectLines = list[Line]


COMPARED = 2_000
"""Lines of both sides together that are compared; more are shown as all gone and all new."""


CONTEXT = 3


_TONES = {"+ ": "good", "- ": "bad", "$ ": "accent", "> ": "accent"}


_PATHS = ("file_path", "notebook_path", "path")


_OLD, _NEW = "old_string", "new_string"
_PIECE = re.compile(r" *[^ ]+| +$")
"""A word with the blanks before it, or the blanks at the end."""
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def lines(question: Row, choosing: Choosing | None = None) -> SubjectLines:
    """All of a question.

    Args:
        question: As `inbox` has it.
        choosing: What was chosen so far, where it has choices.
    """
    if engine_questions.is_of_engine(question):
        return [_toned(line) for line in engine_questions.body(question)]
    rest = dict(question["subject"])
    found: SubjectLines = []
    if choosing is not None:
        rest.pop("questions", None)
        found += _choices(choosing)
    else:
        found += _edited(rest, question.get("replaces"))
    found += [_toned(line) for line in approval_subject.lines(rest)]
    if not found:
        found = [[Cell(safe(question["summary"]))]]
    return found


def wrapped(shown: Iterable[Line], cells: int, hang: int | None = None) -> SubjectLines:
    """The lines in rows of at most `cells` cells; what continues a line stands below its text.

    Rows end between words; a word that is longer than a row is broken.

    Args:
        shown: The lines.
        cells: The width.
        hang: Cells before what continues a line; None: as its sign, its number or its box needs.
    """
    return [row for line in shown for row in _rows(line, cells, _indent(line) if hang is None else hang)]


def _rows(line: Line, cells: int, indent: int) -> Iterator[Line]:
    full = max(cells - indent, 8)
    row: Line = []
    room, begun = max(cells, indent + 8), False
    for cell in line:
        text = ""
        for piece in _PIECE.findall(cell.text):
            is_blank = not piece.strip(" ")
            if width(piece) > room and is_blank:
                continue
            word = piece
            if width(piece) > room and begun:
                yield [*row, Cell(text, cell.tone)] if text else row
                row, room, text, word = [Cell(" " * indent)], full, "", piece.lstrip(" ")
            begun = begun or not (is_blank or (cell is line[0] and width(cell.text) == indent))
            first, *more = wrapped_line([(word, cell.tone)], room)
            for following in more:
                yield [*row, Cell(text + _joined(first), cell.tone)]
                row, room, text, first = [Cell(" " * indent)], full, "", following
            text += _joined(first)
            room -= width(_joined(first))
        row += [Cell(text, cell.tone)] if text else []
    yield row


def _joined(parts: Sequence[tuple[str, object]]) -> str:
    return "".join(part for part, _ in parts)


def plain(text: str) -> SubjectLines:
    """What an agent wrote, literally."""
    return [[Cell(f" {safe(line.expandtabs(4))}")] for line in text.splitlines()]


def _indent(line: Line) -> int:
    """Cells before the text of a line: its sign, or its number and box."""
    sign = line[0].text if line and line[0].tone in {"key", "good", "bad", "accent", "guide"} else " "
    return min(width(sign), 8)


def _choices(choosing: Choosing) -> Iterator[Line]:
    for place, ask in enumerate(choosing.asks):
        now = place == choosing.at
        if place:
            yield []
        several = "  choose one or more" if ask.several else ""
        yield [Cell(f" {safe(ask.text)}", "news" if now else "quiet"), Cell(several, "faint")]
        yield from _options(ask, choosing.chosen[place], now=now)


def _options(ask: Ask, chosen: Sequence[int], *, now: bool) -> Iterator[Line]:
    for number, (label, about) in enumerate(ask.options, 1):
        box = ("[x] " if number in chosen else "[ ] ") if ask.several else ("• " if number in chosen else "")
        yield [
            Cell(f"   {number}  {box}", "key" if now else "faint"),
            Cell(safe(label), "" if now or number in chosen else "quiet"),
            Cell(f"  {safe(about)}" if about else "", "quiet"),
        ]


class Change(NamedTuple):
    """What would change in a file.

    Attributes:
        path: Of the file; "" where nothing names it.
        note: What is said of the file as it is; "" is nothing.
        edits: The lines of each edit as a diff, and what else is said about it.
        begins: The line of the file in which each edit begins; 0, or no entry: nobody knows.
    """

    path: str
    note: str
    edits: tuple[tuple[tuple[Changed, ...], SubjectLines], ...]
    begins: Sequence[int] = ()

    @property
    def added(self) -> int:
        """Lines that are new."""
        return sum(line.sign == ADDED for edit, _ in self.edits for line in edit)

    @property
    def removed(self) -> int:
        """Lines that would be gone."""
        return sum(line.sign == REMOVED for edit, _ in self.edits for line in edit)


class Changed(NamedTuple):
    """A line of a diff: `+`, `-`, a blank for one that stays, or `GAP` for those left out; its text is safe to show.

    Attributes:
        sign: One of these.
        text: The line.
        at: Its number, from 1, in the text before where it is removed, else in the text after; 0 of a gap.
    """

    sign: str
    text: str
    at: int = 0


ADDED, REMOVED, KEPT, GAP = "+", "-", " ", "⋯"


def change(question: Row) -> Change | None:
    """The change of a file that an agent asks for; None where it asks for something else."""
    if engine_questions.is_of_engine(question):
        return None
    replaces = question.get("replaces")
    found = _change(dict(question["subject"]), replaces)
    known = [1] if replaces is not None and replaces["state"] != "unreadable" else question.get("begins") or ()
    return None if found is None else found._replace(begins=known)


def besides(question: Row) -> SubjectLines:
    """What is to be read of a question besides the change of a file and its choices."""
    if engine_questions.is_of_engine(question):
        return [_toned(line) for line in engine_questions.body(question)]
    rest = dict(question["subject"])
    asks = Choosing.of(rest)
    found = None if asks is not None else _change(rest, question.get("replaces"))
    if asks is not None:
        rest.pop("questions", None)
    lines = [_toned(line) for line in approval_subject.lines(rest)]
    return lines if lines or asks or found else [[Cell(safe(question["summary"]))]]


def _edited(rest: dict[str, Any], replaces: Row | None) -> SubjectLines:
    """What would change in a file; takes what it shows out of `rest`."""
    found = _change(rest, replaces)
    if found is None:
        return []
    shown: SubjectLines = [[Cell(f" {safe(found.path)}", "title"), Cell(found.note, "quiet")]] if found.path else []
    for edit, more in found.edits:
        shown += [*map(_drawn, edit), *more]
    return shown


def _change(rest: dict[str, Any], replaces: Row | None) -> Change | None:
    """The same as values; takes what it holds out of `rest`."""
    note = approval_subject.replaced_note(replaces) if isinstance(rest.get("content"), str) else ""
    edits = _edits(rest, replaces)
    if edits is None:
        return None
    path = next((str(rest.pop(name)) for name in _PATHS if isinstance(rest.get(name), str)), "")
    return Change(path, note, tuple((tuple(_diff(old, new)), more) for old, new, more in edits))


def _edits(rest: dict[str, Any], replaces: Row | None) -> list[tuple[str, str, SubjectLines]] | None:
    """Pairs of before and after, each with what else is said about it; None where no file would change."""
    if isinstance(rest.get("content"), str) and any(name in rest for name in _PATHS):
        before = "" if replaces is None else replaces["text"] or ""
        return [(before.removesuffix("\n"), rest.pop("content").removesuffix("\n"), [])]
    several = rest.get("edits")
    if isinstance(several, list) and several and all(_is_edit(one) for one in several):
        del rest["edits"]
        return [_edit(dict(one)) for one in several]
    if not _is_edit(rest):
        return None
    pair = _edit(rest)
    return [pair]


def _edit(one: dict[str, Any]) -> tuple[str, str, SubjectLines]:
    """Takes the two texts out; of one among several also all the rest."""
    old, new = one.pop(_OLD), one.pop(_NEW)
    everywhere: SubjectLines = (
        [[Cell(" replaces every occurrence in the file", "slow")]] if one.get("replace_all") else []
    )
    one.pop("replace_all", None)
    return old, new, everywhere


def _is_edit(one: object) -> bool:
    return isinstance(one, Mapping) and isinstance(one.get(_OLD), str) and isinstance(one.get(_NEW), str)


def _diff(old: str, new: str) -> Iterator[Changed]:
    before, after = (text.split("\n") if text else [] for text in (old, new))
    if len(before) + len(after) > COMPARED:
        yield from (_changed(REMOVED, line, number) for number, line in enumerate(before, 1))
        yield from (_changed(ADDED, line, number) for number, line in enumerate(after, 1))
        return
    at = {REMOVED: 1, ADDED: 1}
    for line in list(unified_diff(before, after, lineterm="", n=CONTEXT))[2:]:
        hunk = _HUNK.match(line)
        if hunk is None:
            sign = line[0]
            yield _changed(sign, line[1:], at[REMOVED if sign == REMOVED else ADDED])
            at = {one: number + (sign in {one, KEPT}) for one, number in at.items()}
            continue
        begins = dict(zip((REMOVED, ADDED), map(int, hunk.groups()), strict=True))
        if begins[REMOVED] > 1:
            yield Changed(GAP, "")
        at = {one: max(number, 1) for one, number in begins.items()}


def _changed(sign: str, text: str, at: int) -> Changed:
    return Changed(sign, safe(text.expandtabs(4)), at)


def _drawn(line: Changed) -> Line:
    if line.sign == GAP:
        return [Cell(f" {GAP}", "guide")]
    tone = {ADDED: "good", REMOVED: "bad"}.get(line.sign, "quiet")
    return [Cell(f" {line.sign} ", tone if line.sign != KEPT else "guide"), Cell(line.text, tone)]


def _toned(line: str) -> Line:
    tone = _TONES.get(line[:2])
    text = safe(line.expandtabs(4))
    return [Cell(f" {text[:2]}", tone), Cell(text[2:], tone)] if tone else [Cell(f" {text}")]
