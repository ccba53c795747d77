"""Named hives: how they may be called, how config.toml says that they are reached, and what each role may ask. Pure."""

from __future__ import annotations

from overmind_core.domain.operation import Danger

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.domain.operation import Operation

ALL, LOCAL, SWARM = "all", "local", "swarm"
RESERVED = (ALL, LOCAL, SWARM)
"""Words behind -H that are no hive of a person's."""
AWAY = frozenset({"silent", "closed"})
"""Links of hives of a swarm that don't beat."""
NAME = r"^[a-z][a-z0-9-]{0,31}$(?!\n)"
NAME_RULE = "a hive's name has lower-case letters, digits and -, begins with a letter, and has at most 32 characters"
_WAYS = ("ssh", "gate")

SSH_OPTIONS = (
    "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
    "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=3", "-o", "ClearAllForwardings=yes",
)  # fmt: skip
"""No password or question about a key is ever answered; a link that is silent for 3 s has ended."""
GATE_COMMAND = ("overmind", "gate")

VIEWER, OPERATOR, OWNER = "viewer", "operator", "owner"
ROLES = (VIEWER, OPERATOR, OWNER)
_OWNERS = frozenset({
    "shutdown", "trust", "web_link", "web_login", "web_token", "web_check", "web_sessions", "web_revoke",
    "memory_connect", "memory_set", "memory_share", "worktrees_prune", "prune",
})  # fmt: skip
"""Requests that only an owner makes: they change what the account lets others do, or remove what all have made."""

_SHOWN = frozenset({"inbox"})
"""Requests that are no mission's, and a viewer's: they show what is asked, as the logs do."""


def name_fault(name: str) -> str:
    """Return why a hive can't be called so, a sentence; empty: it can."""
    if name in RESERVED:
        return f"A hive can't be called {name!r}: -H {name} means something else. Choose another name."
    import re  # noqa: PLC0415 - a gate, which starts for each command, names no hive

    if re.search(NAME, name) is None:
        return f"A hive can't be called {name!r}: {NAME_RULE}."
    return ""


def gate_of(name: str, entry: object) -> list[str]:
    """Return the command that config.toml names for a hive, without what `ssh` shares; see `ssh_host`.

    Raises:
        ValueError: it says none; a sentence that begins with the key.
    """
    key = f"hives.{name}"
    if fault := name_fault(name):
        raise ValueError(f"{key}: {fault}")
    if not isinstance(entry, dict):
        raise ValueError(f'{key}: write a table, such as [hives.{name}] with ssh = "{name}.example.com"')  # noqa: TRY004 - of a file
    for unknown in entry:
        if unknown not in _WAYS:
            raise ValueError(f"{key}: unknown key {unknown!r}. A hive has ssh or gate")
    if len(entry) != 1:
        raise ValueError(f"{key}: give either ssh, a host, or gate, a command")
    if "ssh" in entry:
        return ["ssh", *SSH_OPTIONS, "--", _host(key, entry["ssh"]), *GATE_COMMAND]
    words = entry["gate"]
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise ValueError(f'{key}.gate: write a list of words, such as ["ssh", "{name}", "overmind", "gate"]')
    return list(words)


def ssh_host(entry: Mapping[str, object]) -> str | None:
    """Return the host of a hive that ssh reaches; None: another command does."""
    host = entry.get("ssh")
    return host if isinstance(host, str) else None


def _host(key: str, host: object) -> str:
    if not isinstance(host, str) or not host or host.startswith("-") or any(not one.isprintable() for one in host):
        raise ValueError(f"{key}.ssh: write a host, or a name of your ssh configuration")
    return host


def names_in(words: Sequence[str]) -> list[str]:
    """Return the hives that the values of -H name, each once, in their order.

    Raises:
        ValueError: one names none; a sentence.
    """
    names = [name.strip() for word in words for name in word.split(",")]
    if not all(names):
        raise ValueError("-H needs a hive. See them with: overmind hive list")
    return list(dict.fromkeys(names))


def refusal(operation: Operation, arguments: Mapping[str, object], role: str) -> str:
    """Return what somebody with this role is told instead of an answer, a sentence; empty: they may ask.

    Args:
        operation: What is asked for.
        arguments: Its arguments, as hostile as they come.
        role: One of `ROLES`.
    """
    if role == OWNER:
        return ""
    if operation.name in _OWNERS:
        return f"A gate for {role}s takes no {operation.name}: it is for an owner of that account."
    if role == VIEWER and (operation.danger is not Danger.NONE or not operation.only_reads(arguments)):
        return f"A gate for viewers takes no {operation.name}: it only looks."
    secret = operation.forbidden and operation.name not in _SHOWN
    if role == VIEWER and (secret or arguments.get("reveal")):
        return f"A gate for viewers takes no {operation.name}: it could show secrets."
    return ""
