"""The starts of claimed posts, each beside the beats: to fetch the code of a quest may take minutes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.swarm.connection import SwarmSilent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from overmind_core.kernel.tasks import Tasks
    from overmind_core.swarm.store import HeldClaim, SwarmStore
    from overmind_core.swarm.works import Works

_log = logging.getLogger(__name__)


class _Start:
    """One of them."""

    def __init__(self, held: HeldClaim) -> None:
        self.held = held
        self.task: asyncio.Task[None] | None = None
        self.is_recording = False
        """What it begins is being saved: whoever wants it ended waits for that."""


class Starts:
    """Used from the loop's thread.

    Args:
        works: Begin them.
        store: Knows which claims are this hive's.
        tasks: For the starts.
        sent: When the last accepted beat was sent. Boot clock, seconds.
        changed: Called with the post of one that has ended, so that the swarm is told.
    """

    def __init__(
        self,
        *,
        works: Works,
        store: SwarmStore,
        tasks: Tasks,
        sent: Callable[[], float],
        changed: Callable[[str], None],
    ) -> None:
        self._works = works
        self._store = store
        self._tasks = tasks
        self._sent = sent
        self._changed = changed
        self._under_way: dict[str, _Start] = {}
        self._refused: dict[str, tuple[HeldClaim, str]] = {}

    def begin_all(self, *, but: Collection[str]) -> None:
        """Start all that was claimed and is not begun yet, but these posts; what failed for a while is tried again."""
        for post, held in self._store.open.items():
            is_new = held.refusal is None and not self._works.is_begun(held)
            if is_new and post not in but and post not in self._under_way and post not in self._refused:
                start = self._under_way[post] = _Start(held)
                start.task = self._tasks.start(self._run(start))

    def refused(self) -> Iterator[tuple[HeldClaim, str]]:
        """Yield the claims that can't be started here, each with the reason, until `forget` is called."""
        yield from list(self._refused.values())

    def forget(self, post: str) -> None:
        """Its claim is over, or was given back."""
        self._refused.pop(post, None)

    async def settle(self, post: str) -> None:
        """Have nothing begin any more for the claim of a post; what is being recorded just now, is by then."""
        start = self._under_way.get(post)
        if start is None:
            return
        if start.is_recording and start.task is not None:
            await asyncio.wait([start.task])
        else:
            del self._under_way[post]  # it gives up by itself when it is about to record something
        self.forget(post)

    async def _run(self, start: _Start) -> None:
        post = start.held.claim.id

        def sent() -> float:
            if self._under_way.get(post) is not start:
                raise OvermindError("fenced", f"The claim of {start.held.claim.name} is over.")
            start.is_recording = True
            return self._sent()

        try:
            await self._works.start(start.held, sent)
        except (HandingOver, SwarmSilent):
            pass  # it is begun by the next daemon, or with the next beat
        except StoreError as error:
            _log.warning("post %s is not started yet: %s can't be written: %s", post, error.path, error.detail)
        except OvermindError as error:
            self._refuse(start, error.message)
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
            _log.exception("post %s can't be started", post)  # it says what nobody has foreseen
            self._refuse(start, f"{type(error).__name__}: {error}")
        else:
            self._changed(post)
        finally:
            if self._under_way.get(post) is start:
                del self._under_way[post]

    def _refuse(self, start: _Start, reason: str) -> None:
        if self._under_way.get(start.held.claim.id) is start:
            self._refused[start.held.claim.id] = (start.held, reason)
            self._changed(start.held.claim.id)
