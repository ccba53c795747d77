"""Actions: what a key or a `:` verb can do, as values; `keymap` has the rows, `command_line.verbs` the verbs.

How dangerous one is follows from the operation that it asks for (`overmind_core.domain.operations`). Keys are what a
person presses: a character as itself, all others by Textual's names (`ctrl+k`, `enter`, `pageup`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.operation import Danger
from overmind_core.domain.operations import BY_COMMAND


class Needs(StrEnum):
    """What must be there for an action to mean anything."""

    NOTHING = "nothing"
    ROW = "a row"
    MISSION = "a mission"
    LIVE = "a live mission"
    QUESTION = "an open question"
    QUEST = "a quest"
    RITUAL = "a ritual"
    SPEC = "a spec"
    NOTE = "a note"
    HIVE = "a hive"
    POST = "a post"
    FLEET = "a fleet"
    POOL = "a pool"
    SECRET = "a secret"  # noqa: S105 - a word
    WORKTREE = "a worktree"


class Context(StrEnum):
    """A context: where a key is pressed."""

    EVERYWHERE = "everywhere"
    TABLE = "table"
    MISSIONS = "mission"
    PLANS = "plan"
    PLAN = "agent"
    QUESTS = "quest"
    BOARD = "board"
    QUEUE = "queue"
    HIVES = "hive"
    POSTS = "post of the swarm"
    POST_BOARD = "board of the swarm"
    FLEETS = "fleet"
    POOLS = "pool"
    VAULT = "secret"
    SPECS = "specs"
    SPEC = "spec"
    DOCUMENT = "spec document"
    HEALTH = "health"
    TIMELINE = "timeline"
    LEARN = "lessons"
    NOTES = "note"
    NOTE = "all of a note"
    RITUALS = "ritual"
    RUNS = "ritual run"
    WORKTREES = "worktree"
    CHANGES = "changes"
    NEEDS = "needs-you"
    GIVEN = "notes of a mission"
    CONVERSATIONS = "conversation"
    TRANSCRIPTS = "line of a transcript"
    LOG = "log"
    TEXT = "text"
    HELP = "help"
    LOOKING = "terminal, view only"
    TYPING = "terminal, typing"
    BOX = "message"
    FIELD = "text field"
    FORM = "new mission"
    TASK = "task of a new mission"
    FINDING = "finding by letters"


NO_MISSION = frozenset({
    Needs.QUEST, Needs.RITUAL, Needs.SPEC, Needs.NOTE, Needs.HIVE, Needs.POST, Needs.FLEET, Needs.POOL,
    Needs.SECRET,    Needs.WORKTREE,
})  # fmt: skip
"""What is a row of a table, but need not be a mission."""
TAKES_EVERYTHING = frozenset({
    Context.TYPING, Context.BOX, Context.FIELD, Context.FORM, Context.TASK, Context.FINDING,
})  # fmt: skip
"""Where keys are text: nothing of everywhere counts."""


class Unlike(NamedTuple):
    """What something does to work, where that is not what its operation does, and why."""

    danger: Danger
    reason: str


USUAL = ""
"""The label of a key that is called as its operation is."""
MOVES = "it only moves the view"
"""Why a key that moves has no verb."""
LOOKS_ON = Unlike(Danger.NONE, "in read-only mode it only shows the terminal")
JUST_CHANGED = "the row under the cursor just changed: check it, then press the key again"
"""Why a key that acts on the row is refused: it may have been meant for the row before."""


class Action(NamedTuple):
    """One thing that can be done.

    Attributes:
        name: What the code calls it.
        keys: Any of these; the first is the one that is shown.
        own_label: Two words at most, for hints, where that is not its operation's.
        summary: One line for the help.
        context: Where its keys count.
        needs: What must be there.
        verb: The `:` and command-line verb that does the same.
        alone: Why there is none.
        hint: Its place among the hints in the header; 0 is none.
        unlike: What it does to work, where that is not what the verb's operation does.
        takes_text: It opens something to type into: where that does not open, what is typed next is no commands.
    """

    name: str
    keys: tuple[str, ...]
    own_label: str
    summary: str
    context: Context
    needs: Needs = Needs.NOTHING
    verb: str = ""
    alone: str = ""
    hint: int = 0
    unlike: Unlike | None = None
    takes_text: bool = False

    @property
    def label(self) -> str:
        """Two words at most, for hints."""
        return self.own_label or BY_COMMAND[self.verb].label

    @property
    def danger(self) -> Danger:
        """What it does to work."""
        if self.unlike is not None:
            return self.unlike.danger
        return BY_COMMAND[self.verb].danger if self.verb else Danger.NONE


def asks_daemon(action: Action) -> bool:
    """Whether it has a daemon change a row: nothing comes of it where none answers."""
    has_row = action.needs not in {Needs.NOTHING, Needs.HIVE} and action.verb != "shell"
    in_terminal = action.context in {Context.LOOKING, Context.TYPING}  # the keeper's, which needs no daemon
    return has_row and not in_terminal and bool(action.verb) and action.danger is not Danger.NONE


def acts_on_row(action: Action) -> bool:
    """True where its key does something to the row under the cursor, and opens no line that names the row first."""
    has_row = action.needs not in {Needs.NOTHING, Needs.QUESTION}  # no key answers a question that was not read
    names_it = action.takes_text and action.danger is Danger.CHANGES
    return has_row and not names_it and action.danger is not Danger.NONE


def allowed(action: Action, *, read_only: bool) -> bool:
    """Whether it is shown and done at all."""
    return not read_only or action.danger is Danger.NONE


KEY_NAMES = {
    "space": "space", "enter": "enter", "escape": "esc", "pagedown": "PgDn", "pageup": "PgUp", "home": "Home",
    "end": "End", "up": "↑", "down": "↓", "left": "←", "right": "→", "tab": "tab", "shift+tab": "shift-tab",
    "ctrl+backslash": "ctrl-\\", "ctrl+@": "ctrl-space", "shift+left": "shift-←", "shift+right": "shift-→",
    "shift+up": "shift-↑", "shift+down": "shift-↓",
    "shift+enter": "shift-enter", "alt+enter": "alt-enter",
}  # fmt: skip


def shown_key(key: str, *, ascii_only: bool = False) -> str:
    """A key as people write it; `ascii_only`: arrows as words, for `<` and `>` are keys themselves."""
    if len(key) == 1 and key.isupper():
        return f"shift-{key.lower()}"
    written = key.replace("+", "-")
    name = KEY_NAMES.get(key, written)
    return written if ascii_only and not name.isascii() else name
