"""A viewer's terminal, lent to the keeper: nothing is lost, doubled or out of order, whoever does what when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.cli.attach.keys import KeyFilter
from overmind_core.cli.attach.loan import TerminalLoan
from overmind_core.cli.attach.local_terminal import TerminalRestore
from overmind_core.client.detach_keys import DEFAULT_KEY
from overmind_core.keeper import server, viewer_terminal
from overmind_core.keeper.viewers import RunViewers, Viewer
from overmind_core.wire import keeper as wire

IDENTITY = (24, 3)
FD = 7


class Loop:
    """A loop that only remembers."""

    def __init__(self):
        self.mono = 100.0
        self.watched = {}
        self.preferred = set()

    def watch(self, fd, _events, source):
        self.watched[fd] = source

    def forget(self, fd):
        self.watched.pop(fd, None)

    def prefer(self, fd, *, on):
        (self.preferred.add if on else self.preferred.discard)(fd)

    def boost(self):
        pass

    def end_boost(self):
        pass


class Terminal:
    """The person's: what was typed and not read, and what stands on it."""

    def __init__(self):
        self.typed = b""
        self.screen = b""
        self.room = None
        """Bytes that it takes before it is full; None: it never is."""
        self.is_gone = False
        self.foreground = True
        self.is_open = False

    def read(self):
        if self.is_gone:
            raise OSError(5, "gone")
        if not self.typed:
            raise BlockingIOError
        data, self.typed = self.typed[:8], self.typed[8:]
        return data

    def write(self, data):
        if self.is_gone:
            raise OSError(5, "gone")
        if self.room == 0 and data:
            raise BlockingIOError
        taken = data if self.room is None else data[: self.room]
        self.room = None if self.room is None else self.room - len(taken)
        self.screen += taken
        return len(taken)

    # as the keeper has it

    def fileno(self):
        return FD if self.is_open else -1

    def is_in_foreground(self):
        return self.foreground

    def close(self):
        assert self.is_open
        self.is_open = False


class Connection:
    """The viewer's connection, as the keeper has it; the other end takes frames out of `frames`."""

    def __init__(self):
        self.frames: deque[tuple[int, bytes]] = deque()
        self.on_data: Callable[[bytes], None] = lambda _data: None
        self.on_closed: Callable[[], None] = lambda: None
        self.decoder = wire.FrameDecoder()
        self.is_paused = self.is_closed = False
        self.there = True

    def send(self, data):
        if not self.is_closed:
            self.frames.extend(self.decoder.feed(data))

    def pause(self, *, paused):
        self.is_paused = paused

    def end(self):
        pass

    def is_there(self):
        return self.there

    def close(self):
        self.is_closed = True
        self.on_closed()

    def kinds(self):
        """What was sent: kinds, and the bytes of those that carry some."""
        return [(kind, payload) for kind, payload in self.frames]


class Keeper:
    """A run with one viewer, in front of whom there is a terminal."""

    def __init__(self):
        self.loop = cast("Any", Loop())
        self.connection = cast("Any", Connection())
        self.terminal = Terminal()
        self.arrived = b""
        stdin = SimpleNamespace(type=self.apply, waiting=0)
        log = SimpleNamespace(offsets=(0, 0), kept=lambda _stream: b"")
        self.run: Any = SimpleNamespace(stdin=stdin, log=log, tty=False, outputs=[], exit=None)
        self.run.viewers = RunViewers(self.run, self.loop)
        self.viewer = Viewer(self.run, self.connection, may_write=True, access=self)
        self.run.viewers.join(self.viewer)
        self.refusal = None
        self.connection.frames.clear()

    def apply(self, data):
        self.arrived += data

    def open(self, identity):
        if self.refusal is not None or identity != IDENTITY:
            raise self.refusal or PermissionError
        assert not self.terminal.is_open
        self.terminal.is_open = True
        return self.terminal

    def close(self, terminal):
        terminal.close()

    def receive(self, *frames):
        for frame in frames:
            self.connection.on_data(frame)

    def write(self, data):
        self.run.viewers.show(memoryview(data))

    @property
    def lent(self):
        return self.viewer.lent


def _refuse(*_):
    raise PermissionError


def lend(shown=0, special=b"\x1c"):
    return wire.lend_frame(shown, IDENTITY, special)


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
    def refuse(*_):
        raise OSError(28, "no more watches")

    monkeypatch.setattr(keeper.loop, "watch", refuse)
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
    monkeypatch.setattr(viewer_terminal, "ControllingTerminal", _refuse)
    lent = viewer_terminal.LentTerminals(1)
    for _ in range(2):
        with pytest.raises(PermissionError):
            lent.open(1, IDENTITY)


def test_a_process_inside_a_mission_lends_no_terminal(monkeypatch):
    """It would be the mission's own, whose output would come back as output."""
    monkeypatch.setattr(viewer_terminal, "ControllingTerminal", lambda *_: SimpleNamespace())
    for inside in (True, False):
        monkeypatch.setattr(server, "is_inside", lambda _pid, inside=inside: inside)
        terminal = server.ClientTerminal(viewer_terminal.LentTerminals(), 1)
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
    lending.loop.mono += 2 * viewer_terminal.FRESH
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


class World(Keeper):
    """A keeper, a viewer's client, and what is on its way between them."""

    def __init__(self):
        super().__init__()
        self.to_keeper = deque([wire.data_frame(b"!")])
        self.keys = KeyFilter([DEFAULT_KEY])
        self.loan = TerminalLoan(IDENTITY)
        self.restore = TerminalRestore()
        self.waiting = b""
        """What the terminal has not taken of its client."""
        self.pressed = self.written = b""

    def press(self, keys):
        self.pressed += keys
        self.terminal.typed += keys

    def output(self, data):
        self.written += data
        self.write(data)
        self.loop.mono += 0.03

    def keeper_receives(self):
        if self.to_keeper:
            self.receive(self.to_keeper.popleft())

    def keeper_reads(self):
        if self.lent is not None and self.terminal.typed:
            self.lent.ready(1)

    def client_receives(self):
        if not self.connection.frames:
            return
        kind, payload = self.connection.frames.popleft()
        if kind == wire.FRAME_DATA:
            self.client_shows(payload)
            self.loan.on_data(len(payload))
        elif kind == wire.FRAME_SHOWN:
            self.restore.observe(payload)
        elif kind == wire.FRAME_KEYS:
            self.client_feeds(payload)
        else:
            assert kind == wire.FRAME_RETURNED
            assert self.loan.is_lent
            self.loan.end()

    def client_shows(self, data):
        self.restore.observe(data)
        self.waiting += data
        self.client_flushes()

    def client_flushes(self):
        if self.waiting and self.terminal.room != 0:
            self.waiting = self.waiting[self.terminal.write(self.waiting) :]

    def client_reads(self):
        if not self.loan.is_lent and self.terminal.typed:
            self.client_feeds(self.terminal.read())

    def client_feeds(self, data):
        if not self.keys.left:  # else it is on its way out
            self.client_types(self.keys.feed(data))

    def client_types(self, data):
        self.loan.on_key()
        if data:
            self.to_keeper.append(wire.data_frame(data))

    def client_is_late(self):
        if self.keys.timeout is not None:
            self.client_types(self.keys.tick())

    def client_offers(self):
        if self.loan.may_offer and self.keys.holds_nothing and not self.keys.left and not self.waiting:
            self.to_keeper.append(self.loan.offer(self.keys.special, 0.0))

    def client_recalls(self):
        if self.loan.recall(0.0):
            self.to_keeper.append(wire.recall_frame())

    def terminal_is_slow(self, room):
        self.terminal.room = room

    def quiet(self):
        """Nothing happens for a while, and then the terminal is lent."""
        self.deliver()
        self.client_is_late()
        self.deliver()
        self.client_offers()
        self.deliver()

    def deliver(self):
        while self.to_keeper or self.connection.frames:
            self.keeper_receives()
            self.client_receives()

    def goes(self, foreground):
        self.terminal.foreground = foreground

    def settle(self):
        """Let all that is under way arrive."""
        self.terminal.room, self.terminal.foreground = None, True
        while self.to_keeper or self.connection.frames or self.terminal.typed or self.waiting:
            self.keeper_receives()
            self.client_receives()
            self.keeper_reads()
            self.client_reads()
            self.client_flushes()
        self.client_is_late()
        while self.to_keeper:
            self.keeper_receives()


PRESSED = [
    b"\x1b[A\x1b[D",
    b"a",
    b"hello",
    "λ".encode(),
    b"\x1b",
    b"[A",
    b"\x1b[A",
    b"\x1b[200~",
    b"x\x1cy",
    b"\x1b[201~",
    b"\x1b]11;",
]
WRITTEN = [b"a", b"plain text\r\n", b"\x1b", b"[?1049h", b"\x1b[?10", b"49h", b"\x1b[?1049l", b"\x1b[>1u", b"x" * 200]
STEPS = [
    "keeper_receives", "keeper_reads", "client_receives", "client_reads", "client_is_late", "client_offers",
    "client_recalls", "client_flushes",
]  # fmt: skip
OFTEN = ["quiet", "quiet", "quiet", "keeper_receives", "keeper_reads", "keeper_reads", "client_receives"]
"""Else most loans would end before anything has happened in them."""
STEP = st.one_of(
    st.sampled_from(STEPS + OFTEN).map(lambda name: (name, ())),
    st.sampled_from([b"a", "λ".encode(), b"bc"]).map(lambda keys: ("press", (keys,))),
    st.sampled_from(PRESSED).map(lambda keys: ("press", (keys,))),
    st.sampled_from(WRITTEN).map(lambda data: ("output", (data,))),
    st.sampled_from(WRITTEN).map(lambda data: ("output", (data,))),
    st.sampled_from([None, None, 0, 3]).map(lambda room: ("terminal_is_slow", (room,))),
    st.booleans().map(lambda foreground: ("goes", (foreground,))),
)
"""One thing that happens."""


@given(st.lists(STEP, min_size=20, max_size=60))
@settings(max_examples=200)
def test_every_byte_arrives_once_and_in_order_whoever_is_first(steps):
    world = World()
    for name, arguments in steps:
        getattr(world, name)(*arguments)
        assert world.lent is None or world.loan.is_lent, "one owner at a time"
    world.settle()
    seen = TerminalRestore()
    seen.observe(world.written)
    assert world.terminal.screen == world.written
    assert world.restore.undo() == seen.undo(), "the client knows all that was set"
    if world.keys.left:
        assert (b"!" + world.pressed).startswith(world.arrived)
    else:
        assert world.arrived == b"!" + world.pressed


def test_the_law_is_tried_with_terminals_that_are_lent():
    """The steps above reach what they are about."""
    world = World()
    world.keeper_receives()
    world.client_offers()
    world.keeper_receives()
    world.press(b"a")
    world.keeper_reads()
    world.output(b"a")
    assert world.lent is not None
    assert (world.arrived, world.terminal.screen) == (b"!a", b"a")
