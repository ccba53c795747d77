"""why: of a post of the swarm, or of what this machine has: a quest, a spec, a plan or another mission."""

from __future__ import annotations

import time
from functools import partial
from typing import NamedTuple

from overmind_core.cli.command import JSON, Command, argument
from overmind_core.cli.output import dumps
from overmind_core.cli.swarm.commands import NO_POST, print_why_of_post
from overmind_core.domain.missions.lost import KEEPER_LOST, mission_again, plan_again
from overmind_core.domain.missions.reasons import run_word
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Container, Iterator, Mapping
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
    if found := _quests_and_specs(args, context):
        return _print_named(found, context)
    kinds: tuple[Callable[[Namespace, Context], int], ...] = (_mission_why, _gate_why, _ritual_why, _removed_why)
    for print_one in kinds:
        try:
            return print_one(args, context)
        except OvermindError as error:
            if error.code != "not_found":
                raise
    raise OvermindError(
        "not_found",
        f"No quest, spec, plan, mission or ritual is named {args.id!r}. "
        "See: overmind quest list, overmind spec list, overmind ps, overmind ritual list",
    )


class _Named(NamedTuple):
    """A quest or a spec that a word names; several quests where each is shown by its id."""

    kind: str
    ids: list[str]
    show: Callable[[], int] | None = None
    is_open: bool = False
    """True of what has not ended, and of what a person is asked about."""


def _quests_and_specs(args: Namespace, context: Context) -> list[_Named]:
    """The quest and the spec that a word means; the spec beside a quest only where the whole name is that of both.

    Raises:
        OvermindError: `ambiguous`, several quests have had the name, and no spec has it; what the daemon says.
    """
    from overmind_core.cli.quests.list import ENDED
    from overmind_core.cli.quests.queue import print_quest_why
    from overmind_core.cli.specs.commands import OVER, print_spec

    client, word = context.client(), args.id
    found, several = [], None
    try:
        quest = _asked_for(client, "quest_why", word)
    except OvermindError as error:
        if error.code != "ambiguous" or args.json:
            raise
        quest, several = None, error
    if quest is not None:
        is_asked = any(one["name"] == quest["name"] for one in quest.get("questions") or ())
        is_open = is_asked or quest["status"] not in ENDED
        found.append(_Named("quest", [quest["id"]], partial(print_quest_why, quest, args, context), is_open=is_open))
        if args.json:
            return found
    spec = _asked_for(client, "spec", word, unless=_UNCLEAR if quest is not None else _UNKNOWN)
    if several is not None:
        meant: Any = several.fields.get("candidates")
        if spec is None or not meant:
            raise several
        found.append(_Named("quest", [one["id"] for one in meant]))
    if spec is not None and (not found or word == spec["slug"]):
        show = partial(print_spec, spec, args, context)
        found.append(_Named("spec", [spec["id"]], show, is_open=spec["state"] not in OVER))
    return found


_UNKNOWN = frozenset({"not_found"})
_UNCLEAR = frozenset({"not_found", "ambiguous"})


def _asked_for(client: Client, request: str, word: str, *, unless: Container[str] = _UNKNOWN) -> Row | None:
    """The answer about what a word names; None: it was refused with one of these codes."""
    try:
        answer: Row = client.call(request, {"id": word})
    except OvermindError as error:
        if error.code not in unless:
            raise
        return None
    return answer


def _print_named(found: list[_Named], context: Context) -> int:
    """Print those that are open, else the first one; a line above names the others."""
    showable = [(one, one.show) for one in found if one.show is not None]
    shown = [(one, show) for one, show in showable if one.is_open] or showable[:1]
    if others := [one for one in found if all(one is not other for other, _ in shown)]:
        this = " and ".join(f"the {one.kind}" for one, _ in shown)
        context.print(f"This is {this} of this name. {'. '.join(map(_where, others))}")
    for one, show in shown:
        if len(shown) > 1:
            context.print(f"The {one.kind} of this name:")
        show()
    return 0


def _where(one: _Named) -> str:
    """How to see what is not shown."""
    commands = ", ".join(f"overmind why {id_}" for id_ in one.ids)
    return f"The {one.kind}{'s' if len(one.ids) > 1 else ''}: {commands}"


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


def _ritual_why(args: Namespace, context: Context) -> int:
    """Print how a ritual stands: it is no piece of work, so that it waits for nothing but its time.

    Raises:
        OvermindError: `not_found`, no ritual is named so.
    """
    ritual = context.client().call("ritual", {"id": args.id})
    if args.json:
        context.print(dumps(ritual))
        return 0
    name = ritual["name"]
    what = f"a ritual ({ritual['schedule']}, {ritual['zone']})"
    if ritual["paused"]:
        context.print(display_safe(f"{name}: {what}, which is paused"))
        context.print(display_safe(f"  go on with: overmind ritual resume {name}"))
    else:
        starts = f"it starts next at {ritual['next_local']}" if ritual["next_local"] else "it never starts again"
        now = ", and runs now" if ritual["running"] else ""
        context.print(display_safe(f"{name}: {what}{now}: {starts}"))
    if ritual["last_result"] is not None:
        how = run_word(ritual["last_result"], ritual.get("last_outcome"))
        context.print(display_safe(f"  its last run: {how}, {ritual['last_local']}"))
    context.print(display_safe(f"See: overmind ritual history {name}"))
    return 0


def _removed_why(args: Namespace, context: Context) -> int:
    """Print what is kept of the work of a mission that was removed.

    Raises:
        OvermindError: `not_found`, nothing of such a mission is left.
    """
    with context.waiting_for_git("worktrees"):
        client = context.client()
        rows = client.call("worktrees", {})["worktrees"]
    removed = [row for row in rows if row["status"] is None and args.id in {row["name"], row["mission"]}]
    if not removed:
        raise OvermindError("not_found", f"No worktree of {args.id!r} is left.")
    if args.json:
        context.print(dumps(removed))
        return 0
    for row in removed:
        context.print(display_safe(f"{row['name']} ({row['mission']}): was removed"))
        for line in _kept_lines(client, row):
            context.print(display_safe(f"  {line}"))
    return 0


def _kept_lines(client: Client, row: Row) -> Iterator[str]:
    """Where the work of a mission is kept, and what goes on with it; none where nothing would be lost.

    `row`: As `worktrees` lists it.
    """
    from overmind_core.domain.landing import KeptWork
    from overmind_core.domain.quests.remedies import lead_of, ways_of_kept_work

    kept = KeptWork(row["path"], row["dirty"], not row["merged"])
    if row["problem"]:
        yield f"its worktree is broken: {row['path']}: {row['problem']}"
    elif kept.uncommitted or kept.unmerged or row["ignored"]:
        words = (("uncommitted", kept.uncommitted), ("unmerged", kept.unmerged), ("ignored by git", row["ignored"]))
        how = ", ".join(word for word, holds in words if holds)
        yield f"its work is kept in: {kept.folder} ({how})"
        ways = ways_of_kept_work(row["mission"], kept, unreviewed=_is_unreviewed(client, row["mission"]))
        yield from (f"{lead_of(command)}: {command}" for command in ways)
    elif row["status"] is None:
        yield f"its worktree is kept in: {kept.folder}"


def _is_unreviewed(client: Client, mission: str) -> bool:
    """True where a mission is that of a quest whose review nobody has accepted: `merge` refuses its work."""
    try:
        quest = client.call("quest", {"id": mission})
    except OvermindError as error:
        if error.code != "not_found":
            raise
        return False
    return quest["review"] is not None and quest["status"] != "completed" and quest["phase"] != "landing"


def _work_of(client: Client, mission: Row, context: Context) -> tuple[str, list[str]]:
    """Return where the work of a mission that has succeeded has landed, or "", and the lines about what has not."""
    isolation = mission.get("isolation") or {}
    if not isolation.get("worktree") or not isolation.get("branch"):
        return "", []
    try:
        with context.waiting_for_git("changes", [mission["name"]]):
            rows = client.call("worktrees", {"ids": [mission["id"]]})["worktrees"]
            lines = [line for row in rows for line in _kept_lines(client, row)]
            changes = {"files": []} if lines else client.call("changes", {"id": mission["id"]})
    except OvermindError:  # git can't tell: how the mission stands is said all the same
        return "", []
    has_landed = changes["files"] and changes["branch"] != isolation["branch"]
    return (f", landed on {changes['branch']}" if has_landed else ""), lines


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
    landed, kept = "", list[str]()
    if not is_plan and answer["outcome"] == "succeeded":
        landed, kept = _work_of(client, answer, context)
    context.print(display_safe(f"{answer['name']} ({answer['id']}): {_state(answer)}{landed}"))
    for line in _plan_lines(answer) if is_plan else kept:
        context.print(display_safe(f"  {line}"))
    if answer["outcome"] is None:
        from overmind_core.cli.waiting import WaitTeller  # start-up: only for what goes on

        teller = WaitTeller(context, lambda: (mission["id"],), of_quests=False, keep_waiting=True)
        for line in teller.of_mission(client, mission["id"]):
            context.print(display_safe(f"  {line}"))
    elif how := _log_in_first(answer):
        context.print(display_safe(f"  {how}"))
        context.print(display_safe(f"  then go on with: {mission_again(answer['name'])}"))
    elif again := _again(client, answer, is_plan=is_plan):
        context.print(display_safe(f"  {again}"))
    if is_plan and answer["outcome"] not in {None, "succeeded"}:
        context.print(display_safe(f"See: overmind logs {_first_failed(answer)}"))
    return 0


def _log_in_first(mission: Row) -> str:
    """How to log in the agent that failed for want of that; "" for any other end."""
    from overmind_core.providers.registry import log_in_first  # start-up: only for what has ended

    return log_in_first(mission.get("provider") or "", mission.get("reason"))


def _first_failed(plan: Row) -> str:
    """The name of the first agent that has not done what it is for and has a log; else that of the plan."""
    failed = (one for one in plan["agents"] if one["mission"] and one["stage"] == "failed")
    agent = next(failed, None)
    return str(plan["name"]) if agent is None else f"{plan['name']}/{agent['name']}"


def _again(client: Client, answer: Row, *, is_plan: bool) -> str:
    """Return how to go on with what was lost, or with a plan that did not end well, as a line; "" for any other."""
    from overmind_core.domain.missions.outcome import CUT_OFF  # start-up: only for what has ended

    if is_plan:
        if answer["outcome"] == "succeeded":
            return ""
        is_cut_off = answer["outcome"] in CUT_OFF or any(_is_cut_off(answer, agent) for agent in answer["agents"])
        return _plan_again(answer, is_cut_off=is_cut_off)
    found = _agent_of_plan(client, answer["name"]) if answer.get("parent") else None
    if found is None:
        return f"{_GO_ON}: {mission_again(answer['name'])}" if answer["outcome"] == "lost" else ""
    return _agent_again(*found)


_GO_ON = "go on with"


def _agent_again(plan: Row, agent: Row) -> str:
    """Return how to go on with the plan of an agent that has not done what it is for, as a line; "" else."""
    if plan["outcome"] in {None, "succeeded"} or agent["stage"] != "failed":
        return ""
    is_cut_off = _is_cut_off(plan, agent) or agent["reason"] == KEEPER_LOST
    return _plan_again(plan, is_cut_off=is_cut_off)


def _plan_again(plan: Row, *, is_cut_off: bool) -> str:
    again = "run it again with" if plan["file"] in {"", "-"} else "run what failed again with"
    command = plan_again(plan["name"], plan["file"], plan.get("vars"))  # an older daemon says none
    return f"{_GO_ON if is_cut_off else again}: {command}"


def _is_cut_off(plan: Row, agent: Row) -> bool:
    """True of an agent that has not done what it is for as it was cut off, and whose plan has failed."""
    from overmind_core.domain.missions.outcome import CUT_OFF  # start-up: as above

    return plan["outcome"] == "failed" and agent["stage"] == "failed" and agent["outcome"] in CUT_OFF


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
    if again := _agent_again(plan, agent):
        context.print(display_safe(f"  {again}"))
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


COMMANDS = (
    Command(
        name="why",
        arguments=[
            argument("id", "id or name of a post of the swarm, a quest, spec, plan, mission or ritual, or PLAN/AGENT")
        ],
        options=[JSON],
        examples=["overmind why docs", "overmind why release"],
        notes=(
            "A word that names no post of the swarm is looked for among what this machine has. If a quest and a spec "
            "have one name, each is shown that has not ended or that a person is asked about, else the quest; the "
            "first line says how to get the other. JSON is of the quest."
        ),
        run=why,
    ),
)
