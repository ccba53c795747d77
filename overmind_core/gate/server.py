"""`overmind gate`: serves one channel of somebody who came by ssh or by another command. See `wire/gate.py`.

It has the rights of the account in which it runs. With a role it passes on only what that role may ask, and in the name
that it was given: whoever has such a key alone can't say to be somebody else.
"""

from __future__ import annotations

import os
import select

from overmind_core.client.daemon import connect_or_start, daemon_environment
from overmind_core.domain.hives import OWNER, VIEWER, refusal
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.system.hive_id import hive_id
from overmind_core.version import VERSION
from overmind_core.wire import gate, quick_json
from overmind_core.wire.framing import MAX_LINE, TOO_LONG, LineBuffer

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from overmind_core.client.connection import DaemonConnection
    from overmind_core.logs.run_files import FilePart
    from overmind_core.system.paths import Home

    Json = dict[str, Any]

_CHUNK = 1 << 16
_TOGETHER = 0.05
"""Seconds for which the daemon's greeting waits for the answer behind it."""
_NESTED = {"ritual_create": {"quest": "quest_run", "apply": "apply"}}
"""Request → its arguments that are the arguments of another one."""


class Gate:
    """One channel.

    Args:
        home: Whose daemon, logs and keeper.
        role: What whoever comes may ask: one of `domain.hives.ROLES`.
        name: In whose name; None: the person to whom the account belongs.
        reads: The descriptor from which they are read.
        writes: The one on which they are answered.
    """

    def __init__(self, home: Home, *, role: str, name: str | None, reads: int = 0, writes: int = 1) -> None:
        self._home = home
        self._role = role
        self._by = None if name is None else f"gate:{name}"
        self._reads = reads
        self._writes = writes
        self._held = b""
        """The greeting, while the other side's first line is there already: it is written with the answer to that."""
        self._passed = 0
        """Requests that have come on this channel."""
        self._buffer = LineBuffer(MAX_LINE)
        self._behind: list[bytes] = []
        """Lines that have come behind the first one of the channel that is served now."""

    def serve(self, facts: Mapping[str, object]) -> None:
        """Serve the channel until either side has ended it.

        Args:
            facts: Of this machine, for the greeting.
        """
        hello = {
            "gate": gate.VERSION,
            "version": VERSION,
            "home": to_wire(self._home.root),
            "role": self._role,
            gate.TURNS: True,
        }
        self._held = gate.line({**hello, **facts})
        if not select.select([self._reads], [], [], 0)[0]:
            self._write(b"")
        line, rest = self._first_line()
        if line is None:
            self._write(b"")
            return
        try:
            first = _decoded(line)
            if _is_wish(first):
                self._behind, rest = self._buffer.feed(rest), b""
            wish: Json | None = first
            while wish is not None:
                wish = self._serve_channel(wish, rest)
            self._write(b"")
        except OvermindError as error:
            self._write(gate.line({"error": error.code, "message": error.message}))
        except ConnectionError:
            return

    def _serve_channel(self, wish: Json, rest: bytes) -> Json | None:
        """Serve what the first line of a channel asks for; return that of the next one, None: the other side has left.

        Raises:
            OvermindError: it can't be served.
            ConnectionError: the other side has left, while something was on its way to it.
        """
        match wish.get("channel"):
            case gate.REQUESTS:
                return self._serve_requests(start=wish.get("start") is True)
            case gate.LOGS:
                self._write(gate.line({"ok": {}}))
                return self._serve_logs()
            case gate.IDLE:
                return self._wait()
            case gate.TERMINAL:
                self._serve_terminal(rest)
            case gate.GIT:
                self._serve_git(wish)
            case other:
                raise OvermindError("invalid", f"A gate has no channel {other!r}.")
        return None

    def _first_line(self, received: bytes = b"") -> tuple[bytes | None, bytes]:
        while b"\n" not in received:
            data = os.read(self._reads, _CHUNK)
            if not data or len(received) > gate.LONGEST_LINE:
                return None, b""
            received += data
        line, _, rest = received.partition(b"\n")
        return line, rest

    # requests

    def _lines(self, data: bytes = b"") -> list[bytes]:
        """Return the lines that are there now that `data` has come."""
        behind, self._behind = self._behind, []
        return behind + self._buffer.feed(data)

    def _serve_requests(self, *, start: bool) -> Json | None:
        daemon = connect_or_start(self._home, start=start and self._role != VIEWER)[0]
        self._write(gate.line({"ok": {}}))
        self._passed = 0
        try:
            wish = self._pass_on(daemon, self._lines())
            receive = self._greeting_with_answer(daemon)
            return wish or self._relay(daemon.fileno(), receive, lambda data: self._pass_on(daemon, self._lines(data)))
        finally:
            daemon.close()

    def _greeting_with_answer(self, daemon: DaemonConnection) -> Callable[[], bytes]:
        """Return what receives from the daemon: its greeting together with the first answer, if that is asked for.

        Who runs a gate elsewhere may have a network between that keeps the second of two small packets back until the
        first one is acknowledged, which takes 40 ms (Nagle; srun does).
        """
        is_first = True

        def receive() -> bytes:
            nonlocal is_first
            data = daemon.receive_raw()
            waits = is_first and self._passed > 1 and data.count(b"\n") == 1
            is_first = False
            if waits and select.select([daemon.fileno()], [], [], _TOGETHER)[0]:
                data += daemon.receive_raw()
            return data

        return receive

    def _pass_on(self, daemon: DaemonConnection, lines: list[bytes]) -> Json | None:
        """Send requests to the daemon; return the first line of the next channel, when that has come."""
        self._passed += len(lines)
        for number, line in enumerate(lines, 1):
            if line is TOO_LONG:
                self._refuse(None, OvermindError("too_large", f"A request is limited to {MAX_LINE} bytes."))
                continue
            request: Json = {}
            try:
                request = _decoded(line)
                if _is_wish(request):
                    self._behind = lines[number:]
                    return request
                daemon.send(self._checked(request))
            except OvermindError as error:
                self._refuse(request.get("id"), error)
        if lines:
            daemon.send_queued()
        return None

    def _checked(self, request: Json) -> Json:
        """Return a request as the daemon gets it: in the name that is known here, with this account's environment."""
        from overmind_core.domain.operations import OPERATIONS  # noqa: PLC0415 - a terminal or a log needs none

        name, args = request.get("cmd"), request.get("args") or {}
        operation = OPERATIONS.get(name) if isinstance(name, str) else None
        if operation is None or not isinstance(args, dict):
            if self._role != OWNER:
                raise OvermindError("forbidden", f"A gate for {self._role}s does not know this request.")
            return self._named(request)
        if words := refusal(operation, args, self._role):
            raise OvermindError("forbidden", words)
        return self._named({**request, "args": _completed(operation.name, args)})

    def _named(self, request: Json) -> Json:
        if self._by is None:
            return request
        return {**request, "by": self._by}

    def _refuse(self, number: object, error: OvermindError) -> None:
        answer = {"error": error.code, "message": error.message}
        self._write(gate.line(answer if number is None else {**answer, "id": number}))

    # terminals and logs

    def _serve_terminal(self, rest: bytes) -> None:
        if self._role == VIEWER:
            raise OvermindError("forbidden", "A gate for viewers has no terminals: they can be typed into.")
        from overmind_core.gate.terminals import answer_to, connect_keeper, serve_on  # noqa: PLC0415 - for those alone
        from overmind_core.wire.keeper import STREAM  # noqa: PLC0415 - as above

        keeper = connect_keeper(self._home)
        self._write(gate.line({"ok": {}}))
        try:
            line, typed = self._first_line(rest)
            if line is None:
                return
            if _decoded(line).get("op") != STREAM:
                raise OvermindError("forbidden", "A gate's terminals have streams, and nothing else.")
            if serve_on(self._reads, self._writes, keeper, line, typed):
                return
            is_stream, answer = answer_to(keeper, line)
            self._write(answer)
            if is_stream:  # who was refused may ask for nothing else
                keeper.sendall(typed)
                self._relay(keeper.fileno(), lambda: keeper.recv(_CHUNK), keeper.sendall)
        except TimeoutError:
            raise OvermindError("gone", "The keeper of the terminal does not answer.") from None
        finally:
            keeper.close()

    def _relay(
        self, descriptor: int, receive: Callable[[], bytes], send: Callable[[bytes], Json | None]
    ) -> Json | None:
        """Pass on what comes from both sides until one of them ends, or `send` returns something; return that."""
        while True:
            ready = select.select([self._reads, descriptor], [], [])[0]
            if descriptor in ready:
                data = receive()
                if not data:
                    return None
                self._write(data)
            if self._reads in ready:
                data = os.read(self._reads, _CHUNK)
                if not data:
                    return None
                if wish := send(data):
                    return wish

    def _serve_logs(self) -> Json | None:
        from overmind_core.gate.logs import answer_log  # noqa: PLC0415 - for those who read logs

        data = b""
        content: bytes | FilePart
        while True:
            lines = self._lines(data)
            for number, line in enumerate(lines, 1):
                try:
                    request = _decoded(line)
                    if _is_wish(request):
                        self._behind = lines[number:]
                        return request
                    answer, content = answer_log(self._home.logs, request)
                except OvermindError as error:
                    answer, content = {"error": error.code, "message": error.message}, b""
                if isinstance(content, bytes):
                    self._write(gate.line(answer) + content)
                else:
                    self._write_part(gate.line(answer), content)
            data = os.read(self._reads, _CHUNK)
            if not data:
                return None

    def _write_part(self, head: bytes, part: FilePart) -> None:
        """Write a part of a file behind the line that announces it; a large one without taking it into our hands."""
        with part:
            if part.length <= _CHUNK:  # in one piece: a small second packet may have to wait for an answer to the first
                self._write(head + _read(part))
                return
            self._write(head)
            sent = 0
            while sent < part.length:
                try:
                    passed = os.sendfile(self._writes, part.descriptor, part.at + sent, part.length - sent)
                except BrokenPipeError:
                    raise ConnectionResetError("the other side has left") from None
                except OSError:  # the system does so for sockets alone, or not at all; or the file can't be read
                    self._write(memoryview(_read(part))[sent:])
                    return
                if not passed:
                    raise ConnectionResetError("a log has become shorter")
                sent += passed

    # between commands

    def _wait(self) -> Json | None:
        """Wait for the first line of the next channel, for as long as the daemon lives."""
        try:
            daemon = connect_or_start(self._home, start=False)[0]
        except OvermindError:
            return None
        try:
            while not (lines := self._lines()):
                if self._reads not in select.select([self._reads, daemon.fileno()], [], [])[0]:
                    if not daemon.receive_raw():
                        return None
                elif data := os.read(self._reads, _CHUNK):
                    self._behind = self._lines(data)
                else:
                    return None
        finally:
            daemon.close()
        self._behind = lines[1:]
        return _decoded(lines[0])

    # git

    def _serve_git(self, wish: Json) -> None:
        if self._role == VIEWER:
            raise OvermindError("forbidden", "A gate for viewers has no repositories: it only looks.")
        from overmind_core.git.home_repositories import HomeRepository  # noqa: PLC0415 - for those who send

        repository = HomeRepository(self._home, wish)
        match wish.get("service"):
            case (gate.RECEIVE | gate.UPLOAD) as service:
                repository.prepare(make=service == gate.RECEIVE)
                self._write(gate.line({"ok": {}}))
                if self._waits_for_go():
                    repository.become(service, reads=self._reads, writes=self._writes)
            case gate.CHECKOUT:
                self._write(gate.line({"ok": {}}))  # it is there; a checkout may take longer
                repository.check_out(wish.get("commit"))
                self._write(gate.line({"ok": {"path": to_wire(repository.checkout)}}))
            case other:
                raise OvermindError("invalid", f"A gate has no service {other!r} of git.")

    def _waits_for_go(self) -> bool:
        """Wait until the other side has its git; False: it has left. Not a byte more than that is read."""
        return os.read(self._reads, len(gate.GO)) == gate.GO

    def _write(self, data: bytes | memoryview) -> None:
        held, self._held = self._held, b""
        view = memoryview(b"".join((held, data)) if held else data)
        try:
            while view:
                view = view[os.write(self._writes, view) :]
        except BrokenPipeError:
            raise ConnectionResetError("the other side has left") from None


def _is_wish(request: Json) -> bool:
    """Whether it is the first line of another channel, which a gate may serve behind this one."""
    return request.get("channel") in gate.IN_TURN and "cmd" not in request and "op" not in request


def _read(part: FilePart) -> bytes:
    """Read a part whose length was told; what can't be read ends the channel, and is asked for again."""
    try:
        data = part.read()
    except OSError as error:
        raise ConnectionResetError(f"a log can't be read: {error}") from None
    if len(data) < part.length:
        raise ConnectionResetError("a log has become shorter")
    return data


def _decoded(line: bytes) -> Json:
    try:
        found = quick_json.decode(line.decode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OvermindError("invalid", "A gate takes JSON objects, one a line.")
    return found


def _completed(name: str, args: Json) -> Json:
    """Return the arguments of a request with this account's folder, environment and umask, where they name none."""
    from overmind_core.domain.operations import OPERATIONS  # noqa: PLC0415 - as above

    found = {**args}
    if name in {"restart", "merge"}:
        found.pop("session_env", None)  # what serves a session of another machine serves nobody here
    for argument in OPERATIONS[name].caller:
        if found.get(argument) is None:
            found[argument] = _account()[argument]
    if "cwd" in found and isinstance(found["cwd"], str) and not os.path.isabs(found["cwd"]):
        found["cwd"] = os.path.join(to_wire(os.path.expanduser("~")), found["cwd"]).rstrip("/")
    quests = found.get("quests") if name == "quest_add" else None
    if isinstance(quests, list):
        found["quests"] = [_within(one, found.get("cwd")) if isinstance(one, dict) else one for one in quests]
    for argument, inner in _NESTED.get(name, {}).items():
        value = found.get(argument)
        if isinstance(value, dict):
            found[argument] = _completed(inner, value)
    return found


def _within(quest: Json, folder: object) -> Json:
    """Return a quest of several with its own folder, which counts from that of all."""
    own = quest.get("cwd")
    if not isinstance(own, str) or not isinstance(folder, str):
        return quest
    return {**quest, "cwd": os.path.join(folder, own).rstrip("/") or "/"}


_ACCOUNT: Json = {}


def _account() -> Json:
    """Return the umask of this process, which can only be read by setting it, and its variables."""
    if not _ACCOUNT:
        umask = os.umask(0o077)
        os.umask(umask)
        variables = daemon_environment(os.environ)
        _ACCOUNT["umask"] = umask
        _ACCOUNT["env"] = {to_wire(name): to_wire(value) for name, value in variables.items()}
    return _ACCOUNT


def facts_of_machine(home: Home) -> Json:
    """Return what a greeting says: of this machine, and the `id` by which a home is known under all its names."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        memory = 0
    return {"id": hive_id(home), "system": os.uname().sysname.lower(), "cpu": os.cpu_count() or 0, "memory": memory}
