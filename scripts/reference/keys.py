"""docs/keys.md, from the table of keys of the full-screen program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from overmind_core.domain.operation import Danger
from overmind_core.view import keymap
from overmind_core.view.actions import Action, Context, shown_key
from overmind_core.view.hints import PARTS, Part, hint_line

HEAD = """\
# Keys of the full-screen program

`make docs` writes this page from the table of keys. In the program `?` shows the keys of the open view, and `?` again
all of them with these sentences. [tui.md](tui.md) explains the program.

A `*` marks what ends work or removes it, and a `+` what changes something else. A key that ends work asks first;
`--read-only` has neither. Each section has the keys of its own; where another section has the same key, the own one
counts. Your own keys are set in [`[tui.hotkeys]`](configuration.md#the-full-screen-program).
"""
MARKS = {Danger.NONE: "", Danger.CHANGES: "+", Danger.ENDS_WORK: "*"}
"""What an action does to work → its mark."""
WIDEST = 1000
"""Cells in which every hint has room."""
OPTION = "option-"
"""The beginning of the names of the actions that choose one of several answers."""


class Section(NamedTuple):
    """A section of the page.

    Attributes:
        context: Its keys.
        title: Its heading.
        place: Where they count.
    """

    context: Context
    title: str
    place: str


SECTIONS = (
    Section(Context.EVERYWHERE, "Everywhere", "In every view, but not where keys are text."),
    Section(Context.TABLE, "Lists", "In every view that is a list."),
    Section(Context.MISSIONS, "Missions", "`:missions`, `:top`; and the list beside a log or a terminal."),
    Section(Context.NEEDS, "A question", "In the panel of a mission that asks, after `y`; and in `:inbox` (`!`)."),
    Section(Context.LOG, "A log", "In the panel after `l`, and in `:logs`."),
    Section(Context.LOOKING, "A terminal that you look at", "In the panel after `enter`."),
    Section(Context.TYPING, "A terminal that you type into", "After `a`. Each other key goes to the program."),
    Section(Context.GIVEN, "Notes of a mission", "In the panel after `u`."),
    Section(Context.TEXT, "Texts", "Descriptions, changes, documents, notes, help."),
    Section(Context.CHANGES, "Changes", "`v`, `:changes`."),
    Section(Context.PLANS, "Plans", "`:plans`."),
    Section(Context.PLAN, "Agents of a plan", "`:plan NAME`."),
    Section(Context.QUESTS, "Quests", "`:quests`."),
    Section(Context.BOARD, "The board", "`:board`."),
    Section(Context.QUEUE, "The queue", "`:queue`."),
    Section(Context.RITUALS, "Rituals", "`:rituals`."),
    Section(Context.RUNS, "Runs of a ritual", "`enter` on a ritual."),
    Section(Context.SPECS, "Specs", "`:specs`."),
    Section(Context.SPEC, "A spec", "`:spec NAME`."),
    Section(Context.DOCUMENT, "A document of a spec", "`enter` on a phase."),
    Section(Context.WORKTREES, "Worktrees", "`:worktrees`."),
    Section(Context.HEALTH, "Health", "`:health`."),
    Section(Context.TIMELINE, "A timeline", "`:timeline NAME`."),
    Section(Context.LEARN, "Lessons", "`:learn`."),
    Section(Context.NOTES, "Notes", "`:notes`."),
    Section(Context.NOTE, "All of a note", "`enter` on a note."),
    Section(Context.HIVES, "Machines", "`:hives`."),
    Section(Context.POSTS, "The swarm", "`:swarm`, `:queue swarm`."),
    Section(Context.POST_BOARD, "The board of the swarm", "`:board swarm`."),
    Section(Context.FLEETS, "Fleets", "`:fleets`."),
    Section(Context.POOLS, "Pools", "`:pools`."),
    Section(Context.VAULT, "Secrets", "`:vault`."),
    Section(Context.CONVERSATIONS, "Conversations to adopt", "`:adopt`."),
    Section(Context.TRANSCRIPTS, "Lines of transcripts", "`:transcripts WORDS`."),
    Section(Context.HELP, "The help", "`?`."),
    Section(Context.TASK, "A new mission", "In the line, after `n`."),
    Section(Context.FORM, "The form of a new mission", "`tab` in the line of a new mission."),
    Section(Context.BOX, "A message", "In the line, after `m`, and wherever a text is written."),
    Section(Context.FINDING, "Finding by letters", "In the line, after `ctrl-p`."),
    Section(Context.FIELD, "Text fields", "Wherever something is typed."),
)
"""The sections in their order: what one meets first stands above."""
COMMON = frozenset({Context.EVERYWHERE, Context.TABLE, Context.TEXT, Context.FIELD})
"""Contexts on which others build: their keys are hinted there."""
WITHOUT_HINTS = Context.FORM
"""The form says its keys in its own frame."""


def page() -> str:
    """Return the whole page."""
    missing = sorted(set(Context) - {one.context for one in SECTIONS})
    if missing:
        raise LookupError(f"docs/keys.md has no section for {', '.join(missing)}: scripts/reference/keys.py")
    return "\n".join([HEAD, *(_section(one) for one in SECTIONS)])


def _section(section: Section) -> str:
    """A heading, where the keys count, the lowest row of the screen there, and a row for each key."""
    lines = [f"## {section.title}\n", _intro(section), "", "| key | effect | |", "|---|---|---|"]
    own = [one for one in keymap.ACTIONS if one.context is section.context]
    options = [one for one in own if one.name.startswith(OPTION)]
    for action in own:
        if action not in options:
            lines.append(_row(_keys(action.keys), action))
        elif action is options[0]:
            ends = [shown_key(one.keys[0]) for one in (options[0], options[-1])]
            lines.append(_row(f"`{ends[0]}`–`{ends[1]}`", options[0]._replace(summary="choose this option")))
    return "\n".join([*lines, ""])


def _intro(section: Section) -> str:
    others = [one for one in keymap.chain(section.context) if one is not section.context]
    below = f" Also the keys of {_listed(others)}." if others else ""
    hints = (
        "" if section.context in {*COMMON, WITHOUT_HINTS} else f" The lowest row there: `{_hints(section.context)}`."
    )
    return f"{section.place}{below}{hints}"


def _listed(contexts: Iterable[Context]) -> str:
    titles = {one.context: one.title for one in SECTIONS}
    links = [f"[{titles[one].lower()}](#{_anchor(titles[one])})" for one in contexts]
    return " and ".join(links)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _hints(context: Context) -> str:
    """The hints of a context: those of the first part of the screen that has its keys, else its own."""
    part: Part | Context = next((part for part, (keys, _) in PARTS.items() if keys is context), context)
    return "".join(cell.text for cell in hint_line(part, WIDEST)).strip()


def _keys(keys: Sequence[str]) -> str:
    return " ".join(f"`{shown}`" for shown in dict.fromkeys(shown_key(key) for key in keys))


def _row(keys: str, action: Action) -> str:
    cells = keys, action.summary, MARKS[action.danger]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
