"""All keys as data: keys, hints, help, menus and read-only mode read this table.

A context has its own keys, and those of the contexts that it builds on (`CHAINS`); its own win. Typing and text fields
take everything.
"""

from __future__ import annotations

from functools import lru_cache

from overmind_core.domain.operation import Danger
from overmind_core.view.actions import LOOKS_ON, MOVES, TAKES_EVERYTHING, USUAL, Action, Context, Needs, Unlike, allowed
from overmind_core.view.note_keys import NOTE_ACTIONS, of_given
from overmind_core.view.swarm_keys import SWARM_ACTIONS

_W, _C = Context.WORKTREES, Context.CHANGES
_ROW, _LIVES, _WORKTREE = Needs.ROW, Needs.LIVE, Needs.WORKTREE

WORKTREE_ACTIONS: tuple[Action, ...] = (
    Action("changes", ("enter", "v"), USUAL, "show its changes, compared with its base", _W, needs=_WORKTREE,
           verb="changes", hint=1),
    Action("land", ("L",), USUAL, "merge its work; shows a preview first", _W, _WORKTREE, "merge", hint=1),
    Action("commit", ("C",), USUAL, "commit all its changes; asks for a message", _W, _WORKTREE, "commit", hint=1,
           takes_text=True),
    Action("push", ("P",), USUAL, "push its branch", _W, _WORKTREE, "push", hint=3),
    Action("discard", ("ctrl+d",), USUAL, "remove it, with its branch, ports and containers", _W, _WORKTREE,
           "discard", hint=3),
    Action("log", ("l",), USUAL, "show its mission's log on the main screen", _W, _ROW, verb="logs", hint=3),
    Action("message", ("m",), USUAL, "send its agent a message", _W, _LIVES, "send", hint=5, takes_text=True),
    Action("describe-row", ("d",), USUAL, "describe its mission", _W, _ROW, verb="info", hint=5),
    Action("shell-there", ("s",), USUAL, "open a shell in it", _W, _WORKTREE, "shell", hint=5, takes_text=True),
    Action("copy-path", ("c",), "copy path", "copy its path, or all marked paths", _W, needs=_WORKTREE,
           verb="worktrees", hint=5),
    Action("comment", ("#",), "comment", "comment on the line; esc keeps it, m sends all", _C,
           verb="send", hint=1, takes_text=True),
    Action("message", ("m",), USUAL, "send the agent a message with the kept comments", _C, _LIVES, "send",
           hint=2, takes_text=True),
    Action("land", ("L",), USUAL, "merge its worktree; shows a preview first", _C, _WORKTREE,
           "merge", hint=3),
    Action("commit", ("C",), USUAL, "commit all its changes; asks for a message", _C, _WORKTREE,
           "commit",
           hint=4, takes_text=True),
    Action("push", ("P",), USUAL, "push the branch of its worktree", _C, _WORKTREE, "push"),
    Action("next-file", ("n",), "next file", "go to the next file, or to the next match of /", _C, alone=MOVES),
    Action("previous-file", ("N",), "previous file", "go to the previous file, or to the previous match of /", _C,
           alone=MOVES),
    Action("open-file", ("enter",), "open diff", "go from the list of files to the diff", _C, alone=MOVES),
    Action("copy", ("c",), "copy", "copy the whole diff", _C, verb="changes"),
)  # fmt: skip


_LOOKS = "it only changes the display"
_TYPES = "it edits the text typed here"
_PICKS = "commands take ids"


def _move(name: str, keys: tuple[str, ...], label: str, context: Context) -> Action:
    return Action(name, keys, label, label, context, alone=MOVES)


def _look(  # noqa: PLR0917 - a row of the table
    name: str, keys: tuple[str, ...], label: str, summary: str, context: Context, hint: int = 0
) -> Action:
    return Action(name, keys, label, summary, context, alone=_LOOKS, hint=hint)


def _type(name: str, keys: tuple[str, ...], label: str, summary: str, context: Context) -> Action:
    return Action(name, keys, label, summary, context, alone=_TYPES)


_E, _T, _M, _N, _L, _X = (
    Context.EVERYWHERE, Context.TABLE, Context.MISSIONS, Context.NEEDS, Context.LOG, Context.TEXT,
)  # fmt: skip
_PS, _P, _QS, _RS, _R = Context.PLANS, Context.PLAN, Context.QUESTS, Context.RITUALS, Context.RUNS
_BOARD, _QUEUE = Context.BOARD, Context.QUEUE
_SPECS, _SPEC, _DOC = Context.SPECS, Context.SPEC, Context.DOCUMENT
_HEALTH, _TL, _LEARN, _NOTES = Context.HEALTH, Context.TIMELINE, Context.LEARN, Context.NOTES
_CONVERSATIONS, _TRANSCRIPTS = Context.CONVERSATIONS, Context.TRANSCRIPTS
_LOOKING, _TYPING, _BOX, _FIELD, _FORM, _TASK, _FINDING = (
    Context.LOOKING, Context.TYPING, Context.BOX, Context.FIELD, Context.FORM, Context.TASK, Context.FINDING,
)  # fmt: skip
_ANY, _LIVE, _ASKED = Needs.MISSION, Needs.LIVE, Needs.QUESTION
_QUEST, _RITUAL, _OF_SPEC, _NOTE = Needs.QUEST, Needs.RITUAL, Needs.SPEC, Needs.NOTE
_SHOWS = Unlike(Danger.NONE, "it shows the text that `edit` opens")
_TYPED = Unlike(Danger.CHANGES, "the program gets the key")
_LEAVES = Unlike(Danger.NONE, "it detaches only this program")
_ANSWERS = Unlike(Danger.NONE, "it shows the question, where y and n answer it")

_MISSION = (
    Action("open", ("enter",), "open", "its question, or its terminal (view only), or log", _M,
           needs=_ANY, verb="attach", unlike=LOOKS_ON),
    Action("question", ("y",), USUAL, "go to its question, where y and n answer; on your turn, write to it", _M, _ASKED,
           "answer", hint=1, unlike=_ANSWERS),
    Action("attach", ("a",), USUAL, "type into its terminal (view only when read-only)", _M, _ANY, "attach", hint=2,
           unlike=LOOKS_ON, takes_text=True),
    Action("log", ("l",), USUAL, "show its log, or the logs of all marked missions", _M, needs=_ANY, verb="logs",
           hint=4),
    Action("previous", ("p",), "previous run", "show the log of the previous run", _M, needs=_ANY, verb="logs"),
    Action("describe", ("d",), USUAL, "describe it", _M, needs=_ANY, verb="info", hint=5),
    Action("changes", ("v",), USUAL, "show its changes; a worktree is compared with its base", _M,
           needs=_ANY,
           verb="changes", hint=14),
    Action("land", ("L",), USUAL, "merge its worktree; shows a preview first", _M,
           Needs.WORKTREE, "merge"),
    Action("as-toml", ("E",), "as TOML", "show its definition as TOML", _M, needs=_ANY, verb="edit", unlike=_SHOWS),
    Action("message", ("m",), USUAL, "send a message to it, or to all marked missions", _M, _LIVE, "send", hint=3,
           takes_text=True),
    Action("new", ("n",), USUAL, "start a mission", _M, verb="run", hint=1, takes_text=True),
    Action("edit", ("e",), USUAL, "edit its definition and restart it", _M, _ANY, "edit", hint=12, takes_text=True),
    Action("shell", ("s",), USUAL, "open a shell in its folder", _M, _ANY, "shell", hint=13, takes_text=True),
    Action("fork", ("f",), USUAL, "fork its conversation: type how the copy goes on", _M, _ANY, "fork",
           takes_text=True),
    Action("interrupt", ("i",), USUAL, "interrupt the turn", _M, _LIVE, "interrupt", hint=11),
    Action("panel-up", ("shift+up",), "scroll up", "scroll the panel up", _M, alone=MOVES),
    Action("panel-down", ("shift+down",), "scroll down", "scroll the panel down", _M, alone=MOVES),
    Action("restart", ("r",), USUAL, "restart", _M, _ANY, "restart", hint=7),
    Action("stop", ("x",), USUAL, "stop it: send its stop signal, then SIGKILL", _M, _LIVE, "stop", hint=6),
    Action("remove", ("ctrl+d",), USUAL, "remove a finished mission and its log", _M, _ANY, "rm", hint=16),
    Action("kill", ("ctrl+k",), USUAL, "kill it and everything it started", _M, _LIVE, "kill", hint=15),
    _look("flat", ("t",), "tree or flat", "tree / flat", _M, hint=17),
    of_given(_M),
    Action("copy", ("c",), "copy id", "copy its id, or all marked ids", _M, needs=_ANY, alone=_PICKS),
    Action("parent", ("J",), "parent", "go to the mission that started it", _M, needs=_ANY, alone=MOVES),
    Action("fold", ("left", "h"), "fold", "fold its children, or go to its parent", _M, needs=_ANY, alone=_LOOKS),
    Action("unfold", ("right",), "unfold", "unfold its children", _M, needs=_ANY, alone=_LOOKS),
    _look("sort-name", ("N",), "by name", "sort by name; again: reverse", _M),
    _look("sort-age", ("A",), "by age", "one list without groups, as they were started; again: groups", _M),
    _look("sort-for", ("F",), "by for", "sort by time in the current state", _M),
    _look("sort-state", ("S",), "by state", "sort by state", _M),
    _look("sort-cpu", ("%",), "by cpu", "sort by processor use", _M),
    _look("sort-memory", ("M",), "by memory", "sort by memory", _M),
    _look("sort-cost", ("$",), "by cost", "sort by cost", _M),
    _look("attention", ("ctrl+z",), "attention", "show only missions that need attention; again: all", _M, hint=18),
)  # fmt: skip

_TABLE = (
    Action("open-row", ("enter",), "open", "show the whole row", _T, _ROW, alone="--json prints whole rows", hint=1),
    Action("copy", ("c",), "copy", "copy the row, or all marked rows", _T, _ROW, alone="a pipe does the same", hint=2),
    Action(
        "mark", ("space",), "mark", "mark the row; actions apply to all marked rows", _T, _ROW, alone=_PICKS, hint=19
    ),
    Action(
        "mark-range", ("ctrl+@", "ctrl+space"), "mark range", "mark from the last mark to here", _T, _ROW, alone=_PICKS
    ),
    Action("mark-all", ("*",), "mark all", "mark all visible rows", _T, alone=_PICKS),
    Action("mark-none", ("ctrl+backslash",), "mark none", "clear marks", _T, alone=_PICKS),
    _look("sort-left", ("<", "shift+left"), "column left", "select the column to the left", _T),
    _look("sort-right", (">", "shift+right"), "column right", "select the column to the right", _T),
    _look("sort-chosen", ("O",), "sort", "sort by the selected column; again: reverse", _T),
    _look("wide", ("ctrl+w",), "wide", "show more columns; again: fewer", _T, hint=20),
    _look("clear-filter", ("ctrl+u", "ctrl+q"), "clear filter", "clear the filter", _T),
)

_PLANNED = (
    Action("open-plan", ("enter",), "agents", "show its agents and their dependencies", _PS, needs=_ANY, verb="info",
           hint=1),
    Action("log", ("l",), USUAL, "show its log: when each agent started and ended", _PS, needs=_ANY, verb="logs",
           hint=1),
    Action("describe", ("d",), USUAL, "describe it", _PS, needs=_ANY, verb="info", hint=3),
    Action("stop", ("x",), USUAL, "stop it and its agents", _PS, _LIVE, "stop", hint=1),
    Action("restart", ("r",), USUAL, "restart the whole plan", _PS, _ANY, "restart", hint=3),
    Action("remove", ("ctrl+d",), USUAL, "remove a finished plan and its log", _PS, _ANY, "rm", hint=3),
    Action("agent-log", ("enter", "l"), USUAL, "show its log on the main screen", _P, needs=_ANY, verb="logs", hint=1),
    Action("attach", ("a",), USUAL, "type into its terminal (view only when read-only)", _P, _ANY, "attach", hint=1,
           unlike=LOOKS_ON, takes_text=True),
    Action("message", ("m",), USUAL, "send a message to it, or to all marked missions", _P, _LIVE, "send", hint=3,
           takes_text=True),
    Action("describe", ("d",), USUAL, "describe its mission", _P, needs=_ANY, verb="info", hint=3),
    Action("stop", ("x",), USUAL, "stop it; the plan counts it as failed", _P, _LIVE, "stop", hint=1),
    Action("kill", ("ctrl+k",), USUAL, "kill it and everything it started", _P, _LIVE, "kill", hint=3),
    of_given(_P),
    Action("history", ("enter",), USUAL, "show its runs and missed times", _RS, _ROW, verb="ritual history",
           hint=1),
    Action("run-ritual", ("R",), USUAL, "run it now; its schedule does not change", _RS, _RITUAL,
           "ritual run", hint=1),
    Action("pause-ritual", ("H",), USUAL, "pause or resume it", _RS, _RITUAL, "ritual pause", hint=1),
    Action("last-log", ("l",), USUAL, "show the log of its latest run on the main screen", _RS, _ROW, verb="quest logs",
           hint=3),
    Action("describe-row", ("d",), USUAL, "describe it", _RS, _ROW, verb="ritual info", hint=3),
    Action("delete-ritual", ("ctrl+d",), USUAL, "delete it and its history; running quests continue", _RS, _RITUAL,
           "ritual delete", hint=3),
    Action("run-log", ("enter", "l"), USUAL, "show its log on the main screen", _R, _ROW, verb="quest logs", hint=1),
    Action("describe-row", ("d",), "describe", "describe it", _R, _ROW, verb="ritual history", hint=3),
)  # fmt: skip


def _of_quests(context: Context) -> tuple[Action, ...]:
    """What can be done to quests wherever they are shown."""
    return (
        Action("timeline", ("enter",), USUAL, "show what happened to it", context, _ROW, verb="timeline", hint=1),
        Action("why", ("w",), USUAL, "show why it waits, its score, and what depends on it", context, _ROW,
               verb="quest why", hint=1),
        Action("quest-log", ("l",), USUAL, "show its log on the main screen", context, _ROW, verb="quest logs", hint=1),
        Action("question", ("y",), USUAL, "show what is asked about it; y and n answer there", context, _QUEST,
               "answer", hint=1, unlike=_ANSWERS),
        Action("retry-quest", ("r",), USUAL, "retry it after it has failed or was cancelled", context, _QUEST,
               "quest retry", hint=1),
        Action("cancel-quest", ("x",), USUAL, "cancel it: stop its work and check, without retry", context, _QUEST,
               "quest cancel", hint=1),
        Action("describe-row", ("d",), USUAL, "describe it", context, _ROW, verb="quest info", hint=3),
        Action("attach-quest", ("a",), USUAL, "type into its terminal (view only when read-only)", context, _ROW,
               verb="attach", hint=3, unlike=LOOKS_ON, takes_text=True),
        Action("check-log", ("V",), "check", "show the log of its latest check", context, _ROW,
               verb="quest logs", hint=4),
        Action("quest-changes", ("v",), USUAL, "show its changes, or what has landed", context, _ROW, verb="changes",
               hint=4),
        Action("raise-priority", ("shift+up",), "urgent", "raise its priority", context, _QUEST, "quest edit", hint=3),
        Action("lower-priority", ("shift+down",), "less urgent", "lower its priority", context, _QUEST, "quest edit",
               hint=4),
    )  # fmt: skip


def _of_watched(context: Context) -> tuple[Action, ...]:
    """What can be done to a mission that is watched, and to what has a timeline."""
    return (
        Action("question", ("y",), USUAL, "show what is asked about it; y and n answer there", context, _QUEST,
               "answer", hint=2, unlike=_ANSWERS),
        Action("message", ("m",), USUAL, "send it a message", context, _LIVE, "send", hint=3, takes_text=True),
        Action("interrupt", ("i",), USUAL, "interrupt the turn", context, _LIVE, "interrupt", hint=3),
    )  # fmt: skip


_QUESTED = (
    *_of_quests(_QS),
    *_of_quests(_BOARD),
    Action("column-left", ("left",), "column left", "go to the column to the left", _BOARD, alone=MOVES),
    Action("column-right", ("right",), "column right", "go to the column to the right", _BOARD, alone=MOVES),
    _look("lanes", ("b",), "lanes", "lanes by spec, by group, by priority; none", _BOARD, hint=2),
    Action("pause-queue", ("H",), USUAL, "pause or resume the queue; running quests continue", _QUEUE,
           verb="queue pause", hint=1),
    *_of_quests(_QUEUE),
)  # fmt: skip


def _of_specs(context: Context, run: str) -> tuple[Action, ...]:
    """What can be done to a spec wherever it is shown; `run`: what running it means there."""
    return (
        Action("answer-spec", ("y",), USUAL, "show what is asked about it; y and n answer there", context, _OF_SPEC,
               "answer", hint=2, unlike=_ANSWERS),
        Action("send-comments", ("m",), "send comments", "send all comments as feedback, or show what is asked",
               context, _OF_SPEC, "answer", hint=3),
        Action("comment-document", ("#",), "comment", "comment on the line of its document; esc keeps it, m sends all",
               context, _OF_SPEC, "answer", hint=4, takes_text=True),
        Action("edit-document", ("e",), "edit", "edit its document in $EDITOR; it is checked at once", context,
               _OF_SPEC, alone=_EDITS, hint=5, unlike=_WRITES, takes_text=True),
        Action("run-spec", ("r",), USUAL, run, context, _OF_SPEC, "spec run", hint=3),
        Action("sync-spec", ("v",), USUAL, "show what a sync would do to the quests of its tasks", context, _OF_SPEC,
               "spec sync", hint=6, unlike=_PREVIEW),
    )  # fmt: skip


_EDITS = "its documents are files: any editor changes them"
_WRITES = Unlike(Danger.CHANGES, "an edit changes the spec")
_PREVIEW = Unlike(Danger.NONE, "it only shows what a sync would do")
_FROM_HERE = "run it again from this phase; a task that has failed: retry it"
_SPECIFIED = (
    Action("open-spec", ("enter",), USUAL, "show its phases and tasks", _SPECS, _ROW, verb="spec show", hint=1),
    *_of_specs(_SPECS, "run it: it goes on where it is"),
    Action("archive-spec", ("ctrl+d",), USUAL, "archive it: nothing of it starts; again: take it back", _SPECS,
           _OF_SPEC, "spec archive", hint=8),
    Action("timeline", ("T",), USUAL, "show its timeline", _SPECS, _ROW, verb="timeline", hint=3),
    Action("describe-row", ("d",), "describe", "describe it", _SPECS, _ROW, verb="spec show", hint=8),
    Action("open-part", ("enter",), USUAL, "show the document of a phase, or describe the quest of a task", _SPEC, _ROW,
           verb="spec show", hint=1),
    *_of_specs(_SPEC, _FROM_HERE),
    Action("why", ("w",), USUAL, "show why the quest of a phase or task waits", _SPEC, _ROW, verb="quest why", hint=7),
    Action("quest-log", ("l",), USUAL, "show the log of the quest of a phase or task", _SPEC, _ROW, verb="quest logs",
           hint=7),
    Action("archive-spec", ("ctrl+d",), USUAL, "archive it: nothing of it starts; again: take it back", _SPEC,
           _OF_SPEC, "spec archive", hint=8),
    Action("timeline", ("T",), USUAL, "show its timeline, or that of the task", _SPEC, _ROW, verb="timeline", hint=7),
    Action("describe-row", ("d",), "describe", "describe the spec", _SPEC, verb="spec show", hint=8),
    *_of_specs(_DOC, "run the spec again from this phase"),
    Action("copy", ("c",), "copy", "copy the document", _DOC, alone="it is a file", hint=4),
    _move("next-panel", ("tab",), "next document", _DOC),
    Action("previous-panel", ("shift+tab",), "document before", "previous document", _DOC, alone=MOVES),
)  # fmt: skip

_WATCHED = (
    Action("describe-row", ("enter", "w"), USUAL, "show its patterns and signs of life", _HEALTH, _ROW,
           verb="health", hint=1),
    *_of_watched(_HEALTH),
    Action("log", ("l",), USUAL, "show its log on the main screen", _HEALTH, _ROW, verb="logs", hint=4),
    Action("timeline", ("T",), USUAL, "show its timeline", _HEALTH, _ROW, verb="timeline", hint=4),
    Action("attach", ("a",), USUAL, "type into its terminal (view only when read-only)", _HEALTH, _ANY, "attach",
           hint=5, unlike=LOOKS_ON, takes_text=True),
    Action("describe", ("d",), USUAL, "describe the mission", _HEALTH, needs=_ANY, verb="info", hint=5),
    Action("describe-row", ("enter", "d"), "open", "show the whole row", _TL, _ROW, verb="timeline", hint=1),
    Action("why", ("w",), USUAL, "show why the quest waits", _TL, verb="quest why", hint=2),
    *_of_watched(_TL),
    Action("quest-log", ("l",), USUAL, "show its log on the main screen", _TL, verb="logs", hint=4),
    Action("open-note", ("enter", "d"), USUAL, "show all of it, with its history", _LEARN, _ROW, verb="note", hint=1),
    Action("accept-note", ("y",), USUAL, "accept it: it is given from now on", _LEARN, _NOTE, "learn accept",
           hint=2),
    Action("forget-note", ("ctrl+d",), USUAL, "forget it", _LEARN, _NOTE, "learn drop", hint=3),
    Action("restore-note", ("U",), USUAL, "take back what was forgotten last", _LEARN, verb="note restore",
           hint=5),
    _look("group-by", ("b",), "group by", "group quests by type, by provider, by model, by spec", _LEARN, hint=4),
)  # fmt: skip

_NEEDS = (
    Action("whole", ("enter",), "whole", "show the whole command, diff or question", _N, needs=_ANY, verb="inbox",
           hint=1),
    Action("allow", ("y",), "allow", "allow it once", _N, _ASKED, "answer", hint=2),
    Action("deny", ("n",), "deny", "deny it", _N, _ASKED, "answer", hint=3),
    Action("reply", ("m",), USUAL, "answer with text; on your turn, send a message", _N, _ANY, "answer",
           hint=4, takes_text=True),
    *(
        Action(f"option-{number}", (str(number),), f"option {number}", f"choose option {number}", _N, _ASKED, "answer")
        for number in range(1, 10)
    ),
    Action("always", ("Y",), "always", "always allow by a rule; shows the rule first", _N, _ASKED, "answer",
           hint=5),
    Action("attach", ("a",), USUAL, "type into its terminal", _N, _ANY, "attach", hint=6, unlike=LOOKS_ON,
           takes_text=True),
    Action("log", ("l",), USUAL, "show its log", _N, needs=_ANY, verb="logs", hint=7),
    Action("changes", ("v",), USUAL, "show its changes; a worktree is compared with its base", _N, needs=_ANY,
           verb="changes", hint=8),
    Action("panel-up", ("shift+up",), "scroll up", "scroll the panel up", _N, alone=MOVES),
    Action("panel-down", ("shift+down",), "scroll down", "scroll the panel down", _N, alone=MOVES),
    Action("describe", ("d",), USUAL, "describe it", _N, needs=_ANY, verb="info"),
    Action("restart", ("r",), USUAL, "restart", _N, _ANY, "restart"),
)  # fmt: skip

_LOG = (
    _look("log-tail", ("0",), "tail", "go to the newest line and follow it", _L),
    _look("log-head", ("1",), "head", "go to the oldest line", _L),
    *(
        Action(f"range-{text}", (key,), text, f"show only the last {words}", _L, verb="logs")
        for key, text, words in (
            ("2", "1m", "minute"), ("3", "5m", "5 minutes"), ("4", "15m", "15 minutes"), ("5", "30m", "30 minutes"),
            ("6", "1h", "hour"),
        )
    ),
    Action("follow", ("s",), "follow", "follow the newest line, or pause", _L, verb="logs", hint=1),
    _look("wrap", ("w",), "wrap", "wrap long lines, or scroll sideways", _L, hint=2),
    Action("time", ("t",), "time", "show the time of each line", _L, verb="logs", hint=3),
    _look("zoom", ("f",), "zoom", "zoom panel", _L, hint=4),
    Action("previous", ("p",), "previous run", "show the log of the previous run; again: one run earlier", _L,
           verb="logs"),
    _look("ruler", ("m",), "ruler", "draw a ruler; new lines appear below it", _L),
    Action("replay", ("R",), USUAL, "replay the run from the last line in sight; while following: from its beginning",
           _L, verb="replay"),
    _look("clear-view", ("C",), "clear", "show only new lines; nothing is deleted", _L),
    of_given(_L),
    Action("copy", ("c",), "copy", "copy the log as shown", _L, alone="a pipe does the same", hint=6),
    Action("log-filter", ("/",), "filter", "show only matching lines; tab: search instead", _L,
           alone="a pipe does the same", hint=5),
    _move("next-match", ("n",), "next match", _L),
    _move("previous-match", ("N",), "previous match", _L),
    Action("pager", ("o",), "pager", "open the log in $PAGER", _L, verb="logs"),
    _move("half-down", ("ctrl+d",), "half page down", _L),
    _move("half-up", ("ctrl+u",), "half page up", _L),
)  # fmt: skip

_TEXT = (
    _move("text-half-down", ("ctrl+d",), "half page down", _X),
    _move("text-half-up", ("ctrl+u",), "half page up", _X),
    Action("copy", ("c",), "copy", "copy the text", _X, alone="a pipe does the same", hint=1),
    Action("pager", ("o",), "pager", "open the text in $PAGER", _X, alone="a pipe does the same", hint=2),
    _move("next-match", ("n",), "next match", _X),
    _move("previous-match", ("N",), "previous match", _X),
)

_KEPT = (
    Action("adopt", ("enter",), USUAL, "adopt it: it goes on as a session", _CONVERSATIONS, _ROW, "adopt", hint=1),
    Action("describe-row", ("d",), "describe", "show the whole row", _CONVERSATIONS, _ROW,
           alone="--json prints whole rows", hint=2),
    Action("open-hit", ("enter", "l"), USUAL, "show the log of its mission at this line", _TRANSCRIPTS, _ROW,
           verb="logs", hint=1),
    Action("describe-row", ("d",), "describe", "show the whole line", _TRANSCRIPTS, _ROW,
           alone="--json prints whole rows", hint=2),
)  # fmt: skip

_HELP = (
    Action("run-row", ("enter",), "run", "close the help and run the key of the row", Context.HELP,
           alone="it works only in the help", hint=1),
)  # fmt: skip

_TERMINAL = (
    Action("type", ("i", "enter", "a"), USUAL, "type into it; the line above shows the key to leave", _LOOKING, _LIVE,
           "attach",
           hint=1, takes_text=True),
    Action("search", ("/",), "search", "search the screen and the scrollback", _LOOKING, verb="screen", hint=2),
    _move("next-match", ("n",), "next match", _LOOKING),
    _move("previous-match", ("N",), "previous match", _LOOKING),
    Action("select", ("space",), "select", "start a selection; again: move its other end", _LOOKING, alone=_LOOKS,
           hint=3),
    Action("copy", ("c",), "copy", "copy the selection, or the screen", _LOOKING, verb="screen", hint=4),
    _move("half-down", ("ctrl+d",), "half page down", _LOOKING),
    _move("half-up", ("ctrl+u",), "half page up", _LOOKING),
    Action("replay", ("R",), USUAL, "replay the run; scrolled back: from the last row in sight", _LOOKING, _ANY,
           "replay", hint=5),
    Action("leave-terminal", ("ctrl+backslash",), "leave", "leave the terminal for the list", _LOOKING, alone=_LOOKS),
    Action("send-detach-key", ("\\",), "send the key", "send ctrl-\\ to the program", _LOOKING, _LIVE,
           alone=_TYPES, unlike=_TYPED),
    Action("restart", ("r",), "run again", "run it again after it has ended", _LOOKING, _ANY, "restart"),
    Action("detach", ("ctrl+backslash",), "leave", "stop typing; all other keys go to the program", _TYPING,
           verb="detach", hint=1, unlike=_LEAVES),
)  # fmt: skip

_NEW_LINE = ("ctrl+j", "alt+enter", "shift+enter")
_TEXTS = (
    _type("send", ("enter",), "send", "send the message", _BOX),
    _type("newline", _NEW_LINE, "new line", "start a new line (or \\ before enter)", _BOX),
    _type("editor", ("ctrl+g",), "editor", "edit the text in $EDITOR", _BOX),
    _type("older", ("up",), "older", "on the first line: previous sent message", _BOX),
    _type("newer", ("down",), "newer", "on the last line: next sent message", _BOX),
    _type("keep", ("escape",), "close", "close it and keep the draft", _BOX),
    _type("cancel", ("ctrl+c",), "cancel", "close it without keeping a draft", _BOX),
    _type("line-start", ("ctrl+a", "home"), "start", "go to the start of the line", _FIELD),
    _type("line-end", ("ctrl+e", "end"), "end", "go to the end of the line", _FIELD),
    _type("delete-word", ("ctrl+w",), "cut word", "cut the word before the cursor", _FIELD),
    _type("delete-before", ("ctrl+u",), "cut before", "cut the text before the cursor", _FIELD),
    _type("delete-after", ("ctrl+k",), "cut after", "cut the text after the cursor", _FIELD),
    _type("yank", ("ctrl+y",), "paste", "paste the cut text", _FIELD),
    _type("word-left", ("alt+b",), "word left", "go one word left", _FIELD),
    _type("word-right", ("alt+f",), "word right", "go one word right", _FIELD),
    _type("start", ("enter",), "start", "start the mission", _FORM),
    _type("newline", _NEW_LINE, "new line", "start a new line (or \\ before enter)", _FORM),
    _type("next-entry", ("tab",), "next", "complete the folder, or go to the next field", _FORM),
    _type("previous-entry", ("shift+tab",), "previous", "go to the previous field", _FORM),
    _type("below", ("down",), "down", "go down one line, or to the next field", _FORM),
    _type("above", ("up",), "up", "go up one line, or to the previous field", _FORM),
    _type("choose", ("left", "right"), "choose", "change the choice; on more: show all fields", _FORM),
    _type("cancel", ("escape", "ctrl+c"), "close", "close the form without starting; its text is kept", _FORM),
    _type("start", ("enter",), "start", "start the mission; a text that begins with $ is a command", _TASK),
    _type("newline", _NEW_LINE, "new line", "start a new line (or \\ before enter)", _TASK),
    _type("form", ("tab",), "form", "go on in the form: name, folder, worktree, model", _TASK),
    _type("editor", ("ctrl+g",), "editor", "edit the text in $EDITOR", _TASK),
    _type("older", ("up",), "older", "on the first line: the task before", _TASK),
    _type("newer", ("down",), "newer", "on the last line: the task after", _TASK),
    _type("keep", ("escape",), "close", "close the line and keep its text", _TASK),
    _type("cancel", ("ctrl+c",), "cancel", "close the line and drop its text", _TASK),
    _type("run-row", ("enter",), "run", "do what the row says; a command is typed, and not run", _FINDING),
    _type("row-below", ("down", "tab", "ctrl+n"), "next", "go to the next row", _FINDING),
    _type("row-above", ("up", "shift+tab", "ctrl+p"), "previous", "go to the row before", _FINDING),
    _type("back", ("escape", "ctrl+c"), "back", "close it and do nothing", _FINDING),
)

_EVERYWHERE = (
    _move("down", ("j", "down"), "line down", _E),
    _move("up", ("k", "up"), "line up", _E),
    _move("first", ("g", "home"), "first line", _E),
    _move("last", ("G", "end"), "last line", _E),
    _move("page-down", ("pagedown", "ctrl+f"), "page down", _E),
    _move("page-up", ("pageup", "ctrl+b"), "page up", _E),
    _move("left", ("left",), "scroll left", _E),
    _move("right", ("right",), "scroll right", _E),
    Action("next-panel", ("tab",), "next panel", "next panel; on the missions: turn the panel", _E, alone=MOVES),
    _move("previous-panel", ("shift+tab",), "previous panel", _E),
    _look("zoom", ("z",), "zoom", "zoom panel", _E),
    _look("filter", ("/",), "filter", "show only matches", _E, hint=7),
    Action("inbox", ("!",), USUAL, "show agents that wait for you or have finished a turn", _E, verb="inbox",
           hint=6),
    Action("next-need", (".",), "next need", "go to the next agent that needs you", _E, verb="inbox"),
    Action("command", (":",), "command", "open a view, or run any command", _E, alone="it runs them",
           hint=8),
    _move("history-back", ("[",), "previous view", _E),
    _move("history-forward", ("]",), "next view in the history", _E),
    _move("history-last", ("-",), "last view; again: back", _E),
    Action("help", ("?",), "help", "show the keys of this view", _E, alone="--help", hint=9),
    Action("aliases", ("ctrl+a",), "all commands", "list all views and commands", _E, alone="--help"),
    Action("refresh", ("ctrl+r", "ctrl+l"), "refresh", "refresh; take over if no supervisor answers", _E, alone=_LOOKS),
    Action("find", ("ctrl+p",), "find", "find an action, a mission, a view or a command by letters", _E,
           alone="it finds them"),
    Action("said", ("ctrl+o",), "said", "show what was said last, whole", _E, alone=_LOOKS),
    Action("save", ("ctrl+s",), "save", "save the view to a file", _E, alone="a pipe does the same"),
    _look("header", ("ctrl+e",), "header", "show or hide the header", _E),
    _look("hints", ("ctrl+g",), "hints", "show or hide the hints", _E),
    _look("back", ("escape",), "back", "close the prompt, filter, zoom, view or panel", _E),
    _look("quit", ("q",), "back", "back; on the list of missions: quit", _E, hint=10),
    _look("leave", ("ctrl+c",), "leave", "cancel the typed text, or quit", _E),
)  # fmt: skip

ACTIONS: tuple[Action, ...] = (
    *_MISSION, *_TABLE, *_PLANNED, *_QUESTED, *SWARM_ACTIONS, *_SPECIFIED, *_WATCHED, *NOTE_ACTIONS, *WORKTREE_ACTIONS,
    *_NEEDS, *_LOG, *_KEPT, *_TEXT, *_HELP, *_TERMINAL, *_TEXTS, *_EVERYWHERE,
)  # fmt: skip
OF_SWARM = (Context.HIVES, Context.POSTS, Context.POST_BOARD, Context.FLEETS, Context.POOLS, Context.VAULT)
"""Of tables of hives, and of what a swarm holds."""
CHAINS: dict[Context, tuple[Context, ...]] = {
    Context.MISSIONS: (Context.EVERYWHERE, Context.TABLE, Context.MISSIONS),
    Context.NEEDS: (Context.EVERYWHERE, Context.NEEDS),
    Context.TABLE: (Context.EVERYWHERE, Context.TABLE),
    **{
        one: (Context.EVERYWHERE, Context.TABLE, one)
        for one in (_PS, _P, _QS, _BOARD, _QUEUE, *OF_SWARM, _SPECS, _SPEC, _HEALTH, _TL, _LEARN, _NOTES, _RS, _R, _W)
    },
    **{one: (Context.EVERYWHERE, Context.TABLE, one) for one in (_CONVERSATIONS, _TRANSCRIPTS)},
    **{one: (one,) for one in TAKES_EVERYTHING},
    Context.CHANGES: (Context.EVERYWHERE, Context.TEXT, Context.CHANGES),
    Context.DOCUMENT: (Context.EVERYWHERE, Context.TEXT, Context.DOCUMENT),
    Context.NOTE: (Context.EVERYWHERE, Context.TEXT, Context.NOTE),
    Context.HELP: (Context.EVERYWHERE, Context.TEXT, Context.HELP),
    Context.BOX: (Context.FIELD, Context.BOX),
    Context.FORM: (Context.FIELD, Context.FORM),
    Context.TASK: (Context.FIELD, Context.TASK),
    Context.FINDING: (Context.FIELD, Context.FINDING),
}
"""Context → on what it builds, the strongest last; the others build on everywhere."""


def chain(context: Context) -> tuple[Context, ...]:
    """The contexts whose keys count in one, the strongest last."""
    return CHAINS.get(context, (Context.EVERYWHERE, context))


@lru_cache
def keymap(context: Context) -> dict[str, Action]:
    """What each key does in a context."""
    return {key: action for one in chain(context) for action in ACTIONS if action.context is one for key in action.keys}


@lru_cache
def meaning(context: Context, key: str, character: str | None) -> Action | None:
    """What a key does in a context; `character` is what it types, None for a key that types nothing."""
    keys = keymap(context)
    return keys.get(character or key) or keys.get(key)


def hints(context: Context, *, read_only: bool) -> tuple[Action, ...]:
    """What the header says of a context, the most used first."""
    found = {action.name: action for action in keymap(context).values()}
    shown = [action for action in found.values() if action.hint and allowed(action, read_only=read_only)]
    return tuple(sorted(shown, key=lambda action: (action.hint, action.context is Context.EVERYWHERE)))
