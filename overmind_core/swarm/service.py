"""This hive in its swarm: it beats, claims what fits, tells how it goes, and watches the others. On the loop's thread.

Nothing here is decided by a clock on the wall, and nothing is asked of another hive: the database is asked, again and
again, what is this hive's, and each answer is saved before it counts.
"""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.swarm.fits import delay_after, load_of
from overmind_core.domain.swarm.leases import deadline_of, may_take_after, retry_pause
from overmind_core.errors import OvermindError, with_hint
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.swarm.connection import NotLetIn, SwarmSilent
from overmind_core.swarm.endings import Endings
from overmind_core.swarm.membership import Condition, StoreMode
from overmind_core.swarm.others import Others
from overmind_core.swarm.reports import HIVE_LOST
from overmind_core.swarm.starts import Starts
from overmind_core.swarm.store import HeldClaim, Session
from overmind_core.swarm.telling import Telling, parts_of, size_of
from overmind_core.swarm.waking import Waking
from overmind_core.swarm.works import POOL
from overmind_core.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.swarm.answers import Beaten, Claims, Held
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.membership import Machine
    from overmind_core.swarm.reports import Reports, Told
    from overmind_core.swarm.store import SwarmStore
    from overmind_core.swarm.works import Works
    from overmind_core.system.machine import Clock

BEAT = 5.0
"""Seconds between two beats."""
PLACES = "places"
"""News of places that are to be filled again after a while."""
NEED = "swarm"
"""Why the keeper stays while nothing runs."""
_log = logging.getLogger(__name__)


class SwarmService:
    """The loop of one membership.

    Args:
        machine: This hive.
        store: What is kept of the swarm.
        works: The work of its posts.
        reports: What it tells of them.
        line: To the swarm; its news call `wake_up`.
        clock: Leases and silences are measured on its boot clock.
        tasks: For the loop itself.
        keeper: Stays while this hive may be given work.
    """

    def __init__(
        self,
        *,
        machine: Machine,
        store: SwarmStore,
        works: Works,
        reports: Reports,
        line: SwarmLine,
        clock: Clock,
        tasks: Tasks,
        keeper: CurrentKeeper,
    ) -> None:
        self.line = line
        self.condition = Condition()
        self.refusal: OvermindError | None = None
        """Why the swarm does not take this hive; None: it does, or is silent."""
        self._takes = True
        self.is_draining = False
        """Whether the swarm gives it nothing new, as of the last beat."""
        self._machine = machine
        self._store = store
        self._works = works
        self._starts = Starts(works=works, store=store, tasks=tasks, sent=self._may_begin, changed=self._on_start)
        self._endings = Endings(works=works, tasks=tasks, changed=self.wake_up)
        self._reports = reports
        self._telling = Telling(reports, line)
        self._clock = clock
        self._tasks = tasks
        self._keeper = keeper
        self._waking = Waking(clock)
        self._loop: asyncio.Task[None] | None = None
        self._must_beat = True
        self._mode = StoreMode()
        self._others = Others(line, clock)
        self._closed = False

    # an instance of a pool leaves by itself

    def machine_ends(self, *, now: bool) -> None:
        """Doubt what is killed: with the machine, it is given back. `now`: it ends, and nothing is claimed any more."""
        self._takes = self._takes and not now
        self._reports.machine_ends(now=now)

    def open_work(self) -> int:
        """Return how many posts go on here, or have ended and were not told of."""
        found = (*self._store.open.values(), *self._store.untold.values())
        return sum(one.claim.kind != POOL for one in found)

    # membership

    async def join(self, swarm: str, hive: str, labels: Mapping[str, str], slots: int, *, session: str) -> int:
        """Begin a session; return how many other hives there are.

        `session`: its id. With that of a try whose answer was lost it is the same session.

        Raises:
            OvermindError: `name_taken`, a hive of this name lives elsewhere; `swarm_silent`, `forbidden`, `invalid`.
        """
        keeper, nonce = self._machine.keeper(), uuid.uuid4().hex
        return await self._begin_session(Session(swarm, hive, session, keeper, dict(labels), slots, next_nonce=nonce))

    async def _begin_session(self, session: Session) -> int:
        home, about = self._home(session), self._about(session)
        seen: dict[str, object] | None = None
        while True:
            answer = await self.line.ask(lambda swarm: swarm.join(session.hive, home, session.id, about, seen))  # noqa: B023
            if answer.word == "joined":
                break
            if answer.word == "gone":
                session = msgspec.structs.replace(session, id=uuid.uuid4().hex)
            elif answer.word == "watch":
                await asyncio.sleep(answer.seconds)
                seen = {"session": answer.session, "beat": answer.beat, "seconds": answer.seconds}
            else:
                raise OvermindError(
                    "name_taken",
                    f"Hive {session.hive} lives already, in another home. Invite this one by another name.",
                )
        joined = msgspec.structs.replace(
            session, beat=answer.beat, nonce="", proof=answer.proof, settle=answer.settle, fence=session.fence
        )
        self._store.save_session(joined)
        await self._store.saved()
        self._keeper.hold(NEED, on=joined.slots > 0)
        return answer.others

    def begin(self) -> None:
        """Beat from now on."""
        if self._loop is None and not self._closed:
            self._loop = self._tasks.start(self._run())

    async def leave(self, *, release: bool, force: bool) -> str:
        """End the session; return the name of the swarm.

        Args:
            release: Also where it holds posts: what runs of them ends, and they are given back.
            force: Also while nobody answers. Others begin what it held once they may, and learn of no end here.

        Raises:
            OvermindError: `busy`, it holds posts; `swarm_silent`.
        """
        session = self._session
        work = [one.claim.name for one in self._open() if one.claim.kind != POOL]  # others decide about pools then
        if work and not release:
            message = f"This hive has work of the swarm ({', '.join(work[:5])}). Give it back with:"
            raise OvermindError("busy", f"{message} overmind swarm leave --release")
        await self.close()
        try:
            is_known = await self._is_known(force=force)  # while nobody answers, nothing is ended
            if is_known:
                await self._report_all()
            for one in self._open():
                while is_known and not await self._give_back(one, "its hive has left"):
                    pass
                if not is_known:
                    await self._end(one.claim.id)
            if is_known:
                await self.line.ask(lambda swarm: swarm.leave(session.id))
        except BaseException:
            self._closed, self._loop = False, None
            self.begin()  # it is still a hive
            raise
        for post in list(self._store.claims):
            self._store.drop_claim(post)
        self._store.forget_session()
        self._keeper.hold(NEED, on=False)
        await self._store.saved()
        return session.swarm

    async def _is_known(self, *, force: bool) -> bool:
        """Whether the swarm takes this login; else an owner has removed the hive, and nobody is left to be told.

        `force`: nor is anybody while nobody answers.

        Raises:
            SwarmSilent: nobody answers.
        """
        try:
            hello = await self.line.ask(lambda swarm: swarm.hello())
        except OvermindError as error:
            if error.code != "forbidden" and not isinstance(error, SwarmSilent | NotLetIn):
                raise
            if force or error.code == "forbidden":
                return False
            lost = ", and lose what it could not tell" if self._store.open or self._store.untold else ""
            way = f"To leave all the same{lost}: overmind swarm leave --force"
            raise SwarmSilent(with_hint(error.message, way)) from None
        return hello.role is not None  # it may have been removed while it is connected

    async def close(self) -> None:
        """Beat no more; the session goes on until its keeper ends."""
        self._closed = True
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    def on_work(self, subject: str, *, at_once: bool = False) -> None:
        """A mission or a quest has changed, has ended, or has something open in the inbox.

        `at_once`: somebody waits for what the swarm is told of it.
        """
        if not self._reports.mark(subject, at_once=at_once):
            return
        if self._is_same_life() and self._reports.notice_end(subject):  # at once: a lease may end before the answer
            if self._store.open:
                self._waking.in_a_moment()  # more may end until then, which is told with it
            else:
                self._waking.at_once()
            return
        for moment in self._reports.due():
            self._waking.at(moment)

    def silent_seconds(self) -> float | None:
        """For how long the swarm has not answered this hive; None: it answers."""
        since = self.condition.silent_since
        return None if since is None else round(self._clock.boot() - since, 1)

    @property
    def _session(self) -> Session:
        assert self._store.session is not None
        return self._store.session

    # the loop

    def wake_up(self) -> None:
        """The swarm has news."""
        self._waking.at_once()

    def on_answer(self) -> None:
        """The swarm has answered somebody else here: it is there again."""
        self._waking.reached()

    async def _run(self) -> None:
        failures = 0
        while not self._closed:
            self._waking.begin_turn()
            try:
                await self._turn()
            except SwarmSilent as error:
                self._note_silence(error)
            except HandingOver:
                return  # the next daemon goes on
            except OvermindError as error:
                _log.warning("the swarm refuses this hive: %s", error.message)
                self.refusal = error
                self._note_silence(error)
            except StoreError as error:  # as on a full disk: what could not be saved has not counted
                self._note_silence(OvermindError("internal", f"{error.path} can't be written: {error.detail}."))
                failures = 0
            except Exception as error:  # noqa: BLE001 - a bug, or a database of another shape: others go on
                _log.exception("the hive could not go on with its swarm")
                self._note_silence(OvermindError("internal", f"{type(error).__name__}: {error}. See daemon.log"))
            else:
                failures = 0
                self.refusal = None
                self.condition = Condition(mode=self._mode.name)
                await self._wait()
                continue
            await self._waking.until_reached(retry_pause(failures, self._lease_left()))
            failures += 1

    def _lease_left(self) -> float:
        """Seconds until the first lease here ends, unless there is another beat; infinity: nothing is leased."""
        leases = [one.claim.lease for one in self._open() if one.claim.on_lost == "move"]
        return deadline_of(self._session.beat_sent, min(leases, default=math.inf)) - self._clock.boot()

    def _note_silence(self, error: OvermindError) -> None:
        since = self.condition.silent_since
        self.condition = Condition(error.message, self._clock.boot() if since is None else since, self._mode.name)

    async def _wait(self) -> None:
        """Until there is news, something to tell, a post that was seen for long enough, or the next beat is due."""
        if not self._must_beat:
            await self._waking.wait(
                lambda: (self._session.beat_sent + BEAT, *self._reports.due(), *self._others.later(self._clock.boot()))
            )

    async def _turn(self) -> None:
        """Everything once that is due."""
        if self._session.keeper != self._machine.keeper():
            await self._new_life()
        news = await self.line.news()
        called = f"hive:{self._session.hive}" in news
        now = self._clock.boot()
        if called or now - self._session.beat_sent >= BEAT or self._must_beat:  # the answer says what is to end
            await self._beat()
            self._reports.mark_all(asking=called)
            if called:
                self._works.on_call()
        elif PLACES in news or self._others.is_due(now):
            await self._others.watch(self._session.id)
        free = self._free()
        pause = delay_after(news, free["load"]) if free["free_slots"] else 0.0
        if pause:
            await self._report_all()
            await asyncio.sleep(pause)
        await self._exchange()
        if not self._mode.is_closed:
            self._starts.begin_all(but=self._endings.under_way)
        for held in self._open():
            if held.refusal is not None:  # it was fenced here, or nobody has answered
                await self._give_back(held, held.refusal)
        for held, reason in self._starts.refused():
            await self._give_back(held, reason)

    async def _new_life(self) -> None:
        """The keeper is another one: what the one before held has ended with it, and so has its session."""
        await self._end_all()  # a restart of its own policy would run beside the one that others begin
        await self._report_all()  # what had ended before
        self._drop_open()
        self._others.forget()
        self._reports.forget_all()
        session = msgspec.structs.replace(
            self._session, id=uuid.uuid4().hex, keeper=self._machine.keeper(), fence=0, beat_sent=0.0,
            next_nonce=uuid.uuid4().hex,
        )  # fmt: skip
        await self._begin_session(session)

    async def _end_all(self) -> None:
        """End what is held: others may begin it. Raises for one that can't be ended once all others were."""
        self._reports.notice_ends()
        for end in await asyncio.gather(*(self._end(one.claim.id) for one in self._open()), return_exceptions=True):
            if isinstance(end, BaseException):
                raise end

    def _open(self) -> list[HeldClaim]:
        return list(self._store.open.values())

    def _drop_open(self) -> None:
        """Forget what was held; what has ended is kept, for a store that goes back in time."""
        for held in self._open():
            self._drop(held)

    async def _beat(self) -> None:
        """Beat, and do what the answer says."""
        self._must_beat = True  # it counts once it is saved
        while True:
            sent = self._clock.boot()
            answer = await self._send_beat(sent)
            if answer is None:
                return
            if not answer.again:
                break
        self._must_beat = False
        self._works.renew(sent)
        self._mode.note(answer.mode, answer.settle, self._clock.boot())
        if answer.word == "present":
            await self._present(answer)  # what it says is held is older than that
        else:
            await self._take_over(answer.held)
        await self._settle(answer)
        await self._others.watch(self._session.id)

    async def _send_beat(self, now: float) -> Beaten | None:
        """Return the answer to one beat, which is saved; None: the session was over, and another one has begun."""
        session = self._session
        about = {
            "hive": session.hive, "home": self._home(session), "proof": session.proof, "fence": session.fence,
            "accepts": dict(self._machine.accepts), "pools": list(self._machine.pools()), **self._free(),
        }  # fmt: skip
        answer = await self.line.ask(
            lambda swarm: swarm.beat(session.id, session.beat, session.nonce, session.next_nonce, about)
        )
        if answer.word in {"gone", "cloned"}:
            await self._lose_session(answer.word)
            return None
        # Others have seen a beat that is sent again since it was sent for the first time: no lease counts from now.
        sent = session.beat_sent if answer.again else now
        beaten = msgspec.structs.replace(session, beat=answer.beat, beat_sent=sent, nonce=session.next_nonce)
        self._store.save_session(msgspec.structs.replace(beaten, next_nonce=uuid.uuid4().hex))
        await self._store.saved()
        self.is_draining = bool(answer.draining)
        return answer

    async def _lose_session(self, word: str) -> None:
        """The session is over: what is leased ends here, and a new one begins."""
        _log.warning("the session with the swarm is over (%s)", word)
        await self._end_all()
        self._drop_open()
        session = msgspec.structs.replace(self._session, id=uuid.uuid4().hex, fence=0, next_nonce=uuid.uuid4().hex)
        if word == "cloned":  # for the swarm it is another home from now on: the first one may live, and be silent
            session = msgspec.structs.replace(session, clone=uuid.uuid4().hex)
            self._store.save_session(session)
            await self._store.saved()
        await self._begin_session(session)

    def _may_begin(self) -> float:
        """Return when the last accepted beat was sent: boot clock. Raises SwarmSilent: nothing may begin now."""
        if self._mode.is_closed:
            raise SwarmSilent("the database was started again or has gone back in time")
        return self._session.beat_sent

    async def _settle(self, answer: Beaten) -> None:
        """Say how long the store has been looked after, once that is as long as the longest lease."""
        waited = self._mode.lasts(self._clock.boot())
        if self._mode.is_closed and waited >= may_take_after(answer.longest):
            session = self._session
            await self.line.ask(lambda swarm: swarm.settled(session.id, answer.settle, waited))

    async def _present(self, answer: Beaten) -> None:
        """The store has gone back in time: tell it what is held here, and what has ended lately."""
        session = self._session
        told = await self._reports.presented()
        for part, is_last in (*parts_of(told, size_of),) or (([], True),):
            presented = await self.line.ask(
                lambda swarm, part=part, is_last=is_last: swarm.present(session.id, part, all_=is_last)  # type: ignore[misc]
            )
            for post, word in presented.posts.items():
                if word != "ok":
                    await self._fence(post)
        self._store.save_session(msgspec.structs.replace(self._session, settle=answer.settle))
        self._must_beat = True

    async def _take_over(self, held: list[Held]) -> None:
        """Bring what the swarm thinks that this hive has together with what it has."""
        known = self._store.claims
        if any(one.post not in known or known[one.post].claim.fence != one.fence for one in held):
            session = self._session
            for claim in await self.line.ask(lambda swarm: swarm.claims_of(session.id)):
                if claim.id not in known or known[claim.id].claim.fence < claim.fence:
                    await self._keep(HeldClaim(claim))
        for one in held:
            mine = known.get(one.post)
            if mine is not None and mine.claim.fence == one.fence and mine.reported_at is not None:
                self._store.save_claim(msgspec.structs.replace(mine, reported_at=None))  # it has forgotten the end
        theirs = {one.post: one.fence for one in held}
        for post, mine in list(known.items()):
            if mine.is_open and theirs.get(post) != mine.claim.fence:
                await self._fence(post)
        for one in held:
            if one.cancelling is not None and one.post in known and known[one.post].is_open:
                await self._cancel(one.post, one.cancelling)

    async def _cancel(self, post: str, why: str) -> None:
        """Have the work of a claim end: nobody wants it any more."""
        self._reports.cancel(post)
        if self._store.claims[post].mission is None:
            await self._starts.settle(post)
        held = self._store.claims[post]
        if held.mission is None:
            self._store.save_claim(msgspec.structs.replace(held, end={"state": "cancelled", "reason": why}))
        else:
            await self._works.of(held).cancel(held)

    async def _keep(self, held: HeldClaim) -> None:
        """Keep a claim that was given; of an earlier one of the same post nothing goes on."""
        await self._fence(held.claim.id)
        self._store.save_claim(held)
        if held.claim.fence > self._session.fence:
            self._store.save_session(msgspec.structs.replace(self._session, fence=held.claim.fence))

    async def _fence(self, post: str) -> None:
        """A claim is over: somebody else has the post, or nobody."""
        held = self._store.claims.get(post)
        if held is not None:
            if held.is_open:
                _log.warning("the claim of %s is over", held.claim.name)
                await self._end(post)
            self._drop(self._store.claims[post])

    async def _end(self, post: str, reason: str = HIVE_LOST) -> bool:
        """Have what the claim of a post has begun here end, and begin nothing of it; whether nothing of it goes on.

        Given up before it is ended: an end that we caused is not the work's, and is told to nobody.
        """
        await self._starts.settle(post)
        held = self._store.claims[post]
        if not held.is_open:
            return True
        self._store.save_claim(msgspec.structs.replace(held, refusal=held.refusal or reason))
        await self._store.saved()
        return await self._endings.end(self._store.claims[post])

    def _is_same_life(self) -> bool:
        """Whether the session is of this keeper: of what was lost with another one, a new session begins."""
        session = self._store.session
        return session is not None and session.keeper == self._machine.keeper()

    async def _due(self) -> list[list[Told]]:
        """What is due to be told, in parts that are answered in time."""
        if self._is_same_life():
            self._reports.notice_ends()
        return await self._telling.due()

    async def _report_all(self) -> None:
        """Tell the swarm what is due of its posts."""
        for part in await self._due():
            await self._fence_all(await self._telling.tell(self._session, part))

    async def _fence_all(self, posts: list[str]) -> None:
        for post in posts:
            await self._fence(post)

    def _drop(self, held: HeldClaim) -> None:
        """Forget a claim that is over, and with it its lease."""
        self._store.drop_claim(held.claim.id)
        self._starts.forget(held.claim.id)
        self._works.release([held])
        self._reports.forget(held.claim.id)

    async def _exchange(self) -> None:
        """Tell what is due, and take what fits into the room that there is then; where it can be, in one statement."""
        parts = await self._due()
        last = parts.pop() if parts else []
        for part in parts:
            await self._fence_all(await self._telling.tell(self._session, part))
        session, free, seen = self._session, self._free(), self._others.seen_posts()
        if self._takes and self._machine.pools():
            await self._take(await self.line.ask(lambda swarm: swarm.claim_pools(session.id, session.beat, seen)))
        if not self._takes or free["free_slots"] <= 0:
            if last:
                await self._fence_all(await self._telling.tell(session, last))
            return
        wanted = {"slots": free["free_slots"], "cpu": free["free_cpu"], "memory": free["free_memory"]}
        if last:
            over, claims = await self._telling.tell_and_claim(session, last, wanted, seen)
            await self._fence_all(over)
        else:
            claims = await self.line.ask(lambda swarm: swarm.claim(session.id, session.beat, wanted, seen))
        await self._take(claims)

    async def _take(self, answer: Claims) -> None:
        """Keep what was given."""
        if answer.word in {"beat", "gone"} or (answer.claims and self._mode.is_closed):  # no more, as it seems
            self._must_beat = True
        for claim in answer.claims:
            await self._keep(HeldClaim(claim))
        if any(
            one.kind == POOL for one in answer.claims
        ):  # all others begin with what is saved after it, or not at all
            await self._store.saved()

    def _on_start(self, post: str) -> None:
        held = self._store.claims.get(post)
        if held is None or held.mission is None:
            self.wake_up()  # it was refused, or is over already
        else:
            self.on_work(post)

    async def _give_back(self, held: HeldClaim, reason: str) -> bool:
        """Give a post back once its work has ended here, which may be later; it begins here no more in any case."""
        session, claim = self._session, held.claim
        if not await self._end(claim.id, reason):
            return False
        await self.line.ask(lambda swarm: swarm.give_back(session.id, claim.id, claim.fence, reason))
        self._drop(self._store.claims.get(claim.id, held))
        return True

    # this hive

    def _home(self, session: Session) -> str:
        return f"{self._machine.home}-{session.clone}" if session.clone else self._machine.home

    def _about(self, session: Session) -> dict[str, Any]:
        machine = self._machine
        return {
            "labels": session.labels, "slots": session.slots, "cpu": machine.cpu, "memory": machine.memory,
            "providers": list(machine.providers), "accepts": dict(machine.accepts), "version": VERSION, "format": 1,
            "system": machine.system, "key": machine.key(), "pools": list(machine.pools()), **self._free(session),
        }  # fmt: skip

    def _free(self, session: Session | None = None) -> dict[str, Any]:
        slots = (session or self._session).slots
        claims = [one.claim for one in self._store.open.values() if one.claim.kind != POOL]
        return {
            "free_slots": max(slots - len(claims), 0),
            "free_cpu": max(self._machine.cpu - sum(one.cpu for one in claims), 0.0),
            "free_memory": max(self._machine.memory - sum(one.memory for one in claims), 0),
            "load": load_of(len(claims), slots) if slots else 1.0,
        }
