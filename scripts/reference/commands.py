"""docs/commands.md, from the table of the command line."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_core.cli.command import ALIASES, GROUPS, Command, Parameter, find
from overmind_core.cli.headless.commands import HEADLESS, HEADLESS_COMMANDS
from overmind_core.cli.help import usage_line
from overmind_core.cli.synonyms import INSTEAD
from overmind_core.errors import FAILED, INTERRUPTED, TIMED_OUT, USAGE

HEAD = """\
# Commands

`make docs` writes this page from the table of the command line. Each command prints the same with `--help`.

`<id>` is an id, a name, or at least 3 characters of an id. Times without a unit are seconds, but for `--backoff`,
where they are milliseconds. Every duration takes the units `ms`, `s`, `m`, `h` and `d`. The home is
`$OVERMIND_HOME`, or `~/.overmind`. [missions.md](missions.md) explains missions, names and ids.
"""

EXIT_CODES: tuple[tuple[object, str], ...] = (
    (0, "done"),
    (FAILED, "the request failed; stderr says `Error: <code>: <sentence>`"),
    (USAGE, "the command line is wrong: an unknown command or option, or an invalid value"),
    (TIMED_OUT, "a time limit ran out"),
    (INTERRUPTED, "ctrl-c ended a view"),
    ("N", "`wait`, `run --wait` and headless runs exit with the child's code: 128+N for a signal, 137 when killed"),
)

EXITS = "\n".join([
    "## Exit codes\n",
    "| code | means |",
    "|---|---|",
    *(f"| {code} | {means} |" for code, means in EXIT_CODES),
    "\nThe codes of errors are listed [here](api.md#errors).\n",
])  # fmt: skip

OWN_EXITS = {
    "run": "With `--wait`: the mission's own code. Otherwise 0 after the start.",
    "claude run": "With `--wait`: the mission's own code. Otherwise 0 after the start.",
    "send": "With `--wait`: 1 when the turn failed, 124 when `--timeout` ran out.",
    "inbox": "130 after ctrl-c with `--watch`.",
    "wait": "The first code other than 0, in the order of the arguments; 124 when `--timeout` ran out.",
    "logs": "130 after ctrl-c with `-f`.",
    "ps": "130 after ctrl-c with `--watch`.",
    "monitor": "130 after ctrl-c.",
    "top": "130 after ctrl-c.",
    "events": "130 after ctrl-c with `-f`.",
    "subscribe": "130 after ctrl-c.",
    "doctor": "1 when a check says `fail`.",
    "apply": "With `--wait`: the plan's own code, 0 or 1. Otherwise 0 after the start.",
    "diff": "With `--exit-code`: 1 if there are differences.",
    "--headless run": "The work's own code; 124 when a time limit ran out, 130 after INT, 143 after TERM.",
    "--headless apply": "0, or 1 when an agent failed; otherwise as in `--headless run`.",
}
"""Command → what it exits with, where that is more than 0 and 1."""


def page() -> str:
    """Return the whole page."""
    groups = [_group(title, [find(name) for name in names]) for title, names in GROUPS.items()]
    headless = [HEADLESS, *(renamed(command, f"--headless {name}") for name, command in HEADLESS_COMMANDS.items())]
    return "\n".join([HEAD, _contents(), *groups, _group("Without a daemon", headless), EXITS, _other_words()])


def _other_words() -> str:
    """Return what docker, kubectl, systemctl and tmux call it: aliases, and what to type instead of what is none."""
    aliases = [f"| `{word}` | the same as [{name}](#{name.replace(' ', '-')}) |" for word, name in ALIASES.items()]
    instead = [f"| `{word}` | {_cell(sentence)} |" for word, sentence in INSTEAD.items()]
    head = "Words of docker, kubectl, systemctl and tmux: some are aliases, and errors name the command for the others."
    return "\n".join(
        ["## Words of other programs\n", f"{head}\n", "| word | here |", "|---|---|", *aliases, *instead, ""]
    )


def _contents() -> str:
    lines = [f"* {title}: " + ", ".join(map(_link, names)) for title, names in GROUPS.items()]
    return "\n".join(
        [
            *lines,
            "* [Without a daemon](#without-a-daemon)",
            "* [Exit codes](#exit-codes)",
            "* [Words of other programs](#words-of-other-programs)",
            "",
        ]
    )


def _link(name: str) -> str:
    return f"[{name}](#{name.replace(' ', '-')})"


def _group(title: str, commands: list[Command]) -> str:
    return "\n".join([f"## {title}\n", *(_section(command) for command in commands)])


def _section(command: Command) -> str:
    parts = [
        f"### {command.name}\n",
        f"{command.summary[:1].upper()}{command.summary[1:]}.\n",
        f"```text\n{usage_line(command)}\n```\n",
        *_table("word", command.arguments),
        *([_also(command)] if command.aliases else []),
        *(table for title, options in _groups(command.options).items() for table in _table(title, options)),
        *([f"{_plain(command.notes)}\n"] if command.notes else []),
        "```console\n" + "\n".join(f"$ {example}" for example in command.examples) + "\n```\n",
        *([f"Exit code: {OWN_EXITS[command.name]}\n"] if command.name in OWN_EXITS else []),
    ]
    return "\n".join(parts)


def _also(command: Command) -> str:
    return f"Also: {', '.join(f'`overmind {word}`' for word in command.aliases)}.\n"


def _groups(options: Sequence[Parameter]) -> dict[str, list[Parameter]]:
    groups: dict[str, list[Parameter]] = {}
    for one in options:
        groups.setdefault(one.group.lower() or "option", []).append(one)
    return groups


def _table(title: str, parameters: Sequence[Parameter]) -> list[str]:
    if not parameters:
        return []
    rows = [f"| `{_names(one)}` | {_cell(str(one.settings['help']))} |" for one in parameters]
    return ["\n".join([f"| {title} | means |", "|---|---|", *rows]) + "\n"]


def _names(parameter: Parameter) -> str:
    if not parameter.names[0].startswith("-"):
        return f"<{parameter.settings['metavar']}>"
    names = ", ".join(parameter.names)
    return f"{names} {parameter.settings['metavar']}" if parameter.takes_value else names


def _cell(text: str) -> str:
    """Return a help text as argparse would print it, safe in a table."""
    return _plain(text.replace("%%", "%")).replace("|", "\\|")


def _plain(text: str) -> str:
    return text.replace("<", "&lt;")


def renamed(command: Command, name: str) -> Command:
    """Return a command under another name, as it is typed."""
    return Command(
        name=name,
        summary=command.summary,
        **{slot: getattr(command, slot) for slot in Command.__slots__ if slot not in {"_summary", "name"}},
    )
