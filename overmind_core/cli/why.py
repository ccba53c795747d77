"""why: of a post of the swarm, or of what this machine has: a quest, a spec, a plan or another mission."""

from __future__ import annotations

import time

from overmind_core.cli.command import JSON, Command, argument
from overmind_core.cli.output import dumps
from overmind_core.cli.swarm.commands import NO_POST, print_why_of_post
from overmind_core.domain.missions.lost import KEEPER_LOST, plan_again
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from overmind_core.cli.context import Context

    Row = Mapping[str, Any]


def why(args: Namespace, context: Context) -> int:
    """Print why a post waits, and a line for each hive; of what is no post of a swarm, why that waits here."""
    try:
        print_why_of_post(args, context)
    except OvermindError as error:
        if error.code not in NO_POST or context.hive is not None:
            raise
        return _why_here(args, context)
    return 0


def _why_here(args: Namespace, context: Context) -> int:
    """Print why what is named waits.

    Raises:
        OvermindError: `not_found`, nothing is named so; what the daemon says.
    """
    from overmind_core.cli.quests.queue import quest_why_here
    from overmind_core.cli.specs.commands import spec_show

    kinds: tuple[Callable[[Namespace, Context], int], ...] = (quest_why_here, spec_show, _mission_why)
    for print_one in kinds:
        try:
            return print_one(args, context)
        except OvermindError as error:
            if error.code != "not_found":
                raise
    raise OvermindError(
        "not_found",
        f"No quest, spec, plan or mission is named {args.id!r}. "
        "See: overmind quest list, overmind spec list, overmind ps",
    )


def _mission_why(args: Namespace, context: Context) -> int:
    """Print what a plan waits for, and how another mission stands."""
    client = context.client()
    mission = client.call("info", {"id": args.id})
    is_plan = mission["type"] == "blueprint"
    answer = client.call("plan", {"id": mission["id"]}) if is_plan else mission
    if args.json:
        context.print(dumps(answer))
        return 0
    context.print(display_safe(f"{answer['name']} ({answer['id']}): {_state(answer)}"))
    for line in _plan_lines(answer) if is_plan else ():
        context.print(display_safe(f"  {line}"))
    if answer["outcome"] is None:
        from overmind_core.cli.waiting import WaitTeller  # start-up: only for what goes on

        teller = WaitTeller(context, lambda: (mission["id"],), of_quests=False, keep_waiting=True)
        for line in teller.of_mission(client, mission["id"]):
            context.print(display_safe(f"  {line}"))
    if is_plan and answer["outcome"] not in {None, "succeeded"}:
        context.print(display_safe(f"See: overmind logs {answer['name']}"))
    return 0


def _state(row: Row) -> str:
    from overmind_core.domain.missions.reasons import ended_words, limit_of

    return ended_words(row["outcome"] or row["status"], row["exit_code"], row["reason"], limit_of(row))


def _plan_lines(plan: Row) -> Iterator[str]:
    """A line for each agent that has not done what it is for."""
    from overmind_core.view import plans as rows

    for agent in plan["agents"]:
        if agent["stage"] != "succeeded":
            why = rows.why(agent, time.time())
            yield f"{agent['name']}: {rows.word(agent)}{f', {why}' if why else ''}"
    if plan["outcome"] == "failed" and any(agent["reason"] == KEEPER_LOST for agent in plan["agents"]):
        yield f"go on with: {plan_again(plan['name'], plan['file'])}"


COMMANDS = (
    Command(
        name="why",
        arguments=[argument("id", "id or name of a post of the swarm, a quest, a spec, a plan or a mission")],
        options=[JSON],
        examples=["overmind why docs", "overmind why release"],
        notes="A word that names no post of the swarm is looked for among the quests, specs and plans of this machine.",
        run=why,
    ),
)
