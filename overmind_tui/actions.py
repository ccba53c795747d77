"""Everything that a key or a `:` verb can do, as data: keys, hints, help, menus and read-only mode read these tables.

Keys are what a person presses: a character as itself, all others by Textual's names (`ctrl+k`, `enter`, `pageup`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Danger(StrEnum):
    """What an action does to work."""

    NONE = "none"
    CHANGES = "changes"
    ENDS_WORK = "ends work"


class Needs(StrEnum):
    """What must be there for an action to mean anything."""

    NOTHING = "nothing"
    MISSION = "a mission"
    LIVE = "a live mission"


class Context(StrEnum):
    """Where a key is pressed."""

    EVERYWHERE = "everywhere"
    TABLE = "tables"
    MISSIONS = "a mission"
    LOG = "the log"
    TEXT = "texts"


class Action(NamedTuple):
    """One thing that can be done.

    Attributes:
        name: What the code calls it.
        keys: Any of these; the first is the one that is shown.
        label: Two words at most, for hints.
        summary: One line for the help.
        context: Where its keys count.
        danger: What it does to work.
        needs: What must be there.
        verb: The `:` and command-line verb that does the same, "" for what only a screen has.
        hint: Its place among the hints in the header; 0 is none.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    summary: str
    context: Context
    danger: Danger = Danger.NONE
    needs: Needs = Needs.NOTHING
    verb: str = ""
    hint: int = 0


_E, _T, _M, _L, _X = Context.EVERYWHERE, Context.TABLE, Context.MISSIONS, Context.LOG, Context.TEXT
_ANY, _LIVE = Needs.MISSION, Needs.LIVE
_CHANGES, _ENDS = Danger.CHANGES, Danger.ENDS_WORK

ACTIONS: tuple[Action, ...] = (
    Action("open", ("enter",), "open", "open what the mission shows: its log", _M, needs=_ANY),
    Action("log", ("l",), "logs", "the mission's log", _M, needs=_ANY, verb="logs", hint=2),
    Action("describe", ("d",), "describe", "everything known about the mission", _M, needs=_ANY, verb="info", hint=3),
    Action("new", ("n",), "new", "start a mission", _M, _CHANGES, verb="run", hint=1),
    Action("stop", ("x",), "stop", "stop it: its stop signal, then SIGKILL", _M, _ENDS, _LIVE, "stop", 4),
    Action("restart", ("r",), "restart", "start it again; stop it first if it runs", _M, _ENDS, _ANY, "restart", 5),
    Action("kill", ("ctrl+k",), "kill", "kill it at once, with everything it started", _M, _ENDS, _LIVE, "kill"),
    Action("remove", ("ctrl+d",), "remove", "remove a finished mission and its log", _M, _ENDS, _ANY, "rm"),
    Action("parent", ("J",), "parent", "to the mission that started it", _M, needs=_ANY),
    Action("flat", ("t",), "tree or flat", "children under their parents, or all rows alike", _M),
    Action("unfold", ("right",), "unfold", "show what is below it", _M, needs=_ANY),
    Action("fold", ("left", "h"), "fold", "hide what is below it, or go to its parent", _M, needs=_ANY),
    Action("wide", ("ctrl+w",), "wide", "more columns", _M),
    Action("sort-name", ("N",), "by name", "sort by name; again: the other way round", _M),
    Action("sort-age", ("A",), "by age", "sort by age", _M),
    Action("sort-state", ("S",), "by state", "sort by state", _M),
    Action("sort-cpu", ("C",), "by cpu", "sort by processor use", _M),
    Action("sort-memory", ("M",), "by memory", "sort by memory", _M),
    Action("mark", ("space",), "mark", "mark the row: actions then go to all marked rows", _M, needs=_ANY),
    Action("mark-all", ("*",), "mark all", "mark all rows that are shown", _M),
    Action("mark-none", ("ctrl+backslash",), "mark none", "take all marks off", _M),
    Action("clear-filter", ("ctrl+u", "ctrl+q"), "clear filter", "show everything again", _T),
    Action("follow", ("s", "0"), "follow", "go to the newest line and stay there", _L, hint=1),
    Action("log-head", ("1",), "head", "go to the oldest line", _L),
    Action("wrap", ("w",), "wrap", "wrap long lines, or show them sideways", _L, hint=2),
    Action("time", ("t",), "time", "show when each line was written", _L, hint=3),
    Action("zoom", ("f",), "full screen", "the log alone", _L, hint=4),
    Action("half-down", ("ctrl+d",), "half page down", "half a page down", _L),
    Action("half-up", ("ctrl+u",), "half page up", "half a page up", _L),
    Action("text-half-down", ("ctrl+d",), "half page down", "half a page down", _X),
    Action("text-half-up", ("ctrl+u",), "half page up", "half a page up", _X),
    Action("down", ("j", "down"), "down", "a line down", _E),
    Action("up", ("k", "up"), "up", "a line up", _E),
    Action("first", ("g", "home"), "first", "to the first line", _E),
    Action("last", ("G", "end"), "last", "to the last line", _E),
    Action("page-down", ("pagedown", "ctrl+f"), "page down", "a page down", _E),
    Action("page-up", ("pageup", "ctrl+b"), "page up", "a page up", _E),
    Action("left", ("left",), "left", "sideways to the left", _E),
    Action("right", ("right",), "right", "sideways to the right", _E),
    Action("next-panel", ("tab",), "next panel", "to the next panel", _E),
    Action("previous-panel", ("shift+tab",), "previous panel", "to the panel before", _E),
    Action("zoom", ("z",), "zoom", "the focused panel alone, and back", _E),
    Action("filter", ("/",), "filter", "show only what matches", _E, hint=7),
    Action("command", (":",), "command", "go to a view, or run any command-line verb", _E, hint=8),
    Action("help", ("?",), "help", "the keys of this view", _E, hint=9),
    Action("aliases", ("ctrl+a",), "all commands", "all views and verbs", _E, verb="aliases"),
    Action("refresh", ("ctrl+r",), "refresh", "ask for everything again; with no supervisor: be it", _E),
    Action("header", ("ctrl+e",), "header", "show or hide the header", _E),
    Action("crumbs", ("ctrl+g",), "crumbs", "show or hide the line at the bottom", _E),
    Action("back", ("escape",), "back", "close what is open: prompt, filter, zoom, view", _E),
    Action("quit", ("q",), "back or leave", "as esc; where nothing is open, leave the program", _E, hint=10),
    Action("leave", ("ctrl+c",), "leave", "cancel what is typed, else leave the program", _E),
)  # fmt: skip


class Verb(NamedTuple):
    """A command-line verb as `:` takes it."""

    name: str
    summary: str
    danger: Danger = Danger.NONE
    takes_missions: bool = False
    """Without ids it means the marked rows, else the cursor's."""
    agrees: bool = False
    """The command itself would ask; we asked already, so it gets `-y`."""
    starts: bool = False
    """It starts work, so a supervisor is hosted here when there is none."""


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("stop", "stop missions", _ENDS, takes_missions=True),
        Verb("kill", "kill missions at once", _ENDS, takes_missions=True, agrees=True),
        Verb("restart", "stop missions and start them again", _ENDS, takes_missions=True, agrees=True, starts=True),
        Verb("rm", "remove finished missions and their logs", _ENDS, takes_missions=True, agrees=True),
        Verb("prune", "remove all finished missions", _ENDS, agrees=True),
        Verb("shutdown", "stop every mission, then the supervisor", _ENDS, agrees=True),
        Verb("run", "start a mission", _CHANGES, starts=True),
        Verb("freeze", "stop missions for a while", _CHANGES, takes_missions=True),
        Verb("thaw", "let frozen missions go on", _CHANGES, takes_missions=True),
        Verb("signal", "send missions a signal", _ENDS, takes_missions=True),
        Verb("update", "change a mission without a restart", _CHANGES, takes_missions=True),
        Verb("start", "start a daemon", _CHANGES),
        Verb("service", "install or remove the service that starts the daemon", _CHANGES),
        Verb("info", "everything known about a mission", takes_missions=True),
        Verb("status", "the supervisor and its keeper"),
        Verb("ps", "the list of missions as text"),
        Verb("doctor", "what is installed and what is not"),
        Verb("version", "the version"),
        Verb("completion", "a shell's completion script"),
    )
}
"""What `:` runs as the command line would."""
ELSEWHERE: dict[str, str] = {
    "logs": "the view `logs`",
    "events": "the view `events`",
    "tui": "this program",
    "monitor": "the view `missions`",
    "top": "the columns CPU and MEM, and the panel below",
    "wait": "the screen shows it",
    "subscribe": "the log shows it",
}
"""Command-line verbs without a `:` twin → where it is instead."""


def keymap(context: Context) -> dict[str, Action]:
    """What each key does in a context: its own keys, and those of everywhere; its own win."""
    chain = {
        Context.MISSIONS: (Context.EVERYWHERE, Context.TABLE, Context.MISSIONS),
        Context.TABLE: (Context.EVERYWHERE, Context.TABLE),
    }.get(context, (Context.EVERYWHERE, context))
    return {key: action for one in chain for action in ACTIONS if action.context is one for key in action.keys}


def allowed(action: Action, *, read_only: bool) -> bool:
    """Whether it is shown and done at all."""
    return not read_only or action.danger is Danger.NONE


def hints(context: Context, *, read_only: bool) -> list[Action]:
    """What the header says of a context, the most used first."""
    found = {action.name: action for action in keymap(context).values()}
    shown = [action for action in found.values() if action.hint and allowed(action, read_only=read_only)]
    if context is Context.LOG:
        shown = [action for action in shown if action.name != "filter"]  # it filters the table
    return sorted(shown, key=lambda action: (action.context is Context.EVERYWHERE, action.hint))


KEY_NAMES = {
    "space": "space", "enter": "enter", "escape": "esc", "pagedown": "PgDn", "pageup": "PgUp", "home": "Home",
    "end": "End", "up": "↑", "down": "↓", "left": "←", "right": "→", "tab": "tab", "shift+tab": "shift-tab",
    "ctrl+backslash": "ctrl-\\",
}  # fmt: skip


def shown_key(key: str) -> str:
    """A key as people write it."""
    if len(key) == 1 and key.isupper():
        return f"shift-{key.lower()}"
    return KEY_NAMES.get(key, key.replace("+", "-"))
