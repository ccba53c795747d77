"""Commands about the queue: queue, queue pause, queue resume, queue slots; and `quest why`, its view of one quest."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, Parameter, argument, flag, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import ascii_text, dumps, money, or_absent, table, text_cell
from overmind_core.cli.quests.rows import score_cell, title_cell
from overmind_core.cli.values import dollars, duration_from_now
from overmind_core.domain.missions.reasons import sentence, with_overdue
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Answer = Mapping[str, Any]
    Row = Mapping[str, Any]


TITLE = "TITLE"
COLUMNS: dict[str, Callable[[Row], str]] = {
    "#": lambda row: or_absent(row["position"]),
    "SCORE": score_cell,
    "QUEST": lambda row: row["name"],
    "PRIORITY": lambda row: or_absent(row["priority"]),
    "WAITS": lambda row: or_absent(text_cell(with_overdue(row["why"] or "", overdue=bool(row.get("overdue"))))),
    TITLE: title_cell,
}
"""Title → cell of a quest that `queue --json` lists."""
TRIED_AGAIN = frozenset({"disk_full", "dirty"})
"""Why a landing was refused that is tried again once there is room."""
MAIN_POOL = "queue"
"""The pool whose slots every quest of the queue takes one of."""
MOST_SLOTS = 1000
"""As the request has it, too."""
EMPTY = "The queue is empty. Add a quest with: overmind quest add 'Title' -- make test"


def queue(args: Namespace, context: Context) -> int:
    """Print it as it is, or as it would be at another time; or change what it may cost until midnight."""
    if args.max_cost_per_day is not None or args.today:
        return _limit_today(args, context)
    answer = context.client().call("queue", {"at": args.at} if args.at is not None else {})
    if args.json:
        context.print(dumps(answer))
        return 0
    context.print(ascii_text(queue_text(answer)))
    if not answer["quests"]:
        context.hint(EMPTY)
    return 0


def _limit_today(args: Namespace, context: Context) -> int:
    if args.max_cost_per_day is None or not args.today or args.at is not None:
        raise UsageError(
            "Give both: overmind queue --max-cost-per-day 50 --today. For every day it is max_cost_per_day in [queue] "
            "of config.toml."
        )
    limit = args.max_cost_per_day
    return _change(context, {"max_cost_today": limit}, args, lambda _: f"Limit until midnight: {money(limit)}")


def queue_text(answer: Answer) -> str:
    """Return what a person reads of the queue."""
    return "\n".join(_queue_lines(answer))


def _queue_lines(answer: Answer) -> Iterator[str]:
    used = next((pool["used"] for pool in answer["pools"] if pool["name"] == MAIN_POOL), 0)
    quests, landing = answer["quests"], answer["landing"]
    counts = f"running {used}/{answer['slots']} · queued {len(quests)} · landing {len(landing)}"
    yield f"{counts} · paused" if answer["paused"] else counts
    if quests:
        yield table(list(COLUMNS), [[cell(row) for cell in COLUMNS.values()] for row in quests])
    if landing:
        yield f"landing: {', '.join(map(_landing, landing))}"
    others = [pool for pool in answer["pools"] if pool["name"] != MAIN_POOL]
    if others:
        yield f"slots: {', '.join(map(_pool, others))}"
    if answer.get("pending_settings"):
        yield display_safe(answer["pending_settings"])


def _landing(row: Row) -> str:
    where = f" on {row['into']}" if row["into"] else ""
    then = "tried again by itself" if row["reason"] in TRIED_AGAIN else "a person decides"
    refused = f" ({sentence(row['reason'])}: {then})" if row["reason"] else ""
    return display_safe(f"{row['name']}{where}{refused}")


def _pool(pool: Answer) -> str:
    return display_safe(f"{pool['name']} {pool['used']}/{pool['slots']}")


QUEUE = Command(
    name="queue",
    options=[
        option("--at", "TIME", "scores and reasons at a later time, such as +2h", parse=duration_from_now),
        option("--max-cost-per-day", "USD", "with --today: the limit of all quests until midnight", parse=dollars),
        flag("--today", "with --max-cost-per-day: until midnight"),
        JSON,
    ],
    examples=[
        "overmind queue",
        "overmind queue --at +2h",
        "overmind queue pause",
        "overmind queue slots 5",
        "overmind queue --max-cost-per-day 50 --today",
    ],
    notes=(
        "The first line: slots in use, quests that wait, and quests that land. SCORE orders the quests of one "
        "priority; critical ones come first. WAITS: why a quest does not start yet."
    ),
    run=queue,
)


def _change(context: Context, request: Mapping[str, object], args: Namespace, line: Callable[[Answer], str]) -> int:
    answer = context.client(start=True).call("queue_set", request)
    context.print(dumps(answer) if args.json else line(answer))
    return 0


def queue_pause(args: Namespace, context: Context) -> int:
    """Start nothing any more."""
    return _change(context, {"paused": True}, args, lambda answer: f"Queue paused: {_run_on(answer['running'])}")


def _run_on(running: int) -> str:
    return "1 runs on" if running == 1 else f"{running} run on"


def queue_resume(args: Namespace, context: Context) -> int:
    """Start what may start."""
    return _change(context, {"paused": False}, args, lambda _: "Queue resumed")


def slots(word: str) -> int:
    """Return how many may run at once."""
    if word.isascii() and word.isdigit() and 1 <= int(word) <= MOST_SLOTS:
        return int(word)
    raise ValueError(f"{word!r} is not a whole number from 1 to {MOST_SLOTS}")


def queue_slots(args: Namespace, context: Context) -> int:
    """Let so many run at once, from now on."""
    return _change(context, {"slots": args.slots}, args, lambda answer: f"Slots: {answer['slots']}")


QUEUE_PAUSE = Command(
    name="queue pause",
    options=[JSON],
    examples=["overmind queue pause"],
    notes="Running quests continue. The queue stays paused when the daemon is replaced. `quest run` is not affected.",
    run=queue_pause,
)
QUEUE_RESUME = Command(name="queue resume", options=[JSON], examples=["overmind queue resume"], run=queue_resume)
QUEUE_SLOTS = Command(
    name="queue slots",
    arguments=[Parameter("slots", help="how many quests of the queue run at once", metavar="n", type=slots)],
    options=[JSON],
    examples=["overmind queue slots 5"],
    notes=(
        "It applies at once, and instead of [queue] slots in config.toml; the limits of providers apply within it. "
        "Quests that run continue, even if they are more."
    ),
    run=queue_slots,
)


def quest_why(args: Namespace, context: Context) -> int:
    """Print why it waits, its score and what waits for it; of a post of the swarm, why that waits."""
    try:
        return quest_why_here(args, context)
    except OvermindError as error:
        from overmind_core.cli.swarm.commands import why_of_post  # start-up: for names not of here alone

        if error.code != "not_found":
            raise
        if not why_of_post(args, context):
            raise _with_other(error, args.id, context) from None
        return 0


def _with_other(error: OvermindError, name: str, context: Context) -> OvermindError:
    """Return that there is no such quest, with the command that is about the spec, plan or mission of that name."""
    for kind, request in (("spec", "spec"), ("mission", "info")):
        try:
            found = context.client().call(request, {"id": name})
        except OvermindError:
            continue
        what = "plan" if found.get("type") == "blueprint" else kind
        return OvermindError("not_found", f"{name!r} is a {what}, no quest. See: overmind why {name}")
    return error


def quest_why_here(args: Namespace, context: Context) -> int:
    """Print the same of a quest of this machine.

    Raises:
        OvermindError: `not_found`, it has none of that name; what the daemon says.
    """
    return print_quest_why(context.client().call("quest_why", {"id": args.id}), args, context)


def print_quest_why(answer: Row, args: Namespace, context: Context) -> int:
    """Print the answer about a quest."""
    if args.json:
        context.print(dumps(answer))
        return 0
    from overmind_core.domain.quests.why import from_answer, why_lines  # start-up: the queue needs none

    context.print(ascii_text("\n".join(map(display_safe, why_lines(from_answer(answer))))))
    others = answer.get("same_name") or ()  # one at another hive may say none
    if others and args.id != answer["id"]:
        named = f"Other quests named {answer['name']} have ended, too: {', '.join(others)}"
        context.note(display_safe(f"{named}. See them with: overmind quest why {others[0]}"))
    return 0


QUEST_WHY = Command(
    name="quest why",
    arguments=[argument("id", "id, name, or at least 3 characters of the id", metavar="quest")],
    options=[JSON],
    examples=["overmind quest why docs", "overmind quest why login/TSK-004 --json | jq .by"],
    notes=(
        "The code says what ends the wait: `needs`, `until`, `owns` and `slots` end by themselves; `blocked`, `held` "
        "and `budget` need somebody, and the command that lets it go on is shown."
    ),
    run=quest_why,
)

COMMANDS = (QUEUE, QUEUE_PAUSE, QUEUE_RESUME, QUEUE_SLOTS, QUEST_WHY)
