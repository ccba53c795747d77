"""Texts to read: help, aliases, findings of the doctor, what an empty list says, what happened in absence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from overmind_core.domain.missions import status_marks
from overmind_core.domain.missions.status_marks import BAD_ENDS, MARKS, WAITING, StatusMark
from overmind_core.domain.operation import Danger
from overmind_core.view import actions, diff, first_run, numbers, registry
from overmind_core.view import keymap as shell_keymap
from overmind_core.view import missions as missions_rows
from overmind_core.view import note_marks as notes_marks
from overmind_core.view import plans as plans_rows
from overmind_core.view import timeline as timeline_rows
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.fleet import Fleet
from overmind_tui.command_line.verbs import ELSEWHERE, VERBS
from overmind_tui.render.help import Entry, Section
from overmind_tui.shell.settings import Hotkey

Lines = list[list[Cell]]
WORDS = 19
"""Cells before what a word behind the colon does."""
FINDINGS = 29
"""Cells before what `doctor` found."""
_ASKING = StatusMark(WAITING.mark, WAITING.ascii, missions_rows.ASKS, WAITING.tone)
_OF_MISSIONS = tuple(_ASKING if mark is WAITING else mark for mark in MARKS)
_NOTHING_LANDED = StatusMark(
    status_marks.NOTHING_LANDED.mark, status_marks.NOTHING_LANDED.ascii, "nothing to land",
    status_marks.NOTHING_LANDED.tone,
)  # fmt: skip
_OF_QUESTS = (
    status_marks.QUEUED, status_marks.WORKING, _ASKING, status_marks.BLOCKED, status_marks.REVIEW,
    status_marks.LANDS_LATER, status_marks.SUCCEEDED, _NOTHING_LANDED, status_marks.FAILED, status_marks.TIMED_OUT,
    status_marks.STOPPED, status_marks.CANCELLED,
)  # fmt: skip
_OF_POSTS = (
    status_marks.QUEUED, status_marks.WORKING, _ASKING, status_marks.UNHEARD, status_marks.BLOCKED,
    status_marks.SUCCEEDED, status_marks.FAILED, status_marks.CANCELLED,
)  # fmt: skip
_REVIEWED = StatusMark(status_marks.REVIEW.mark, status_marks.REVIEW.ascii, status_marks.REVIEW.word, "quiet")
"""As the list of missions draws it: the question about it has a row of its own."""
_CRITICAL = StatusMark(plans_rows.CRITICAL, "*", "critical path", "text")
_OF_FILES = tuple(StatusMark(letter, letter, word, "quiet") for letter, word in diff.WORDS.items())
_MARKS: Mapping[Context, Sequence[StatusMark]] = {
    Context.PLAN: (*_OF_MISSIONS, status_marks.PENDING, status_marks.SKIPPED, _CRITICAL),
    Context.RITUALS: (status_marks.PENDING, *_OF_MISSIONS),
    Context.RUNS: (*_OF_MISSIONS, status_marks.QUEUED, status_marks.CANCELLED, status_marks.MISSED,
                   status_marks.SKIPPED),
    Context.CHANGES: _OF_FILES,
    **dict.fromkeys((Context.QUESTS, Context.BOARD, Context.QUEUE), _OF_QUESTS),
    **dict.fromkeys(
        (Context.SPECS, Context.SPEC), (status_marks.PENDING, *_OF_QUESTS, status_marks.STALE, _CRITICAL)
    ),
    Context.TIMELINE: timeline_rows.MARKS,
    **dict.fromkeys((Context.POSTS, Context.POST_BOARD), _OF_POSTS),
    **dict.fromkeys((Context.HIVES, Context.FLEETS, Context.POOLS, Context.VAULT, Context.TABLE), ()),
    **dict.fromkeys((Context.CONVERSATIONS, Context.TRANSCRIPTS), ()),
    Context.HEALTH: (*_OF_MISSIONS, *status_marks.SILENT),
    **dict.fromkeys((Context.NOTES, Context.NOTE, Context.GIVEN, Context.LEARN), notes_marks.MARKS),
}  # fmt: skip
"""Context → the marks that its rows show, where those are not the ones of missions."""


def marks_of(context: Context) -> Sequence[StatusMark] | None:
    """The marks of the rows of a view; None where they are those of missions."""
    return _MARKS.get(context)


def drawn_marks(context: Context, fleet: Fleet) -> Sequence[StatusMark]:
    """The marks that rows of missions have now, where a view shows no others."""
    if context in _MARKS:
        return ()
    marks = (missions_rows.mark(row) for row in fleet.rows.values())
    found = dict.fromkeys(_REVIEWED if mark is status_marks.REVIEW else mark for mark in marks)
    levels = {one.get("level") for one in fleet.health.values()}
    return [*found, *(mark for mark in status_marks.SILENT if mark.word in levels and mark is not status_marks.QUIET)]


def help_sections(
    context: Context, *, read_only: bool, hotkeys: Sequence[Hotkey] = (), ascii_only: bool = False
) -> list[Section]:
    """The keys of a context, then those of everywhere, the person's own, and what the marks mean."""
    keymap = shell_keymap.keymap(context)
    found: list[Section] = []
    for one in dict.fromkeys(reversed(shell_keymap.chain(context))):
        entries = []
        for action in shell_keymap.ACTIONS:
            keys = [key for key in action.keys if keymap.get(key) is action]
            if action.context is one and keys and actions.allowed(action, read_only=read_only):
                note = "" if action.danger is Danger.NONE else action.danger.value
                entries.append(Entry(_keys(keys, ascii_only=ascii_only), safe(action.summary), note, action))
        found.append(Section(one.value, entries))
    own = [hotkey for hotkey in hotkeys if hotkey.counts_in(context)]
    if own:
        entries = [Entry(_keys([one.key], ascii_only=ascii_only), safe(f":{one.line}"), line=one.line) for one in own]
        found.append(Section("your hotkeys", entries))
    meant = _MARKS.get(context, _OF_MISSIONS)
    same: dict[tuple[str, str], list[StatusMark]] = {}
    for mark in meant:
        same.setdefault((mark.mark, mark.ascii), []).append(mark)
    marks = [Entry(f"{mark} {sign}", ", ".join(one.word for one in alike), tone=alike[0].tone)
             for (mark, sign), alike in same.items()]  # fmt: skip
    selects = Entry("shift-drag", "select text with the terminal's own selection", tone="quiet")
    return [*found, *([Section("marks", marks)] if marks else []), Section("mouse", [selects])]


def help_lines(context: Context, *, read_only: bool, hotkeys: Sequence[Hotkey] = (), ascii_only: bool = False) -> Lines:
    """All of it below each other, whole."""
    sections = help_sections(context, read_only=read_only, hotkeys=hotkeys, ascii_only=ascii_only)
    lines: Lines = []
    for section in sections:
        lines += [*([[]] if lines else []), [Cell(f" {section.title}", "title")]]
        for entry in section.entries:
            tail = [Cell(f"  ({entry.note})", "slow")] if entry.note else []
            lines.append([Cell(f"   {entry.keys:<16} ", entry.tone), Cell(entry.text), *tail])
    return lines


def _keys(keys: Sequence[str], *, ascii_only: bool) -> str:
    return " ".join(dict.fromkeys(actions.shown_key(key, ascii_only=ascii_only) for key in keys))


def _key_line(keys: Sequence[str], text: str, danger: Danger = Danger.NONE, *, ascii_only: bool = False) -> list[Cell]:
    shown = _keys(keys, ascii_only=ascii_only)
    tail = [] if danger is Danger.NONE else [Cell(f"  ({danger.value})", "slow")]
    return [Cell(f"   {shown:<16} ", "key"), Cell(safe(text)), *tail]


def aliases(
    *, read_only: bool, aliases: Mapping[str, str] = {}, hotkeys: Sequence[Hotkey] = (), ascii_only: bool = False
) -> Lines:
    """What `:` takes: views, verbs, and the person's own words and keys."""
    lines: Lines = [[Cell(" views", "title")]]
    for view in registry.VIEWS.values():
        lines.append(
            [Cell(f"   :{view.name:<14} ", "key"), Cell(f"{view.summary}  "), Cell(", ".join(view.aliases), "quiet")]
        )
    if aliases:
        lines += [[], [Cell(" your aliases", "title")]]
        lines += [[Cell(f"   :{safe(word):<14} ", "key"), Cell(f":{safe(line)}")] for word, line in aliases.items()]
    if hotkeys:
        lines += [[], [Cell(" your hotkeys", "title")]]
        for one in hotkeys:
            where = "" if one.context is None else f"  ({one.context.value})"
            lines.append([*_key_line([one.key], f":{one.line}", ascii_only=ascii_only), Cell(where, "quiet")])
    lines += [
        [],
        [Cell(" commands; without ids they act on the marked rows, or on the row under the cursor", "title")],
    ]
    for verb in VERBS.values():
        if verb.name not in registry.VIEWS and (not read_only or verb.danger is Danger.NONE):
            danger = "" if verb.danger is Danger.NONE else f"  ({verb.danger.value})"
            lines.append([Cell(f"   :{verb.name:<14} ", "key"), Cell(verb.summary), Cell(danger, "slow")])
    lines += [[], [Cell(" quit", "title")], [Cell(f"   {' '.join(f':{word}' for word in registry.LEAVE)}", "key")]]
    lines += [[], [Cell(" commands without a : form", "title")]]
    lines += [[Cell(f"   {name:<15} ", "key"), Cell(reason, "quiet")] for name, reason in ELSEWHERE.items()]
    return lines


def doctor(findings: Sequence[Mapping[str, Any]]) -> Lines:
    """What was looked at, what was found, and below it how to mend it."""
    tones = {"ok": "good", "warn": "slow", "fail": "bad"}
    lines: Lines = []
    for one in findings:
        tone = tones.get(one["status"], "")
        lines.append([Cell(f" {safe(one['status']):<5}", tone), Cell(f"{safe(one['check']):<22} ", "name"),
                      Cell(safe(one["found"]))])  # fmt: skip
        if one["mend"]:
            lines.append([Cell(f"       → {safe(one['mend'])}", "quiet")])
    counts = ", ".join(f"{sum(one['status'] == word for one in findings)} {word}" for word in tones)
    return [*lines, [], [Cell(f" {counts} · ctrl-r checks again", "quiet")]]


def plain(text: str) -> Lines:
    """What a program printed, literally."""
    return [[Cell(safe(line.expandtabs()))] for line in text.splitlines()]


LOADING = ("loading …",)
"""Nobody has answered yet."""


def loading() -> Sequence[Sequence[Cell]]:
    """The same, as it is drawn."""
    return [[Cell(line, "quiet")] for line in LOADING]


def in_place(said: Sequence[str]) -> Sequence[str | Sequence[Cell]]:
    """The lines in the place of a list without rows; `said` as `first_run.in_place` has it."""
    return said if said == LOADING else first_run.in_place(said)


FINISHED = frozenset({"turn_ended", "stopped"})
ENDED = frozenset({"stopped", "crashed"})
"""Types of the events of ends of which a mission as it is now says whether it has failed."""


def away_text(events: Sequence[Row], rows: Iterable[Row], cost: numbers.Cost, *, since: str) -> str:
    """How many finished, wait and crashed, and what it cost; "" when nothing of that happened.

    Args:
        events: What happened since then.
        rows: Missions as they are now: who waits is told by them, for a question may have been answered.
        cost: Since then.
        since: When that was, in words.
    """
    touched = {event.get("mission") for event in events}
    now = {row["id"]: missions_rows.mark(row) for row in rows if row["id"] in touched}
    waiting = {one for one, mark in now.items() if mark is WAITING}
    crashed = _of(events, ENDED) & {one for one, mark in now.items() if mark in BAD_ENDS}
    finished = _of(events, FINISHED) - waiting - crashed
    waits = len(waiting | _asked_about(events))
    parts = [
        *([f"{len(finished)} finished"] if finished else []),
        *([f"{waits} wait{'s' * (waits == 1)}"] if waits else []),
        *([f"{len(crashed)} failed"] if crashed else []),
        *([numbers.cost(cost)] if cost.usd else []),
    ]
    return f"since {since}: {', '.join(parts)}" if parts else ""


def _asked_about(events: Iterable[Row]) -> set[str]:
    """Ids of what the engine has asked about, and nobody has answered."""
    open_ = {}
    for event in events:
        if event["type"] == "asked" and event.get("about"):
            open_[event["question"]] = str(event["mission"])
        elif event["type"] == "answered":
            open_.pop(event.get("question"), None)
    return set(open_.values())


def _of(events: Iterable[Row], kinds: frozenset[str]) -> set[str]:
    return {event["mission"] for event in events if event["type"] in kinds and event.get("mission")}
