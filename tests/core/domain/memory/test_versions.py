"""A note is the fold of its versions and votes: whatever their order, however often they come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.notes import (
    EMPTY,
    Author,
    Content,
    NoteState,
    Origin,
    Standing,
    Version,
    Vote,
    purge_id,
)
from overmind_core.domain.memory.versions import (
    counted_votes,
    emptied,
    fold,
    heads,
    merged,
    number_after,
    purge,
)
from tests.kit.cases import tabled
from tests.kit.torture import examples

NOTE = "N-0000000001"
ADA = Author(person="ada")
AGENT = Author(mission="1a2b3c4d", name="api", agent="claude")


def version(
    name: str,
    *replaced: Version,
    text: str = "",
    standing: Standing = Standing.LIVE,
    author: Author = AGENT,
    at: float = 100.0,
) -> Version:
    return Version(
        id=name,
        note=NOTE,
        number=number_after(replaced),
        replaces=tuple(one.id for one in replaced),
        standing=standing,
        content=Content(text or f"text of {name}"),
        author=author,
        origin=Origin.AGENT,
        at=at,
    )


def vote(voter: str, number: int, *, helped: bool, of: Version, name: str = "") -> Vote:
    return Vote(name or f"{voter}{number}", NOTE, of.id, voter, number, helped)


FIRST = version("a", at=1.0)
EDIT = version("b", FIRST, author=ADA)
OTHER_EDIT = version("c", FIRST)
DEEP = version("d", OTHER_EDIT)
FORGET = version("e", FIRST, standing=Standing.FORGOTTEN)
LATER_FORGET = version("f", EDIT, standing=Standing.FORGOTTEN)
PURGE = purge(NOTE, [FIRST], ADA, Origin.COMMAND, 9.0)


@tabled(
    ("versions", "state", "shown", "number", "conflicts"),
    [
        ([FIRST], NoteState.LIVE, "a", 1, ()),
        ([FIRST, EDIT], NoteState.LIVE, "b", 2, ()),
        ([FIRST, EDIT, OTHER_EDIT], NoteState.LIVE, "b", 2, ("c",)),
        ([FIRST, EDIT, OTHER_EDIT, DEEP], NoteState.LIVE, "d", 3, ("b",)),
        ([FIRST, EDIT, OTHER_EDIT, DEEP, version("g", EDIT, DEEP)], NoteState.LIVE, "g", 4, ()),
        ([FIRST, FORGET], NoteState.FORGOTTEN, "e", 2, ()),
        ([FIRST, FORGET, OTHER_EDIT], NoteState.LIVE, "c", 2, ("e",)),
        ([FIRST, EDIT, LATER_FORGET, OTHER_EDIT], NoteState.LIVE, "c", 2, ("f",)),
        ([FIRST, EDIT, LATER_FORGET], NoteState.FORGOTTEN, "f", 3, ()),
        ([FIRST, version("g", FIRST, standing=Standing.REPLACED)], NoteState.REPLACED, "g", 2, ()),
        ([version("a", standing=Standing.PROPOSED)], NoteState.PROPOSED, "a", 1, ()),
        ([DEEP], NoteState.LIVE, "d", 3, ()),  # its parents may come later
        ([FIRST, DEEP], NoteState.LIVE, "d", 3, ("a",)),
        ([FIRST, EDIT, DEEP, PURGE], NoteState.PURGED, purge_id(NOTE), 4, ()),
        ([PURGE], NoteState.PURGED, purge_id(NOTE), 1, ()),
        ([FIRST, emptied(EDIT)], NoteState.PURGED, purge_id(NOTE), 3, ()),
    ],
)
def test_a_note_is_its_deepest_head_unless_it_was_purged(versions, state, shown, number, conflicts):
    note = fold(versions)
    assert (note.state, note.version, note.number, note.conflicts) == (state, shown, number, conflicts)
    assert note.content == (EMPTY if state is NoteState.PURGED else next(v.content for v in versions if v.id == shown))


def test_a_note_is_by_the_author_of_its_first_version_and_a_person_s_once_one_touched_it():
    assert [fold(v).by_person for v in ([FIRST], [FIRST, OTHER_EDIT], [FIRST, EDIT], [FIRST, EDIT, DEEP])] == [
        False,
        False,
        True,
        True,
    ]
    note = fold([EDIT, FIRST])
    assert (note.author, note.origin, note.created_at, note.edited_at) == (AGENT, Origin.AGENT, 1.0, 100.0)


def test_versions_that_claim_to_replace_each_other_or_themselves_hide_no_note():
    mean = replace(FIRST, replaces=("a", "b", "zz"))
    assert fold([mean, replace(EDIT, number=1)]).version == "a"
    assert [head.id for head in heads([mean])] == ["a"]


@pytest.mark.parametrize("versions", [[], [FIRST, replace(EDIT, note="N-0000000002")]])
def test_a_fold_is_of_one_note(versions):
    with pytest.raises(ValueError, match=f"of {len(versions)} notes"):
        fold(versions)


def test_of_a_voter_the_last_vote_counts():
    votes = [
        vote("x", 1, helped=True, of=FIRST),
        vote("x", 2, helped=False, of=FIRST),
        vote("y", 1, helped=True, of=FIRST, name="y1"),
        vote("y", 1, helped=False, of=FIRST, name="y2"),  # a restored machine counts from 1 again
        vote("z", 1, helped=True, of=FIRST),
        replace(vote("z", 9, helped=False, of=FIRST), note="N-0000000002"),
    ]
    note = fold([FIRST], votes)
    assert (note.helped, note.hurt, note.rests) == (1, 2, False)


PIN = version("b", FIRST, text=FIRST.content.text)
REWRITTEN = version("c", PIN)
WRITTEN_BACK = version("d", REWRITTEN, text=FIRST.content.text)
PINNED_ELSEWHERE = version("e", FIRST, text=FIRST.content.text)


@tabled(
    ("versions", "voted", "rests"),
    [
        ([FIRST], [FIRST, FIRST], True),
        ([FIRST], [FIRST], False),
        ([FIRST, PIN], [FIRST, PIN], True),
        ([FIRST, PIN, REWRITTEN], [FIRST, PIN], False),
        ([FIRST, PIN, REWRITTEN], [FIRST, REWRITTEN, REWRITTEN], True),
        ([FIRST, PIN, REWRITTEN, WRITTEN_BACK], [FIRST, FIRST, REWRITTEN, REWRITTEN], False),
        ([FIRST, PIN, PINNED_ELSEWHERE], [PIN, PINNED_ELSEWHERE], True),
        ([FIRST], [PIN, PIN], False),  # a vote for a version that has not come yet
    ],
)
def test_a_note_rests_while_its_newest_text_hurts(versions, voted, rests):
    votes = [vote(f"m{place}", 1, helped=False, of=of) for place, of in enumerate(voted)]
    assert fold(versions, votes).rests is rests
    helpful = [vote(f"h{place}", 1, helped=True, of=versions[-1]) for place in range(3)]
    assert not fold(versions, votes + helpful).rests


# laws


# Made once: to make and to check a strategy for each draw takes longer than the draw.
FIRST_TEXTS = st.sampled_from("xy")
HOW_MANY = st.integers(0, 9)
STANDINGS = st.sampled_from([Standing.LIVE, Standing.LIVE, Standing.PROPOSED, Standing.FORGOTTEN])
STEPS = st.tuples(st.integers(0, 19), STANDINGS, st.sampled_from("xyz"), st.integers(0, 99))
MANY_STEPS = [st.lists(STEPS, min_size=many, max_size=many) for many in range(10)]
VOTES = st.lists(
    st.tuples(
        st.sampled_from("pqr"),
        st.integers(1, 3),
        st.booleans(),
        st.sampled_from(["", "v", "w"]),
        st.integers(0, 9),
    ),
    max_size=6,
)
KNOWN = [st.integers(1, 2**many - 1) for many in range(1, 11)]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Version], list[Vote]]:
    """What several machines did to a note, each knowing a part of it; purges and restored machines among them."""
    made = [version("00", text=draw(FIRST_TEXTS))]
    for place, (chance, standing, text, name) in enumerate(draw(MANY_STEPS[draw(HOW_MANY)])):
        known_bits = draw(KNOWN[len(made) - 1])
        known = [one for bit, one in enumerate(made) if known_bits >> bit & 1]
        if chance == 0:
            made.append(purge(NOTE, heads(known), ADA, Origin.COMMAND, float(place)))
        else:
            made.append(version(f"{name:02}{place}", *heads(known), text=text, standing=standing))
    cast = draw(VOTES)
    return made, [
        vote(voter, number, helped=helped, of=made[of % len(made)], name=name)
        for voter, number, helped, name, of in cast
    ]


@settings(max_examples=examples(2000))
@given(histories(), st.randoms(use_true_random=False), st.data())
def test_the_order_and_repetition_of_versions_and_votes_mean_nothing(history, random, data):
    versions, votes = history
    again = versions + data.draw(st.lists(st.sampled_from(versions), max_size=3))
    cast = votes + votes[:2]
    random.shuffle(again)
    random.shuffle(cast)
    assert fold(again, cast) == fold(versions, votes)
    assert fold(again, counted_votes(cast)) == fold(versions, votes)
    part, rest = again[: len(again) // 2], again[len(again) // 2 :]
    assert merged([*merged(rest), *merged(part)]) == merged(versions)


@settings(max_examples=examples(2000))
@given(histories())
def test_what_is_shown_is_what_nobody_has_replaced(history):
    versions, votes = history
    note = fold(versions, votes)
    purged = any(one.standing is Standing.PURGED for one in versions)
    assert (note.state is NoteState.PURGED) == purged
    if purged:
        assert note.version == purge_id(NOTE)
        assert {one.content for one in merged(versions)} == {EMPTY}
        return
    by_id = {one.id: one for one in versions}
    replaced = {parent for one in versions for parent in one.replaces}
    assert {note.version, *note.conflicts} == set(by_id) - replaced
    others = [by_id[one] for one in note.conflicts]
    alive = [one for one in others if one.standing is not Standing.FORGOTTEN]
    assert note.state is not NoteState.FORGOTTEN or not alive
    assert all((one.number, note.version) <= (note.number, one.id) or one.number < note.number for one in alive)
    assert note.number == _depth(by_id[note.version], by_id)
    assert note.helped + note.hurt == len({one.voter for one in votes})


def _depth(one: Version, by_id: dict[str, Version]) -> int:
    return 1 + max((_depth(by_id[parent], by_id) for parent in one.replaces), default=0)
