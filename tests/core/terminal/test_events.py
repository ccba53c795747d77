"""What a program tells apart from text."""

from __future__ import annotations

import pytest

from overmind_core.terminal.screen import Screen
from overmind_core.terminal.state import Bell, Clipboard, Event, FolderChanged, Notification, PromptMark, TitleChanged
from tests.kit.cases import tabled

CASES = [
    (b"\x1b]0;one\x07\x1b]2;one\x07\x1b]2;two\x1b\\", [TitleChanged("one"), TitleChanged("two")]),
    ("\x1b]0;✳ Claude Code\x07".encode(), [TitleChanged("✳ Claude Code")]),
    (b"\x1b]1;icon\x07", []),
    (b"\x07\x07\x07", [Bell()]),
    (b"\x1b]9;done\x07", [Notification("", "done")]),
    (b"\x1b]9;4;1;50\x07", []),
    (b"\x1b]777;notify;title;the body; all of it\x07", [Notification("title", "the body; all of it")]),
    (b"\x1b]777;other;x\x07", []),
    (b"\x1b]52;c;aGk=\x07", [Clipboard("c", b"hi")]),
    (b"\x1b]52;;aGk=\x1b\\", [Clipboard("", b"hi")]),
    (b"\x1b]52;c;?\x07\x1b]52;c;###\x07", []),
    (b"\x1b]133;A\x07\x1b]133;C\x07\x1b]133;D;127\x07\x1b]133;D\x07",
     [PromptMark("A", None), PromptMark("C", None), PromptMark("D", 127), PromptMark("D", None)]),
    (b"\x1b]133;D;x\x07\x1b]133;Z\x07", [PromptMark("D", None)]),
    (b"\x1b]7;file://host/home/a%20b\x07", [FolderChanged("host", "/home/a b")]),
    (b"\x1b]7;http://host/x\x07\x1b]7;file://[/\x07", []),
    (b"\x1b]0;x\x18", []),
    (b"\x1b[22;0t\x1b]0;inner\x07\x1b[23;0t", [TitleChanged("inner"), TitleChanged("")]),
]  # fmt: skip


@tabled(("data", "events"), CASES)
def test_what_is_told(data, events):
    for size in (1, len(data)):
        screen = Screen(20, 4)
        told: list[Event] = []
        screen.on_event = told.append
        for start in range(0, len(data), size):
            screen.feed(data[start : start + size])
        assert [event for event in told if size > 1 or event != Bell()] == [
            event for event in events if size > 1 or event != Bell()
        ]
        assert screen.lines() == [""] * 4
        assert screen.faults == []


def test_the_title_stays_on_the_screen():
    screen = Screen(20, 4)
    screen.feed(b"\x1b]2;work\x07\x1b[2J")
    assert screen.title == "work"


@pytest.mark.parametrize(
    ("data", "link"),
    [
        (b"\x1b]8;;http://x/\x07a", "http://x/"),
        (b"\x1b]8;id=1;http://x/?a;b\x1b\\\x1b[ma", "http://x/?a;b"),
        (b"\x1b]8;;" + b"x" * 3000 + b"\x07a", None),
        (b"\x1b]8;;http://x/\n[31m\x07a", None),
    ],
)
def test_links_belong_to_the_look_and_are_clean(data, link):
    screen = Screen(20, 4)
    screen.feed(data)
    assert screen.runs(0)[0][1].link == link


def test_a_flood_of_events_is_cut():
    screen = Screen(20, 4)
    told: list[Event] = []
    screen.on_event = told.append
    screen.feed(b"".join(b"\x1b]9;note %d\x07" % number for number in range(5000)))
    assert len(told) == 1000
