"""Whom the server takes for logged in, and for how long it goes by what the daemon said."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_web.server import credentials
from overmind_web.server.credentials import Secrets, SupervisorCredentials
from tests.kit.cases import tabled

SHOWN = Secrets(session="s" * 43, key="k" * 43)


class Daemon:
    """Says who somebody is, as it is told to."""

    def __init__(self) -> None:
        self.up = True
        self.lasts = 3600.0
        self.error: OvermindError | None = None
        self.asked: list[str] = []
        self.called = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def call(self, command: str, args: Any) -> dict[str, Any]:
        del args
        self.asked.append(command)
        self.called.set()
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return {"name": "phone", "read_only": False, "expires_at": format_time(time.time() + self.lasts)}


def checked(test):
    async def run() -> None:
        daemon = Daemon()
        await test(daemon, SupervisorCredentials(daemon))  # type: ignore[arg-type] # of which it uses this much

    asyncio.run(run())


def test_the_daemon_is_asked_once_for_many_requests():
    async def test(daemon, keeper):
        for _ in range(5):
            assert (await keeper.check(SHOWN)).by == "web:phone"
        assert daemon.asked == ["web_check"]

    checked(test)


def test_it_is_asked_again_once_something_about_logins_has_happened_and_who_is_inside_is_told():
    async def test(daemon, keeper):
        told = []

        async def recheck() -> None:
            told.append(await keeper.check(SHOWN))

        await keeper.check(SHOWN)
        stop = keeper.watch(recheck)
        daemon.error = OvermindError("unauthorized")
        await keeper.revoked()
        assert told == [None]
        stop()
        await keeper.revoked()
        assert told == [None]

    checked(test)


@pytest.mark.parametrize("error", ["daemon_lost", "daemon_not_running", "busy"])
def test_who_was_known_still_is_where_the_daemon_returned_and_went_at_once(error):
    async def test(daemon, keeper):
        await keeper.check(SHOWN)
        daemon.error = OvermindError(error)
        await keeper.returned()
        assert (await keeper.check(SHOWN)).by == "web:phone"
        assert daemon.asked == ["web_check"] * 2
        daemon.error = OvermindError("unauthorized")
        assert await keeper.check(SHOWN) is None

    checked(test)


def test_who_is_revoked_while_the_daemon_still_says_yes_is_asked_about_again_and_not_remembered():
    async def test(daemon, keeper):
        daemon.answers.clear()
        check = asyncio.ensure_future(keeper.check(SHOWN))
        await daemon.called.wait()
        await keeper.revoked()
        daemon.answers.set()
        assert await check
        assert daemon.asked == ["web_check"] * 2

    checked(test)


@tabled(
    "shown",
    [
        Secrets(), Secrets(session="s" * 43), Secrets(key="k" * 43), Secrets(session="x", key="k" * 43),
        Secrets(session="s" * 43, key="k" * 101), Secrets(token="t" * 19), Secrets(token="with blank" * 4),
        Secrets(token="\x00" * 43), Secrets(session="é" * 43, key="k" * 43),
    ],
)  # fmt: skip
def test_what_cannot_be_a_secret_is_refused_unasked(shown):
    async def test(daemon, keeper):
        assert await keeper.check(shown) is None
        assert daemon.asked == []

    checked(test)


def test_while_the_daemon_is_away_what_it_said_counts_until_the_login_ends():
    async def test(daemon, keeper):
        assert await keeper.check(SHOWN)
        daemon.up, daemon.error = False, OvermindError("daemon_not_running")
        assert await keeper.check(SHOWN)
        with pytest.raises(OvermindError):
            await keeper.check(Secrets(token="t" * 43))

    checked(test)


def test_an_expired_login_is_none_without_asking():
    async def test(daemon, keeper):
        daemon.lasts = -1.0  # it has just ended: times are told in milliseconds
        await keeper.check(SHOWN)
        assert await keeper.check(SHOWN) is None
        assert daemon.asked == ["web_check"]

    checked(test)


def test_a_daemon_that_does_not_answer_keeps_only_so_many_waiting(monkeypatch):
    monkeypatch.setattr(credentials, "CHECK_SECONDS", 0.01)

    async def test(daemon, keeper):
        daemon.answers.clear()
        others = [Secrets(token=f"{number:043d}") for number in range(credentials.MOST_CHECKS + 10)]
        answers = await asyncio.gather(*(keeper.check(one) for one in others), return_exceptions=True)
        assert {getattr(one, "code", one) for one in answers} == {"busy"}
        assert len(daemon.asked) == credentials.MOST_CHECKS

    checked(test)


def test_only_so_many_answers_are_remembered():
    async def test(daemon, keeper):
        for number in range(credentials.MOST_KNOWN + 5):
            await keeper.check(Secrets(token=f"{number:043d}"))
        before = len(daemon.asked)
        await keeper.check(Secrets(token=f"{credentials.MOST_KNOWN + 4:043d}"))
        assert len(daemon.asked) == before
        await keeper.check(Secrets(token=f"{0:043d}"))
        assert len(daemon.asked) == before + 1

    checked(test)
