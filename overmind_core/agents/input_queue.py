"""The inputs of agents' runs: numbered per run, on disk before they are sent, sent again after a crash.

The keeper applies each number once, so that repeating is safe. An input that types a message is saved in one commit
with that message, and what becomes of the one in one commit with what becomes of the other: no crash comes between.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import signal
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.agents.store import InputTable
    from overmind_core.kernel.journal import Change, Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper

ENDED = "exited"
"""Why a message failed whose run ended before it was typed."""
_log = logging.getLogger(__name__)


class Typing(NamedTuple):
    """A message, or keys, on the way into a run."""

    run: str
    seq: int
    change: Change
    """Saves it; what can be withdrawn while that fails."""
    answer: asyncio.Future[KeeperRefused | None]
    """What the keeper said to it; None too when it said nothing: whoever adopts the run repeats the input."""


class InputQueue:
    """The way to all runs' standard input."""

    def __init__(
        self, journal: Journal, table: InputTable, line: CurrentKeeper, *, written_notes: Callable[[str], str | None]
    ) -> None:
        """`written_notes`: those that the newest run of a mission was given, as its program reads them."""
        self._written_notes = written_notes
        self._journal = journal
        self._table = table
        self._line = line
        self._messages: dict[str, dict[int, int]] = {}
        """By run: the messages that its inputs type, by the inputs' numbers."""
        self.on_message: Callable[[str, int, str | None], None] = lambda _run, _message, _error: None
        """Called with a run and a message that was typed into it, or was not, with the error that says why."""

    def load(self) -> None:
        """Know the messages that are still on their way."""
        for run, seq, message in self._table.messages():
            self._messages.setdefault(run, {})[seq] = message

    def runs_with_messages(self) -> list[str]:
        """The runs for which messages are on their way."""
        return list(self._messages)

    def queue(self, run: str, seq: int, data: bytes) -> Callable[[], asyncio.Future[dict[str, Any]] | None]:
        """Save the input with this turn's commit; what is returned sends it, and is to be called after that."""
        self._journal.save(lambda: self._table.insert(run, seq, data))
        return lambda: self._send(run, seq, data)

    def queue_notes(self, run: str, seq: int, text: str) -> Callable[[], asyncio.Future[dict[str, Any]] | None]:
        """`queue` the notes that a run is given. Their text is not saved: what is sent again comes from their file."""
        self._journal.save(lambda: self._table.insert_notes(run, seq))
        return lambda: self._send(run, seq, _encoded(text))

    def type_message(self, run: str, seq: int, data: bytes, *, message: int, insert: Callable[[], None]) -> Typing:
        """Save a message, by `insert`, together with the input that types it, and send that once both are saved."""
        answer: asyncio.Future[KeeperRefused | None] = asyncio.get_running_loop().create_future()
        self._messages.setdefault(run, {})[seq] = message
        saved: list[int] = []

        def write() -> None:
            insert()
            self._table.insert(run, seq, data, message)
            saved.append(message)

        def send() -> None:
            # One that contradicts the books is on none.
            _answer(self._send(run, seq, data) if saved else None, answer)

        return Typing(run, seq, self._journal.save(write, send), answer)

    def type_keys(self, run: str, seq: int, data: bytes) -> Typing:
        """Save an input that is no message, and send it once it is saved."""
        answer: asyncio.Future[KeeperRefused | None] = asyncio.get_running_loop().create_future()

        def send() -> None:
            _answer(self._send(run, seq, data), answer)

        return Typing(run, seq, self._journal.save(lambda: self._table.insert(run, seq, data), send), answer)

    def withdraw(self, typing: Typing) -> None:
        """Forget what could not be saved."""
        self._journal.withdraw([typing.change])
        if typing.seq in self._messages.get(typing.run, ()):
            self._pop(typing.run, typing.seq)

    def close(self, run: str) -> None:
        """Close the run's input behind what was sent."""
        self._request("eof", run=run)

    def end(self, run: str) -> None:
        """Ask the run's program to end."""
        self._request("signal", run=run, signal=signal.SIGTERM)

    def output_was_read(self, run: str, until: int) -> bool:
        """Tell the keeper how far the run's output was taken in; whether there is one to tell."""
        return self._request("cursor", run=run, out=until, err=0) is not None

    def resume(self, run: str, seq: int) -> None:
        """Send what a keeper that has everything up to `seq` has not been given yet."""
        self.taken(run, seq)
        for number, data in self._table.after(run, seq):
            self._send(run, number, _encoded(self.notes_of(run)) if data is None else data)

    def notes_of(self, run: str) -> str:
        """Return the notes that a run is given, from their file."""
        return self._written_notes(run.partition(".")[0]) or ""

    def taken(self, run: str, seq: int) -> None:
        """The keeper has everything up to `seq`."""
        with self._journal.together():
            for number in [number for number in self._messages.get(run, ()) if number <= seq]:
                self.on_message(run, self._pop(run, number), None)
            self._journal.save(lambda: self._table.taken(run, seq))

    def over(self, run: str) -> None:
        """Nobody reads what is left: the run has ended."""
        messages = self._messages.pop(run, None)
        if messages:
            with self._journal.together():
                for message in messages.values():
                    self.on_message(run, message, ENDED)
                self._journal.save(lambda: self._table.taken(run, max(messages)))

    def _send(self, run: str, seq: int, data: bytes) -> asyncio.Future[dict[str, Any]] | None:
        future = self._request("write", run=run, seq=seq, data=base64.b64encode(data).decode())
        if future is not None:
            future.add_done_callback(lambda done: self._on_answer(run, seq, done))
        return future

    def _on_answer(self, run: str, seq: int, done: asyncio.Future[dict[str, Any]]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if isinstance(error, KeeperGone):
            return  # whoever adopts the run repeats it
        if isinstance(error, KeeperRefused):
            _log.warning("input %s of run %s was refused: %s", seq, run, error)
            self._refused(run, seq, error.code)
        else:
            self.taken(run, seq)

    def _refused(self, run: str, seq: int, error: str) -> None:
        """The keeper will not take it at any later time: it is told as failed, and forgotten.

        So are those before it that wait still: they were for a run that the keeper does not have.
        """
        with self._journal.together():
            for number in [number for number in self._messages.get(run, ()) if number <= seq]:
                self.on_message(run, self._pop(run, number), error)
            self._journal.save(lambda: self._table.taken(run, seq))

    def _pop(self, run: str, seq: int) -> int:
        messages = self._messages[run]
        message = messages.pop(seq)
        if not messages:
            del self._messages[run]
        return message

    def _request(self, op: str, **fields: object) -> asyncio.Future[dict[str, Any]] | None:
        # Before that, what is older would come later, and the keeper take it for a repetition.
        link = self._line.link if self._line.is_settled else None
        return None if link is None else link.request(op, **fields)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _answer(sent: asyncio.Future[dict[str, Any]] | None, answer: asyncio.Future[KeeperRefused | None]) -> None:
    """Let `answer` be what the keeper says against an input; None where it says nothing, or there is none."""

    def told(done: asyncio.Future[dict[str, Any]]) -> None:
        if not answer.done():  # the one who waited for it may have left
            answer.set_result(_refusal(done))

    if sent is not None:
        sent.add_done_callback(told)
    elif not answer.done():
        answer.set_result(None)


def _refusal(done: asyncio.Future[dict[str, Any]]) -> KeeperRefused | None:
    error = None if done.cancelled() else done.exception()
    return error if isinstance(error, KeeperRefused) else None
