"""A hive as a place: each connection is one process that the person's own ssh, or another command, runs a gate in.

The channels of one hive share one connection of ssh (ControlMaster), so that all but the first are there in
milliseconds. Where the server allows no more sessions on it, ssh opens another one by itself. A command leaves one gate
to the next command, for which it is there at once (`kept_gates`).
"""

from __future__ import annotations

import errno
import time

from overmind_core.client.connection import ApiConnection
from overmind_core.client.hives.channel import Channel, KeptSocket, NoGate, kept_channel, open_channel
from overmind_core.client.hives.kept_gates import account_path, drop
from overmind_core.client.hives.remote_log import RemoteRunFiles
from overmind_core.errors import OvermindError
from overmind_core.logs import run_files
from overmind_core.version import VERSION
from overmind_core.wire import gate

TYPE_CHECKING = False

if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable, Sequence
    from typing import Any

    from overmind_core.client.daemon import Searching

    Json = dict[str, Any]

HINT = "See: overmind hive list"
"""What to do about a hive that can't be asked."""
CONNECT_LIMIT = 10.0
"""Seconds for a gate to greet."""
SHARED_SECONDS = 60
"""How long ssh keeps a connection that nobody uses."""
TRY_LIMIT = 5.0
"""Seconds for an attempt to find a lost hive again: one that began while nothing passed may never be answered."""
_PAUSE = 0.1
"""Seconds between two attempts to find a lost hive again."""


class HiveConnection(ApiConnection):
    """A connection to the daemon of a hive."""

    def __init__(self, channel: Channel, hive: Hive) -> None:
        super().__init__(channel.socket, channel.unread)
        self._channel = channel
        self._place = hive
        self._hive = hive.name

    def release(self) -> None:
        """End it, and leave its channel to the next reader of a log, or the next command."""
        if self._unsent or self._unread or not self._place.leaves_gates:
            self.close()
        else:
            self._place.keep_requests(self._channel)

    def close(self) -> None:
        """End the channel; what is queued is not sent."""
        self._channel.close()

    def _decoded(self, line: bytes) -> Json:
        answer = super()._decoded(line)
        if "error" in answer:
            answer["hive"] = self._hive
        if b'"path"' in line:
            _address_logs(answer, self._hive)
        return answer


class Hive:
    """A hive that config.toml names; nothing is connected before it is asked for something.

    Args:
        name: Its name.
        argv: The command that runs a gate there, or what finds that out once none is left from before, and raises
            OvermindError when there is none.
        config: Path of the config.toml that says so: each has connections of its own.
        known_by: What that says of it, where the command is not known yet.
        hint: A sentence behind why it can't be reached.
    """

    leaves_gates = True
    """Whether the gate of one connection serves the next one; a program that holds its connections needs that not."""

    keyed = True
    """What changes something there carries a key: a link is lost more often than a daemon."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str] | Callable[[], Sequence[str]],
        *,
        config: str,
        known_by: Sequence[str] = (),
        hint: str = HINT,
    ) -> None:
        self.name = name
        self._hint = hint
        self.greeting: Json = {}
        """The newest greeting of its gate: version, home, system, cpu, memory (bytes). Empty before it was reached."""
        self._find = argv if callable(argv) else None
        words = [] if callable(argv) else list(argv)
        self._is_ssh = words[:1] == ["ssh"]
        self._shared = account_path("ssh", config, words) if self._is_ssh else None
        self._argv = [*words[:1], *_shared(self._shared), *words[1:]]
        self._kept = account_path("gate", config, [*words, *known_by]) if self.leaves_gates else None
        self._idle: list[Channel] = []
        """A channel for logs that no reader has at present; one at most, or nearly so."""
        self._released: list[Channel] = []
        """Likewise one for requests, which nobody asks any more."""
        run_files.serve_hive(name, self._files)

    def drop_kept(self) -> None:
        """End the gate that was left to the next command: there is none."""
        if self._kept is not None:
            drop(self._kept)

    # as a place

    @property
    def to_answer(self) -> str:
        """The line for a person while it has not answered yet."""
        return f"waits for {self.name} to answer"

    def connect(
        self, *, start: bool, searching: Searching = lambda _: None, limit: float = CONNECT_LIMIT
    ) -> tuple[ApiConnection, None]:
        """Return a connection to its daemon; `searching` is called again and again meanwhile.

        Raises:
            OvermindError: `hive_silent`, why it can't be reached; `daemon_not_running` and others, what its gate said.
        """
        channel = self.open(gate.REQUESTS, limit=limit, meanwhile=lambda: searching(self.to_answer), start=start)
        return HiveConnection(channel, self), None

    def try_connect(self) -> ApiConnection | None:
        """Return a connection; None: it can't be reached just now, or has no daemon."""
        try:
            return self.connect(start=False, limit=TRY_LIMIT)[0]
        except OvermindError:
            return None

    def is_connecting(self) -> bool:
        """Whether ssh has not logged in there yet: nothing can have answered. Another command makes no connection."""
        if not self._is_ssh or self.greeting:
            return False
        return self._shared is None or not _listens(self._shared)

    def has_daemon(self) -> bool:
        """Whether its daemon runs.

        Raises:
            OvermindError: `hive_silent`, it can't be asked, and others.
        """
        try:
            self.connect(start=False)[0].close()
        except OvermindError as error:
            if error.code != "daemon_not_running":
                raise
            return False
        return True

    def connect_until(self, deadline: float, searching: Searching = lambda _: None) -> ApiConnection | None:
        """Return a connection as soon as there is one; None at `deadline` (seconds, monotonic clock)."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                return self.connect(start=False, searching=searching, limit=min(left, TRY_LIMIT))[0]
            except OvermindError:
                searching(self.to_answer)
                time.sleep(min(_PAUSE, max(deadline - time.monotonic(), 0.0)))
        return None

    def is_revived(self) -> bool:
        """Whether its next daemon comes by itself: nothing else is to be done from here."""
        return True

    def open_terminal(self, address: str) -> tuple[_socket.socket, bytes]:
        """Return a connection to its keeper, and what has come on it already; `address` is where that listens there.

        Raises:
            OSError: it can't be reached.
        """
        del address
        try:
            channel = self.open(gate.TERMINAL, limit=TRY_LIMIT)
        except OvermindError as error:
            raise ConnectionRefusedError(error.message) from None
        return KeptSocket(channel), channel.unread

    def mute(self, limit: float) -> OvermindError:
        """Return what is said when its daemon has not answered for `limit` seconds."""
        return self.silent(f"its daemon has not answered for {limit:.0f} s")

    def comes_back(self, *, is_started: bool) -> str:
        """Return what is said while it is lost."""
        del is_started
        return f"waits for {self.name}: the connection to it was lost"

    def back(self, pid: object) -> str:
        """Return what is said once it answers again."""
        del pid
        return f"{self.name} answers again"

    def lost(self, limit: float) -> OvermindError:
        """Return what is said when it was lost and did not come back for `limit` seconds."""
        return self.silent(f"it has been silent for {limit:.0f} s")

    def older(self, version: str) -> str:
        """Return what is said when its daemon is of an older version than this program."""
        return (
            f"{self.name}: client newer than daemon ({VERSION}, {version}). On that machine: overmind start --replace"
        )

    def unknown_outcome(self, key: str | None = None) -> OvermindError:
        """Return what is said when it was lost before it answered; `key`: of the request, None: it had none."""
        if key is not None:
            message = f"{self.name} was lost before it answered: it may have done this, or not. Settle it with the same"
            return OvermindError("outcome_unknown", f"{message} words and --request {key}", key=key)
        return OvermindError(
            "outcome_unknown",
            f"{self.name} was lost before it answered: it may have done this, or not. Look with: overmind ps"
            f" -H {self.name}",
        )

    # its gate

    def silent(self, why: str) -> OvermindError:
        """Return the error of a hive that can't be asked; `why` is a clause."""
        end = "" if why.endswith("?") else "."
        return OvermindError("hive_silent", f"{self.name} can't be asked: {why}{end} {self._hint}")

    def open(
        self,
        channel: str,
        *,
        limit: float = CONNECT_LIMIT,
        meanwhile: Callable[[], None] = lambda: None,
        **wish: object,
    ) -> Channel:
        """Start a gate there for a channel (of `wire.gate.CHANNELS`); wait until it has answered.

        Args:
            channel: What for.
            limit: Seconds for all of that.
            meanwhile: Called again and again until then.
            wish: More of the channel's first line.

        Raises:
            OvermindError: `hive_silent`, why it can't be reached, or what its gate said.
        """
        wish = {"channel": channel, **wish}
        try:
            opened, answer = self._left(wish, limit, meanwhile) or open_channel(self._command(), wish, limit, meanwhile)
        except NoGate as error:
            raise self.silent(str(error)) from None
        self.greeting = opened.greeting
        if "error" in answer:
            opened.close()
            raise OvermindError(str(answer["error"]), str(answer.get("message")), hive=self.name)
        return opened

    def _command(self) -> list[str]:
        if self._find is not None:
            self._argv, self._find = list(self._find()), None
        return self._argv

    def _left(self, wish: Json, limit: float, meanwhile: Callable[[], None]) -> tuple[Channel, Json] | None:
        """Return the channel that the command before this one has left, and its answer; None: it has left none.

        Raises:
            NoGate: its gate does not answer, as another one would not.
        """
        if self._kept is None or wish["channel"] not in gate.IN_TURN:
            return None
        found = kept_channel(self._kept)
        if found is None:
            return None
        try:
            return found, found.turn(wish, limit, meanwhile)
        except TimeoutError:
            found.close()
            raise NoGate("it does not answer") from None
        except (OSError, ValueError):  # it has ended meanwhile, or is an older one's
            found.close()
            return None

    def leave(self) -> None:
        """Leave one gate to the next command; the others end."""
        for channel in [*self._released, *self._idle]:
            if self._kept is not None:
                channel.leave_to_next(self._kept)
                self._kept = None
            else:
                channel.close()
        self._released.clear()
        self._idle.clear()

    def _files(self, folder: str) -> run_files.RunFiles:
        return RemoteRunFiles(self.open_logs, self._keep_logs, folder)

    def open_logs(self) -> Channel:
        """Return a channel for logs: one for each reader, which closes it and, once it is lost, asks for another."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._turned() or self.open(gate.LOGS, limit=TRY_LIMIT)

    def _turned(self) -> Channel | None:
        """Return a channel that was one for requests: another gate would take as long to start as the first one."""
        try:
            channel = self._released.pop()
        except IndexError:
            return None
        try:
            if "ok" in channel.turn({"channel": gate.LOGS}, TRY_LIMIT):
                return channel
        except (OSError, ValueError):
            pass
        channel.close()
        return None

    def keep_requests(self, channel: Channel) -> None:
        """Keep a channel for requests, all of which are answered, for the next reader of a log."""
        self._keep(channel, self._released)

    def _keep_logs(self, channel: Channel) -> None:
        """Keep a channel for the next reader: a gate for each of many runs would take as many starts."""
        self._keep(channel, self._idle)

    def _keep(self, channel: Channel, kept: list[Channel]) -> None:
        if kept:
            channel.close()
            return
        kept.append(channel)
        if self.leaves_gates:
            _ASKED.append(self)


def leave_gates() -> None:
    """Leave a gate of each hive that was asked to the next command: this process is about to end."""
    for hive in _ASKED:
        hive.leave()
    _ASKED.clear()


_ASKED: list[Hive] = []
"""Those of this process on whose gates nothing is on its way."""


def _shared(path: str | None) -> list[str]:
    """Return the options by which the channels of one hive share one connection."""
    if path is None:
        return []
    return ["-o", "ControlMaster=auto", "-o", f"ControlPath={path}", "-o", f"ControlPersist={SHARED_SECONDS}"]


def _listens(path: str) -> bool:
    """Whether a process has a socket there, in whatever state it is; one that was killed leaves the socket alone."""
    import socket  # noqa: PLC0415 - start-up: only for hives that keep others waiting

    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        return probe.connect_ex(path) in {0, errno.EAGAIN}


def _address_logs(value: object, hive: str) -> None:
    """Have the paths of runs say on which hive they are."""
    if isinstance(value, list):
        for one in value:
            _address_logs(one, hive)
    elif isinstance(value, dict):
        path = value.get("path")
        if isinstance(path, str) and path.startswith("/") and ("number" in value or "ticket" in value):
            value["path"] = run_files.address(hive, path)
        for one in value.values():
            if isinstance(one, list | dict):
                _address_logs(one, hive)
