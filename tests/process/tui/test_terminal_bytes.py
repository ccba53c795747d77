"""The terminal pane from outside: the real driver, inside tmux or on a terminal of the test's, byte by byte."""

from __future__ import annotations

import os

import pytest

from tests.kit.attached import Attached
from tests.kit.overmind import PROGRAM
from tests.kit.screen import TMUX, TmuxScreen
from tests.kit.waiting import eventually
from tests.process.tui.test_terminal_pane import ECHOED

in_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


@in_tmux
def test_vim_is_edited_and_saved_from_inside_the_pane(om, session):
    path = os.path.join(om.home, "notes.txt")
    session(["vim", "-N", "-u", "NONE", "-i", "NONE", path], "vim")
    with TmuxScreen(om, size=(100, 30)) as screen:
        screen.until("vim", "1 running")
        screen.keys("a")
        screen.until("typing", "~")
        screen.type("ione two 日本語")
        screen.keys("Left", "Left", "Left", "Enter", "Escape")
        screen.keys("g", "g", "A")
        screen.type(" three")
        screen.keys("Escape")
        screen.until("three")
        screen.type(":wq")
        screen.keys("Enter")
        screen.until("exited (0)", "r restart")
        with open(path) as file:
            assert file.read() == "one two  three\n日本語\n"


@in_tmux
def test_the_detach_key_leaves_in_each_encoding_and_what_follows_is_a_command(om, session):
    session()
    with TmuxScreen(om, size=(100, 30)) as screen:
        screen.until("shell", "1 running")
        for word, sent in (("one", "\x1c"), ("two", "\x1b[92;5u"), ("three", "\x1b[27;5;92~")):
            screen.keys("a")
            screen.until("typing", "ready$")
            screen.type(f"echo {word}{sent}?")
            screen.until("› keys")
            screen.keys("Escape")
            screen.until("looking", f"echo {word}", gone=f"echo {word}?")


def test_sequences_that_come_in_pieces_arrive_whole(om, session):
    session(ECHOED)
    with Attached(om, "tui", program=PROGRAM) as person:
        person.shows("1 running")
        person.shows("shell")
        person.type(b"a")
        person.shows("typing")
        person.shows("ready")
        person.type_pieces(b"\x1b[<0;5", b";5M", b"\x1b[200~pa\x1c", b"ste\x1b[20", b"1~", b"\x1b[15", b"~", b"done")
        for text in ("pa^\\ste", "^[[15~", "done", "typing"):
            person.shows(text)
        assert "[<0" not in person.text()


@in_tmux
def test_the_programs_cursor_is_the_real_one(om, session):
    session(["sh", "-c", "printf '\\033[6 q\\033[5;10H'; exec cat"])
    with TmuxScreen(om, size=(100, 30)) as screen:
        screen.until("shell", "1 running")
        screen.keys("a")
        screen.until("typing")
        eventually(lambda: screen._tmux("display-message", "-p", "#{cursor_flag} #{cursor_x}").split() == ["1", "9"])
        screen.keys("C-\\")
        screen.until("looking")
        eventually(lambda: screen._tmux("display-message", "-p", "#{cursor_flag}").strip() == "0")


@in_tmux
def test_two_at_once_see_the_same(om, session):
    session()
    with TmuxScreen(om, size=(100, 30)) as screen:
        screen.until("shell", "1 running")
        screen.keys("a")
        screen.until("typing", "ready$")
        om.ok("send", "shell", "echo both$((1+1))")
        screen.until("both2")
        screen.type("echo me$((1+1))")
        screen.keys("Enter")
        screen.until("me2")
