"""Commands that are for this machine alone, and what is said of an error that another one answered."""

from __future__ import annotations

import re

from overmind_core.client.config_tables import named_tables
from overmind_core.domain.text.cells import did_you_mean
from overmind_core.errors import OvermindError, UsageError

_HERE = {
    "shell": "a shell begins where its mission is. Go there: ssh HOST, then overmind shell",
    "exec": "the command would run here. Start it there with: overmind run -H HIVE",
    "apply": "its file names folders of this machine. Apply it there: ssh HOST, then overmind apply",
    "diff": "its file names folders of this machine. Look there: ssh HOST, then overmind diff",
    "pool manifest": "its pool stands in this machine's config.toml. Go there: ssh HOST, then overmind pool manifest",
    "spec check": "it reads a file of this machine. Check it there: ssh HOST, then overmind spec check",
    "tui": "it shows all hives of config.toml together. Start it without -H",
    "start": "its daemon starts by itself with the first mission there",
    "isolate": "it looks at a project's folder. Go there: ssh HOST, then overmind isolate",
    "trust": "a project is looked at before it is trusted. Go there: ssh HOST, then overmind trust",
}
"""Command that is for this machine → why, and what to do instead."""
_FAMILIES = frozenset({
    "adopt", "agents", "completion", "context", "cortex", "delete", "demo", "doctor", "forget", "gate", "helped",
    "hive", "hook", "hurt", "init", "learn", "mcp", "memory", "merge-step", "note", "notes", "output", "ports",
    "provider", "providers", "recall", "remember", "report", "search", "service", "skill", "state", "version", "web",
})  # fmt: skip
"""First words of commands that look at this machine's own files, or at its own part of the work."""


def is_only_here(name: str) -> bool:
    """Whether a command, or the family of that name, is for this machine alone."""
    return name in _HERE or name.split(maxsplit=1)[0] in _FAMILIES


def check_not_only_here(name: str) -> None:
    """Refuse -H for a command of this machine.

    Raises:
        UsageError: it is one.
    """
    if name in _HERE:
        raise UsageError(f"{name} can't be used with -H: {_HERE[name]}.")
    if is_only_here(name):
        raise UsageError(f"{name} can't be used with -H: it is about this machine.")


def error_there(error: OvermindError, hive: str) -> str:
    """Return what is said of an error that a hive answered: where it was, and commands as they are given from here."""
    if error.code == "daemon_not_running":
        return f"No daemon runs on {hive}. It starts with the first mission there: overmind -H {hive} run 'make test'"

    if "hive" not in error.fields:  # it was found out here, and says where
        return error.message
    return f"{hive}: {commands_there(error.message, hive)}"


def hive_meant(message: str, config: str) -> str:
    """Return a question about the name that was not found here, where it begins like that of a hive: ` Did you …?`."""
    found = re.search(r"'([^'/]+)(/[^']+)'", message)
    try:
        close = found and did_you_mean(found[1], tuple(named_tables(config, "hives", "")))
    except OvermindError:  # told by the commands that need it
        return ""
    if not found or not close:
        return ""
    return close.replace("?", f"{found[2]}?").replace(" or ", f"{found[2]} or ")


def commands_there(text: str, hive: str) -> str:
    """Return a sentence of a hive with the commands that it names as they are given from here."""

    def there(found: re.Match[str]) -> str:
        return f"(on {hive}) {found[0]}" if is_only_here(found[1]) else f"overmind -H {hive} {found[1]}"

    return re.sub(r"(?<=: )overmind ([a-z]+)", there, text)
