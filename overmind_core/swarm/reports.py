"""What this hive tells the swarm of its posts: how each goes on, at most once a second; what it asks; and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.swarm.connection import SwarmSilent
from overmind_core.swarm.store import KEPT_SECONDS

if TYPE_CHECKING:
    from overmind_core.swarm.answers import Reported
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.post_questions import PostQuestions
    from overmind_core.swarm.run_secrets import RunSecrets
    from overmind_core.swarm.store import HeldClaim, SwarmStore
    from overmind_core.swarm.works import Works
    from overmind_core.system.machine import Clock

PERIOD = 1.0
"""Seconds between two reports of one post."""


class Reports:
    """Used from the loop's thread."""

    def __init__(
        self,
        *,
        store: SwarmStore,
        works: Works,
        questions: PostQuestions,
        secrets: RunSecrets,
        line: SwarmLine,
        clock: Clock,
    ) -> None:
        self._store = store
        self._works = works
        self._questions = questions
        self._secrets = secrets
        self._line = line
        self._clock = clock
        self._changed: set[str] = set()
        """Posts of which there is something to tell."""
        self._reported: dict[str, tuple[float, dict[str, Any]]] = {}
        self._cancelling: set[str] = set()

    def mark(self, mission: str) -> bool:
        """A mission has changed, or a quest; whether it is of a post."""
        found = [post for post, held in self._store.claims.items() if held.is_open and held.mission == mission]
        self._changed.update(found)
        return bool(found)

    def mark_all(self, *, asking: bool = False) -> None:
        """Look at all that go on. `asking`: those with open questions report in any case, for the answers."""
        for post, held in self._store.claims.items():
            if held.is_open:
                self._changed.add(post)
                at, before = self._reported.get(post, (0.0, {}))
                if asking and before.get("questions"):
                    self._reported[post] = (at, {})

    def cancel(self, post: str) -> None:
        """The swarm wants it to end: its end is told as that."""
        self._cancelling.add(post)
        self._changed.add(post)

    def forget(self, post: str) -> None:
        """Its claim is over."""
        self._cancelling.discard(post)
        self._changed.discard(post)
        self._reported.pop(post, None)

    def forget_all(self) -> None:
        """A new session has begun."""
        self._cancelling.clear()
        self._changed.clear()
        self._reported.clear()

    def due(self, now: float) -> list[float]:
        """When each report is due, on the boot clock."""
        return [self._reported[post][0] + PERIOD if post in self._reported else now for post in self._changed]

    def notice_ends(self) -> None:
        """Keep what the swarm is to be told of posts that have ended, and forget what it knows for long."""
        now = self._clock.boot()
        for post, held in list(self._store.claims.items()):
            if held.is_open:
                end = self._works.of(held).end_of(held, cancelling=post in self._cancelling)
                if end is not None:
                    self._store.save_claim(msgspec.structs.replace(held, end=self._secrets.masked(held, end)))
            elif held.reported_at is not None and not 0 <= now - held.reported_at < KEPT_SECONDS:
                self._store.drop_claim(post)

    async def send(self) -> list[str]:
        """Tell what is due; return the posts whose claims are over.

        Raises:
            SwarmSilent: nobody answers; what was not told is told again.
        """
        over = []
        self.notice_ends()
        for post, held in list(self._store.claims.items()):
            if await self._is_over(held):
                over.append(post)
        return over

    async def _is_over(self, held: HeldClaim) -> bool:
        """Tell what there is to tell of one; whether its claim is over."""
        if held.end is not None:
            return held.reported_at is None and await self._send_end(held, held.end) == "fenced"
        if self._works.of(held).is_fenced(held):
            return True
        return held.claim.id in self._changed and await self._send_report(held) == "fenced"

    async def _send_end(self, held: HeldClaim, end: dict[str, Any]) -> str:
        session, claim = self._store.session, held.claim
        assert session is not None
        await self._store.saved()
        if end["state"] == "done":
            try:
                await self._works.of(held).hand_on(held)
            except SwarmSilent:
                raise
            except OvermindError as error:
                end = {**end, "state": "failed", "reason": error.code}
        answer = await self._line.ask(lambda swarm: swarm.report_end(session.id, claim.id, claim.fence, end))
        self.forget(claim.id)
        if answer.word != "fenced":
            self._works.release(held)
            self._store.save_claim(msgspec.structs.replace(held, end=end, reported_at=self._clock.boot(), sealed={}))
        return answer.word

    async def _send_report(self, held: HeldClaim) -> str:
        session, claim, now = self._store.session, held.claim, self._clock.boot()
        assert session is not None
        at, before = self._reported.get(claim.id, (0.0, {}))
        report = self._works.of(held).report(held)
        if report is not None and held.mission is not None:
            report["questions"] = await self._questions.about(held.mission)
            report = self._secrets.masked(held, report)
        if report is None or report == before:
            self._changed.discard(claim.id)
            return ""
        if now - at < PERIOD:
            return ""
        answer: Reported = await self._line.ask(
            lambda swarm: swarm.report_progress(session.id, claim.id, claim.fence, report)
        )
        self._changed.discard(claim.id)
        self._reported[claim.id] = (now, report)
        for reply in answer.answers:
            await self._questions.answer(reply)
            self._changed.add(claim.id)
        return answer.word
