"""A channel of a hive: a process that runs a gate there, and the socket that is its standard input and output."""

from __future__ import annotations

import _socket
import os
import time

from overmind_core.client.hives import kept_gates
from overmind_core.domain.text.cells import display_safe
from overmind_core.system.child_process import ChildProcess
from overmind_core.system.unnamed_file import unnamed_file
from overmind_core.wire import gate

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, BinaryIO

    Json = dict[str, Any]

_CHUNK = 1 << 16
_BEAT = 0.2
"""Seconds between two calls of what is done while a gate has not answered."""
_LEAVE_LIMIT = 1.0
"""Seconds for a command to end by itself once its channel is closed."""
_SHOWN = 60
"""Characters of a line that is shown in a sentence."""
_NOT_FOUND = 127
"""Exit status of a shell that found no such command."""


_RUNNERS = ("srun: error: ", "command terminated with exit code")
"""How lines begin by which Slurm and Kubernetes tell that a command has failed, and no more."""


class NoGate(Exception):
    """There is no gate; the message is a clause that says why."""


class Channel:
    """One running gate: the socket that is its standard input and output.

    Attributes:
        socket: Blocking, without a time limit.
        greeting: What the gate said of itself.
        unread: What has come behind the gate's answer.
    """

    def __init__(
        self, process: ChildProcess | kept_gates.Lent, end: _socket.socket, greeting: Json, unread: bytes = b""
    ) -> None:
        self.socket = end
        self.greeting = greeting
        self.unread = unread
        self._process = process

    def turn(self, wish: Mapping[str, object], limit: float, meanwhile: Callable[[], None] = lambda: None) -> Json:
        """Have it serve something else, once all is answered; return the gate's answer.

        Args:
            wish: As its first line.
            limit: Seconds for the answer.
            meanwhile: Called again and again until it comes.

        Raises:
            OSError: it has ended, or does not answer in time.
            ValueError: what answers is no gate; a clause.
        """
        self.socket.settimeout(limit)
        self.socket.sendall(gate.line(wish))
        answer, self.unread = _read_answer(self.socket, b"", time.monotonic() + limit, meanwhile)
        self.socket.settimeout(None)
        return answer

    def close(self) -> None:
        """End it; the gate's process, and whatever command runs it here, end by themselves or are killed."""
        self.socket.close()
        _end(self._process)

    def _sent(self, wish: Mapping[str, object]) -> bool:
        try:
            self.socket.sendall(gate.line(wish))
        except OSError:
            return False
        return True

    def leave_to_next(self, path: str) -> None:
        """Close it, and keep its gate for the next command, once all is answered; `path` is where that looks for it."""
        if self.greeting.get(gate.TURNS) is not True or not self._sent({"channel": gate.IDLE}):
            self.close()
            return
        if isinstance(self._process, kept_gates.Lent):
            self._process.give_back()
        elif kept_gates.hold(path, self.socket, self._process.pid, self.greeting):
            _RUNNING.discard(self._process)
        self.socket.close()


def kept_channel(path: str) -> Channel | None:
    """Return a channel of which the command before this one has left the gate; None: it has left none."""
    lent = kept_gates.borrow(path)
    return None if lent is None else Channel(lent, lent.socket, lent.greeting)


def open_channel(
    argv: Sequence[str], wish: Mapping[str, object], limit: float, meanwhile: Callable[[], None] = lambda: None
) -> tuple[Channel, Json]:
    """Run a command that is to run a gate; return the channel, and the gate's answer to `wish`.

    Args:
        argv: The command, of the person's own configuration.
        wish: The channel's first line.
        limit: Seconds for all of that.
        meanwhile: Called again and again until then.

    Raises:
        NoGate: there is none, or not in time.
    """
    deadline = time.monotonic() + limit
    ours, theirs = _socket.socketpair()
    # A file and no pipe: the connection that ssh keeps in the background would hold a pipe open.
    with unnamed_file() as errors:
        try:
            standard = theirs.fileno(), theirs.fileno(), errors.fileno()
            process = ChildProcess(argv, environment=_environment(), files=standard)
        except OSError as error:
            ours.close()
            raise NoGate(f"{argv[0]} can't be started: {error.strerror}") from None
        finally:
            theirs.close()
        _RUNNING.add(process)
        heard = bytearray()
        try:
            ours.sendall(gate.line(wish))
            greeting, rest = _read_greeting(ours, heard, deadline, meanwhile)
            answer, unread = _read_answer(ours, rest, deadline, meanwhile)
            ours.settimeout(None)
        except (OSError, ValueError) as error:
            why = _reason(argv, process, errors, bytes(heard) + _left_in(ours), error)
            ours.close()
            _end(process)
            raise NoGate(why) from None
    return Channel(process, ours, greeting, unread), answer


def _read_greeting(
    ours: _socket.socket, heard: bytearray, deadline: float, meanwhile: Callable[[], None]
) -> tuple[Json, bytes]:
    """Return the gate's greeting and what follows it; `heard` is given what came in place of one."""
    while (found := gate.greeting_in(bytes(heard))) is None:
        heard += _received(ours, deadline, meanwhile)
    heard.clear()
    if found[0]["gate"] != gate.VERSION:
        theirs = found[0].get("version")
        raise ValueError(f"its gate speaks another version ({theirs} there). Install the same overmind on both")
    return found


def _read_answer(
    ours: _socket.socket, rest: bytes, deadline: float, meanwhile: Callable[[], None]
) -> tuple[Json, bytes]:
    while b"\n" not in rest:
        rest += _received(ours, deadline, meanwhile)
    line, _, unread = rest.partition(b"\n")
    return gate.message_of(line), unread


def _reason(argv: Sequence[str], process: ChildProcess, errors: BinaryIO, heard: bytes, error: Exception) -> str:
    """Return why there is no gate, in the words of the command that was to run it where it has some.

    Args:
        argv: The command.
        process: It.
        errors: Its standard error.
        heard: What it printed in place of a greeting.
        error: What happened here.
    """
    if isinstance(error, ValueError):
        return str(error)
    ended = not isinstance(error, TimeoutError)
    if ended:
        process.wait(_LEAVE_LIMIT)
    errors.seek(0)
    lines = _lines(errors.read(4096))
    # What runs the gate may end with a line of its own about that: the gate's says more.
    said = [line for line in lines if not line.startswith(_RUNNERS)] or lines
    if said:
        return _explained(argv, display_safe(said[-1].rstrip(".")), process.returncode)
    if not ended:
        return "it does not answer"
    how = f"{argv[0]} ended with exit status {process.returncode}"
    printed = _lines(heard)
    if printed:
        return f"{how} and had printed {display_safe(printed[-1].rstrip('.'))[:_SHOWN]}"
    return f"{how} and without a word"


def _lines(text: bytes) -> list[str]:
    return [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]


def _explained(argv: Sequence[str], said: str, code: int | None) -> str:
    """Return what the command said, with what to do about it where that is known."""
    by_hand = f"ssh {argv[-3]}" if argv[0] == "ssh" else " ".join(argv)
    if "Host key verification failed" in said:
        return f"its host key is not known, or is another one than before. Look at it with: {by_hand}"
    if "Permission denied" in said:
        return f"{said}. It takes a key without a question; try: {by_hand}"
    if code == _NOT_FOUND:
        return f"{said}. Is overmind installed there, and on the PATH of a shell that nobody has logged in to?"
    return said


class KeptSocket(_socket.socket):
    """A channel's socket that ends the channel when it is closed."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(fileno=channel.socket.detach())
        channel.socket = self
        self._process = channel._process  # noqa: SLF001 - its own part

    def close(self) -> None:
        """Close it, and see the command to its end."""
        super().close()
        _end(self._process)


def _left_in(ours: _socket.socket) -> bytes:
    """Return what has come and was not read: whoever can't be told anything may have said something before."""
    ours.setblocking(False)
    try:
        return ours.recv(_CHUNK)
    except OSError:
        return b""


def _received(ours: _socket.socket, deadline: float, meanwhile: Callable[[], None]) -> bytes:
    while True:
        left = deadline - time.monotonic()
        ours.settimeout(min(max(left, 0.001), _BEAT))
        try:
            data = ours.recv(_CHUNK)
        except TimeoutError:
            if left <= _BEAT:
                raise
            meanwhile()
            continue
        if not data:
            raise ConnectionResetError("the gate ended")
        return data


def _environment() -> dict[str, str]:
    """Return the variables of the command: without those of a mission, for it acts for the person."""
    return {name: value for name, value in os.environ.items() if name != "OVERMIND_HOME"}


_RUNNING: set[ChildProcess] = set()
"""Commands that have not been seen to their end."""


def _end(process: ChildProcess | kept_gates.Lent) -> None:
    """See a command to its end beside what goes on, and kill it when it stays."""
    if isinstance(process, kept_gates.Lent):
        process.end()
        return

    def wait() -> None:
        if process.wait(_LEAVE_LIMIT) is None:
            process.kill()
        _RUNNING.discard(process)

    if process.poll() is None:
        import threading  # noqa: PLC0415 - start-up: a command ends before

        threading.Thread(target=wait, name="gate-end", daemon=True).start()
    else:
        _RUNNING.discard(process)


def end_all() -> None:
    """Kill all commands that still run: this process is about to end, and nobody would see to them."""
    for process in list(_RUNNING):
        process.kill()  # the connection that ssh keeps for later is in a session of its own
    _RUNNING.clear()
