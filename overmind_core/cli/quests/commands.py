"""Commands about one quest or some: run, info, logs, wait, cancel."""

from __future__ import annotations

from overmind_core.cli.agents.options import PROVIDER
from overmind_core.cli.command import JSON, Command, Parameter, argument, flag, option
from overmind_core.cli.context import Context, call_for_ids
from overmind_core.cli.definitions.run import RUN_OPTIONS, run_request
from overmind_core.cli.ends import EndTeller
from overmind_core.cli.finished import hint_help, quest_end_line, quest_line
from overmind_core.cli.missions import logs
from overmind_core.cli.missions.watch import KEEP_WAITING, EndWaiter, wait_for_ends
from overmind_core.cli.output import dumps
from overmind_core.cli.values import duration, whole_number
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.paragraphs import stands
from overmind_core.errors import INTERRUPTED, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    Row = Mapping[str, Any]


_RUN_ONLY = ("--type", "--restart", "--max-restarts", "--max-seconds", "--detach", "--tty", "--rm")
"""Options of `run` that mean nothing here: a quest ends, and is tried again by --retries."""
QUEST_OPTIONS = [
    option("--check", "CMD", "shell command that checks the work, run in the same place; exit code 0 means done"),
    option("--retries", "N", "retry up to N times if the work or the check fails (default 0)", parse=whole_number),
]


def run_options(*left_out: str) -> list[Parameter]:
    """Return the options of `run` that a quest has too, its own first, the provider among them."""
    taken = {*_RUN_ONLY, *left_out}
    return [*QUEST_OPTIONS, PROVIDER, *(one for one in RUN_OPTIONS if not taken & set(one.names))]


def quest_request(args: Namespace, context: Context) -> dict[str, Any]:
    """Return the arguments of the request `quest_run`.

    Raises:
        OvermindError: something that no program can be given.
    """
    args.type = None
    request = run_request(args, context)
    return request | {name: value for name in ("check", "retries") if (value := getattr(args, name)) is not None}


def quest_ids(nargs: str | None = "+") -> Parameter:
    """Return the quests that a command is about, in `args.ids`; one, in `args.id`, when `nargs` is None."""
    name = "ids" if nargs else "id"
    return argument(name, "id, name, or at least 3 characters of the id", nargs=nargs, metavar="quest")


def quest_run(args: Namespace, context: Context) -> int:
    """Begin it, and with --wait follow it to its end."""
    from overmind_core.cli.definitions.start import start_mission  # start-up: --help needs none

    request = quest_request(args, context)
    quest = start_mission(args, context, "quest_run", request, message="Quest started: {id} ({name})".format_map)
    if quest is None:
        return INTERRUPTED
    return _follow(context, quest) if args.wait else 0


def _follow(context: Context, quest: Mapping[str, Any]) -> int:
    """Print what the work writes, then wait until the quest, with its check, has ended."""
    from overmind_core.cli.follow_logs import follow_until_end  # start-up: only with --wait

    ends = EndWaiter([quest["id"]], any_one=False, command="quest_wait")
    try:
        follow_until_end(context, quest["id"])
    except KeyboardInterrupt:
        context.note(f"\nQuest {quest['id']} keeps running. Return with: overmind quest logs -f {quest['name']}")
        return INTERRUPTED
    try:
        return wait_for_ends(context, ends, lambda end: context.note(quest_line(context, end)))
    except KeyboardInterrupt:  # its work has ended, and with that its log: its check runs, or it is tried again
        from overmind_core.cli.quests.left import note_left  # start-up: for those alone who stop waiting

        note_left(context, [quest])
        return INTERRUPTED


QUEST_RUN = Command(
    name="quest run",
    rest="CMD...",
    options=run_options(),
    examples=[
        "overmind quest run make release",
        "overmind quest run --name docs --check 'test -s site/index.html' --retries 2 make docs",
        "overmind quest run --provider claude --check 'pytest -q' --retries 3 'make the tests pass'",
        "overmind quest run --wait --timeout 10m -- pytest -x",
    ],
    notes=(
        "Options come before the command; -- ends them. One word is a shell string; several words run without a "
        "shell. --timeout limits each try; a try that timed out or was stopped is not repeated. --backoff is the "
        "pause before the next try, and doubles. The check is a separate mission, a child of the quest's mission."
    ),
    run=quest_run,
)


def quest_info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    context.print_facts(context.client().call("quest", {"id": args.id}), args)
    return 0


QUEST_INFO = Command(
    name="quest info",
    arguments=[quest_ids(None)],
    options=[JSON],
    examples=["overmind quest info docs", "overmind quest info docs --json | jq .status"],
    notes="`mission` is null once the quest's mission is removed; until then it has the quest's id and name.",
    run=quest_info,
)


def quest_logs(args: Namespace, context: Context) -> int:
    """Show the logs of their missions, as `logs` does."""
    client = context.client()
    rows = [client.call("quest", {"id": quest}) for quest in args.ids]
    args.ids = [_check(row) if args.check else _work(row) for row in rows]
    status = logs.logs(args, context)
    for row in rows if args.check and not args.follow else ():
        _say_if_silent(row, context)
    return status


def _work(row: Mapping[str, Any]) -> str:
    if row["mission"] is None and row["round"] is not None and not any(one["run"] for one in row["attempt_list"]):
        how = "has no mission yet" if row["status"] == "queued" else "never began"
        message = (
            f"Quest {row['id']} ({row['name']}) {stands(row['status'])}: it {how}. "
            f"See: overmind quest why {row['name']}"
        )
        raise OvermindError("not_running", message)
    if row["mission"] is None:
        raise OvermindError(
            "gone", f"The mission of quest {row['id']} ({row['name']}) was removed, and its log with it."
        )
    return str(row["mission"])


def _check(row: Mapping[str, Any]) -> str:
    if row["check_id"] is not None:
        return str(row["check_id"])
    quest = f"Quest {row['id']} ({row['name']})"
    if row["check"] is not None:
        raise OvermindError("not_found", f"{quest} has not been checked yet. See: overmind quest why {row['name']}")
    verify = f" For that of its merged work see: overmind logs {row['name']}/verify" if row.get("verify") else ""
    raise OvermindError("not_found", f"{quest} has no check.{verify}")


def _say_if_silent(row: Mapping[str, Any], context: Context) -> None:
    """Say how a check has ended that has printed nothing; an empty log would not say whether it was the right one."""
    client = context.client()
    (check,) = client.call("logs", {"ids": [row["check_id"]]})["missions"]
    runs = check["runs"]
    if not runs or any(run["out"] or run["err"] or run["ended_at"] is None for run in runs):
        return
    ran = client.call("info", {"id": row["check_id"]})["command"]  # the quest may have another one since
    how = f"`{ran}` exited with {check['exit_code']}"
    context.note(display_safe(f"{row['name']}: its check printed nothing: {how}"))


QUEST_LOGS = Command(
    name="quest logs",
    arguments=[quest_ids()],
    options=[flag("--check", "show the output of the newest check instead of the work"), *logs.LOGS.options],
    examples=["overmind quest logs docs", "overmind quest logs -f docs", "overmind quest logs --check docs"],
    notes="Same as `overmind logs` for the quest's mission: each retry is another run of it (--run 2).",
    run=quest_logs,
)


def quest_wait(args: Namespace, context: Context) -> int:
    """Print a line as each ends; return the first exit status that isn't 0, in the order of the arguments."""
    ends = EndWaiter(args.ids, any_one=args.any, command="quest_wait")

    def say(end: Mapping[str, Any]) -> None:
        context.print(dumps(end) if args.json else quest_end_line(end))

    try:
        status = wait_for_ends(context, ends, say, timeout=args.timeout, keep_waiting=args.keep_waiting)
        return hint_help(context, ends.ends, status, of_quests=True)
    except KeyboardInterrupt:
        from overmind_core.cli.quests.left import note_left  # start-up: for those alone who stop waiting

        note_left(context, ends.left)
        return INTERRUPTED
    except OvermindError as error:
        from overmind_core.cli.swarm.wait_there import wait_there_instead  # start-up: for names not of here alone

        return wait_there_instead(args, context, error)


QUEST_WAIT = Command(
    name="quest wait",
    arguments=[quest_ids()],
    options=[
        flag("--any", "wait only until the first one ends"),
        option("--timeout", "TIME", "give up after this many seconds, with exit code 124", parse=duration),
        KEEP_WAITING,
        JSON,
    ],
    examples=[
        "overmind quest wait docs",
        "overmind quest wait --any red blue",
        "overmind quest wait docs --timeout 10m",
    ],
    notes=(
        "Exits with 0 for a completed quest, or with the code of its work, check or verify. With several quests, the "
        "first code other than 0 counts. Meanwhile it says on stderr for whom or what it waits. When none can end "
        "before a person changes something, because something that they need has failed, or no daemon runs, it "
        "exits with 3. A name that no quest of this machine has is looked for in the swarm; swarm/NAME is looked for "
        "there alone."
    ),
    run=quest_wait,
)


def quest_cancel(args: Namespace, context: Context) -> int:
    """Cancel each; returns when nothing of them lives."""
    return call_for_ids(args, context, "quest_cancel", _cancelled, notes=True, meanwhile=EndTeller(context, args.ids))


def _cancelled(answer: Row) -> str:
    quest = f"quest {answer['id']} ({answer['name']})"
    if answer["status"] == "failed":
        return f"Settled {quest}: it stays failed, and asks no more"
    return f"Cancelled {quest}"


QUEST_CANCEL = Command(
    name="quest cancel",
    arguments=[quest_ids()],
    options=[JSON],
    examples=["overmind quest cancel docs", "overmind quest cancel red blue"],
    run=quest_cancel,
)

COMMANDS = (QUEST_RUN, QUEST_INFO, QUEST_LOGS, QUEST_WAIT, QUEST_CANCEL)
