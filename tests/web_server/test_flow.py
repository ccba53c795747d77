"""Flow control of a terminal's bytes: a table of steps, and the law that a page which draws is never left waiting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_web.tty.flow import HIGH, LOW, STEP, BadAcknowledgement, FlowState, FlowWindow
from tests.kit.cases import tabled

OPEN, HELD = FlowState.OPEN, FlowState.HELD
STEPS = [
    ("nothing was sent", [], OPEN, HIGH),
    ("less than the high mark", [("send", HIGH - 1)], OPEN, 1),
    ("the high mark", [("send", HIGH)], HELD, 0),
    ("acknowledged, but not down to the low mark", [("send", HIGH), ("ack", HIGH - LOW - 1)], HELD, 0),
    ("acknowledged down to the low mark", [("send", HIGH), ("ack", HIGH - LOW)], OPEN, LOW),
    ("more than there was room for", [("send", HIGH * 3), ("ack", HIGH)], HELD, 0),
    ("the same acknowledged twice", [("send", HIGH), ("ack", HIGH), ("ack", HIGH)], OPEN, HIGH),
]


def after(steps):
    window = FlowWindow()
    for kind, size in steps:
        (window.send if kind == "send" else window.acknowledge)(size)
    return window


@tabled(("steps", "state", "room"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS])
def test_the_window_is_held_at_the_high_mark_and_opened_at_the_low_one(steps, state, room):
    window = after(steps)
    assert (window.state, window.room) == (state, room)


@pytest.mark.parametrize("total", [-1, HIGH + 1, STEP - 1])
def test_what_was_never_sent_or_is_taken_back_is_no_acknowledgement(total):
    window = after([("send", HIGH), ("ack", STEP)])
    with pytest.raises(BadAcknowledgement):
        window.acknowledge(total)
    assert window.pending == HIGH - STEP


@given(st.lists(st.integers(1, 40 << 10), max_size=20), st.data())
def test_a_page_that_draws_gets_everything_however_it_is_cut(portions, data):
    """The page acknowledges in steps, and when it has drawn all that came; nobody waits for the other for ever."""
    window, to_send = FlowWindow(), list(portions)
    sent = drawn = said = 0
    while to_send or drawn < sent:
        can_send, can_draw = bool(to_send) and window.room > 0, drawn < sent
        assert can_send or can_draw
        if can_send and (not can_draw or data.draw(st.booleans())):
            size = min(to_send[0], window.room)
            to_send[0] -= size
            if not to_send[0]:
                del to_send[0]
            window.send(size)
            sent += size
            assert window.pending <= HIGH
        else:
            drawn += data.draw(st.integers(1, sent - drawn))
            if drawn - said >= STEP or drawn == sent:
                said = drawn
                window.acknowledge(said)
    assert sent == sum(portions)
    assert window.state is OPEN
