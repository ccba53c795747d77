"""A command is data: its name, words, options, examples, and the function that does it.

`COMMANDS` says which module holds which command; a module is imported only when argv names it, and only
its parser is built. Each module has one `COMMAND = Command(…)`, whose `run(args, context)` returns the exit status.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from overmind_core.cli.context import Context

PACKAGE = "overmind_core.cli.commands"

GROUPS: dict[str, tuple[str, ...]] = {
    "Daemon": ("start", "shutdown", "status"),
    "Start and end missions": ("run", "stop", "kill", "restart", "rm", "prune"),
    "Run plans": ("init", "agents", "apply", "diff", "delete"),
    "Quests and rituals": (
        "quest run",
        "quest list",
        "quest info",
        "quest logs",
        "quest wait",
        "quest cancel",
        "ritual create",
        "ritual list",
        "ritual info",
        "ritual run",
        "ritual pause",
        "ritual resume",
        "ritual delete",
        "ritual history",
        "rituals",
    ),
    "Isolate missions": ("isolate", "trust", "ports", "worktrees", "worktrees prune"),
    "Review and land their work": ("changes", "commit", "merge", "push", "discard"),
    "Look at missions": ("tui", "ps", "monitor", "info", "logs", "screen", "top", "wait", "events", "subscribe"),
    "Use their terminals": ("attach", "detach", "shell"),
    "Talk to agents": (
        "claude run",
        "send",
        "interrupt",
        "inbox",
        "answer",
        "messages",
        "result",
        "seen",
        "cost",
    ),
    "Agents that run agents": ("skill", "mcp", "output"),
    "Change missions": ("edit", "update", "signal", "freeze", "thaw"),
    "Everyday tools": ("demo", "doctor", "version", "completion", "service"),
}
"""Heading → commands, in the order in which `overmind --help` shows them. A name may have two words."""

COMMANDS: dict[str, str] = {name: f"{PACKAGE}.{name.replace(' ', '_')}" for names in GROUPS.values() for name in names}
"""Command → module."""
HIDDEN: dict[str, str] = {"hook": f"{PACKAGE}.hook", "merge-step": f"{PACKAGE}.merge_step"}
"""Commands that programs call and no help shows."""


class Parameter:
    """One word or option: its names, what argparse is told about it, and whether its value may begin with a dash."""

    __slots__ = ("dashes", "names", "settings")

    def __init__(self, *names: str, **settings: object) -> None:
        self.names = names
        self.settings = settings
        self.dashes = False

    @property
    def takes_value(self) -> bool:
        """Whether the option's value may be the next word."""
        return self.settings.get("action") != "store_true"


class Command:
    """One command of the command line.

    Args:
        name: The word after `overmind`.
        summary: One line, no full stop, begins with a verb.
        run: Does it; returns the exit status. Errors are raised as OvermindError.
        arguments: Words, in order.
        options: May stand before or after the words.
        examples: Whole command lines, shown by --help.
        rest: The name of a trailing command, which begins at the first word that is no option
            (or after `--`) and keeps its own dashes; lands in `args.rest` as a list.
        notes: What --help says after the options.
    """

    __slots__ = ("arguments", "examples", "name", "notes", "options", "rest", "run", "summary")

    def __init__(
        self,
        *,
        name: str,
        summary: str,
        run: Callable[[Namespace, Context], int],
        arguments: Sequence[Parameter] = (),
        options: Sequence[Parameter] = (),
        examples: Sequence[str] = (),
        rest: str | None = None,
        notes: str = "",
    ) -> None:
        self.name = name
        self.summary = summary
        self.run = run
        self.arguments = arguments
        self.options = options
        self.examples = examples
        self.rest = rest
        self.notes = notes


def argument(
    name: str, text: str, *, nargs: str | None = None, metavar: str | None = None, choices: Sequence[str] | None = None
) -> Parameter:
    """Return a word. `nargs` as argparse has it: None one, "?" perhaps, "*" any, "+" at least one."""
    settings: dict[str, object] = {"help": text, "metavar": metavar or name}
    if nargs is not None:
        settings["nargs"] = nargs
    if choices is not None:
        settings["choices"] = choices
    return Parameter(name, **settings)


def ids(nargs: str = "+") -> Parameter:
    """Return the missions a command is about, in `args.ids`."""
    return argument("ids", "id, name, or at least 3 characters of the id", nargs=nargs, metavar="id")


def one_id() -> Parameter:
    """Return the mission a command is about, in `args.id`."""
    return argument("id", "id, name, or at least 3 characters of the id")


def flag(name: str, text: str, *, short: str | None = None) -> Parameter:
    """Return an option without a value."""
    return Parameter(*_names(name, short), action="store_true", help=text)


def option(
    name: str,
    metavar: str,
    text: str,
    *,
    short: str | None = None,
    parse: Callable[[str], object] | None = None,
    choices: Sequence[str] | None = None,
    repeat: bool = False,
    dashes: bool = False,
) -> Parameter:
    """Return an option with a value; None (or [] with `repeat`) when it isn't given.

    `parse` turns the word into the value; its ValueError's text is shown to the person. With `dashes` the word after it
    is its value whatever it begins with; only for commands with a `rest`.
    """
    settings: dict[str, object] = {"help": text, "metavar": metavar}
    if parse is not None:
        settings["type"] = parse
    if choices is not None:
        settings["choices"] = choices
    if repeat:
        settings |= {"action": "append", "default": []}
    made = Parameter(*_names(name, short), **settings)
    made.dashes = dashes
    return made


def _names(name: str, short: str | None) -> tuple[str, ...]:
    return (name,) if short is None else (short, name)


JSON = flag("--json", "print JSON, one compact line")
YES = flag("--yes", "ask nothing", short="-y")
