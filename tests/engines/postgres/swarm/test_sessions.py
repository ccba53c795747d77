"""Sessions: joining, beating, clones, leaving; and a name that somebody else has."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError
from tests.kit.swarm import Hive


def test_a_hive_joins_beats_and_leaves(swarm):
    hive = Hive(swarm.member("eu1", "worker"), swarm.login("eu1"))
    joined = hive.join(labels={"region": "eu"}, cpu=8, memory=1 << 34, providers=["claude"], version="0.9.0")
    assert (joined.word, joined.beat, joined.others) == ("joined", 0, 0)
    assert [hive.beat().beat for _ in range(3)] == [1, 2, 3]
    hive.beat(free_slots=3, free_cpu=2.5, load=0.25)
    (seen,) = swarm.admin.hives()
    assert (seen.labels, seen.slots, seen.cpu, seen.free_slots, seen.free_cpu, seen.load, seen.beat, seen.held) == (
        {"region": "eu"}, 4, 8.0, 3, 2.5, 0.25, 4, 0,
    )  # fmt: skip
    claim = (swarm.post(), hive.claim_one())[1]
    with pytest.raises(OvermindError) as busy:
        hive.swarm.leave(hive.session)
    assert busy.value.code == "busy"
    hive.end(claim)
    assert hive.swarm.leave(hive.session) == "left"
    assert swarm.admin.hives() == []
    assert hive.beat().word == "gone"
    assert hive.ask().word == "gone"
    assert swarm.again(hive).join().word == "joined"


def test_joining_again_after_a_lost_answer_is_the_same_session(swarm):
    hive = swarm.hive("eu1")
    proof = hive.proof
    assert hive.join().word == "joined"
    assert (hive.proof, len(swarm.admin.hives())) == (proof, 1)


def test_a_beat_whose_answer_was_lost_is_accepted_once(swarm):
    hive = swarm.hive("eu1")
    hive.beat()
    hive.call_beat("lost")
    again = hive.call_beat("lost")
    assert (again.word, again.beat, again.mode) == ("ok", 2, "open")
    hive.number, hive.nonce = again.beat, "lost"
    assert hive.beat().beat == 3


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_of_clones_the_second_to_beat_is_told_so(swarm, ahead):
    hive = swarm.hive("eu1")
    hive.beat()
    clone = swarm.again(hive, session=hive.session, number=hive.number, nonce=hive.nonce)
    for _ in range(ahead):
        assert clone.beat().word == "ok"
    assert hive.beat().word == "cloned"
    assert clone.beat().word == "ok"
    assert swarm.admin.status().mode == "open"


def test_a_second_home_under_a_name_whose_beat_still_grows_is_refused(swarm):
    first = swarm.hive("eu1")
    second = swarm.again(first, home="elsewhere")
    watch = second.join()
    assert (watch.word, watch.session, watch.beat) == ("watch", first.session, 0)
    seen = {"session": watch.session, "beat": watch.beat, "seconds": watch.seconds}
    assert second.join({**seen, "seconds": watch.seconds - 0.1}).word == "watch"
    first.beat()
    assert second.join(seen).word == "name_taken"
    assert first.beat().word == "ok"
    assert second.beat().word == "gone"


def test_the_same_home_gives_back_what_it_held_in_its_last_life(swarm):
    first, other = swarm.hive("eu1"), swarm.hive("eu2")
    moves, waits = swarm.post("a"), swarm.post("b", on_lost="wait")
    old = first.claim(2)
    assert swarm.again(first).join_after().word == "joined"
    assert {one.state for one in map(swarm.find, (moves, waits))} == {"queued"}
    assert first.beat().word == "gone"
    assert first.end(old[0]).word == "fenced"
    assert len(other.claim(2)) == 2


def test_another_home_under_a_silent_name_leaves_what_that_holds_to_its_lease(swarm):
    first, other = swarm.hive("eu1"), swarm.hive("eu2")
    post = swarm.post(lease=10)
    first.claim_one()
    assert swarm.again(first, home="elsewhere").join_after().word == "joined"
    assert swarm.find(post).state == "claimed"
    assert first.beat().word == "gone"
    assert other.swarm.take(other.session, first.session, 0, 12.2).freed == [post]


@pytest.mark.parametrize("name", ["all", "local", "swarm", "a/b", "", "Ä", "x" * 64, "a b"])
def test_what_can_be_no_name_of_a_hive_is_refused(swarm, name):
    with pytest.raises(OvermindError) as refused:
        swarm.admin.join(name, "home", "session", {})
    assert refused.value.code == "invalid"


def test_one_home_under_two_names_is_refused(swarm):
    first = swarm.hive("eu1")
    second = Hive(swarm.member("eu2", "worker"), swarm.login("eu2"), home=first.home)
    with pytest.raises(OvermindError, match=f"joined as hive {first.name} already") as refused:
        second.join()
    assert refused.value.code == "invalid"


def test_a_login_joins_under_its_own_name_and_speaks_for_its_own_session_only(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.post()
    claim = first.claim_one()
    with pytest.raises(OvermindError) as refused:
        second.swarm.join(first.name, "home", "session", {})
    assert refused.value.code == "forbidden"
    for forged in (
        lambda: second.swarm.beat(first.session, 0, "", "x", {}),
        lambda: second.swarm.claim(first.session, 0, {"slots": 1}),
        lambda: second.swarm.report_progress(first.session, claim.id, claim.fence, {"status": "forged"}),
        lambda: second.swarm.report_end(first.session, claim.id, claim.fence, {"state": "done"}),
        lambda: second.swarm.give_back(first.session, claim.id, claim.fence, ""),
        lambda: second.swarm.leave(first.session),
        lambda: second.swarm.claims_of(first.session),
        lambda: second.swarm.drain(first.name),
    ):
        with pytest.raises(OvermindError) as refused:
            forged()
        assert refused.value.code == "forbidden"
    assert second.swarm.report_end(second.session, claim.id, claim.fence, {"state": "done"}).word == "fenced"
    assert swarm.find(claim.id).state == "claimed"


def test_a_drained_hive_takes_nothing_new_until_that_is_undone(swarm):
    hive = swarm.hive("eu1")
    swarm.post("a")
    swarm.post("b")
    hive.claim_one()
    assert hive.swarm.drain(hive.name) == 1
    assert hive.ask().word == "draining"
    assert swarm.admin.drain(hive.name, undo=True) == 1
    assert len(hive.claim()) == 1
    with pytest.raises(OvermindError) as unknown:
        swarm.admin.drain("nowhere")
    assert unknown.value.code == "hive_unknown"


def test_a_dead_hive_is_removed_with_its_login_and_what_it_held_is_free(swarm):
    hive, other = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.post("a")
    swarm.post("b", on_lost="wait")
    old = hive.claim(2)
    with pytest.raises(OvermindError) as busy:
        swarm.admin.remove_hive(hive.name)
    assert busy.value.code == "busy"
    removed = swarm.admin.remove_hive(hive.name, dead=True)
    assert (removed.free, removed.failed) == (2, 0)
    assert len(other.claim(2)) == 2
    assert {one.name for one in swarm.admin.logins()} == {other.name}
    with pytest.raises(OvermindError):
        hive.end(old[0])
    with pytest.raises(OvermindError):
        swarm.connected(swarm.url_of(hive.name))
