"""`overmind replay`: a run as it happened, on the person's terminal; or what it showed at one moment, printed."""

from __future__ import annotations

import threading
import time

from overmind_core.cli.command import Command, one_id, option
from overmind_core.cli.missions.logs import check_run, note_removed
from overmind_core.cli.output import coloured, size
from overmind_core.cli.values import positive_number
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.duration import parse_duration
from overmind_core.domain.text.moment import format_clock, parse_time
from overmind_core.errors import OvermindError
from overmind_core.view.playback import FASTEST, IDLE, SLOWEST, Playback, parse_position

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.cli.missions.recording import Recording
    from overmind_core.logs.transcript import Transcript

    Json = dict[str, Any]

LINES = 24
"""Of a transcript that is printed: as many as a terminal has rows."""

SLOW_SECONDS = 2.0


def replay(args: Namespace, context: Context) -> int:
    """Play until the person leaves; with --at and without a terminal, print that moment."""
    from overmind_core.cli.attach.local_terminal import Terminal  # start-up: --help needs none
    from overmind_core.cli.missions.recording import Recording

    is_seen = Terminal.is_available()
    if not is_seen and args.at is None:
        raise OvermindError(
            "invalid",
            "replay needs a terminal for input and output. Without one: "
            f"overmind replay {args.id} --at 14:30, or overmind logs {args.id} --cast",
        )
    transcript, mission = _described(args, context)
    recording = Recording(mission, _run(transcript, args), colours=is_seen and coloured(context.environ))
    _check_kept(transcript, recording)
    if recording.is_empty:
        yet = "" if recording.has_ended else " yet"
        context.note(f"Run {recording.number} of {recording.name} has written nothing{yet}.")
        return 0
    at = None if args.at is None else _position(args.at, recording)
    note_removed(transcript, recording.removed, context)
    if recording.has_damaged_times:
        context.note(
            f"Warning: some times of run {recording.number} are wrong: its time index is damaged or incomplete."
        )
    if not is_seen:
        return _print(recording, at or 0.0, context)
    return _play(args, context, recording, at)


def _described(args: Namespace, context: Context) -> tuple[Transcript, Json]:
    """The mission with the wanted run."""
    from overmind_core.logs.transcript import LogSelection, Transcript  # start-up, as above

    mission = context.client().call("logs", {"ids": [args.id]})["missions"][0]
    transcript = Transcript(mission, LogSelection(run=args.run))
    check_run(transcript, args.run)
    if not transcript.runs:
        raise OvermindError(
            "not_running",
            f"Mission {transcript.id} ({display_safe(transcript.name)}) can't be replayed: no process of it has run.",
        )
    return transcript, mission


def _run(transcript: Transcript, args: Namespace) -> Json:
    """The run that is replayed: the newest one, or the newest one that had begun at the wanted time."""
    runs = transcript.runs
    if args.at is None or args.at.strip().startswith("+"):
        return runs[-1]
    at = parse_time(args.at, time.time())
    return next((run for run in reversed(runs) if parse_time(run["started_at"], 0.0) <= at), runs[0])


def _check_kept(transcript: Transcript, recording: Recording) -> None:
    """Refuse a run of which nothing is left."""
    written = recording.run["out"] + recording.run["err"]
    if recording.is_empty and written:
        raise OvermindError(
            "not_found",
            f"All {size(written)} of run {recording.number} of {display_safe(transcript.name)} were removed by a "
            f"limit of logs ([logs] per_mission or total). See its runs with: overmind info {transcript.id}",
        )


def _position(word: str, recording: Recording) -> float:
    """The time that --at means, in seconds since the epoch.

    Raises:
        OvermindError: `invalid`, the run shows nothing of that time.
    """
    now, begin = time.time(), recording.moments.begin
    at = parse_position(word, begin, now)
    of_run = f"run {recording.number} of {recording.name}"
    if at > now:
        raise OvermindError("invalid", f"{format_clock(at, now)} is still to come. Give a time that has passed.")
    if at < begin:
        began = "the part of {} that is kept begins" if recording.removed else "{} began"
        sentence = f"{began.format(of_run)} at {format_clock(begin, now)}, after {format_clock(at, now)}."
        raise OvermindError("invalid", f"{sentence[0].upper()}{sentence[1:]} From its beginning: --at +0s")
    return at


def _print(recording: Recording, at: float, context: Context) -> int:
    number = recording.moments.by(at)
    if recording.history is None:
        for line in recording.lines_at(number, LINES):
            context.print(line)
        return 0
    from overmind_core.cli.missions.watch import screen_text  # start-up, as above

    teller = _SlowTeller(context)
    tail = recording.history.certain_screen_at(recording.moments[number].place, teller.tell_once)
    context.print(screen_text(tail.screen, ansi=False))
    if not tail.is_certain():
        context.note("Parts of this screen may be missing: the run's beginning is not kept.")
    return 0


class _SlowTeller:
    """Says once that a screen takes long."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._due = time.monotonic() + SLOW_SECONDS

    def tell_once(self) -> None:
        if time.monotonic() >= self._due:
            self._due = float("inf")
            self._context.note("Drawing the screen from the run's beginning; ctrl-c gives up.")


class _RunAsker:
    """Asks the daemon for a run as it is now, in a thread: the person's keys never wait for a daemon that is lost.

    Args:
        context: Of the command; nothing is said there, as the terminal shows the replay.
        recording: Of the run.
    """

    def __init__(self, context: Context, recording: Recording) -> None:
        self._place = context.place
        self._recording = recording
        self._found: Json | None = None
        self._thread: threading.Thread | None = None

    def newest(self) -> Json | None:
        """Return what was answered last, and ask again; None: nobody knows, or not yet."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._ask, name="replayed-run", daemon=True)
            self._thread.start()
        return self._found

    def _ask(self) -> None:
        from overmind_core.client.client import Client  # start-up, as above

        client = Client(self._place)
        try:
            runs = client.call("logs", {"ids": [self._recording.mission]})["missions"][0]["runs"]
            self._found = next((run for run in runs if run["number"] == self._recording.number), None)
        except OvermindError:
            self._found = None
        finally:
            client.close()


def _play(args: Namespace, context: Context, recording: Recording, at: float | None) -> int:
    from overmind_core.cli.attach.local_terminal import Signals, Terminal  # start-up, as above
    from overmind_core.cli.missions.replay_player import ReplayPlayer

    playback = Playback(recording.moments, time.monotonic(), at=at, speed=args.speed or 1.0, idle=args.idle or IDLE)
    asker = _RunAsker(context, recording)
    with Signals(stops=True) as signals:
        return ReplayPlayer(Terminal(), signals, recording, playback, asker.newest).play()


def _at(word: str) -> str:
    """Check a time; which one is meant, only the run tells."""
    parse_position(word, 0.0, time.time())
    return word


def _speed(word: str) -> float:
    digits = word.strip().removesuffix("x")
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit() or not SLOWEST <= float(digits) <= FASTEST:
        raise ValueError(f"{word!r} is not a speed from 0.0625 to {FASTEST:.0f}, such as 4 or 0.5")
    return float(digits)


def _idle(word: str) -> float:
    if seconds := parse_duration(word):
        return seconds
    raise ValueError("a pause can't be cut to nothing: give a time such as 2s, or 100d to keep all of it")


REPLAY = Command(
    name="replay",
    arguments=[one_id()],
    options=[
        option(
            "--at",
            "WHEN",
            "begin at this time: +10m (after the run's beginning), 10m (ago), 14:30, 2026-11-20T14:30:00Z; "
            "without a terminal, print what was shown then",
            parse=_at,
        ),
        option("--speed", "N", "play N times as fast", parse=_speed),
        option("--run", "N", "the N-th run of a restarted mission; else the newest, or the one of --at",
               parse=positive_number),
        option("--idle", "TIME", "cut a pause in which nothing changes to this time (default: 2s)", parse=_idle),
    ],
    examples=[
        "overmind replay editor",
        "overmind replay build --at +10m --speed 4",
        "overmind replay editor --at 14:30 | head",
    ],
    notes=(
        "Keys: space pauses; , and . go one change back and forward; the arrows left and right go 5 seconds, Home and "
        "End to the ends; < and > change the speed; g asks for a time; q, Esc or ctrl-c leaves."
    ),
    run=replay,
)  # fmt: skip

COMMANDS = (REPLAY,)
