"""Texts to read: what is known about a mission, what happened, the keys, the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overmind_core.domain.marks import MARKS
from overmind_tui import actions, actiontable, registry
from overmind_tui.actions import Context, Danger
from overmind_tui.commands.verbs import ELSEWHERE, VERBS
from overmind_tui.config.hotkeys import Hotkey
from overmind_tui.view.cells import Cell, safe

Lines = list[list[Cell]]
KEYS = 20
"""Cells before what a key does."""
WORDS = 19
"""Cells before what a word behind the colon does."""
FINDINGS = 29
"""Cells before what `doctor` found."""


def help_lines(context: Context, *, read_only: bool, hotkeys: Sequence[Hotkey] = (), ascii_only: bool = False) -> Lines:
    """The keys of a context, then those of everywhere, the person's own, and what the marks mean."""
    lines: Lines = []
    keymap = actiontable.keymap(context)
    for one in dict.fromkeys(reversed(actiontable.chain(context))):
        lines += [[Cell(f" {one.value}", "title")]]
        for action in actiontable.ACTIONS:
            keys = [key for key in action.keys if keymap.get(key) is action]
            if action.context is one and keys and actions.allowed(action, read_only=read_only):
                lines.append(_key_line(keys, action.summary, action.danger, ascii_only=ascii_only))
        lines.append([])
    own = [hotkey for hotkey in hotkeys if hotkey.counts_in(context)]
    if own:
        lines += [
            [Cell(" your own", "title")],
            *(_key_line([one.key], f":{one.line}", ascii_only=ascii_only) for one in own),
            [],
        ]
    lines.append([Cell(" marks", "title")])
    lines += [[Cell(f"   {mark.mark} {mark.ascii}             ", mark.tone), Cell(mark.word)] for mark in MARKS]
    notes = (
        "shift and drag selects text with the terminal's own mouse",
        "/ searches this help, ctrl-a lists all commands",
    )
    return [*lines, [], *([Cell(f"   {note}", "quiet")] for note in notes)]


def _key_line(keys: Sequence[str], text: str, danger: Danger = Danger.NONE, *, ascii_only: bool = False) -> list[Cell]:
    shown = " ".join(dict.fromkeys(actions.shown_key(key, ascii_only=ascii_only) for key in keys))
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
        lines += [[], [Cell(" your own words", "title")]]
        lines += [[Cell(f"   :{safe(word):<14} ", "key"), Cell(f":{safe(line)}")] for word, line in aliases.items()]
    if hotkeys:
        lines += [[], [Cell(" your own keys", "title")]]
        for one in hotkeys:
            where = "" if one.context is None else f"  ({one.context.value})"
            lines.append([*_key_line([one.key], f":{one.line}", ascii_only=ascii_only), Cell(where, "quiet")])
    lines += [
        [],
        [Cell(" verbs, as on the command line; without ids they mean the marked rows, else the cursor's", "title")],
    ]
    for verb in VERBS.values():
        if verb.name not in registry.VIEWS and (not read_only or verb.danger is Danger.NONE):
            danger = "" if verb.danger is Danger.NONE else f"  ({verb.danger.value})"
            lines.append([Cell(f"   :{verb.name:<14} ", "key"), Cell(verb.summary), Cell(danger, "slow")])
    lines += [[], [Cell(" to leave", "title")], [Cell(f"   {' '.join(f':{word}' for word in registry.LEAVE)}", "key")]]
    lines += [[], [Cell(" of the command line, elsewhere", "title")]]
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
    return [*lines, [], [Cell(f" {counts} · ctrl-r looks again", "quiet")]]


def plain(text: str) -> Lines:
    """What a program printed, literally."""
    return [[Cell(safe(line.expandtabs()))] for line in text.splitlines()]
