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
    from overmind_core.client.client import Client

    Row = Mapping[str, Any]


_NO_PLAN = frozenset({"not_found", "invalid", "ambiguous"})


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

    kinds: tuple[Callable[[Namespace, Context], int], ...] = (quest_why_here, spec_show, _mission_why, _gate_why)
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


def _gate_why(args: Namespace, context: Context) -> int:
    """Print what is asked at the gate of a document that no quest has made.

    Raises:
        OvermindError: `not_found`, no gate is named so.
    """
    from overmind_core.domain.engine_questions import FOR_YOU, is_gate, with_answer

    questions = context.client().call("inbox") if "/" in args.id else ()
    asked = next((one for one in questions if is_gate(one, args.id)), None)
    if asked is None:
        raise OvermindError("not_found", f"No gate is named {args.id!r}.")
    if args.json:
        context.print(dumps(asked))
        return 0
    context.print(display_safe(f"{args.id}: {asked['summary']}"))
    context.print(display_safe(f"  {FOR_YOU}: {with_answer(asked)}"))
    return 0


def _mission_why(args: Namespace, context: Context) -> int:
    """Print what a plan or an agent of one waits for, and how another mission stands."""
    client = context.client()
    found = _agent_of_plan(client, args.id)
    if found is not None:
        _print_agent(*found, args, context)
        return 0
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


def _agent_of_plan(client: Client, text: str) -> tuple[Row, Row] | None:
    """Return the plan and its agent that `PLAN/AGENT` means: the agent has no mission before it has begun."""
    name, _, agent_name = text.rpartition("/")
    if not name:
        return None
    try:
        plan = client.call("plan", {"id": name})
    except OvermindError as error:
        if error.code not in _NO_PLAN:
            raise
        return None
    agent = next((one for one in plan["agents"] if one["name"] == agent_name), None)
    return None if agent is None else (plan, agent)


def _print_agent(plan: Row, agent: Row, args: Namespace, context: Context) -> None:
    if args.json:
        context.print(dumps(agent))
        return
    name = f"{plan['name']}/{agent['name']}"
    mission = f" ({agent['mission']})" if agent["mission"] else ""
    context.print(display_safe(f"{name}{mission}: {_agent_state(agent)}"))
    if agent["mission"] and agent["outcome"] not in {None, "succeeded"}:
        context.print(display_safe(f"See: overmind logs {name}"))


def _state(row: Row) -> str:
    from overmind_core.domain.missions.reasons import ended_words, killed_after, limit_of

    if row["status"] == "restarting":
        return _starts_again(row)
    ended = ended_words(row["outcome"] or row["status"], row["exit_code"], row["reason"], limit_of(row))
    late = killed_after(row)
    return f"{ended}{', ' if ': ' in ended else ': '}{late}" if late else ended


def _starts_again(row: Row) -> str:
    from overmind_core.cli.waiting import ends_and_starts_again

    return ends_and_starts_again(row)


def _agent_state(agent: Row) -> str:
    """How an agent of a plan stands, and why."""
    from overmind_core.view import plans as rows

    if rows.restarts(dict(agent)):
        return _starts_again(agent)
    word = "runs, not ready" if agent["stage"] == "running" and agent["ready"] is False else rows.word(dict(agent))
    why = rows.why(dict(agent), time.time())
    return f"{word}{f', {why}' if why else ''}"


def _plan_lines(plan: Row) -> Iterator[str]:
    """A line for each agent that has not done what it is for, and what helps a plan that can't end by itself."""
    from overmind_core.cli.waiting import plan_waits

    for agent in plan["agents"]:
        if agent["stage"] != "succeeded":
            yield f"{agent['name']}: {_agent_state(agent)}"
    if plan["outcome"] is None:
        yield from plan_waits(plan)
    if plan["outcome"] == "failed" and any(agent["reason"] == KEEPER_LOST for agent in plan["agents"]):
        yield f"go on with: {plan_again(plan['name'], plan['file'])}"


COMMANDS = (
    Command(
        name="why",
        arguments=[
            argument("id", "id or name of a post of the swarm, a quest, a spec, a plan or a mission, or PLAN/AGENT")
        ],
        options=[JSON],
        examples=["overmind why docs", "overmind why release"],
        notes="A word that names no post of the swarm is looked for among the quests, specs and plans of this machine.",
        run=why,
    ),
)
