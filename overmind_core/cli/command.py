"""Commands as data: the table of all of them, their aliases, and what one consists of.

`MODULES` says which module holds which command; a module is imported only when argv names it, and only
the command's own parser is built. Each module lists its commands in `COMMANDS`; their `run(args, context)` returns the
exit status. A command's summary is its operation's, so that help lists all commands without loading one.
"""

from __future__ import annotations

from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from overmind_core.cli.context import Context

PACKAGE = "overmind_core.cli"

GROUPS: dict[str, tuple[str, ...]] = {
    "Daemon": ("start", "shutdown", "status", "service"),
    "Start and end missions": ("run", "claude run", "stop", "kill", "restart", "rm", "prune"),
    "Run plans": ("init", "agents", "apply", "diff", "delete", "output"),
    "Queue work": (
        "quest add",
        "quest run",
        "quest list",
        "quest info",
        "quest why",
        "quest logs",
        "quest wait",
        "quest edit",
        "quest retry",
        "quest cancel",
        "queue",
        "queue pause",
        "queue resume",
        "queue slots",
        "board",
    ),
    "Run work on a schedule": (
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
    "Specs": (
        "spec new",
        "spec run",
        "spec check",
        "spec sync",
        "spec list",
        "spec show",
        "spec accept",
        "spec archive",
    ),
    "Isolate missions": ("isolate", "trust", "ports", "worktrees", "worktrees prune"),
    "Review and land their work": ("changes", "commit", "merge", "push", "discard"),
    "Look at missions": (
        "tui",
        "ps",
        "monitor",
        "describe",
        "info",
        "logs",
        "screen",
        "replay",
        "top",
        "cost",
        "health",
        "why",
        "timeline",
        "wait",
        "events",
        "subscribe",
        "seen",
    ),
    "Use their terminals": ("attach", "detach", "shell", "exec"),
    "Talk to agents": ("send", "fork", "adopt", "keys", "interrupt", "inbox", "answer", "messages", "result"),
    "Remember": (
        "remember",
        "recall",
        "search",
        "notes",
        "note",
        "note edit",
        "note accept",
        "note pin",
        "note unpin",
        "note restore",
        "note promote",
        "forget",
        "helped",
        "hurt",
        "learn",
        "learn accept",
        "learn drop",
        "memory",
        "memory on",
        "memory off",
        "memory used",
        "memory reindex",
        "memory export",
        "memory import",
        "memory connect",
        "memory disconnect",
        "memory share",
        "memory unshare",
        "memory sync",
    ),
    "Agents that run agents": ("skill", "mcp", "report"),
    "Change missions": ("edit", "update", "rename", "signal", "freeze", "thaw"),
    "Share notes with a team": ("cortex serve", "cortex token", "cortex migrate", "cortex backup", "cortex restore"),
    "Reach other machines": (
        "hive add",
        "hive list",
        "hive info",
        "hive drain",
        "hive rm",
        "hive invite",
        "hive serve",
        "gate",
    ),
    "Share work with a team's machines": (
        "swarm init",
        "swarm invite",
        "swarm join",
        "swarm leave",
        "swarm status",
        "fleet list",
        "fleet info",
        "fleet scale",
        "fleet delete",
        "lineage list",
        "lineage info",
        "pool list",
        "pool up",
        "pool down",
        "pool manifest",
        "vault set",
        "vault list",
        "vault grant",
        "vault rm",
        "context list",
        "context show",
    ),
    "Use a browser": ("web", "web link", "web token", "web sessions", "web revoke", "web stop"),
    "Everyday tools": (
        "demo",
        "doctor",
        "providers",
        "provider add",
        "provider test",
        "state",
        "state recover",
        "version",
        "completion",
    ),
}
"""Heading → commands, in the order in which `overmind --help` shows them. A name may have two words."""

_MODULES: dict[str, tuple[str, ...]] = {
    "daemon": ("start", "shutdown", "version", "tui", "completion"),
    "status": ("status",),
    "demo": ("demo",),
    "report": ("report",),
    "cortex": ("cortex serve", "cortex token", "cortex migrate", "cortex backup", "cortex restore"),
    "init": ("init",),
    "web": ("web link", "web token", "web sessions", "web revoke", "web stop"),
    "web_serving": ("web",),
    "learn": ("learn", "learn accept", "learn drop"),
    "timeline": ("timeline",),
    "quests.add": ("quest add", "quest edit", "quest retry"),
    "quests.board": ("board",),
    "quests.commands": ("quest run", "quest info", "quest logs", "quest wait", "quest cancel"),
    "quests.list": ("quest list",),
    "quests.queue": ("quest why", "queue", "queue pause", "queue resume", "queue slots"),
    "schedules": (
        "ritual create",
        "ritual delete",
        "ritual history",
        "ritual info",
        "ritual list",
        "ritual pause",
        "ritual resume",
        "ritual run",
        "rituals",
    ),
    "plans.commands": ("apply", "agents", "diff", "delete"),
    "plans.outputs": ("output",),
    "doctor.command": ("doctor",),
    "agents.providers": ("providers", "provider add"),
    "agents.provider_test": ("provider test",),
    "state": ("state", "state recover"),
    "isolation.commands": ("isolate", "trust", "ports"),
    "agents.cost": ("cost",),
    "agents.fork": ("fork",),
    "agents.inbox": ("inbox", "answer", "hook", "seen"),
    "agents.orchestrate": ("skill", "mcp"),
    "agents.adopt": ("adopt",),
    "agents.talk": ("send", "keys", "messages", "result", "interrupt", "subscribe"),
    "definitions.edit": ("edit",),
    "definitions.run": ("run", "claude run"),
    "landing.changes": ("changes", "commit", "push", "discard"),
    "landing.merge": ("merge", "merge-step"),
    "landing.worktrees": ("worktrees", "worktrees prune"),
    "service_unit.command": ("service",),
    "specs.check": ("spec check",),
    "specs.commands": (
        "spec new",
        "spec run",
        "spec sync",
        "spec list",
        "spec show",
        "spec accept",
        "spec archive",
    ),
    "memory.notes": (
        "remember",
        "recall",
        "notes",
        "note",
        "note edit",
        "note accept",
        "note pin",
        "note unpin",
        "note restore",
        "note promote",
        "forget",
        "helped",
        "hurt",
    ),
    "memory.search": ("search",),
    "memory.memory": ("memory", "memory on", "memory off", "memory used", "memory reindex"),
    "memory.cortex": ("memory connect", "memory disconnect", "memory share", "memory unshare", "memory sync"),
    "memory.files": ("memory export", "memory import"),
    "attach.commands": ("attach", "detach", "shell", "exec"),
    "gate": ("gate",),
    "hives.commands": ("hive add", "hive list", "hive info", "hive drain", "hive rm", "hive invite"),
    "swarm.commands": ("swarm init", "swarm invite", "swarm join", "swarm leave", "swarm status"),
    "why": ("why",),
    "swarm.fleets": ("fleet list", "fleet info", "fleet scale", "fleet delete"),
    "swarm.lineages": ("lineage list", "lineage info"),
    "swarm.pools": ("pool list", "pool up", "pool down", "pool manifest"),
    "swarm.serve": ("hive serve",),
    "swarm.contexts": ("context list", "context show"),
    "swarm.vault": ("vault set", "vault list", "vault grant", "vault rm"),
    "missions.lifecycle": ("stop", "kill", "restart", "freeze", "thaw", "signal", "rm", "prune", "update", "rename"),
    "missions.describe": ("describe",),
    "missions.list": ("ps", "monitor", "top", "info"),
    "missions.logs": ("logs",),
    "missions.replay": ("replay",),
    "missions.health": ("health",),
    "missions.watch": ("wait", "events", "screen"),
}
"""Module below `overmind_core.cli` → the commands that it holds in its `COMMANDS`."""

HIDDEN = ("hook", "merge-step")
"""Commands that programs call and no help shows."""

MODULES: dict[str, str] = {name: f"{PACKAGE}.{module}" for module, names in _MODULES.items() for name in names}
"""Command → module, hidden ones too."""
COMMANDS: tuple[str, ...] = tuple(name for names in GROUPS.values() for name in names)
"""The commands that help shows, in its order."""

ALIASES: dict[str, str] = {
    "capture-pane": "screen",
    "fleet ls": "fleet list",
    "fleets": "fleet list",
    "hive ls": "hive list",
    "hives": "hive list",
    "inspect": "info",
    "kanban": "board",
    "lineage ls": "lineage list",
    "lineages": "lineage list",
    "list": "ps",
    "ls": "ps",
    "pause": "freeze",
    "pool ls": "pool list",
    "pools": "pool list",
    "quest ls": "quest list",
    "queue list": "queue",
    "queue ls": "queue",
    "quests": "quest list",
    "remove": "rm",
    "ritual ls": "ritual list",
    "spec ls": "spec list",
    "specs": "spec list",
    "stats": "top",
    "unpause": "thaw",
    "worktrees list": "worktrees",
    "worktrees ls": "worktrees",
}
"""Word of docker, kubectl or tmux → the command that means the same here."""
_SUMMARIES = {
    "claude run": "start a Claude agent (run --provider claude)",
    "describe": "describe a mission as text: state, command, agent, policy, runs",
    "rituals": "list rituals (ritual list)",
}
"""Command that is another word for one → its summary."""


def summary_of(name: str) -> str:
    """Return the summary of a command: one line, no full stop, begins with a verb. Loads no command."""
    from overmind_core.domain.operations import BY_COMMAND  # start-up: only for help

    return _SUMMARIES.get(name) or BY_COMMAND[name].summary


class Parameter:
    """One word or option: its names, its settings for argparse, its heading in help, and how its value may look.

    Attributes:
        names: The short one first, then the one that gives the attribute its name, then those that mean the same.
        settings: Keyword arguments of argparse's `add_argument`.
        group: The heading under which help shows it.
        dashes: Whether its value may begin with a dash.
    """

    __slots__ = ("dashes", "group", "names", "settings")

    def __init__(self, *names: str, **settings: object) -> None:
        self.names = names
        self.settings = settings
        self.group = ""
        self.dashes = False

    @property
    def attribute(self) -> str:
        """The name of its value among the parsed arguments."""
        if "dest" in self.settings:
            return str(self.settings["dest"])
        name = next((name for name in self.names if name.startswith("--")), self.names[0])
        return name.removeprefix("--").replace("-", "_")

    @property
    def takes_value(self) -> bool:
        """Whether the option's value may be the next word."""
        return self.settings.get("action") != "store_true"

    @property
    def is_required(self) -> bool:
        """Whether a command line without this word makes no sense."""
        return self.settings.get("nargs") not in {"?", "*"}

    @property
    def default(self) -> object:
        """The value when it isn't given: a new list where it may be given again and again."""
        if not self.takes_value:
            return False
        return [] if self.settings.get("nargs") == "*" or self.settings.get("action") == "append" else None


class Command:
    """One command of the command line.

    Args:
        name: The word after `overmind`.
        summary: One line, no full stop, begins with a verb; where it is not that of the operation
            (`overmind_core.domain.operations`) that the command asks for.
        run: Does it; returns the exit status. Errors are raised as OvermindError.
        arguments: Words, in order.
        options: May stand before or after the words.
        examples: Whole command lines, shown by --help.
        rewrite: Puts options in the place of words that other programs have for them, such as `kill -9`.
        rest: The name of a trailing command, which begins at the first word that is no option
            (or after `--`) and keeps its own dashes; lands in `args.rest` as a list.
        notes: What --help says after the options.
    """

    __slots__ = ("_summary", "arguments", "examples", "name", "notes", "options", "rest", "rewrite", "run")

    def __init__(
        self,
        *,
        name: str,
        run: Callable[[Namespace, Context], int],
        summary: str = "",
        arguments: Sequence[Parameter] = (),
        options: Sequence[Parameter] = (),
        examples: Sequence[str] = (),
        rest: str | None = None,
        notes: str = "",
        rewrite: Callable[[list[str]], list[str]] | None = None,
    ) -> None:
        self.name = name
        self._summary = summary
        self.run = run
        self.arguments = arguments
        self.options = _with_formats(options)
        self.examples = examples
        self.rest = rest
        self.notes = notes
        self.rewrite = rewrite

    @property
    def summary(self) -> str:
        """One line, no full stop, begins with a verb."""
        return self._summary or summary_of(self.name)

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other words for it."""
        return tuple(word for word, name in ALIASES.items() if name == self.name)


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


def one_id(nargs: str | None = None) -> Parameter:
    """Return the mission a command is about, in `args.id`; with `nargs` "?" it may be missing."""
    return argument("id", "id, name, or at least 3 characters of the id", nargs=nargs)


def flag(name: str, text: str, *, short: str | None = None, also: Sequence[str] = ()) -> Parameter:
    """Return an option without a value; `also` are more names for it."""
    return Parameter(*_names(name, short), *also, action="store_true", help=text)


def option(
    name: str,
    metavar: str,
    text: str,
    *,
    short: str | None = None,
    also: Sequence[str] = (),
    parse: Callable[[str], object] | None = None,
    choices: Sequence[str] | None = None,
    repeat: bool = False,
    dashes: bool = False,
    attribute: str | None = None,
) -> Parameter:
    """Return an option with a value; None (or [] with `repeat`) when it isn't given; `also` are more names for it.

    `parse` turns the word into the value; its ValueError's text is shown to the person. With `dashes` the word after it
    is its value whatever it begins with; only for commands with a `rest`. `attribute`: another name for the value among
    the parsed arguments than its own.
    """
    settings: dict[str, object] = {"help": text, "metavar": metavar}
    if parse is not None:
        settings["type"] = parse
    if choices is not None:
        settings["choices"] = choices
    if repeat:
        settings |= {"action": "append", "default": []}
    if attribute is not None:
        settings["dest"] = attribute
    made = Parameter(*_names(name, short), *also, **settings)
    made.dashes = dashes
    return made


def _names(name: str, short: str | None) -> tuple[str, ...]:
    return (name,) if short is None else (short, name)


def grouped(title: str, options: Sequence[Parameter]) -> list[Parameter]:
    """Return the options under a heading of their own in help."""
    for one in options:
        one.group = title
    return list(options)


JSON = flag("--json", "print JSON, one compact line")
YES = flag("--yes", "skip the confirmation", short="-y")
YES_TO_ALL = flag("--yes", "skip the confirmation; without a terminal nobody is asked", short="-y")
"""Of a command that goes on where it can ask nobody: in a script, a pipe, a job."""

WIDE = "--wide"
_FORMATS = ("json", "yaml", "name")
FORMAT = "output"
"""The attribute that says in which format an answer is printed."""


def _with_formats(options: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """Give a command that prints JSON the option that names the format: `-o yaml`."""
    if JSON not in options:
        return tuple(options)
    names = {name for one in options for name in one.names}
    formats = (*_FORMATS, "wide") if WIDE in names else _FORMATS
    words = f"{', '.join(formats[:-1])} or {formats[-1]}"
    also = [] if "--format" in names else ["--format"]  # `skill --format claude` is the kind of its text
    shown = option("--output", "FORMAT", f"print {words}", short="-o", also=also, choices=formats, attribute=FORMAT)
    return (*options, shown)


HIVE_OPTION = ("-H", "--hive")
"""Stands before or after any command: which hive is asked."""
REQUEST_OPTION = "--request"
"""Stands where -H may: the key of a request to a hive whose answer was lost."""


def names_place(word: str) -> bool:
    """Whether this word is an option that says where, or which time, a command is asked."""
    return word.split("=", maxsplit=1)[0] in {*HIVE_OPTION, REQUEST_OPTION}


def split_hives(command: Command, words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Part what -H names, and what --request names, among a command's words from the others.

    A command that follows the options keeps its own -H, as does all behind `--`.

    Raises:
        UsageError: -H or --request has no value.
    """
    valued = {name for one in command.options if one.takes_value for name in one.names}
    kept, hives, keys = list[str](), list[str](), list[str]()
    at, own = 0, len(command.arguments)  # words of its own: options may follow them
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        is_plain = not word.startswith("-") or word == "-"
        if word == "--" or (command.rest is not None and is_plain and not own):
            break
        own -= is_plain
        if names_place(word):
            at += 1
            if not equals:
                if at >= len(words) and name == REQUEST_OPTION:
                    raise UsageError(f"{name} needs the key that outcome_unknown has named.")
                if at >= len(words):
                    raise UsageError(f"{name} needs a hive. See them with: overmind hive list")
                value = words[at]
                at += 1
            (keys if name == REQUEST_OPTION else hives).append(value)
        else:
            step = 2 if word in valued else 1
            kept += words[at : at + step]
            at += step
    return [*kept, *words[at:]], hives, keys


NAMED = ("id", "ids", "target", "spec", "children", "question")
"""Attributes of parsed arguments that name missions, quests, questions and specs."""


def named_things(args: object) -> list[str]:
    """Return the names in parsed arguments."""
    names: list[str] = []
    for attribute in NAMED:
        value = getattr(args, attribute, None)
        if isinstance(value, str):
            names.append(value)
        elif isinstance(value, list) and attribute != "question":  # there it is the words of a text
            names += value
    return names


def names_a_hive(args: object) -> bool:
    """Whether a name may begin with that of a hive, as `eu1/api` does: only then the configuration is looked at."""
    return any("/" in name for name in named_things(args))


def find(name: str) -> Command:
    """Return the command called `name`, loading its module.

    Raises:
        OvermindError: `unknown_command`, with what may have been meant.
    """
    if name.startswith("-"):
        raise UsageError(f"Unknown option {name}. See: overmind --help")
    module = MODULES.get(name)
    if module is None:
        from overmind_core.cli.synonyms import advice  # only after a mistake

        known = COMMANDS if " " in name else dict.fromkeys(one.partition(" ")[0] for one in COMMANDS)
        raise OvermindError("unknown_command", f"Unknown command {name!r}.{advice(name, known)} See: overmind --help")
    commands: tuple[Command, ...] = __import__(module, fromlist=["COMMANDS"]).COMMANDS
    return next(command for command in commands if command.name == name)
