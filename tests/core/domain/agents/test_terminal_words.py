"""The words of a conversation on a terminal: where they stand, which run gets them, and the id that is believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.agents.conversation import Conversation, ForkPoint
from overmind_core.domain.agents.terminal_words import (
    CHOICES,
    ConversationWords,
    is_alone,
    is_hopeless,
    is_id,
    joined,
    plan_after_failure,
    plan_words,
    says_gone,
    says_unknown,
    told_id,
    with_words,
    words_of_run,
)

TERMINAL = AgentMode.INTERACTIVE
NEW = Conversation("minted", TERMINAL, TERMINAL, TERMINAL, run=1)
GIVEN = ConversationWords(
    start=("--session-id", "{session}"),
    resume=("--session", "{session}"),
    fork=("--fork", "{session}", "--session-id={new}"),
    gone="^not found",
)
OPTIONS = ConversationWords(choices=(*CHOICES, "-c"), values=("-m", "--model"))
READ = ConversationWords(resume=("-s", "{session}"), fork=("-s", "{session}", "--fork"), ends=(r"mine -s (\S+)",))


@pytest.mark.parametrize(
    ("argv", "alone"),
    [
        (("mine",), True),
        (("/opt/mine", "--model", "x", "--fast"), True),
        (("mine", "--model=x"), True),
        (("mine", "--model", "be brief"), True),
        (("mine", "--model", "", "fix"), False),
        (("mine", "--fast", "fix"), False),
        (("mine", "--model=x", "fix"), False),
        (("mine", "do it"), False),
        (("mine", "--model", "x", "do it"), False),
        (("mine", "--model=x", "do it"), False),
        (("mine", "--fast", "do it"), False),
        (("mine", "resume", "1"), False),
        (("mine", "--resume"), False),
        (("mine", "--session-id=1"), False),
        (("mine", "--", "x"), False),
        (("mine", "-"), False),
        (("mine", "-c"), False),
        (("mine", "-cx"), False),
        (("mine", "-yc"), False),
        (("mine", "-ymc"), True),
        (("mine", "--contin"), False),
        (("/bin/sh", "-c", "mine --fast"), True),
        (("/bin/sh", "-c", "exec A=1 mine"), True),
        (("/bin/sh", "-c", "mine 'do it'"), False),
        (("/bin/sh", "-c", "mine; ls"), False),
        (("/bin/sh", "-c", "mine\nls"), False),
        (("/bin/sh", "-c", "mine > x"), False),
        (("/bin/sh", "-c", "A=1"), False),
        (("bash",), False),
        ((), False),
    ],
)
def test_a_program_is_named_alone_with_options_that_choose_no_conversation(argv, alone):
    assert is_alone(argv, OPTIONS) == alone


def test_words_stand_behind_the_program_and_stay_words():
    assert with_words(("mine", "--fast"), ("-s", "a b")) == ("mine", "-s", "a b", "--fast")
    shell = ("/bin/sh", "-c", "exec A=1 mine --fast")
    assert with_words(shell, ("-s", "$(id);x")) == ("/bin/sh", "-c", "exec A=1 mine -s '$(id);x' --fast")
    assert with_words(("bash", "-c", "a | b"), ("-s",)) == ("bash", "-c", "a | b")


def planned(c, words, run=2, new="fresh"):
    return plan_words(replace(c, run=run), words, new)


def test_an_id_of_ours_is_begun_and_resumed_once_a_turn_has_begun():
    first, lost = planned(NEW, GIVEN, 1, "one")
    assert (words_of_run(first, GIVEN), lost) == (("--session-id", "one"), False)
    unsaid, lost = planned(first, GIVEN)
    assert (words_of_run(unsaid, GIVEN), lost) == (("--session-id", "one"), False)
    said, lost = planned(replace(first, begun=True), GIVEN)
    assert (words_of_run(said, GIVEN), lost) == (("--session", "one"), False)


def test_what_nothing_tells_is_lost_and_said_so():
    first, _ = planned(NEW, READ, 1)
    assert words_of_run(first, READ) == ()
    assert planned(first, READ)[1] is False
    again, lost = planned(replace(first, begun=True), READ)
    assert (words_of_run(again, READ), lost, again.lost) == ((), True, 1)
    told, lost = planned(replace(first, begun=True, terminal_session="ses_1"), READ)
    assert (words_of_run(told, READ), lost) == (("-s", "ses_1"), False)


def test_a_stored_conversation_of_an_earlier_version_has_no_id():
    again, lost = planned(replace(NEW, begun=True), GIVEN)
    assert (words_of_run(again, GIVEN), lost) == (("--session-id", "fresh"), True)


def test_a_command_line_of_a_persons_own_choice_is_left_alone():
    c, lost = planned(replace(NEW, begun=True, terminal_session="one"), None)
    assert (c.terminal_session, c.resumed, lost) == ("", False, False)


def test_a_fork_is_made_until_it_has_begun():
    fork = replace(NEW, fork=ForkPoint("source"), copied=True)
    first, lost = planned(fork, GIVEN, 1, "copy")
    assert (words_of_run(first, GIVEN), lost) == (("--fork", "source", "--session-id=copy"), False)
    again, _ = planned(first, GIVEN)
    assert words_of_run(again, GIVEN) == ("--fork", "source", "--session-id=copy")
    begun, _ = planned(replace(again, begun=True), GIVEN)
    assert words_of_run(begun, GIVEN) == ("--session", "copy")
    unnamed, lost = planned(replace(planned(fork, READ, 1)[0], begun=True), READ)
    assert (words_of_run(unnamed, READ), lost) == ((), True), "it is not copied once more in the place of what was said"


def test_a_failed_start_is_tried_the_other_way_round_under_the_same_id():
    resumed, _ = planned(replace(NEW, begun=True, terminal_session="one"), GIVEN)
    other = plan_after_failure(resumed, GIVEN, is_gone=False)
    assert words_of_run(planned(other, GIVEN, 3)[0], GIVEN) == ("--session-id", "one")
    back = plan_after_failure(planned(other, GIVEN, 3)[0], GIVEN, is_gone=False)
    assert words_of_run(planned(back, GIVEN, 4)[0], GIVEN) == ("--session", "one")
    gone = plan_after_failure(resumed, GIVEN, is_gone=True)
    c, lost = planned(gone, GIVEN, 3)
    assert (words_of_run(c, GIVEN), lost) == (("--session-id", "fresh"), True)


def test_a_copy_is_tried_once_more_as_one_that_is_there_and_then_it_is_over():
    first, _ = planned(replace(NEW, fork=ForkPoint("source"), copied=True), GIVEN, 1, "copy")
    assert is_hopeless(first, is_gone=True)
    assert not is_hopeless(first, is_gone=False)
    other = plan_after_failure(planned(first, GIVEN)[0], GIVEN, is_gone=False)
    c, _ = planned(other, GIVEN, 3)
    assert words_of_run(replace(c, resumed=True), GIVEN) == ("--session", "copy")
    assert is_hopeless(c, is_gone=False)
    said = replace(first, begun=True, resumed=True)
    assert plan_after_failure(said, GIVEN, is_gone=False) == said, "it is not copied over what was said since"
    assert not is_hopeless(said, is_gone=True), "that conversation is lost, and a new one begins"
    assert not is_hopeless(replace(NEW, switched=True), is_gone=True)


def test_a_first_start_that_fails_changes_nothing():
    first, _ = planned(NEW, GIVEN, 1)
    assert plan_after_failure(first, GIVEN, is_gone=True) == first
    assert plan_after_failure(first, READ, is_gone=False) == first


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["Session  x", "Continue  mine -s ses_1", ""], "ses_1"),
        (["mine -s ses_1", "mine -s ses_2"], "ses_2"),
        (["mine -s --help"], ""),
        (["mine -s ../../x"], ""),
        (["mine -s " + "x" * 200], ""),
        (["mine -s ses_1", *["later"] * 12], ""),
        ([" " * 400 + "mine -s ses_1"], ""),
        ([], ""),
    ],
)
def test_the_id_is_the_last_one_in_the_last_lines(lines, found):
    assert told_id(lines, READ.ends) == found


def test_an_id_is_a_word_that_no_program_takes_for_an_option():
    assert [is_id(one) for one in ("a", "0-1_b", "", "-a", "a b", "a\n", 3, None, "é")] == [True, True, *[False] * 7]


def test_a_program_says_that_a_conversation_is_gone_in_its_last_lines():
    assert says_gone(["", "not found: x"], GIVEN)
    assert not says_gone(["it was not found"], GIVEN)
    assert not says_gone(["not found"], READ)


def test_a_program_that_does_not_know_the_option_of_an_id_is_started_as_it_was_typed():
    first, _ = planned(NEW, GIVEN, 1)
    assert says_unknown(["usage", "Unknown argument: session-id"], GIVEN)
    assert says_unknown(["error: unknown option '--session-id'"], GIVEN)
    assert not says_unknown(["no session-ids", "my-session-id"], GIVEN)
    assert not says_unknown(["session-id"], READ)
    typed, _ = planned(plan_after_failure(first, GIVEN, is_gone=False, is_unknown=True), GIVEN)
    assert words_of_run(typed, GIVEN) == ()
    later, lost = planned(replace(typed, begun=True), GIVEN, 3)
    assert (words_of_run(later, GIVEN), lost) == ((), True)
    old = replace(planned(first, GIVEN)[0], begun=True)
    assert not plan_after_failure(old, GIVEN, is_gone=False, is_unknown=True).unnamed


def test_a_persons_words_go_before_those_that_are_known():
    own = ConversationWords(resume=("--go", "{session}"), ends=("x(y)",))
    both = joined(own, GIVEN)
    assert (both.start, both.resume, both.fork, both.ends) == (GIVEN.start, own.resume, GIVEN.fork, own.ends)
    assert "--go" in both.choices
    assert joined(own, OPTIONS).values == OPTIONS.values
