"""The store goes back in time, or is merely started again: no second start, and no end that is lost."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from overmind_core.errors import OvermindError
from overmind_core.swarm.connection import SwarmSilent
from overmind_core.swarm.database import connect
from tests.kit.postgres_server import servers
from tests.kit.swarm import LONGEST, Hive, TestSwarm, swarm_in
from tests.kit.waiting import eventually


@pytest.fixture
def machines():
    with servers() as made:
        yield made


@pytest.fixture
def server(machines):
    return machines.started()


@pytest.fixture
def swarm(server):
    made = TestSwarm(server.url)
    yield made
    made._stack.close()  # the server goes with its logins


def reconnect(swarm, *hives, url=None):
    """The hives' connections to a server that was started again, or to another one."""
    if url is not None:
        swarm.url = url
    swarm.admin = swarm.connected(swarm.url)
    for hive in hives:
        hive.swarm = swarm.connected(swarm.url_of(hive.name))


def test_after_a_plain_restart_no_claim_is_given_until_every_session_with_slots_has_beaten(server, swarm):
    first, second, laptop = swarm.hive("eu1"), swarm.hive("eu2"), swarm.hive("alice", slots=0)
    swarm.post()
    first.beat()
    server.stop()
    server.start()
    reconnect(swarm, first, second, laptop)
    assert first.ask().word == "closed"
    assert first.beat().mode == "restarted"
    assert first.ask().word == "closed"
    assert second.beat().mode == "open"
    assert len(first.claim()) == 1
    assert swarm.events("settling") == []


@pytest.mark.parametrize("way", ["waited", "drain", "rm"])
def test_a_hive_that_is_off_at_a_restart_costs_the_longest_lease_once_unless_it_is_drained_or_removed(
    server, swarm, way
):
    first, off = swarm.hive("eu1"), swarm.hive("eu2")
    swarm.post(lease=20)
    server.stop("immediate")
    server.start()
    reconnect(swarm, first)
    beaten = first.beat()
    assert (beaten.mode, beaten.longest) == ("restarted", 600)
    match way:
        case "waited":
            assert first.swarm.settled(first.session, beaten.settle, LONGEST - 0.1) == "restarted"
            assert first.swarm.settled(first.session, beaten.settle, LONGEST) == "open"
        case "drain":
            swarm.admin.drain(off.name)
        case "rm":
            swarm.admin.remove_hive(off.name, dead=True)
    assert len(first.claim()) == 1


def test_a_server_that_is_killed_and_started_again_has_all_that_it_answered(server, swarm):
    hive = swarm.hive("eu1")
    swarm.admin.post([{"id": f"{n}", "kind": "quest", "name": f"q{n}"} for n in range(40)])
    ended, held = [], []
    for _ in range(10):
        claims = hive.claim(2)
        hive.end(claims[0])
        ended.append(claims[0].id)
        held.append((claims[1].id, claims[1].fence))
    server.kill()
    server.start()
    reconnect(swarm, hive)
    beaten = hive.beat()
    assert (beaten.word, beaten.mode) == ("ok", "open")
    assert [(one.post, one.fence) for one in beaten.held] == held
    assert {swarm.find(post).state for post in ended} == {"done"}


def caught_up(swarm):
    """Wait until a standby has replayed all that there is."""
    eventually(
        lambda: swarm.sql("select 1 from pg_stat_replication where replay_lsn >= pg_current_wal_flush_lsn()"),
        what="the standby has all",
    )


def test_a_standby_that_lagged_is_promoted_and_nothing_begins_twice_and_no_end_is_lost(machines, server, swarm):
    hives = [swarm.hive(f"eu{n}", slots=9) for n in range(3)]
    early = swarm.post("early")
    early_claim = hives[0].claim_one()
    standby = machines.standby_of(server)
    caught_up(swarm)
    standby.stop()
    for hive in hives:
        hive.beat()
    hives[0].end(early_claim, "done", result={"kept": True})
    late = [swarm.post(f"late{n}", on_lost="wait" if n % 2 else "move") for n in range(6)]
    claims = {one.id: (hive, one) for hive in hives for one in hive.claim(2)}
    assert set(claims) == set(late)
    ender, ended = claims[late[0]]
    ender.end(ended, "done", exit_code=0)
    server.kill()
    standby.start()
    standby.promote()
    reconnect(swarm, *hives, url=standby.url)
    assert swarm.find(early).state == "claimed"
    assert swarm.admin.find_post(late[0]) is None
    assert [hive.ask().word for hive in hives] == ["beat"] * 3
    beaten = [hive.beat() for hive in hives]
    assert {(one.word, one.mode) for one in beaten} == {("present", "settling")}
    for hive in hives:
        held = [hive.presented(one) for owner, one in claims.values() if owner is hive and one is not ended]
        held += [hive.presented(ended, "done", exit_code=0)] if hive is ender else []
        held += [hive.presented(early_claim, "done", result={"kept": True})] if hive is hives[0] else []
        assert set(hive.swarm.present(hive.session, held, all_=True).posts.values()) == {"ok"}
        assert hive.beat().word == "ok"
    assert {hive.ask().word for hive in hives} == {"closed"}
    settle = beaten[0].settle
    assert hives[0].swarm.settled(hives[0].session, settle, LONGEST - 1) == "settling"
    assert hives[0].swarm.settled(hives[0].session, settle, LONGEST) == "open"
    assert [swarm.find(one).state for one in (early, late[0])] == ["done", "done"]
    assert swarm.admin.end_of(early).result == {"kept": True}
    assert [hive.claim(9) for hive in hives] == [[], [], []]
    for post, (hive, claim) in claims.items():
        found = swarm.find(post)
        assert (found.fence, found.hive) == (claim.fence, hive.name)
        assert hive.end(claim).word == "ok"
    swarm.post("new")
    assert hives[1].claim_one().fence > max(one.fence for _, one in claims.values()) + 1000
    assert len(swarm.events("settling")) == 1


def restored(server, swarm, target):
    """Dump the swarm, and return what restores it into another server, or into this one."""
    file = f"{server.folder}/dump"
    server.program("pg_dump", "-Fc", "-f", file, swarm.url)
    clean = ["--clean", "--if-exists"] if target is server else []
    return lambda: target.program("pg_restore", *clean, "-d", target.url, file)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_an_older_dump_is_restored_and_nothing_begins_twice_and_no_end_is_lost(machines, server, swarm, where):
    target = server if where == "here" else machines.started()
    hive, late = swarm.hive("eu1"), Hive(swarm.member("eu2", "worker"), swarm.login("eu2"))
    before = swarm.post("before")
    restore = restored(server, swarm, target)
    if where == "elsewhere":  # logins are the server's, and no part of a dump
        other = swarm_roles(swarm)
        with psycopg.connect(target.url, autocommit=True) as connection:
            for statement in other:
                connection.execute(statement.encode())
    claim = hive.claim_one()
    assert late.join().word == "joined"
    after = swarm.post("after")
    late_claim = late.claim_one()
    hive.end(claim, "done")
    restore()
    reconnect(swarm, hive, late, url=target.url)
    assert swarm.find(before).state == "queued"
    assert [one.name for one in swarm.admin.hives()] == [hive.name]
    assert hive.beat().word == "present"
    assert late.beat().word == "present"
    assert hive.ask().word == "closed"
    # Another hive that knows nothing of all this gets nothing either.
    ended = hive.presented(claim, "done")
    assert hive.swarm.present(hive.session, [ended], all_=True).posts == {before: "ok"}
    settle = hive.beat().settle
    assert hive.swarm.settled(hive.session, settle, LONGEST) == "presenting"
    assert hive.claim(9) == []
    assert late.beat().word == "present"
    assert late.swarm.present(late.session, [late.presented(late_claim)], all_=True).posts == {after: "ok"}
    assert hive.beat().mode == "open"
    assert hive.claim(9) == []
    assert (swarm.find(before).state, swarm.find(after).state, swarm.find(after).fence) == (
        "done", "claimed", late_claim.fence,
    )  # fmt: skip
    assert late.end(late_claim).word == "ok"


def swarm_roles(swarm):
    """What makes the logins of a swarm on another server."""
    groups = ["viewer", "worker", "operator", "owner"]
    yield from (f"create role overmind_{one}" for one in groups)
    yield from (f"grant overmind_{one} to overmind_{two}" for one, two in itertools.pairwise(groups))
    for login in swarm.admin.logins():
        yield f'create role "{login.name}" login in role overmind_{login.role}'


@pytest.fixture
def plain(database_url):
    """A swarm in the server of all tests, of which a rewind is only thought to be one."""
    with swarm_in(database_url) as made:
        yield made


def test_a_beat_that_is_not_the_expected_one_is_a_rewind(plain):
    hive, other = plain.hive("eu1"), plain.hive("eu2")
    for _ in range(3):
        hive.beat()
    plain.sql("update overmind.sessions set beat = 1, nonce = 'older' where id = %s", hive.session)
    beaten = hive.beat()
    assert (beaten.word, beaten.mode, beaten.beat) == ("present", "settling", 4)
    assert other.beat().word == "present"
    assert hive.beat().settle == beaten.settle, "noticed once"


def test_a_claim_that_the_store_has_forgotten_within_one_beat_is_a_rewind(plain):
    hive = plain.hive("eu1")
    hive.beat()
    post = plain.post()
    claim = hive.claim_one()
    plain.sql("update overmind.posts set state = 'queued', session = null, fence = 0")
    plain.sql("update overmind.sessions set fence = 0")
    assert hive.beat().word == "present"
    assert hive.swarm.present(hive.session, [hive.presented(claim)], all_=True).posts == {post: "ok"}
    assert plain.find(post).fence == claim.fence


def test_outside_a_rewind_nothing_can_be_presented_and_within_one_nothing_can_be_made_up(plain):
    thief, holder = plain.hive("eu1"), plain.hive("eu2")
    post = plain.post()
    claim = holder.claim_one()
    made_up = {**thief.presented(claim), "fence": 99}
    refused = thief.swarm.present(thief.session, [made_up], all_=True)
    assert (refused.word, refused.posts) == ("refused", {})
    # It pretends that the store has gone back, and presents what it was never given.
    thief.number = 7
    assert thief.beat().word == "present"
    for forged in (made_up, {**made_up, "proof": claim.proof}, thief.presented(claim)):
        assert thief.swarm.present(thief.session, [forged], all_=False).posts == {post: "forged"}
    assert (plain.find(post).hive, plain.find(post).fence) == (holder.name, claim.fence)
    invented = {**holder.presented(claim), "id": "feed", "definition": '{"id": "feed", "kind": "run", "name": "x"}'}
    assert thief.swarm.present(thief.session, [invented], all_=True).posts == {"feed": "forged"}
    assert plain.admin.find_post("feed") is None


def test_of_two_that_present_the_same_post_the_higher_fence_wins(plain):
    first, second = plain.hive("eu1"), plain.hive("eu2")
    post = plain.post()
    old = first.claim_one()
    first.swarm.give_back(first.session, post, old.fence, "no room")
    new = second.claim_one()
    plain.sql("update overmind.posts set state = 'queued', session = null, fence = 0")
    plain.sql("update overmind.sessions set fence = 0")
    assert second.beat().word == "present"
    assert first.beat().word == "present"
    assert second.swarm.present(second.session, [second.presented(new)], all_=True).posts == {post: "ok"}
    assert first.swarm.present(first.session, [first.presented(old)], all_=True).posts == {post: "fenced"}
    assert plain.find(post).fence == new.fence


def test_what_waits_is_not_given_until_every_known_hive_has_presented_or_is_dead(plain):
    first, silent = plain.hive("eu1"), plain.hive("eu2")
    plain.post("waits", on_lost="wait")
    moves = plain.post("moves", priority="low")
    first.number = 3
    beaten = first.beat()
    first.swarm.present(first.session, [], all_=True)
    assert first.swarm.settled(first.session, beaten.settle, LONGEST) == "presenting"
    assert [one.id for one in first.claim(9)] == [moves]
    plain.admin.remove_hive(silent.name, dead=True)
    assert first.beat().mode == "open"
    assert len(first.claim(9)) == 1


def test_a_hive_that_comes_late_presents_what_nobody_else_has_by_then(plain):
    first, late = plain.hive("eu1"), plain.hive("eu2")
    moves, waits = plain.post("moves"), plain.post("waits", on_lost="wait")
    claims = {one.id: one for one in late.claim(9)}
    plain.sql("update overmind.posts set state = 'queued', session = null, fence = 0")
    plain.sql("update overmind.sessions set fence = 0")
    first.number = 3
    beaten = first.beat()
    first.swarm.present(first.session, [], all_=True)
    first.swarm.settled(first.session, beaten.settle, LONGEST)
    assert [one.id for one in first.claim(9)] == [moves]
    assert late.beat().word == "present"
    presented = late.swarm.present(late.session, [late.presented(one) for one in claims.values()], all_=True)
    assert presented.posts == {moves: "fenced", waits: "ok"}
    assert (plain.find(waits).hive, late.beat().mode) == (late.name, "open")


def test_what_a_hive_does_not_present_it_does_not_hold(plain):
    hive = plain.hive("eu1")
    post = plain.post()
    hive.claim_one()
    hive.number = 3
    hive.beat()
    hive.swarm.present(hive.session, [], all_=True)
    assert plain.find(post).state == "queued"


def test_a_frozen_server_costs_no_more_than_an_answer_may_take(server, swarm):
    swarm.hive("eu1")
    impatient = connect(swarm.url, answer_seconds=0.3)
    with server.frozen(), pytest.raises(SwarmSilent, match=r"no answer within 0\.3 s") as silent:
        impatient.status()
    assert silent.value.code == "swarm_silent"
    assert silent.value.unknown
    assert not impatient.is_usable
    assert swarm.admin.status().hives == 1


def test_a_standby_is_no_swarm(machines, server, swarm):
    standby = machines.standby_of(server)
    with pytest.raises(OvermindError, match=r"read-write|read-only") as silent:
        connect(standby.url)
    assert silent.value.code == "swarm_silent"
    with psycopg.connect(standby.url, autocommit=True) as connection:
        from overmind_core.swarm import schema

        with pytest.raises(OvermindError, match="standby") as silent:
            schema.migrate(connection)
    assert silent.value.code == "swarm_silent"
    assert any("synchronous_standby_names" in text for text in warnings_of(server))


def warnings_of(server):
    from overmind_core.swarm import schema

    with psycopg.connect(server.url, autocommit=True) as connection:
        return schema.migrate(connection).warnings


def test_the_password_of_an_invitation_opens_the_swarm_and_no_other_does(server, swarm):
    hba = f"{server.data}/pg_hba.conf"
    with open(hba, encoding="utf-8") as file:
        rules = file.read()
    with open(hba, "w", encoding="utf-8") as file:
        file.write(f"local all +overmind_viewer scram-sha-256\n{rules}")
    server.reload()
    from overmind_core.swarm.connection import url_with_login

    login = swarm.login("alice")
    swarm.admin.invite(login, "viewer", "right, 'and' @odd/")
    opened = connect(url_with_login(swarm.url, login, "right, 'and' @odd/"))
    assert opened.hello().login == login
    opened.close()
    with pytest.raises(OvermindError, match="invitation") as refused:
        connect(url_with_login(swarm.url, login, "wrong"))
    assert refused.value.code == "forbidden"
