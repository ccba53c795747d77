"""The line: one place for all that is typed and said. Pure.

At rest it says what can be typed here, and at its right what was said last. The text of what is typed grows to six
lines; a refusal stands beside it. Answers one line or more, the lowest last: those above it cover the list's last ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.text.cells import width
from overmind_core.view import composer, numbers
from overmind_core.view.actions import Context, shown_key
from overmind_core.view.cells import Cell, clipped, folded, safe
from overmind_core.view.field import Field
from overmind_core.view.header_line import Line, size_of, spread, whole
from overmind_core.view.hints import actions_of
from overmind_core.view.keymap import meaning

SIGN = "›"
CURSOR = "▏"
"""The text cursor, in a cell of its own."""
MOST = 6
"""Lines that a text grows to; more of them scroll."""
BRIGHT_SECONDS = 5.0
"""A sentence is bright for so long after it was said."""
ROOMY = 100
"""Cells from which on the line at rest says all of it."""
WIDEST_FOLDER = 24
"""Cells of a folder where there is not more room than that."""
APART = 2
"""Cells between the two ends, at least."""
LEAST_SAID = 16
"""Cells below which a sentence that is no longer bright is left out."""
ALL_KEYS = "   ? keys"
SPACE = "space"
"""The name of the key that types a blank."""
UNHEARD = "typed text does nothing until you pause"
NEW = "new"
"""The action that starts a mission: `n` in the list, while it denies in a question, and finds the next in a log."""
_NOTHING = Cell("")
_PRESSED = re.compile(
    r"ctrl\+.+|(?:shift\+)?(?:enter|tab|backspace|delete|insert|home|end|page(?:up|down)|up|down|left|right|f\d+)"
)
"""Names of keys that type nothing and that a person presses."""
_KEYS = {Cell("n", "quiet"): "n", Cell(":", "quiet"): ":", Cell("/", "quiet"): "/"}
"""The cells of the line at rest that offer a key; the faint words behind one are its."""
_FILTER = Cell(" / ", "accent")
_ALL = "   esc all"
COMMAND = "$"
"""The sign of a command: a text that begins with it, with or without blanks around it, is no task."""
NO_AGENT = "no agent is installed: $ runs a command, :doctor says more"
"""The refusal while nothing is typed yet."""
UNSIGNED = f"no agent is installed, see :doctor · begin it with {COMMAND}: it runs as a command"
"""The refusal of a text: a sign that is typed now would stand at its end."""


class Where(StrEnum):
    """Where the line stands: below the missions, below the first run, below the help, or elsewhere."""

    LIST = "list"
    FIRST = "first run"
    HELP = "help"
    VIEW = "another view"


class Said(NamedTuple):
    """A sentence that was said.

    Attributes:
        text: A line.
        at: When, in seconds since the epoch.
        tone: How it is meant.
        passed: A key has done something else since.
    """

    text: str
    at: float
    tone: str = ""
    passed: bool = False

    def is_bright(self, now: float) -> bool:
        """Return whether it is still new; `now` in seconds since the epoch."""
        return not self.passed and now - self.at < BRIGHT_SECONDS

    @property
    def shown(self) -> str:
        """The tone of its words: what is refused is told plainly, for yellow is what is delayed or lost."""
        return "" if self.tone == "slow" else self.tone


class Filtered(NamedTuple):
    """A filter that is active: its text, how many rows it keeps, and of how many."""

    text: str
    kept: int
    total: int

    @property
    def counts(self) -> str:
        """The rows that it keeps, and all."""
        return f"{self.kept:,} of {self.total:,}"

    @property
    def words(self) -> str:
        """The counts, and the key that ends it."""
        return f"{self.counts}{_ALL}"


class Job(NamedTuple):
    """A command that runs beside the screen: its name, the step it is at ("" where it has none), and its seconds."""

    name: str
    step: str
    seconds: float


class RestFacts(NamedTuple):
    """The facts of the line at rest.

    Attributes:
        folder: The folder of the start, as people write it: `~/shop`.
        where: Where the line stands.
        filtered: The filter of the list, while there is one.
        said: What was said last.
        meaningless: A key that was just pressed and means nothing here, by Textual's name; "" is none.
        jobs: Commands that run long enough to be said, the newest last.
        absence: The summary after an absence; "" is none.
        step: The first step that is to be done next; "" is none.
        read_only: Nothing can be started from here.
        zone: Of the times; None is the machine's.
        standing: How the row under the cursor stands, in full, where the view says that.
        context: The one that has the keys: a key is offered only where it means that.
        is_covered: Something that stands before the view has the keys: none of the view's own is offered.
    """

    folder: str = ""
    where: Where = Where.LIST
    filtered: Filtered | None = None
    said: Said | None = None
    meaningless: str = ""
    jobs: Sequence[Job] = ()
    absence: str = ""
    step: str = ""
    read_only: bool = False
    zone: tzinfo | None = None
    standing: Cell = _NOTHING
    context: Context = Context.MISSIONS
    is_covered: bool = False


def resting(facts: RestFacts, cells: int, now: float) -> list[Line]:
    """The line at rest, in one or two lines of `cells` cells; `now` in seconds since the epoch."""
    right, keeps = _right(facts, now)
    lefts = _lefts(facts, cells)
    left = next((one for one in lefts if size_of(one) < cells), lefts[-1])
    room = cells - size_of(left) - APART - 1
    if size_of(right) <= room:
        return [spread(left, right, cells)]
    if keeps:
        return _two_lines(right[0], left, cells)
    short = [Cell(clipped(cell.text, room), cell.tone) for cell in right] if room >= LEAST_SAID else []
    return [spread(left, short, cells)]


def key_at(facts: RestFacts, cells: int, now: float, x: int, y: int) -> str:
    """The key that the line at rest offers at a cell, by Textual's name, for the mouse; "": none."""
    line: Line = next(iter(resting(facts, cells, now)[y : y + 1]), [])
    if line[:1] == [_FILTER]:
        end = size_of(_lefts(facts, cells)[0])
        return "" if x >= end else "/" if x < end - width(_ALL.lstrip()) else "escape"
    key, end = "", 0
    for cell in line:
        key = _KEYS.get(cell, key if cell.tone == "faint" else "")
        end += width(cell.text)
        if x < end:
            return key
    return ""


def instead_of_hints(facts: RestFacts, cells: int, now: float) -> Line:
    """The sentence for the row of hints where there is no line: what was said just now; nothing while nothing was."""
    if not facts.meaningless and (facts.said is None or not facts.said.is_bright(now)):
        return []
    (cell, *_), _ = _right(facts, now)
    return whole([Cell(clipped(f" {cell.text}", max(cells - 1, 1)), cell.tone)], cells)


def _two_lines(said: Cell, left: Line, cells: int) -> list[Line]:
    """A sentence that has to be seen, in a line of its own; a longer one takes the second line, too."""
    first, *rest = folded([[Cell(f" {said.text}", said.tone)]], max(cells - 1, 1), 1)
    if not rest:
        return [whole(first, cells), spread(left, [], cells)]
    more = " ".join("".join(cell.text for cell in line).strip() for line in rest)
    return [whole(first, cells), whole([Cell(clipped(f" {more}", max(cells - 1, 1)), said.tone)], cells)]


def _lefts(facts: RestFacts, cells: int) -> list[Line]:
    """The texts of the left end: what can be typed here, from all of it to the least."""
    sign = Cell(f" {SIGN} ", "faint")
    if facts.filtered is not None:
        text = Cell(safe(facts.filtered.text))
        words = facts.filtered.counts if facts.is_covered else facts.filtered.words
        return [[_FILTER, text, Cell(f"   {words}", "quiet")]]
    if facts.is_covered:
        return [[]]
    if facts.where is Where.HELP:
        return [[sign, Cell("/", "quiet"), Cell(" find a key or a word", "faint")]]
    is_roomy = cells >= ROOMY
    gap = Cell(" " * (3 if is_roomy else 2))
    folder = short_folder(facts.folder, max(WIDEST_FOLDER, cells - 80))
    place = f" in {folder}" if folder else ""
    words = "new mission" if is_roomy or facts.where is Where.FIRST else "new"
    starts = not facts.read_only and facts.where is not Where.VIEW and NEW in actions_of(facts.context)
    new = [[Cell("n", "quiet"), Cell(f" {words}{place}", "faint")]] if starts else []
    if facts.where is Where.FIRST and facts.context is Context.MISSIONS:
        return [[sign, *(cell for part in new for cell in part)]]
    parts = [*new, [Cell(":", "quiet"), Cell(" command", "faint")], [Cell("/", "quiet"), Cell(" filter", "faint")]]
    found = []
    for count in range(len(parts), 0, -1):
        line = [sign]
        for place_, part in enumerate(parts[:count]):
            line += [gap, *part] if place_ else part
        found.append(line)
    return found


def short_folder(folder: str, cells: int) -> str:
    """A folder in at most `cells` cells: its last parts stay."""
    text = safe(folder)
    if width(text) <= cells:
        return text
    parts = text.split("/")
    for begin in range(1, len(parts)):
        short = "…/" + "/".join(parts[begin:])
        if width(short) <= cells:
            return short
    return clipped(parts[-1], cells)


def _right(facts: RestFacts, now: float) -> tuple[Line, bool]:
    """The sentence at the right, and whether all of it has to be seen: then it may take a second line."""
    if facts.meaningless:
        return [Cell(meaningless(facts.meaningless, is_of_list=_is_of_list(facts)), "faint")], False
    said = facts.said
    if said is not None and said.is_bright(now):
        return [Cell(_dated(said, facts.zone), said.shown)], True
    if facts.jobs:
        return [Cell(jobs_words(facts.jobs), "quiet")], False
    if (facts.absence or facts.step) and not facts.is_covered:
        return [Cell(safe(facts.absence or facts.step), "accent")], True
    if facts.standing.text:
        return [facts.standing], False
    return (
        ([], False) if said is None or facts.where is Where.HELP else ([Cell(_dated(said, facts.zone), "faint")], False)
    )


def says_more(facts: RestFacts) -> bool:
    """True where something else than what was said stands at the right."""
    return bool(_right(facts._replace(said=None), 0.0)[0])


def _dated(said: Said, zone: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(said.at, zone):%H:%M} {safe(said.text)}"


def said_line(said: Said, zone: tzinfo | None) -> Line:
    """A sentence that was said, whole, behind its time."""
    return [Cell(f" {datetime.fromtimestamp(said.at, zone):%H:%M} ", "faint"), Cell(safe(said.text), said.shown)]


def is_of_person(key: str, character: str | None) -> bool:
    """Return whether a person has pressed it to do something: modifiers alone, and a terminal's own reports, are not.

    Args:
        key: By Textual's name.
        character: The text that it types, if any.
    """
    return character is not None or _PRESSED.fullmatch(key) is not None


def _is_of_list(facts: RestFacts) -> bool:
    """True where a key that means nothing in a part of the missions screen means something in its list."""
    key = SPACE if facts.meaningless == " " else facts.meaningless
    return facts.where is Where.LIST and meaning(Context.MISSIONS, key, None) is not None


def meaningless(key: str, *, is_of_list: bool = False) -> str:
    """The sentence about a key that does nothing here; `key` by Textual's name, or the character.

    `is_of_list`: it does something in the list, to which esc goes back.
    """
    text = SPACE if key == " " else safe(key)
    sign = text if len(text) == 1 and not text.isupper() else shown_key(text)  # else `+` would join two keys
    return f"{sign} means nothing here{f': esc, then {sign}' if is_of_list else ''}{ALL_KEYS}"


def unheard(reason: str) -> str:
    """The sentence about text that is typed where there is no place for it; `reason`: why there is none, or ""."""
    return f"{reason} · {UNHEARD}" if reason else UNHEARD


def jobs_words(jobs: Sequence[Job]) -> str:
    """How many commands run, and how far the newest is: `2 jobs · merge api: verifying 34s`."""
    newest = jobs[-1]
    step = f": {safe(newest.step)}" if newest.step else ""
    count = f"{len(jobs)} jobs · " if len(jobs) > 1 else ""
    return f"{count}{safe(newest.name)}{step} {numbers.span(newest.seconds)}   ctrl-c cancels it"


FIRST_STEPS: tuple[tuple[str, str], ...] = (
    ("question", "answers who asks"), ("next-panel", "turns the panel"), ("new", "starts one of your own"),
)  # fmt: skip
"""Action → what its key does, in the order in which they are said to a new person."""


def first_step(done: Collection[str], later: Collection[str] = ()) -> str:
    """The step to be done next: `1 of 3: y answers who asks`; the number counts those that were done.

    Args:
        done: The names of the actions that were done.
        later: Those of the actions that mean nothing now.
    """
    number = 1 + sum(name in done for name, _ in FIRST_STEPS)
    for name, words in FIRST_STEPS:
        if name not in done and name not in later:
            key = actions_of(Context.MISSIONS)[name].keys[0]
            return f"{number} of {len(FIRST_STEPS)}: {shown_key(key)} {words}"
    return ""


# what is typed


class TypingFacts(NamedTuple):
    """The facts of a text that is being typed.

    Attributes:
        field: The text and its cursor; it may have line ends.
        lead: What the text is for, before it: `claude in ~/shop`, `to docs`; "" is nothing.
        sign: The sign before all of it: `›`, `:` or `/`.
        tail: Behind the text, such as the counts of a filter.
        refusal: Why it can't be done; the text stays. "" is nothing.
        note: What is to be known about it, in a line above; "" is nothing.
    """

    field: Field
    lead: str = ""
    sign: str = SIGN
    tail: str = ""
    refusal: str = ""
    note: str = ""


def typing(facts: TypingFacts, cells: int) -> list[Line]:
    """The line with a text that is typed: `MOST` lines of it at most, of `cells` cells; above it what is said of it."""
    before = _before(facts, cells)
    indent = size_of(before)
    lines = _text_lines(facts.field, text_cells(facts, cells))
    lines = [[*(Cell(" " * indent) if place else one for one in before[: 1 if place else None]), *line]
             for place, line in enumerate(lines)]  # fmt: skip
    if facts.tail:
        tail = [Cell("   "), Cell(safe(facts.tail), "quiet")]
        lines[-1] += tail if size_of(lines[-1]) + size_of(tail) <= cells else []
    found = [*_above(facts.note, "quiet", cells), *(whole(line, cells) for line in lines)]
    refusal = Cell(safe(facts.refusal), "bad")
    if refusal.text and size_of(lines[-1]) + width(refusal.text) + 4 <= cells:
        return [*found[:-1], spread(lines[-1], [refusal], cells)]
    return [*_above(facts.refusal, "bad", cells), *found]


def _above(text: str, tone: str, cells: int) -> list[Line]:
    """A sentence about what is typed, in lines above it: all of it."""
    if not text:
        return []
    return [whole(line, cells) for line in folded([[Cell(f" {safe(text)}", tone)]], max(cells - 1, 1), 1)]


def text_cells(facts: TypingFacts, cells: int) -> int:
    """Cells of a row of the text in a line of `cells` cells."""
    return max(cells - size_of(_before(facts, cells)) - 1, 1)


def _before(facts: TypingFacts, cells: int) -> Line:
    """The sign, and what the text is for."""
    lead = clipped(safe(facts.lead), max(cells // 2 - 5, 0))
    return [Cell(f" {facts.sign} ", "accent"), *([Cell(f"{lead}  ", "quiet")] if lead else [])]


def _text_lines(field: Field, cells: int) -> list[Line]:
    """The rows of the text around its cursor, each in at most `cells` cells."""
    text = field.text[: field.at] + CURSOR + field.text[field.at :]
    rows = composer.rows(text, cells)
    here = next(place for place, row in enumerate(rows) if row.start <= field.at < row.end)
    begin = max(min(here - MOST + 1, len(rows) - MOST), 0) if here >= MOST else 0
    lines = []
    for start, end in rows[begin : begin + MOST]:
        if start <= field.at < end:
            line = [Cell(composer.drawn(text[start : field.at])), Cell(CURSOR, "accent"),
                    Cell(composer.drawn(text[field.at + 1 : end]))]  # fmt: skip
        else:
            line = [Cell(composer.drawn(text[start:end]))]
        lines.append([cell for cell in line if cell.text])
    return lines


def agent_for(last: str, installed: Mapping[str, bool]) -> str:
    """The agent that a new mission starts: the one used last, else the first one installed; "" where none is."""
    if installed.get(last):
        return last
    return next((name for name, there in installed.items() if there), "")


def is_command(text: str) -> bool:
    """Return whether the text of a new mission is a command: only with its sign, whether or not there are agents."""
    return text.lstrip().startswith(COMMAND)


class Task(NamedTuple):
    """A text of a new mission, read.

    Attributes:
        is_command: It is a command, and no task.
        text: The task or the command, without blanks around it.
    """

    is_command: bool
    text: str


def task(text: str) -> Task:
    """The task, or the command, that a text of a new mission is."""
    command = is_command(text)
    return Task(command, (text.lstrip().removeprefix(COMMAND) if command else text).strip())


def as_typed(found: Task) -> str:
    """The text that is read as this; the sign of a command stands before it."""
    return f"{COMMAND} {found.text}" if found.is_command else found.text


def can_be_typed(found: Task) -> bool:
    """Return whether a text is read as this: a task of a form may begin with the sign of a command."""
    return found.is_command or not is_command(found.text)


def unfit(found: Task, agent: str) -> str:
    """Why this can't be started, a sentence; "": it can. An agent may wait for its task; a task needs an agent."""
    if found.is_command:
        return "" if found.text else "type a command"
    if agent:
        return ""
    return UNSIGNED if found.text else NO_AGENT


def new_mission(field: Field, agent: str, folder: str, cells: int, *, refusal: str = "") -> TypingFacts:
    """The facts of a new mission that is typed; `agent`: its name, "" where none is installed."""
    who = "command" if is_command(field.text) else safe(agent) or "no agent"
    place = short_folder(folder, max(cells // 4, 1))
    return TypingFacts(field, f"{who} in {place}" if place else who, refusal=refusal)


def message_to(name: str, field: Field, *, refusal: str = "") -> TypingFacts:
    """The facts of a message that is typed to a mission."""
    return TypingFacts(field, recipients([name]), refusal=refusal)


def recipients(names: Sequence[str]) -> str:
    """To whom a message goes: `to docs`, `to 3 missions`."""
    return f"to {safe(names[0])}" if len(names) == 1 else f"to {len(names)} missions"


def filtering(filtered: Filtered, field: Field, *, refusal: str = "") -> TypingFacts:
    """The facts of a filter that is typed."""
    return TypingFacts(field, "", "/", filtered.words, refusal)
