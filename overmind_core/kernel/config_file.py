"""config.toml, read with the place of each mistake: an unknown table or key is one, with the nearest that is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from overmind_core.documents.reading import FileValue, Findings, Path, Read, choice, is_number
from overmind_core.documents.toml import document
from overmind_core.domain.agents import permission
from overmind_core.domain.configuration import KEYS, PROVIDER_KEYS, unknown_keys, unknown_tables
from overmind_core.domain.text.duration import SizeError, parse_size
from overmind_core.domain.text.problems import Problem, Problems, hinted

SPAWN_METHODS = ("auto", "posix_spawn", "ptyprocess")
READ_ELSEWHERE = ("tui",)
"""Tables whose mistakes never stop a daemon: who reads them judges them."""
_TOOLS = (
    permission.SHELL, *sorted(permission.EDITORS | permission.READERS | permission.DELEGATES | permission.UNRULED),
    "BashOutput", "KillShell", "NotebookRead", "Skill", "SlashCommand", "TodoWrite", "WebFetch", "WebSearch",
)  # fmt: skip
"""Tools whose names are known; there may be others, but hardly some that are called nearly the same."""


def read(text: str, *, providers: Collection[str]) -> dict[str, Any]:
    """Return the fields of `Settings` that the text sets.

    Args:
        text: The file's.
        providers: Names of the providers there are.

    Raises:
        Problems: it has mistakes; all of them.
    """
    values, places, doubled = document(text)
    notes = Findings(places, list(doubled), named=_dotted)
    for name, sentence in unknown_tables(values):
        notes.at_key((name,), sentence)
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in KEYS and name not in READ_ELSEWHERE:
            spot = FileValue(notes, (name,), value)
            found.update(_programs(spot, providers) if name == "providers" else _table(spot))
    if notes.problems:
        raise Problems(notes.problems)
    return found


def tui_problems(text: str) -> list[Problem]:
    """Return the unknown keys of `[tui]` in a text that is right otherwise."""
    values, places, _ = document(text)
    table = values.get("tui", {})
    if not isinstance(table, dict):
        return [Problem(*places.at_key(("tui",)), "tui: write a table")]
    return [Problem(*places.at_key(("tui", name)), sentence) for name, sentence in unknown_keys("tui", table)]


def _dotted(path: Path) -> str:
    return ".".join(part for part in path if isinstance(part, str))


def _table(spot: FileValue) -> dict[str, Any]:
    """A table whose keys have their row below; those of `[attach]` have none, for the daemon has no use for them."""
    table = spot.table()
    if table is None:
        return {}
    for name, sentence in unknown_keys(spot.path[0] if isinstance(spot.path[0], str) else "", table):
        spot.notes.at_key((*spot.path, name), sentence)
    found = {}
    for name, entry in table.items():
        row = _FIELDS.get((spot.key, name))
        if row is not None:
            field, read_value = row
            found[field] = read_value(entry)
    return found


def _programs(spot: FileValue, providers: Collection[str]) -> dict[str, Any]:
    """The program of each provider that has one of its own."""
    found: list[tuple[str, str]] = []
    for name, entry in (spot.table("write tables, such as [providers.claude]") or {}).items():
        if name not in providers:
            spot.notes.at_key(entry.path, hinted(f"providers: unknown provider {name!r}", name, providers))
        table = entry.table(f"write a table: [providers.{name}]")
        if table is None:
            continue
        entry.report_unknown(PROVIDER_KEYS)
        if "program" in table:
            program = table["program"]
            if isinstance(program.value, str) and program.value:
                found.append((name, program.value))
            else:
                program.wrong("write a path or a name")
    return {"programs": tuple(found)}


def _size(spot: FileValue) -> int | None:
    try:
        return parse_size(str(spot.value))
    except SizeError as error:
        spot.wrong(str(error))
        return None


def _count(spot: FileValue) -> int | None:
    if is_number(spot.value, int) and spot.value > 0:  # type: ignore[operator]
        return int(spot.value)  # type: ignore[call-overload, no-any-return]
    spot.wrong("write a whole number above 0")
    return None


def _names(spot: FileValue) -> tuple[str, ...] | None:
    entries = spot.entries()
    if entries is None or not all(isinstance(entry.value, str) for entry in entries):
        spot.wrong('write a list of strings, such as ["name"]')
        return None
    return tuple(str(entry.value) for entry in entries)


def _rules(spot: FileValue) -> tuple[str, ...] | None:
    found = _names(spot)
    for entry in () if found is None else spot.entries() or ():
        try:
            tool = permission.parse(str(entry.value)).tool
        except permission.InvalidRule as error:
            entry.wrong(str(error))
            continue
        near = "" if tool in _TOOLS or tool.startswith("mcp__") else hinted("", tool, _TOOLS)
        if near:
            entry.wrong(f"unknown tool {tool!r}{near}")
    return found


_FIELDS: Mapping[tuple[str, str], tuple[str, Read]] = {
    ("logs", "per_mission"): ("log_limit", _size),
    ("logs", "total"): ("log_total", _size),
    ("retention", "finished"): ("finished", _count),
    ("retention", "events"): ("events", _count),
    ("sweep", "leave"): ("leave", _names),
    ("keeper", "spawn"): ("spawn_method", choice(SPAWN_METHODS)),
    ("notify", "command"): ("notify", _names),
    ("permissions", "allow"): ("allow", _rules),
    ("permissions", "deny"): ("deny", _rules),
}
"""Table and key → field of `Settings`, and what may stand there."""
