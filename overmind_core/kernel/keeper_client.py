"""The supervisor's client of its keeper: pipelined requests, notices, and the news that it is gone.

It connects to the keeper that lives, and starts one when none does: detached, in its own session, and in a scope of its
own where a systemd user manager answers: else the end of the terminal's scope, or systemd-oomd, would take the agents
along.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.system.lock import holder_pid
from overmind_core.system.paths import Home, read_socket_address
from overmind_core.system.program_log import open_log
from overmind_core.version import VERSION
from overmind_core.wire.framing import LineBuffer
from overmind_core.wire.keeper import FAILED, LISTENS, STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


PROTOCOL_VERSIONS = (1, 1)
"""Oldest and newest keeper protocol that this supervisor speaks."""
MAX_ANSWER = 256 * 1024 * 1024
RECEIVED = 64 * 1024
"""Bytes taken from the keeper at a time."""
_log = logging.getLogger(__name__)


class KeeperGone(Exception):
    """The connection ended before the answer came."""


class KeeperRefused(Exception):
    """The keeper answered with an error."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{answer.get('error')}: {answer.get('message', '')}")
        self.code = str(answer.get("error"))
        self.message = str(answer.get("message", ""))
        self.answer = answer


class KeeperConnection(asyncio.BufferedProtocol):
    """One connection to one keeper; made anew for the next keeper."""

    def __init__(self, on_notice: Callable[[dict[str, Any]], None], on_lost: Callable[[], None]) -> None:
        self._on_notice = on_notice
        self._on_lost = on_lost
        self._lines = LineBuffer(MAX_ANSWER)
        self._inbox = bytearray(RECEIVED)
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next = 0
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._encoder = msgspec.json.Encoder()
        self._loop = asyncio.get_running_loop()
        self._silent_since = 0.0
        """When it said something last, or was asked something while it had nothing to say."""
        self._ping: asyncio.Future[dict[str, Any]] | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody who waits will get an answer."""
        del exc
        announce = not self.closed
        self.closed = True
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(KeeperGone())
                future.exception()  # whoever waits sees it; nobody else has to
        if announce:
            self._on_lost()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where its bytes go: the same place each time, for new memory costs more than a notice."""
        del sizehint
        return self._inbox

    def buffer_updated(self, nbytes: int) -> None:
        """Hand answers to those who wait, and notices on."""
        self._silent_since = self._loop.time()
        for line in self._lines.feed(bytes(memoryview(self._inbox)[:nbytes])):
            self._receive(msgspec.json.decode(line))

    def request(self, op: str, **fields: object) -> asyncio.Future[dict[str, Any]]:
        """Send a request; the future holds the `ok` part of the answer, KeeperRefused or KeeperGone."""
        future: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        if self.closed or self._transport is None:
            future.set_exception(KeeperGone())
            future.exception()
            return future
        if not self._pending:
            self._silent_since = self._loop.time()
        self._next += 1
        self._pending[self._next] = future
        if not self._outgoing:
            self._loop.call_soon(self.send)
        self._outgoing.append(self._encoder.encode({"op": op, "n": self._next, **fields}))
        return future

    def is_mute(self) -> bool:
        """Whether the keeper has said nothing for too long. Ask now and then: this is what asks for a sign of life."""
        silent = self._loop.time() - self._silent_since if self._pending and not self.closed else 0.0
        if silent >= PING_SECONDS and (self._ping is None or self._ping.done()):
            self._ping = self.request(STATUS)
        return silent >= MUTE_SECONDS

    def close(self) -> None:
        """End the connection from our side; nobody is notified that the keeper is lost."""
        self.closed = True
        if self._transport is not None:
            self.send()
            self._transport.close()

    def send(self) -> None:
        """Send all requests that wait for the end of the turn."""
        if self._outgoing and self._transport is not None:
            lines, self._outgoing = self._outgoing, []
            self._transport.write(b"\n".join(lines) + b"\n")

    def _receive(self, message: dict[str, Any]) -> None:
        if "notice" in message:
            self._on_notice(message)
            return
        future = self._pending.pop(message.get("n", -1), None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(KeeperRefused(message))
            future.exception()
        else:
            future.set_result(message.get("ok") or {})


START_SECONDS = 20.0
"""How long a keeper may take to listen; it is a small process, but the machine may be busy."""
RETRY_SECONDS = 0.05
LONGEST_RETRY = 2.0
"""Seconds between two tries; they double with each keeper that has ended without a word."""
MUTE_SECONDS = 10.0
"""After which a keeper that says nothing to what it was asked is taken for stopped."""
PING_SECONDS = 4.0
"""Of silence after which a keeper is asked for a sign of life: an answer may take long, silence need not."""
LEAVE_SECONDS = 5.0
"""How long a keeper that has reported its end may take to it."""
REPORT_LIMIT = 4096
"""Bytes of a keeper's reason."""
UNKNOWN = 0
"""What a lock says of a holder that could not write its pid."""


_started: list[subprocess.Popen[bytes]] = []
"""Keepers that this process has started and not collected: each may outlive the supervisor that wanted it."""


class KeeperStarter:
    """How this supervisor gets its keeper. `daemon`: the argv that the keeper may start when we are gone."""

    def __init__(
        self,
        home: Home,
        *,
        daemon: Sequence[str] | None,
        kill_after: float | None = None,
        attended: bool = False,
        transient: bool = False,
        only: int | None = None,
    ) -> None:
        self._home = home
        self._transient = transient
        """Whether the keeper removes the home when it has ended everything after us."""
        self._only = only
        """The keeper that we came for. Who starts when it has left comes too late: all was ended meanwhile."""
        self._daemon = list(daemon) if daemon is not None else None
        self.kill_after = kill_after
        """Seconds after which the keeper ends everything, and itself, when we are gone; None = it never does."""
        self.attended = attended
        """Whether people, or other machines, see to what runs although the keeper ends it after us."""

    def lives(self) -> bool:
        """Whether a keeper holds this home's lock."""
        return holder_pid(self._home.keeper_lock) is not None

    async def connect(
        self, on_notice: Callable[[dict[str, Any]], None], on_lost: Callable[[], None]
    ) -> tuple[KeeperConnection, dict[str, Any]]:
        """A line to this home's keeper, started first when there is none, and the keeper's hello.

        Raises:
            OvermindError: it can't be started, or speaks a protocol that we don't; `daemon_not_running` when it is not
                the one that we came for.
        """
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        pause = RETRY_SECONDS
        while True:
            holder = holder_pid(self._home.keeper_lock)
            if self._only is not None and holder not in {self._only, UNKNOWN}:
                raise OvermindError("daemon_not_running")
            if holder is None and not await self._start():
                pause = min(2 * pause, LONGEST_RETRY)
            try:
                link, hello = await self._greet(on_notice, on_lost)
            except (OSError, KeeperGone) as error:
                # It is just starting, or just leaving: the lock tells which the next time round.
                if asyncio.get_running_loop().time() > deadline:
                    log = self._home.keeper_log
                    raise OvermindError("internal", f"The keeper does not answer: {error}. See {log}") from error
                await asyncio.sleep(pause)
            else:
                self._only = None  # from here on we supervise, and need a keeper as any other supervisor does
                return link, hello

    def reap(self) -> None:
        """Collect the keepers that we started and that have ended."""
        _started[:] = [process for process in _started if process.poll() is None]

    async def _greet(
        self, on_notice: Callable[[dict[str, Any]], None], on_lost: Callable[[], None]
    ) -> tuple[KeeperConnection, dict[str, Any]]:
        loop = asyncio.get_running_loop()
        address = read_socket_address(self._home.keeper_socket, self._home.keeper_socket_pointer)
        _, link = await loop.create_unix_connection(lambda: KeeperConnection(on_notice, on_lost), address)
        try:
            hello = await asyncio.wait_for(link.request("hello", **self._introduction()), MUTE_SECONDS)
        except TimeoutError:
            link.close()
            raise mute_keeper(holder_pid(self._home.keeper_lock)) from None
        except KeeperRefused as refusal:
            link.close()
            theirs = refusal.answer.get("protocol")
            raise OvermindError(
                "internal",
                f"The keeper speaks protocol {theirs}, this program {PROTOCOL_VERSIONS[1]}. "
                "Use the version that started it, or stop everything with that one first.",
            ) from refusal
        return link, hello

    def _introduction(self) -> dict[str, Any]:
        return {
            "protocol": PROTOCOL_VERSIONS[1],
            "version": VERSION,
            "pid": os.getpid(),
            "daemon": None if self._daemon is None else self._successor(self._daemon),
            "kill_after": self.kill_after,
            **({"transient": True} if self._transient else {}),
        }

    def _successor(self, argv: Sequence[str]) -> dict[str, Any]:
        """What the keeper executes when we are gone, in wire form."""
        environment = {to_wire(name): to_wire(value) for name, value in _clean_environment().items()}
        holder = holder_pid(self._home.keeper_lock)
        words = [*argv, "--keeper", str(holder)] if holder else argv
        return {"argv": [to_wire(word) for word in words], "env": environment}

    async def _start(self) -> bool:
        """Start a keeper; whether it listens. It may have ended without a word, as when another one was faster.

        Raises:
            OvermindError: it can't begin, and says why.
        """
        read, write = os.pipe()
        try:
            argv = [*_scope(self._home), *_keeper_argv(self._home, write)]
            with open(open_log(self._home.keeper_log), "ab") as log:  # noqa: ASYNC230 - once per keeper
                process = subprocess.Popen(  # noqa: ASYNC220 - a fork of milliseconds, once per keeper
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(write,),
                    start_new_session=True,
                    cwd="/",
                    env=_clean_environment(),
                )
        except OSError as error:
            os.close(read)
            raise OvermindError("internal", f"The keeper can't be started: {error}") from error
        finally:
            os.close(write)
        _started.append(process)
        report = await _report(read)
        if report != LISTENS:
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, LEAVE_SECONDS)
        if report.startswith(FAILED):
            reason = to_wire(os.fsdecode(report.removeprefix(FAILED)))
            raise OvermindError("forbidden", f"The keeper can't start: {reason}.")
        return report == LISTENS


def mute_keeper(pid: int | None) -> OvermindError:
    """Return what is said of a keeper that does not answer: it holds all that runs, so nobody takes its place."""
    if not pid:
        return OvermindError("busy", "The keeper does not answer. Try again.")
    import psutil  # noqa: PLC0415 - for this sentence alone

    message = f"The keeper (PID {pid}) has not answered for {MUTE_SECONDS:.0f} s"
    then = "The request is carried out once it answers."
    try:
        stopped = psutil.Process(pid).status() in {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}
    except psutil.Error:
        stopped = False
    if stopped:
        return OvermindError("busy", f"{message}: it is stopped. {then} Resume it with: kill -CONT {pid}")
    return OvermindError("busy", f"{message}. {then} As a last resort, end it and every mission with: kill -9 {pid}")


async def _report(fd: int) -> bytes:
    """What a keeper says of its start: a new line once it listens, `FAILED` and why, or nothing when it has ended."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(fd, ready.set)
    try:
        await asyncio.wait_for(ready.wait(), START_SECONDS)
        return os.read(fd, REPORT_LIMIT)
    except TimeoutError:
        _log.warning("the keeper did not report that it listens")
        return b""
    finally:
        loop.remove_reader(fd)
        os.close(fd)


def _keeper_argv(home: Home, ready: int) -> list[str]:
    return [sys.executable, "-P", "-m", "overmind_core.keeper", "--home", home.root, "--ready-fd", str(ready)]


def _clean_environment() -> dict[str, str]:
    """Ours without the marks of a mission that we may have been started from."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OVERMIND_")}


def _scope(home: Home) -> list[str]:
    """A prefix that puts the keeper into a systemd scope of its own; empty where no user manager answers.

    `--scope` makes systemd-run replace itself by the command, so pid and descriptors stay. Source: systemd-run(1).
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if not runtime or not os.path.exists(os.path.join(runtime, "systemd", "private")):
        return []
    import shutil  # noqa: PLC0415 - only for a keeper's start: it loads three compressors

    program = shutil.which("systemd-run")
    if program is None:
        return []
    description = f"--description=Overmind keeper of {home.root}"
    return [program, "--user", "--scope", "--quiet", "--collect", description, "--"]


class CurrentKeeper:
    """The line to the keeper as it is now: replaced by whoever connects, used by everybody who asks the keeper."""

    def __init__(self, *, headless: bool, ends_all: bool | None = None) -> None:
        """`ends_all`: None: where it is headless."""
        self.headless = headless
        """A headless run: nobody sees to what runs."""
        self.ends_all = headless if ends_all is None else ends_all
        """Whether the keeper ends everything when we are gone, and starts no daemon."""
        self.link: KeeperConnection | None = None
        self.is_settled = False
        """What the keeper holds was compared with the books; nothing that is numbered may be sent before."""
        self.hello: dict[str, Any] = {}
        """How the keeper introduced itself."""
        self._needs: set[str] = set()

    def hold(self, owner: str, *, on: bool) -> None:
        """Have the keeper start a daemon after us also while nothing runs, for as long as anybody needs it."""
        before = bool(self._needs)
        (self._needs.add if on else self._needs.discard)(owner)
        if bool(self._needs) is not before:
            self.send_needs()

    @property
    def is_needed(self) -> bool:
        """Whether anything goes on by itself also while nothing runs."""
        return bool(self._needs)

    def send_needs(self) -> None:
        """Say it to a keeper that may have heard something else, or nothing."""
        if not self.ends_all:
            self.post("need", on=bool(self._needs))

    def send(self) -> None:
        """Send what was asked for in this turn at once, not at its end."""
        if self.link is not None:
            self.link.send()

    def is_mute(self) -> bool:
        """Whether the keeper has not answered for too long."""
        return self.link is not None and self.link.is_mute()

    def post(self, op: str, **fields: object) -> None:
        """Ask for something whose answer nobody waits for; nothing where there is no keeper."""
        if self.link is not None:
            self.link.request(op, **fields)
