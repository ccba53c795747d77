"""The demonstration's programs, without waiting for them."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import re
import sys
import zipfile
from datetime import UTC, datetime

import pytest

from overmind_core.demo import build, service, worker
from overmind_core.demo.project import (
    FORMAT,
    FORMATS,
    KEPT_CENTS,
    LOST_CENTS,
    PRICES,
    PROMPT,
    SOURCES,
    demo_missions,
    free_name,
    is_demo_mission,
    write,
)
from overmind_core.demo.stage import QUESTION, ConversationMemory, Keys, QuestionReply, TurnInterrupted
from overmind_core.demo.story import Story
from overmind_core.demo.stream_agent import StreamStage, UserMessage, reply
from tests.kit.cases import tabled


def no_wait(_seconds):
    """Sleep in no time."""


# the service


def test_a_service_writes_at_most_ten_lines_a_second():
    gaps = [gap for gap, _, _ in itertools.islice(service.lines(random.Random(1)), 2000)]
    assert min(gaps) >= 0.1


def test_a_service_has_bursts_warnings_and_errors():
    found = list(itertools.islice(service.lines(random.Random(1)), 500))
    assert {level for _, level, _ in found} == {"INFO", "WARN", "ERROR", ""}
    assert any(all(gap == service.GAP for gap, _, _ in found[at : at + 10]) for at in range(490))


def test_a_line_begins_with_its_time():
    plain = re.sub(r"\x1b\[[\d;]*m", "", service.line(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "INFO", "hello"))
    assert plain == "03:04:05.000 INFO  hello"


# the worker


def test_a_worker_crashes_soon_twice_and_then_holds():
    lasts = [sum(seconds for seconds, _ in worker.lines(run)) for run in range(6)]
    assert max(lasts[0], lasts[1]) < 10
    assert lasts[2] > 75  # longer than the window of its policy
    assert [one > 75 for one in lasts] == [False, False, True] * 2


def test_a_worker_counts_its_runs(tmp_path):
    path = str(tmp_path / "runs")
    assert [worker.count(path) for _ in range(3)] == [0, 1, 2]
    (tmp_path / "runs").write_text("nonsense")
    assert worker.count(path) == 0


def test_a_crash_says_so_and_has_an_exit_code():
    said: list[str] = []
    assert worker.work(0, said.append, no_wait) == 75
    assert "the queue was lost" in said[-1]


# the build


def test_a_build_ends_well_with_all_its_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "MODULES", 12)
    write(str(tmp_path), os.environ)
    said = io.StringIO()
    build.build(os.path.dirname(os.__file__), str(tmp_path / "shop"), said.write, no_wait)
    assert [step for step in ("[1/4]", "[2/4]", "[3/4]", "[4/4]", "built") if step not in said.getvalue()] == []
    assert "100 %" in said.getvalue()
    with zipfile.ZipFile(tmp_path / "shop" / "dist" / "shop.zip") as archive:
        assert archive.namelist() == ["README.md", "prices.py", "test_prices.py"]


# the shop


def test_the_shop_has_the_mistake_and_the_line_that_mends_it():
    assert PRICES.count(LOST_CENTS) == PRICES.count(FORMAT) == 1
    for _, line in FORMATS.values():
        namespace: dict[str, object] = {}
        exec(PRICES.replace(LOST_CENTS, KEPT_CENTS).replace(FORMAT, line), namespace)
        assert "3.19" in namespace["shown"](319)  # type: ignore[operator]


def test_writing_the_folder_again_brings_the_files_back(tmp_path):
    root = str(tmp_path / "demo")
    write(root, os.environ)
    (tmp_path / "demo" / "shop" / "prices.py").write_text("gone")
    write(root, os.environ)
    assert (tmp_path / "demo" / "shop" / "prices.py").read_text() == SOURCES["prices.py"]


# which missions are ours

ROWS = [
    ({"labels": {"demo": "build"}, "cwd": "/h/demo/shop"}, True),
    ({"labels": {"demo": "build"}, "cwd": "/h/demo"}, True),
    ({"labels": {"demo": "mine"}, "cwd": "/h/demo/shop"}, False),
    ({"labels": {"demo": "build"}, "cwd": "/elsewhere"}, False),
    ({"labels": {"demo": "build"}, "cwd": "/h/demonstration"}, False),
    ({"labels": {}, "cwd": "/h/demo/shop"}, False),
]


@tabled(("row", "is_ours"), ROWS)
def test_label_and_folder_together_say_whose_a_mission_is(row, is_ours):
    assert is_demo_mission(row, "/h/demo") is is_ours


def test_a_name_that_is_taken_gets_a_number():
    assert free_name("build", set()) == "demo-build"
    assert free_name("build", {"demo-build", "demo-build-2"}) == "demo-build-3"


def test_each_part_has_a_name_of_its_own():
    found = demo_missions(root="/h/demo", shell="bash")
    assert len({part.name for part in found}) == len(found) == 6


# the keys of a terminal

KEYS = [
    ([b"abc"], [("", "abc")]),
    ([b"a\r"], [("", "a"), ("enter", "")]),
    ([b"\x1b"], [("escape", "")]),
    ([b"\x1b[A\x1bOB\x1b[1;5C"], []),
    ([b"\x1b[200~two\nlines\x1b[201~\r"], [("", "two\nlines"), ("enter", "")]),
    ([b"x\x1b[200~half", b" and half\x1b[201~y"], [("", "x"), ("", "half and half"), ("", "y")]),
    (["é".encode()[:1], "é".encode()[1:]], [("", "é")]),
    ([b"\x7f\x03\x04\x00"], [("backspace", ""), ("cancel", ""), ("end", "")]),
]


@tabled(("pieces", "expected"), KEYS)
def test_keys_and_texts_are_told_apart_however_they_are_cut(pieces, expected):
    keys = Keys()
    assert [key for piece in pieces for key in keys.feed(piece)] == expected


# the agent

REPLIES = [
    ("Edit", {"behavior": "allow", "updatedInput": {}}, QuestionReply(allowed=True)),
    ("Edit", {"behavior": "deny", "message": "no"}, QuestionReply(allowed=False, said="no")),
    (
        QUESTION,
        {"behavior": "allow", "updatedInput": {"answers": {"How?": "so"}}},
        QuestionReply(allowed=True, chosen="so"),
    ),
    (QUESTION, {"behavior": "allow"}, QuestionReply(allowed=True)),
]


@pytest.mark.parametrize(("tool", "response", "expected"), REPLIES)
def test_an_answer_is_understood(tool, response, expected):
    assert reply(tool, response) == expected


class Pipes:
    """The agent's lines, with both other ends in our hands."""

    def __init__(self):
        source, self.to = os.pipe()
        self.back, sink = os.pipe()
        self.lines = StreamStage("s", source=source, sink=sink)
        self._ends = (source, self.to, self.back, sink)

    def put(self, *events):
        os.write(self.to, b"".join(json.dumps(event).encode() + b"\n" for event in events))

    def told(self):
        return [json.loads(line) for line in os.read(self.back, 1 << 16).splitlines()]

    def close(self):
        for end in self._ends:
            os.close(end)


@pytest.fixture
def pipes():
    made = Pipes()
    yield made
    made.close()


INTERRUPT = {"type": "control_request", "request_id": "i", "request": {"subtype": "interrupt"}}


def test_a_message_is_repeated_with_its_uuid_and_gets_a_result_that_cost_nothing(pipes):
    pipes.put({"type": "user", "uuid": "u", "message": {"content": [{"type": "text", "text": "hi"}]}})
    message = pipes.lines.message()
    assert message == UserMessage("hi", "u")
    pipes.lines.begin(message, "/shop")
    pipes.lines.end("done", 1.5)
    init, replay, result = pipes.told()
    assert (init["subtype"], replay["uuid"], replay["isReplay"]) == ("init", "u", True)
    assert (result["result"], result["total_cost_usd"], result["duration_ms"]) == ("done", 0.0, 1500)


def test_an_interrupt_withdraws_the_question_and_ends_the_turn(pipes):
    pipes.lines.begin(UserMessage("hi", ""), "/shop")
    pipes.put(INTERRUPT)
    with pytest.raises(TurnInterrupted):
        pipes.lines.ask("c", "Edit", {})
    kinds = [event["type"] for event in pipes.told()]
    assert kinds[-3:] == ["control_request", "control_response", "control_cancel_request"]


def test_an_interrupt_between_turns_changes_nothing(pipes):
    pipes.put(INTERRUPT, {"type": "user", "message": {"content": "hi"}})
    assert pipes.lines.message() == UserMessage("hi", "")
    pipes.lines.begin(UserMessage("hi", ""), "/shop")
    pipes.lines.wait(0.0)


class Quick:
    """A stage in front of nobody."""

    def __init__(self, *replies):
        self.said = []
        self.used = []
        self.replies = list(replies)

    def say(self, text):
        self.said.append(text)

    def call(self, tool, subject):
        self.used.append((tool, subject))
        return "call"

    def returned(self, call, text, *, failed=False):
        pass

    def ask(self, *_question):
        return self.replies.pop(0)

    def wait(self, seconds):
        pass


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Play the story in a shop of its own, without starting missions."""
    write(str(tmp_path), os.environ)
    monkeypatch.setattr(Story, "_overmind", lambda _self, _words: (True, ""))

    def play(stage, message=PROMPT, session="one"):
        return Story(stage, str(tmp_path / "shop"), ConversationMemory(str(tmp_path / "sessions"), session)).answer(
            message
        )

    return play


def test_the_plan_is_done_with_two_answers(told, tmp_path):
    stage = Quick(QuestionReply(allowed=True), QuestionReply(allowed=True, chosen="EUR 3.19"))
    assert told(stage).startswith("Done")
    assert 'FORMAT = "EUR {amount}"' in (tmp_path / "shop" / "prices.py").read_text()
    assert [tool for tool, _ in stage.used] == [
        "Read", "Edit", "Bash", "Bash", "Edit", "Bash", QUESTION, "Edit", "Bash",
    ]  # fmt: skip


def test_a_story_that_was_cut_goes_on_where_it_was(told):
    assert "go on" in told(Quick(QuestionReply(allowed=False, said="later")))
    stage = Quick(QuestionReply(allowed=True), QuestionReply(allowed=False))
    assert told(stage, "please go on").startswith("Done")
    assert [tool for tool, _ in stage.used] == ["Edit", "Bash", QUESTION, "Bash"]


def test_what_it_does_not_know_it_says(told):
    assert "know only a few words" in told(Quick(), "what is the weather like?")


@pytest.mark.parametrize("broken", ["", "[]", '{"step": null}', "{"])
def test_a_broken_memory_is_none(tmp_path, broken):
    (tmp_path / "s.json").write_text(broken)
    memory = ConversationMemory(str(tmp_path), "s")
    assert memory.step == 0
    memory.advance()
    assert ConversationMemory(str(tmp_path), "s").step == 1


def test_no_program_of_it_needs_more_than_the_standard_library():
    import subprocess

    modules = ["agent", "build", "service", "stage", "terminal_agent", "tests", "worker"]
    probe = f"import sys; from overmind_core.demo import {', '.join(modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"overmind_core"}
    assert {name for name in foreign if not name.startswith("_")} <= {"sitecustomize", "usercustomize"}
