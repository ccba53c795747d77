"""The full-screen program over hives that a real sshd serves: with links that are cut, and that stand still."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from overmind_core.view.hives import Link
from tests.kit import sshd as servers
from tests.tui.conftest import picture, until

NOTICED = 4.0
"""Seconds in which silence is noticed."""
COUNT = "n=0; while :; do read -t 0.05 x; n=$((n+1)); echo line $n; done"


@pytest.fixture
def sshd(tmp_path, marker):
    """A server of our own; the test is skipped where OpenSSH is not installed."""
    if not servers.AVAILABLE:
        pytest.skip(servers.MISSING)
    with servers.running(tmp_path / "sshd", marker) as server:
        yield server


@pytest.fixture
def eu1(make_home):
    """The other home, with its daemon."""
    other = make_home()
    other.ok("start")
    return other


@pytest.fixture
def over_ssh(om, alone, eu1, opened, sshd, monkeypatch):
    """Run the program of a home that reaches eu1 over ssh, until that has answered."""
    del alone
    om.environment["PATH"] = f"{sshd.bin}:{om.environment['PATH']}"
    monkeypatch.setenv("PATH", om.environment["PATH"])  # the program of a test runs in its process
    sshd.serve_home("eu1.test", eu1)
    Path(om.home, "config.toml").write_text('[hives.eu1]\nssh = "eu1.test"\n')
    om.ok("start")

    def open_with(scenario):
        async def connected(app, pilot):
            await hived(app, pilot, Link.OPEN)
            await scenario(app, pilot)

        opened({}, connected)

    return open_with


async def hived(app, pilot, link):
    """Until eu1 is reached that way."""
    await until(pilot, lambda: app.hives.states[1].link is link, what=f"eu1 is {link.value}")


async def selected(app, pilot, name):
    """Put the cursor on a mission of eu1."""
    found = f"eu1/{name}"
    await until(pilot, lambda: (row := app.fleet.named(found)) and app.main.select(row["id"]), what=found)


def test_a_terminal_types_like_one_here_and_goes_on_after_a_cut(eu1, over_ssh, sshd):
    eu1.ok("run", "--name", "shell", "--type", "session", "--", "sh", "-c", "PS1='ready$ ' exec sh")

    async def scenario(app, pilot):
        await selected(app, pilot, "shell")
        await pilot.press("a")
        session = app.main.terminal_panel.session
        await until(pilot, lambda: "ready$" in picture(app) and session.writes, what="joined")
        await pilot.press(*"echo $((6", "asterisk", *"7))", "enter")
        await until(pilot, lambda: "42" in picture(app), what="answered")
        before = app.main.terminal_view.screen_shown
        await asyncio.to_thread(sshd.cut)
        again = lambda: session.link.joined and app.main.terminal_view.screen_shown is not before  # noqa: E731
        await until(pilot, again, what="joined again, with a screen of its own")
        await pilot.press(*"echo $((6", "asterisk", *"8))", "enter")
        await until(pilot, lambda: "48" in picture(app), what="answered again")
        await pilot.press("ctrl+backslash", "escape")

    over_ssh(scenario)


def test_a_log_goes_on_after_a_cut_without_a_gap(eu1, over_ssh, sshd):
    eu1.ok("run", "--name", "counts", "--type", "session", "--", "bash", "-c", COUNT)

    async def scenario(app, pilot):
        await selected(app, pilot, "counts")
        await pilot.press("l")

        def shown():
            return [int(line.split()[1]) for line in app.main.log_view.copied()[0].splitlines() if line[:5] == "line "]

        await until(pilot, lambda: len(shown()) > 5, what="its first lines")
        before = shown()[-1]
        await asyncio.to_thread(sshd.cut)
        await until(pilot, lambda: shown() and shown()[-1] > before + 20, what="what came after the cut")
        seen = shown()
        assert seen == list(range(seen[0], seen[-1] + 1))

    over_ssh(scenario)


def test_a_server_that_is_frozen_is_noticed_in_seconds_and_comes_back_when_it_thaws(eu1, over_ssh, sshd):
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        await selected(app, pilot, "work")
        began = time.monotonic()
        await asyncio.to_thread(sshd.freeze)
        try:
            await until(pilot, lambda: app.hives.states[1].link is not Link.OPEN, what="noticed")
            assert time.monotonic() - began < NOTICED + 1.0  # the second between two looks
            await until(pilot, lambda: "silent " in picture(app), what="said in its row")
            await pilot.press("x")
            await until(pilot, lambda: "eu1 has been silent for" in picture(app), what="keys say so")
        finally:
            await asyncio.to_thread(lambda: sshd.freeze(thaw=True))
        await hived(app, pilot, Link.OPEN)
        await until(pilot, lambda: "silent " not in picture(app), what="as before")

    over_ssh(scenario)


def test_a_host_that_is_not_there_says_why_and_harms_nobody(om, over_ssh, sshd):
    config = Path(om.home, "config.toml")

    async def scenario(app, pilot):
        written = await asyncio.to_thread(config.read_text)
        await asyncio.to_thread(config.write_text, f'{written}[hives.gone]\nssh = "no.such.host.invalid"\n')
        await until(pilot, lambda: len(app.hives.states) == 3, what="known")
        await until(pilot, lambda: app.hives.states[2].link is Link.CLOSED, what="refused")
        assert "resolve" in app.hives.states[2].reason
        assert app.hives.states[1].link is Link.OPEN
        assert "2 of 3 hives" in picture(app)

    over_ssh(scenario)
