"""What this hive tells the swarm of its posts: how each goes on, at most once a second; what it asks; and its end."""

from __future__ import annotations

import base64
import logging
import signal
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.swarm.generations import lineage_of
from overmind_core.swarm.handed_on import HANDS_ON
from overmind_core.swarm.store import KEPT_SECONDS

if TYPE_CHECKING:
    from overmind_core.swarm.answers import Reported
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.post_questions import PostQuestions
    from overmind_core.swarm.run_secrets import RunSecrets
    from overmind_core.swarm.store import HeldClaim, SwarmStore
    from overmind_core.swarm.works import Works
    from overmind_core.system.machine import Clock

HIVE_LOST = "hive_lost"
"""Why a post is given back whose run was fenced: another try is free, three times."""
DOUBT = 2.0
"""Seconds for which what was killed may have been killed with its machine."""
_OF_SIGNALS = frozenset(
    code
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
    for code in (-number, 128 + number)
)
"""Exit codes of what was ended with its machine: engines send these to all that runs in a job."""
PERIOD = 1.0
"""Seconds between two reports of one post."""
_OF_ALL = frozenset({"swarm_silent", "forbidden"})
"""Errors that are none of a single post."""
_log = logging.getLogger(__name__)


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
        self._machine_may_end = False
        self._machine_ends = False
        self._doubted: dict[str, float] = {}
        """Post → since when its work has been known to be killed, on the boot clock."""

    def machine_ends(self, *, now: bool) -> None:
        """An engine tells all that runs on a machine to end at once: what was killed so is no end, and given back.

        Args:
            now: It ends; else it may, at any time, and what was killed is doubted for a moment.
        """
        self._machine_may_end, self._machine_ends = True, now

    def mark(self, mission: str) -> bool:
        """A mission has changed, or a quest, or a post without one; whether it is of a post."""
        claims = self._store.claims.items()
        found = [post for post, held in claims if held.is_open and mission in {held.mission, post}]
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
        self._doubted.pop(post, None)

    def forget_all(self) -> None:
        """A new session has begun."""
        self._cancelling.clear()
        self._changed.clear()
        self._reported.clear()

    def due(self, now: float) -> list[float]:
        """When each report is due, on the boot clock."""
        changed = [self._reported[post][0] + PERIOD if post in self._reported else now for post in self._changed]
        return changed + ([] if self._machine_ends else [since + DOUBT for since in self._doubted.values()])

    def notice_ends(self) -> None:
        """Keep what the swarm is to be told of posts that have ended, and forget what it knows for long."""
        now = self._clock.boot()
        for post, held in list(self._store.claims.items()):
            if held.is_open:
                self._notice_end(held)
            elif held.reported_at is not None and not 0 <= now - held.reported_at < KEPT_SECONDS:
                self._store.drop_claim(post)

    def _notice_end(self, held: HeldClaim) -> None:
        work = self._works.of(held)
        if held.refusal is not None:
            return
        if work.is_fenced(held):  # the swarm may have it tried again, where nobody else has taken it
            self._store.save_claim(msgspec.structs.replace(held, refusal=HIVE_LOST))
            return
        end = work.end_of(held, cancelling=held.claim.id in self._cancelling)
        if end is not None and self._machine_may_end and _is_of_signal(end):
            since = self._doubted.setdefault(held.claim.id, self._clock.boot())
            if self._machine_ends:
                self._store.save_claim(msgspec.structs.replace(held, refusal=HIVE_LOST))
            if self._machine_ends or self._clock.boot() - since < DOUBT:
                return
        if end is not None:
            self._store.save_claim(msgspec.structs.replace(held, end=self._secrets.masked(held, end)))

    async def send(self) -> list[str]:
        """Tell what is due; return the posts whose claims are over.

        Raises:
            SwarmSilent: nobody answers; what was not told is told again.
        """
        over = []
        for post, held in list(self._store.claims.items()):
            if await self._is_over(held):
                over.append(post)
        return over

    async def _is_over(self, held: HeldClaim) -> bool:
        """Tell what there is to tell of one; whether its claim is over."""
        if held.end is not None:
            return held.reported_at is None and await self._send_end(held, held.end) == "fenced"
        if held.refusal is not None or held.claim.id not in self._changed:
            return False
        try:
            return await self._send_report(held) == "fenced"
        except OvermindError as error:
            if error.code in _OF_ALL:
                raise
            _log.warning("how %s goes on can't be told: %s", held.claim.name, error.message)
            self._changed.discard(held.claim.id)  # other posts are told of
            return False

    async def _send_end(self, held: HeldClaim, end: dict[str, Any]) -> str:
        session, claim = self._store.session, held.claim
        assert session is not None
        await self._store.saved()
        if end["state"] == "done" or lineage_of(held) is not None:  # a generation that failed has something to say, too
            try:
                await self._hand_on(held, session.id)
            except OvermindError as error:
                if error.code in _OF_ALL:
                    raise
                end = {**end, "state": "failed", "reason": error.code} if end["state"] == "done" else end
        end = await self._with_outputs(held, end)
        try:
            answer = await self._line.ask(lambda swarm: swarm.report_end(session.id, claim.id, claim.fence, end))
        except OvermindError as error:
            if error.code in _OF_ALL:
                raise
            _log.warning("the whole end of %s can't be told: %s", claim.name, error.message)
            end = {"state": end["state"], "reason": error.code, "exit_code": end.get("exit_code")}
            try:
                answer = await self._line.ask(lambda swarm: swarm.report_end(session.id, claim.id, claim.fence, end))
            except OvermindError as refused:
                if refused.code in _OF_ALL:
                    raise
                _log.warning("the end of %s can't be told: %s", claim.name, refused.message)
                return ""  # tried again with the next beat; other posts are told of
        self.forget(claim.id)
        if answer.word != "fenced":
            self._works.release(held)
            self._store.save_claim(msgspec.structs.replace(held, end=end, reported_at=self._clock.boot(), sealed={}))
        return answer.word

    async def _hand_on(self, held: HeldClaim, session: str) -> None:
        """Put what it has made where those that need it find that."""
        claim = held.claim
        for name, body in (await self._works.of(held).outputs(held)).items():
            await self._line.ask(
                lambda swarm, name=name, body=body: swarm.put_output(session, claim.id, claim.fence, name, body)  # type: ignore[misc]
            )

    async def presented(self) -> list[dict[str, Any]]:
        """Return all that is held and has ended lately, as a store that has gone back in time is told of it."""
        self.notice_ends()
        return [await self._as_presented(held) for held in list(self._store.claims.values())]

    async def _as_presented(self, held: HeldClaim) -> dict[str, Any]:
        claim = held.claim
        told: dict[str, Any] = {
            "id": claim.id, "fence": claim.fence, "proof": claim.proof, "definition": claim.definition,
        }  # fmt: skip
        if held.end is None:
            return {**told, "state": "claimed"}
        told |= await self._with_outputs(held, held.end)
        if held.end["state"] != "done":
            return told
        try:
            files = await self._works.of(held).outputs(held)
        except OvermindError as error:
            return {**told, "state": "failed", "reason": error.code}
        outputs = [{"name": name, "body": base64.b64encode(body).decode()} for name, body in files.items()]
        return {**told, "outputs": outputs}

    async def _with_outputs(self, held: HeldClaim, end: dict[str, Any]) -> dict[str, Any]:
        """Return an end with what its plan gets, of an attempt of one; that was kept with an end that was told."""
        if held.reported_at is not None:
            return end
        handed_on = await self._works.of(held).handed_on(held)
        return end if handed_on is None else {**end, "result": {**(end.get("result") or {}), HANDS_ON: handed_on}}

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


def _is_of_signal(end: dict[str, Any]) -> bool:
    """Whether an end is that of work which somebody told to end, or killed: a shell adds 128 to the signal's number."""
    return end["state"] == "failed" and end.get("exit_code") in _OF_SIGNALS
