"""The loan of the terminal, as its owner sees it."""

from __future__ import annotations

import pytest

from overmind_core.cli.attach.loan import LOOK, RECALL_LIMIT, TerminalLoan
from overmind_core.wire.keeper import FRAME_LEND, FrameDecoder, parse_lend

IDENTITY = (24, 3)
NOW = 50.0


@pytest.fixture
def loan():
    return TerminalLoan(IDENTITY)


def test_an_offer_tells_how_much_was_shown_where_and_what_is_no_plain_key(loan):
    loan.on_data(5)
    loan.on_data(7)
    ((kind, payload),) = FrameDecoder().feed(loan.offer(b"\x1b\x1c", NOW))
    assert (kind, parse_lend(payload)) == (FRAME_LEND, (12, IDENTITY, b"\x1b\x1c"))
    assert loan.is_lent
    assert not loan.may_offer


def test_a_terminal_that_nobody_can_find_is_not_offered():
    assert not TerminalLoan(None).may_offer


@pytest.mark.parametrize("news", [lambda loan: loan.on_key(), lambda loan: loan.on_data(1)], ids=["a key", "output"])
def test_a_refused_offer_is_repeated_only_after_something_was_passed_on(loan, news):
    loan.offer(b"", NOW)
    loan.end()
    assert not loan.may_offer
    news(loan)
    assert loan.may_offer


def test_a_terminal_that_can_not_be_lent_is_never_offered_again(loan):
    loan.offer(b"", NOW)
    loan.end(for_good=True)
    loan.on_key()
    assert not loan.may_offer


def test_an_offer_that_can_not_be_made_now_waits_for_the_next_key(loan):
    loan.defer()
    assert not loan.may_offer
    loan.on_key()
    assert loan.may_offer


def test_the_owner_looks_now_and_then_while_it_is_lent(loan):
    assert (loan.wait(NOW), loan.is_look_due(NOW)) == (None, False)
    loan.offer(b"", NOW)
    assert (loan.wait(NOW), loan.is_look_due(NOW)) == (LOOK, False)
    assert (loan.is_look_due(NOW + LOOK), loan.wait(NOW + LOOK)) == (True, LOOK)
    assert not loan.is_look_due(NOW + LOOK)


def test_a_keeper_that_does_not_give_it_back_in_time_hangs(loan):
    loan.offer(b"", NOW)
    assert loan.recall(NOW)
    assert not loan.recall(NOW + 1), "once is enough"
    assert loan.wait(NOW) == RECALL_LIMIT
    assert not loan.is_look_due(NOW + LOOK)
    assert not loan.is_overdue(NOW)
    assert loan.is_overdue(NOW + RECALL_LIMIT)


def test_nothing_is_due_once_it_is_back(loan):
    loan.offer(b"", NOW)
    loan.recall(NOW)
    loan.end()
    assert (loan.is_lent, loan.wait(NOW), loan.is_overdue(NOW + RECALL_LIMIT)) == (False, None, False)


def test_what_is_not_lent_is_not_recalled(loan):
    assert not loan.recall(NOW)
