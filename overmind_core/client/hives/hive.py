"""A hive as a place: each connection is one process that the person's own ssh, or another command, runs a gate in.

The channels of one hive share one connection of ssh (ControlMaster), so that all but the first are there in
milliseconds. Where the server allows no more sessions on it, ssh opens another one by itself.
"""

from __future__ import annotations

import errno
import os
import time

from overmind_core.client.connection import ApiConnection
from overmind_core.client.hives.channel import Channel, KeptSocket, NoGate, open_channel
from overmind_core.client.hives.remote_log import RemoteRunFiles
from overmind_core.errors import OvermindError
from overmind_core.logs import run_files
from overmind_core.system.paths import LONGEST_SOCKET_PATH, HomeUnsafe, runtime_folder
from overmind_core.version import VERSION
from overmind_core.wire import gate

TYPE_CHECKING = False

if TYPE_CHECKING:
    import _socket
    from collections.abc import Sequence
    from typing import Any

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
_CONTROL_NAME = 64
"""Bytes that ssh may put behind our part of the path of a shared connection: a digest, and a suffix while it binds."""


class HiveConnection(ApiConnection):
    """A connection to the daemon of a hive."""

    def __init__(self, channel: Channel, hive: Hive) -> None:
        super().__init__(channel.socket, channel.unread)
        self._channel = channel
        self._place = hive
        self._hive = hive.name

    def release(self) -> None:
        """End it, and leave its channel to the next reader of a log."""
        if self._unsent or self._unread:
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
        argv: The command that runs a gate there.
        config: Path of the config.toml that says so: each has connections of ssh of its own.
        hint: A sentence behind why it can't be reached.
    """

    keyed = True
    """What changes something there carries a key: a link is lost more often than a daemon."""

    def __init__(self, name: str, argv: Sequence[str], *, config: str, hint: str = HINT) -> None:
        self.name = name
        self._hint = hint
        self.greeting: Json = {}
        """The newest greeting of its gate: version, home, system, cpu, memory (bytes). Empty before it was reached."""
        self._is_ssh = argv[:1] == ["ssh"]
        self._shared = _shared_path(config, argv) if self._is_ssh else None
        self._argv = [*argv[:1], *_shared(self._shared), *argv[1:]]
        self._idle: list[Channel] = []
        """A channel for logs that no reader has at present; one at most, or nearly so."""
        self._released: list[Channel] = []
        """Likewise one for requests, which nobody asks any more."""
        run_files.serve_hive(name, self._files)

    # as a place

    def connect(self, *, start: bool, limit: float = CONNECT_LIMIT) -> tuple[ApiConnection, None]:
        """Return a connection to its daemon.

        Raises:
            OvermindError: `hive_silent`, why it can't be reached; `daemon_not_running` and others, what its gate said.
        """
        return HiveConnection(self.open(gate.REQUESTS, limit=limit, start=start), self), None

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

    def connect_until(self, deadline: float) -> ApiConnection | None:
        """Return a connection as soon as there is one; None at `deadline` (seconds, monotonic clock)."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                return self.connect(start=False, limit=min(left, TRY_LIMIT))[0]
            except OvermindError:
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

    def open(self, channel: str, *, limit: float = CONNECT_LIMIT, **wish: object) -> Channel:
        """Start a gate there for a channel (of `wire.gate.CHANNELS`); wait until it has answered.

        Args:
            channel: What for.
            limit: Seconds for all of that.
            wish: More of the channel's first line.

        Raises:
            OvermindError: `hive_silent`, why it can't be reached, or what its gate said.
        """
        try:
            opened, answer = open_channel(self._argv, {"channel": channel, **wish}, limit)
        except NoGate as error:
            raise self.silent(str(error)) from None
        self.greeting = opened.greeting
        if "error" in answer:
            opened.close()
            raise OvermindError(str(answer["error"]), str(answer.get("message")), hive=self.name)
        return opened

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
        if channel.turn({"channel": gate.LOGS}, TRY_LIMIT):
            return channel
        channel.close()
        return None

    def keep_requests(self, channel: Channel) -> None:
        """Keep a channel for requests, all of which are answered, for the next reader of a log."""
        _keep(channel, self._released)

    def _keep_logs(self, channel: Channel) -> None:
        """Keep a channel for the next reader: a gate for each of many runs would take as many starts."""
        _keep(channel, self._idle)


def _keep(channel: Channel, kept: list[Channel]) -> None:
    if kept:
        channel.close()
    else:
        kept.append(channel)


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


def _shared_path(config: str, argv: Sequence[str]) -> str | None:
    """Return where ssh has the connection that the channels of one hive share; None: it can have no socket."""
    try:  # as hashlib does, which loads all of OpenSSL: six milliseconds of each command for a hive
        from _blake2 import blake2b  # noqa: PLC0415 - for this alone
    except ImportError:
        from hashlib import blake2b  # noqa: PLC0415 - as above

    try:
        folder = runtime_folder(os.geteuid())
    except HomeUnsafe:
        return None
    digest = blake2b("\0".join([config, *argv]).encode(errors="surrogateescape")).hexdigest()[:12]
    path = os.path.join(folder, f"ssh-{digest}")
    if len(os.fsencode(path)) + _CONTROL_NAME // 2 > LONGEST_SOCKET_PATH or "%" in path:
        return None
    return path


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
