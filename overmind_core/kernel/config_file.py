"""config.toml, read with the place of each mistake: an unknown table or key is one, with the nearest that is known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from overmind_core.documents.reading import (
    FileValue,
    Findings,
    Path,
    Read,
    choice,
    flag,
    is_number,
    seconds,
    text,
    whole,
)
from overmind_core.documents.toml import document
from overmind_core.domain.agents import permission
from overmind_core.domain.agents.prices import ANY, Price, Prices
from overmind_core.domain.configuration import (
    ACCEPT_KEYS,
    KEYS,
    PRICE_KEYS,
    unknown_keys,
    unknown_tables,
)
from overmind_core.domain.settings import (
    FROM_AGENTS,
    INJECTIONS,
    STEER_MODES,
    CortexSettings,
    GuardianSettings,
    HealthSettings,
    MemorySettings,
    QueueSettings,
    ReportSettings,
    SwarmSettings,
    WebSettings,
)
from overmind_core.domain.text.duration import SizeError, parse_size
from overmind_core.domain.text.problems import Problem, Problems, hinted
from overmind_core.domain.web_access import LONGEST, SHORTEST
from overmind_core.domain.web_address import HOST_RULE, PUBLIC_URL_RULE, is_host, is_loopback, is_port, is_public_url
from overmind_core.kernel.provider_tables import read_providers

SPAWN_METHODS = ("auto", "posix_spawn", "ptyprocess")
READ_ELSEWHERE = ("tui", "hives", "contexts", "pools")
"""Tables whose mistakes never stop a daemon: who reads them judges them."""
MOST_DOLLARS = 10**9
"""More is a slip of the finger."""
MOST_PRICE = 10**6
"""The same of a million tokens: a dollar for each."""
LONGEST_MODEL, MOST_MODELS = 200, 1000
"""Characters of a model's name, and models that have a price."""
LEAST_LOGS = 64_000
"""Bytes: less would keep next to nothing, and 0 removes all logs."""
LEAST_TOKENS, MOST_TOKENS = 200, 8000
"""Of what an agent is given: less holds no note, more is what people complain about."""
Record = (
    QueueSettings
    | HealthSettings
    | GuardianSettings
    | ReportSettings
    | MemorySettings
    | CortexSettings
    | SwarmSettings
    | WebSettings
)


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
    if "providers" in values:
        found.update(read_providers(FileValue(notes, ("providers",), values["providers"]), providers))
    known = [*providers, *(one.provider for one in found.get("own", ()))]
    for name, value in values.items():
        if name in KEYS and name not in READ_ELSEWHERE and name != "providers":
            spot = FileValue(notes, (name,), value)
            if name in _RECORDS:
                found[name] = _record(spot, name, known)
            elif name == "prices":
                found[name] = _prices(spot)
            else:
                found.update(_table(spot))
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
    found = {}
    for name, entry in _known(spot).items():
        row = _FIELDS.get((spot.key, name))
        if row is not None:
            field, read_value = row
            found[field] = read_value(entry)
    return found


def _record(spot: FileValue, name: str, providers: Collection[str]) -> Record | None:
    """A table that is a record of its own in `Settings`, with a field for each key."""
    kind, readers = _RECORDS[name]
    table, before = _known(spot), len(spot.notes.problems)
    found = {key: readers[key](entry, providers) for key, entry in table.items()}
    if len(spot.notes.problems) > before:
        return None
    record = kind(**found)
    if isinstance(record, HealthSettings) and record.quiet >= record.stalled:
        place = table["quiet"] if "quiet" in table else table["stalled"]
        place.wrong(f"quiet ({record.quiet}) must come before stalled ({record.stalled})")
    if isinstance(record, WebSettings):
        _judge_web(record, table)
    return record


def _judge_web(record: WebSettings, table: Mapping[str, FileValue]) -> None:
    """What its keys can't say alone: TLS takes two files, and who listens for others needs it."""
    if bool(record.cert) is not bool(record.key):
        given, missing = ("cert", "key") if record.cert else ("key", "cert")
        table[given].wrong(f"{given} needs {missing}")
    elif not is_loopback(record.host) and not record.cert:
        table["host"].wrong(f"{record.host} is reached by other machines: it needs cert and key")


def _prices(spot: FileValue) -> Prices:
    """The prices of models; a key that stands where a model should is pointed out by its table."""
    tables = spot.table('write a table for each model, such as [prices."gpt-5-codex"]') or {}
    if len(tables) > MOST_MODELS:
        spot.wrong_key(f"write at most {MOST_MODELS} models")
        return Prices()
    found: dict[str, Price] = {}
    for model, entry in tables.items():
        if not 0 < len(model) <= LONGEST_MODEL or ANY in model[:-1]:
            how = f'1 to {LONGEST_MODEL} characters; a {ANY} stands at its end alone, as in "gpt-5{ANY}"'
            entry.wrong_key(f"write the name of a model, {how}")
            continue
        price = _price(entry)
        if price is not None:
            found[model] = price
    return Prices(MappingProxyType(found))


def _price(spot: FileValue) -> Price | None:
    """The price of one model; None where a part of it is wrong."""
    table = spot.table('write a table with input and output, such as [prices."gpt-5-codex"]')
    if table is None:
        return None
    before = len(spot.notes.problems)
    for name in [name for name in table if name not in PRICE_KEYS]:
        spot.notes.at_key(table[name].path, f"{spot.key}: {hinted(f'unknown key {name!r}', name, PRICE_KEYS)}")
    missing = [name for name in ("input", "output") if name not in table]
    if missing:
        spot.wrong_key(f"missing {' and '.join(missing)}: write US dollars for a million tokens, such as 1.25")
    values = {name: _tokens_price(table[name]) for name in PRICE_KEYS if name in table}
    return Price(**values) if len(spot.notes.problems) == before else None


def _tokens_price(spot: FileValue) -> float:
    if is_number(spot.value, int, float) and 0 <= spot.value <= MOST_PRICE:
        return float(spot.value)
    spot.wrong("write US dollars for a million tokens, such as 1.25")
    return 0.0


def _known(spot: FileValue) -> dict[str, FileValue]:
    """What stands in the table under keys that it may have; the others are reported."""
    table, owner = spot.table() or {}, str(spot.path[0])
    for name, sentence in unknown_keys(owner, table):
        spot.notes.at_key((*spot.path, name), sentence)
    return {name: entry for name, entry in table.items() if name in KEYS[owner]}


def _log_size(spot: FileValue) -> int | None:
    try:
        found = parse_size(str(spot.value))
    except SizeError as error:
        spot.wrong(str(error))
        return None
    if found >= LEAST_LOGS:
        return found
    spot.wrong(f"write at least {LEAST_LOGS // 1000}KB")
    return None


def _count(spot: FileValue) -> int | None:
    if is_number(spot.value, int) and spot.value > 0:
        return spot.value
    spot.wrong("write a whole number above 0")
    return None


def _dollars(spot: FileValue) -> float | None:
    if is_number(spot.value, int, float) and 0 <= spot.value <= MOST_DOLLARS:
        return float(spot.value)
    spot.wrong("write an amount of US dollars, such as 2.50; 0 = no limit")
    return None


def _pause(spot: FileValue) -> float | None:
    """A duration in seconds above 0."""
    found = seconds(spot)
    if found == 0:
        spot.wrong('write a duration above 0, such as "30s"')
    return found


def _provider(spot: FileValue, providers: Collection[str]) -> str | None:
    """The name of a provider; "" for none."""
    name = text(spot)
    if name and name not in providers:
        spot.wrong(hinted(f"unknown provider {name!r}", name, providers))
    return name


def _agent(spot: FileValue, providers: Collection[str]) -> str | tuple[str, ...] | None:
    """The name of a provider, or a command."""
    if isinstance(spot.value, str):
        return _provider(spot, providers)
    command = [entry.value for entry in spot.entries() or ()]
    if command and command[0] and all(isinstance(word, str) and "\0" not in word for word in command):
        return tuple(map(str, command))
    spot.wrong('write a provider, such as "claude", or a command, such as ["my-agent", "--flag"]')
    return None


def _at_once(spot: FileValue, providers: Collection[str]) -> Mapping[str, int] | None:
    """Provider → how many run at once."""
    found: dict[str, int] = {}
    for name, entry in (spot.table("write a table, such as { claude = 2 }") or {}).items():
        if name not in providers:
            spot.notes.at_key(entry.path, f"{spot.key}: {hinted(f'unknown provider {name!r}', name, providers)}")
        count = _count(entry)
        if count is not None:
            found[name] = count
    return MappingProxyType(found)


def _tokens(spot: FileValue) -> int | None:
    if is_number(spot.value, int) and LEAST_TOKENS <= spot.value <= MOST_TOKENS:
        return spot.value
    spot.wrong(f"write a whole number from {LEAST_TOKENS} to {MOST_TOKENS}")
    return None


def _model(spot: FileValue) -> str | None:
    """An absolute path, or "" for none."""
    name = text(spot)
    if name and not name.startswith(("/", "~/")):
        spot.wrong("write the absolute path of a folder")
        return None
    return name


def _port(spot: FileValue) -> int | None:
    if is_number(spot.value, int) and is_port(spot.value):
        return spot.value
    spot.wrong("write a port, 1 to 65535")
    return None


def _host(spot: FileValue) -> str | None:
    """A host's name or address."""
    if isinstance(spot.value, str) and is_host(spot.value):
        return spot.value
    spot.wrong(HOST_RULE)
    return None


def _path_of_file(spot: FileValue) -> str | None:
    """An absolute path, or "" for none."""
    name = text(spot)
    if name and (not name.startswith("/") or "\0" in name):
        spot.wrong("write the absolute path of a file")
        return None
    return name


def _public_url(spot: FileValue) -> str | None:
    """The address at which a proxy serves, without a slash at its end; "" for none."""
    written = text(spot)
    if written and not is_public_url(written):
        spot.wrong(PUBLIC_URL_RULE)
        return None
    return written and written.rstrip("/")


def _session(spot: FileValue) -> float | None:
    found = seconds(spot)
    if found is not None and not SHORTEST <= found <= LONGEST:
        spot.wrong('write a duration from "1m" to "3650d"')
        return None
    return found


def _same_notes(spot: FileValue) -> Mapping[str, str] | None:
    """Repository → the one whose notes it has."""
    found: dict[str, str] = {}
    for name, entry in (
        spot.table('write a table, such as { "github.com/me/fork" = "github.com/team/shop" }') or {}
    ).items():
        other = text(entry)
        if other:
            found[name] = other
        elif other is not None:
            entry.wrong('write a repository, such as "github.com/team/shop"')
    return MappingProxyType(found)


def _accepted(spot: FileValue, providers: Collection[str]) -> Mapping[str, Any] | None:
    """What of a swarm is let in."""
    table = spot.table('write a table, such as { from = ["alice"], commands = false }')
    if table is None:
        return None
    for name in set(table) - set(ACCEPT_KEYS):
        table[name].wrong(hinted("unknown key", name, ACCEPT_KEYS))
    found: dict[str, Any] = {}
    for name, entry in table.items():
        if name == "commands":
            found[name] = flag(entry)
        elif name in ACCEPT_KEYS:
            found[name] = _names(entry)
    for name in found.get("providers") or ():
        if name not in providers:
            table["providers"].wrong(hinted(f"unknown provider {name!r}", name, providers))
    return MappingProxyType(found)


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
            permission.check(str(entry.value))
        except permission.InvalidRule as error:
            entry.wrong(str(error))
    return found


_FIELDS: Mapping[tuple[str, str], tuple[str, Read]] = {
    ("logs", "per_mission"): ("log_limit", _log_size),
    ("logs", "total"): ("log_total", _log_size),
    ("retention", "finished"): ("finished", _count),
    ("retention", "events"): ("events", _count),
    ("sweep", "leave"): ("leave", _names),
    ("keeper", "spawn"): ("spawn_method", choice(SPAWN_METHODS)),
    ("notify", "command"): ("notify", _names),
    ("permissions", "allow"): ("allow", _rules),
    ("permissions", "deny"): ("deny", _rules),
}
"""Table and key → field of `Settings`, and what may stand there."""

_Reader = Callable[[FileValue, Collection[str]], Any]
"""As `Read`, given the names of the providers as well."""


def _alone(read_value: Read) -> _Reader:
    """One that needs to know no providers."""
    return lambda spot, _: read_value(spot)


_RECORDS: Mapping[str, tuple[Callable[..., Record], Mapping[str, _Reader]]] = {
    "queue": (
        QueueSettings,
        {
            "slots": _alone(_count),
            "agent": _agent,
            "providers": _at_once,
            "max_cost_per_day": _alone(_dollars),
            "activity_timeout": _alone(seconds),
            "backoff": _alone(seconds),
        },
    ),
    "health": (
        HealthSettings,
        {"beat": _alone(_pause), "quiet": _alone(_count), "stalled": _alone(_count), "hung": _alone(_count)},
    ),
    "guardian": (
        GuardianSettings,
        {
            "steer": _alone(choice(STEER_MODES)),
            "every": _alone(_pause),
            "pause": _alone(seconds),
            "most": _alone(whole),
            "review": _provider,
        },
    ),
    "memory": (
        MemorySettings,
        {
            "inject": _alone(choice(INJECTIONS)),
            "agents": _alone(choice(FROM_AGENTS)),
            "ask": _alone(flag),
            "tokens": _alone(_tokens),
            "keep": _alone(_pause),
            "model": _alone(_model),
            "repositories": _alone(_same_notes),
        },
    ),
    "cortex": (CortexSettings, {"incoming": _alone(choice(FROM_AGENTS)), "every": _alone(_pause)}),
    "swarm": (SwarmSettings, {"accept": _accepted}),
    "web": (
        WebSettings,
        {
            "port": _alone(_port),
            "host": _alone(_host),
            "cert": _alone(_path_of_file),
            "key": _alone(_path_of_file),
            "public_url": _alone(_public_url),
            "session": _alone(_session),
        },
    ),
    "reports": (ReportSettings, {"depth": _alone(whole), "per_source": _alone(whole), "per_spec": _alone(whole)}),
}
"""Table → the record that is its field of `Settings`, and what may stand behind each key."""
