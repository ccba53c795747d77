"""Pools in the swarm's functions: who decides about one, what it looks at, and what becomes of instances."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.swarm.answers import Claimed, PoolLook
from tests.kit.swarm import Hive, TestSwarm


@dataclass
class Decider:
    """The hive that holds the post of a pool."""

    hive: Hive
    claim: Claimed

    def look(self, alive: tuple[str, ...] = (), **labels: str) -> PoolLook:
        return self.hive.swarm.look_at_pool(
            self.hive.session, self.claim.id, self.claim.fence, labels, most=100, alive=alive
        )

    def ask(self, count: int, most: int = 10) -> list[str]:
        answer = self.hive.swarm.ask_instances(self.hive.session, self.claim.id, self.claim.fence, count, most)
        assert answer.word == "ok"
        return answer.names

    def report(self, name: str, state: str, **more: Any) -> str:
        return self.hive.swarm.report_instance(self.hive.session, self.claim.id, self.claim.fence, name, state, **more)


class Pool:
    """A pool of a swarm, as its instances have it."""

    def __init__(self, swarm: TestSwarm) -> None:
        self.swarm = swarm
        self.name = swarm.login("hpc")
        self.key = uuid.uuid4().hex * 2
        swarm.admin.invite(self.name, "worker", "x", pool=True, key=self.key)

    def decider(self, name: str = "login", **about: Any) -> Decider:
        hive = self.swarm.hive(name, pools=[self.name], slots=0, **about)
        (claim,) = self.offered(hive)
        return Decider(hive, claim)

    @staticmethod
    def offered(hive: Hive) -> list[Claimed]:
        return hive.swarm.claim_pools(hive.session, hive.number, hive.seen).claims

    def instance(self, name: str) -> Hive:
        """A connection as an instance, which has not joined."""
        return Hive(self.swarm.connected(self.swarm.url_of(self.name)), name)

    def states(self) -> dict[str, str]:
        return {one.name: one.state for one in self.swarm.admin.instances()}


@pytest.fixture
def pool(swarm) -> Pool:
    return Pool(swarm)


def test_one_hive_decides_about_a_pool_whose_config_has_it_whatever_slots_it_has(pool, swarm):
    other, laptop = swarm.hive("other"), swarm.hive("laptop", pools=["elsewhere"])
    decider = pool.decider()
    assert (decider.claim.kind, decider.claim.lease, decider.claim.on_lost) == ("pool", 60, "move")
    second = swarm.hive("second", pools=[pool.name])
    assert [pool.offered(one) for one in (other, laptop, second)] == [[], [], []]
    assert other.claim(4) == []
    assert swarm.admin.posts() == []
    assert (swarm.admin.status().claimed, swarm.admin.status().queued) == (0, 0)
    (row,) = swarm.admin.pools()
    assert (row.name, row.key, row.hive) == (pool.name, pool.key, decider.hive.name)
    assert set(row.offered_by) == {decider.hive.name, second.name}


def test_the_post_of_a_silent_decider_is_taken_after_its_lease_as_often_as_that_happens(pool, swarm):
    hives = [swarm.hive(f"h{number}", pools=[pool.name]) for number in range(2)]
    holder, other = hives
    assert len(pool.offered(holder)) == 1
    for _ in range(5):  # more often than a quest is tried again
        assert other.swarm.take(other.session, holder.session, holder.number, 62.0).freed == []
        assert other.swarm.take(other.session, holder.session, holder.number, 62.7).freed == [f"pool:{pool.name}"]
        assert len(pool.offered(other)) == 1
        holder, other = other, holder
        other.beat()
        holder.beat()


def test_a_decider_that_leaves_or_is_drained_gives_its_pools_to_another(pool, swarm):
    decider = pool.decider()
    second = swarm.hive("second", pools=[pool.name])
    assert swarm.admin.drain(decider.hive.name) == 0
    assert pool.offered(decider.hive) == []
    assert len(pool.offered(second)) == 1
    assert second.swarm.leave(second.session) == "left"
    swarm.admin.drain(decider.hive.name, undo=True)
    assert len(pool.offered(decider.hive)) == 1


def test_an_instance_has_no_place_of_a_sentinel(pool, swarm):
    """With one it would never be idle, and its one slot would be taken for good."""
    decider = pool.decider()
    swarm.admin.apply_fleets("team.toml", [{"fleet": "disk", "want": None, "definition": {"agent": "disk"}}])
    (name,) = decider.ask(1)
    instance = pool.instance(name)
    assert instance.join(slots=1).word == "joined"
    assert [one.only_hive for one in swarm.admin.posts()] == []
    swarm.hive("eu1")
    swarm.admin.apply_fleets("team.toml", [{"fleet": "disk", "want": None, "definition": {"agent": "df"}}])
    assert [one.only_hive for one in swarm.admin.posts()] == [swarm.login("eu1")]
    work = swarm.post(labels={})
    assert instance.claim_one().id == work


def test_an_instance_is_a_row_before_it_joins_and_joins_once(pool, swarm):
    with pytest.raises(OvermindError) as unknown:
        pool.instance(f"{pool.name}-1").join()
    assert unknown.value.code == "not_found"
    decider = pool.decider()
    (name,) = decider.ask(1)
    assert decider.report(name, "started", engine_id="4711") == "ok"
    first, second = pool.instance(name), pool.instance(name)
    assert first.join().word == "joined"
    assert first.join().word == "joined", "the same session, after a lost answer"
    assert second.join().word == "name_taken"
    assert [(one.state, one.engine_id) for one in swarm.admin.instances()] == [("joined", "4711")]
    first.swarm.leave(first.session)
    assert pool.states() == {name: "ended"}
    with pytest.raises(OvermindError, match="has ended"):
        second.join()


def test_an_instance_whose_joining_was_answered_to_nobody_joins_again_as_the_same(pool):
    (name,) = pool.decider().ask(1)
    instance, second = pool.instance(name), pool.instance(name)
    assert instance.join().word == "joined"
    assert instance.join().word == "joined"
    assert second.join().word != "joined"


def test_no_name_comes_twice_and_there_are_no_more_than_max(pool):
    decider = pool.decider()
    names = decider.ask(3, most=2)
    assert len(names) == 2
    assert decider.ask(1, most=2) == []
    decider.report(names[0], "ended")
    (third,) = decider.ask(5, most=2)
    assert third not in names
    assert decider.look().instances[-1].name == third


def test_whoever_lost_the_post_asks_for_nothing(pool, swarm):
    decider = pool.decider()
    other = swarm.hive("other", pools=[pool.name])
    swarm.admin.drain(decider.hive.name)
    pool.offered(other)
    answer = decider.hive.swarm.ask_instances(decider.hive.session, decider.claim.id, decider.claim.fence, 1, 9)
    assert (answer.word, answer.names) == ("fenced", [])
    assert decider.look().word == "fenced"
    assert decider.report(f"{pool.name}-1", "started") == "fenced"
    assert pool.states() == {}


def test_the_state_of_an_instance_only_goes_on(pool, swarm):
    decider = pool.decider()
    (name,) = decider.ask(1)
    for told, then in (("running", "running"), ("started", "running"), ("ended", "ended"), ("running", "ended")):
        decider.report(name, told)
        assert pool.states() == {name: then}
    with pytest.raises(OvermindError):
        decider.report("other-1", "started")
    with pytest.raises(OvermindError):
        decider.report(name, "nonsense")


def test_why_an_instance_has_ended_is_told(pool, swarm):
    decider = pool.decider()
    (name,) = decider.ask(1)
    decider.report(name, "ended", reason="it has not joined within 10m")
    assert [one.reason for one in swarm.admin.instances()] == ["it has not joined within 10m"]
    found = [one for one in swarm.admin.events() if one.type == "instance_ended"]
    assert [(one.hive, one.body["reason"]) for one in found] == [(name, "it has not joined within 10m")]


def test_an_instance_whose_machine_has_ended_is_a_hive_until_what_it_had_is_taken(pool, swarm):
    decider = pool.decider()
    (name,) = decider.ask(1)
    instance = pool.instance(name)
    instance.join(slots=1)
    swarm.post("train", lease=10)
    instance.claim_one()
    decider.report(name, "ended")
    assert name in {one.name for one in swarm.admin.hives()}
    assert [one.is_hive for one in decider.look().instances] == [True]
    other = swarm.hive("other")
    other.swarm.take(other.session, instance.session, instance.number, 12.2)
    decider.report(name, "ended")
    assert name not in {one.name for one in swarm.admin.hives()}
    assert instance.beat().word == "gone"
    with pytest.raises(OvermindError):
        Hive(instance.swarm, name).join()


def test_a_hive_that_is_called_as_an_instance_is_none(pool, swarm):
    decider = pool.decider()
    (name,) = decider.ask(1)
    swarm.admin.invite(name, "worker", "x")
    hive = Hive(swarm.connected(swarm.url_of(name)), name)
    assert hive.join().word == "joined"
    assert pool.states() == {name: "asked"}
    assert [one.is_hive for one in decider.look().instances] == [False]
    swarm.admin.end_instances(pool.name, None, force=True)
    assert decider.report(name, "ended") == "ok"
    beaten = hive.beat()
    assert (beaten.word, beaten.draining) == ("ok", False)
    swarm.admin.remove_hive(name)


POSTS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"labels": {"gpu": "yes"}}, True),
    ({"labels": {"gpu": "no"}}, False),
    ({"only_hive": "eu1"}, False),
    ({"secrets": ["TOKEN"]}, False),
    ({"secrets": ["KNOWN"]}, True),
    ({"cpu": 4}, True),
    ({"cpu": 5}, False),
    ({"memory": 1 << 40}, False),
    ({"provider": "claude"}, True),
    ({"provider": "codex"}, False),
    ({"format": 2}, False),
]


@pytest.mark.parametrize(("post", "counts"), POSTS)
def test_what_waits_counts_where_an_instance_could_take_it(pool, swarm, post, counts):
    decider = pool.decider()
    swarm.admin.put_secret("KNOWN", pool.name, b"sealed")
    (name,) = decider.ask(1)
    instance = pool.instance(name)
    instance.join(cpu=4, memory=1 << 30, providers=["claude"], format=1)
    instance.swarm.leave(instance.session)
    given = swarm.post("train", **post)
    assert decider.look(gpu="yes").waiting == ([given] if counts else [])


def test_before_any_instance_has_joined_its_size_is_no_reason_against_a_post(pool, swarm):
    decider = pool.decider()
    given = swarm.post("train", cpu=64, provider="claude")
    assert decider.look().waiting == [given]


def test_what_would_have_to_wait_on_an_instance_too_does_not_count(pool, swarm):
    decider, hive = pool.decider(), swarm.hive("eu1")
    swarm.post("first", repository="shop", owned=["src"])
    hive.claim_one()
    swarm.post("second", repository="shop", owned=["src/api"])
    free = swarm.post("third", repository="shop", owned=["docs"])
    assert decider.look().waiting == [free]


def test_no_more_machines_are_started_for_what_three_have_given_back_until_somebody_tries_it_again(pool, swarm):
    decider, given = pool.decider(), swarm.post(kind="run")
    for number in range(3):
        assert decider.look().waiting == [given]
        hive = swarm.hive(f"eu{number}")
        claim = hive.claim_one()
        reason = "its hive has left" if number == 2 else "no such folder"
        hive.swarm.give_back(hive.session, given, claim.fence, reason)
    assert decider.look().waiting == [given], "one hive has only left"
    hive = swarm.hive("eu3")
    hive.swarm.give_back(hive.session, given, hive.claim_one().fence, "no such folder")
    assert decider.look().waiting == []
    swarm.admin.cancel(given)
    swarm.admin.retry(given)
    assert decider.look().waiting == [given]


def test_people_ask_for_more_up_to_max_and_the_decider_starts_them(pool, swarm):
    alice = swarm.member("alice", "operator")
    with pytest.raises(OvermindError, match="No hive starts instances") as nobody:
        alice.add_to_pool(pool.name, 1)
    assert nobody.value.code == "invalid"
    with pytest.raises(OvermindError) as unknown:
        alice.add_to_pool("nosuch", 1)
    assert unknown.value.code == "not_found"
    decider = pool.decider()
    decider.hive.swarm.report_progress(
        decider.hive.session, decider.claim.id, decider.claim.fence, {"progress": {"max": 3, "engine": "command"}}
    )
    assert len(alice.add_to_pool(pool.name, 2)) == 2
    assert len(alice.add_to_pool(pool.name, 2)) == 1
    with pytest.raises(OvermindError, match="its max") as full:
        alice.add_to_pool(pool.name, 1)
    assert full.value.code == "no_room"
    assert set(pool.states().values()) == {"asked"}


def test_people_have_instances_end_by_their_name_or_their_engines(pool, swarm):
    decider = pool.decider()
    first, second, third = decider.ask(3)
    decider.report(second, "started", engine_id="4711")
    instance = pool.instance(third)
    instance.join()
    assert swarm.admin.end_instances(pool.name, [first, "4711"]) == sorted([first, second])
    with pytest.raises(OvermindError) as unknown:
        swarm.admin.end_instances(pool.name, ["4712"])
    assert unknown.value.code == "not_found"
    assert instance.beat().draining is False
    assert swarm.admin.end_instances(pool.name, None, force=True) == sorted([first, second, third])
    assert instance.beat().draining is True
    assert {one.ending for one in decider.look().instances} == {"force"}


def test_an_instance_that_is_to_end_takes_nothing_once_it_joins(pool, swarm):
    decider = pool.decider()
    (name,) = decider.ask(1)
    swarm.admin.end_instances(pool.name, [name])
    instance = pool.instance(name)
    instance.join()
    swarm.post("train")
    assert instance.ask().word == "draining"


def test_an_instance_does_not_decide_about_pools(pool, swarm):
    decider = pool.decider()
    (name,) = decider.ask(1)
    instance = pool.instance(name)
    instance.join(pools=[pool.name])
    swarm.admin.drain(decider.hive.name)
    assert pool.offered(instance) == []
    assert instance.name not in swarm.admin.pools()[0].offered_by


def test_a_login_is_of_a_pool_for_ever_and_a_new_invitation_has_a_new_key(pool, swarm):
    hive = swarm.hive("eu1")
    with pytest.raises(OvermindError) as taken:
        swarm.admin.invite(hive.name, "worker", "x", pool=True, key="0" * 64)
    assert taken.value.code == "name_taken"
    with pytest.raises(OvermindError):
        swarm.admin.invite(pool.name, "operator", "x")
    with pytest.raises(OvermindError):
        swarm.admin.invite(swarm.login("Not_a_pool_at_all"), "worker", "x", pool=True, key="0" * 64)
    swarm.admin.put_secret("TOKEN", pool.name, b"sealed")
    swarm.admin.invite(pool.name, "worker", "y", pool=True, key="1" * 64)
    assert swarm.admin.secrets() == []
    assert swarm.admin.pools()[0].key == "1" * 64


def test_a_store_that_went_back_learns_of_instances_from_them_and_their_engine(pool, swarm):
    decider = pool.decider()
    (name,) = decider.ask(1)
    instance = pool.instance(name)
    instance.join()
    instance.beat()
    swarm.sql("delete from overmind.instances")
    swarm.sql("delete from overmind.sessions where hive = %s", name)
    swarm.sql("delete from overmind.hives where name = %s", name)
    assert instance.beat().word == "present"
    assert pool.states() == {name: "joined"}
    swarm.sql("delete from overmind.instances")
    assert decider.report(name, "running", engine_id="4711") == "ok"
    assert pool.states() == {name: "running"}
