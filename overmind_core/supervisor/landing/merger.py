"""Merges under way: one at a time for each repository, each brought to its end or taken back, whoever dies meanwhile.

What a merge has begun with is written down before: the next supervisor ends its check, removes its scratch worktree,
and writes down a landing that was done but not recorded. The target itself moves in one step of git's.

What does it is loaded with the first merge: most supervisors never see one.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.store.landings import Landing
from overmind_core.supervisor.callers import ourselves
from overmind_core.supervisor.commands import ending
from overmind_core.supervisor.landing.trace import Trace
from overmind_core.supervisor.requests import Kill
from overmind_core.wire.bytestrings import from_wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.landing.look import Wish
    from overmind_core.supervisor.landing.places import Place

KEY = "merging"
"""Of the store's fact that holds the traces."""
EVENT = "landed"
_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Trace]).decode


class Merger:
    """Used from the loop's thread."""

    def __init__(self, core: Supervisor) -> None:
        self.core = core
        self._traces: dict[str, Trace] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def take_up(self) -> None:
        """Take back, or write down, what an earlier supervisor was at."""
        saved = self.core.state.meta.get(KEY)
        self._traces = _decode(saved) if saved else {}
        for trace in list(self._traces.values()):
            self.core.background(self._settle(trace))

    async def merge(self, place: Place, wish: Wish, say: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Land the work of a mission; `say` is told of each step.

        Raises:
            OvermindError: it did not land, and nothing was changed.
        """
        if self.core.closing or self.core.handing_over:
            raise OvermindError("busy", "The daemon is shutting down.")
        from overmind_core.supervisor.landing.merge import Merge  # noqa: PLC0415 - see above

        turn = self._turn(place.repository)
        if turn.locked():
            say({"step": "waiting"})
        async with turn:
            return await Merge(self, place, wish, say).run()

    def keep(self, trace: Trace) -> Callable[[], None]:
        """Remember how far a merge is; what is returned writes it down, inside of a transaction."""
        self._traces[trace.mission] = trace
        return self._write()

    def forget(self, mission: str) -> None:
        """Nothing of the merge is left."""
        if self._traces.pop(mission, None) is not None:
            self.core.ledger.save(self._write())

    def record(self, trace: Trace) -> None:
        """It landed: that is written down together with its event, and once, whatever happens next."""
        now = self.core.clock.wall()
        landing = Landing(
            now, trace.repository, trace.mission, trace.name, trace.branch, trace.target, trace.before, trace.after
        )
        told = {name: getattr(landing, name) for name in ("mission", "name", "branch", "target", "before", "after")}
        with self.core.ledger.together():
            self.core.ledger.save(self.keep(replace(trace, landing=False)))
            self.core.ledger.save(lambda: self.core.state.landings.save(landing))
            self.core.book.event({"type": EVENT, **told})

    async def end(self, mission_id: str | None) -> None:
        """End the mission that checks a merge, if it is live."""
        if mission_id is None or mission_id not in self.core.book.live:
            return
        try:
            await ending.kill(self.core, Kill(id=mission_id, cascade=True), ourselves())
        except OvermindError as error:
            _log.info("the check of a merge, mission %s: %s", mission_id, error.message)

    def _turn(self, repository_: str) -> asyncio.Lock:
        return self._turns.setdefault(repository_, asyncio.Lock())

    def _write(self) -> Callable[[], None]:
        text = _encode(self._traces).decode()
        return lambda: self.core.state.meta.save(KEY, text)

    async def _settle(self, trace: Trace) -> None:
        """Bring to its end what another supervisor has begun."""
        from overmind_core.supervisor.landing.settling import settle  # noqa: PLC0415 - see above

        async with self._turn(from_wire(trace.repository)):
            await settle(self, trace)
