"""Gates that stay open between commands, as ssh keeps its connections: the next command for that hive borrows one.

A small process of the person's account holds each (`gate_holder`), at a socket in the account's own folder, for a
minute since it was used. One command has it at a time; another one starts a gate of its own meanwhile.
"""

from __future__ import annotations

import _socket
import os
import sys

from overmind_core.system import unixsocket
from overmind_core.system.child_process import ChildProcess
from overmind_core.system.paths import LONGEST_SOCKET_PATH, HomeUnsafe, runtime_folder
from overmind_core.system.unnamed_file import unnamed_file
from overmind_core.wire import gate

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Json = dict[str, Any]

KEPT_SECONDS = 60
"""How long a gate is kept that nobody uses."""
_BORROW_LIMIT = 0.5
"""Seconds for a holder to answer: it is of this machine, and has nothing else to do."""
_HOLDER = os.path.join(os.path.dirname(__file__), "gate_holder.py")
_IN_ORDER = b"k"
_ONE_DESCRIPTOR = 4
"""Bytes."""
_NAME_SPARE = 32
"""Bytes that are put behind a path: by ssh a digest and a suffix while it binds, by us a process's number."""


def account_path(kind: str, config: str, words: Sequence[str]) -> str | None:
    """Return the path of a socket in the account's folder, for a hive as a config.toml has it; None: it can have none.

    Args:
        kind: What is there: the beginning of its name.
        config: Path of the config.toml: each has connections of its own.
        words: What it says of the hive.
    """
    try:  # as hashlib does, which loads all of OpenSSL: six milliseconds of each command for a hive
        from _blake2 import blake2b  # noqa: PLC0415 - for this alone
    except ImportError:
        from hashlib import blake2b  # noqa: PLC0415 - as above

    try:
        folder = runtime_folder(os.geteuid())
    except HomeUnsafe:
        return None
    digest = blake2b("\0".join([config, *words]).encode(errors="surrogateescape")).hexdigest()[:12]
    path = os.path.join(folder, f"{kind}-{digest}")
    if len(os.fsencode(path)) + _NAME_SPARE > LONGEST_SOCKET_PATH or "%" in path:
        return None
    return path


class Lent:
    """A gate that is borrowed.

    Attributes:
        socket: Its standard input and output.
        greeting: What it said of itself when it was started.
    """

    def __init__(self, end: _socket.socket, greeting: Json, holder: _socket.socket) -> None:
        self.socket = end
        self.greeting = greeting
        self._holder = holder

    def give_back(self) -> None:
        """Leave it to the next command: nothing is on its way."""
        try:  # noqa: SIM105  (start-up: contextlib costs each command)
            self._holder.send(_IN_ORDER)
        except OSError:
            pass
        self.end()

    def end(self) -> None:
        """Leave it; without `give_back` its holder ends it."""
        self.socket.close()
        self._holder.close()


def borrow(path: str) -> Lent | None:
    """Return the gate that is held at a path; None: there is none, or another command has it."""
    try:
        holder = unixsocket.connect(path, _BORROW_LIMIT)
    except OSError:
        return None
    found = -1
    try:
        if unixsocket.peer(holder).uid == os.geteuid():
            said, sent, *_ = holder.recvmsg(gate.LONGEST_LINE, _socket.CMSG_SPACE(_ONE_DESCRIPTOR))
            found = int.from_bytes(sent[0][2][:_ONE_DESCRIPTOR], sys.byteorder) if sent else -1
            while said and found >= 0:
                if said.endswith(b"\n"):
                    greeting = gate.message_of(said)
                    return Lent(_socket.socket(fileno=found), greeting, holder)
                said += (more := holder.recv(gate.LONGEST_LINE))
                if not more:
                    break
    except (OSError, ValueError):
        pass
    if found >= 0:
        os.close(found)
    holder.close()
    return None


def drop(path: str) -> None:
    """End the gate that is held at a path; one that a command has just now ends with that."""
    lent = borrow(path)
    try:  # noqa: SIM105  (start-up: contextlib costs each command)
        os.unlink(path)
    except OSError:
        pass
    if lent is not None:
        lent.end()


def hold(path: str, end: _socket.socket, command: int, greeting: Json) -> bool:
    """Have a process of its own keep a gate on which nothing is on its way; False: another one waits there.

    Args:
        path: Where it is found again.
        end: The gate's standard input and output. The caller's own descriptor remains.
        command: The process that runs the gate here.
        greeting: Of the gate.
    """
    listener = _listen(path)
    if listener is None:
        return False
    try:
        with unnamed_file() as facts:
            os.write(facts.fileno(), f"{command} ".encode() + gate.line(greeting))
            words = [sys.executable, "-I", "-S", _HOLDER, path, str(KEPT_SECONDS)]
            environment = {name: value for name, value in os.environ.items() if name != "OVERMIND_HOME"}
            ChildProcess(words, environment=environment, files=(listener.fileno(), end.fileno(), facts.fileno()))
    except OSError:
        os.unlink(path)
        return False
    finally:
        listener.close()
    return True


def _listen(path: str) -> _socket.socket | None:
    """Return a socket that listens at a path; None: a gate is held there that nobody uses.

    A holder whose gate somebody has for long, and what one that was killed has left, gives way.
    """
    if (lent := borrow(path)) is not None:
        lent.give_back()
        return None
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    fresh = f"{path}~{os.getpid()}"
    try:
        listener.bind(fresh)
        os.chmod(fresh, 0o600)
        listener.listen(8)
        os.rename(fresh, path)  # listening already when the name appears
    except OSError:
        listener.close()
        return None
    return listener
