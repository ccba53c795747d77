"""Links, sessions and tokens on a clock moved by hand, over a real database, through restarts and full disks."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
from pathlib import Path

import pytest

from overmind_core.daemon.state import State
from overmind_core.domain import web_access as rules
from overmind_core.errors import OvermindError
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.database import DiskFull
from overmind_core.kernel.event_log import EventLog
from overmind_core.kernel.journal import Journal
from overmind_core.web_access.service import WebAccesses
from overmind_core.web_access.store import WebAccessTable
from tests.kit.clock import FakeClock

DAY = 86_400.0


class World:
    """One home: its clock and database outlive the services over them."""

    def __init__(self, database: str) -> None:
        self.clock = FakeClock()
        self.state = State.open(database)
        self.boot()

    def boot(self) -> None:
        """A daemon starts, over what is saved."""
        self.journal = Journal(self.state.database, asyncio.get_running_loop())
        events = EventLog(Bus(), self.journal, self.clock, self.state.events)
        table = WebAccessTable(self.state.database)
        self.web = WebAccesses(journal=self.journal, events=events, clock=self.clock, table=table)

    async def restart(self) -> None:
        await self.journal.saved()
        self.journal.close()
        self.boot()

    async def link(self, name=None, *, read_only=False, lifetime=30 * DAY):
        """The secret of a new link."""
        return (await self.web.make_link(name, read_only=read_only, lifetime=lifetime))[0]

    async def session(self, name=None, **how):
        """The two secrets and the name of a new session."""
        cookie, key, session = await self.web.log_in(await self.link(name, **how), "curl/8")
        return cookie, key, session.name

    def lets_in(self, cookie, key):
        with contextlib.suppress(OvermindError):
            return self.web.check_session(cookie, key).name
        return None

    def no_room(self):
        """Stand in the place of a transaction: the disk is full."""
        raise DiskFull(self.state.database.path, "database or disk is full")


def in_a_world(test):
    """Run a test in an event loop, in a home of its own."""

    def play(tmp_path):
        async def go():
            world = World(os.path.join(tmp_path, "state.db"))
            try:
                await test(world)
            finally:
                world.journal.close()
                world.state.close()

        asyncio.run(go())

    play.__name__ = test.__name__
    return play


async def refused(code, work):
    with pytest.raises(OvermindError) as caught:
        await work
    assert caught.value.code == code
    return caught.value.message


@in_a_world
async def test_a_link_works_once(world):
    link = await world.link("phone")
    cookie, key, session = await world.web.log_in(link, "curl/8")
    assert world.lets_in(cookie, key) == session.name == "phone"
    assert "overmind web link" in await refused("unauthorized", world.web.log_in(link, "curl/8"))


@in_a_world
async def test_of_two_that_use_a_link_at_once_one_is_let_in(world):
    link = await world.link()
    ends = await asyncio.gather(*(world.web.log_in(link, "curl/8") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(end, tuple) for end in ends) == 1
    assert {end.code for end in ends if isinstance(end, OvermindError)} == {"unauthorized"}


@in_a_world
async def test_a_link_works_for_ten_minutes_and_for_no_longer(world):
    first, second = await world.link(), await world.link()
    world.clock.advance(rules.LINK_SECONDS - 1)
    await world.web.log_in(first, "curl/8")
    world.clock.advance(1)
    await refused("unauthorized", world.web.log_in(second, "curl/8"))


@in_a_world
async def test_a_session_needs_both_of_its_secrets(world):
    cookie, key, _ = await world.session()
    other_cookie, other_key, _ = await world.session()
    good = {(cookie, key), (other_cookie, other_key)}
    tried = [
        cookie,
        key,
        other_cookie,
        other_key,
        "",
        cookie[:-1],
        f"{cookie}x",
        cookie.swapcase(),
        "\udcff",
        "é" * 9999,
    ]
    for pair in itertools.product(tried, repeat=2):
        assert (world.lets_in(*pair) is not None) is (pair in good), pair


@in_a_world
async def test_a_token_is_no_session_and_a_session_no_token(world):
    secret, _ = await world.web.make_token("script", read_only=False, lifetime=DAY)
    cookie, key, _ = await world.session()
    assert world.web.check_token(secret).name == "script"
    assert world.lets_in(secret, secret) is None
    for wrong in (cookie, key, ""):
        with pytest.raises(OvermindError, match="login"):
            world.web.check_token(wrong)


@in_a_world
async def test_a_login_ends_when_its_time_is_over_and_lasts_through_restarts(world):
    cookie, key, _ = await world.session("phone", lifetime=7 * DAY)
    await world.restart()
    world.clock.advance(7 * DAY - 1)
    assert world.lets_in(cookie, key) == "phone"
    world.clock.advance(1)
    assert world.lets_in(cookie, key) is None
    assert world.web.all() == []


@in_a_world
async def test_a_clock_set_back_before_a_login_refuses_it_until_the_clock_is_right(world):
    world.clock.advance(DAY)
    cookie, key, _ = await world.session()
    link = await world.link()
    world.clock.step(-rules.CLOCK_SLACK)
    assert world.lets_in(cookie, key)
    world.clock.step(-DAY)
    assert world.lets_in(cookie, key) is None
    await refused("unauthorized", world.web.log_in(link, "curl/8"))
    world.clock.step(DAY)
    assert world.lets_in(cookie, key)


@in_a_world
async def test_a_clock_that_was_wrong_for_a_while_ends_no_login_for_good(world):
    cookie, key, _ = await world.session(lifetime=DAY)
    world.clock.step(DAY + rules.KEPT_SECONDS - 60)
    await world.link()
    assert world.lets_in(cookie, key) is None
    world.clock.step(-DAY - rules.KEPT_SECONDS + 60)
    assert world.lets_in(cookie, key) == "browser"


@in_a_world
async def test_what_expired_long_ago_is_forgotten(world):
    await world.session(lifetime=DAY)
    await world.link()
    world.clock.advance(DAY + rules.KEPT_SECONDS)
    await world.web.make_token("script", read_only=False, lifetime=DAY)
    await world.journal.saved()
    table = WebAccessTable(world.state.database)
    assert ([one.name for one in table.accesses()], table.links()) == (["script"], [])


@in_a_world
async def test_names_are_unique_among_what_counts_and_free_again_afterwards(world):
    for expected in ("browser", "browser-2", "browser-3"):
        assert (await world.session())[2] == expected
    await world.web.make_token("script", read_only=False, lifetime=DAY)
    for taken in ("script", "browser"):
        assert "web revoke" in await refused("name_taken", world.link(taken))
        await refused("name_taken", world.web.make_token(taken, read_only=True, lifetime=DAY))
    first, second = await world.link("p" * 32), await world.link("p" * 32)
    names = [(await world.web.log_in(link, "curl/8"))[2].name for link in (first, second)]
    assert names == ["p" * 32, "p" * 30 + "-2"]
    world.clock.advance(DAY)
    await world.web.make_token("script", read_only=False, lifetime=DAY)
    await world.web.revoke("browser", None)
    assert (await world.session())[2] == "browser"


@in_a_world
async def test_a_revoked_login_is_refused_at_once_and_after_a_restart(world):
    cookie, key, _ = await world.session("phone")
    revoking = asyncio.ensure_future(world.web.revoke("phone", None))
    await asyncio.sleep(0)
    assert world.lets_in(cookie, key) is None
    await revoking
    await world.restart()
    assert world.lets_in(cookie, key) is None
    assert "web sessions" in await refused("not_found", world.web.revoke("phone", None))


@in_a_world
async def test_the_use_of_a_revoked_login_writes_nothing_into_another_of_its_name(world):
    cookie, key, _ = await world.session("phone")
    world.lets_in(cookie, key)  # its use is saved with what follows
    await asyncio.gather(world.web.revoke("phone", None), world.session("phone"))
    await world.restart()
    (found,) = world.web.all()
    assert (found.name, found.used_at) == ("phone", None)


@in_a_world
async def test_revoking_takes_unused_links_of_the_name_along(world):
    link, other = await world.link("phone"), await world.link("tv")
    await world.web.revoke("phone", None)
    await refused("unauthorized", world.web.log_in(link, "curl/8"))
    secret, _ = await world.web.make_token("script", read_only=False, lifetime=DAY)
    accesses, links = await world.web.revoke(None, None)
    assert ([one.name for one in accesses], len(links)) == (["script"], 1)
    await refused("unauthorized", world.web.log_in(other, "curl/8"))
    with pytest.raises(OvermindError, match="login"):
        world.web.check_token(secret)
    assert await world.web.revoke(None, None) == ([], [])


@in_a_world
async def test_only_tokens_are_removed_where_only_tokens_are_meant(world):
    await world.session("phone")
    await world.link("phone-link")
    for name in ("phone", "phone-link"):
        await refused("not_found", world.web.revoke(name, rules.AccessKind.TOKEN))
    assert [one.name for one in world.web.all()] == ["phone"]


@in_a_world
async def test_a_use_is_noted_once_a_minute_and_never_earlier_than_before(world):
    cookie, key, _ = await world.session()
    table = WebAccessTable(world.state.database)
    changes = []
    for seconds in (0, 1, 58, 1, -1000, 1000):
        world.clock.step(seconds)
        before = world.state.database.changes
        world.lets_in(cookie, key)
        await world.journal.saved()
        changes.append((world.state.database.changes - before, table.accesses()[0].used_at))
    at = 1_800_000_000.0
    assert changes == [(1, at), (0, at), (0, at), (1, at + 60), (0, at + 60), (0, at + 60)]


@in_a_world
async def test_there_are_so_many_logins_and_no_more(world):
    for number in range(rules.MOST_ACCESSES):
        await world.web.make_token(f"t{number}", read_only=False, lifetime=DAY)
    assert "web revoke" in await refused("too_large", world.link())
    await refused("too_large", world.web.make_token("one-more", read_only=False, lifetime=DAY))
    world.clock.advance(DAY)
    await world.session()


@in_a_world
async def test_of_too_many_links_the_oldest_are_dropped(world):
    links = []
    for _ in range(rules.MOST_LINKS + 2):
        links.append(await world.link())
        world.clock.advance(1)
    assert len(WebAccessTable(world.state.database).links()) == rules.MOST_LINKS
    for link in links[:2]:
        await refused("unauthorized", world.web.log_in(link, "curl/8"))
    await world.web.log_in(links[2], "curl/8")


@in_a_world
async def test_what_can_t_be_saved_never_was_and_a_revocation_counts_anyway(world):
    link = await world.link("phone")
    cookie, key, _ = await world.session("tv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.state.database, "transaction", world.no_room)
        for work in (
            world.web.log_in(link, "curl/8"),
            world.web.make_token("script", read_only=False, lifetime=DAY),
            world.web.make_link("more", read_only=False, lifetime=DAY),
            world.web.revoke("tv", None),
        ):
            with pytest.raises(DiskFull):
                await work
    assert world.web.all() == []
    assert world.lets_in(cookie, key) is None
    world.journal.save_at_once()
    await world.web.log_in(link, "curl/8")
    await world.restart()
    assert [one.name for one in world.web.all()] == ["phone"]


def everything_stored(world):
    """All bytes of the database, its log of writes included."""
    folder = os.path.dirname(world.state.database.path)
    return b"".join(Path(folder, name).read_bytes() for name in os.listdir(folder) if name.startswith("state.db"))


@in_a_world
async def test_of_no_secret_there_is_more_than_its_hash_on_disk_or_in_the_log(world):
    link = await world.link("phone")
    cookie, key, _ = await world.web.log_in(link, "curl/8")
    unused = await world.link()
    token, _ = await world.web.make_token("script", read_only=False, lifetime=DAY)
    world.web.check_token(token)
    await world.web.revoke("phone", None)
    await world.journal.saved()
    stored = everything_stored(world)
    assert b"script" in stored
    for secret in (link, unused, cookie, key, token):
        assert secret.encode() not in stored
    assert len({link, unused, cookie, key, token}) == 5


@in_a_world
async def test_each_change_is_an_event_that_names_it(world):
    await world.web.log_in(await world.link("phone", read_only=True), "curl/8")
    await world.web.make_token("script", read_only=False, lifetime=DAY)
    await world.link()
    await world.web.revoke(None, None)
    events = [json.loads(row.data) for row in world.state.events.after(0, 100)]
    assert [(one["type"], one["change"], one["name"], one["kind"], one["read_only"]) for one in events] == [
        ("web", "link", "phone", "link", True),
        ("web", "login", "phone", "session", True),
        ("web", "token", "script", "token", False),
        ("web", "link", None, "link", False),
        ("web", "revoked", "phone", "session", True),
        ("web", "revoked", "script", "token", False),
        ("web", "revoked", None, "link", False),
    ]
