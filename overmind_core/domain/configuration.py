"""The keys of config.toml: which tables it may have, and the keys of each. Pure.

The daemon reads most of them, `attach` its own the full-screen program `[tui]`. Every reader refuses an unknown key: a
rule that guards must not be lost by a slip of the keyboard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from overmind_core.domain.agents.prices import Price
from overmind_core.domain.settings import (
    CortexSettings,
    GuardianSettings,
    HealthSettings,
    MemorySettings,
    QueueSettings,
    ReportSettings,
    SwarmSettings,
    WebSettings,
)
from overmind_core.domain.text.problems import hinted

KEYS: Mapping[str, tuple[str, ...]] = {
    "logs": ("per_mission", "total"),
    "retention": ("finished", "events"),
    "sweep": ("leave",),
    "notify": ("command",),
    "permissions": ("allow", "deny"),
    "keeper": ("spawn",),
    "queue": QueueSettings._fields,
    "health": HealthSettings._fields,
    "guardian": GuardianSettings._fields,
    "reports": ReportSettings._fields,
    "memory": MemorySettings._fields,
    "cortex": CortexSettings._fields,
    "swarm": SwarmSettings._fields,
    "web": WebSettings._fields,
    "attach": ("detach_keys",),
    "hives": (),
    "contexts": (),
    "pools": (),
    "prices": (),
    "providers": (),
    "tui": (
        "theme", "symbols", "panel", "confirm_kill", "mouse", "coach", "status", "fps", "escape_ms", "detach_keys",
        "log_time", "log_wrap", "log_range", "hotkeys", "aliases", "motion",
    ),
}  # fmt: skip
"""Table → its keys. `[providers]`, `[prices]`, `[hives]`, `[contexts]` and `[pools]` have a table for each name."""
PROVIDER_KEYS = ("program", "terminal")
"""Keys of `[providers.NAME]`."""
OWN_AGENT_KEYS: Mapping[str, tuple[str, ...]] = {
    "acp": ("program", "protocol", "args", "install", "terminal"),
    "once": ("program", "protocol", "args", "install", "prompt", "answer", "terminal"),
    "terminal": ("program", "protocol", "install", "terminal"),
}
"""The same of an agent of a person's own, by its protocol."""
TERMINAL_KEYS = ("rules", "interrupt", "ready", "start", "resume", "fork", "session")
"""Keys of `[providers.NAME.terminal]`."""
TERMINAL_RULE_KEYS = ("on", "last", "any", "state")
"""Keys of each of these rules."""
PRICE_KEYS = Price._fields
"""Keys of `[prices."MODEL"]`."""
ACCEPT_KEYS = ("from", "repositories", "providers", "commands")
"""Keys of `[swarm] accept`."""


def unknown_tables(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield each unknown key of the file's first level, with the sentence about it."""
    for name in document:
        if name not in KEYS:
            owner = next((table for table, keys in KEYS.items() if name in keys), None)
            unknown = f"unknown table {name!r}"
            yield name, hinted(unknown, name, KEYS) if owner is None else f"{unknown}. Move it to [{owner}]"


def unknown_keys(table: str, found: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield each unknown key of a table, with the sentence about it."""
    for name in found:
        if name not in KEYS[table]:
            yield name, hinted(f"{table}: unknown key {name!r}", name, KEYS[table])
