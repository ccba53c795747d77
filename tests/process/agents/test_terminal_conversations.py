"""The conversation of a full-screen program of a person's own, by config.toml alone: a scripted program keeps it."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

PROGRAM = """#!{python}
import json, os, sys, tty
words = sys.argv[1:]
home = os.environ["KEPT"]
def option(name):
    return words[words.index(name) + 1] if name in words else None
if option("--id") and "--old" in words:
    sys.exit("Unknown argument: id" + "\\n  --word  what it is about" * 60)
said = []
session = option("--id") or "chosen-" + str(len(os.listdir(home)))
if option("--resume") or option("--fork"):
    source = option("--resume") or option("--fork")
    session = option("--resume") or session
    try:
        said = json.load(open(f"{{home}}/{{source}}.json"))["said"]
    except OSError:
        sys.exit(f"no conversation {{source}}")
elif os.path.exists(f"{{home}}/{{session}}.json"):
    sys.exit(f"conversation {{session}} exists")
def keep():
    with open(f"{{home}}/{{session}}.json", "w") as file:
        json.dump({{"pid": os.getpid(), "session_id": session, "said": said}}, file)
tty.setcbreak(0)
prompt = "ask me> " if "--slow" not in words else "wait> "
print("\\033[?2004h" + prompt, end="", flush=True)
line = b""
while True:
    char = os.read(0, 1)
    if char not in b"\\r\\n":
        line += char
        continue
    text = line.replace(b"\\033[200~", b"").replace(b"\\033[201~", b"").decode()
    line = b""
    if text == "quote":
        print("\\r\\nmine --resume another-1")
    elif text == "exit":
        print(f"\\r\\nGo on with: mine --resume {{session}}")
        sys.exit(0)
    else:
        said.append(text)
        keep()
        print("\\r\\nsaid: " + ",".join(said))
    print(prompt, end="", flush=True)
"""
CONFIG = """
[providers.mine]
program = "mine"
protocol = "terminal"
[providers.mine.terminal]
ready = '^ask me> *$'
resume = ["--resume", "{{session}}"]
{more}
"""
START = 'start = ["--id", "{session}"]\nfork = ["--fork", "{session}", "--id", "{new}"]'
EXIT = "session = ['exit:mine --resume ([0-9a-z-]+)']"
PID = 'session = ["pid:{kept}/*.json"]'


@pytest.fixture
def program(om, tmp_path):
    path = tmp_path / "mine"
    path.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    (tmp_path / "kept").mkdir()
    om.environment |= {"KEPT": str(tmp_path / "kept")}
    return str(path)


def begin(om, program, tmp_path, more, *words, options=()):
    with open(om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write(CONFIG.format(more=more.replace("{kept}", str(tmp_path / "kept"))))
    policy = ("--restart", "on-failure", "--backoff", "0")
    mission = om.mission([program, *words], "--type", "session", *policy, *options)
    om.wait_status(mission, "running")
    return mission


def shows(om, mission, text):
    eventually(lambda: text in om.ok("screen", mission), what=f"{text!r} is shown")


def say(om, mission, text, *earlier):
    assert om.ok("send", mission, text) == f"Sent to mission {mission}\n"
    shows(om, mission, "said: " + ",".join([*earlier, text]))


def killed(om, mission):
    before = om.info(mission)
    os.kill(before["os_pid"], signal.SIGKILL)
    runs_again(om, mission, len(before["runs"]))


def runs_again(om, mission, before):
    def look():
        now = om.info(mission)
        return len(now["runs"]) > before and now["status"] == "running"

    eventually(look, what="it runs again")


@pytest.mark.parametrize("more", [START, PID], ids=["an id of ours", "a record with its process"])
def test_a_conversation_survives_the_program_and_the_supervisor(om, program, tmp_path, more):
    mission = begin(om, program, tmp_path, more)
    say(om, mission, "one")
    killed(om, mission)
    say(om, mission, "two", "one")
    pid, before = om.info(mission)["os_pid"], len(om.info(mission)["runs"])
    kill_supervisor(om)
    os.kill(pid, signal.SIGKILL)
    runs_again(om, mission, before)
    say(om, mission, "three", "one", "two")
    assert not om.info(mission)["conversation_lost"]
    om.ok("kill", mission)
    om.wait_status(mission, *FINAL)
    om.ok("restart", mission)
    om.wait_status(mission, "running")
    say(om, mission, "four", "one", "two", "three")


def test_a_record_may_name_a_process_that_the_program_has_begun(om, program, tmp_path):
    os.rename(program, f"{program}-itself")
    with open(program, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\n"{program}-itself" "$@"\nexit $?\n')
    os.chmod(program, 0o755)
    mission = begin(om, program, tmp_path, PID)
    say(om, mission, "one")
    eventually(lambda: om.info(mission)["session_id"] == "chosen-0", what="its id is known")
    killed(om, mission)
    say(om, mission, "two", "one")


@pytest.mark.parametrize(
    "record",
    [
        '{"pid": 1, "session_id": "other"}',
        "[" * 9999,
        '{"pid": "x"}',
        "\0",
        '{"pid": %s}',
        '{"pid": %s, "session_id": "other"}' + " " * (64 << 10),
    ],
    ids=["another process", "deep", "no number", "no text", "no id", "huge"],
)
def test_a_record_of_another_process_and_one_that_is_none_are_not_believed(om, program, tmp_path, record):
    mission = begin(om, program, tmp_path, 'session = ["pid:{kept}/x/*"]')
    say(om, mission, "one")
    (tmp_path / "kept" / "x").mkdir()
    (tmp_path / "kept" / "x" / "file").write_text(record.replace("%s", str(om.info(mission)["os_pid"])))
    os.mkfifo(tmp_path / "kept" / "x" / "fifo")
    killed(om, mission)
    shows(om, mission, "ask me>")
    assert om.info(mission)["session_id"] is None
    assert om.info(mission)["conversation_lost"]


def test_a_conversation_that_its_end_tells_goes_on_and_what_a_screen_quotes_is_not_believed(om, program, tmp_path):
    mission = begin(om, program, tmp_path, EXIT)
    say(om, mission, "one")
    om.ok("send", mission, "quote")
    shows(om, mission, "another-1")
    killed(om, mission)
    assert "its conversation can't be resumed: it begins a new one" in om.ok("logs", mission)
    assert om.info(mission)["conversation_lost"]
    say(om, mission, "two")
    om.ok("send", mission, "exit")
    om.wait_status(mission, *FINAL)
    om.ok("restart", mission)
    om.wait_status(mission, "running")
    assert om.info(mission)["session_id"] == "chosen-1"
    say(om, mission, "three", "two")
    killed(om, mission)
    say(om, mission, "four", "two", "three")


def test_a_fork_has_what_was_said_and_survives(om, program, tmp_path):
    source = begin(om, program, tmp_path, START)
    assert "has not had a turn yet: there is nothing to fork" in om.refused("fork", source, code="not_finished")
    say(om, source, "one")
    fork = om.ok("fork", source).split()[2]
    om.wait_status(fork, "running")
    say(om, fork, "two", "one")
    killed(om, fork)
    say(om, fork, "three", "one", "two")
    say(om, source, "four", "one")
    assert "takes no prompt" in om.refused("fork", source, "five", code="invalid")
    assert "can't fork at a message" in om.refused("fork", source, "--at", "1", code="invalid")


def test_a_fork_whose_source_is_gone_ends_with_a_sentence_that_names_it(om, program, tmp_path):
    source = begin(om, program, tmp_path, START)
    say(om, source, "one")
    os.unlink(tmp_path / "kept" / f"{om.info(source)['session_id']}.json")
    fork = om.ok("fork", source).split()[2]
    om.wait_status(fork, *FINAL)
    said = f"neither conversation {om.info(source)['session_id']} of mission {source} nor a copy of it"
    assert said in om.ok("logs", fork)
    assert len(om.info(fork)["runs"]) == 3


def test_a_fork_waits_for_the_end_of_a_turn_that_only_its_screen_shows(om, program, tmp_path):
    rules = """rules = [{ on = "screen", any = ['^wait> *$'], state = "working" }]"""
    mission = begin(om, program, tmp_path, f"{START}\n{rules}", "--slow")
    eventually(lambda: om.info(mission)["activity_guess"] == "working", what="it seems to work")
    assert "is in a turn" in om.refused("fork", mission, code="not_finished")


def test_nothing_is_typed_while_its_prompt_is_another_one(om, program, tmp_path):
    mission = begin(om, program, tmp_path, START, "--slow")
    shows(om, mission, "wait>")
    said = om("send", mission, "one")
    assert said.returncode == 1
    assert said.stderr.startswith("Error: draft: ")
    assert "one" not in om.ok("screen", mission)


def test_whoever_chooses_a_conversation_or_gives_a_prompt_has_their_words_left_alone(om, program, tmp_path):
    mission = begin(om, program, tmp_path, START, "--id", "my-own")
    say(om, mission, "one")
    assert os.listdir(tmp_path / "kept") == ["my-own.json"]
    assert om.info(mission)["session_id"] is None
    said = om.refused("fork", mission, code="invalid")
    assert "the id of its conversation is not known" in said


def test_a_conversation_that_cannot_be_resumed_is_begun_under_its_id_and_that_is_said(om, program, tmp_path):
    mission = begin(om, program, tmp_path, START)
    say(om, mission, "one")
    named = om.info(mission)["session_id"]
    os.unlink(tmp_path / "kept" / f"{named}.json")
    killed(om, mission)
    eventually(lambda: om.info(mission)["conversation_lost"], what="it is said")
    shows(om, mission, "ask me>")
    say(om, mission, "two")
    assert os.listdir(tmp_path / "kept") == [f"{named}.json"]


def test_a_program_that_takes_no_id_at_its_start_is_started_as_it_was_typed(om, program, tmp_path):
    mission = begin(om, program, tmp_path, START, "--old", options=("--restart", "never"))
    shows(om, mission, "ask me>")
    say(om, mission, "one")
    assert "its program does not take --id: it is started as it was typed" in om.ok("logs", mission)
    assert os.listdir(tmp_path / "kept") == ["chosen-0.json"]
