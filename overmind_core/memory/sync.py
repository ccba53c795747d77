"""The synchronisation with a Cortex: every half minute and after a change, less often while it fails.

The requests are made on a thread of their own, what they bring is stored by the thread that writes; the loop only says
what comes next. What goes wrong here is told once, and stops nothing else.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from overmind_core.domain.memory.entries import InvalidEntry, version_from_wire, vote_from_wire
from overmind_core.domain.memory.notes import Note, NoteState, Scope, ScopeKind
from overmind_core.domain.memory.sync import MOST_ENTRIES, START, ChainBroken, batch
from overmind_core.domain.memory.versions import fold
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.work_queue import NoResource, WorkQueue
from overmind_core.memory.cortex_client import CortexClient, Gone, RefusedEntry, check_url
from overmind_core.memory.events import CortexChanged
from overmind_core.memory.shared_copy import Link, SharedCopy
from overmind_core.memory.tables import Chosen
from overmind_core.system.paths import write_private

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from overmind_core.domain.memory.sync import Place
    from overmind_core.domain.settings import CortexSettings
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.memory import answer_types as answers
    from overmind_core.memory.opened import Writing
    from overmind_core.memory.shared_copy import Received
    from overmind_core.memory.store import Change
    from overmind_core.system.machine import Clock

Result = TypeVar("Result")

LONGEST_PAUSE = 600.0
"""Seconds between two attempts, however often they failed."""
SOON = 1.0
"""Seconds after a change: those that come together go together."""
_MOST_RESTARTS = 3
"""How often one exchange may begin from the start: a server that always has another chain is at fault."""


class Write(Protocol):
    """Has the thread that writes do something."""

    def __call__(self, work: Callable[[Writing], Result], *, ours: bool = False) -> Awaitable[Result]:
        """`ours`: it is nobody's request."""


class _Exchanged(NamedTuple):
    sent: int
    received: int
    conflicts: int


class CortexSync:
    """The connection with a Cortex, and its exchanges.

    Args:
        write: Has the thread that writes do something.
        on_changes: Records what happened to notes.
        events: The log of events.
        clock: The time.
        token_file: Where the token is kept, for its owner alone.
        settings: Of the table `[cortex]`.
    """

    def __init__(
        self,
        *,
        write: Write,
        on_changes: Callable[[Sequence[Change]], None],
        events: EventLog,
        clock: Clock,
        token_file: str,
        settings: CortexSettings,
    ) -> None:
        self._do = write
        self._on_changes = on_changes
        self._events = events
        self._clock = clock
        self._token_file = token_file
        self._settings = settings
        self._requests: WorkQueue[NoResource] = WorkQueue("memory-cortex", NoResource)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.error: str | None = None
        """Why the last exchange failed."""
        self._is_failure_recorded = False
        self.synced_at: float | None = None
        """Seconds since the epoch."""

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, without a look at the notes."""
        return os.path.exists(self._token_file)

    # requests

    async def connect(self, url: str, token: str, ca: str) -> None:
        """Connect with a Cortex, in the place of another one.

        Raises:
            OvermindError: `invalid`, `cortex_unreachable`, `token_refused`; nothing has changed.
        """
        url, token = check_url(url), token.strip()
        if not token or not token.isascii() or not token.isprintable():
            raise OvermindError("invalid", "This is not a token.")
        hello = await self._ask(CortexClient(url, token, ca=ca).hello)
        link = Link(url, hello.colony, hello.role, hello.name, ca)
        async with self._turn:
            # The token is written last: where it is, there is a connection.
            await self._write(lambda copy: copy.connect(link))
            write_private(self._token_file, f"{token}\n")
            self._forget_faults()
            self.synced_at = None
        self._events.record(CortexChanged(change="connected"))
        self.begin()

    async def disconnect(self) -> None:
        """Forget the Cortex; the notes stay."""
        async with self._turn:
            with suppress(FileNotFoundError):
                os.unlink(self._token_file)
            was = await self._write(lambda copy: copy.disconnect())
            self._forget_faults()
        if was is not None:
            self._events.record(CortexChanged(change="disconnected"))

    async def share(self, repository: str, *, is_local: bool, on: bool) -> int:
        """Send the notes of a repository, or no longer; return how many there are.

        Raises:
            OvermindError: `invalid`, there is no Cortex, or the repository is called otherwise on each machine.
        """
        if on and is_local:
            raise OvermindError("invalid", f"{repository} has no remote: other machines would not know it.")

        def change(writing: Writing) -> int:
            copy = SharedCopy(writing)
            if copy.link() is None:
                raise OvermindError("invalid", _NOT_CONNECTED)
            copy.share(repository, on=on)
            rows = writing.store.scopes.rows_of([Scope(ScopeKind.REPO, repository)])
            return writing.store.notes.count(Chosen(scopes=rows, states=(NoteState.LIVE,)))  # proposals never leave

        count = await self._do(change, ours=True)
        self.wake()
        return count

    async def state(self) -> answers.CortexState | None:
        """How the connection stands; None: there is none."""

        def look(copy: SharedCopy) -> answers.CortexState | None:
            link = copy.link()
            if link is None:
                return None
            at = None if self.synced_at is None else format_time(self.synced_at)
            return {
                "url": link.url, "colony": link.colony, "role": link.role, "synced_at": at,
                "to_send": copy.waiting(), "error": self.error, "shares": copy.repositories(),
            }  # fmt: skip

        return await self._write(look)

    async def sync(self) -> answers.Synced:
        """Send and receive now.

        Raises:
            OvermindError: `invalid`, there is no Cortex; `cortex_unreachable`, `token_refused`, `busy`.
        """
        done = await self._exchange()
        return {"sent": done.sent, "received": done.received, "conflicts": done.conflicts}

    async def search(self, question: Mapping[str, object]) -> list[tuple[Note, float, list[str]]]:
        """Return the notes of the Cortex that answer a question, with their scores and why they were found.

        Raises:
            OvermindError: `invalid`, there is no Cortex; `cortex_unreachable`, `token_refused`, `busy`.
        """
        link = await self._write(lambda copy: copy.link())
        if link is None:
            raise OvermindError("invalid", _NOT_CONNECTED)
        client = CortexClient(link.url, self._token(), ca=link.ca)
        found = await self._ask(lambda: client.search(question))
        try:
            return [
                (
                    fold(map(version_from_wire, one["versions"]), map(vote_from_wire, one["votes"])),
                    float(one["score"]),
                    [str(word) for word in one["why"]],
                )
                for one in found
            ]
        except (KeyError, TypeError, ValueError, InvalidEntry):
            raise OvermindError("cortex_unreachable", "The Cortex sent what can't be understood.") from None

    # by itself

    def begin(self) -> None:
        """Exchange by itself from now on."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._go_on())

    def wake(self) -> None:
        """Exchange soon: something has changed."""
        self._changed.set()

    def close(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
        self._requests.close()

    async def _go_on(self) -> None:
        pause = 0.0
        while self.is_connected:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause)
                if not self.error:
                    await asyncio.sleep(SOON)
            try:
                await self._exchange()
                pause = self._settings.every
            except OvermindError:  # it was told, and is in the state
                pause = min(LONGEST_PAUSE, max(pause, self._settings.every) * 2)
                self._changed.clear()

    async def _exchange(self) -> _Exchanged:
        async with self._turn:
            self._changed.clear()
            link = await self._write(lambda copy: copy.link())
            if link is None:
                raise OvermindError("invalid", _NOT_CONNECTED)
            try:
                client = CortexClient(link.url, self._token(), ca=link.ca)
                done = await self._both_ways(client, link)
            except OvermindError as error:
                self._fail(error)
                raise
            self._forget_faults()
            self.synced_at = self._clock.wall()
        if done.sent or done.received:
            self._events.record(CortexChanged(change="synced", sent=done.sent, received=done.received))
        return done

    async def _both_ways(self, client: CortexClient, link: Link) -> _Exchanged:
        sent = received = conflicts = restarts = 0
        if link.role != "read":
            sent += await self._send(client)
        more = True
        while more:
            place = await self._write(lambda copy: copy.place)
            try:
                got = await self._pull(client, link, place)
            except (Gone, ChainBroken):
                restarts += 1
                if place == START or restarts == _MOST_RESTARTS:
                    message = "The Cortex answers with a history that does not hold together."
                    raise OvermindError("cortex_unreachable", message) from None
                await self._write(lambda copy: copy.start_again())
                if link.role != "read":
                    sent += await self._send(client)
                continue
            self._on_changes(got.changes)
            received += got.entries
            conflicts += got.conflicts
            more = got.more
        return _Exchanged(sent, received, conflicts)

    async def _pull(self, client: CortexClient, link: Link, place: Place) -> Received:
        """Read and store a page."""
        page, own = await self._ask(lambda: client.pull(place, name=link.name))
        proposed = self._settings.incoming == "propose"
        return await self._write(lambda copy: copy.receive(page, own, proposed=proposed))

    async def _send(self, client: CortexClient) -> int:
        """Send all that is to be sent; it leaves the list when it is read back."""
        ids = await self._write(lambda copy: copy.outgoing())
        sent = 0
        while ids:
            entries = await self._write(lambda copy, ids=ids: copy.entries(ids[:MOST_ENTRIES]))  # type: ignore[misc]
            chosen = batch(entries)
            try:
                if chosen:
                    await self._ask(lambda chosen=chosen: client.push(chosen))  # type: ignore[misc]
                    sent += len(chosen)
            except RefusedEntry as refused:
                if refused.entry_id not in {one.id for one in chosen}:
                    raise OvermindError("cortex_unreachable", "The Cortex refuses what was not sent.") from None
                await self._write(lambda copy, one=refused.entry_id: copy.never_send(one))  # type: ignore[misc]
                ids = [one for one in ids if one != refused.entry_id]
                continue
            done = {one.id for one in chosen} | (set(ids[:MOST_ENTRIES]) - {one.id for one in entries})
            ids = [one for one in ids if one not in done]
        return sent

    def _token(self) -> str:
        try:
            with open(self._token_file, encoding="ascii") as file:
                return file.read().strip()
        except (OSError, ValueError):
            raise OvermindError("token_refused", "The token's file is missing. Connect again.") from None

    def _fail(self, error: OvermindError) -> None:
        self.error = error.message
        if not self._is_failure_recorded:
            self._is_failure_recorded = True
            self._events.record(CortexChanged(change="refused" if error.code == "token_refused" else "unreachable"))

    def _forget_faults(self) -> None:
        self.error, self._is_failure_recorded = None, False

    async def _write(self, work: Callable[[SharedCopy], Result]) -> Result:
        return await self._do(lambda writing: work(SharedCopy(writing)), ours=True)

    async def _ask(self, request: Callable[[], Result]) -> Result:
        return await self._requests.do(lambda _: request(), ours=True)


_NOT_CONNECTED = "There is no Cortex. Connect with: overmind memory connect URL --token-file FILE"
