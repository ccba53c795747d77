"""Fleets and sentinels: so many places kept filled, whatever ends, and a changed definition one at a time."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.errors import OvermindError
from tests.kit.swarm import definition

REVIEW: dict[str, Any] = {"fleet": "review", "want": 3, "definition": {"agent": "review", "lease": 60}}


def live(swarm):
    return [one for one in swarm.admin.posts(ended=False) if one.fleet == "review" and one.cancelling is None]


def numbers(swarm):
    return sorted(one.place for one in live(swarm))


def test_a_fleet_has_so_many_places_and_scaling_down_takes_the_highest(swarm):
    hive = swarm.hive("eu1", slots=9)
    swarm.admin.apply_fleets("team.toml", [REVIEW])
    assert numbers(swarm) == [1, 2, 3]
    claims = {claim.name: claim for claim in hive.claim(9)}
    assert set(claims) == {"review-1", "review-2", "review-3"}
    assert {one.on_lost for one in claims.values()} == {"wait"}
    scaled = swarm.admin.scale("review", 5)
    assert (scaled.before, scaled.want) == (3, 5)
    assert numbers(swarm) == [1, 2, 3, 4, 5]
    swarm.admin.scale("review", 2)
    assert numbers(swarm) == [1, 2]
    assert [one.cancelling for one in hive.beat().held] == [None, None, "scaled"]
    hive.end(claims["review-3"], "cancelled")
    assert numbers(swarm) == [1, 2]
    (fleet,) = swarm.admin.fleets()
    assert (fleet.want, fleet.alive, fleet.lost, fleet.hives) == (2, 2, 0, [hive.name])


def test_scaled_down_and_up_again_while_a_place_still_ends_there_are_exactly_so_many(swarm):
    hive = swarm.hive("eu1", slots=9)
    swarm.admin.apply_fleets("team.toml", [REVIEW])
    old = hive.claim(9)
    swarm.admin.scale("review", 0)
    swarm.admin.scale("review", 3)
    assert numbers(swarm) == [1, 2, 3]
    for claim in old:
        hive.end(claim, "cancelled")
    assert numbers(swarm) == [1, 2, 3]
    assert {one.state for one in live(swarm)} == {"queued"}


def test_a_place_is_filled_again_after_a_delay_that_grows_until_it_was_healthy(swarm):
    hive = swarm.hive("eu1")
    swarm.admin.apply_fleets("team.toml", [{**REVIEW, "want": 1}])
    delays = []
    for _ in range(7):
        hive.watch(60)
        hive.end(hive.claim_one(), "failed", exit_code=1)
        delays.append(live(swarm)[0].delay)
    assert delays == [2, 4, 8, 16, 32, 60, 60]
    hive.watch(59.9)
    assert hive.claim() == []
    hive.watch(60)
    hive.end(hive.claim_one(), "done", healthy=True)
    assert live(swarm)[0].delay == 2


@pytest.mark.parametrize("state", ["queued", "claimed", "lost"])
def test_a_place_that_somebody_cancels_is_filled_again_whatever_state_it_is_in(swarm, state):
    hive, other = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.admin.apply_fleets("team.toml", [{**REVIEW, "want": 1}])
    (place,) = [one.id for one in live(swarm)]
    claims = []
    if state != "queued":
        hive.watch(5)
        claims = hive.claim()
    if state == "lost":
        other.swarm.take(other.session, hive.session, hive.number, 60)
    assert swarm.find(place).state == state
    swarm.admin.cancel(place)
    if state == "claimed":
        hive.end(claims[0], "cancelled")
    assert [(one.id, one.state, one.hive) for one in live(swarm)] == [(place, "queued", None)]
    other.watch(60)
    assert other.claim_one().id == place


def test_a_changed_definition_replaces_one_place_at_a_time(swarm):
    hive = swarm.hive("eu1", slots=9)
    swarm.admin.apply_fleets("team.toml", [REVIEW])
    claims = {claim.id: claim for claim in hive.claim(9)}
    for claim in claims.values():
        hive.swarm.report_progress(hive.session, claim.id, claim.fence, {"ready": True})
    changed = {**REVIEW, "definition": {**REVIEW["definition"], "agent": "critic"}}
    swarm.admin.apply_fleets("team.toml", [changed])
    for turn in range(3):
        (replaced,) = [one.post for one in hive.beat().held if one.cancelling == "replaced"]
        assert swarm.find(replaced).place == turn + 1
        assert hive.end(claims[replaced], "cancelled").state == "cancelled"
        (new,) = hive.claim(9)
        assert (new.id, '"critic"' in new.definition) == (replaced, True)
        assert not [one for one in hive.beat().held if one.cancelling], "the next one waits until this one is ready"
        hive.swarm.report_progress(hive.session, new.id, new.fence, {"ready": True})
    assert not [one for one in hive.beat().held if one.cancelling]
    assert {one.generation for one in live(swarm)} == {2}


def test_a_place_that_waits_has_the_new_definition_at_once(swarm):
    hive = swarm.hive("eu1")
    swarm.admin.apply_fleets("team.toml", [REVIEW])
    swarm.admin.apply_fleets("team.toml", [{**REVIEW, "definition": {"agent": "critic"}}])
    assert '"critic"' in hive.claim_one().definition


def test_places_go_to_the_hive_that_has_the_fewest_for_the_first_5_s(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.admin.apply_fleets("team.toml", [{**REVIEW, "want": 5}])
    assert len(first.claim(9)) == 1
    assert len(second.claim(9)) == 2, "of those that have equally few, any"
    assert len(first.claim(9)) == 2
    swarm.admin.scale("review", 7)
    first.watch(4.9)
    assert first.claim(9) == []
    first.watch(5)
    assert len(first.claim(9)) == 2


def test_a_sentinel_has_one_place_on_each_fitting_hive(swarm):
    disk = {"fleet": "disk", "want": None, "definition": {"agent": "disk", "labels": {"os": "linux"}}}
    first = swarm.hive("eu1", labels={"os": "linux"})
    swarm.admin.apply_fleets("team.toml", [disk])
    second, other = swarm.hive("eu2", labels={"os": "linux"}), swarm.hive("mac", labels={"os": "macos"})
    assert other.claim(9) == []
    (mine,) = first.claim(9)
    assert mine.name == f"disk-{first.name}"
    first.end(mine, "failed")
    assert first.claim(9) == []
    first.watch(2)
    assert len(first.claim(9)) == 1
    assert len(second.claim(9)) == 1
    swarm.admin.remove_hive(second.name, dead=True)
    assert [one.only_hive for one in swarm.admin.posts(ended=False)] == [first.name]
    with pytest.raises(OvermindError) as refused:
        swarm.admin.scale("disk", 3)
    assert refused.value.code == "invalid"


def test_a_sentinel_leaves_a_hive_that_fits_no_more(swarm):
    disk = {"fleet": "disk", "want": None, "definition": {"agent": "disk", "labels": {"os": "linux"}}}
    hives = [swarm.hive(name, labels={"os": "linux", "name": name}) for name in ("eu1", "eu2")]
    swarm.admin.apply_fleets("team.toml", [disk])
    claims = {one.name: one.claim_one() for one in hives}
    narrower = {**disk, "definition": {"agent": "disk", "labels": {"os": "linux", "name": "eu1"}}}
    swarm.admin.apply_fleets("team.toml", [narrower])
    assert [one.cancelling for one in hives[1].beat().held] == ["scaled"]
    assert hives[1].end(claims[hives[1].name], "cancelled").state == "cancelled"
    assert [one.only_hive for one in swarm.admin.posts(ended=False)] == [hives[0].name]


def test_a_fleet_with_the_same_name_of_another_blueprint_is_refused_and_nothing_is_applied(swarm):
    swarm.admin.apply_fleets("team.toml", [REVIEW])
    with pytest.raises(OvermindError) as taken:
        swarm.admin.apply_fleets("other.toml", [{**REVIEW, "fleet": "new"}, REVIEW])
    assert taken.value.code == "name_taken"
    assert [one.name for one in swarm.admin.fleets()] == ["review"]


def test_a_place_is_of_whoever_has_said_what_it_does_and_not_of_who_has_made_the_fleet(swarm):
    alice, eve = swarm.member("alice"), swarm.member("eve")
    hive = swarm.hive("eu1", slots=9)

    def posters() -> set[str]:
        swarm.admin.scale("review", 0)
        swarm.admin.scale("review", 1)
        hive.watch(60)
        return {definition(claim)["posted_by"] for claim in hive.claim(9)}

    alice.apply_fleets("team.toml", [REVIEW])
    assert posters() == {swarm.login("alice")}
    eve.apply_fleets("team.toml", [{**REVIEW, "want": 2}])
    assert posters() == {swarm.login("alice")}, "she has changed how many there are"
    eve.apply_fleets("team.toml", [{**REVIEW, "definition": {"agent": "other", "lease": 60}}])
    assert posters() == {swarm.login("eve")}


def test_a_fleet_that_its_blueprint_no_longer_has_ends(swarm):
    hive = swarm.hive("eu1", slots=9)
    swarm.admin.apply_fleets("team.toml", [REVIEW, {**REVIEW, "fleet": "other"}])
    claims = hive.claim(9)
    swarm.admin.apply_fleets("team.toml", [REVIEW])
    ending = {one.post for one in hive.beat().held if one.cancelling == "deleted"}
    assert len(ending) == 3
    for claim in claims:
        if claim.id in ending:
            assert hive.end(claim, "cancelled").state == "cancelled"
    assert [one.fleet for one in swarm.admin.posts(ended=False)] == ["review"] * 3
    swarm.admin.delete_fleet("review")
    assert swarm.admin.fleets() == []
    with pytest.raises(OvermindError) as unknown:
        swarm.admin.scale("review", 1)
    assert unknown.value.code == "not_found"


def test_a_blueprint_that_is_applied_says_what_becomes_of_each_fleet_and_a_dry_run_changes_none(swarm):
    def applied(*fleets, dry_run=False):
        done = swarm.admin.apply_fleets("team.toml", fleets, dry_run=dry_run)
        return [(one.fleet, one.change, one.before, one.want, one.replaces) for one in done]

    assert applied(REVIEW, dry_run=True) == applied(REVIEW) == [("review", "new", None, 3, False)]
    assert applied(REVIEW) == [("review", "unchanged", 3, 3, False)]
    wider = {**REVIEW, "want": 5}
    assert applied(wider, dry_run=True) == applied(wider) == [("review", "changed", 3, 5, False)]
    other = {**wider, "definition": {"agent": "critic"}}
    assert applied(other) == [("review", "changed", 5, 5, True)]
    each = {**other, "want": None}
    assert applied(each) == [("review", "changed", 5, None, False)]
    assert applied(each) == [("review", "unchanged", None, None, False)]
    assert applied(dry_run=True) == applied() == [("review", "deleted", None, 0, False)]
    assert swarm.admin.fleets() == []


def test_a_lease_below_10_s_is_refused(swarm):
    with pytest.raises(OvermindError) as refused:
        swarm.admin.apply_fleets("team.toml", [{**REVIEW, "definition": {"lease": 9}}])
    assert refused.value.code == "invalid"
    with pytest.raises(OvermindError) as refused:
        swarm.post(lease=9)
    assert refused.value.code == "invalid"


def test_the_places_of_a_dead_hive_are_filled_elsewhere(swarm):
    first, second = swarm.hive("eu1", slots=9), swarm.hive("eu2", slots=9)
    swarm.admin.apply_fleets("team.toml", [REVIEW])
    second.swarm.drain(second.name)
    assert len(first.claim(9)) == 3
    second.swarm.drain(second.name, undo=True)
    assert swarm.admin.remove_hive(first.name, dead=True).free == 3
    assert len(second.claim(9)) == 3
