"""`overmind logs`: what missions wrote, as text, as bytes, or as a recording."""

from __future__ import annotations

import re
import time
from itertools import chain

from overmind_core.cli.command import Command, flag, ids, option
from overmind_core.cli.output import coloured, size, write_out
from overmind_core.cli.values import label_filter, whole_number
from overmind_core.domain.text.moment import parse_later, parse_time
from overmind_core.errors import OvermindError, UsageError
from overmind_core.logs.layout import ERR, OUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.cli.follow_logs import LinePrinter
    from overmind_core.logs.display import Line
    from overmind_core.logs.transcript import LogSelection, Transcript

    Tagged = tuple[Line, Transcript]

_EXCLUSIVE = {
    "raw": ("timestamps", "grep", "events"),
    "cast": ("follow", "timestamps", "grep", "events", "raw", "tail", "since", "until", "stdout", "stderr"),
    "events": ("follow", "raw", "cast"),
    "previous": ("follow", "run"),
}
"""Option → options that mean nothing beside it."""


def logs(args: Namespace, context: Context) -> int:
    """Show logs; the exit status is 0 whatever the missions' is."""
    from overmind_core.logs.transcript import Transcript  # start-up: --help needs none

    _check(args)
    if args.label and not _labelled(args, context):
        context.hint("No missions match. See all with: overmind ps --all")
        return 0
    end = _end(args)
    waits = args.follow and (end is None or end > time.time())  # what has passed is there
    if waits and _follow(args, context, _selection(args, context, args.run)):
        return 0
    client = context.client()
    answer = client.call("logs", {"ids": args.ids or None})
    client.close()  # the gate that has answered serves the logs
    transcripts = []
    for mission in answer["missions"]:
        run = _previous(mission) if args.previous else args.run
        transcripts.append(Transcript(mission, _selection(args, context, run)))
        check_run(transcripts[-1], run)
    if not transcripts:
        context.hint("No missions yet. Start one with: overmind run 'make test'")
    _view(args, context)(transcripts)
    _tell_removed(transcripts, context)
    return 0


def _tell_removed(transcripts: list[Transcript], context: Context) -> None:
    """Say where what is shown begins amid the output, because its limit has removed what was before."""
    for transcript in transcripts:
        note_removed(transcript, transcript.removed, context)


def note_removed(transcript: Transcript, removed: Mapping[int, int], context: Context) -> None:
    """Say how much of a mission's output is gone: most likely many runs, and the beginning of one.

    Args:
        transcript: Of the mission.
        removed: Run → bytes.
        context: Who is told.
    """
    from overmind_core.domain.text.cells import display_safe
    from overmind_core.logs.transcript import run_log

    empty = {run["number"] for run in transcript.runs if run["number"] in removed and not any(run_log(run).end)}
    gone = {run: count for run, count in removed.items() if run in empty}
    runs = f"run {next(iter(gone))}" if len(gone) == 1 else f"{len(gone)} runs"
    parts = [f"all {size(sum(gone.values()))} of {runs}"] if gone else []
    parts += [f"the first {size(count)} of run {run}" for run, count in removed.items() if run not in gone]
    limit = "a limit of logs ([logs] per_mission or total)" if gone else "the limit of its log ([logs] per_mission)"
    if parts:
        context.note(f"{display_safe(transcript.name)}: {' and '.join(parts)} were removed by {limit}.")


def _labelled(args: Namespace, context: Context) -> bool:
    """Put the missions with these labels beside those that are named; False when there are none at all."""
    rows = context.client().call("ps", {"label": args.label, "all": True})
    args.ids = list(dict.fromkeys([*args.ids, *(row["id"] for row in rows)]))
    return bool(args.ids)


def _previous(mission: Mapping[str, Any]) -> int:
    """Return the number of the run before the newest one.

    Raises:
        OvermindError: `not_found`, it has run once at most.
    """
    numbers = sorted(run["number"] for run in mission["runs"])
    if len(numbers) < 2:  # noqa: PLR2004  (the newest, and one before it)
        raise OvermindError("not_found", f"Mission {mission['id']} ({mission['name']}) has no previous run.")
    return int(numbers[-2])


def _view(args: Namespace, context: Context) -> Callable[[list[Transcript]], None]:
    if args.cast:
        return lambda transcripts: _show_cast(transcripts, context)
    if args.raw:
        return _show_raw
    return lambda transcripts: _show_text(args, context, transcripts)


def _check(args: Namespace) -> None:
    """Refuse options that contradict each other."""
    for name, others in _EXCLUSIVE.items():
        for other in others:
            if getattr(args, name) and getattr(args, other) not in {None, False}:
                raise UsageError(f"--{name} and --{other} can't be used together")
    if args.cast and len(args.ids) != 1:
        raise UsageError("--cast records one mission: name it")


def check_run(transcript: Transcript, number: int | None) -> None:
    """Refuse a run that is not there.

    Raises:
        OvermindError: `not_found`.
    """
    if number is not None and not transcript.has_run(number):
        raise OvermindError(
            "not_found", f"mission {transcript.name!r} has no run {number}. See: overmind info {transcript.id}"
        )


def _selection(args: Namespace, context: Context, run: int | None) -> LogSelection:
    from overmind_core.cli.follow_logs import line_renderer  # start-up, as above
    from overmind_core.logs.transcript import BOTH, LogSelection

    streams = {OUT} if args.stdout else set()
    streams |= {ERR} if args.stderr else set()
    # Only the end of the lines that match: all must be looked at.
    tail = None if args.grep or args.events else args.tail
    return LogSelection(
        run=run,
        streams=tuple(sorted(streams)) or BOTH,
        since=args.since,
        until=_end(args),
        tail=tail,
        colour=coloured(context.environ),
        renderers=line_renderer,
    )


def _printer(args: Namespace, context: Context) -> LinePrinter:
    from overmind_core.cli.follow_logs import LinePrinter  # start-up, as above

    return LinePrinter(pattern=args.grep, timestamps=args.timestamps, colour=coloured(context.environ))


def _show_text(args: Namespace, context: Context, transcripts: list[Transcript]) -> None:
    printer = _printer(args, context)
    events = _events(context) if args.events else {}
    for transcript in transcripts:
        lines = _merged([transcript.begin(follow=False), events.get(transcript.id, [])])
        found = iter(_last(transcript, printer.matching(lines), args))
        first = next(found, None)
        if first is None and args.grep:
            continue  # a title alone would say that something matches
        if len(args.ids) != 1 or args.label:
            context.print(_title(transcript, context))
        printer.show(transcript.id, found if first is None else chain([first], found))


def _title(transcript: Transcript, context: Context) -> str:
    from overmind_core.domain.text.cells import display_safe

    there = "" if context.hive is None else f"{context.hive.name}/"
    return f"=== {there}{display_safe(transcript.name)} ({transcript.id}) ==="


def _last(transcript: Transcript, lines: Iterable[Line], args: Namespace) -> Iterable[Line]:
    from collections import deque

    if args.tail is None:
        return lines
    last = deque(lines, maxlen=args.tail)
    if (args.grep or args.events) and len(last) == args.tail:
        transcript.forget_removed()
    return last


def _merged(sources: list[Iterable[Line]]) -> Iterator[Line]:
    """Several logs in the order of their times."""
    from heapq import merge

    return merge(*sources, key=lambda line: line[0])


def _show_raw(transcripts: list[Transcript]) -> None:
    for transcript in transcripts:
        _write_bytes(transcript)


def _write_bytes(transcript: Transcript) -> bool:
    """Print the bytes that came since the last time; return whether there were any."""
    any_came = False
    for _, _, _, data in transcript.chunks():
        write_out(data, flush=False)
        any_came = True
    write_out("")
    return any_came


def _show_cast(transcripts: list[Transcript], context: Context) -> None:
    from overmind_core.logs.snapshot import asciicast
    from overmind_core.logs.transcript import LogSelection, removed_before, run_log

    for transcript in transcripts:
        for run in transcript.runs[-1:]:
            log = run_log(run)
            if log.has_damaged_times(ended=run.get("ended_at") is not None):
                context.note(
                    f"Warning: the time index of run {run['number']} is damaged or incomplete. The recording has "
                    "all output, but some times are wrong."
                )
            lines = asciicast(
                log,
                columns=run["columns"],
                rows=run["rows"],
                terminal=run["tty"],
                title=transcript.name,
            )
            for line in lines:
                write_out(f"{line}\n", flush=False)
            removed = removed_before(run, log.start, LogSelection())
            note_removed(transcript, {run["number"]: removed} if removed else {}, context)


def _events(context: Context) -> dict[str, list[Line]]:
    """The events of all missions as lines."""
    from overmind_core.client.stream import follow
    from overmind_core.domain.text.cells import display_safe
    from overmind_core.logs.display import NOTE

    found: dict[str, list[Line]] = {}
    for kind, event in follow(context.client(), lambda: ("events", {})):
        if kind == "item" and event.get("mission") and "text" not in event:  # those with a text are annotations
            facts = " ".join(
                f"{name}={value}" for name, value in event.items() if name not in _EVENT_HEAD and value is not None
            )
            text = display_safe(f"--- {event['type']} {facts}".rstrip() + " ---")
            found.setdefault(event["mission"], []).append((_time(event["at"]), NOTE, text))
    return found


_EVENT_HEAD = {"seq", "at", "type", "mission", "name", "out", "err"}


def _follow(args: Namespace, context: Context, selection: LogSelection) -> bool:
    """Follow the output; return False where its end has come before anything was shown."""
    from overmind_core.cli.follow_logs import LogFollower  # start-up, as above
    from overmind_core.cli.waiting import WaitTeller

    view = _RawView(args, context) if args.raw else _TextView(args, context)
    follower = LogFollower(args.ids or None, selection, begin=view.begin, show=view.show, look=view.look)
    end = _end(args)
    left = None if end is None else time.monotonic() + end - time.time()
    teller = WaitTeller(
        context,
        lambda: [one.id for one in follower.transcripts.values() if not one.ended],
        of_quests=False,
        keep_waiting=True,
        shows_output=lambda: view.has_shown,
    )
    try:
        follower.follow(context.client(), deadline=left, idle=teller.is_hopeless if args.ids else None)
    finally:
        view.end()
    return end is None or bool(follower.transcripts)


class _RawView:
    """Bytes as they come; several missions' are not told apart."""

    def __init__(self, args: Namespace, context: Context) -> None:
        self._run = args.run
        self._context = context
        self.has_shown = False

    def begin(self, transcripts: list[Transcript]) -> None:
        for transcript in transcripts:
            check_run(transcript, self._run)
            self.show(transcript)
        _tell_removed(transcripts, self._context)

    def show(self, transcript: Transcript) -> None:
        self.has_shown |= _write_bytes(transcript)

    def look(self, transcript: Transcript) -> None:
        """Nothing: bytes are shown as they come."""

    def end(self) -> None:
        """Nothing: the bytes are the program's."""


class _TextView:
    """Lines as they come; those of several missions begin with its name."""

    def __init__(self, args: Namespace, context: Context) -> None:
        self._args = args
        self._context = context
        self._printer = _printer(args, context)
        context.before_note = self._printer.make_room

    @property
    def has_shown(self) -> bool:
        """True once a line was printed."""
        return self._printer.has_shown

    def begin(self, transcripts: list[Transcript]) -> None:
        for transcript in transcripts:
            check_run(transcript, self._args.run)
        if len(self._args.ids) != 1:
            self._printer.name(transcripts)
        if len(transcripts) == 1:
            self._printer.show(transcripts[0].id, self._first(transcripts[0]))
        else:
            self._begin_several(transcripts)
        _tell_removed(transcripts, self._context)

    def _begin_several(self, transcripts: list[Transcript]) -> None:
        from heapq import merge

        sources = [_tagged(transcript, self._first(transcript)) for transcript in transcripts]
        for line, transcript in merge(*sources, key=lambda tagged: tagged[0][0]):
            self._printer.write(transcript.id, [line])
        write_out("")

    def show(self, transcript: Transcript) -> None:
        self._printer.show(transcript.id, transcript.new_lines())

    def look(self, transcript: Transcript) -> None:
        self._printer.look(transcript)

    def end(self) -> None:
        self._printer.end_line()

    def _first(self, transcript: Transcript) -> Iterable[Line]:
        lines = transcript.begin(follow=not transcript.ended)
        return _last(transcript, self._printer.matching(lines), self._args)


def _tagged(transcript: Transcript, lines: Iterable[Line]) -> Iterator[Tagged]:
    return ((line, transcript) for line in lines)


def _time(word: str) -> float:
    return parse_time(word, time.time())


def _either_time(word: str) -> tuple[float, float]:
    """The time as one that has passed, and as one to come: which is meant, only the other options tell."""
    now = time.time()
    return parse_time(word, now), parse_later(word, now)


def _end(args: Namespace) -> float | None:
    """When the output ends that is shown, in seconds since the epoch; with -f `5m` is in five minutes."""
    if args.until is None:
        return None
    passed, to_come = args.until
    return float(to_come if args.follow else passed)


def _pattern(word: str) -> re.Pattern[str]:
    try:
        return re.compile(word)
    except re.error as error:
        raise ValueError(f"{word!r} is not a regular expression: {error}") from None


_COUNT = re.compile("-[0-9]+")


def tail_options(words: list[str]) -> list[str]:
    """Return the words with `--tail=100` in the place of `-100`, as tail(1) has it."""
    end = words.index("--") if "--" in words else len(words)
    return [*(_tail_option(words, place) for place in range(end)), *words[end:]]


def _tail_option(words: list[str], place: int) -> str:
    word = words[place]
    is_value = bool(place) and words[place - 1] in {
        name for one in LOGS.options if one.takes_value for name in one.names
    }
    return f"--tail={word[1:]}" if _COUNT.fullmatch(word) and not is_value else word


LOGS = Command(
    name="logs",
    arguments=[ids(nargs="*")],
    options=[
        flag("--follow", "follow the output until the missions end", short="-f"),
        option("--tail", "N", "print only the last N lines", short="-n", also=["--lines"], parse=whole_number),
        option("--since", "WHEN", "only output after this time: 5m (ago), 14:30, 2026-11-20T14:30:00Z", parse=_time),
        option("--until", "WHEN", "only output before this time", parse=_either_time),
        flag("--timestamps", "prefix each line with its time", short="-t"),
        option("--run", "N", "only the N-th run of a restarted mission", parse=whole_number),
        flag("--previous", "only the previous run", short="-p"),
        option("--label", "KEY[=VALUE]", "logs of the missions with this label (repeatable)",
               short="-l", also=["--selector"], parse=label_filter, repeat=True),
        flag("--stdout", "only standard output (missions with --no-tty)"),
        flag("--stderr", "only standard error"),
        option("--grep", "RE", "only lines that match this regular expression", parse=_pattern),
        flag("--raw", "print the bytes unchanged, without annotations"),
        flag("--events", "show the missions' events between the lines"),
        flag("--cast", "print a recording of the last run (or --run N), in asciicast v2"),
    ],
    examples=[
        "overmind logs api",
        "overmind logs -f api worker",
        "overmind logs api -n 100 --since 5m --timestamps",
        "overmind logs -l team=web --previous",
        "overmind logs api --grep 'error|warning'",
        "overmind logs api --cast > api.cast",
    ],
    rewrite=tail_options,
    run=logs,
)  # fmt: skip

COMMANDS = (LOGS,)
