"""Posts: who gets which, what holders tell, and what becomes of those whose holder is gone."""

from __future__ import annotations

import threading

import psycopg
import pytest

from overmind_core.errors import OvermindError
from tests.kit.waiting import eventually


def test_a_post_is_claimed_told_of_and_ended(swarm):
    hive = swarm.hive("eu1")
    post = swarm.post("docs", command="true", priority="high")
    claim = hive.claim_one()
    assert (claim.id, claim.name, claim.kind, claim.on_lost, claim.lease) == (post, "docs", "quest", "move", 600)
    told = hive.swarm.report_progress(
        hive.session, post, claim.fence, {"status": "running", "phase": "check", "cost": 0.5}
    )
    assert told.word == "ok"
    found = swarm.find(post)
    assert (found.state, found.hive, found.status, found.phase, found.cost) == (
        "claimed", hive.name, "running", "check", 0.5,
    )  # fmt: skip
    assert hive.end(claim, "done", exit_code=0, result={"said": "well"}, tail="aGVsbG8=").state == "done"
    ended = swarm.admin.end_of(post)
    assert (ended.result, ended.tail, ended.definition["command"]) == ({"said": "well"}, b"hello", "true")
    assert swarm.find(post).state == "done"


def test_500_posts_and_five_racing_hives_each_is_claimed_once(swarm):
    swarm.admin.post([{"id": f"{n:08x}", "kind": "quest", "name": f"q{n}"} for n in range(500)])
    hives = [swarm.hive(f"eu{n}", slots=500) for n in range(5)]
    won: list[list[str]] = [[] for _ in hives]
    start = threading.Barrier(len(hives))

    def race(at: int) -> None:
        start.wait(10)
        while found := hives[at].claim(3):
            won[at] += [one.id for one in found]

    threads = [threading.Thread(target=race, args=(at,)) for at in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    taken = [post for posts in won for post in posts]
    assert sorted(taken) == [f"{n:08x}" for n in range(500)]
    assert len({one.fence for one in swarm.admin.posts()}) == 500


def test_an_end_that_is_told_again_is_answered_as_before_and_an_older_fence_changes_nothing(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    post = swarm.post()
    old = first.claim_one()
    assert first.swarm.give_back(first.session, post, old.fence, "no room").word == "ok"
    new = second.claim_one()
    assert new.fence > old.fence
    for told in (
        first.swarm.report_progress(first.session, post, old.fence, {"status": "forged"}),
        first.swarm.report_progress(first.session, post, new.fence, {"status": "forged"}),
        first.end(old, "failed"),
        first.end(new, "failed"),
        first.swarm.put_output(first.session, post, new.fence, "a", b""),
        first.swarm.give_back(first.session, post, new.fence, "mine"),
    ):
        assert (told.word, told.hive, told.fence) == ("fenced", second.name, new.fence)
    assert swarm.find(post).status is None
    assert second.end(new).word == "ok"
    assert second.end(new).word == "ok"
    assert second.end(new, "failed").state == "done"


def test_what_is_given_back_is_not_offered_to_that_hive_for_a_minute(swarm):
    hive = swarm.hive("eu1")
    post = swarm.post()
    hive.swarm.give_back(hive.session, post, hive.claim_one().fence, "no docker here")
    assert [(one.hive, one.reason) for one in swarm.admin.refusals()] == [(hive.name, "no docker here")]
    hive.watch(59)
    assert hive.claim() == []
    hive.watch(60)
    assert [one.id for one in hive.claim()] == [post]


def test_what_all_hives_give_back_goes_round_once_a_minute(swarm):
    """What one has done with it since says nothing new to another: they would pass it on for ever."""
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    post = swarm.post()
    for hive in (first, second):
        hive.swarm.give_back(hive.session, post, hive.claim_one().fence, "no docker here")
    assert first.claim() == second.claim() == []
    first.watch(60)
    assert first.end(first.claim_one(), "failed").word == "ok"
    swarm.admin.retry(post)
    assert [one.id for one in second.claim()] == [post]


@pytest.mark.parametrize(
    ("wants", "has", "fits"),
    [
        ({}, {}, True),
        ({"labels": {"gpu": "yes"}}, {}, False),
        ({"labels": {"gpu": "yes"}}, {"labels": {"gpu": "yes", "region": "eu"}}, True),
        ({"labels": {"gpu": "yes"}}, {"labels": {"gpu": "no"}}, False),
        ({"provider": "claude"}, {"providers": ["codex"]}, False),
        ({"provider": "claude"}, {"providers": ["codex", "claude"]}, True),
        ({"secrets": ["NPM"]}, {}, False),
        ({"format": 2}, {"format": 1}, False),
        ({"only_hive": "nobody"}, {}, False),
    ],
    ids=str,
)
def test_a_hive_gets_only_what_fits_it(swarm, wants, has, fits):
    hive = swarm.hive("eu1", **has)
    swarm.post(**wants)
    assert bool(hive.claim()) is fits


def test_posts_share_what_is_free_of_cpu_and_memory(swarm):
    hive = swarm.hive("eu1")
    large, small, thirsty = (
        swarm.post("large", cpu=3, priority="high"),
        swarm.post("small", cpu=1),
        swarm.post(memory=9),
    )
    swarm.post("second", cpu=2, priority="high")
    assert {one.id for one in hive.claim(9, cpu=4, memory=8)} == {large, small}
    assert [one.id for one in hive.claim(9, cpu=0, memory=9)] == [thirsty]


def test_what_could_own_the_same_paths_never_runs_together(swarm):
    hive = swarm.hive("eu1")
    repository = {"repository": "git@example.com:shop.git"}
    api = swarm.post("api", owned=["src/api"], **repository, priority="high")
    swarm.post("all", owned=["src"], **repository)
    other = swarm.post("other", owned=["src"], repository="another", priority="low")
    beside = swarm.post("beside", owned=["src/apis"], **repository, priority="critical")
    claims = {one.id: one for one in hive.claim(9)}
    assert set(claims) == {api, other, beside}
    hive.end(claims[api])
    assert hive.claim(9) == []
    hive.end(claims[beside])
    assert len(hive.claim(9)) == 1


def test_one_of_a_higher_rank_keeps_its_paths_against_those_behind_it(swarm):
    hive = swarm.hive("eu1")
    swarm.post("first", repository="r", owned=["a/x"], priority="critical")
    hive.claim_one()
    swarm.post("wide", repository="r", owned=["a"], priority="high")
    swarm.post("narrow", repository="r", owned=["a/y"], priority="low")
    assert hive.claim(9) == []


def test_limits_count_over_all_hives(swarm):
    first, second = (swarm.hive(name, providers=["claude"]) for name in ("eu1", "eu2"))
    swarm.admin.set_limit("provider:claude", 2)
    swarm.admin.set_limit("budget:team", 1.0)
    for _ in range(3):
        swarm.post(provider="claude")
    assert len(first.claim(9)) == 2
    assert second.claim(9) == []
    swarm.admin.set_limit("provider:claude", None)
    assert len(second.claim(9)) == 1
    costly, waiting = swarm.post(budget="team", priority="high"), swarm.post(budget="team")
    claim = first.claim_one()
    assert claim.id == costly
    first.swarm.report_progress(first.session, costly, claim.fence, {"cost": 1.25})
    assert second.claim(9) == []
    swarm.admin.set_limit("budget:team", 2)
    assert [one.id for one in second.claim(9)] == [waiting]


def test_of_a_lineage_at_most_one_lives(swarm):
    hive = swarm.hive("eu1")
    swarm.post("one", kind="run", lineage="ada")
    swarm.post("two", kind="run", lineage="ada")
    (first,) = hive.claim(9)
    hive.end(first)
    assert len(hive.claim(9)) == 1


def test_a_preferred_hive_has_a_post_to_itself_for_a_minute(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    post = swarm.post(prefers=second.name)
    first.watch(59)
    assert first.claim() == []
    assert [one.id for one in second.claim()] == [post]
    again = swarm.post(prefers=second.name)
    first.watch(60)
    assert [one.id for one in first.claim()] == [again]


def test_needs_are_counted_as_the_end_is_told(swarm):
    hive = swarm.hive("eu1")
    a, b = swarm.post("a"), swarm.post("b")
    both = swarm.post("both", needs=[a, b])
    any_ = swarm.post("any", needs=[a, b], needs_min=1)
    claims = {one.id: one for one in hive.claim(9)}
    assert set(claims) == {a, b}
    assert swarm.find(a).dependants == 2
    hive.end(claims[a])
    assert [one.id for one in hive.claim(9)] == [any_]
    hive.end(claims[b], "failed")
    assert hive.claim(9) == []
    assert swarm.find(both).unmet == 1
    swarm.admin.retry(b)
    (again,) = hive.claim(9)
    hive.end(again)
    assert [one.id for one in hive.claim(9)] == [both]


def test_outputs_reach_those_that_need_them_and_nobody_else(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    need = swarm.post("need")
    then = swarm.post("then", needs=[need])
    claim = first.claim_one()
    mebibyte = b"\0" * (1 << 20)
    for n in range(16):
        assert first.swarm.put_output(first.session, need, claim.fence, f"f{n}", mebibyte).word == "ok"
    with pytest.raises(OvermindError) as refused:
        first.swarm.put_output(first.session, need, claim.fence, "one more", b"x")
    assert refused.value.code == "too_large"
    assert first.swarm.put_output(first.session, need, claim.fence, "f0", b"in place").word == "ok"
    first.end(claim)
    other = second.claim_one()
    assert other.id == then
    found = second.swarm.inputs(second.session, then, other.fence)
    assert len(found) == 16
    assert (need, "need", "f0", b"in place") in found
    with pytest.raises(OvermindError) as fenced:
        first.swarm.inputs(first.session, then, other.fence)
    assert fenced.value.code == "fenced"


def test_cancelling_is_told_to_the_holder(swarm):
    hive = swarm.hive("eu1")
    queued = swarm.post(priority="low")
    held = swarm.post(priority="high")
    claim = hive.claim_one()
    assert swarm.admin.cancel(queued) == "cancelled"
    hive.swarm.listen()
    assert swarm.admin.cancel(held) == "cancelling"
    assert hive.swarm.report_progress(hive.session, held, claim.fence, {}).cancelling == "cancelled"
    assert hive.beat().held[0].cancelling == "cancelled"
    assert f"hive:{hive.name}" in hive.swarm.news()
    assert hive.end(claim, "cancelled").state == "cancelled"
    assert swarm.admin.cancel(held) == "cancelled"


def test_a_cancelled_post_that_is_given_back_is_not_queued_again(swarm):
    hive = swarm.hive("eu1")
    post = swarm.post()
    claim = hive.claim_one()
    swarm.admin.cancel(post)
    hive.swarm.give_back(hive.session, post, claim.fence, "stopped")
    assert swarm.find(post).state == "cancelled"


def test_a_question_is_answered_by_a_person_and_read_by_the_holder(swarm):
    hive = swarm.hive("eu1")
    post = swarm.post()
    claim = hive.claim_one()
    ask = {"key": "7", "text": "May I?"}
    hive.swarm.report_progress(hive.session, post, claim.fence, {"questions": [ask]})
    (question,) = swarm.admin.questions()
    assert (question.post, question.body["text"], question.answer) == (post, "May I?", None)
    assert swarm.admin.answer(question.number, {"answer": "allow"}) == "claimed"
    assert hive.beat().held[0].answers == 1
    told = hive.swarm.report_progress(hive.session, post, claim.fence, {"questions": [ask]})
    assert [(one.key, one.answer) for one in told.answers] == [("7", {"answer": "allow"})]
    with pytest.raises(OvermindError):
        swarm.admin.answer(question.number, {"answer": "deny"})
    assert hive.swarm.report_progress(hive.session, post, claim.fence, {"questions": []}).answers == []
    assert swarm.admin.questions() == []


def test_the_lease_of_a_silent_holder_is_taken_once_it_is_over_and_not_a_moment_before(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    post = swarm.post(lease=20)
    old = first.claim_one()
    (watched,) = second.swarm.watchlist(second.session).sessions
    assert (watched.hive, watched.beat, watched.lease, watched.waits) == (first.name, 0, 20, False)
    assert second.swarm.take(second.session, watched.session, watched.beat, 22.1).freed == []
    first.beat()
    assert second.swarm.take(second.session, watched.session, watched.beat, 1000).word == "moved"
    assert second.swarm.take(second.session, watched.session, 1, 22.2).freed == [post]
    assert first.beat().held == []
    assert second.claim_one().fence > old.fence
    assert first.end(old).word == "fenced"


def test_a_post_whose_hive_is_gone_is_tried_again_three_times(swarm):
    hives = [swarm.hive(f"eu{n}") for n in range(5)]
    post = swarm.post(lease=10)
    for n in range(4):
        hives[n].claim_one()
        assert swarm.find(post).hive_lost == n
        hives[4].swarm.take(hives[4].session, hives[n].session, 0, 12.2)
    assert (swarm.find(post).state, swarm.find(post).reason) == ("failed", "hive_lost")


def test_what_waits_is_lost_after_a_minute_and_is_its_holder_s_again_when_that_answers(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    post = swarm.post(on_lost="wait")
    first.claim_one()
    assert second.swarm.take(second.session, first.session, 0, 59.9).lost == []
    assert second.swarm.take(second.session, first.session, 0, 60).lost == [post]
    assert swarm.find(post).state == "lost"
    (question,) = swarm.admin.questions()
    assert question.key == "lost"
    assert second.claim() == []
    assert [one.state for one in first.beat().held] == ["claimed"]
    assert swarm.admin.questions() == []
    assert swarm.find(post).state == "claimed"


@pytest.mark.parametrize(("word", "state"), [("allow", "queued"), ("deny", "lost")])
def test_a_person_says_whether_the_machine_of_a_lost_post_is_off(swarm, word, state):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    post = swarm.post(on_lost="wait")
    claim = first.claim_one()
    second.swarm.take(second.session, first.session, 0, 60)
    (question,) = swarm.admin.questions()
    assert swarm.admin.answer(question.number, {"answer": word}) == state
    assert bool(second.claim()) is (state == "queued")
    first.beat()
    assert first.end(claim).word == ("fenced" if state == "queued" else "ok")
    assert swarm.find(post).state == ("claimed" if state == "queued" else "done")


def test_a_lost_post_that_is_cancelled_ends_when_its_hive_answers(swarm):
    first, second = swarm.hive("eu1"), swarm.hive("eu2")
    post = swarm.post(on_lost="wait")
    claim = first.claim_one()
    second.swarm.take(second.session, first.session, 0, 60)
    assert swarm.admin.cancel(post) == "cancelled"
    assert first.beat().held == []
    assert first.end(claim).word == "fenced"


def test_a_claim_whose_answer_was_lost_is_found_again(swarm):
    hive = swarm.hive("eu1")
    swarm.post()
    claim = hive.claim_one()
    assert [(one.post, one.fence) for one in hive.beat().held] == [(claim.id, claim.fence)]
    assert hive.swarm.claims_of(hive.session) == [claim]


def test_posting_again_after_a_lost_answer_adds_nothing(swarm):
    one = {"id": "27b47545", "kind": "run", "name": "docs"}
    assert swarm.admin.post([one]) == ["27b47545"]
    assert swarm.admin.post([one]) == []
    with pytest.raises(OvermindError) as taken:
        swarm.admin.post([{**one, "name": "other"}])
    assert taken.value.code == "name_taken"
    assert swarm.find("27b47545").on_lost == "wait"


def test_a_need_that_is_no_post_is_refused_and_nothing_is_posted(swarm):
    with pytest.raises(OvermindError) as refused:
        swarm.admin.post([{"id": "1", "kind": "quest", "name": "a", "needs": ["nowhere"]}])
    assert refused.value.code == "not_found"
    assert swarm.admin.posts() == []


def test_thousands_that_own_the_same_paths_keep_nobody_waiting(swarm):
    hive = swarm.hive("eu1")
    swarm.admin.post(
        [{"id": f"{n:04d}", "kind": "quest", "name": "q", "repository": "r", "owned": ["a"]} for n in range(2500)]
        + [{"id": "last", "kind": "quest", "name": "q", "priority": "low"}]
    )
    assert {one.id for one in hive.claim(2)} == {"0000", "last"}
    assert hive.claim(2) == []


def test_news_say_which_hive_is_to_be_first(swarm):
    hive = swarm.hive("a")
    hive.swarm.listen()
    swarm.post(pack=True)
    assert heard(hive, "packed") == {"packed"}
    swarm.post()
    assert heard(hive, "queued") == {"queued"}
    first, second = hive.claim(2)
    assert hive.swarm.give_back(hive.session, first.id, first.fence, "no").word == "ok"
    assert hive.swarm.give_back(hive.session, second.id, second.fence, "no").word == "ok"
    heard(hive, "packed", "queued")


def heard(hive, *wanted):
    """The news of a hive, once these are among them."""
    found: set[str] = set()

    def listen():
        found.update(hive.swarm.news())
        return found.issuperset(wanted)

    eventually(listen, what=f"{wanted} are heard")
    return found


@pytest.mark.parametrize(
    "shared",
    [{"repository": "shop", "owned": ["src"]}, {"kind": "run", "lineage": "writer"}, {"provider": "claude"}],
    ids=["owns", "lineage", "limit"],
)
def test_what_shares_a_limit_and_comes_while_two_hives_claim_is_given_to_one(swarm, shared):
    """Both have looked before it came: it is theirs with the next look, which its news bring."""
    hives = [swarm.hive(name, slots=9, providers=["claude"]) for name in ("eu1", "eu2")]
    swarm.post("plain")
    given: list[list[str]] = [[], []]

    def claim(at: int) -> None:
        given[at] = [one.name for one in hives[at].claim(9)]

    threads = [threading.Thread(target=claim, args=(at,)) for at in range(2)]
    with psycopg.connect(swarm.url) as owner:
        owner.execute("select from overmind.sessions where state = 'alive' for update")
        for thread in threads:
            thread.start()
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%%claim%%'"
        eventually(lambda: swarm.sql(f"{waiting} and datname = current_database()") == [(2,)], what="both wait")
        if "provider" in shared:
            swarm.admin.set_limit("provider:claude", 1)
        for name in ("one", "two"):
            swarm.post(name, **shared)
    for thread in threads:
        thread.join(30)
    assert sorted(given[0] + given[1]) == ["plain"]
    assert sorted(len(hive.claim(9)) for hive in hives) == [0, 1]


def test_posts_that_ended_long_ago_are_forgotten_but_not_what_somebody_needs_yet(swarm):
    hive = swarm.hive("eu1", slots=10)
    old = [swarm.post(f"old-{number}") for number in range(3)]
    for _ in old:
        hive.end(hive.claim_one(), "done")
    swarm.post("waits", needs=[old[0], swarm.post("not-yet")])
    newest = swarm.post("newest")
    claims = {one.id: one for one in hive.claim(5)}
    hive.end(claims[newest], "done")
    with psycopg.connect(swarm.url, autocommit=True) as owner:
        owner.execute("select overmind.forget_ended(1)")
    names = {one.name for one in swarm.admin.posts()}
    assert names == {"old-0", "waits", "not-yet", "newest"}
