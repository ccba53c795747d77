"""What an agent that has ended hands on."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.domain.plans.blueprint import LARGEST
from overmind_core.plans.outputs import AgentOutputs, Outputs
from overmind_core.system.paths import Home
from tests.kit.log_files import LogFiles

ID = "a1b2c3d4"


class Journal:
    """Nothing is queued."""

    def flush(self):
        """Nothing to write."""


class Results:
    """The results of agents, one for all of them."""

    def __init__(self):
        self.stored = None

    def result(self, _mission):
        return self.stored


class Ended:
    """A mission that has ended, with its newest run's log and its folder of outputs."""

    def __init__(self, folder):
        home = Home(str(folder))
        self.log = LogFiles(folder / "logs" / ID / "000002")
        self.folder = folder / "outputs"
        self.folder.mkdir()
        self.results = Results()
        journal: Any = Journal()
        results: Any = self.results
        self.reader = AgentOutputs(home, journal, results)

    def ran(self, provider="raw", *, tty=True):
        definition = Definition("x", "true", ("true",), "/", provider=provider, tty=tty)
        self.mission = Mission(ID, definition, 0.0, Status.STOPPED, run=2)
        return self

    def read(self, *, wanted=(), outputs=()):
        return asyncio.run(self.reader.read(self.mission, str(self.folder), wanted, outputs))

    @property
    def result(self):
        return self.read(wanted={"result"}).result

    @property
    def text(self):
        return asyncio.run(self.reader.log_text(self.mission))


@pytest.fixture
def ended(tmp_path):
    return Ended(tmp_path)


RESULTS = [
    (b"one\n42\n\n  \n", "42"),
    (b"  \x1b[1m42\x1b[0m \r\n", "42"),
    (b"0%\r100%", "100%"),
    (b"", ""),
    (b"42\n" + b"\n" * 100_000, "42"),
    (b"x" * 100_000 + b"\n42", "42"),
    (b"42\n\x1b[?1049hvim\x1b[?1049l", "42"),
    (b"caf\xc3\xa9 \xff\n", "café �"),
    (b"a" * 200_000, "a" * LARGEST),
]


@pytest.mark.parametrize(("output", "result"), RESULTS, ids=range(len(RESULTS)))
def test_the_result_of_a_program_is_its_last_line_with_something_on_it(ended, output, result):
    ended.ran().log.out(output, 1.0)
    assert ended.result == result


def spoken(text):
    return {
        "method": "item/completed",
        "params": {"item": {"id": "1", "type": "agentMessage", "text": text}, "completedAtMs": 1},
    }


AGENTS = [
    # provider, terminal, its lines, what is stored of its result, what it hands on
    ("claude", False, [], {"type": "result", "subtype": "success", "result": "It is\n42"}, "It is\n42"),
    ("claude", True, [], {"hook_event_name": "Stop", "last_assistant_message": "42"}, "42"),
    ("claude", True, [{"drawn": "42"}], None, ""),
    ("claude", False, [], {"type": "result", "subtype": "success", "result": "a\0\ud83db"}, "a?b"),
    ("codex", False, [spoken("41"), spoken("42")], {"status": "completed", "result": "42"}, "42"),
    ("codex", False, [], {"status": "completed", "result": ""}, ""),
]


@pytest.mark.parametrize(("provider", "tty", "lines", "stored", "result"), AGENTS)
def test_the_result_of_an_agent_is_its_final_answer(ended, provider, tty, lines, stored, result):
    ended.ran(provider, tty=tty).log.out(b"".join(json.dumps(line).encode() + b"\n" for line in lines), 1.0)
    ended.results.stored = None if stored is None else json.dumps(stored)
    assert ended.result == result


def test_what_nobody_wants_is_not_read(ended, monkeypatch):
    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr("overmind_core.agents.results.last_line", refuse)
    monkeypatch.setattr("overmind_core.plans.outputs.read_texts", refuse)
    assert ended.ran().read() == Outputs()


FILES = [
    # what a file holds, what is handed on of it
    (b"three facts\n", "three facts"),
    (b"a\n\n", "a\n"),
    (b"", ""),
    (b"\xff\n", "\U0010dcff"),
    (b"x" * LARGEST + b"\n", "x" * LARGEST),
]


@pytest.mark.parametrize(("data", "text"), FILES, ids=range(len(FILES)))
def test_an_output_is_what_its_file_holds_without_the_last_newline(ended, data, text):
    (ended.folder / "facts").write_bytes(data)
    assert ended.ran().read(outputs=("facts",)) == Outputs(facts={"facts": text})


@pytest.mark.parametrize(
    ("text", "characters"),
    [("x" * (LARGEST + 1), LARGEST), ("é" * LARGEST, LARGEST // 2), ("x" + "é" * LARGEST, LARGEST // 2)],
    ids=["one byte", "two bytes", "an odd place"],
)
def test_of_a_file_that_is_too_large_the_beginning_is_kept_and_it_is_said(ended, text, characters):
    (ended.folder / "facts").write_text(text, encoding="utf-8")
    assert ended.ran().read(outputs=("facts",)) == Outputs(facts={"facts": text[:characters]}, cut=("facts",))


def test_a_nul_in_a_file_is_left_out_and_it_is_said(ended):
    (ended.folder / "facts").write_bytes(b"a\0b")
    assert ended.ran().read(outputs=("facts",)) == Outputs(facts={"facts": "ab"}, unfit=("facts",))


@pytest.mark.parametrize("size", [LARGEST, LARGEST + 1, 3 * LARGEST])
def test_a_result_that_is_too_large_is_said_to_be(ended, size):
    ended.ran().log.out(b"one\n" + b"a" * size + b"\n", 1.0)
    assert ended.read(wanted={"result"}) == Outputs("a" * LARGEST, cut=("result",) if size > LARGEST else ())


PROBLEMS = [
    (Outputs("42", {"facts": "1"}), None, ""),
    (Outputs(missing=("facts", "more")), "output_missing", "it did not set the outputs facts, more"),
    (
        Outputs(cut=("result",)),
        "output_too_large",
        "larger than 64 KiB, the limit of an output. Pass the path of a file instead",
    ),
    (Outputs(unfit=("facts",)), "output_invalid", "facts: an output can't contain a NUL character"),
]


@pytest.mark.parametrize(("outputs", "reason", "said"), PROBLEMS)
def test_what_can_not_be_handed_on_whole_is_not_handed_on(outputs, reason, said):
    assert (outputs.problem is None) is (reason is None)
    if outputs.problem is not None:
        assert outputs.problem[0] == reason
        assert said in outputs.problem[1]


def test_what_is_no_file_in_the_folder_is_missing(ended, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (ended.folder / "link").symlink_to(tmp_path / "secret")
    (ended.folder / "folder").mkdir()
    os.mkfifo(ended.folder / "pipe")
    (ended.folder / "there").write_text("1")
    names = ("nothing", "link", "folder", "pipe", "../secret", "there")
    assert ended.ran().read(outputs=names) == Outputs(facts={"there": "1"}, missing=names[:-1])


def test_without_the_folder_all_is_missing(ended, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "facts").write_text("1")
    ended.folder.rmdir()
    assert ended.ran().read(outputs=("facts",)).missing == ("facts",)
    ended.folder.symlink_to(elsewhere)
    assert ended.read(outputs=("facts",)).missing == ("facts",)


def test_the_output_is_the_text_of_both_streams_in_their_order(ended):
    ended.ran().log.out(b"\x1b[31mone\x1b[0m\n", 1.0)
    ended.log.err(b"two\n", 2.0)
    ended.log.out(b"three", 3.0)
    assert ended.text == "one\ntwo\nthree"


def test_the_output_of_an_agent_is_readable(ended):
    ended.ran("codex", tty=False).log.out(json.dumps(spoken("one\ntwo")).encode() + b"\n", 1.0)
    assert ended.text == "one\ntwo"


def test_of_a_long_output_the_end_is_handed_on(ended):
    ended.ran().log.out(b"".join(b"line %06d\n" % number for number in range(10_000)), 1.0)
    assert ended.text.endswith("line 009998\nline 009999")
    assert LARGEST - 12 <= len(ended.text) <= LARGEST
