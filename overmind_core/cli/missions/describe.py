"""`overmind describe`: everything known of a mission, or of a plan with its agents, as a person reads it."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, one_id
from overmind_core.cli.context import Context
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from overmind_core.client.client import Client


def describe(args: Namespace, context: Context) -> int:
    """Print it in sections; as JSON it is what `info` prints."""
    client = context.client()
    facts = client.call("info", {"id": args.id})
    if args.json:
        context.print_facts(facts, args)
        return 0
    import time

    from overmind_core.view.describe import Rendering, lines, plan_lines  # start-up: --help needs none

    look = Rendering(time.time())
    if facts["type"] == "blueprint":
        found = plan_lines(facts, client.call("plan", {"id": facts["id"]}), look)
    else:
        found = lines(facts, _definition(client, facts["id"]), look)
    context.print("\n".join("".join(cell.text for cell in line).rstrip() for line in found))
    return 0


def _definition(client: Client, mission: str) -> dict[str, Any] | None:
    """Return what its agent was started with; None where the caller may not know that."""
    try:
        answer: dict[str, Any] = client.call("definition", {"id": mission})
    except OvermindError as error:
        if error.code != "forbidden":
            raise
        return None
    return answer.get("definition")


COMMANDS = (
    Command(
        name="describe",
        arguments=[one_id()],
        options=[JSON],
        examples=[
            "overmind describe api",
            "overmind describe release",
            "overmind describe eu1/api",
            "overmind describe api --json | jq .runs",
        ],
        notes="`overmind info` prints the same as one object of JSON. A plan has a line for each agent.",
        run=describe,
    ),
)
