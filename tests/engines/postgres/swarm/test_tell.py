"""What a hive tells of several posts at once, alone or together with its next claims: the same as one by one."""

from __future__ import annotations

import threading

import pytest

from overmind_core.errors import OvermindError

END = {
    "state": "done", "exit_code": 0, "result": {"said": "well"}, "tail": "aGVsbG8=", "cost": 0.5, "attempt": 2,
    "spent": 1,
}  # fmt: skip
SHOWN = "state, version, hive, fence, exit_code, reason, result, tail, cost, attempt, spent, cancelling, failures"


def told(claim, **what):
    """What is told of a claim."""
    return {"post": claim.id, "fence": claim.fence, **what}


def row(swarm, post):
    """The post as the table has it, but for its fence."""
    ((found),) = swarm.sql(f"select {SHOWN} from overmind.posts where id = %s", post)
    return [one for name, one in zip(SHOWN.split(", "), found, strict=True) if name != "fence"]


@pytest.mark.parametrize(
    "end",
    [END, {"state": "failed", "reason": "exit", "exit_code": 3}, {"state": "cancelled"}],
    ids=lambda one: one["state"],
)
def test_ends_that_are_told_together_are_those_that_are_told_one_by_one(swarm, end):
    hive = swarm.hive("eu1")
    posts = [swarm.post(f"q{number}") for number in range(3)]
    claims = {one.id: one for one in hive.claim(3)}
    for claim in claims.values():
        hive.swarm.put_output(hive.session, claim.id, claim.fence, "a", b"x")
    alone = claims[posts[0]]
    assert hive.swarm.report_end(hive.session, alone.id, alone.fence, end).state == end["state"]
    answers = hive.swarm.tell(hive.session, [told(claims[one], end=end) for one in posts[1:]])
    found = {post: (one.word, one.state) for post, one in answers.items()}
    assert found == dict.fromkeys(posts[1:], ("ok", end["state"]))
    assert row(swarm, posts[0]) == row(swarm, posts[1]) == row(swarm, posts[2])
    outputs = [swarm.admin.outputs_of(one) for one in posts]
    assert outputs == [{"a": b"x"} if end["state"] == "done" else {}] * 3
    assert swarm.events(f"post_{end['state']}") == [
        (f"post_{end['state']}", post) for post in [posts[0], *sorted(posts[1:])]
    ]
    bodies = [one.body for one in swarm.admin.events() if one.type == f"post_{end['state']}"]
    assert {tuple(sorted(one)) for one in bodies} == {("fence", "reason")}


def test_reports_and_ends_are_told_together_and_an_older_fence_changes_nothing(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    over, goes, lost = (swarm.post(name) for name in ("over", "goes", "lost"))
    claims = {one.id: one for one in first.claim(3)}
    first.swarm.give_back(first.session, lost, claims[lost].fence, "no room")
    (newer,) = second.claim()
    both = [told(claims[over], end=END), told(claims[goes], report={"status": "running"}), told(claims[lost], end=END)]
    for _ in range(2):  # the answer may have been lost
        answers = first.swarm.tell(first.session, both)
        assert {post: one.word for post, one in answers.items()} == {over: "ok", goes: "ok", lost: "fenced"}
        assert (answers[lost].hive, answers[lost].fence) == (second.name, newer.fence)
    assert [swarm.find(one).state for one in (over, goes, lost)] == ["done", "claimed", "claimed"]
    assert swarm.find(goes).status == "running"
    assert swarm.events("post_done") == [("post_done", over)]
    assert first.swarm.tell(second.session[:-1] + "x", [told(newer, end=END)])[lost].word == "fenced"
    assert swarm.find(lost).state == "claimed"


def test_the_end_of_what_others_need_frees_them_also_among_others(swarm):
    hive = swarm.hive("eu1")
    plain, need = swarm.post("plain"), swarm.post("need")
    claims = {one.id: one for one in hive.claim(2)}
    after = swarm.post("after", needs=[need])
    assert hive.claim() == []
    hive.swarm.tell(hive.session, [told(claims[plain], end=END), told(claims[need], end=END)])
    assert [one.id for one in hive.claim()] == [after]


def test_what_is_refused_of_one_changes_nothing_of_any(swarm):
    hive = swarm.hive("eu1")
    fits, large = swarm.post("fits"), swarm.post("large")
    claims = {one.id: one for one in hive.claim(2)}
    swarm.post("next")
    both = [told(claims[fits], end=END), told(claims[large], end={"state": "done", "tail": "A" * 100_000})]
    for ask in (
        lambda: hive.swarm.tell(hive.session, both),
        lambda: hive.swarm.exchange(hive.session, hive.number, both, {"slots": 1}),
    ):
        with pytest.raises(OvermindError) as refused:
            ask()
        assert refused.value.code == "too_large"
    with pytest.raises(OvermindError) as refused:
        hive.swarm.tell(hive.session, [told(claims[fits], end={"reason": "no state"})])
    assert refused.value.code == "invalid"
    assert [swarm.find(one).state for one in (fits, large)] == ["claimed", "claimed"]
    assert [one.state for one in swarm.admin.posts(ended=False) if one.name == "next"] == ["queued"]


def test_an_end_makes_room_for_what_is_claimed_in_the_same_statement(swarm):
    """Two posts whose paths could meet, and a limit of one at once: the second begins as the first one ends."""
    hive = swarm.hive("eu1", providers=["claude"])
    swarm.admin.set_limit("provider:claude", 1)
    first = swarm.post("first", repository="r", owned=["src"], provider="claude")
    second = swarm.post("second", repository="r", owned=["src/a"], provider="claude")
    (claim,) = hive.claim(4)
    assert claim.id == first
    free = {"slots": 4}
    nothing = hive.swarm.exchange(hive.session, hive.number, [told(claim, report={"status": "running"})], free)
    assert (nothing.told[first].word, nothing.claimed.word, nothing.claimed.claims) == ("ok", "ok", [])
    answer = hive.swarm.exchange(hive.session, hive.number, [told(claim, end=END)], free)
    assert answer.told[first].state == "done"
    assert [one.id for one in answer.claimed.claims] == [second]


def test_ends_count_also_where_nothing_is_given(swarm):
    hive = swarm.hive("eu1")
    post = swarm.post()
    claim = hive.claim_one()
    answer = hive.swarm.exchange(hive.session, hive.number + 7, [told(claim, end=END)], {"slots": 1})
    assert (answer.told[post].state, answer.claimed.word, answer.claimed.claims) == ("done", "beat", [])
    assert swarm.find(post).state == "done"


def test_five_hives_that_exchange_at_once_do_each_post_once(swarm):
    swarm.admin.post([{"id": f"{n:08x}", "kind": "quest", "name": f"q{n}"} for n in range(300)])
    hives = [swarm.hive(f"eu{n}", slots=8) for n in range(5)]
    start = threading.Barrier(len(hives))
    refused: list[str] = []

    def work(at: int) -> None:
        hive = hives[at]
        start.wait(10)
        held = hive.claim(8)
        while held:
            ended, going = held[:3], held[3:]
            both = [*(told(one, end=END) for one in ended), *(told(one, report={"status": "running"}) for one in going)]
            answer = hive.swarm.exchange(hive.session, hive.number, both, {"slots": len(ended)})
            refused.extend(post for post, one in answer.told.items() if one.word != "ok")
            held = going + answer.claimed.claims

    threads = [threading.Thread(target=work, args=(at,)) for at in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert refused == []
    assert {one.state for one in swarm.admin.posts()} == {"done"}
    for kind in ("post_claimed", "post_done"):
        assert sorted(post or "" for _, post in swarm.events(kind)) == [f"{n:08x}" for n in range(300)]
