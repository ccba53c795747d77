"""docs/overmind.1, the manual page, from the table of the command line. Source of the language: man(7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from overmind_core.cli.command import GROUPS, Command, Parameter, find
from overmind_core.cli.headless.commands import HEADLESS, HEADLESS_COMMANDS
from overmind_core.cli.help import HELP, plain, usage_line
from overmind_core.version import VERSION
from scripts.reference.commands import EXIT_CODES, renamed

HEAD = rf""".\" Written from the table of the command line by "make docs".
.TH OVERMIND 1 "" "Overmind {VERSION}" "User Commands"
.SH NAME
overmind \- run agents and other long\-running work under supervision, and lose none of it
.SH SYNOPSIS
.B overmind
[\fB\-\-home\fR \fIDIR\fR] \fICOMMAND\fR [\fIoptions\fR]
.SH DESCRIPTION
A mission is an agent, a command or a service that Overmind starts and supervises. A mission runs without your terminal.
Overmind keeps its output, and restarts it according to its restart policy.
.PP
.B overmind
alone opens the full-screen program on a terminal.
.PP
\fI<id>\fR is an id, a name, or at least 3 characters of an id. Times without a unit are seconds, but for
\fB\-\-backoff\fR, where they are milliseconds. Every duration takes the units ms, s, m, h and d.
.SH GLOBAL OPTIONS
.TP
\fB\-\-home\fR \fIDIR\fR
use this home instead of $OVERMIND_HOME or ~/.overmind; give it before the command
.TP
\fB\-v\fR, \fB\-\-version\fR
print the version
.TP
\fB\-h\fR, \fB\-\-help\fR
list the commands"""

TAIL = r""".SH ENVIRONMENT
.TP
.B OVERMIND_HOME
the folder of settings, state and logs (default: ~/.overmind)
.TP
.B COLUMNS
the width of help, up to 100 columns
.TP
.B NO_COLOR
disables colours when set
.SH FILES
.TP
.I ~/.overmind/config.toml
the settings
.TP
.I ~/.overmind/logs
the output of missions, in a folder for each
.SH SEE ALSO
.BR docker (1),
.BR tmux (1),
.BR systemctl (1)"""


def page() -> str:
    """Return the whole page."""
    groups = [_group(title, map(find, names)) for title, names in GROUPS.items()]
    headless = [HEADLESS, *(renamed(command, f"--headless {name}") for name, command in HEADLESS_COMMANDS.items())]
    parts = [HEAD, *groups, _group("Without a daemon", headless), "\n".join(_exit_codes()), TAIL]
    return "\n".join(parts) + "\n"


def _group(title: str, commands: Iterable[Command]) -> str:
    return "\n".join([f".SH {text(title.upper())}", *(line for command in commands for line in _command(command))])


def _command(command: Command) -> Iterator[str]:
    yield f".SS {text(command.name)}"
    yield f"{text(command.summary[:1].upper() + command.summary[1:])}."
    yield from (".PP", ".nf", text(usage_line(command)), ".fi")
    if command.aliases:
        yield from (".PP", text(f"Also: {', '.join(f'overmind {word}' for word in command.aliases)}"))
    for one in command.arguments:
        yield from (".TP", rf"\fI<{text(str(one.settings['metavar']))}>\fR", text(plain(one)))
    title = ""
    for one in sorted_by_group(command.options):
        if one.group != title:
            title = one.group
            yield from (".PP", rf"\fI{text(title)}:\fR")
        yield from (".TP", _names(one), text(plain(one)))
    yield from (".TP", rf"\fB{text(HELP[0])}\fR", text(HELP[1]))
    for paragraph in filter(None, command.notes.split("\n\n")):
        yield from (".PP", *map(text, paragraph.split("\n")))
    yield from (".PP", ".nf", *(text(example) for example in command.examples), ".fi")


def sorted_by_group(options: Sequence[Parameter]) -> list[Parameter]:
    """Return options with those of a heading together, in the order in which the headings come; those of none first."""
    titles = ["", *dict.fromkeys(one.group for one in options if one.group)]
    return sorted(options, key=lambda one: titles.index(one.group))


def _names(one: Parameter) -> str:
    names = ", ".join(rf"\fB{text(name)}\fR" for name in one.names)
    return rf"{names} \fI{text(str(one.settings['metavar']))}\fR" if one.takes_value else names


def _exit_codes() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code, means in EXIT_CODES:
        yield from (".TP", rf"\fB{code}\fR", text(means.replace("`", "")))


def text(words: str) -> str:
    """Return words as they may stand in a line of the page."""
    escaped = words.replace("\\", "\\e").replace("-", r"\-").replace("…", "...").replace("→", "->")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
