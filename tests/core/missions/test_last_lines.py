"""The newest line of a log, as NOW shows it."""

from __future__ import annotations

import pytest

from overmind_core.missions.output_progress import LastLines, LineExtent
from tests.kit.log_files import LogFiles

OUTPUTS = [
    (b"one\ntwo\n", "two"),
    (b"one\n\n  \n", "one"),
    (b"one\ntests/test_cart.py ..\n.\n", "tests/test_cart.py .."),
    (b"one\n..................", "one"),
    (b"one\n[====>    ]\n$ \n", "one"),
    (b".\n..\n...", ""),
    ("eins\n…\n読む\n".encode(), "読む"),
    (b"$ vim notes\n\x1b[?1049hhello\x1b[10;1Hworld", "$ vim notes"),
    (b"$ vim notes\n\x1b[?1049hhello\x1b[?1049l", "$ vim notes"),
    (b"\x1b[?1049hhello", "(full screen)"),
    (b"$ vim notes\n\x1b[?1049h" + b"hello\x1b[1;1H6\n" * 1000, "(full screen)"),
    (b"$ vim notes\n\x1b[?1049h" + b"hello\x1b[1;1H6" * 1000 + b"\x1b[?1049l$ ls\nnotes\n", "notes"),
]


@pytest.mark.parametrize(("output", "line"), OUTPUTS)
def test_what_was_drawn_on_a_full_screen_is_no_line(tmp_path, output, line):
    files = LogFiles(tmp_path)
    files.out(output, 1.0)
    assert LastLines().of(LineExtent("a.1", files.path, len(output), 0)) == line


def test_a_full_screen_is_remembered_and_only_what_came_since_is_read(tmp_path):
    files, lines, length = LogFiles(tmp_path), LastLines(), 0
    drawn = b"\x1b[1;1H6" * 1000
    steps = [(b"one\n", "one"), (b"\x1b[?1049h", "one"), (drawn, "(full screen)"), (drawn, "(full screen)"),
             (b"\x1b[?1049lend\n", "end"), (b"6\n" * 4096, "6")]  # fmt: skip
    for moment, (output, line) in enumerate(steps):
        files.out(output, float(moment))
        length += len(output)
        assert lines.of(LineExtent("a.1", files.path, length, 0)) == line


SAID = b'{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"All is well."}]}}\n'
NOISE = b"WARN could not find bubblewrap on PATH\n"


@pytest.mark.parametrize(
    ("format_", "output", "is_explained", "line"),
    [
        ("codex", b"", True, ""),
        ("codex", b'{"method":"turn/started","params":{}}\n', True, ""),
        ("claude", SAID, True, "All is well."),
        ("codex", b"", False, NOISE.decode().strip()),
        (None, b"", True, NOISE.decode().strip()),
    ],
    ids=["protocol alone", "nothing said yet", "said", "ended, and nobody says why", "plain"],
)
def test_what_a_program_complains_beside_its_protocol_is_not_what_it_does(
    tmp_path, format_, output, is_explained, line
):
    files = LogFiles(tmp_path)
    if output:
        files.out(output, 1.0)
    files.err(NOISE, 2.0)
    extent = LineExtent("a.1", files.path, len(output), len(NOISE), format_, is_explained=is_explained)
    assert LastLines().of(extent) == line
