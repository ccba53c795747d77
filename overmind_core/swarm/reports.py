"""What this hive tells the swarm of its posts: how each goes on, at most once a second; what it asks; and its end."""

from __future__ import annotations

import base64
import logging
import signal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.swarm.answers import Reported
from overmind_core.swarm.generations import lineage_of
from overmind_core.swarm.handed_on import HANDS_ON
from overmind_core.swarm.store import KEPT_SECONDS
from overmind_core.swarm.works import PLACE, POOL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
FIRST = 0.5
"""Seconds before the first report of a post: of what ends sooner its end is all that is told."""
_AT_ONCE = frozenset({PLACE, POOL})
"""Kinds of posts of which all is told at once: others wait for that."""
KEPT_LOOK = 10.0
"""Seconds between two looks for ends that need not be kept any more."""
OF_ALL = frozenset({"swarm_silent", "forbidden"})
"""Errors that are none of a single post."""
_NOTHING = Reported("ok")
_log = logging.getLogger(__name__)


class Told(NamedTuple):
    """What is told of one post: how it goes on, or its end."""

    held: HeldClaim
    end: dict[str, Any] | None
    report: dict[str, Any] | None

    def as_told(self) -> dict[str, Any]:
        """Return it as the swarm takes it."""
        said = {"end": self.end} if self.report is None else {"report": self.report}
        return {"post": self.held.claim.id, "fence": self.held.claim.fence, **said}


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
        self._first: dict[str, float] = {}
        """When the first report of a post is due that was not told of yet. Boot clock."""
        self._look_again = 0.0
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

    def mark(self, subject: str, *, at_once: bool = False) -> bool:
        """A mission has changed, or a quest, or a post without one; whether it is of a post.

        `at_once`: somebody waits for what is told of it.
        """
        held = self._store.open_of(subject)
        if held is None:
            return False
        self._mark(held.claim.id, at_once=at_once or held.claim.kind in _AT_ONCE)
        return True

    def _mark(self, post: str, *, at_once: bool) -> None:
        self._changed.add(post)
        if post not in self._reported:
            now = self._clock.boot()
            self._first[post] = now if at_once else self._first.get(post, now + FIRST)

    def mark_all(self, *, asking: bool = False) -> None:
        """Look at all that go on. `asking`: those with open questions report in any case, for the answers."""
        for post, held in self._store.open.items():
            self._mark(post, at_once=held.claim.kind in _AT_ONCE)
            at, before = self._reported.get(post, (0.0, {}))
            if asking and before.get("questions"):
                self._reported[post] = (at, {})

    def cancel(self, post: str) -> None:
        """The swarm wants it to end: its end is told as that."""
        self._cancelling.add(post)
        self._mark(post, at_once=True)

    def forget(self, post: str) -> None:
        """Its claim is over."""
        self._cancelling.discard(post)
        self._changed.discard(post)
        self._first.pop(post, None)
        self._reported.pop(post, None)
        self._doubted.pop(post, None)

    def forget_all(self) -> None:
        """A new session has begun."""
        self._cancelling.clear()
        self._changed.clear()
        self._first.clear()
        self._reported.clear()

    def due(self) -> list[float]:
        """When each report is due, on the boot clock."""
        changed = [self._due(post) for post in self._changed]
        return changed + ([] if self._machine_ends else [since + DOUBT for since in self._doubted.values()])

    def _due(self, post: str) -> float:
        return self._reported[post][0] + PERIOD if post in self._reported else self._first.get(post, 0.0)

    def notice_ends(self) -> None:
        """Keep what the swarm is to be told of posts that have ended, and forget what it knows for long."""
        for held in list(self._store.open.values()):
            self._notice_end(held)
        now = self._clock.boot()
        if now >= self._look_again:
            self._look_again = now + KEPT_LOOK
            for post, held in list(self._store.claims.items()):
                if held.reported_at is not None and not 0 <= now - held.reported_at < KEPT_SECONDS:
                    self._store.drop_claim(post)

    def notice_end(self, subject: str) -> bool:
        """As `notice_ends`, of one mission, quest or post; whether there is something to be told or given back now."""
        held = self._store.open_of(subject)
        if held is None:
            return False
        self._notice_end(held)
        now = self._store.claims[held.claim.id]
        return not now.is_open or now.refusal is not None

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

    async def gather(self) -> list[Told]:
        """Return what is due; what it hands on is with the swarm then.

        Raises:
            SwarmSilent: nobody answers; what was not told is told again.
        """
        found = []
        if self._store.untold:
            await self._store.saved()
        for held in list(self._store.untold.values()):
            assert held.end is not None
            found.append(Told(held, await self._whole_end(held, held.end), None))
        for post in [post for post in self._changed if self._due(post) <= self._clock.boot()]:
            self._changed.discard(post)  # what changes from now on is told of later
            going = self._store.open.get(post)
            report = None if going is None or going.refusal is not None else await self._report_of(going)
            if going is not None and report is not None:
                found.append(Told(going, None, report))
        return found

    def keep_back(self, told: Sequence[Told]) -> None:
        """These could not be told: they are told again."""
        self._changed.update(one.held.claim.id for one in told if one.report is not None)

    async def accepted(self, told: Sequence[Told], found: Mapping[str, Reported]) -> list[str]:
        """Note what the swarm has answered, by post; return the posts whose claims are over."""
        ended = []
        for one in told:
            post = one.held.claim.id
            answer = found.get(post)
            if answer is None:
                continue
            if one.report is not None:
                await self._on_answer(one.held, one.report, answer)
                continue
            self.forget(post)
            if answer.word != "fenced":
                ended.append(msgspec.structs.replace(one.held, end=one.end, reported_at=self._clock.boot(), sealed={}))
        self._works.release(ended)
        for held in ended:
            self._store.save_claim(held)
        return [one.held.claim.id for one in told if (found.get(one.held.claim.id) or _NOTHING).word == "fenced"]

    async def _on_answer(self, held: HeldClaim, report: dict[str, Any], answer: Reported) -> None:
        post = held.claim.id
        self._first.pop(post, None)
        self._reported[post] = (self._clock.boot(), report)
        for reply in answer.answers:
            await self._questions.answer(reply)
            self._changed.add(post)

    async def send_each(self, told: Sequence[Told]) -> list[str]:
        """Tell of them one by one, as one of them was refused; return the posts whose claims are over.

        Raises:
            SwarmSilent: nobody answers; what was not told is told again.
        """
        over = []
        for number, one in enumerate(told):
            try:
                answer = await (self._send_report(one) if one.end is None else self._send_end(one, one.end))
            except OvermindError:
                self.keep_back(told[number:])
                raise
            if answer is not None:
                over += await self.accepted([one], {one.held.claim.id: answer})
        return over

    async def _send_report(self, one: Told) -> Reported | None:
        session, claim, report = self._store.session, one.held.claim, one.report
        assert session is not None
        assert report is not None
        try:
            return await self._line.ask(lambda swarm: swarm.report_progress(session.id, claim.id, claim.fence, report))
        except OvermindError as error:
            if error.code in OF_ALL:
                raise
            _log.warning("how %s goes on can't be told: %s", claim.name, error.message)
            return None  # other posts are told of

    async def _send_end(self, one: Told, end: dict[str, Any]) -> Reported | None:
        session, claim = self._store.session, one.held.claim
        assert session is not None
        try:
            return await self._line.ask(lambda swarm: swarm.report_end(session.id, claim.id, claim.fence, end))
        except OvermindError as error:
            if error.code in OF_ALL:
                raise
            _log.warning("the whole end of %s can't be told: %s", claim.name, error.message)
            less = {"state": end["state"], "reason": error.code, "exit_code": end.get("exit_code")}
        try:
            return await self._line.ask(lambda swarm: swarm.report_end(session.id, claim.id, claim.fence, less))
        except OvermindError as error:
            if error.code in OF_ALL:
                raise
            _log.warning("the end of %s can't be told: %s", claim.name, error.message)
            return None  # tried again with the next beat; other posts are told of

    async def _whole_end(self, held: HeldClaim, end: dict[str, Any]) -> dict[str, Any]:
        """Return an end with all that belongs to it, once what it hands on is with the swarm."""
        session = self._store.session
        assert session is not None
        if end["state"] == "done" or lineage_of(held) is not None:  # a generation that failed has something to say, too
            try:
                await self._hand_on(held, session.id)
            except OvermindError as error:
                if error.code in OF_ALL:
                    raise
                end = {**end, "state": "failed", "reason": error.code} if end["state"] == "done" else end
        return await self._with_outputs(held, end)

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

    async def _report_of(self, held: HeldClaim) -> dict[str, Any] | None:
        """Return what is told of one that goes on; None: nothing that the swarm doesn't know."""
        report = self._works.of(held).report(held)
        if report is not None and held.mission is not None:
            report["questions"] = await self._questions.about(held.mission)
            report = self._secrets.masked(held, report)
        _, before = self._reported.get(held.claim.id, (0.0, {}))
        return None if report == before else report


def _is_of_signal(end: dict[str, Any]) -> bool:
    """Whether an end is that of work which somebody told to end, or killed: a shell adds 128 to the signal's number."""
    return end["state"] == "failed" and end.get("exit_code") in _OF_SIGNALS
