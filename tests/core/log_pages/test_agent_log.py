"""Pages of a log on an agent's lines."""

from __future__ import annotations

import json

import pytest

from overmind_core.log_pages.index import LogScope
from overmind_core.log_pages.reader import Reader
from tests.kit.log_files import LogFiles

TURNS = 300


def line(**fields):
    return json.dumps(fields).encode() + b"\n"


def turn(number):
    call = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": f"run {number}"}}
    yield line(type="system", subtype="init", session_id="s")
    yield line(type="assistant", message={"content": [call]})
    yield line(type="user", message={"content": [{"type": "tool_result", "tool_use_id": f"t{number}", "content": ""}]})
    yield line(type="assistant", message={"content": f"answer {number}"})


@pytest.fixture
def files(tmp_path):
    written = LogFiles(tmp_path / "000001")
    for number in range(TURNS):
        for piece in turn(number):
            written.out(piece)
    return written


@pytest.fixture
def reader(files):
    run = {"number": 1, "path": files.path, "tty": False, "format": "claude", "out": files.ends[0], "err": 0}
    described = {"id": "a1b2c3d4", "name": "api", "status": "running", "exit_code": None, "seen_at": None}
    return Reader([{**described, "runs": [run], "annotations": []}], LogScope(("a1b2c3d4",)), tail=10)


def texts(lines):
    return [text for _, _, text in lines]


def test_it_shows_the_newest_readable_lines(reader):
    lines = reader.open()
    assert texts(lines)[-3:] == ["answer 298", "⚙ Bash: run 299 → ok", "answer 299"]
    assert len(lines) >= 10


def test_what_lies_before_is_readable_too_and_no_page_forgets_what_was_called_before_it(reader):
    tail = texts(reader.open())
    pages = [page for page in reader.pages([], reader.ends) if page is not None]
    found = [text for page in pages for text in texts(reader.lines(page))]
    assert len(pages) > 2
    assert [*found, *tail] == [
        text for number in range(TURNS) for text in (f"⚙ Bash: run {number} → ok", f"answer {number}")
    ]


def test_what_comes_is_added_once_its_line_is_whole(reader, files):
    reader.open()
    whole = b"".join(turn(300))
    files.out(whole[:-20])
    reader.apply({"type": "grown", "mission": "a1b2c3d4", "run": 1, "out": files.ends[0], "err": 0})
    assert texts(reader.grown()) == ["⚙ Bash: run 300 → ok"]
    files.out(whole[-20:])
    reader.apply({"type": "grown", "mission": "a1b2c3d4", "run": 1, "out": files.ends[0], "err": 0})
    assert (texts(reader.grown()), reader.partial) == (["answer 300"], "")
