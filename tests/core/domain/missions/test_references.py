"""What `<id>` means: the order of the rules as a table, then the laws behind it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.references import (
    Ambiguous,
    Candidate,
    NoMatch,
    ResolvedReference,
    ago,
    ended_so_named,
    resolve,
)
from tests.kit.cases import tabled

LIVE = Candidate("abc00001", "api", live=True, ended_at=None)
OLD = Candidate("abc00002", "api", live=False, ended_at=10.0)
NEWER = Candidate("def00003", "web", live=False, ended_at=20.0)
NEWEST = Candidate("def00004", "web", live=False, ended_at=30.0)
NAMED_LIKE_A_PREFIX = Candidate("99900005", "abc", live=False, ended_at=5.0)
OTHERS = (LIVE, OLD, NEWER, NEWEST)


@tabled(
    ("text", "candidates", "expected"),
    [
        ("abc00002", OTHERS, ResolvedReference(OLD)),
        ("api", OTHERS, ResolvedReference(LIVE)),
        ("api", (OLD, NEWER), ResolvedReference(OLD)),
        ("web", OTHERS, ResolvedReference(NEWEST)),
        ("abc", OTHERS, Ambiguous((LIVE, OLD))),
        ("abc00001"[:7], OTHERS, Ambiguous((LIVE, OLD))),
        ("def", (LIVE, NEWER), ResolvedReference(NEWER)),
        ("de", (LIVE, NEWER), NoMatch()),
        ("DEF", (LIVE, NEWER), NoMatch()),
        ("", OTHERS, NoMatch()),
        ("nosuch", OTHERS, NoMatch()),
        ("abc", (*OTHERS, NAMED_LIKE_A_PREFIX), ResolvedReference(NAMED_LIKE_A_PREFIX)),
    ],
)
def test_exact_id_then_live_name_then_newest_finished_name_then_prefix(text, candidates, expected):
    assert resolve(text, candidates) == expected


@tabled(
    ("text", "candidates", "expected"),
    [
        ("abc", (LIVE, NAMED_LIKE_A_PREFIX), ResolvedReference(LIVE)),
        ("abc", (LIVE, OLD, NAMED_LIKE_A_PREFIX), Ambiguous((LIVE, OLD))),
        ("abc", (OLD, NAMED_LIKE_A_PREFIX), ResolvedReference(NAMED_LIKE_A_PREFIX)),
        ("api", OTHERS, ResolvedReference(LIVE)),
        ("web", OTHERS, ResolvedReference(NEWEST)),
        ("def00003", OTHERS, ResolvedReference(NEWER)),
        ("def", OTHERS, Ambiguous((NEWER, NEWEST))),
    ],
)
def test_a_command_that_ends_takes_no_finished_name_while_a_live_id_begins_so(text, candidates, expected):
    assert resolve(text, candidates, live_first=True) == expected


ids = st.text("01ab", min_size=8, max_size=8)
names = st.one_of(st.sampled_from(["api", "web", "0a1", "01a", "abab"]), st.text("01ab", min_size=1, max_size=8))
candidate_lists = st.lists(
    st.builds(lambda id_, name, end: Candidate(id_, name, end is None, end), ids, names, st.none() | st.floats(0, 99)),
    unique_by=lambda candidate: candidate.id,
    max_size=12,
)


@given(st.one_of(ids, names), candidate_lists, st.booleans())
def test_whatever_is_found_is_named_by_the_text_and_does_not_hang_on_the_order(text, candidates, live_first):
    found = resolve(text, candidates, live_first=live_first)
    meant = [c for c in candidates if text == c.name or (len(text) >= 3 and c.id.startswith(text))]
    match found:
        case ResolvedReference(candidate):
            assert candidate in meant
        case Ambiguous(several):
            assert len(several) > 1
            assert set(several) <= set(meant)
        case NoMatch():
            assert not meant
    if len({c.name for c in candidates if c.live}) == sum(c.live for c in candidates):
        assert resolve(text, candidates[::-1], live_first=live_first) == found


@given(candidate_lists, st.booleans())
def test_an_exact_id_is_always_itself(candidates, live_first):
    for candidate in candidates:
        assert resolve(candidate.id, candidates, live_first=live_first) == ResolvedReference(candidate)


@given(st.one_of(ids, names), candidate_lists)
def test_a_command_that_ends_guesses_no_finished_one_before_a_live_one(text, candidates):
    found = resolve(text, candidates, live_first=True)
    if isinstance(found, ResolvedReference) and not found.candidate.live and found.candidate.id != text:
        assert not any(c.live and c.name == text for c in candidates)
        assert not any(c.live and len(text) >= 3 and c.id.startswith(text) for c in candidates)


OLDEST_API = Candidate("abc00006", "api", live=False, ended_at=1.0)


@tabled(
    ("text", "meant", "candidates", "several"),
    [
        ("web", NEWEST, OTHERS, (NEWEST, NEWER)),
        ("web", NEWEST, (NEWEST,), ()),
        ("def00004", NEWEST, OTHERS, ()),
        ("def0000", NEWER, (NEWER, LIVE), ()),
        ("api", LIVE, (*OTHERS, OLDEST_API), ()),
        ("api", OLD, (OLD, OLDEST_API, NEWER), (OLD, OLDEST_API)),
    ],
)
def test_a_name_of_several_that_have_ended_names_them_newest_first_unless_one_of_them_lives(
    text, meant, candidates, several
):
    assert ended_so_named(meant, text, candidates) == several


def test_when_it_ended_is_said_as_people_do():
    assert (ago(100.0, 160.0), ago(100.0, 90.0), ago(None, 5.0)) == (", ended 1m ago", ", ended 0s ago", "")
