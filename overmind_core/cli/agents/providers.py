"""Commands about the programs of agents: providers, provider add.

What they can do is what their rows say: see `Provider`. Only this command starts the programs, to read their versions.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from overmind_core.cli.command import JSON, Command, argument, option
from overmind_core.cli.context import Context, forbid_inside
from overmind_core.cli.output import dumps, table
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.domain.agents.terminal_words import ConversationWords
    from overmind_core.domain.settings import OwnAgent
    from overmind_core.kernel.config import Settings
    from overmind_core.providers.acp_registry import RegistryAgent
    from overmind_core.providers.base import Provider

    Row = Mapping[str, Any]
    Which = Callable[[str], str | None]

TITLES = ("PROVIDER", "VERSION", "TASK", "SESSION", "SCREEN", "STATE", "ASKS", "RESUME", "FORK", "COST")
NOTHING = "-"
_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+][\w.+-]*\w)?")
VERSION_SECONDS = 15.0
"""Seconds in which a program tells its version; several start at once."""
_RUNNERS = frozenset({"bash", "docker", "env", "node", "npx", "podman", "python", "python3", "sh", "uv", "uvx"})
"""Programs that run another one: their version says nothing of that."""
_LONGEST_VERSION = 30
"""Characters."""


def providers(args: Namespace, context: Context) -> int:
    """Print a row for each, and how to get what is missing."""
    import shutil

    from overmind_core.kernel.config import load
    from overmind_core.providers.registry import names

    settings = load(context.home.config, providers=names()).settings
    which = partial(shutil.which, path=context.environ.get("PATH"))
    known = list(_known(settings, context.environ))
    with ThreadPoolExecutor(max_workers=max(1, len(known))) as threads:
        versions = list(threads.map(lambda row: _version(row, which), known))
    rows = [{**row, **version} for row, version in zip(known, versions, strict=True)]
    if args.json:
        context.print(dumps(rows))
        return 0
    context.print(table(TITLES, [_cells(row) for row in rows]))
    for row in rows:
        if not row["installed"]:
            how = f"Get it with: {row['install']}" if row["install"] else "Its program is set in config.toml."
            context.note(f"{row['provider']} is not installed. {how}")
    context.hint("Any other program runs on its terminal: overmind run --type session -- PROGRAM")
    return 0


def _known(settings: Settings, environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """A row for each provider, and for each agent of the person's own."""
    from overmind_core.providers.base import chosen_program
    from overmind_core.providers.registry import get, names

    for name in names()[1:]:
        provider = get(name)
        program = chosen_program(provider, environ, dict(settings.programs))
        yield {**abilities(provider, (provider.program, settings)), "program": program, "install": provider.install}
    for own in settings.own:
        yield {**abilities(get(own.provider), (own.program, settings)), "program": own.program, "install": own.install}
    for one in settings.on_terminal:
        yield {**_on_terminal(one, settings), "program": one.program, "install": one.install}


def known_row(name: str, context: Context) -> dict[str, Any]:
    """Return a provider's row by its name, with the path of its program.

    Raises:
        OvermindError: there is none, or its program is missing.
    """
    import shutil

    from overmind_core.kernel.config import load
    from overmind_core.providers.registry import names, unknown

    settings = load(context.home.config, providers=names()).settings
    rows = {row["provider"]: row for row in _known(settings, context.environ)}
    row = rows.get(name) or next((one for key, one in rows.items() if key.partition(":")[2] == name), None)
    if row is None:
        raise OvermindError("unknown_provider", unknown(name, tuple(rows)))
    row = {**row, **_version(row, partial(shutil.which, path=context.environ.get("PATH")))}
    if not row["installed"]:
        how = f" Get it with: {row['install']}" if row["install"] else ""
        raise OvermindError("provider_missing", f"{row['program']} is not installed.{how}")
    return row


def abilities(provider: Provider, program: tuple[str, Settings]) -> dict[str, Any]:
    """Return what a provider can do, by its row; `program`: its name, and the settings with rules for its screen."""
    from overmind_core.domain.agents.agent import AgentMode
    from overmind_core.providers.base import TOLD

    has = {mode: mode in provider.modes for mode in AgentMode}
    words = _words(*program)
    whole = ("at" if provider.forks_at else "whole") if provider.forks else None
    return {
        "provider": provider.name,
        "task": provider.transport if has[AgentMode.ONE_SHOT] else None,
        "session": provider.transport if has[AgentMode.HEADLESS] else None,
        "screen": "yes" if has[AgentMode.INTERACTIVE] else "raw",
        "state": _told_by(provider, program),
        "asks": provider.asks,
        "resume": has[AgentMode.HEADLESS] or ("screen" if words.start else False),
        "fork": whole or ("screen" if words.fork else None),
        "cost": "dollars" if provider.tells_cost else "tokens" if provider.tokens in TOLD else None,
        "tested": provider.tested or None,
    }


def _told_by(provider: Provider, program: tuple[str, Settings]) -> str | None:
    """Return the source of the state of its full-screen program."""
    from overmind_core.domain.agents.agent import AgentMode

    if provider.serves:
        return "stream"
    if provider.reports:
        return "status"
    found = _read_from(*program)
    return "hook" if found == "screen" and AgentMode.INTERACTIVE in provider.modes else found


def _on_terminal(own: OwnAgent, settings: Settings) -> dict[str, Any]:
    """The row of a program of which nothing is known but the rules for its screen."""
    absent = dict.fromkeys(("task", "session", "cost", "tested"))
    words = _words(own.program, settings)
    return {
        "provider": own.provider.partition(":")[2],
        **absent,
        "asks": False,
        "resume": "screen" if words.start or words.resume else False,
        "fork": "screen" if words.fork else None,
        "screen": "raw",
        "state": _read_from(own.program, settings),
    }


def _read_from(program: str, settings: Settings) -> str | None:
    """Return the source of a program's state on its terminal: title, or screen as a guess; None: there is none."""
    from overmind_core.providers.terminal_rows import rules_for

    sources = {rule.source.value for rule in rules_for(program, settings.terminal_rules)}
    return next((one for one in ("title", "screen") if one in sources), None)


def _words(program: str, settings: Settings) -> ConversationWords:
    from overmind_core.providers.terminal_rows import words_for

    return words_for(program.rpartition("/")[2], settings.terminals)


def _version(row: Row, which: Which) -> dict[str, Any]:
    """The version that a program tells of itself, within a time limit."""
    from overmind_core.cli.external import run_program

    path = which(row["program"])
    if path is None or os.path.basename(path) in _RUNNERS:
        return {"installed": path is not None, "version": None, "path": path}
    answer = run_program(path, "--version", timeout=VERSION_SECONDS)
    found = _VERSION.search(answer.output) if answer.exit_code == 0 else None
    return {"installed": True, "version": found[0][:_LONGEST_VERSION] if found else None, "path": path}


def _cells(row: Row) -> Sequence[str]:
    version = (row["version"] or "?") if row["installed"] else NOTHING
    return (row["provider"], version, *abilities_cells(row))


def abilities_cells(row: Row) -> Sequence[str]:
    """Return the cells behind PROVIDER and VERSION."""
    return [_cell(row[title.lower()]) for title in TITLES[2:]]


def _cell(value: object) -> str:
    return "yes" if value is True else str(value or NOTHING)


PROVIDERS = Command(
    name="providers",
    options=[JSON],
    examples=["overmind providers", "overmind providers --json | jq -r '.[] | select(.installed) | .provider'"],
    notes=(
        "TASK and SESSION: how Overmind speaks with it. SCREEN: yes, with --interactive; raw, as any program: overmind "
        "run --type session -- PROGRAM. STATE: the source of its state there; screen is a guess. ASKS: its questions "
        "stand in the inbox. RESUME: a session goes on with its conversation in its next process. FORK: whole, or at "
        "a message of it. In both columns, screen: on its own screen alone. COST: the figures that it tells. The "
        "versions are those that the programs tell of themselves; ? is one that tells none within 15 seconds."
    ),
    run=providers,
)


MOST_OF_REGISTRY = 16 * 1024 * 1024
"""Bytes of a registry's file."""


def provider_add(args: Namespace, context: Context) -> int:
    """Write its table, and say what is to be done next."""
    from overmind_core.cli import config_table
    from overmind_core.domain.agents.agent import ACP, own_provider
    from overmind_core.domain.text.cells import display_safe

    if args.source is None:
        raise UsageError("Missing --from FILE: a copy of the registry's file, registry.json")
    forbid_inside(context, "add an agent to config.toml")
    name = args.name or args.id
    _check_name(name, context)
    agent = _registry_agent(args.source, args.id)
    provider = own_provider(ACP, name)
    entry = {"program": agent.program, "protocol": ACP, "args": list(agent.arguments), "install": agent.install}
    comment = f"{agent.name or args.id} {agent.version}, from a registry's file: nobody has tried it with Overmind"
    config_table.write_table(context.home, "providers", name, entry, display_safe(" ".join(comment.split())))
    if args.json:
        context.print(dumps({"provider": provider, "version": agent.version, **entry}))
        return 0
    context.print(f"Added {provider} to {context.home.config}: {args.id} {agent.version}, untested")
    context.print(f"Install it:    {agent.install}")
    context.print("Then:          overmind start --replace")
    context.print(f"Try it:        overmind run --provider {provider} --wait 'say hello'")
    return 0


def _check_name(name: str, context: Context) -> None:
    """Refuse a name that can't be used, or that another agent has; a file with mistakes is not written to."""
    from overmind_core.domain.agents.agent import LONGEST_OWN_NAME, is_own_name
    from overmind_core.kernel.config import load
    from overmind_core.providers.registry import names

    if name in names():
        raise OvermindError(
            "invalid", f"{name} is known already: overmind run --provider {name}. See: overmind providers"
        )
    if not is_own_name(name):
        letters = f"up to {LONGEST_OWN_NAME} small letters and digits, - and _ behind the first"
        raise OvermindError("invalid", f"{name!r} can't be the name of an agent: write --name with {letters}.")
    settings = load(context.home.config, providers=names()).settings
    if any(one.provider.partition(":")[2] == name for one in (*settings.own, *settings.on_terminal)):
        where = f"[providers.{name}] in {context.home.config}"
        raise OvermindError("name_taken", f"There is an agent {name} already. Remove {where}, or write another --name.")


def _registry_agent(path: str, name: str) -> RegistryAgent:
    import json

    from overmind_core.domain.text.bytestrings import to_wire
    from overmind_core.providers.acp_registry import Unusable, agent_of
    from overmind_core.system.small_file import read_small_file

    try:
        data = read_small_file(path, MOST_OF_REGISTRY)
    except OSError as error:
        raise OvermindError("invalid", f"{to_wire(path)} can't be read: {error.strerror}.") from None
    if data is None:
        raise OvermindError("not_found", f"{to_wire(os.path.abspath(path))} does not exist.")
    try:
        return agent_of(json.loads(data), name)
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, Unusable) else "it is not JSON"
        raise OvermindError("invalid", f"{to_wire(path)}: {why}.") from None


PROVIDER_ADD = Command(
    name="provider add",
    arguments=[argument("id", "id of the agent in that file", metavar="ID")],
    options=[
        option("--from", "FILE", "a copy of the registry's file, registry.json", attribute="source"),
        option("--name", "NAME", "call it so, instead of by its id", short="-n"),
        JSON,
    ],
    examples=["overmind provider add goose --from registry.json"],
    notes=(
        "The file is that of the Agent Client Protocol's registry. An agent that npx or uvx runs becomes a table of "
        "config.toml, with its version. Nothing is downloaded and nothing is started. Its program decides whether it "
        "asks before it acts."
    ),
    run=provider_add,
)

COMMANDS = (PROVIDERS, PROVIDER_ADD)
