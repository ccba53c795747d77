"""A viewer's terminal, lent and given back at any moment: nothing is lost, doubled or out of order."""

from __future__ import annotations

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.cli.attach.keys import KeyFilter
from overmind_core.cli.attach.loan import TerminalLoan
from overmind_core.cli.attach.local_terminal import TerminalRestore
from overmind_core.client.detach_keys import DEFAULT_KEY
from overmind_core.wire import keeper as wire
from tests.kit import torture
from tests.kit.lent_terminal import IDENTITY, Keeper


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
@settings(max_examples=torture.examples(800))
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
