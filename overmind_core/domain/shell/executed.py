"""A command line that a shell becomes instead of starting it below itself. Pure.

Some shells do so of themselves with the last command of `-c` (bash), others wait for it (dash 0.5.12). One that waits
gets the ctrl-c of its terminal too, and ends by it once its program has ended, whatever that says: a session that took
ctrl-c and was left in order would have crashed.
"""

from __future__ import annotations

import re

from overmind_core.domain.shell.commands import KEYWORDS

_PLAIN = re.compile(r"""(?:[\w@%+=:,./^~ \t-]|'[^']*'|"[^"$`\\]*")+""", re.ASCII)
"""A command that a shell does nothing with but split it into words."""
_PROGRAM = re.compile(r"[\w@%+:,./-]+", re.ASCII)
_OWN = frozenset([
    ".", ":", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval", "exec", "exit", "export", "false",
    "fc", "fg", "getopts", "hash", "jobs", "kill", "local", "printf", "pwd", "read", "readonly", "return", "set",
    "shift", "source", "test", "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset", "wait",
    # of bash, which is /bin/sh on some systems
    "builtin", "caller", "coproc", "declare", "dirs", "disown", "enable", "function", "help", "history", "let",
    "logout", "mapfile", "popd", "pushd", "readarray", "select", "shopt", "suspend", "time", "typeset",
])  # fmt: skip
"""What a shell does by itself; some of these are programs too, which differ."""


def executed(command: str) -> str:
    """The command with `exec` in front, where that is a program with its arguments; else as it is."""
    line = command.strip()
    first = line.split(None, 1)[0] if line else ""
    if not _PLAIN.fullmatch(line) or not _PROGRAM.fullmatch(first) or first in _OWN or first in KEYWORDS:
        return command
    return f"exec {line}"
