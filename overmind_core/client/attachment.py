"""The supervisor's side of being attached: it says which run to join, and what becomes of the mission.

Lost with its supervisor it is asked for again, of the next one, without anybody waiting for that: the live bytes come
from the keeper meanwhile.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque

from overmind_core.client.calls import result
from overmind_core.client.connect import PATIENCE
from overmind_core.client.reach import knock, reach
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.client.connect import Connection
    from overmind_core.system.paths import Home

    Json = dict[str, Any]

RETRY = 0.2
"""Seconds between two looks for the next supervisor."""
_ATTACH, _INTERRUPT = 1, 2
DETACHED: Json = {"type": "detached"}


class Attachment:
    """One stay at a mission.

    Args:
        home: Whose daemon.
        request: The arguments of `attach`.

    Raises:
        OvermindError: the daemon said no, is not there, or went away just now.
    """

    def __init__(self, home: Home, request: Mapping[str, Any]) -> None:
        self._home = home
        self._request = dict(request)
        self._connection: Connection | None = None
        self._answers: deque[Json] = deque()
        self._next_try = 0.0
        self._ask(reach(home, start=False)[0])
        try:
            head = result(self._open().receive(timeout=PATIENCE))
        except (ConnectionError, TimeoutError):
            self.close()
            raise OvermindError("daemon_lost") from None
        except OvermindError:
            self.close()
            raise
        self.mission: str = head["id"]
        self.name: str = head["name"]
        self.may_write: bool = head["write"]
        self._request |= {"id": self.mission, "rejoin": True}

    @property
    def lost(self) -> bool:
        """Whether there is no supervisor now."""
        return self._connection is None

    def fileno(self) -> int:
        """What to wait for before `item`; -1 while the supervisor is lost."""
        return -1 if self._connection is None else self._connection.fileno()

    def item(self) -> Json | None:
        """The next thing that the supervisor has said; None when there is no more by now.

        Raises:
            OvermindError: `not_found`, the next supervisor knows of no such mission.
        """
        if not self._answers:
            self._receive()
        while self._answers:
            item = self._judge(self._answers.popleft())
            if item is not None:
                return item
        return None

    def ask_again(self, *, columns: int, rows: int) -> None:
        """Give the seat up and ask for it anew, which brings a new ticket; the size is the terminal's by now."""
        self._request |= {"columns": columns, "rows": rows}
        self._lose()

    def look(self) -> float | None:
        """While the supervisor is lost, look for the next one; return in how many seconds to look again."""
        now = time.monotonic()
        if self._connection is None and now >= self._next_try:
            self._next_try = now + RETRY
            try:
                connection = knock(self._home)
            except OvermindError:
                connection = None
            if connection is not None:
                self._ask(connection)
        return None if self._connection is not None else max(self._next_try - now, 0.0)

    def interrupt(self) -> None:
        """Ask the mission to break off what it does, so that its terminal is there sooner."""
        connection = self._connection
        if connection is None:
            return
        connection.send({"cmd": "interrupt", "args": {"id": self.mission}, "id": _INTERRUPT})
        with contextlib.suppress(ConnectionError):
            connection.flush()

    def close(self) -> None:
        """Give the seat up."""
        self._lose()

    def _ask(self, connection: Connection) -> None:
        self._connection = connection
        connection.send({"cmd": "attach", "args": self._request, "id": _ATTACH})
        with contextlib.suppress(ConnectionError):  # noticed when it is read from
            connection.flush()

    def _open(self) -> Connection:
        assert self._connection is not None
        return self._connection

    def _lose(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._answers.clear()
        self._next_try = 0.0

    def _receive(self) -> None:
        if self._connection is not None:
            try:
                self._answers.extend(self._connection.received())
            except ConnectionError:
                self._lose()

    def _judge(self, answer: Json) -> Json | None:
        if answer.get("id") != _ATTACH:
            return None
        if answer.get("error") == "not_found":
            result(answer)
        if "error" in answer:  # it is on its way out, or in: once more
            self._lose()
            self._next_try = time.monotonic() + RETRY
        item: Json | None = DETACHED if "end" in answer else answer.get("item")
        return item
