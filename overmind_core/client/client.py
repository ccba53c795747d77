"""The client of the API: requests and answers over one connection that survives a daemon's replacement.

When the connection is lost the client looks for the daemon for ten seconds, and asks again what may be
asked twice. Whatever can't be repeated safely ends in `daemon_lost`.
"""

from __future__ import annotations

import time

from overmind_core.client.connection import ANSWER_LIMIT, envelope
from overmind_core.client.daemon import LOOK_SECONDS
from overmind_core.client.place import place_of
from overmind_core.errors import OvermindError
from overmind_core.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from overmind_core.client.connection import ApiConnection
    from overmind_core.client.place import Place
    from overmind_core.client.request_keys import RequestKeys
    from overmind_core.system.paths import Home
    from overmind_core.system.selectable_event import SelectableEvent

    Args = Mapping[str, Any]

_HELLO = 0
_SILENT = "hive_silent"
FAILOVER_LIMIT = 5.0
"""Seconds that a keeper with something to supervise gets to start the next daemon; after that a client may."""
BEAT = 1.0
"""Seconds between two calls of what is done while answers are missing."""
_PAUSE = 0.05
"""Seconds between two losses, so that a daemon which dies at each request is not asked without end."""
STEADY_SECONDS = 2.0
"""A daemon that lasted so long after its greeting was found: its loss is a new one, with ten seconds of its own."""
_IN_FLIGHT = 256
"""Requests sent ahead of their answers: few enough that both sides' socket buffers hold them."""


class Client:
    """A session with the daemon of a home.

    Args:
        home: Whose daemon: a home of this machine, or a hive that is reached through its gate.
        start: Start a daemon when neither daemon nor keeper lives.
        notify: Gets what a person should know: a daemon was started, or is older than this program.
        say_search: Gets again and again, while no daemon answers, the line that says so, and since when it does not
            (seconds on the monotonic clock); returns whether it has said the line, which ends that.
        says_late: Of an answer that takes long it says so, too, as of a daemon that does not answer.
        by: In whose name it asks, such as `web:phone`; None: a person's own.
        keys: Of what it asks a hive to change; None: new ones.
    """

    def __init__(
        self,
        home: Home | Place,
        *,
        start: bool = False,
        notify: Callable[[str], None] = lambda _: None,
        say_search: Callable[[str, float], bool] = lambda *_: False,
        says_late: bool = False,
        by: str | None = None,
        keys: RequestKeys | None = None,
    ) -> None:
        self.place = place_of(home)
        self.keys = keys
        self.by = by
        self.started_pid: int | None = None
        """The daemon that this client had to start."""
        self.daemon: dict[str, Any] = {}
        """What the daemon said of itself: version, pid, home, api. Empty until it answered."""
        self._start = start
        self._notify = notify
        self._say_search = say_search
        self._says_late = says_late
        self._search_began: float | None = None
        """When the search began that goes on; None: the daemon has answered, or was not asked."""
        self._search_said = False
        """True once a person has been told of it."""
        self._connection: ApiConnection | None = None
        self._greeted = False
        self._greeted_at = 0.0
        self._warned = False
        self._last_number = _HELLO
        self.unanswered = 0
        """Requests of this session that more may be answered to: whoever has met the end of one takes it off."""
        self._lost_at: float | None = None
        self._abandoned = False

    def call(self, command: str, args: Args | None = None, *, meanwhile: Callable[[], object] | None = None) -> Any:  # noqa: ANN401  (an answer is any JSON)
        """Send one request and return what the daemon answered; `meanwhile` as of `call_each`.

        Raises:
            OvermindError: the daemon said no, is not there, or was lost.
        """
        (answer,) = self.call_each(command, [args or {}], meanwhile=meanwhile)
        if isinstance(answer, OvermindError):
            raise answer
        return answer

    def call_each(
        self, command: str, requests: Sequence[Args], *, meanwhile: Callable[[], object] | None = None
    ) -> list[Any | OvermindError]:
        """Send many requests of one kind at once; return answers and errors in their order.

        Args:
            command: As on the socket.
            requests: The arguments of each.
            meanwhile: Called at least once a second while answers are missing; it must not use this client.

        Raises:
            OvermindError: the daemon is not there, or was lost.
        """
        if meanwhile is None and self._says_late:
            meanwhile = self._late_teller()
        exchange = self._keyed(command, requests) if self.place.keyed else Exchange(command, requests)
        while exchange.unanswered:
            try:
                exchange.run(self, meanwhile)
            except ConnectionError:
                repeatable = not exchange.in_flight or bool(exchange.keys) or _is_repeatable(command)
                exchange.on_connection_lost()
                self._recover_sent(exchange, repeatable=repeatable)
        return exchange.answers

    def _late_teller(self) -> Callable[[], None]:
        """Return what says, once and in time, that answers are missing: for a beat at least, else they are not late."""
        began, said = time.monotonic(), False

        def say_late() -> None:
            nonlocal said
            if not said and self._search_began is None and time.monotonic() >= began + BEAT:
                said = self._say_search(self.place.to_answer, began)

        return say_late

    def _keyed(self, command: str, requests: Sequence[Args]) -> Exchange:
        """Return an exchange with a hive, in which what changes something has keys."""
        from overmind_core.client.request_keys import RequestKeys  # noqa: PLC0415  (start-up: only for hives)
        from overmind_core.domain.operations import OPERATIONS  # noqa: PLC0415  (same)

        operation = OPERATIONS.get(command)
        if operation is None or not (operation.takes_key or operation.request_key):
            return Exchange(command, requests)
        self.keys = self.keys or RequestKeys()
        if operation.takes_key:
            return Exchange(command, requests, self.keys.take(len(requests)))
        if self.keys.given:  # its key is one of its arguments
            again = self.keys.take(len(requests))
            requests = [{**args, "request": key} for args, key in zip(requests, again, strict=True)]
        return Exchange(command, requests)

    def _recover_sent(self, exchange: Exchange, *, repeatable: bool) -> None:
        """As `recover`, for what was on its way: nobody knows what came of it when the other side stays away.

        Raises:
            OvermindError: `outcome_unknown`, of a hive; as `recover`.
        """
        try:
            self.recover(repeatable=repeatable)
            self._connected()
        except OvermindError as error:
            if error.code != _SILENT or exchange.key is None:
                raise
            raise self.place.unknown_outcome(exchange.key) from None

    def send(self, command: str, args: Args, key: str | None = None) -> int:
        """Queue a request, with its key if it has one; return the number that its answers carry.

        Raises:
            OvermindError: the daemon is not there.
        """
        connection = self._connected()
        self._last_number += 1
        self.unanswered += 1
        connection.send(envelope(command, args, self._last_number, self.by, key))
        return self._last_number

    def receive(self, *, timeout: float | None = None, woken: SelectableEvent | None = None) -> dict[str, Any]:
        """Return the next answer, whichever request it belongs to.

        Raises:
            ConnectionError: the daemon is gone; see `recover`.
            TimeoutError: nothing came within `timeout` seconds, or `woken` was set; the session is still good.
            OvermindError: the daemon doesn't answer at all, or refuses this client.
        """
        connection = self._connected()
        if not self._greeted:
            self._read_greeting(connection)
        answer = connection.receive(timeout=timeout, woken=woken)
        self._lost_at = None
        if answer.get("id") is None:  # the daemon could not even read which request it was
            answer_result(answer)
        return answer

    def connect(self) -> dict[str, Any]:
        """Connect to the daemon now; return its greeting."""
        while not self._greeted:
            try:
                self._read_greeting(self._connected())
            except ConnectionError:
                self.recover(repeatable=True)
        return self.daemon

    def recover(self, *, repeatable: bool) -> None:
        """After a ConnectionError: find the daemon again, within ten seconds since the loss.

        Raises:
            OvermindError: `daemon_lost`, also when the request must not be repeated.
        """
        if self._abandoned:
            self._drop()
            self._connected()
        met = bool(self.daemon)  # ever: whoever has followed a daemon waits for the next one, and starts none
        if self._greeted and time.monotonic() - self._greeted_at >= STEADY_SECONDS:
            self._lost_at = None  # an answer may take longer than the lives of two daemons
        self._drop()
        if not repeatable:
            raise self.place.unknown_outcome()
        if self._lost_at is not None:  # again, without an answer in between
            time.sleep(_PAUSE)
        now = time.monotonic()
        self._lost_at = self._lost_at or now
        self._search_began = self._search_began or now
        left = self._lost_at + ANSWER_LIMIT - now
        if not met and left > 0:
            return  # it was on its way out: the next request finds or starts another one
        connection = self._reconnected(now, now + left) if left > 0 else None
        if connection is None:
            raise self.place.lost(ANSWER_LIMIT)
        self._greet(connection)

    def _reconnected(self, now: float, deadline: float) -> ApiConnection | None:
        """Return a connection to the next daemon: one that comes by itself, else one that we start where we may."""
        connection = None
        revived = self.place.is_revived()
        line = self.place.comes_back(is_started=revived or self._start)

        def searching(_: str) -> None:
            self._search(line)

        if revived or not self._start:
            connection = self.place.connect_until(min(now + FAILOVER_LIMIT, deadline), searching)
        if connection is None and (revived or self._start):
            # No notice: there was one when the command began, and what it waits for goes on.
            try:
                connection, self.started_pid = self.place.connect(start=self._start, searching=searching)
            except OvermindError as error:
                if error.code != "hive_silent":  # it has as long as `deadline` to be there again
                    raise
        return connection or self.place.connect_until(deadline, searching)

    def _search(self, line: str) -> None:
        """Let a person know, once in a search, for what it goes on."""
        if not self._search_said and self._search_began is not None and self._say_search(line, self._search_began):
            self._search_said = True

    def close(self) -> None:
        """End the session; the next request begins a new one. What leads there may serve another one, see `Hive`."""
        if self._connection is not None and self._greeted and not self.unanswered:
            self._connection.release()
            self._connection = None
        self._search_began = None
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._greeted = False
        self.unanswered = 0

    def abandon(self) -> None:
        """End the session for good, from any thread: whatever waits in it fails, and nothing is asked any more."""
        self._abandoned = True
        connection = self._connection
        if connection is not None:
            connection.hang_up()

    def _connected(self) -> ApiConnection:
        if self._abandoned:
            raise OvermindError("daemon_lost", "The client no longer waits for the answer.")
        if self._connection is None:
            self._search_began = self._search_began or time.monotonic()
            connection, pid = self.place.connect(start=self._start, searching=self._search)
            self._greet(connection)
            self._notify_started(pid)
        assert self._connection is not None
        return self._connection

    def _notify_started(self, pid: int | None) -> None:
        if pid is not None:
            self.started_pid = pid
            self._notify(f"Daemon started (PID {pid})")

    def _greet(self, connection: ApiConnection) -> None:
        connection.send({"cmd": "hello", "args": {"version": VERSION}, "id": _HELLO})
        self._connection = connection
        if self._abandoned:  # just now, before there was a connection to end
            connection.hang_up()

    def _read_greeting(self, connection: ApiConnection) -> None:
        is_back = bool(self.daemon) and self._lost_at is not None
        self.daemon = answer_result(self._receive_greeting(connection))
        self._greeted = True
        self._greeted_at = time.monotonic()
        said, self._search_said, self._search_began = self._search_said, False, None
        if said and is_back:
            self._notify(self.place.back(self.daemon["pid"]))
        if self.newer_than_daemon and not self._warned:
            self._warned = True
            self._notify(self.place.older(str(self.daemon["version"])))

    def _receive_greeting(self, connection: ApiConnection) -> dict[str, Any]:
        deadline = time.monotonic() + ANSWER_LIMIT
        while (left := deadline - time.monotonic()) > 0:
            try:
                return connection.receive(timeout=min(left, LOOK_SECONDS))
            except TimeoutError:
                self._search(self.place.to_answer)
        raise self.place.mute(ANSWER_LIMIT)

    @property
    def newer_than_daemon(self) -> bool:
        """Whether the daemon that answered runs an older version."""
        return release_numbers(VERSION) > release_numbers(str(self.daemon.get("version", VERSION)))


class Exchange:
    """Requests of one kind, and the answers that came so far."""

    def __init__(self, command: str, requests: Sequence[Args], keys: Sequence[str] = ()) -> None:
        self.command = command
        self.requests = requests
        self.keys = keys
        """Of each request, beside its arguments; nothing where they have none."""
        self.answers: list[Any | OvermindError] = [None] * len(requests)
        self.unanswered = list(range(len(requests)))
        self.in_flight: dict[int, int] = {}
        """Number of a request on its way → its place."""
        self._repeated: set[int] = set()

    def run(self, client: Client, meanwhile: Callable[[], object] | None = None) -> None:
        """Send and receive until all is answered."""
        unsent = iter(self.unanswered[:])
        self._send(client, unsent, _IN_FLIGHT)
        while self.in_flight:
            answer = client.receive() if meanwhile is None else _receive_beside(client, meanwhile)
            place = self.in_flight.pop(answer.get("id", _HELLO), None)
            if place is not None:
                client.unanswered -= 1
                self.unanswered.remove(place)
                self.answers[place] = self._result_of(place, answer)
                self._send(client, unsent, 1)

    @property
    def key(self) -> str | None:
        """The key by which what was sent can be settled later; None: nothing was sent yet, or it has none."""
        if not self._repeated:
            return None
        own = self.requests[0].get("request")
        return self.keys[0].partition(".")[0] if self.keys else own if isinstance(own, str) else None

    def on_connection_lost(self) -> None:
        """Forget what is on its way; its answers will never come."""
        self._repeated.update(self.in_flight.values())
        self.in_flight.clear()

    def _send(self, client: Client, unsent: Iterable[int], count: int) -> None:
        for _, place in zip(range(count), unsent, strict=False):
            self.in_flight[client.send(self.command, self.requests[place], self._key(place))] = place

    def _key(self, place: int) -> str | None:
        return self.keys[place] if self.keys else None

    def _result_of(self, place: int, answer: dict[str, Any]) -> Any | OvermindError:  # noqa: ANN401  (any JSON)
        try:
            return answer_result(answer)
        except OvermindError as error:
            if place in self._repeated and error.code in _already_done(self.command):
                return self._presumed_answer(self.requests[place])
            return error

    def _presumed_answer(self, args: Args) -> dict[str, Any]:
        """Return what the lost answer must have been, as far as the request tells."""
        if self.command == "forget":
            return {"notes": [{"id": note, "still_in": []} for note in args.get("notes", ())]}
        mission = {"id": args.get("id"), "name": None}
        return {"killed": [mission], "hidden": []} if self.command == "kill" else {**mission, "also": []}


def _receive_beside(client: Client, meanwhile: Callable[[], object]) -> dict[str, Any]:
    """Return the next answer, and call `meanwhile` before it and again and again until it comes."""
    while True:
        meanwhile()
        try:
            return client.receive(timeout=BEAT)
        except TimeoutError:
            continue


def answer_result(answer: dict[str, Any]) -> Any:  # noqa: ANN401  (any JSON)
    """Return the `ok` of an answer.

    Raises:
        OvermindError: it is an error.
    """
    if "error" in answer:
        fields = {name: value for name, value in answer.items() if name not in {"error", "message", "id", "code"}}
        raise OvermindError(str(answer["error"]), answer.get("message"), **fields)
    return answer.get("ok")


def _is_repeatable(command: str) -> bool:
    """Whether it may be sent again; a command that we don't know may not."""
    from overmind_core.domain.operations import OPERATIONS  # noqa: PLC0415  (start-up: only when a daemon was lost)

    return command in OPERATIONS and OPERATIONS[command].repeatable


def _already_done(command: str) -> tuple[str, ...]:
    """Return the errors that mean, of what was sent again, that the first one did it."""
    from overmind_core.domain.operations import OPERATIONS  # noqa: PLC0415  (as above)

    return OPERATIONS[command].already_done


def release_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, up to the first part that is none."""
    numbers = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
