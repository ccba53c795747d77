"""What the settings say to the terminal: how many frames it gets, how long a lone Esc waits, what is bright."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from textual import events

from overmind_core.view import prompt
from overmind_core.view.prompt import BRIGHT_SECONDS, RestFacts
from overmind_tui.shell.appearance import Appearance
from overmind_tui.shell.driver import Driver
from overmind_tui.shell.notices import Notice
from overmind_tui.shell.settings import Settings

REMOTE = ("SSH_CONNECTION", "SSH_TTY", "MOSH_SERVER_PID")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """The terminal is not at the other end of a network."""
    for name in REMOTE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def signals(monkeypatch):
    """Textual's driver takes over ctrl-z; nobody's but the program's."""
    monkeypatch.setattr("signal.signal", lambda *_: None)


class Keys(Driver):
    """Keeps what it was sent."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.keys: list[Any] = []

    def process_message(self, message):
        self.keys.append(message.key if isinstance(message, events.Key) else message)


def made(settings, *, later):
    """A driver with these settings: from the beginning, or since they were saved."""

    async def make():
        app: Any = SimpleNamespace(settings=Settings() if later else settings)
        driver = Keys(app, mouse=settings.mouse)
        if later:
            saved(driver, settings)
        return driver

    return asyncio.run(make())


def saved(driver, settings):
    """The program has read these settings from its file."""
    app: Any = SimpleNamespace(
        available_themes={},
        is_headless=False,
        _driver=driver,
        screen_stack=[],
    )
    live: Any = SimpleNamespace(theme="dark", now=Settings())
    Appearance(app, live, {}).wear(settings)


FRAMES = [
    # over a network, `fps`, frames in a second in which something changes all the time
    ("", 0, 1000),
    ("", 60, 60),
    ("", 20, 20),
    ("SSH_CONNECTION", 0, 15),
    ("SSH_TTY", 0, 15),
    ("MOSH_SERVER_PID", 0, 15),
    ("SSH_TTY", 60, 15),
    ("SSH_TTY", 5, 5),
]


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(("remote", "fps", "frames"), FRAMES)
def test_no_more_frames_are_drawn_than_are_set_and_over_a_network_fifteen(
    monkeypatch, signals, remote, fps, frames, later
):
    if remote:
        monkeypatch.setenv(remote, "1")
    driver = made(Settings(fps=fps), later=later)
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    drawn = 0
    for millisecond in range(1000):
        now = 100.0 + millisecond / 1000
        drawn += driver.take_frame()
    assert frames * 0.9 < drawn <= frames


ESCAPES = [
    # over a network, `escape_ms`, milliseconds after which a lone Esc is a key
    ("", 0, 25),
    ("", 80, 80),
    ("SSH_TTY", 0, 150),
    ("SSH_TTY", 80, 80),
]


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(("remote", "escape_ms", "waits"), ESCAPES)
def test_a_lone_escape_waits_as_long_as_is_set(monkeypatch, signals, remote, escape_ms, waits, later):
    if remote:
        monkeypatch.setenv(remote, "1")
    driver = made(Settings(escape_ms=escape_ms), later=later)
    driver._take(b"\x1b", 100.0)
    driver._let_pass(100.0 + (waits - 2) / 1000)
    assert driver.keys == []
    driver._let_pass(100.0 + (waits + 2) / 1000)
    assert driver.keys == ["escape"]


def test_what_was_said_is_bright_for_a_while_then_faint_and_never_moves():
    app: Any = SimpleNamespace(settings=Settings(), fleet=SimpleNamespace(newest_event=0), now=lambda: 1_000.0)
    notice = Notice(app, "")
    notice.put("done", "good")
    facts = RestFacts("~/shop", said=notice.said)

    def tone(left):
        (line,) = prompt.resting(facts, 80, 1_000.0 + BRIGHT_SECONDS - left)
        return next(cell.tone for cell in line if cell.text.endswith("done"))

    assert [tone(left) for left in (4.9, 2.0, 0.1, 0.0, -60.0)] == ["good"] * 3 + ["faint"] * 2
    notice.take_key()
    assert notice.said is not None
    assert notice.said.passed, "a key did something else"


def test_the_list_is_asked_what_it_says_only_while_that_decides_whether_a_sentence_is_gone():
    now = 1_000.0
    asked: list[float] = []
    app: Any = SimpleNamespace(settings=Settings(), fleet=SimpleNamespace(newest_event=0), now=lambda: now)
    notice, facts = Notice(app, ""), RestFacts("~/shop")

    def list_says():
        asked.append(now)
        return "1 mission was lost with its keeper"

    notice.put("done", "good")
    assert notice.in_line(facts, list_says).said == notice.said
    assert asked == [], "it is bright"
    now += BRIGHT_SECONDS
    assert notice.in_line(facts._replace(meaningless="k"), list_says).said is None
    assert asked == [], "what else stands there has displaced it"
    notice.put("done", "good")
    now += BRIGHT_SECONDS
    assert [notice.in_line(facts, list_says).said for _ in range(3)] == [None] * 3
    assert len(asked) == 1, "it is gone"


@pytest.mark.parametrize(("seconds", "stays"), [(0.0, True), (1.0, True), (2.0, False)])
def test_what_was_said_goes_with_its_view_once_it_could_be_read(monkeypatch, seconds, stays):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    app: Any = SimpleNamespace(settings=Settings(), fleet=SimpleNamespace(newest_event=0), now=lambda: 0.0)
    notice = Notice(app, "")
    notice.put("api has no worktree", "slow")
    now += seconds
    notice.leave_view()
    assert bool(notice.text) is stays
    mistake = Notice(app, "config.toml line 2: unknown key")
    mistake.leave_view()
    assert mistake.text, "a mistake stands until something else is said"
