"""A run as a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from overmind_core.logs.reader import RunLog
from overmind_core.logs.snapshot import asciicast
from tests.kit.log_files import LogFiles


def recorded(files: LogFiles, *, terminal: bool = True) -> list[Any]:
    return [
        json.loads(line) for line in asciicast(RunLog(files.path), columns=80, rows=24, terminal=terminal, title="api")
    ]


def test_a_recording_has_times_and_sizes(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    files.out(b"a\r\n", 1000.5)
    files.resize(100, 30, 1001.0)
    files.out("grö".encode()[:3], 1002.0)
    files.out("grö".encode()[3:], 1002.25)
    assert recorded(files) == [
        {"version": 2, "width": 80, "height": 24, "timestamp": 1000, "title": "api"},
        [0.0, "o", "a\r\n"],
        [0.5, "r", "100x30"],
        [1.5, "o", "gr"],
        [1.75, "o", "ö"],
    ]


def test_what_came_by_pipes_is_given_returns(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    files.out(b"a\nb\n", 1.0)
    files.err(b"c\n", 2.0)
    assert recorded(files, terminal=False)[1:] == [[0.0, "o", "a\r\nb\r\n"], [1.0, "o", "c\r\n"]]


def test_a_run_without_output_is_a_recording_too(tmp_path: Path) -> None:
    assert [line["width"] for line in recorded(LogFiles(tmp_path))] == [80]
