"""What config.toml may say to the supervisor, checked; everything has a default that suits most.

```toml
[logs]
per_mission = "100MB"      # newest kept
total = "10GB"             # all missions together; never more than a tenth of the disk
[retention]
finished = 10000           # records of ended missions
events = 100000            # entries of the event log
[sweep]
leave = ["gpg-agent"]      # programs that outlive the mission that started them; added to the built-in ones
[notify]
command = ["my-notify"]    # gets title and text, instead of the desktop's own notification; [] for none
[permissions]
allow = ["Bash(git status)"]  # questions of agents that are answered by themselves; deny wins
deny = ["Bash(rm:*)"]
[providers.claude]
program = "/opt/claude"    # instead of the one on PATH
[keeper]
spawn = "auto"             # auto | posix_spawn | ptyprocess
```
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from overmind_core.domain.text.duration import SizeError, parse_size
from overmind_core.errors import OvermindError

SPAWN_METHODS = ("auto", "posix_spawn", "ptyprocess")
SEGMENT = 4 * 1024 * 1024
"""Bytes of one log segment; smaller when the limit per mission is small."""
SEGMENTS_PER_LIMIT = 8


class Settings(NamedTuple):
    """Sizes in bytes."""

    log_limit: int = 100_000_000
    log_total: int = 10_000_000_000
    finished: int = 10_000
    events: int = 100_000
    leave: tuple[str, ...] = ()
    notify: tuple[str, ...] | None = None
    """What calls a person when nobody looks; None is the desktop's own way."""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()
    """Provider → its program."""
    spawn_method: str = "auto"

    @property
    def log_segment(self) -> int:
        """Bytes after which a log goes on in a new file."""
        return max(4096, min(SEGMENT, self.log_limit // SEGMENTS_PER_LIMIT))


def load(path: str) -> Settings:
    """The settings in the file; the defaults when there is none.

    Raises:
        OvermindError: `invalid_config`, naming file and key.
    """
    if not os.path.exists(path):
        return Settings()
    import tomlkit  # noqa: PLC0415 - most homes have no configuration, and tomlkit costs 30 ms of each start
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        with open(path, encoding="utf-8") as file:
            document = tomlkit.parse(file.read()).unwrap()
    except OSError as error:
        raise OvermindError("invalid_config", f"{path} can't be read: {error.strerror}. Make it readable.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise OvermindError("invalid_config", f"{path}: line {line} is no UTF-8. Save the file as UTF-8.") from error
    except TOMLKitError as error:
        raise OvermindError("invalid_config", f"{path}: {error}") from error
    return _read(path, document)


_KEYS = {
    ("logs", "per_mission"): ("log_limit", "size"),
    ("logs", "total"): ("log_total", "size"),
    ("retention", "finished"): ("finished", "count"),
    ("retention", "events"): ("events", "count"),
    ("sweep", "leave"): ("leave", "names"),
    ("keeper", "spawn"): ("spawn_method", "method"),
    ("notify", "command"): ("notify", "names"),
    ("permissions", "allow"): ("allow", "rules"),
    ("permissions", "deny"): ("deny", "rules"),
}


def _read(path: str, document: dict[str, Any]) -> Settings:
    found: dict[str, Any] = {}
    for (table, key), (field, kind) in _KEYS.items():
        section = document.get(table, {})
        if not isinstance(section, dict):
            raise OvermindError("invalid_config", f"{path}: [{table}] must be a table.")
        if key in section:
            found[field] = _value(section[key], kind, f"{path}: {table}.{key}")
    return Settings(**found, programs=_programs(path, document.get("providers", {})))


def _programs(path: str, providers: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - whatever TOML holds
    """The program of each provider that has one of its own."""
    if not isinstance(providers, dict) or not all(isinstance(one, dict) for one in providers.values()):
        raise OvermindError("invalid_config", f"{path}: [providers] must hold tables, such as [providers.claude].")
    found = [(name, table["program"]) for name, table in providers.items() if "program" in table]
    for name, program in found:
        if not isinstance(program, str) or not program:
            raise OvermindError("invalid_config", f"{path}: providers.{name}.program must be a path or a name.")
    return tuple(found)


def _value(value: Any, kind: str, where: str) -> Any:  # noqa: ANN401 - whatever TOML holds
    match kind:
        case "size":
            try:
                return parse_size(str(value))
            except SizeError as error:
                raise OvermindError("invalid_config", f"{where}: {error}") from None
        case "count" if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        case "names" if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        case "rules" if isinstance(value, list) and all(isinstance(one, str) for one in value):
            for rule in value:
                _check_rule(rule, where)
            return tuple(value)
        case "method" if value in SPAWN_METHODS:
            return value
    raise OvermindError("invalid_config", f"{where}: {value!r} is not allowed here.")


def _check_rule(rule: str, where: str) -> None:
    from overmind_core.domain.agents.permission import InvalidRule, parse  # noqa: PLC0415 - most homes have no rules

    try:
        parse(rule)
    except InvalidRule as error:
        raise OvermindError("invalid_config", f"{where}: {error}") from None
