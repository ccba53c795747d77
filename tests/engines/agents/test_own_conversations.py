"""Conversations on agents' own screens: they survive any death, and are never taken for another one."""

from __future__ import annotations

import glob
import os
import signal
from contextlib import suppress

import pytest

from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.timeout(400)]

TELLING = ["cline", "copilot", "gemini", "pi", "qwen"]
"""Programs that take an id at their start, or write down which process has which conversation."""
AT_THE_END = ["codex", "opencode"]
"""Programs that tell it as they are left."""
EXAMPLE = """
[providers.mine]
program = "mine-agent"
protocol = "acp"
args = ["--acp"]
install = "pipx install mine-agent"
[providers.qwen.terminal]
ready = '(?m)^>   Type your message'
interrupt = ["esc"]
resume = ["--resume", "{session}"]
session = ['exit:qwen --resume ([0-9a-f-]{36})']
rules = [ { on = "title", any = ['^✳'], state = "waiting" } ]
"""
FORKING = ["codex", "pi", "qwen"]


def begin(screen, *options):
    """Start it, to be started again whenever it fails, and wait for its prompt."""
    if screen.name == "codex":
        screen.command += ["--no-daemon"]
    screen.mission = screen.om.mission(
        screen.command, "--type", "session", "--cwd", screen.work, "--restart", "on-failure", "--backoff", "0", *options
    )
    screen.om.wait_status(screen.mission, "running")
    screen.settle()


def say(screen, text):
    """Send a message; return what its model was told by the person so far."""

    def sent():
        answer_pages(screen)
        answer = screen.om("send", screen.mission, text)
        assert answer.returncode == 0, (answer.stderr, screen.lines())
        return True

    eventually(sent, timeout=60, what=f"{text!r} was sent")

    def answered():
        told = [list(one.asked.texts) for one in screen.api.requests if one.asked.texts[-1:] == [text]]
        own = [one for one in told if not one[0].startswith("Generate a ")]  # that is for a title
        return [max(own, key=len)] if own else []  # some ask about a part of it as well

    (history,) = eventually(answered, timeout=60, what=f"its model was asked {text!r}: {screen.texts()}")
    screen.until(f"echo: {text}")
    eventually(lambda: rests(screen), timeout=60, what="its turn is over")
    eventually(lambda: is_stored(screen, f"echo: {text}"), timeout=60, what="it is stored")  # qwen rests before
    return history


def is_stored(screen, text):
    """Whether a file in its home has a text: nobody can resume what a program has not written down."""
    for folder, _, names in os.walk(screen.om.environment["HOME"]):
        for name in names:
            with suppress(OSError), open(os.path.join(folder, name), "rb") as file:
                if text.encode() in file.read():
                    return True
    return False


def rests(screen):
    (row,) = screen.om.api("ps", ids=[screen.mission])
    return "idle" in {row["activity"], row["activity_guess"]}


def run_number(screen):
    return len(screen.om.info(screen.mission)["runs"])


def kill_program(screen):
    """Kill it as nothing can answer to, and wait for its prompt in the next run."""
    info = screen.om.info(screen.mission)
    before = len(info["runs"])
    os.kill(info["os_pid"], signal.SIGKILL)
    back(screen, before)


def back(screen, before):
    """Wait for its prompt in the run behind `before`."""

    def runs():
        now = screen.om.info(screen.mission)
        assert now["status"] not in FINAL, screen.om("logs", screen.mission).stdout
        return len(now["runs"]) > before and now["status"] == "running"

    eventually(runs, timeout=60, what="it runs again")
    ready(screen)


def ready(screen):
    """Wait for its prompt, through the dialogs that it shows again."""

    def look():
        answer_pages(screen)
        return screen.is_ready()

    eventually(look, timeout=60, what="its prompt is there")


def answer_pages(screen):
    """Answer the dialogs before its first prompt, which some show again in each run, and some late."""
    for dialog, keys in screen.looks.setup.items():
        if screen.shows(dialog):
            screen.press_keys(*keys)


def leave(screen):
    """Leave the program as a person does; start the mission again once it has ended."""
    info = screen.om.info(screen.mission)

    def ended():
        return screen.om.info(screen.mission)["status"] in FINAL

    screen.press_keys("C-c")
    eventually(ended, timeout=60, what="it has ended")
    screen.om.ok("restart", screen.mission)
    back(screen, len(info["runs"]))


@pytest.mark.parametrize("program", TELLING)
@pytest.mark.proves("resume on its screen")
def test_a_conversation_survives_its_program_and_the_supervisor(screen):
    begin(screen)
    kill_program(screen)  # before anything was said
    assert say(screen, "one") == ["one"]
    named = screen.om.info(screen.mission)["session_id"]
    kill_program(screen)
    assert say(screen, "two") == ["one", "two"]
    pid, before = screen.om.info(screen.mission)["os_pid"], run_number(screen)
    kill_supervisor(screen.om)
    os.kill(pid, signal.SIGKILL)
    back(screen, before)
    assert say(screen, "three") == ["one", "two", "three"]
    assert not screen.om.info(screen.mission)["conversation_lost"]
    assert screen.om.info(screen.mission)["session_id"] == named or screen.name == "cline"


@pytest.mark.parametrize("program", AT_THE_END)
def test_a_conversation_goes_on_behind_its_end_and_a_killed_one_is_said_to_be_lost(screen):
    begin(screen)
    assert say(screen, "one") == ["one"]
    kill_program(screen)
    assert "its conversation can't be resumed" in screen.om.ok("logs", screen.mission)
    assert screen.om.info(screen.mission)["conversation_lost"]
    assert say(screen, "two") == ["two"]
    leave(screen)
    assert say(screen, "three") == ["two", "three"]
    kill_program(screen)
    assert say(screen, "four") == ["two", "three", "four"]


@pytest.mark.parametrize("program", FORKING)
@pytest.mark.proves("fork on its screen")
def test_a_fork_has_all_that_was_said_and_its_source_goes_on(screen):
    begin(screen)
    say(screen, "one")
    if screen.name in AT_THE_END:
        leave(screen)
    say(screen, "two")
    source = screen.mission
    line = screen.om.ok("fork", source, "--name", "copy")
    screen.mission = line.split()[2]
    assert line.startswith(f"Forked mission {screen.mission} (copy) from {source} ")
    screen.settle()
    assert say(screen, "three") == ["one", "two", "three"]
    if screen.name not in AT_THE_END:
        eventually(lambda: screen.om.info(screen.mission)["session_id"], timeout=60, what="its id is known")
        kill_program(screen)
        assert say(screen, "four") == ["one", "two", "three", "four"]
    screen.mission = source
    assert say(screen, "five") == ["one", "two", "five"]


@pytest.mark.parametrize("program", ["cline", "copilot", "gemini", "opencode"])
def test_a_program_that_can_not_fork_is_named(screen):
    screen.launch()
    said = screen.om.refused("fork", screen.mission, code="invalid")
    assert f"{screen.name} can't fork a conversation" in said
    assert ("--provider opencode" in said) == (screen.name == "opencode")


@pytest.mark.parametrize("program", ["pi"])
def test_a_conversation_that_is_gone_is_said_to_be_lost(screen):
    begin(screen)
    say(screen, "one")
    for folder, _, names in os.walk(os.path.join(screen.om.environment["HOME"], ".pi", "agent", "sessions")):
        for name in names:
            os.unlink(os.path.join(folder, name))
    kill_program(screen)
    eventually(lambda: screen.om.info(screen.mission)["conversation_lost"], timeout=60, what="it is said")
    ready(screen)
    assert say(screen, "two") == ["two"]


@pytest.mark.parametrize("program", ["pi"])
def test_a_person_who_chooses_a_conversation_has_their_command_line_run_as_it_is(screen):
    mine = "0b7c1f9e-55a2-4c2d-9d3e-3f1b2a6c7d80"
    screen.command += ["--session-id", mine]
    begin(screen)
    say(screen, "one")
    assert screen.om.info(screen.mission)["session_id"] is None
    kill_program(screen)
    assert say(screen, "two") == ["one", "two"]


@pytest.mark.parametrize("program", ["qwen"])
def test_a_persons_own_words_about_a_known_program_count(screen):
    with open(screen.om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write(EXAMPLE)
    begin(screen)
    assert say(screen, "one") == ["one"]
    kill_program(screen)
    assert say(screen, "two") == ["one", "two"]
    screen.type("a draft")
    assert screen.om("send", screen.mission, "three").stderr.startswith("Error: draft: ")


@pytest.mark.parametrize("program", ["gemini"])  # each start of which clears away files of its folder
def test_a_conversation_outlives_others_of_its_folder_and_has_one_leader(screen):
    begin(screen)
    say(screen, "one")
    chats = glob.glob(os.path.join(screen.om.environment["HOME"], ".gemini/tmp/*/chats/session-*.jsonl"))
    (path,) = [one for one in chats if "echo: one" in read(one)]
    os.rename(path, os.path.join(os.path.dirname(path), f"session-2026-01-01T10-00-{path[-14:]}"))  # it began long ago
    kill_program(screen)
    other = screen.om.mission(screen.command, "--type", "session", "--cwd", screen.work)
    eventually(lambda: "idle" in screen.om.info(other)["activity"], timeout=60, what="another one runs")
    kill_program(screen)
    assert say(screen, "two") == ["one", "two"]
    led = screen.om.info(screen.mission)["session_id"]
    assert screen.mission in screen.om.refused("adopt", led, cwd=screen.work, code="busy")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
