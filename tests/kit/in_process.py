"""The real supervisor inside of a test: its keeper holds no process, and no time passes while anything is to be done.

Nothing of the supervisor is replaced: its books are on disk, its requests come through the table of its commands. A
wait of a minute takes no longer than what is done in it, and always as long on its own clock: so a test may say how
soon something happens.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import selectors
import sys
from collections import defaultdict
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, cast
from unittest import mock

import msgspec

from overmind_core.daemon.app import App
from overmind_core.daemon.routes import endpoints
from overmind_core.daemon.state import State
from overmind_core.kernel.config import Settings
from overmind_core.kernel.keeper_client import KeeperRefused
from overmind_core.kernel.request import ourselves
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.writer import RunLogWriter
from overmind_core.system import process_table
from overmind_core.system.machine import boot_id
from overmind_core.system.paths import Home
from overmind_core.system.process import Snapshot
from overmind_core.system.process_table_linux import LinuxProcessTable
from tests.kit import processes
from tests.kit.briefing import Remembered
from tests.kit.events import is_of_its_type

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping

    from overmind_core.agents.ports import Briefing
    from overmind_core.kernel.keeper_client import KeeperConnection, KeeperStarter

T = TypeVar("T")
LIMIT = 600.0
"""Seconds, on the loop's clock, that a test may take."""
PATIENCE = 120.0
"""The same of one wait."""
THREADS = 20.0
"""Seconds, on everybody's clock, that a worker thread may take."""
BUSY = 50_000
"""Turns of the loop in which its clock may stand."""
WALL = 1_800_000_000.0
"""Seconds since the epoch when the loop's clock shows 0."""
NOBODY = 1 << 22
"""A number that no process ever has: pids end below it."""


class _Idle(selectors.DefaultSelector):
    """Where a loop waits: when nothing is ready and no thread works, the wait is over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.working = 0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns += 1
        assert self._turns < BUSY, "it is busy for ever"
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.working:
            ready = super().select(THREADS)
            assert ready, "a worker thread has come to no end"
            return ready
        assert timeout is not None  # there is the limit of the whole
        self.now += timeout
        self._turns = 0
        return []


class Loop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own, in seconds: it moves only while nothing is to be done."""

    def __init__(self) -> None:
        self._idle = _Idle()
        self.failures: list[BaseException] = []
        """What callbacks have raised, which a loop would only log."""
        super().__init__(self._idle)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep it for the end."""
        self.failures.append(context.get("exception") or AssertionError(context["message"]))

    def time(self) -> float:
        """Its clock."""
        return self._idle.now

    def waits_for(self, thread: asyncio.Future[Any]) -> None:
        """Let the clock stand until that is done."""
        self._idle.working += 1
        thread.add_done_callback(self._worked)

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Let the threads end; the clock stands meanwhile."""
        self._idle.working += 1
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._idle.working -= 1

    def _worked(self, _future: asyncio.Future[Any]) -> None:
        self._idle.working -= 1


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end on such a loop. Raises TimeoutError: it comes to none."""
    loop = Loop()
    wrap = asyncio.wrap_future

    def watched(future: Any, **options: Any) -> asyncio.Future[Any]:
        wrapped: asyncio.Future[Any] = wrap(future, **options)
        loop.waits_for(wrapped)
        return wrapped

    try:
        with (
            mock.patch.object(asyncio, "wrap_future", watched),
            mock.patch.object(asyncio.futures, "wrap_future", watched),
            _own_processes(),
            asyncio.Runner(loop_factory=lambda: loop) as runner,
        ):
            return runner.run(asyncio.wait_for(work, LIMIT))
    finally:
        for failure in loop.failures:
            raise failure


class OwnProcesses(LinuxProcessTable):
    """The table of a supervisor that runs in this process: nobody but us and our descendants, and all real.

    A supervisor looks at all processes again and again; here a look costs the same on a machine that has thousands.
    """

    def scan(self) -> Snapshot:
        """Look at them."""
        found = map(process_table.read, (os.getpid(), *processes.below(os.getpid())))
        return Snapshot({process.pid: process for process in found if process is not None})


def _own_processes() -> AbstractContextManager[object]:
    """Have every look at the machine see those alone; elsewhere than on Linux it is the real look."""
    if sys.platform != "linux":
        return nullcontext()
    return mock.patch.object(process_table, "_SystemProcessTable", OwnProcesses)


async def until(holds: Callable[[], T], what: str = "") -> T:
    """Wait until `holds()` is true of the supervisor, and return that."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not (found := holds()):
        assert loop.time() < end, f"this never came: {what or holds}"
        await asyncio.sleep(0.01)
    return found


async def idle() -> None:
    """Wait until the supervisor has nothing left to do: the loop's clock, on which this ends, moves no sooner."""
    await asyncio.sleep(0.001)


class LoopClock:
    """The supervisor's clock: that of the loop, and for people so many seconds later."""

    def __init__(self, later: float = 0.0) -> None:
        self._later = later

    def wall(self) -> float:
        """Seconds since the epoch."""
        return WALL + self._later + self.mono()

    def mono(self) -> float:
        """Seconds of the loop."""
        return asyncio.get_running_loop().time()

    def boot(self) -> float:
        """The same: this machine never sleeps."""
        return self.mono()


class ScriptedKeeper:
    """Stands where the supervisor gets its keeper, and outlives it. Its runs are rows: the test says what they do.

    Attributes:
        asked: Every request so far, by operation: its fields.
        held: The rows of its runs, as it lists them.
        silent: Operations that it carries out without an answer, as one does whose supervisor dies.
        typed: What each run was given to read, piece by piece.
        on_ask: What else happens at an operation, by its name: called with its fields.
        on_connect: What happens as soon as a supervisor has its line.
    """

    kill_after = None
    attended = False

    def __init__(self, home: Home, *, number: int = 1) -> None:
        """`number`: which of the home's keepers it is; another one holds nothing of those before it."""
        self._home = home
        self._number = number
        self._logs: dict[str, RunLogWriter] = {}
        self._seq = 0
        self._changes: dict[str, int] = defaultdict(int)
        """Run → the number of its newest change."""
        self._notice: Callable[[dict[str, Any]], None] = lambda _notice: None
        self.asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.held: dict[str, dict[str, Any]] = {}
        self.silent: set[str] = set()
        self.typed: dict[str, list[bytes]] = defaultdict(list)
        self.on_ask: dict[str, Callable[[dict[str, Any]], None]] = {}
        self.on_connect: Callable[[], object] = lambda: None

    def lives(self) -> bool:
        """Whether it holds its lock."""
        return True

    def reap(self) -> None:
        """It has not ended."""

    async def connect(
        self, on_notice: Callable[[dict[str, Any]], None], on_lost: Callable[[], None]
    ) -> tuple[KeeperConnection, dict[str, Any]]:
        """A line to it."""
        del on_lost
        self._notice = on_notice
        self.on_connect()
        return cast("KeeperConnection", _Line(self)), {
            "pid": NOBODY + 1,
            "started": float(self._number),
            "boot": boot_id(),
            "leases": {run: row["lease"] for run, row in self.held.items() if row["lease"] is not None},
        }

    def answer(self, op: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What it answers. Raises KeeperRefused."""
        match op:
            case "spawn":
                return self._spawn(fields["run"], fields.get("lease"))
            case "lease":
                return self._lease(fields["runs"])
            case "write":
                return self._write(fields["run"], fields["seq"], base64.b64decode(fields["data"]))
            case "watch" if fields["on"] and fields["run"] in self.held:
                self._notify_extent(fields["run"])  # as the real one: its present size comes at once
            case "release":
                row = self.held.get(fields["run"], {})
                return {name: row[name] for name in ("out", "err") if name in row}
            case "list" | "changed":
                since = fields.get("since", -1)
                rows = [dict(row) for run, row in self.held.items() if self._changes[run] > since]
                return {"runs": rows, "seq": self._seq}
        answers: dict[str, dict[str, Any]] = {
            "orphans": {"left": False},
            "purge": {"survivors": []},
            "status": {"pid": NOBODY, "rss": 0, "runs": len(self.held)},
        }
        return answers.get(op, {})

    def write(self, run: str, data: bytes, stream: int = OUT) -> None:
        """The run has written that."""
        log = self._logs.setdefault(run, RunLogWriter(self._home.logs, run, limit=1 << 30, segment=1 << 20))
        clock = LoopClock()
        log.append(stream, data, clock.wall())
        row = self.held[run]
        row["out"], row["err"], row["last"] = log.offsets[OUT], log.offsets[ERR], clock.mono()
        self._touch(run)
        self._notify_extent(run)

    def exit(self, run: str, code: int = 0, *, left: bool = False) -> None:
        """The run's first process has ended; `left`: others have not."""
        row, clock = self.held[run], LoopClock()
        end = {"code": code, "end": clock.wall(), "mono": clock.mono(), "out": row["out"], "err": row["err"]}
        row["exit"] = {**end, "left": left}
        self._touch(run)
        begin = {name: row[name] for name in ("pid", "ticks", "mark", "started")} | {"began": row["mono"]}
        notice = {"run": run, **end, **begin, **({"fenced": True} if row["fenced"] else {})}
        with open(self._home.exits, "a", encoding="utf-8") as journal:
            journal.write(json.dumps({**notice, "boot": boot_id()}) + "\n")
        self._notice({"notice": "exit", **notice, "left": left})

    def lose(self) -> None:
        """The supervisor is gone: what happens now it does not hear."""
        self._notice = lambda _notice: None

    def close(self) -> None:
        """Let go of the logs."""
        for log in self._logs.values():
            log.close()

    def fence(self, run: str) -> None:
        """The lease of the run has ended, and the run with it."""
        self.held[run] |= {"fenced": True, "lease": None}
        self._notice({"notice": "fenced", "run": run})
        self.exit(run, -9)

    def _lease(self, runs: Mapping[str, float | None]) -> dict[str, Any]:
        known = [self.held[run] for run in runs if run in self.held]
        for row in known:
            row["lease"] = runs[row["run"]]
        return {"runs": [{name: row[name] for name in ("run", "lease", "fenced")} for row in known]}

    def _spawn(self, run: str, lease: float | None) -> dict[str, Any]:
        clock = LoopClock()
        if lease is not None and lease <= clock.boot():
            raise KeeperRefused({"error": "fenced", "message": "the lease has ended"})
        row = self.held.setdefault(
            run,
            {
                "run": run, "pid": NOBODY + 2 + len(self.held), "ticks": 1, "mark": 0, "out": 0, "err": 0, "in_seq": 0,
                "in_written": 0, "started": clock.wall(), "mono": clock.mono(), "last": clock.mono(), "trouble": None,
                "acked": False, "exit": None, "lease": lease, "fenced": False,
            },
        )  # fmt: skip
        self._touch(run)
        return dict(row)

    def _touch(self, run: str) -> None:
        """It has changed."""
        self._seq += 1
        self._changes[run] = self._seq

    def _notify_extent(self, run: str) -> None:
        row = self.held[run]
        self._notice({"notice": "grown", "run": run, **{name: row[name] for name in ("out", "err", "last")}})

    def _write(self, run: str, seq: int, piece: bytes) -> dict[str, Any]:
        if run not in self.held:
            raise KeeperRefused({"error": "unknown_run"})
        self.held[run]["in_seq"] = seq
        self.typed[run].append(piece)
        return {"seq": seq, "written": seq}


class _Line:
    """The supervisor's line to such a keeper."""

    def __init__(self, keeper: ScriptedKeeper) -> None:
        self._keeper = keeper
        self.closed = False

    def request(self, op: str, **fields: object) -> asyncio.Future[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._keeper.asked[op].append(fields)
        loop.call_soon(self._answer, future, op, fields)
        return future

    def send(self) -> None:
        """All was sent when it was asked for."""

    def is_mute(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True

    def _answer(self, future: asyncio.Future[dict[str, Any]], op: str, fields: dict[str, Any]) -> None:
        if self.closed or future.done():
            return
        try:
            answer = self._keeper.answer(op, fields)
            if op in self._keeper.on_ask:
                self._keeper.on_ask[op](fields)
        except KeeperRefused as refusal:
            future.set_exception(refusal)
            future.exception()  # whoever waits sees it; nobody else has to
            return
        if op not in self._keeper.silent:
            future.set_result(answer)


class Inside:
    """One supervisor, asked as through its socket."""

    def __init__(self, app: App, cwd: str) -> None:
        self.app = app
        self._cwd = cwd
        self._table = endpoints(app)

    def stream(self, command: str, /, **arguments: object) -> Any:
        """What the command yields; of one without a stream: a coroutine of its answer."""
        endpoint = self._table[command]
        return endpoint.handle(msgspec.convert(arguments, endpoint.arguments), ourselves(), None)

    async def ask(self, command: str, /, **arguments: object) -> Any:
        """The answer to a command, or the first of a stream.

        Raises:
            OvermindError: it was refused.
        """
        answer = self.stream(command, **arguments)
        if not hasattr(answer, "__anext__"):
            return await answer
        try:
            return await anext(answer)
        finally:
            await answer.aclose()

    async def run(self, command: object, **arguments: object) -> str:
        """Start a mission; its id."""
        started = await self.ask("run", **{"command": command, "cwd": self._cwd, "env": world()} | arguments)
        return str(started["id"])

    async def question(self, but: int = 0) -> Any:
        """The one that is open in the inbox, beside one."""
        for _ in range(1000):
            if found := [one for one in await self.ask("inbox") if one["question"] != but]:
                (one,) = found
                return one
            await idle()
        raise AssertionError("nothing is asked")

    def event_types(self, mission: str) -> list[str]:
        """What has happened to the mission, by the kinds of its events."""
        return [event["type"] for event in self.events(mission)]

    def events(self, mission: str) -> list[dict[str, Any]]:
        """What has happened to the mission."""
        self.app.journal.flush()
        rows = self.app.state.events.after(0, 1000, missions=[mission])
        events = [msgspec.json.decode(row.data) for row in rows]
        assert all(map(is_of_its_type, events))
        return events


def world(folder: str = "", *programs: str) -> dict[str, str]:
    """A caller's environment; `programs` are found in `folder`, and never started."""
    path = os.environ["PATH"]
    if programs:
        os.makedirs(folder, exist_ok=True)
        path = f"{folder}{os.pathsep}{path}"
    for program in programs:
        os.close(os.open(os.path.join(folder, program), os.O_WRONLY | os.O_CREAT, 0o700))
    return {"PATH": path, "HOME": "/nowhere"}


@asynccontextmanager
async def supervising(
    home: Home,
    keeper: ScriptedKeeper,
    *,
    settings: Settings | None = None,
    cwd: str = "/",
    briefing: Briefing | None = None,
    own_notes: bool = False,
    later: float = 0.0,
) -> AsyncIterator[Inside]:
    """A supervisor of `home`. At the end of the block it is gone from one moment to the next, as after a crash.

    Its runs are given nothing of the notes, or what `briefing` has for them, or with `own_notes` what the home has. It
    comes so many seconds `later` than others of the home.
    """
    os.makedirs(home.root, mode=0o700, exist_ok=True)
    state = State.open(home.database)
    given = None if own_notes else briefing or Remembered(is_on=False)
    app = App(home, state, settings or Settings(), cast("KeeperStarter", keeper), LoopClock(later), briefing=given)
    try:
        await app.start()
        yield Inside(app, cwd)
    finally:
        keeper.lose()
        app.close()
        for _ in range(3):
            await asyncio.sleep(0)
        state.close()


def played(home: Home, play: Callable[[Inside, ScriptedKeeper], Awaitable[T]], settings: Settings) -> T:
    """Run a story in one supervisor, with a keeper of its own; what the story returns."""

    async def whole() -> T:
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=settings) as inside:
            found = await play(inside, keeper)
        keeper.close()
        return found

    return run(whole())
