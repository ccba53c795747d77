"""The message of the commit with which a quest lands."""

from __future__ import annotations

from overmind_core.domain.text.cells import width
from overmind_core.quests.attempt_work import SUBJECT_CELLS, commit_message


def test_a_title_that_would_act_on_a_terminal_is_written_out():
    message = commit_message("\x1b[31mred\x07 \x9b2J", "first \x1b[2J\n\tline\n\nsecond paragraph")
    assert not [one for one in message if one != "\n" and (one < " " or "\x7f" <= one <= "\x9f")]
    assert "second" not in message
    assert message.splitlines()[2].startswith("first ")


def test_a_long_subject_is_cut_and_stands_whole_in_the_body():
    title = "修" * 300
    subject, empty, whole = commit_message(title, "").splitlines()
    assert width(subject) <= SUBJECT_CELLS
    assert (empty, whole) == ("", title)
    assert commit_message("Write the cart", "") == "Write the cart\n"
    assert commit_message("Write the cart", "Why.\n\nMore.") == "Write the cart\n\nWhy.\n"
