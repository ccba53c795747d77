"""A question above the face of the panel, whole: its sentence, since when, the command or change, where, keys. Pure.

Whose question it is stands in the title. One that leaves no room for a face is cut, with the key that shows all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from overmind_core.domain import engine_questions
from overmind_core.domain.agents import approval_subject
from overmind_core.domain.text.cells import width
from overmind_core.view import numbers, subject
from overmind_core.view.cells import Cell, Row, clipped, clipped_line, safe
from overmind_core.view.diff import DiffFiles
from overmind_core.view.diff_face import sums
from overmind_core.view.hive_keys import is_of_swarm
from overmind_core.view.inbox import HOLDER, LOST_POST, with_text
from overmind_core.view.subject import ADDED, GAP, REMOVED, Ask, Change, Choosing

Lines = list[list[Cell]]
MOST_PART = 0.6
"""The part of the panel that a question takes."""
LEAST_FACE = 4
"""Lines of the panel below its title that a longer question leaves to the face: one that needs more is cut."""
AIRY = 13
"""Lines of a panel, its title among them, from which on blank lines stand around a question."""
ALWAYS = "Y"
"""The key that stores a rule."""
PLAN, PERMISSION = "plan", "permission"
READ_ONLY = "read-only: nothing is answered from here"
_GUTTER = 5
"""Cells before a command, and before the sign of a changed line."""
_LONGEST_LABEL = 24
LONGEST_RULE = 2
"""Rows that a rule takes among the keys at most."""
_BESIDE_RULE = 8
"""Cells of the first of them that are left to its key and the edge."""
_TONES = {ADDED: "add", REMOVED: "cut"}


class AskedKey(NamedTuple):
    """A key that answers.

    Attributes:
        key: As it is pressed: `y`, `n`, `m`, `Y`, `enter`, `a`, or `1-3` for a choice.
        label: The whole of what it does; "" of numbers, which stand at their options.
        short: The same while the keys are elsewhere.
    """

    key: str
    label: str
    short: str


class Asking(NamedTuple):
    """A question, and what is known around it.

    Attributes:
        question: As `inbox` has it.
        now: Seconds since the epoch.
        folder: Where its mission works; paths below it are shown from there. "": nobody knows.
        where: Where it would happen, as `place` says; "": that is not said.
        rule: The rule by which it is asked; "": nobody knows.
        choosing: The choice so far, where there is one.
        read_only: Nothing is answered from here.
    """

    question: Row
    now: float
    folder: str = ""
    where: str = ""
    rule: str = ""
    choosing: Choosing | None = None
    read_only: bool = False


class QuestionText(NamedTuple):
    """The text of a question, folded; kept for as long as the question, its choice, its place and the width stay.

    Attributes:
        sentence: The question in one sentence.
        about: The rows below it: the command, the change or the choices.
        place: The rows that say where it would happen.
    """

    sentence: str
    about: Lines
    place: Lines


class QuestionBlock(NamedTuple):
    """The question as it is drawn.

    Attributes:
        lines: To show, blank ones around it among them.
        height: Rows of the whole question without its keys.
        seen: Those of them that `lines` has in sight, from 0.
    """

    lines: Lines
    height: int
    seen: range

    @property
    def hidden(self) -> int:
        """Rows of the question that are not in sight."""
        return self.height - len(self.seen)


def block(
    asking: Asking, cells: int, panel: int, *, has_keys: bool, top: int | None = None, text: QuestionText | None = None
) -> QuestionBlock:
    """The question in a panel.

    Args:
        asking: The question.
        cells: The width of the panel.
        panel: Its lines, the title among them.
        has_keys: The keys are in the question.
        top: It has the panel alone, and is scrolled by so many rows; None: it stands above a face.
        text: As `text_of` has folded it to this width; None: it is folded now.
    """
    folded = text or text_of(asking, cells)
    offered = keys(asking)
    head = _head(asking, folded.sentence, cells)
    key_rows = _fitting(asking, offered, cells, panel - 1, has_keys=has_keys)
    spare = panel - 2 - len(key_rows)  # rows beside the title, the keys and one more
    blank: Lines = [[]] if panel >= AIRY else []
    content = _bright(folded.about) if has_keys and _current(asking) is not None else folded.about
    about = [*content, *([[]] if folded.place else []), *folded.place]
    answering = _key_rows(asking, offered, cells, has_keys=True)  # the same height when the keys come and go
    whole = len(head) + len(about) + 1 + max(len(key_rows), len(answering))
    if top is None and not (whole <= panel * MOST_PART or whole < panel - LEAST_FACE):
        about = [*content, *([[Cell(clipped(f" {asking.where}", cells - 1), "quiet")]] if asking.where else [])]
    body = [*head, *about]
    if top is not None:
        if len(body) > max(spare, 1):
            key_rows = _fitting(asking, _numbered(offered), cells, panel - 1, has_keys=has_keys)
            spare = panel - 2 - len(key_rows)
        room = max(spare, 1)
        first = max(0, min(top, len(body) - room))
        seen = range(first, min(first + room, len(body)))
        shown = [*body[seen.start : seen.stop], *([[]] if spare > 0 else []), *key_rows]
    elif len(body) + 1 + len(key_rows) <= panel * MOST_PART:
        seen = range(len(body))
        shown = [*blank, *head, *blank, *about, [], *key_rows, *blank]
    elif len(body) + 1 + max(len(key_rows), len(answering)) < panel - LEAST_FACE:
        seen = range(len(body))
        shown = [*body, [], *key_rows]
    else:
        key_rows = _fitting(asking, _numbered(offered), cells, panel - 1, has_keys=has_keys)
        spare = panel - 2 - len(key_rows)
        seen = range(max(int(panel * MOST_PART) - 2 - len(key_rows), min(spare, 1), 0))
        hidden = len(body) - len(seen)
        more: Lines = [[Cell(f" … {numbers.counted(hidden, 'more line')}: ", "quiet"), Cell("enter", "key")]]
        if hidden <= 1:  # the line itself needs no more room
            seen, more = range(len(body)), []
        shown = [*body[: seen.stop], *more, *([[]] if spare > 1 else []), *key_rows]
    return QuestionBlock(shown, len(body), seen)


def text_of(asking: Asking, cells: int) -> QuestionText:
    """The text of a question at a width; what changes with time is not in it."""
    change = None if _current(asking) is not None else subject.change(asking.question)
    place = subject.wrapped([[Cell(f" {asking.where}", "quiet")]], cells - 1, 1) if asking.where else []
    return QuestionText(_sentence(asking, change), _body(asking, change, cells), place)


def _head(asking: Asking, sentence: str, cells: int) -> Lines:
    """The sentence, behind it since when and why; below it where there is no room."""
    since = numbers.moment(asking.question["asked_at"])
    span = "" if since is None else f"asked {numbers.span(max(asking.now - since, 0.0))} ago"
    why = " · ".join(filter(None, (span, f"rule: {safe(asking.rule)}" if asking.rule else "")))
    own = Cell(f" {sentence}", "wait bold")
    if width(own.text) + width(why) + 4 <= cells:
        return [[own, Cell(f"   {why}", "faint")]]
    return subject.wrapped([[own], [Cell(f" {why}", "faint")]], cells - 1, 1)


def _sentence(asking: Asking, change: Change | None) -> str:
    """The question in one sentence. `change`: of the file that it is about."""
    question = asking.question
    if (ask := _current(asking)) is not None:
        return safe(ask.text)
    if engine_questions.is_of_engine(question):
        return safe(engine_questions.body(question)[0])
    is_plain = question["attach_only"] or question["need"] not in {PERMISSION, PLAN}
    return safe(question["summary"]) if is_plain else _permission(asking, change)


def _permission(asking: Asking, change: Change | None) -> str:
    """The sentence of an agent that asks for leave."""
    question = asking.question
    if question["need"] == PLAN:
        return "May it carry out this plan?"
    if change is not None:
        verb = "create" if (question.get("replaces") or {}).get("state") == "new" else "change"
        return f"May it {verb} {_shown_path(change.path, asking.folder) or 'this'}?"
    if "command" in question["subject"]:
        return "May it run this?"
    return f"May it use {safe(question['tool'])}?" if question["tool"] else "May it do this?"


def place(row: Row, found: DiffFiles | None, home: str = "") -> str:
    """The place where a mission works: `in ~/shop-api, branch fix/prices, 3 commits: +120 in 6 files`.

    Args:
        row: The mission.
        found: Its changes; None: nobody has asked yet.
        home: The folder of the person, which is shown as `~`.
    """
    isolation = row.get("isolation") or {}
    folder = short_path(str(isolation.get("worktree") or row["cwd"]), home)
    branch = safe((found.branch if found else "") or isolation.get("branch"))
    parts = [f"in {folder}", f"branch {branch}" if branch else ""]
    if found is not None and (found.files or found.commits):
        commits = numbers.counted(len(found.commits), "commit") if found.commits else "nothing committed"
        changed = numbers.lines_changed(*sums(found))
        counted = numbers.counted(len(found.files), "file") if found.files else ""
        files = f"{changed} in {counted}" if changed and counted else counted
        parts.append(": ".join(filter(None, (commits, files))))
    return ", ".join(filter(None, parts))


def short_path(path: str, home: str) -> str:
    """The path with `~` for the folder of the person."""
    if home and (path == home or path.startswith(home.rstrip("/") + "/")):
        return safe(f"~{path[len(home.rstrip('/')) :]}")
    return safe(path)


def _shown_path(path: str, folder: str) -> str:
    inside = bool(folder) and path.startswith(folder.rstrip("/") + "/")
    return safe(path[len(folder.rstrip("/")) + 1 :] if inside else path)


# what it is about


def _body(asking: Asking, change: Change | None, cells: int) -> Lines:
    question = asking.question
    if (ask := _current(asking)) is not None and asking.choosing is not None:
        chosen = asking.choosing.chosen[asking.choosing.at]
        besides = _quiet(subject.besides(question), cells)
        return [*_options(ask, chosen, cells), *([[], *besides] if besides else [])]
    if engine_questions.is_of_engine(question):
        return _texts(engine_questions.body(question)[1:], cells)
    if change is not None:
        return [*_change(change, cells), *_quiet(subject.besides(question), cells)]
    rest = dict(question["subject"])
    command = rest.pop("command", None) if isinstance(rest.get("command"), str) else None
    found = [] if command is None else list(_command(command, cells))
    lines = list(approval_subject.lines(rest))
    if command is None and not lines:
        lines = [] if question["need"] not in {PERMISSION, PLAN} else [question["summary"]]
    return [*found, *_texts(lines, cells, "" if question["need"] == PLAN else "quiet")]


def _command(command: str, cells: int) -> Iterator[list[Cell]]:
    for line in command.split("\n"):
        text = safe(line.expandtabs(4))
        yield from subject.wrapped([[Cell(" " * _GUTTER), Cell(text, "news")]], cells - 1, _GUTTER + 2)


def _texts(lines: Sequence[str], cells: int, tone: str = "quiet") -> Lines:
    return subject.wrapped([[Cell(f" {safe(line.expandtabs(4))}", tone)] for line in lines], cells - 1, 1)


def _quiet(lines: Sequence[list[Cell]], cells: int) -> Lines:
    plain = [[Cell("".join(cell.text for cell in line), "quiet")] for line in lines]
    return subject.wrapped(plain, cells - 1, 1)


def _change(change: Change, cells: int) -> Lines:
    found: Lines = [[Cell(f" {change.note.strip()}", "quiet")]] if change.note else []
    for place, (edit, more) in enumerate(change.edits):
        found += [[]] if place else []
        begin = change.begins[place] if place < len(change.begins) else 0
        for sign, text, at in edit:
            if sign == GAP:
                found.append([Cell(f" {' ' * (_GUTTER - 1)} {GAP}", "faint")])
                continue
            number = begin + at - 1 if begin else ""
            tone = _TONES.get(sign, "quiet")
            lead = [Cell(f" {number:>4} ", "faint"), Cell(f"{sign} ", tone)]
            hang = sum(width(cell.text) for cell in lead)
            first, *rows = subject.wrapped([[Cell(" " * hang), Cell(text, tone)]], cells - 1, hang)
            found += [[*lead, *first[1:]], *rows]
        found += _quiet(more, cells)
    return found


def _options(ask: Ask, chosen: Sequence[int], cells: int) -> Lines:
    boxes = {True: "[x] ", False: "[ ] "} if ask.several else {True: "• ", False: ""}
    labels = [f"{boxes[number in chosen]}{safe(label)}" for number, (label, _) in enumerate(ask.options, 1)]
    column = min(max(map(width, labels), default=0), _LONGEST_LABEL) + 3
    found: Lines = []
    for number, (label, (_, about)) in enumerate(zip(labels, ask.options, strict=True), 1):
        blanks = " " * max(column - width(label), 2) if about else ""
        hang = 6 + (column if width(label) <= column else 0)
        line = [Cell(" " * 6), Cell(f"{label}{blanks}", "news"), Cell(safe(about), "quiet")]
        first, *rows = subject.wrapped([line], cells - 1, hang)
        found += [[Cell("  "), Cell(f" {number} ", "faint"), Cell(" "), *first[1:]], *rows]
    return found


def _bright(options: Sequence[Sequence[Cell]]) -> Lines:
    """The options with the keys that choose them as keys that can be pressed."""
    return [[cell._replace(tone="button") if _is_number(cell) else cell for cell in line] for line in options]


def _is_number(cell: Cell) -> bool:
    return cell.tone == "faint" and len(cell.text) == 3 and cell.text.strip().isdigit()  # noqa: PLR2004 - with its blanks


def _current(asking: Asking) -> Ask | None:
    """The one of its questions that is next; None where there is nothing to choose."""
    choosing = asking.choosing
    return None if choosing is None or choosing.complete else choosing.asks[choosing.at]


# its keys


def keys(asking: Asking) -> list[AskedKey]:
    """The keys that answer the question, in their order."""
    question = asking.question
    if asking.read_only:
        return []
    if is_of_swarm(question) and question["need"] == LOST_POST:
        effects = engine_questions.LOST_JOB
        return [AskedKey("y", effects.allow, effects.allow), AskedKey("n", effects.deny, effects.deny)]
    if question["attach_only"]:
        where = f" on host {safe(question.get(HOLDER))}" if is_of_swarm(question) else ""
        text = f"answer it in its terminal{where}"
        return [] if where else [AskedKey("a", text, text)]
    if (ask := _current(asking)) is not None:
        return _choice_keys(asking, ask)
    effects = engine_questions.effects_of(question)
    by_engine = engine_questions.is_of_engine(question)
    says_why = effects.text_with == engine_questions.DENY and not by_engine
    words = f"{effects.deny}, say why" if says_why else with_text(question)
    allows = not engine_questions.needs_agent(question)
    found = [AskedKey("y", effects.allow, effects.allow)] if allows else []
    found += [AskedKey("n", effects.deny, effects.deny), AskedKey("m", words, words)]
    if not by_engine and question["rule"]:
        found.append(AskedKey(ALWAYS, f"always: {safe(question['rule'])}", "always"))
    return found


def _choice_keys(asking: Asking, ask: Ask) -> list[AskedKey]:
    begun = asking.choosing is not None and asking.choosing.begun
    confirm = [AskedKey("enter", "these are all", "these are all")] if begun else []
    numbered = [AskedKey(f"1-{len(ask.options)}", "", "choose")] if ask.options else []
    return [*numbered, *confirm, AskedKey("m", "answer in your own words", "your own words")]


def _numbered(known: Sequence[AskedKey]) -> list[AskedKey]:
    """The keys where an option may be out of sight, and the number that stands at it."""
    return [one._replace(label=one.label or one.short) for one in known]


def _shortened(known: Sequence[AskedKey], cells: int, rows: int) -> list[AskedKey]:
    """The keys; a rule that is longer than so many rows, as a whole script is, is cut to one."""
    found = list(known)
    for place, one in enumerate(found):
        if one.key == ALWAYS and width(one.label) > rows * cells - _BESIDE_RULE:
            found[place] = one._replace(label=clipped(one.label, max(cells - _BESIDE_RULE, 1)))
    return found


def _fitting(asking: Asking, known: Sequence[AskedKey], cells: int, room: int, *, has_keys: bool) -> Lines:
    """The rows of the keys in a panel with room for so many: a rule gives way, so that a row of the question is left.

    Where that is not enough, all but one are the keys'; the last of those that are in sight ends with `…`.
    """
    found = _key_rows(asking, known, cells, has_keys=has_keys)
    if len(found) > room - 2:
        found = _key_rows(asking, known, cells, has_keys=has_keys, rule=1)
    most = max(room - 1, 1)
    return found if len(found) <= most else [*found[: most - 1], clipped_line([*found[most - 1], Cell(" …")], cells)]


def _key_rows(
    asking: Asking, known: Sequence[AskedKey], cells: int, *, has_keys: bool, rule: int = LONGEST_RULE
) -> Lines:
    """The rows of the keys. `rule`: rows that a rule takes at most."""
    if asking.read_only:
        return [[Cell(f" {READ_ONLY}", "quiet")]]
    if not known:
        where = f"on host {safe(asking.question.get(HOLDER))}"
        return [[Cell(f" answer it in its terminal, {where}", "quiet")]]
    if not has_keys:
        dim = "  ".join(f"{one.key} {one.short}" for one in known)
        return subject.wrapped(
            [[Cell(" y", "key"), Cell(" answers, then  ", "quiet"), Cell(dim, "faint")]], cells - 1, 1
        )
    lead = "  " if _current(asking) is not None else " "
    found: Lines = []
    for one in _shortened(known, cells, rule):
        if not one.label:  # the numbers stand at the options
            continue
        more = [Cell(f" {one.key} ", "button"), Cell(f" {one.label}")]
        used = sum(width(cell.text) for cell in (*found[-1], *more)) + 3 if found else 0
        if not found or used > cells:
            found.append([Cell(lead), *more])
        else:
            found[-1] += [Cell("   "), *more]
    return [row for line in found for row in subject.wrapped([line], cells, len(lead) + 4)]


def key_at(lines: Sequence[Sequence[Cell]], x: int, y: int) -> str:
    """The key of the answer, or of the option, whose words stand at a cell, for the mouse; "" where none does.

    While the keys are elsewhere the whole row of them is `y`, which moves them here.
    """
    begin, key = 0, ""
    for cell in lines[y] if 0 <= y < len(lines) else ():
        if cell.tone in {"button", "key"}:
            key = cell.text.strip()
        begin += width(cell.text)
        if x < begin:
            return key
    return ""
