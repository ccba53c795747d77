"""Commands that wait and watch: the ends of missions, the event log, and what a terminal shows."""

from __future__ import annotations

import time

from overmind_core.cli.command import JSON, Command, flag, ids, one_id, option
from overmind_core.cli.context import Context, exit_status
from overmind_core.cli.finished import hint_help, mission_end_line, quest_end_line
from overmind_core.cli.output import dumps
from overmind_core.cli.values import duration, timeout_seconds, timeout_words
from overmind_core.client.stream import HEARTBEAT, follow
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.moment import format_time, parse_time
from overmind_core.errors import FAILED, INTERRUPTED, NEEDS_PERSON, OvermindError, UsageError, while_waiting

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from overmind_core.terminal.screen import Screen

    End = Mapping[str, Any]


def wait(args: Namespace, context: Context) -> int:
    """Print a line as each ends; return the first exit status that isn't 0, in the order of the arguments.

    Where the quest of one goes on after it, its end follows, and counts.
    """
    ends, began = EndWaiter(args.ids, any_one=args.any), time.monotonic()
    quests = EndWaiter((), any_one=False, command="quest_wait")

    def say(end: End) -> None:
        context.print(dumps(end) if args.json else mission_end_line(end))

    def say_quest(end: End) -> None:
        context.print(dumps(end) if args.json else quest_end_line(end))

    try:
        wait_for_ends(context, ends, say, timeout=args.timeout, began=began)
        if not args.any and (ids := _quests_that_go_on(context, ends.ends)):
            quests = EndWaiter(ids, any_one=False, command="quest_wait")
            status = wait_for_ends(context, quests, say_quest, timeout=args.timeout, began=began)
            if status == NEEDS_PERSON and not quests.is_done:
                return NEEDS_PERSON
        return _hint_ends(context, ends, quests)
    except KeyboardInterrupt:
        from overmind_core.cli.quests import left  # start-up: for those alone who stop waiting

        if quests.pending:
            left.note_left(context, quests.left)
        else:
            left.note_left_missions(context, ends.left)
        return INTERRUPTED
    except OvermindError as error:
        from overmind_core.cli.swarm.wait_there import wait_there_instead  # start-up: for names not of here alone

        return wait_there_instead(args, context, error)


def _quests_that_go_on(context: Context, ends: Sequence[End]) -> list[str]:
    """The ids of the quests whose work has ended so, and that have not."""
    asked = {end["id"]: end for end in ends if end.get("outcome") is None and end.get("quest_state")}
    return [one for one in asked if _is_quest(context, one)]  # a check and an agent of a plan may go on so, too


def _is_quest(context: Context, mission: str) -> bool:
    try:
        return bool(context.client().call("quest", {"id": mission})["id"] == mission)
    except OvermindError as error:
        if error.code != "not_found":
            raise
    return False


def _hint_ends(context: Context, ends: EndWaiter, quests: EndWaiter) -> int:
    """Tell what shows why some have not succeeded; return the first exit status that isn't 0."""
    by_id = {end["id"]: end for end in quests.ends}
    hint_help(context, [end for end in ends.ends if end["id"] not in by_id], 0)
    hint_help(context, quests.ends, 0, of_quests=True)
    return next(filter(None, (_status(by_id.get(end["id"], end)) for end in ends.ends)), 0)


def _status(end: End) -> int:
    """The exit status of an end; what has failed is no success, whatever its program has exited with."""
    status = exit_status(end["status"], end["exit_code"], end.get("reason"))
    return FAILED if not status and end.get("outcome") in _UNWELL else status


_UNWELL = frozenset({"failed", "timed out", "lost"})
"""Outcomes of what did not do what it was for, and that nobody has ended on purpose."""


def wait_for_ends(
    context: Context,
    ends: EndWaiter,
    say: Callable[[End], None],
    *,
    timeout: str | None = None,
    began: float | None = None,
    keep_waiting: bool = False,
) -> int:
    """Hand each end to `say` as it comes, and tell meanwhile what is waited for.

    Args:
        context: Of the command.
        ends: What is waited for.
        say: Called with each end.
        timeout: As a person wrote it; None: for ever.
        began: When that began to count, in monotonic seconds; None: now.
        keep_waiting: Also while nothing can end before a person changes something.

    Returns:
        The exit status of `ends`; `NEEDS_PERSON`: none can end before a person changes something.

    Raises:
        OvermindError: `timeout`, or the daemon said no; `WaitLost`.
    """
    from overmind_core.cli.waiting import LOOK_SECONDS, WaitTeller  # start-up: only while one waits

    since = time.monotonic() if began is None else began
    deadline = None if timeout is None else since + timeout_seconds(timeout)
    teller = WaitTeller(context, lambda: ends.pending, of_quests=ends.of_quests, keep_waiting=keep_waiting)
    try:
        for kind, item in follow(context.client(), ends.request, deadline=deadline, beat=LOOK_SECONDS):
            if kind == HEARTBEAT and teller.is_hopeless():
                return NEEDS_PERSON
            if kind == "ok":
                ends.resolve_names(item)
            elif kind == "item" and ends.add(item):
                say(item)
            if ends.is_done:
                break
    except OvermindError as error:
        if error.code == "timeout" and timeout is not None:
            left = ", ".join(ends.pending_named)
            raise OvermindError("timeout", f"Not ended within {timeout_words(timeout)}: {left}.") from None
        raise while_waiting(error, ends.pending_named) from None
    return ends.status


class EndWaiter:
    """The ends so far of what is waited for: missions, or quests.

    Args:
        wanted: Ids, names or prefixes, in the order in which they count.
        any_one: The first end is enough.
        command: The request on the socket that streams ends.
    """

    def __init__(self, wanted: Sequence[str], *, any_one: bool, command: str = "wait") -> None:
        self._command = command
        self._wanted = list(wanted)
        self._any = any_one
        self._ended: dict[str, End] = {}
        self._names: dict[str, str] = {}

    @property
    def pending(self) -> list[str]:
        """What has not ended yet."""
        return [mission for mission in self._wanted if mission not in self._ended]

    @property
    def pending_named(self) -> list[str]:
        """Those of them for people: `docs (a1b2c3d4)`, or as they were asked for where their name is not known."""
        return [f"{self._names[one]} ({one})" if one in self._names else one for one in dict.fromkeys(self.pending)]

    @property
    def left(self) -> list[dict[str, str]]:
        """Id and name of what has not ended yet, each once."""
        return [{"id": one, "name": self._names.get(one, one)} for one in dict.fromkeys(self.pending)]

    @property
    def of_quests(self) -> bool:
        """Whether quests are waited for."""
        return self._command == "quest_wait"

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not self.pending or (self._any and bool(self._ended))

    @property
    def ends(self) -> list[End]:
        """The ends so far, in the order of what is waited for."""
        return [self._ended[mission] for mission in self._wanted if mission in self._ended]

    @property
    def status(self) -> int:
        """The first exit status that isn't 0."""
        return next(filter(None, map(_status, self.ends)), 0)

    def request(self) -> tuple[str, dict[str, Any]]:
        """Return the request for what is still missing."""
        return self._command, {"ids": self.pending, "any": self._any}

    def resolve_names(self, answer: Mapping[str, Any] | None) -> None:
        """Put ids in the place of the names that were asked for; after a loss only ids are sure to mean the same."""
        missions = (answer or {}).get("missions", [])
        asked = self.pending
        if len(missions) != len(asked):
            return
        self._names |= {mission["id"]: mission["name"] for mission in missions if "name" in mission}
        real = dict(zip(asked, (mission["id"] for mission in missions), strict=True))
        self._wanted = [real.get(mission, mission) for mission in self._wanted]

    def add(self, end: End) -> bool:
        """Record an end; False when it was known already."""
        known = end["id"] in self._ended
        self._ended[end["id"]] = end
        if end["id"] not in self._wanted:  # the daemon didn't say what a name or prefix means
            matching = [wanted for wanted in self.pending if _means(wanted, end)]
            self._ended.update(dict.fromkeys(matching, end))
        return not known


KEEP_WAITING = flag("--keep-waiting", "wait on also while a person has to change something first")


def _means(wanted: str, end: End) -> bool:
    return wanted == end["name"] or str(end["id"]).startswith(wanted)


WAIT = Command(
    name="wait",
    arguments=[ids()],
    options=[
        flag("--any", "wait only until the first one ends"),
        option("--timeout", "TIME", "give up after this many seconds, with exit code 124", parse=duration),
        JSON,
    ],
    examples=["overmind wait build", "overmind wait --any red blue", "overmind wait build --timeout 10m"],
    notes=(
        "Exits with the first exit code that isn't 0, in the order of the arguments; 137 for a killed mission, 1 for "
        "one that has ended well and whose quest has failed, 3 where no daemon runs. Where its quest goes on, as while "
        "it is checked, wait goes on too, and the end of the quest counts; not so with --any. After two seconds it "
        "says on stderr for whom or what it waits, and again as that changes, or as the daemon is lost."
    ),
    run=wait,
)


def events(args: Namespace, context: Context) -> int:
    """Print what happened after --since, then perhaps what happens."""
    after, earliest = (None, "") if args.since is None else args.since
    seen: dict[str, int] = {} if after is None else {"since": after}

    def request() -> tuple[str, dict[str, Any]]:
        return "events", {**seen, "follow": args.follow, **({"types": args.types} if args.types else {})}

    for kind, item in follow(context.client(), request):
        if kind == "item":
            seen["since"] = item["seq"]
            if item["at"] >= earliest:
                context.print(dumps(item))
    return 0


def _since(word: str) -> tuple[int | None, str]:
    """Return the number of an event, or the earliest time as events have it: RFC 3339 in UTC, which sorts."""
    if word.isascii() and word.isdigit():
        return int(word), ""
    return None, format_time(parse_time(word, time.time()))


EVENTS = Command(
    name="events",
    options=[
        flag("--follow", "follow new events until ctrl-c", short="-f"),
        option(
            "--since",
            "WHEN",
            "only events after this number or time: 5m (ago), 14:30, RFC 3339",
            parse=_since,
        ),
        option("--type", "TYPE", "only events of this type (repeatable)", repeat=True, attribute="types"),
        JSON,
    ],
    examples=["overmind events", "overmind events --since 5m", "overmind events -f --type asked --type answered"],
    run=events,
)


def screen(args: Namespace, context: Context) -> int:
    """Print the screen of the newest run, also of one that has ended."""
    if args.ansi and args.json:
        raise UsageError("--ansi and --json can't be used together")
    if (args.id is None) == (args.target is None):
        wrong = "Missing id." if args.id is None else "Give the id once, as a word or with -t."
        raise UsageError(f"{wrong} See: overmind screen --help")
    run = _run(context.client().call("logs", {"ids": [args.id or args.target]})["missions"][0])
    from overmind_core.logs.snapshot import screen_at  # start-up: --help needs no terminal

    shown = screen_at(from_wire(run["path"]), columns=run["columns"], rows=run["rows"])
    context.print(dumps(_screen_json(shown)) if args.json else screen_text(shown, ansi=args.ansi))
    return 0


def _run(mission: dict[str, Any]) -> dict[str, Any]:
    """The newest run, which must have a terminal."""
    name = display_safe(mission["name"])
    run: dict[str, Any] | None = mission["runs"][-1] if mission["runs"] else None
    if run is None:
        raise OvermindError("not_running", f"Mission {mission['id']} ({name}) has no screen: no process of it has run.")
    if not run["tty"]:
        raise OvermindError(
            "invalid", f"Mission {mission['id']} ({name}) has no terminal. See its output with: overmind logs {name}"
        )
    return run


def screen_text(shown: Screen, *, ansi: bool) -> str:
    """All rows down to the last one that holds something."""
    used = max((number for number, line in enumerate(shown.lines(), 1) if line), default=0)
    rows = shown.text(ansi=ansi).split("\n")
    return "\n".join(rows[:used])


def _screen_json(shown: Screen) -> dict[str, Any]:
    return {
        "columns": shown.columns,
        "rows": shown.rows,
        "cursor": [shown.cursor.x, shown.cursor.y],
        "title": display_safe(shown.title),
        "lines": shown.lines(),
    }


SCREEN = Command(
    name="screen",
    arguments=[one_id("?")],
    options=[
        flag("--ansi", "keep the colours", short="-e"),
        option("--target", "ID", "same as ID, as in tmux", short="-t"),
        flag("--print", "no effect: it always prints", short="-p"),
        JSON,
    ],
    examples=["overmind screen editor", "overmind screen editor --json | jq -r .title"],
    run=screen,
)

COMMANDS = (WAIT, EVENTS, SCREEN)
