"""Lineages in the database: at most one generation lives, the next one is for the hive of its conversation first."""

from __future__ import annotations

import threading

import pytest

from overmind_core.errors import OvermindError
from overmind_core.swarm import oracle
from tests.kit import torture
from tests.kit.waiting import eventually


def ended(hive, claim, result=None, notes=None, **more):
    """Have a generation end, with what it hands on."""
    for name, text in (("result.md", result), ("notes.md", notes)):
        if text is not None:
            hive.swarm.put_output(hive.session, claim.id, claim.fence, name, text.encode())
    assert hive.end(claim, result={"mission": f"m-{claim.name}"}, **more).word == "ok"


def told(hive, claim):
    """What a holder is told before it begins."""
    return hive.swarm.generation(hive.session, claim.id, claim.fence)


def test_the_first_generation_is_told_of_none(swarm):
    hive = swarm.hive("eu1")
    swarm.post("one", lineage="ada", kind="run")
    found = told(hive, hive.claim_one())
    assert (found.number, found.last, found.result, found.notes) == (1, None, None, None)


def test_the_second_generation_is_told_the_last_result_and_the_notes(swarm):
    hive = swarm.hive("eu1")
    swarm.post("one", lineage="ada", kind="run")
    swarm.post("two", lineage="ada", kind="run")
    swarm.post("other", lineage="eva", kind="run")
    (first, *others) = sorted(hive.claim(9), key=lambda one: one.name != "one")
    assert [one.name for one in others] == ["other"]
    ended(hive, first, "all is well", "- redis is needed")
    second = hive.claim_one()
    found = told(hive, second)
    assert (found.number, found.notes) == (2, "- redis is needed")
    assert (found.last.number, found.last.hive, found.last.mission) == (1, hive.name, "m-one")
    assert (found.result.number, found.result.text) == (1, "all is well")
    ended(hive, second, state="failed")
    swarm.post("three", lineage="ada", kind="run")
    found = told(hive, hive.claim_one())
    assert (found.number, found.last.number, found.last.state) == (3, 2, "failed")
    assert (found.result.number, found.result.text) == (1, "all is well")


def test_a_generation_that_has_failed_hands_its_answer_and_its_notes_on_too(swarm):
    hive = swarm.hive("eu1")
    swarm.post("one", lineage="ada", kind="run")
    ended(hive, hive.claim_one(), "I could not", "- redis is needed", state="failed")
    swarm.post("two", lineage="ada", kind="run")
    found = told(hive, hive.claim_one())
    assert (found.last.state, found.result.text, found.notes) == ("failed", "I could not", "- redis is needed")


def test_the_next_generation_is_for_a_minute_for_the_hive_of_the_last_one(swarm):
    first, second = swarm.hive("eu1", free_slots=1), swarm.hive("eu2", free_slots=1)
    swarm.post("one", lineage="ada", kind="run")
    waiting = swarm.post("two", lineage="ada", kind="run")
    claim = first.claim_one()
    assert second.claim() == []
    text = f"waits: lineage ada: one lives on {first.name}"
    found = oracle.why(swarm.find(waiting), swarm.admin.hives(), swarm.admin.posts())
    assert (found.summary, {one.text for one in found.lines}) == (text, {text})
    ended(first, claim)
    found = oracle.why(swarm.find(waiting), swarm.admin.hives(), swarm.admin.posts())
    assert {one.hive: one.text for one in found.lines} == {
        first.name: "yes, 1st in line",
        second.name: f"waits: for 60 s it is for {first.name}, where its conversation lies",
    }
    second.watch(59)
    assert second.claim() == []
    second.watch(60)
    assert [one.id for one in second.claim()] == [waiting]


def test_one_that_is_posted_later_is_for_that_hive_too_and_waits_for_no_hive_that_can_not_have_it(swarm):
    first, second = swarm.hive("eu1", labels={"gpu": "yes"}), swarm.hive("eu2", labels={"gpu": "no"})
    swarm.post("one", lineage="ada", kind="run")
    ended(first, first.claim_one())
    swarm.post("two", lineage="ada", kind="run")
    assert second.claim() == []
    ended(first, first.claim_one())
    swarm.post("elsewhere", lineage="ada", kind="run", labels={"gpu": "no"})
    ended(second, second.claim_one())
    swarm.post("four", lineage="ada", kind="run")
    assert first.claim() == []
    swarm.admin.drain(second.name)
    swarm.post("five", lineage="eva", kind="run")
    assert [one.name for one in first.claim(9)] == ["five"]


def test_of_a_hive_that_is_removed_nothing_waits_for_it(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.post("one", lineage="ada", kind="run")
    ended(first, first.claim_one())
    post = swarm.post("two", lineage="ada", kind="run")
    assert second.claim() == []
    swarm.admin.remove_hive(first.name)
    assert [one.id for one in second.claim()] == [post]


def test_a_generation_that_is_begun_elsewhere_keeps_its_number_and_says_how_it_begins(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.post("one", lineage="ada", kind="run")
    claim = first.claim_one()
    first.swarm.generation_begins(first.session, claim.id, claim.fence, "new", "")
    first.swarm.give_back(first.session, claim.id, claim.fence, "no room")
    again = second.claim_one()
    assert told(second, again).number == 1
    (row,) = swarm.admin.generations("ada")
    assert (row.hive, row.conversation) == (second.name, None)
    assert first.swarm.generation_begins(first.session, claim.id, claim.fence, "new", "late").word == "fenced"
    assert second.swarm.generation_begins(second.session, again.id, again.fence, "new", "it lies there").word == "ok"
    (row,) = swarm.admin.generations("ada")
    assert (row.conversation, row.why, row.state) == ("new", "it lies there", None)
    with pytest.raises(OvermindError, match="The claim of"):
        first.swarm.generation(first.session, claim.id, claim.fence)


def test_a_hive_that_was_started_again_has_its_generation_to_itself_again(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.post("one", lineage="ada", kind="run")
    ended(first, first.claim_one())
    post = swarm.post("two", lineage="ada", kind="run")
    first.claim_one()
    rebooted = swarm.again(first)
    rebooted.join_after()
    assert second.claim() == []
    assert [one.id for one in rebooted.claim()] == [post]


def test_one_that_is_tried_again_is_a_new_generation(swarm):
    hive = swarm.hive("eu1")
    post = swarm.post("one", lineage="ada", kind="run")
    ended(hive, hive.claim_one(), "first", state="failed")
    swarm.admin.retry(post)
    assert told(hive, hive.claim_one()).number == 2


def test_a_hundred_generations_are_kept(swarm):
    hive = swarm.hive("eu1")
    for number in range(103):
        swarm.post(f"run-{number}", lineage="ada", kind="run")
        ended(hive, hive.claim_one())
    numbers = [one.number for one in swarm.admin.generations("ada")]
    assert numbers == list(range(4, 104))


def test_of_two_runs_of_a_lineage_never_both_live_whoever_races(swarm):
    """Five hives take, end and give back what ten lineages have, while more is posted."""
    hives = [swarm.hive(f"eu{number}", slots=4) for number in range(5)]
    count = torture.portion(100)
    over = threading.Event()
    problems: list[str] = []

    def work(hive):
        try:
            while not over.is_set():
                hive.watch(60)
                for claim in hive.claim(3):
                    ended(hive, claim)
        except Exception as error:  # noqa: BLE001 - it is told in the test's own thread
            problems.append(repr(error))

    threads = [threading.Thread(target=work, args=(hive,)) for hive in hives]
    for thread in threads:
        thread.start()
    posts = [swarm.post(f"run-{number}", lineage=f"line-{number % 10}", kind="run") for number in range(count)]
    try:
        eventually(
            lambda: problems or all(one.state == "done" for one in swarm.admin.posts()), timeout=60, what="all are done"
        )
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert problems == []
    lives: dict[str, str] = {}
    names = {one.id: one.lineage for one in swarm.admin.posts()}
    for kind, post in swarm.events("post_claimed", "post_done"):
        if kind == "post_claimed":
            assert names[post] not in lives, f"{post} began while {lives[names[post]]} lived"
            lives[names[post]] = post
        else:
            assert lives.pop(names[post]) == post
    assert lives == {}
    rows = swarm.admin.generations()
    assert sorted(one.post for one in rows) == sorted(posts)
