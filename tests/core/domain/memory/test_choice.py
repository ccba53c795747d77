"""What an agent is given unasked: what is pinned or fits, once, whole, and no more than there is room for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.block import render, tokens
from overmind_core.domain.memory.choice import MOST_GIVEN, Candidate, Choice, Corpus, choose, stems_of
from overmind_core.domain.memory.notes import Author, Content, Note, NoteState, Origin
from overmind_core.domain.memory.ranking import alike, grams
from overmind_core.domain.memory.words import stems
from tests.kit.cases import tabled
from tests.kit.torture import examples


def note(
    number: int,
    text: str,
    *,
    files: tuple[str, ...] = (),
    pinned: bool = False,
    state: NoteState = NoteState.LIVE,
    rests: bool = False,
    edited_at: float | None = None,
) -> Note:
    return Note(
        id=f"N-{number:010}",
        state=state,
        version=f"{number:032}",
        number=1,
        versions=1,
        content=Content(text, files=files, pinned=pinned),
        author=Author(person="ada"),
        origin=Origin.COMMAND,
        created_at=1.0,
        edited_at=float(number) if edited_at is None else edited_at,
        by_person=True,
        rests=rests,
    )


REDIS = "The rate limiter keeps its buckets in Redis; start it with: make redis"
REDIS_NOTE = note(1, REDIS, files=("api/**",))
OTHERS = [
    note(11, "Users are read by getUserName, which caches for a minute"),
    note(12, "Migrations run forward only; see api/store/migrate.py before you add one", files=("api/store/*.sql",)),
    note(13, "Snapshots of screens are made anew with make snapshots"),
    note(14, "The release is tagged by hand on Fridays"),
]


def corpus(notes: Sequence[Note], of: int = 30) -> Corpus:
    return Corpus(of, Counter(stem for one in notes for stem in set(stems(one.content.text))))


def chosen(
    question: str, notes: Sequence[Note], *, budget: int = 1500, stale: str = "", only_pinned: bool = False
) -> Choice:
    candidates = [Candidate(one, stale=one.id == stale) for one in notes]
    return choose(question, candidates, corpus(notes), budget=budget, only_pinned=only_pinned)


def told(choice: Choice) -> list[tuple[int, str]]:
    return [(int(one.note.id[2:]), one.why) for one in choice.picked]


@tabled(
    ("question", "given"),
    [
        ("Why do the buckets of the rate limiter vanish? Mend it.", [(1, "words")]),
        ("Rename get_user_name in all callers", [(11, "identifier")]),
        ("Mend `users.getUserName()`", [(11, "identifier")]),
        ("Look at api/store/migrate.py:12", [(1, "path"), (12, "path")]),
        ("Mend migrate.py", [(12, "identifier")]),
        ("Change api/store/0002.sql", [(1, "path"), (12, "path")]),
        ("Change /repo/api/store/0002.sql", []),
        ("Change web/index.html", []),
        ("Start it with what you have, and see that it is made in a minute", []),  # words that say nothing
        ("Make the build faster", []),  # one word in common
        ("The users of the release", []),  # one with each of two notes
        ("", []),
    ],
)
def test_what_fits_is_given_with_the_reason(question, given):
    assert told(chosen(question, [REDIS_NOTE, *OTHERS])) == given


def test_a_path_from_the_root_is_one_of_the_repository():
    found = choose("See /repo/api/x.sql", [Candidate(REDIS_NOTE)], corpus([REDIS_NOTE]), budget=1500, folder="/repo")
    assert told(found) == [(1, "path")]


def test_an_identifier_that_many_notes_name_is_no_reason_by_itself():
    said = ["is slow", "caches for a minute", "raises KeyError", "was renamed on Friday"]
    notes = [note(number, f"getUserName {words}") for number, words in enumerate(said)]
    assert {why for _, why in told(chosen("Mend getUserName", notes[:3]))} == {"identifier"}
    assert {why for _, why in told(chosen("Mend getUserName", notes))} == {"words"}


def test_in_a_larger_scope_and_for_a_longer_question_more_must_be_shared():
    frequency = corpus([REDIS_NOTE, *OTHERS]).frequency
    small, large = Corpus(30, frequency), Corpus(100_000, frequency)
    candidates = [Candidate(one) for one in [REDIS_NOTE, *OTHERS]]
    question = "The limiter forgets its buckets after each deployment"
    assert told(choose(question, candidates, small, budget=1500)) == [(1, "words")]
    assert told(choose(question, candidates, large, budget=1500)) == []
    padding = "".join(f" Then look at thing{number} and widget{number}." for number in range(25))
    assert told(choose(question + "." + padding, candidates, small, budget=1500)) in ([], [(1, "words")])
    assert told(choose(padding + " " + question, candidates, small, budget=1500)) == []  # behind the 20th sentence


PINNED = note(2, "Commits are signed", pinned=True)


@tabled(
    ("changed", "is_given"),
    [
        (REDIS_NOTE, True),
        (replace(REDIS_NOTE, state=NoteState.PROPOSED), False),
        (replace(REDIS_NOTE, state=NoteState.FORGOTTEN), False),
        (replace(REDIS_NOTE, rests=True), False),
        (replace(PINNED, rests=True), False),
        (replace(PINNED, state=NoteState.PROPOSED), False),
        (PINNED, True),
    ],
)
def test_what_is_proposed_or_rests_is_given_to_nobody(changed, is_given):
    question = "The rate limiter loses its buckets in Redis"
    assert bool(chosen(question, [changed]).picked) is is_given
    unlikely = chosen(question, [changed], stale=changed.id)
    assert bool(unlikely.picked) is (is_given and changed.content.pinned)


def test_what_is_pinned_is_first_the_newest_before_the_others_and_alone_without_a_question():
    notes = [REDIS_NOTE, PINNED, note(3, "Nobody pushes to main", pinned=True)]
    question = "The rate limiter loses its buckets in Redis"
    assert told(chosen(question, notes)) == [(3, "pinned"), (2, "pinned"), (1, "words")]
    assert told(chosen("", notes)) == told(chosen(question, notes, only_pinned=True)) == [(3, "pinned"), (2, "pinned")]


def test_of_alike_notes_the_newest_is_given_and_names_the_others():
    need, need_not = note(1, "tests need redis", edited_at=5.0), note(2, "tests do not need redis", edited_at=4.0)
    found = chosen("Do the tests need redis?", [need_not, need, note(3, "tests need no redis", edited_at=4.0)])
    assert told(found) == [(1, "words")]
    assert found.picked[0].shown.head.endswith(", like N-0000000002, N-0000000003, which may say the opposite")
    assert found.left_out == 0
    kept = chosen(
        "Do the tests need redis?", [need, replace(need_not, content=Content("tests do not need redis", pinned=True))]
    )
    assert told(kept) == [(2, "pinned")]  # what a person has pinned is not put aside by what came later


def test_of_many_that_fit_some_are_given_whole_and_the_rest_is_counted():
    said = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india"]
    notes = [note(number, f"rate limiter: {word * 30}") for number, word in enumerate(said)]
    found = chosen("The rate limiter", notes)
    assert (len(found.picked), found.left_out) == (MOST_GIVEN, 4)
    long = replace(notes[0], content=Content(f"rate limiter: {'x' * 3000}"))
    found = chosen("The rate limiter", [long, *notes[1:3]], budget=300)
    assert told(found) == [(1, "words"), (2, "words")]
    assert found.left_out == 1
    assert chosen("The rate limiter", notes[:1], budget=50) == Choice((), 1)


PARTS = ["rate", "limiter", "bucket", "redis", "not", "migrate.py", "getUserName", "\n", "x" * 900, "\u2028", "the"]
TEXTS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=8).map(" ".join)
NOTES = st.lists(
    st.builds(
        note,
        st.integers(0, 10**6),
        TEXTS,
        files=st.sampled_from([(), ("api/*",), ("**",)]),
        pinned=st.sampled_from([False, False, True]),
        state=st.sampled_from([NoteState.LIVE, NoteState.LIVE, NoteState.PROPOSED]),
        edited_at=st.sampled_from([1.0, 2.0]),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@settings(max_examples=examples(1000))
@given(
    NOTES, TEXTS | st.just("see api/x"), st.integers(0, 2000), st.integers(0, 5000), st.randoms(use_true_random=False)
)
def test_the_budget_is_kept_and_nothing_is_given_twice(notes, question, budget, size, random):
    known = corpus(notes, size)
    candidates = [Candidate(one, stale=random.random() < 0.2) for one in notes]
    found = choose(question, candidates, known, budget=budget)
    given_notes = [one.shown for one in found.picked]
    assert not given_notes or tokens(render(given_notes, b"secret")) <= budget
    assert len(given_notes) <= MOST_GIVEN
    assert all(one.shown.text == one.note.content.text for one in found.picked)
    shapes = [grams(one.note.content.text) for one in found.picked]
    assert not any(alike(one, other) for place, one in enumerate(shapes) for other in shapes[:place])
    whys = [one.why == "pinned" for one in found.picked]
    assert whys == sorted(whys, reverse=True)
    assert found == choose(
        question, candidates, Corpus(size, dict(reversed(list(known.frequency.items())))), budget=budget
    )
    asked = {stem: known.frequency[stem] for stem in stems_of(question, candidates) if stem in known.frequency}
    assert found == choose(question, candidates, Corpus(size, asked), budget=budget)
    roomy = choose(question, candidates, known, budget=10**6)
    assert len(roomy.picked) + roomy.left_out == len(found.picked) + found.left_out
