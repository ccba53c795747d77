"""The law of keys: one meaning for each, in every view of the full-screen program and in the browser.

`LETTERS` has all that are pressed as commands. Where keys are for something else as a whole, `MODES` names that, and
the few keys that differ there. A key that ends nothing and changes nothing is a small letter, and so is one that acts
on what is under the cursor; what pauses, drains or runs now is a shifted one, and asks. In fields keys are text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from overmind_core.view.actions import Context


class Meaning(NamedTuple):
    """One meaning of a key.

    Attributes:
        text: In a line.
        actions: The actions of `keymap` that mean it.
        browser: The first words of the lines that mean it in the browser's help, and of its buttons.
    """

    text: str
    actions: tuple[str, ...] = ()
    browser: tuple[str, ...] = ()


class Mode(StrEnum):
    """A view, or a part of one, in which some keys are for something else."""

    LIST = "list"
    QUESTION = "question"
    """What is asked, with its answers: a form of yes, no and numbers; a dialog shows the key of each answer."""
    READING = "reading"
    """A text: a log, a diff, a document."""
    LOG = "log"
    """The lines of a mission as they come, with the keys that k9s has there."""
    TERMINAL = "terminal"
    """A terminal that is looked at; the one that is typed into takes every key."""


MODE_OF: Mapping[Context, Mode] = {
    Context.NEEDS: Mode.QUESTION,
    **dict.fromkeys((Context.TEXT, Context.HELP, Context.CHANGES), Mode.READING),
    **dict.fromkeys((Context.DOCUMENT, Context.NOTE), Mode.READING),
    Context.LOG: Mode.LOG,
    Context.LOOKING: Mode.TERMINAL,
}
"""By context; the others are lists."""
PAGE_MODES: Mapping[str, Mode] = {
    "needs.js": Mode.QUESTION,
    "spec.js": Mode.QUESTION,
    "card.js": Mode.QUESTION,
    "dialog.js": Mode.QUESTION,
    "changes.js": Mode.READING,
    "log.js": Mode.LOG,
    "terminal.js": Mode.TERMINAL,
}
"""By file of the browser's pages; the others are lists."""

LETTERS: Mapping[str, Meaning] = {
    "a": Meaning(
        "type into its terminal", ("attach", "attach-quest", "type"), ("its terminal", "terminal of", "type")
    ),
    "b": Meaning(
        "arrange the rows", ("lanes", "group-by"), ("lanes", "graph of")
    ),
    "c": Meaning("copy", ("copy", "copy-path"), ("copy",)),
    "d": Meaning("describe", ("describe", "describe-row", "open-note"), ("describe", "all about it")),
    "e": Meaning(
        "edit", ("edit", "edit-document", "edit-note", "scale-fleet", "grant-secret"), ("edit", "change how it")
    ),
    "f": Meaning("fork its conversation", ("fork",)),
    "g": Meaning("the first line", ("first",), ("first row", "the first line", "to the top")),
    "h": Meaning("fold", ("fold",), ("fold",)),
    "i": Meaning("interrupt the turn", ("interrupt",), ("interrupt",)),
    "j": Meaning("down", ("down",), ("down", "the next")),
    "k": Meaning("up", ("up",), ("up", "the one before", "the agent before", "the line before")),
    "l": Meaning(
        "its log", ("log", "agent-log", "last-log", "run-log", "quest-log", "post-log", "open-hit"),
        ("log", "its log", "logs"),
    ),
    "m": Meaning(
        "a message: say it in words",
        ("message", "reply", "send-comments"),
        ("message", "answer with words", "send", "reply"),
    ),
    "n": Meaning("a new one", ("new", "new-note", "set-secret", "raise-pool"), ("new", "a new", "apply a file")),
    "o": Meaning("open it in the pager", ("pager",)),
    "p": Meaning("the previous run", ("previous",)),
    "q": Meaning("back", ("quit",), ("back",)),
    "r": Meaning(
        "run it again", ("restart", "retry-quest", "retry-post", "run-spec"), ("restart", "retry", "run", "start it")
    ),
    "s": Meaning("a shell in its folder", ("shell", "shell-there"), ("shell",)),
    "t": Meaning("as a tree, or flat", ("flat",), ("tree or flat", "as a tree")),
    "u": Meaning("notes it was given, missions given a note", ("notes", "note-users"), ("notes",)),
    "v": Meaning(
        "its changes",
        ("changes", "quest-changes", "sync-spec"),
        ("its changes", "changes", "diff", "preview of", "sync"),
    ),
    "w": Meaning("why", ("why", "describe-row"), ("why",)),
    "x": Meaning("stop it", ("stop", "cancel-quest", "cancel-post"), ("stop", "cancel")),
    "y": Meaning(
        "yes: answer, accept",
        ("question", "answer-spec", "accept-note", "allow"),
        ("allow", "approve", "answer", "accept", "land it", "send"),
    ),
    "z": Meaning("the whole screen for it", ("zoom",)),
    "A": Meaning("one list, or in groups", ("sort-age",), ("one list", "in groups")),
    "B": Meaning("apply its file again", (), ("apply its file",)),
    "C": Meaning("commit", ("commit",), ("commit",)),
    "D": Meaning("drain: take nothing new", ("drain-hive",)),
    "E": Meaning("show its definition", ("as-toml",)),
    "F": Meaning("sort by the time in its state", ("sort-for",), ("sort by time",)),
    "G": Meaning("the last line", ("last",), ("last row", "the last line", "to the end")),
    "H": Meaning("hold: pause, or go on", ("pause-ritual", "pause-queue"), ("pause", "resume")),
    "J": Meaning("its parent", ("parent",)),
    "L": Meaning("land", ("land",), ("land",)),
    "M": Meaning("sort by memory", ("sort-memory",), ("sort by memory",)),
    "N": Meaning("sort by name", ("sort-name",), ("sort by name",)),
    "O": Meaning("sort by the chosen column", ("sort-chosen",)),
    "P": Meaning("push", ("push",), ("push",)),
    "R": Meaning("run now", ("run-ritual",), ("run now", "run failed")),
    "S": Meaning("sort by state", ("sort-state",), ("sort by state",)),
    "T": Meaning("its timeline, or its runs", ("timeline",), ("its runs",)),
    "U": Meaning("undo: take back a removal", ("restore-note",), ("take back",)),
    "V": Meaning("output of its check", ("check-log",)),
    "Y": Meaning("yes, always", ("always", "pin-note"), ("always", "pin", "unpin")),
    "#": Meaning("comment on the line", ("comment", "comment-document"), ("comment",)),
    "$": Meaning("sort by cost", ("sort-cost",), ("sort by cost",)),
    "%": Meaning("sort by processor", ("sort-cpu",), ("sort by cpu",)),
    "*": Meaning("mark all", ("mark-all",), ("mark all",)),
    "<": Meaning("the column to the left", ("sort-left",)),
    ">": Meaning("the column to the right", ("sort-right",)),
    "!": Meaning("the list of those that need you", ("inbox",), ("needs you",)),
    ".": Meaning("the next one that needs you", ("next-need",), ("the next one that",)),
    ":": Meaning("a command", ("command",), ("go to a page",)),
    "/": Meaning("filter, or search", ("filter", "log-filter", "search"), ("filter", "find")),
    "?": Meaning("help", ("help",), ("these keys",)),
    "[": Meaning("the view before", ("history-back",)),
    "]": Meaning("the view after", ("history-forward",)),
    "-": Meaning("the last view", ("history-last",)),
    "space": Meaning("mark the row", ("mark",), ("mark the row",)),
    "shift+up": Meaning(
        "more of it: more urgent, more useful, what is above in the panel",
        ("raise-priority", "note-helped", "panel-up"),
        ("more", "helped"),
    ),
    "shift+down": Meaning(
        "less of it, what is below in the panel", ("lower-priority", "note-hurt", "panel-down"), ("less", "hurt")
    ),
    "ctrl+a": Meaning("all commands", ("aliases",)),
    "ctrl+b": Meaning("a page up", ("page-up",), ("a page up",)),
    "ctrl+c": Meaning("cancel, or quit", ("leave",)),
    "ctrl+d": Meaning(
        "remove it",
        (
            "remove", "delete-ritual", "delete-fleet", "end-instances", "remove-secret", "archive-spec", "forget-note",
            "discard",
        ),
        ("remove", "delete", "archive", "forget", "discard"),
    ),
    "ctrl+e": Meaning("the header", ("header",)),
    "ctrl+f": Meaning("a page down", ("page-down",), ("a page down",)),
    "ctrl+g": Meaning("the hints", ("hints",)),
    "ctrl+k": Meaning("kill it", ("kill",), ("kill",)),
    "ctrl+l": Meaning("draw again", ("refresh",)),
    "ctrl+o": Meaning("the last sentence", ("said",)),
    "ctrl+p": Meaning("find by letters", ("find",)),
    "ctrl+q": Meaning("no filter", ("clear-filter",)),
    "ctrl+r": Meaning("draw again", ("refresh",)),
    "ctrl+s": Meaning("save the view", ("save",)),
    "ctrl+u": Meaning("no filter", ("clear-filter",)),
    "ctrl+w": Meaning("more columns", ("wide",)),
    "ctrl+z": Meaning("only those that need attention", ("attention",), ("only what", "show all")),
    "ctrl+space": Meaning("mark to here", ("mark-range",), ("mark all from",)),
    "ctrl+backslash": Meaning("no marks", ("mark-none",), ("clear marks",)),
}  # fmt: skip
"""Key → its one meaning."""
_HALF_PAGES: Mapping[str, Meaning] = {
    "ctrl+d": Meaning("half a page down", ("half-down", "text-half-down")),
    "ctrl+u": Meaning("half a page up", ("half-up", "text-half-up")),
}
_MATCHES: Mapping[str, Meaning] = {
    "n": Meaning("the next match, or file", ("next-match", "next-file"), ("the next",)),
    "N": Meaning("the match before, or file", ("previous-match", "previous-file"), ("the file before",)),
}
_SPAN = Meaning(
    "a part of the log", ("log-tail", "log-head", "range-1m", "range-5m", "range-15m", "range-30m", "range-1h")
)
_REPLAY = Meaning("replay the run", ("replay",))
_CHOICE = Meaning("choose an option", tuple(f"option-{number}" for number in range(1, 10)), ("choose an option",))
MODES: Mapping[Mode, Mapping[str, Meaning]] = {
    Mode.LIST: {},
    Mode.QUESTION: {
        "n": Meaning("no", ("deny",), ("deny", "cancel")),
        **{str(number): _CHOICE for number in range(1, 10)},
    },
    Mode.READING: {**_MATCHES, **_HALF_PAGES},
    Mode.LOG: {
        **_MATCHES,
        **_HALF_PAGES,
        **{str(number): _SPAN for number in range(7)},
        "f": Meaning("the whole screen for it", ("zoom",)),
        "m": Meaning("draw a ruler", ("ruler",)),
        "s": Meaning("follow the newest line", ("follow",)),
        "t": Meaning("the time of each line", ("time",)),
        "w": Meaning("wrap lines", ("wrap",)),
        "C": Meaning("clear the view", ("clear-view",)),
        "R": _REPLAY,
    },
    Mode.TERMINAL: {
        **_MATCHES,
        **_HALF_PAGES,
        "i": Meaning("type into it", ("type",), ("type in",)),
        "R": _REPLAY,
        "space": Meaning("begin a selection", ("select",)),
        "ctrl+backslash": Meaning("leave it", ("leave-terminal",)),
        "\\": Meaning("send the key that leaves", ("send-detach-key",)),
    },
}
"""What differs in a mode."""


def meaning_of(key: str, mode: Mode) -> Meaning | None:
    """The one meaning of a key there; None for one that has none."""
    return MODES[mode].get(key) or LETTERS.get(key)
