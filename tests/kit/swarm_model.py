"""A model of a swarm: hives that live by its rules on clocks of their own, a store that goes back and loses answers.

The functions are the real ones, in a real PostgreSQL. Time is the model's: the clock of each hive runs a little faster
or slower than that of another one, and nothing waits. What runs where is known here alone, and so is what must never
be:

* a post runs on two hives at once;
* a claim has a fence that is not higher than all that the post had before;
* a post begins again whose end was answered, unless whoever could have said so was away when the store went back.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from overmind_core.swarm.answers import CLOSED, Beaten, Claimed
from tests.kit.swarm import LONGEST, Hive, TestSwarm

TABLES = ("meta", "hives", "sessions", "posts", "needs", "refusals", "questions", "outputs", "places", "instances")
LATER = 8.0
"""Seconds after which a lost answer is asked for again."""
LONG = 700.0
"""Seconds that are longer than any lease and what is waited after it."""


@dataclass
class Machine:
    """A hive, with what it runs."""

    hive: Hive
    rate: float
    """How fast its clock runs."""
    beaten_at: float = 0.0
    """When, by the model's clock, the last accepted beat was sent; or the session began."""
    runs: dict[str, Claimed] = field(default_factory=dict)
    ended: dict[str, tuple[Claimed, str]] = field(default_factory=dict)
    """What it has ended itself, and how; it keeps that."""
    started: set[int] = field(default_factory=set)
    """The fences of all that it has begun: none begins again."""
    watched: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By session: the beat that it has seen, and since when."""
    seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    settle: tuple[int, float] | None = None
    """The rewind that it has noticed, and when."""

    def elapsed(self, since: float, now: float) -> float:
        """Seconds by its own clock."""
        return (now - since) * self.rate

    def deadline(self, claim: Claimed) -> float:
        """When its keeper ends a leased run, by the model's clock."""
        return self.beaten_at + claim.lease / self.rate if claim.on_lost == "move" else float("inf")


class World:
    """All of it."""

    def __init__(self, swarm: TestSwarm, machines: list[Machine]) -> None:
        self.swarm = swarm
        self.machines = machines
        self.now = 0.0
        self.fences: dict[str, tuple[int, Machine]] = {}
        """By post: the highest that a hive has learned of, and which."""
        self.done: set[str] = set()
        """Posts whose end was answered."""
        self.excused: set[str] = set()
        self.snapshots = 0
        self.posted: list[str] = []

    # what the hives do

    def beat(self, machine: Machine, *, lost: bool = False) -> None:
        """One beat, and all that follows from it."""
        hive = machine.hive
        nonce = uuid.uuid4().hex
        about = {"slots": 4, "load": 0.5}
        if lost:  # it asks again some seconds later; others have seen the first one since
            hive.call_beat(nonce, **about)
            for other in self.machines:
                if other is not machine:
                    self.look(other)
            self.advance(LATER)
        sent = self.now
        beaten = hive.call_beat(nonce, **about)
        if beaten.again:
            assert lost
            hive.number, hive.nonce, nonce = beaten.beat, nonce, uuid.uuid4().hex
            beaten = hive.call_beat(nonce, **about)
        assert beaten.word != "cloned", "nobody else beats for it"
        if beaten.word == "gone":
            self.forget(machine)
            return
        hive.number, hive.nonce = beaten.beat, nonce
        machine.beaten_at = sent
        if beaten.mode in {"settling", "restarted"}:
            if machine.settle is None or machine.settle[0] != beaten.settle:
                machine.settle = (beaten.settle, self.now)
        else:
            machine.settle = None
        if beaten.word == "present":
            self.present(machine)
        else:
            self.reconcile(machine, beaten)

    def reconcile(self, machine: Machine, beaten: Beaten) -> None:
        """What the store says that it holds is what it holds."""
        hive = machine.hive
        held = {one.post: one.fence for one in beaten.held}
        for post, claim in list(machine.runs.items()):
            if held.get(post) != claim.fence:
                del machine.runs[post]
        for claim in hive.swarm.claims_of(hive.session):
            mine = machine.ended.get(claim.id)
            if mine is not None and mine[0].fence == claim.fence:
                self.tell_end(machine, claim, mine[1])
            elif claim.fence not in machine.started:
                if beaten.mode not in CLOSED:  # else it may be another one's by now
                    self.start(machine, claim)
            elif claim.id not in machine.runs:  # its keeper has ended it, or it was given back
                hive.swarm.give_back(hive.session, claim.id, claim.fence, "fenced")

    def present(self, machine: Machine) -> None:
        """All that it has, and had."""
        hive = machine.hive
        held = [hive.presented(one) for one in machine.runs.values()]
        held += [hive.presented(claim, how) for claim, how in machine.ended.values() if claim.id not in machine.runs]
        answer = hive.swarm.present(hive.session, held, all_=True)
        for post, word in answer.posts.items():
            assert word != "forged"
            if word == "fenced":
                machine.runs.pop(post, None)

    def forget(self, machine: Machine) -> None:
        """Its session has ended: nothing of it runs on."""
        machine.runs.clear()
        machine.hive.swarm.close()
        machine.hive = self.swarm.again(machine.hive)
        self.join(machine)

    def join(self, machine: Machine) -> None:
        """A new session; where there is one it has watched it."""
        joined = machine.hive.join()
        if joined.word == "watch":
            self.now += 7 / machine.rate
            self.expire()
            joined = machine.hive.join({"session": joined.session, "beat": joined.beat, "seconds": 7})
        assert joined.word == "joined", joined
        machine.beaten_at = self.now

    def claim(self, machine: Machine, *, lost: bool) -> None:
        """Ask for posts."""
        answer = machine.hive.swarm.claim(
            machine.hive.session, machine.hive.number, {"slots": 2},
            {post: (version, machine.elapsed(since, self.now)) for post, (version, since) in machine.seen.items()},
        )  # fmt: skip
        for one in answer.claims:
            assert one.id not in self.fences or one.fence > self.fences[one.id][0], "fences only grow"
        if lost or answer.word != "ok":
            return
        for one in answer.claims:
            self.start(machine, one)

    def start(self, machine: Machine, claim: Claimed) -> None:
        """Begin a run."""
        hive = machine.hive
        hive.fence = max(hive.fence, claim.fence)
        self.fences[claim.id] = (claim.fence, machine)
        if self.now >= machine.deadline(claim):  # it has not beaten for too long: its keeper would end it at once
            hive.swarm.give_back(hive.session, claim.id, claim.fence, "silent")
            return
        running = [one.hive.name for one in self.machines if claim.id in one.runs and one is not machine]
        assert not running, f"{claim.id} begins on {hive.name} and runs on {running}"
        assert claim.id not in self.done - self.excused, f"{claim.id} had ended"
        machine.runs[claim.id] = claim
        machine.started.add(claim.fence)

    def end(self, machine: Machine, post: str, how: str, *, lost: bool) -> None:
        """A run ends."""
        claim = machine.runs.pop(post)
        machine.ended[post] = (claim, how)
        self.tell_end(machine, claim, how, lost=lost)

    def tell_end(self, machine: Machine, claim: Claimed, how: str, *, lost: bool = False) -> None:
        """Tell it, perhaps to nobody's knowledge."""
        answer = machine.hive.end(claim, how)
        if answer.word == "ok":
            assert self.swarm.find(claim.id).state == how
            if not lost:
                self.done.add(claim.id)

    def give_back(self, machine: Machine, post: str) -> None:
        """It stops a run, and gives the post back."""
        claim = machine.runs.pop(post)
        machine.hive.swarm.give_back(machine.hive.session, post, claim.fence, "changed its mind")

    def look(self, machine: Machine) -> None:
        """See which sessions and posts stand still."""
        found = machine.hive.swarm.watchlist(machine.hive.session)
        machine.watched = {
            one.session: (one.beat, machine.watched[one.session][1])
            if machine.watched.get(one.session, (None,))[0] == one.beat
            else (one.beat, self.now)
            for one in found.sessions
        }
        machine.seen = {
            one.post: (one.version, machine.seen[one.post][1])
            if machine.seen.get(one.post, (None,))[0] == one.version
            else (one.version, self.now)
            for one in found.posts
        }

    def take(self, machine: Machine) -> None:
        """Take from those that it has seen stand still for long enough."""
        for session, (beat, since) in machine.watched.items():
            machine.hive.swarm.take(machine.hive.session, session, beat, machine.elapsed(since, self.now))

    def settled(self, machine: Machine) -> None:
        """It has waited since it noticed a rewind."""
        if machine.settle is None:
            return
        settle, since = machine.settle
        waited = machine.elapsed(since, self.now)
        ((mode, count),) = self.swarm.sql("select mode, settle from overmind.meta")
        if mode == "restarted" or count != settle:
            return
        if waited >= LONGEST:
            for one in self.machines:
                ((presented,),) = self.swarm.sql(
                    "select coalesce(max(settle), -1) from overmind.sessions where id = %s", one.hive.session
                )
                if presented < count:  # it can't say what has ended
                    self.excused |= set(one.ended)
                    self.fences = {post: known for post, known in self.fences.items() if known[1] is not one}
        machine.hive.swarm.settled(machine.hive.session, settle, waited)

    def retry(self, post: str) -> None:
        """A person wants it once more."""
        found = self.swarm.admin.find_post(post)
        if found is not None and found.state in {"done", "failed"}:
            self.swarm.admin.retry(post)
            self.done.discard(post)

    def reboot(self, machine: Machine) -> None:
        """Its keeper and all that it runs are gone; it joins anew."""
        self.forget(machine)

    # what happens to all

    def advance(self, seconds: float) -> None:
        """Time passes, and keepers end what has no lease any more."""
        self.now += seconds
        self.expire()

    def expire(self) -> None:
        """Keepers end runs whose lease is over."""
        for machine in self.machines:
            for post, claim in list(machine.runs.items()):
                if self.now >= machine.deadline(claim):
                    del machine.runs[post]

    def save(self) -> None:
        """Remember the store as it is."""
        self.snapshots += 1
        save_store(self.swarm, f"snapshot_{self.snapshots}")

    def rewind(self, snapshot: int, *, is_told: bool) -> None:
        """The store is as it was then, and its server was started again; `is_told`: on another timeline, too."""
        restore_store(self.swarm, f"snapshot_{snapshot}")
        if is_told:
            self.swarm.sql("update overmind.meta set timeline = timeline + 1")

    def post(self, **wanted: Any) -> None:
        """A person posts."""
        given = f"{len(self.posted):08x}"  # by which posts are ordered: the same chance leads to the same life
        self.posted.append(self.swarm.post(id=given, **wanted))


def save_store(swarm: TestSwarm, name: str) -> None:
    """Remember the store as it is, under a name."""
    swarm.sql(f"create schema {name}")
    for table in TABLES:
        swarm.sql(f"create table {name}.{table} as table overmind.{table}")
    swarm.sql(f"create table {name}.last as select last_value from overmind.fences")


def restore_store(swarm: TestSwarm, name: str) -> None:
    """Have the store be as it was, in one moment, and as if its server was started again."""
    statements = [f"delete from overmind.{table}" for table in reversed(TABLES)]
    for table in TABLES:
        found = swarm.sql(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
            " and attgenerated = ''",
            f"overmind.{table}",
        )
        columns = ", ".join(f'"{column}"' for (column,) in found)
        statements.append(f"insert into overmind.{table} ({columns}) select {columns} from {name}.{table}")
    statements.append(f"select setval('overmind.fences', last_value) from {name}.last")
    statements.append("update overmind.meta set started = 'epoch'")
    swarm.sql("; ".join(statements))


def cleared(swarm: TestSwarm) -> None:
    """Leave nothing of what was before in a swarm but its logins."""
    for table in reversed(TABLES):
        if table != "meta":
            swarm.sql(f"delete from overmind.{table}")
    swarm.sql("delete from overmind.events")
    swarm.sql(
        "update overmind.meta set mode = 'open', settle = 0, longest = 600, started = pg_postmaster_start_time(),"
        " timeline = (overmind.identity()).timeline"
    )
    for (name,) in swarm.sql("select nspname from pg_namespace where nspname like 'snapshot%'"):
        swarm.sql(f"drop schema {name} cascade")
