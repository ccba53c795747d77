"""`overmind agents`: what is in a blueprint, in the order in which it can run; it starts nothing."""

from __future__ import annotations

import os
import sys

from overmind_core.cli.blueprint.options import FILE, VAR
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.domain.plan.blueprint import Agent

COLUMNS = 100
"""Of a drawing that goes to no terminal."""


def agents(args: Namespace, context: Context) -> int:
    """Validate the file, and list its agents, each behind what it depends on."""
    from overmind_core.cli.blueprint.load import load  # start-up: --help needs none
    from overmind_core.domain.plan.graph import order

    blueprint = load(args.file, args.var, context)
    edges = {agent.name: [one.agent for one in agent.depends_on] for agent in blueprint.agents}
    by_name = blueprint.by_name
    found = [by_name[name] for name in order(edges)]
    if args.json:
        context.say(dumps([_facts(agent) for agent in found]))
    elif args.graph:
        context.say(_graph(edges))
    else:
        context.say("\n".join(map(_line, found)))
    return 0


def _line(agent: Agent) -> str:
    names = ", ".join(one.agent for one in agent.depends_on)
    return f"{agent.name} (depends on: {names})" if names else agent.name


def _graph(edges: Mapping[str, Sequence[str]]) -> str:
    from overmind_core.domain.plan.drawing import draw

    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    return "\n".join(row.text for row in draw(edges, columns=_columns(), ascii_only=plain))


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return COLUMNS


def _facts(agent: Agent) -> dict[str, Any]:
    start = agent.start
    return {
        "name": agent.name,
        "depends_on": [{"agent": one.agent, "until": one.until.value} for one in agent.depends_on],
        "command": _command(agent),
        "cwd": start["cwd"],
        "type": start.get("type", "task"),
        "provider": start.get("provider", "raw"),
        "isolate": agent.isolated,
        "merge": agent.merge and {
            "agents": list(agent.merge.agents),
            "into": agent.merge.into,
            "verify": agent.merge.verify,
            "squash": agent.merge.squash,
            "rebase": agent.merge.rebase,
        },
        "outputs": list(agent.outputs),
        "ready": agent.ready and {
            "kind": agent.ready.kind.value,
            "target": agent.ready.target,
            "timeout_seconds": agent.ready.timeout,
        },
        "when": agent.when.value,
        "retries": agent.retries,
    }  # fmt: skip


def _command(agent: Agent) -> Any:  # noqa: ANN401 - a text, or words
    if agent.merge is not None:
        return ["merge", *agent.merge.agents]
    return agent.start.get("agent", {}).get("prompt", agent.start["command"])


COMMAND = Command(
    name="agents",
    summary="check a blueprint and list its agents in the order in which they can run",
    arguments=[FILE],
    options=[flag("--graph", "draw who depends on whom"), VAR, JSON],
    examples=[
        "overmind agents blueprint.toml",
        "overmind agents --graph release.toml",
        "overmind agents --var base=develop release.toml",
    ],
    notes=(
        "Nothing is started, and no daemon is needed. What is wrong with the file is told all at once, a line each:\n"
        "file:line:column: message"
    ),
    run=agents,
)
