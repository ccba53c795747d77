"""Contexts of config.toml: `context list` and `context show`."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, argument
from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, dumps, table
from overmind_core.client.config_tables import named_tables
from overmind_core.domain.swarm.contexts import ANY, RunContext, context_of
from overmind_core.domain.text.cells import did_you_mean, display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

TITLES = ("NAME", "ON", "SECRETS", "ENV")


def read_contexts(path: str) -> dict[str, RunContext]:
    """Return the contexts of a config.toml by their names, in its order.

    Raises:
        OvermindError: `invalid_config`, naming the key.
    """
    tables = named_tables(path, "contexts", '[contexts.web] with env = { STAGE = "test" }')
    try:
        return {name: context_of(name, entry) for name, entry in tables.items()}
    except ValueError as error:
        message = str(error)
        raise OvermindError("invalid_config", f"{path}: {message}{'' if message.endswith('?') else '.'}") from None


def named_context(name: str, context: Context) -> RunContext:
    """Return the context of that name.

    Raises:
        OvermindError: `not_found`; `invalid_config`.
    """
    known = read_contexts(context.home.config)
    if name not in known:
        hint = did_you_mean(name, known) or " See them with: overmind context list"
        raise OvermindError("not_found", f"There is no context {name!r} in config.toml.{hint}")
    return known[name]


def list_(args: Namespace, context: Context) -> int:
    """Print what there is."""
    rows = [_row(one) for one in read_contexts(context.home.config).values()]
    if args.json:
        context.print(dumps(rows))
    elif rows:
        context.print(table(TITLES, [_cells(row) for row in rows]))
    else:
        context.hint("There are no contexts. Add a table such as [contexts.web] to config.toml, with env, secrets, on.")
    return 0


def show(args: Namespace, context: Context) -> int:
    """Print one as an object."""
    context.print(display_safe(dumps(_row(named_context(args.name, context)))))
    return 0


def _row(one: RunContext) -> dict[str, Any]:
    return {
        "name": one.name,
        "on": None if one.on is None else dict(one.on),
        "secrets": list(one.secrets),
        "env": dict(one.env),
    }


def _cells(row: Mapping[str, Any]) -> list[str]:
    on = row["on"]
    where = ABSENT if on is None else ",".join(f"{name}={value}" for name, value in on.items()) or ANY
    return [row["name"], where, ",".join(row["secrets"]) or ABSENT, ",".join(row["env"]) or ABSENT]


COMMANDS = (
    Command(
        name="context list",
        options=[JSON],
        examples=["overmind context list"],
        notes="Contexts are tables of config.toml in the home, such as [contexts.web], with env, secrets and on.",
        run=list_,
    ),
    Command(
        name="context show",
        arguments=[argument("name", "name of the context", metavar="NAME")],
        options=[JSON],
        examples=["overmind context show web", "overmind run --context web 'npm test'"],
        run=show,
    ),
)
