"""What is run to call a person, and when nothing is."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys

import pytest
from msgspec.structs import replace

from overmind_core.domain.agents.events import NotificationDue, QuestionAsked
from overmind_core.kernel.bus import Bus
from overmind_core.notifications import service
from overmind_core.notifications.service import Notifications, argv_of, web_address
from overmind_core.system.paths import Home
from overmind_core.system.run_mark import PERSON_MARK
from overmind_core.system.web_server import WebServer, lock_web_server, write_web_server

EVENT = NotificationDue(seq=7, mission="a1b2c3d4", name="api", why="blocked", now="Bash: rm <b>x</b>")
TURN = replace(EVENT, why="your_turn", now="")
ASKED = QuestionAsked(seq=8, mission="a", question=1, need="question", tool="", summary="Which?")


@pytest.fixture
def desktop(tmp_path, monkeypatch):
    """The environment of a desktop that has `notify-send`."""
    monkeypatch.setattr(sys, "platform", "linux")
    program = tmp_path / "notify-send"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return {"PATH": str(tmp_path), "DISPLAY": ":0"}


def test_a_command_of_the_person_gets_title_and_text():
    assert argv_of(EVENT, ("call", "-x"), {}) == ["call", "-x", "api: needs you", "Bash: rm <b>x</b>"]
    assert argv_of(TURN, ("call",), {}) == ["call", "api: your turn", "your turn"]


def test_an_agents_words_run_nothing_on_the_machine_behind_ssh():
    event = replace(EVENT, now="Bash: x; rm -rf ~ $(id) it's")
    command = ("/usr/bin/ssh", "desk", "notify-send")
    *before, title, text = argv_of(event, command, {})
    assert before == [*command]
    assert shlex.split(f"{title} {text}") == ["api: needs you", "Bash: x; rm -rf ~ $(id) it's"]


def test_an_empty_command_calls_nobody(desktop):
    assert argv_of(EVENT, (), desktop) == []


def test_the_desktop_is_told_without_markup(desktop):
    expected = ["notify-send", "--app-name=overmind", "--", "api: needs you", "Bash: rm &lt;b&gt;x&lt;/b&gt;"]
    assert argv_of(EVENT, None, desktop) == expected


@pytest.mark.parametrize("missing", ["PATH", "DISPLAY"])
def test_without_a_desktop_nothing_is_run(desktop, missing, absent):
    environ = {name: value for name, value in desktop.items() if name != missing} | {"HOME": "/"}
    assert argv_of(EVENT, None, {"PATH": absent, **environ}) == []


def test_a_mac_is_told_by_arguments_not_by_script(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    argv = argv_of(replace(EVENT, now='" & do shell script "x'), None, {})
    assert argv[0] == "osascript"
    assert argv[-2:] == ["api: needs you", '" & do shell script "x']


def test_text_is_one_short_line_without_control_characters():
    text = argv_of(replace(EVENT, now="a\x1b[2J\n\u202e" + "x" * 500), ("call",), {})[-1]
    assert text.startswith("a\\x1b[2J\\n\\u202exxx")
    assert len(text) <= service.LONGEST


async def heard(*events, command, eyes=0, environ=None, **how):
    """Let the events happen, with so many who look."""
    async with asyncio.TaskGroup() as group:
        calls = Notifications(command, group.create_task, {"PATH": os.environ["PATH"], **(environ or {})}, **how)
        bus = Bus()
        bus.subscribe(NotificationDue, calls.on_notification)
        looking = [calls.looking() for _ in range(eyes)]
        for one in looking:
            one.__enter__()
        for event in events:
            bus.publish(event)
        for one in looking:
            one.__exit__(None, None, None)
        for event in events if eyes else ():
            bus.publish(event)


@pytest.fixture
def writer(tmp_path):
    """A command that writes what it is called with, and the file."""
    file = tmp_path / "calls"
    return file, ("/bin/sh", "-c", f'echo "$1|$2|$OVERMIND_ID|$OVERMIND_NAME|$OVERMIND_WHY" >> {file}', "sh")


def test_each_notification_is_a_call_and_nothing_else_is(writer):
    file, command = writer
    asyncio.run(heard(EVENT, ASKED, TURN, command=command))
    assert file.read_text().splitlines() == [
        "api: needs you|Bash: rm <b>x</b>|a1b2c3d4|api|blocked",
        "api: your turn|your turn|a1b2c3d4|api|your_turn",
    ]


def addresses(tmp_path, *events, **how):
    """The variable OVERMIND_URL of each call; `-` where there is none."""
    file = tmp_path / "addresses"
    asyncio.run(heard(*events, command=("/bin/sh", "-c", f'echo "${{OVERMIND_URL--}}" >> {file}'), **how))
    return file.read_text().splitlines()


def test_a_call_has_the_page_of_its_question_in_the_web_server(tmp_path):
    questions = (
        replace(EVENT, question=4),
        EVENT,
        TURN,
        replace(EVENT, mission="a/b c"),
        replace(EVENT, mission="queue"),
    )
    assert addresses(tmp_path, *questions, web_address=lambda: "https://box.example/om") == [
        f"https://box.example/om/#/needs?{wanted}"
        for wanted in ("q=4", "id=a1b2c3d4", "id=a1b2c3d4", "id=a%2Fb%20c", "id=queue")
    ]


def test_without_a_web_server_a_call_has_no_address_not_even_one_that_the_daemon_was_started_with(tmp_path):
    assert addresses(tmp_path, EVENT, environ={"OVERMIND_URL": "https://other.example"}) == ["-"]


def test_the_address_is_that_of_the_server_that_runs_or_of_the_proxy_in_front_of_it(tmp_path):
    home = Home(str(tmp_path))
    assert (web_address(home, ""), web_address(home, "https://box.example")) == (None, "https://box.example")
    lock = lock_web_server(home)
    assert lock is not None
    write_web_server(home, WebServer(os.getpid(), 1.5, "http://127.0.0.1:7601"))
    assert web_address(home, "https://box.example") == "http://127.0.0.1:7601"
    write_web_server(home, WebServer(os.getpid(), 1.5, "http://127.0.0.1:7601", public_url="https://other.example"))
    assert web_address(home, "") == "https://other.example"
    lock.release()
    assert web_address(home, "") is None


def test_nobody_is_called_while_anybody_looks(writer):
    file, command = writer
    asyncio.run(heard(EVENT, command=command, eyes=2))
    assert len(file.read_text().splitlines()) == 1


def test_a_command_that_is_missing_is_no_failure(absent):
    asyncio.run(heard(EVENT, command=(absent,)))


def test_a_command_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(service, "LIMIT", 0.05)
    asyncio.run(heard(EVENT, command=("sleep", "60")))


def test_of_two_who_look_the_one_used_last_rings():
    calls = Notifications((), lambda _work: None, {})
    with calls.looking() as one, calls.looking() as other:
        calls.viewers.used(one, at=float("inf"), view=None)
        calls.on_notification(EVENT)
        assert (calls.rings(7, one), calls.rings(7, other)) == (True, False)


def test_who_begins_to_look_after_the_event_does_not_ring_for_it():
    calls = Notifications((), lambda _work: None, {})
    with calls.looking():
        calls.on_notification(EVENT)
    with calls.looking() as late:
        assert not calls.rings(7, late)


PERSONS = """
import os, sys
from overmind_core.notifications.service import _run
from overmind_core.system.run_mark import wear_own_mark
wear_own_mark()
until = 'until ! grep -q "queue size *1 " /proc/self/limits; do :; done; grep "queue size" /proc/self/limits > "$0"'
_run(["/bin/sh", "-c", until, sys.argv[1]], os.environ)
"""


@pytest.mark.linux
def test_the_command_is_known_as_the_person_s_and_not_as_our_own(tmp_path):
    subprocess.run([sys.executable, "-c", PERSONS, str(tmp_path / "limits")], check=True, timeout=60)
    assert (tmp_path / "limits").read_text().split()[3] == str(PERSON_MARK)
