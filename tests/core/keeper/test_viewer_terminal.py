"""A viewer's terminal, lent to the keeper: what it does with it, and when it gives it back."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from overmind_core.cli.attach.keys import KeyFilter
from overmind_core.client.detach_keys import DEFAULT_KEY
from overmind_core.keeper import server, viewer_terminal
from overmind_core.wire import keeper as wire
from tests.kit.lent_terminal import FD, IDENTITY, Keeper, lend, refuse


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def lending(keeper):
    keeper.receive(lend())
    assert keeper.lent is not None
    return keeper


RETURNED = (wire.FRAME_RETURNED, b"")


def returned(keeper):
    """The terminal is closed, nothing waits for it, and the viewer was told as the last thing but data."""
    assert not keeper.terminal.is_open
    assert keeper.lent is None
    assert FD not in keeper.loop.watched
    assert FD not in keeper.loop.preferred
    assert keeper.connection.kinds().count(RETURNED) == 1
    return True


def press(keeper, keys):
    keeper.terminal.typed += keys
    keeper.loop.watched[FD].ready(1)


def test_a_plain_key_goes_to_the_run_and_its_echo_to_the_terminal(lending):
    lending.loop.mono += 10
    press(lending, "λ".encode())
    lending.write(b"x" * 80)
    lending.connection.frames.clear()
    lending.write("λ".encode())
    assert (lending.arrived, lending.terminal.screen) == ("λ".encode(), b"x" * 80 + "λ".encode())
    assert not lending.connection.frames
    assert lending.lent is not None


@pytest.mark.parametrize("cut", [[b"\x1b[?1049h"], [b"\x1b", b"[?10", b"49h"], [b"text\x1b[", b"?", b"1049", b"h"]])
def test_the_viewer_sees_every_sequence_that_was_shown_however_it_is_cut(lending, cut):
    lending.write(b"x" * 80)
    lending.connection.frames.clear()
    for piece in [*cut, b"y" * 80, b"plain"]:
        lending.write(piece)
    seen = b"".join(payload for kind, payload in lending.connection.frames if kind == wire.FRAME_SHOWN)
    assert seen.startswith(b"".join(cut))
    assert b"plain" not in seen


def test_an_escape_is_never_plain(keeper):
    keeper.receive(lend(special=b""))
    press(keeper, b"\x1b")
    assert keeper.arrived == b""


@pytest.mark.parametrize("keys", [b"\x1b[A", b"\x1bOD", b"\x1b[H\x1bOF", b"\x1b[3~", b"\x1b[5~\x1b[6~"])
def test_a_cursor_key_is_passed_on_as_the_viewer_would_pass_it(lending, keys):
    press(lending, keys)
    assert lending.arrived == keys
    assert lending.lent is not None
    typing = KeyFilter([DEFAULT_KEY])
    assert (typing.feed(keys), typing.holds_nothing, typing.left) == (keys, True, False)


NOT_PLAIN = [
    b"\x1b", b"a\x1b[A", b"\x1b[A\x1b", b"\x1c", b"ab\x1ccd", b"\x1b[92;5u", b"\x1b[200~", b"\x1b[I", b"\x1b[O",
    b"\x1b[1;2R", b"\x1bx", b"\x1b[A\x1c",
]  # fmt: skip


@pytest.mark.parametrize("keys", NOT_PLAIN)
def test_any_other_key_is_the_viewers_and_so_is_the_terminal_then(lending, keys):
    press(lending, keys)
    assert lending.connection.kinds() == [(wire.FRAME_KEYS, keys), RETURNED]
    assert lending.arrived == b""
    assert returned(lending)


def test_a_terminal_is_not_taken_while_bytes_are_on_their_way_to_it(keeper):
    keeper.write(b"abc")
    keeper.receive(lend(2))
    assert keeper.connection.kinds() == [(wire.FRAME_DATA, b"abc"), RETURNED]
    assert returned(keeper)
    keeper.connection.frames.clear()
    keeper.receive(lend(3))
    assert keeper.lent is not None
    assert not keeper.connection.frames


NOT_NOW = [RETURNED]
NEVER = [(wire.FRAME_RETURNED, b"\1")]


@pytest.mark.parametrize(("error", "answer"), [(BlockingIOError, NOT_NOW), (PermissionError, NEVER), (OSError, NEVER)])
def test_a_terminal_that_can_not_be_opened_is_not_taken(keeper, error, answer):
    keeper.refusal = error
    keeper.receive(lend())
    assert keeper.connection.kinds() == answer
    assert keeper.lent is None


def test_a_terminal_that_can_not_be_waited_for_is_not_taken(keeper, monkeypatch):
    def fail(*_):
        raise OSError(28, "no more watches")

    monkeypatch.setattr(keeper.loop, "watch", fail)
    keeper.receive(lend())
    assert keeper.connection.kinds() == NEVER
    assert keeper.lent is None
    assert not keeper.terminal.is_open


def test_so_many_terminals_are_lent_and_no_more(monkeypatch):
    monkeypatch.setattr(viewer_terminal, "ControllingTerminal", lambda *_: SimpleNamespace(close=lambda: None))
    lent = viewer_terminal.LentTerminals(2)
    one, _ = lent.open(1, IDENTITY), lent.open(1, IDENTITY)
    with pytest.raises(BlockingIOError):
        lent.open(1, IDENTITY)
    lent.close(one)
    lent.open(1, IDENTITY)
    with pytest.raises(BlockingIOError):
        lent.open(1, IDENTITY)


def test_a_terminal_that_can_not_be_opened_does_not_count(monkeypatch):
    monkeypatch.setattr(viewer_terminal, "ControllingTerminal", refuse)
    lent = viewer_terminal.LentTerminals(1)
    for _ in range(2):
        with pytest.raises(PermissionError):
            lent.open(1, IDENTITY)


def test_a_process_inside_a_mission_lends_no_terminal(monkeypatch):
    """It would be the mission's own, whose output would come back as output."""
    monkeypatch.setattr(viewer_terminal, "ControllingTerminal", lambda *_: SimpleNamespace())
    for inside in (True, False):
        monkeypatch.setattr(server.ClientProcess, "is_inside", lambda _self, inside=inside: inside)
        terminal = server.ClientTerminal(viewer_terminal.LentTerminals(), server.ClientProcess(1))
        if inside:
            with pytest.raises(PermissionError):
                terminal.open(IDENTITY)
        else:
            assert terminal.open(IDENTITY) is not None


def test_who_only_watches_lends_nothing(keeper):
    keeper.viewer.may_write = False
    keeper.receive(lend())
    assert keeper.lent is None


def test_what_the_terminal_does_not_take_goes_through_frames_and_so_does_all_that_follows(lending):
    lending.terminal.room = 4
    lending.write(b"abcdef")
    lending.write(b"ghi")
    assert lending.terminal.screen == b"abcd"
    frames = lending.connection.kinds()
    assert frames == [(wire.FRAME_SHOWN, b"abcd"), RETURNED, (wire.FRAME_DATA, b"ef"), (wire.FRAME_DATA, b"ghi")]
    assert returned(lending)


def test_a_run_that_writes_more_than_echoes_is_left_to_its_viewer(lending):
    piece = b"x" * 1000
    for _ in range(viewer_terminal.ECHO_LIMIT // len(piece)):
        lending.write(piece)
    assert lending.lent is not None
    press(lending, b"a")  # what follows answers this one
    for _ in range(viewer_terminal.ECHO_LIMIT // len(piece)):
        lending.write(piece)
    assert lending.lent is not None
    lending.write(piece)
    assert returned(lending)
    assert lending.connection.kinds()[-1] == (wire.FRAME_DATA, piece)


QUICK_SHELL = 0.002
"""Seconds after a key within which a shell that has stopped attach may have its prompt up."""
AWAY = {
    "in the background": lambda keeper: setattr(keeper.terminal, "foreground", False),
    "hung up": lambda keeper: setattr(keeper.connection, "there", False),
}


@pytest.mark.parametrize("goes", AWAY.values(), ids=AWAY)
def test_a_key_for_somebody_else_stays_where_it_is(lending, goes):
    goes(lending)
    press(lending, b"secret")
    assert (lending.arrived, lending.terminal.typed) == (b"", b"secret")
    assert returned(lending)


@pytest.mark.parametrize("goes", AWAY.values(), ids=AWAY)
def test_nothing_is_written_under_somebody_else(lending, goes):
    goes(lending)
    lending.loop.mono += QUICK_SHELL
    lending.write(b"abc")
    assert lending.terminal.screen == b""
    assert returned(lending)
    assert lending.connection.kinds()[-1] == (wire.FRAME_DATA, b"abc")


def test_a_terminal_that_is_gone_is_given_back_and_hurts_nobody(lending):
    lending.terminal.is_gone = True
    press(lending, b"")
    assert returned(lending)


def test_output_for_a_terminal_that_is_gone_goes_to_its_viewer(lending):
    lending.terminal.is_gone = True
    lending.write(b"abc")
    assert returned(lending)
    assert lending.connection.kinds()[-1] == (wire.FRAME_DATA, b"abc")


def test_keys_that_the_run_does_not_read_are_left_to_the_viewer(lending):
    lending.run.stdin.waiting = (1 << 20) + 1
    press(lending, b"a")
    assert lending.arrived == b"a"
    assert lending.connection.is_paused
    assert returned(lending)


def test_the_terminal_comes_back_when_it_is_recalled_and_only_once(lending):
    lending.receive(wire.recall_frame(), wire.recall_frame())
    assert returned(lending)


def test_a_recall_without_a_loan_means_nothing(keeper):
    keeper.receive(wire.recall_frame())
    assert not keeper.connection.frames


def test_the_terminal_comes_back_before_the_exit(lending):
    lending.run.viewers.finish(3)
    assert lending.connection.kinds() == [RETURNED, (wire.FRAME_EXIT, wire.exit_frame(3)[5:])]
    assert returned(lending)


def test_a_viewer_that_hangs_up_gets_its_terminal_closed_without_a_word(lending):
    lending.connection.close()
    assert not lending.terminal.is_open
    assert not lending.connection.frames
    assert FD not in lending.loop.watched


def test_a_failure_gives_the_terminal_back(lending):
    lending.loop.watched[FD].failed()
    assert returned(lending)


WRONG = {
    "twice": [lend(), lend()],
    "without a terminal": [wire.frame(wire.FRAME_LEND, b"")],
    "with far too many special bytes": [lend(special=b"x" * 257)],
}


@pytest.mark.parametrize("frames", WRONG.values(), ids=WRONG)
def test_an_offer_that_makes_no_sense_ends_that_viewer(keeper, frames):
    keeper.receive(*frames)
    assert keeper.connection.is_closed
    assert not keeper.terminal.is_open
