"""Streams of the API and answers that take long: they go on when the daemon is replaced, from where the caller says.

`call_if_running` is for a question to a daemon that may not be there: none is started, and nobody waits longer than a
moment.
"""

from __future__ import annotations

import time

from overmind_core.client.client import answer_result
from overmind_core.client.daemon import try_connect
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from typing import Any

    from overmind_core.client.client import Client
    from overmind_core.system.paths import Home

    Request = tuple[str, Mapping[str, Any]]


KINDS = ("ok", "item", "end")
"""What a line of a stream can be: its beginning, one thing, its end."""
HEARTBEAT = "beat"
"""Yielded by `follow` between the lines again and again, for who asks for it."""
SHORTEST = 0.001
"""Seconds for which a line is waited for also when a beat is due."""


def follow(
    client: Client, next_request: Callable[[], Request], *, deadline: float | None = None, beat: float | None = None
) -> Generator[tuple[str, Any], None, None]:
    """Yield each line of a stream as (kind, content), until its end (included).

    Args:
        client: The session; nothing else may use it meanwhile.
        next_request: Returns command and arguments; asked again after each loss, when it names what is
            still missing. A new "ok" then follows.
        deadline: When to give up, seconds on the monotonic clock; None: never.
        beat: Yield `(HEARTBEAT, None)` every so many seconds, whatever comes meanwhile, with a loss among them; None:
            never.

    Raises:
        OvermindError: the daemon said no; `daemon_lost`, ten seconds after a loss; `timeout` at `deadline`.
    """
    beats = None if beat is None else _Beats(beat)
    while True:
        try:
            yield from _follow_once(client, next_request(), deadline, beats)
        except ConnectionError:
            client.recover(repeatable=True)
        else:
            return


def await_answer(
    client: Client,
    next_request: Callable[[], Request],
    *,
    deadline: float | None = None,
    beat: float | None = None,
    is_hopeless: Callable[[], bool] | None = None,
) -> Any:  # noqa: ANN401  (an answer is any JSON)
    """Return the one answer to a request that may take long.

    Args:
        client: The session; nothing else may use it meanwhile.
        next_request: Returns command and arguments; asked again after each loss, when less time is left.
        deadline: When to give up, seconds on the monotonic clock; None: never.
        beat: Ask `is_hopeless` whenever nothing came for so many seconds, with a loss among them; None: never.
        is_hopeless: Returns whether to give up: then None is returned, and nothing else may use `client`.

    Raises:
        OvermindError: the daemon said no; `daemon_lost`, ten seconds after a loss; `timeout` at `deadline`.
    """
    beats = None if beat is None else _Beats(beat)
    while True:
        try:
            number = client.send(*next_request())
            while (line := _next_line(client, number, deadline, beats))[0] == HEARTBEAT:
                if is_hopeless is not None and is_hopeless():
                    return None
                if beats is not None:
                    beats.pass_one()
            return line[1]
        except ConnectionError:
            client.recover(repeatable=True)


class _Beats:
    """Moments so many seconds apart; neither what comes, nor a loss, nor a new beginning puts them off."""

    __slots__ = ("_next", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self._next = time.monotonic() + self._seconds

    def pass_one(self) -> None:
        """Go on to the next one; a late one does not put that off, unless it is past, too."""
        self._next += self._seconds
        if self.left < 0:
            self.begin()

    @property
    def left(self) -> float:
        """Seconds until the next one."""
        return self._next - time.monotonic()


def _follow_once(
    client: Client, request: Request, deadline: float | None, beats: _Beats | None
) -> Generator[tuple[str, Any], None, None]:
    number = client.send(*request)
    kind = ""
    try:
        while kind != "end":
            kind, content = _next_line(client, number, deadline, beats)
            yield kind, content
            if beats is None or kind == "end":
                continue
            if kind != HEARTBEAT and beats.left <= 0:  # lines that come at once would put it off for ever
                kind = HEARTBEAT
                yield HEARTBEAT, None
            if kind == HEARTBEAT:
                beats.pass_one()
    except ConnectionError:
        raise
    except BaseException:  # also GeneratorExit: the rest of the stream must not meet the next request
        client.close()
        raise


def _next_line(client: Client, number: int, deadline: float | None, beats: _Beats | None) -> tuple[str, Any]:
    while True:
        left = _time_left(deadline)
        pause = None if beats is None else max(beats.left, SHORTEST)
        try:
            answer = client.receive(timeout=min((one for one in (left, pause) if one is not None), default=None))
        except TimeoutError:
            if pause is not None and (left is None or pause < left):
                return HEARTBEAT, None
            raise OvermindError("timeout") from None
        if answer.get("id") != number:
            continue
        if "error" in answer:
            answer_result(answer)
        for kind in KINDS:
            if kind in answer:
                return kind, answer[kind]


def _time_left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise OvermindError("timeout")
    return left


CALL_LIMIT = 2.0
"""Seconds that an answer may take."""


def ask_once(client: Client, command: str, args: Mapping[str, Any], *, timeout: float) -> Any:  # noqa: ANN401  (as below)
    """Return the answer to a request that is worth no search for another daemon; nothing else may use the session.

    Args:
        client: The session. After any error but the daemon's own it is to be closed.
        command: As on the socket.
        args: Of the command.
        timeout: Seconds of silence.

    Raises:
        ConnectionError: the daemon is gone.
        TimeoutError: it does not answer in time.
        OvermindError: it said no, or is not there.
    """
    number = client.send(command, args)
    while (answer := client.receive(timeout=timeout)).get("id") != number:
        pass
    client.unanswered -= 1
    return answer_result(answer)


def call_if_running(
    home: Home, command: str, args: Mapping[str, Any] | None = None, *, timeout: float = CALL_LIMIT
) -> Any | None:  # noqa: ANN401  (an answer is any JSON)
    """Return the daemon's answer to one request; None when there is no daemon, or it doesn't answer in time.

    Args:
        home: Whose daemon.
        command: As on the socket.
        args: Of the command.
        timeout: Seconds.

    Raises:
        OvermindError: the daemon said no, or the home is another user's.
    """
    connection = try_connect(home)
    if connection is None:
        return None
    try:
        connection.send({"cmd": command, "args": dict(args or {}), "id": 1})
        return answer_result(connection.receive(timeout=timeout))
    except (ConnectionError, TimeoutError):
        return None
    finally:
        connection.close()
