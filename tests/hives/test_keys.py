"""Keys of changes: what was sent again after a loss is done once; what nobody could answer is settled by its key."""

from __future__ import annotations

from overmind_core.domain.operations import OPERATIONS


def test_what_can_be_sent_twice_as_it_is_takes_no_key():
    for row in OPERATIONS.values():
        if row.takes_key:
            assert not row.repeatable, row
            assert not row.request_key, row
    assert OPERATIONS["restart"].takes_key
    assert OPERATIONS["answer"].takes_key
