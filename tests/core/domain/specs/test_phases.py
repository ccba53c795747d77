"""States follow from hashes and from what is stored: what is stale, which gate is open, what comes next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.quests.quest import LandedWork, QuestStatus
from overmind_core.domain.specs.check import DocumentVerdict
from overmind_core.domain.specs.document_json import document_hash
from overmind_core.domain.specs.instructions import phase_title
from overmind_core.domain.specs.markdown import parse, render
from overmind_core.domain.specs.phases import (
    NextPhase,
    TaskCounts,
    accepted,
    again,
    asked_gate,
    drifted,
    edit_ends_wait,
    edited,
    fault_lines,
    feedback,
    is_gate_open,
    next_phase,
    phase_states,
    read_hash,
    spec_state,
    taken_as_is,
    task_counts,
    task_files,
)
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.shape import Fault, SpecTask
from overmind_core.domain.specs.spec import (
    DEFAULT_GATES,
    GATES,
    PHASES,
    Gate,
    GateError,
    PhaseName,
    PhaseState,
    Spec,
    SpecPhase,
    SpecState,
    parse_gates,
)
from overmind_core.kernel.codec import Codec
from overmind_core.quests.intake import checked_title
from tests.kit.cases import tabled
from tests.kit.spec_documents import WHOLE, whole

EXPLORE, REQUIREMENTS, DESIGN, TASKS, SYNC = PHASES
PENDING, RUNNING, REVIEW, PASSED, FAILED, STALE = PhaseState
GOOD = DocumentVerdict(DESIGN, 0.9, hints=("overview: short",))
BAD = DocumentVerdict(DESIGN, 0.95, vetoes=(Fault("cycle", "they need each other", (), 12),))
POOR = DocumentVerdict(DESIGN, 0.69)

GATE_TEXTS = [
    ("tasks,merge", DEFAULT_GATES),
    ("merge, tasks ,merge", DEFAULT_GATES),
    ("ALL", GATES),
    ("none", ()),
    ("explore", (Gate.EXPLORE,)),
]


@pytest.mark.parametrize(("text", "gates"), GATE_TEXTS)
def test_gates_are_named_with_commas_or_all_or_none(text, gates):
    assert parse_gates(text) == gates


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("task", "Unknown gate 'task'. Known: explore, requirements, design, tasks, merge, all, none. Did you mean"),
        ("all,merge", "Unknown gate 'all'"),
        ("sync", "Unknown gate 'sync'"),
        ("", "Missing gates"),
        (" , ", "Missing gates"),
    ],
)
def test_any_other_word_is_no_gate(text, sentence):
    with pytest.raises(GateError, match=sentence):
        parse_gates(text)


def hashes(phases):
    return {phase: record.sha256 for phase, record in phases.items()}


def finished(brief="brief", **documents):
    """The records of a spec all of whose phases have passed."""
    phases: dict[PhaseName, SpecPhase] = {}
    for phase in PHASES:
        sha256 = documents.get(phase, document_hash(read(phase, WHOLE[phase]).document))
        read_sha256 = read_hash(phase, brief, hashes(phases))
        phases[phase] = accepted(SpecPhase(phase), GOOD, sha256=sha256, read_sha256=read_sha256)
    return phases


def states(phases, brief="brief", **how):
    return list(phase_states(phases, brief_sha256=brief, **how).values())


def test_what_has_not_begun_is_pending_and_what_was_made_of_what_is_there_has_passed():
    assert states({}) == [PENDING] * 5
    assert states(finished()) == [PASSED] * 5
    assert states({EXPLORE: finished()[EXPLORE]}, running={REQUIREMENTS}) == [PASSED, RUNNING, *[PENDING] * 3]


def test_whatever_was_made_of_an_edited_document_is_stale_and_nothing_else():
    """29, the pure part: requirements.md edited: only design, tasks and sync."""
    phases = finished()
    changed = document_hash(read(REQUIREMENTS, whole(REQUIREMENTS, feature_name="Baskets")).document)
    phases[REQUIREMENTS] = edited(phases[REQUIREMENTS], GOOD, sha256=changed, file="requirements.md", threshold=0.7)
    assert states(phases) == [PASSED, PASSED, STALE, STALE, STALE]
    assert states(finished(), brief="another") == [STALE] * 5


@tabled(
    "edits",
    [{phase} for phase in ("brief", *PHASES[:-1])] + [{"brief", REQUIREMENTS, TASKS}],
    ids=lambda edits: "-".join(sorted(edits)),
)
def test_an_edit_of_any_document_can_be_taken_as_harmless(edits):
    """Nothing is stale any more, no gate opens, and what an attempt under way brings is not stale either."""
    phases = {phase: replace(one, quest="q", released_sha256=one.sha256) for phase, one in finished().items()}
    phases[SYNC] = replace(phases[SYNC], given_read_sha256="old")
    for phase in edits - {"brief"}:
        after = edited(phases[phase], GOOD, sha256=f"edit of {phase}", file="", threshold=0.7)
        phases[phase] = replace(after, quest=None)
    brief = "another" if "brief" in edits else "brief"
    assert states(phases, brief, gates=GATES) != [PASSED] * 5
    phases |= taken_as_is(phases, brief_sha256=brief)
    assert states(phases, brief, gates=GATES) == [PASSED] * 5
    assert phases[SYNC].given_read_sha256 == read_hash(SYNC, brief, hashes(phases))
    assert taken_as_is(phases, brief_sha256=brief) == {}


def test_what_no_person_has_written_or_allowed_is_asked_about_though_edits_were_taken_as_they_are():
    phases = finished()
    phases[DESIGN] = replace(phases[DESIGN], quest="q", released_sha256="older")
    phases[TASKS] = replace(phases[TASKS], released_sha256="older")
    phases |= taken_as_is(phases, brief_sha256="another", asks=True)
    assert states(phases, "another", gates=GATES, asks=True)[2:4] == [REVIEW, REVIEW]
    assert states(phases, "another", asks=True)[2:4] == [PASSED, REVIEW]


def test_a_document_that_could_not_be_made_again_is_kept_where_a_person_takes_it_as_it_is():
    phases = finished()
    phases[EXPLORE] = replace(again(phases[EXPLORE]), failure="check_failed", quest="q")
    assert states(phases)[0] is FAILED
    phases |= taken_as_is(phases, brief_sha256="another")
    assert states(phases, "another") == [PASSED] * 5


def test_an_edit_of_the_layout_makes_nothing_stale():
    """29, the pure part: only its layout."""
    text = render(read(REQUIREMENTS, WHOLE[REQUIREMENTS], title="Carts").document)
    other = parse(
        REQUIREMENTS, text.replace("\n\n", "\n\n\n").replace("# requirements: Carts", "# requirements: Baskets")
    )
    phases = finished()
    record = edited(
        phases[REQUIREMENTS], GOOD, sha256=document_hash(other.document), file="requirements.md", threshold=0.7
    )
    assert states(phases | {REQUIREMENTS: record}) == [PASSED] * 5


def test_the_same_result_leaves_later_phases_as_they_are():
    phases = finished()
    phases[EXPLORE] = again(phases[EXPLORE])
    assert states(phases) == [STALE, *[PASSED] * 4]
    read_sha256 = read_hash(EXPLORE, "brief", {})
    same = accepted(phases[EXPLORE], GOOD, sha256=phases[EXPLORE].sha256 or "", read_sha256=read_sha256)
    assert states(phases | {EXPLORE: same}) == [PASSED] * 5
    other = accepted(phases[EXPLORE], GOOD, sha256="another", read_sha256=read_sha256)
    assert states(phases | {EXPLORE: other}) == [PASSED, *[STALE] * 4]


@pytest.mark.parametrize(
    ("verdict", "faults"),
    [
        (BAD, ("design.md:12: they need each other",)),
        (POOR, ("design.md: score 0.69, below 0.70",)),
    ],
)
def test_an_edit_that_does_not_pass_fails_its_phase_and_names_the_line(verdict, faults):
    """29, the pure part: edited so that it fails."""
    phases = finished()
    record = edited(phases[DESIGN], verdict, sha256="new", file="design.md", threshold=0.7)
    assert (record.faults, record.sha256, record.score) == (faults, phases[DESIGN].sha256, verdict.score)
    found = phase_states(phases | {DESIGN: record}, brief_sha256="brief")
    assert found[DESIGN] is FAILED
    assert next_phase(found) == NextPhase(DESIGN, FAILED)
    assert not next_phase(found).begins
    record = replace(record, adopted_faults=("design.md: adopted",))
    mended = edited(record, GOOD, sha256="newer", file="design.md", threshold=0.7)
    assert mended.adopted_faults == ()
    assert (mended.faults, mended.sha256) == ((), "newer")


def test_spent_attempts_fail_a_phase_until_a_person_wants_it_again():
    phases = {EXPLORE: SpecPhase(EXPLORE, attempts=3, failure="output_invalid")}
    assert states(phases)[0] is FAILED
    assert states({EXPLORE: again(phases[EXPLORE])})[0] is PENDING


def test_a_gate_is_open_until_a_person_has_let_this_very_document_go_on():
    phases = finished()
    assert states(phases, gates=DEFAULT_GATES) == [PASSED, PASSED, PASSED, REVIEW, PASSED]
    released = replace(phases[TASKS], released_sha256=phases[TASKS].sha256)
    assert states(phases | {TASKS: released}, gates=DEFAULT_GATES) == [PASSED] * 5
    changed = edited(released, GOOD, sha256="another", file="tasks.md", threshold=0.7)
    assert is_gate_open(changed, DEFAULT_GATES)
    assert not is_gate_open(changed, ())
    assert not is_gate_open(SpecPhase(TASKS), DEFAULT_GATES)


def test_commands_that_nobody_has_allowed_open_the_gate_of_the_tasks_even_with_none():
    """34, the pure part: a new check and --gates none."""
    assert states(finished(), asks=True) == [PASSED, PASSED, PASSED, REVIEW, PASSED]


NEXT = [
    ([PENDING] * 5, EXPLORE, True),
    ([PASSED, PENDING, PENDING, PENDING, PENDING], REQUIREMENTS, True),
    ([PASSED, RUNNING, PENDING, PENDING, PENDING], REQUIREMENTS, False),
    ([PASSED, PASSED, REVIEW, PENDING, PENDING], DESIGN, False),
    ([PASSED, PASSED, FAILED, STALE, STALE], DESIGN, False),
    ([PASSED, PASSED, STALE, STALE, STALE], DESIGN, True),
    ([PASSED, PASSED, PASSED, REVIEW, PENDING], TASKS, False),
    ([PASSED, PASSED, PASSED, PASSED, PENDING], SYNC, True),
    ([PASSED] * 5, None, False),
]


@tabled(("found", "phase", "begins"), NEXT)
def test_the_first_phase_that_has_not_passed_comes_next(found, phase, begins):
    following = next_phase(dict(zip(PHASES, found, strict=True)))
    assert (following.phase, following.begins) == (phase, begins)


def test_behind_the_last_phase_that_is_wanted_nothing_comes_next():
    found = dict(zip(PHASES, [PASSED, PASSED, PENDING, PENDING, PENDING], strict=True))
    assert next_phase(found, last=REQUIREMENTS).phase is None
    assert next_phase(found, last=DESIGN).phase is DESIGN


def test_drift_names_what_is_no_longer_as_it_was():
    """32, the pure part: a key file that changes."""
    known = {"b.py": "1", "a.py": "2", "c.py": "", "d.py": "4"}
    assert drifted(known, known) == []
    assert drifted(known, {"b.py": "1", "a.py": "3", "c.py": "new", "e.py": "5"}) == ["a.py", "c.py", "d.py"]


@pytest.mark.parametrize(
    ("completed", "known", "kept", "new", "changing"),
    [
        ([], ["x"], ["x"], [], {"a", "b", "c"}),
        (["T1"], ["x"], ["x"], ["a"], {"b", "c"}),
        (["T1", "T2"], ["x", "a"], ["x", "a"], ["c"], {"b"}),
        (["T1", "T3"], ["a"], ["a"], [], {"b", "c"}),
        (["T1", "T2", "T3"], ["a"], ["a"], ["c", "b"], set()),
        (["T1", "T2"], ["a", "b", "c"], ["a", "c"], [], {"b"}),
    ],
)
def test_a_file_of_tasks_is_known_as_the_last_one_that_changes_it_has_left_it(completed, known, kept, new, changing):
    first, second = SpecTask("T1", "", "", "", "", creates=("a",)), SpecTask("T2", "", "", "", "", ("c",), ("b",))
    tasks = [first, second, replace(second, id="T3", creates=())]
    assert task_files(tasks, completed, known) == (kept, new, changing)


def test_faults_are_told_as_compilers_do():
    assert fault_lines(BAD, "tasks.md", 0.7) == ["tasks.md:12: they need each other"]
    assert fault_lines(POOR, "tasks.md", 0.7) == ["tasks.md: score 0.69, below 0.70"]
    assert fault_lines(GOOD, "tasks.md", 0.7) == []
    without_line = DocumentVerdict(SYNC, 0, vetoes=(Fault("cycle", "x"),))
    assert fault_lines(without_line, "sync.md", 0.7) == ["sync.md: x"]


def test_the_next_attempt_is_told_the_score_the_faults_and_the_hints():
    """24, the pure part: again, with its faults as feedback."""
    verdict = replace(BAD, score=0.69, hints=("hours: T should take less",))
    assert feedback(verdict, "tasks.json", 0.7) == (
        "tasks.json: score 0.69, 0.70 needed\ntasks.json:12: they need each other\nhint: hours: T should take less"
    )


SPEC = Spec("0123abcd", "carts", "Carts", "/shop/.overmind/specs/carts", repository="/shop", branch="spec/carts")
LANDED = replace(SPEC, landed=LandedWork("main", "a", "b"))
DONE_PHASES = [PASSED] * 5
COMPLETED = TaskCounts(completed=3)
STATES = [
    (SPEC, [PENDING] * 5, TaskCounts(), False, SpecState.DRAFT),
    (SPEC, [PENDING] * 5, TaskCounts(), True, SpecState.RUNNING),
    (SPEC, [PASSED, RUNNING, *[PENDING] * 3], TaskCounts(), False, SpecState.RUNNING),
    (SPEC, [PASSED, STALE, *[STALE] * 3], TaskCounts(), False, SpecState.DRAFT),
    (SPEC, [PASSED, PASSED, PASSED, REVIEW, PENDING], TaskCounts(), False, SpecState.REVIEW),
    (SPEC, [PASSED, FAILED, *[PENDING] * 3], TaskCounts(), False, SpecState.FAILED),
    (SPEC, [PASSED, FAILED, *[PASSED] * 3], TaskCounts(going=2), False, SpecState.FAILED),
    (SPEC, DONE_PHASES, TaskCounts(completed=1, going=1, stuck=1), False, SpecState.WORKING),
    (SPEC, [PASSED, PASSED, *[STALE] * 3], TaskCounts(going=1), False, SpecState.WORKING),
    (SPEC, DONE_PHASES, TaskCounts(completed=1, stuck=1), False, SpecState.STUCK),
    (SPEC, [PASSED, PASSED, *[STALE] * 3], COMPLETED, False, SpecState.STUCK),
    (SPEC, DONE_PHASES, COMPLETED, False, SpecState.LANDING),
    (replace(SPEC, landing=True), DONE_PHASES, COMPLETED, False, SpecState.LANDING),
    (replace(SPEC, question=4), DONE_PHASES, COMPLETED, False, SpecState.REVIEW),
    (replace(SPEC, landed=LandedWork("main", "a", "b")), DONE_PHASES, COMPLETED, False, SpecState.DONE),
    *(
        (LANDED, [*[PASSED] * 2, edit, *[STALE] * 2], COMPLETED, False, SpecState.DONE)
        for edit in (STALE, REVIEW, FAILED, PENDING)
    ),
    *(
        (replace(LANDED, repository=None, branch=None, landed=None), [edit, *[STALE] * 4], COMPLETED, False, state)
        for edit, state in ((STALE, SpecState.DONE), (FAILED, SpecState.DONE))
    ),
    (LANDED, [STALE] * 5, TaskCounts(completed=2, stuck=1), False, SpecState.STUCK),
    (LANDED, [STALE] * 5, TaskCounts(completed=2, going=1), False, SpecState.WORKING),
    (LANDED, [STALE] * 5, COMPLETED, True, SpecState.RUNNING),
    (replace(LANDED, target=PhaseName.SYNC), [STALE] * 5, COMPLETED, False, SpecState.RUNNING),
    (replace(LANDED, target=PhaseName.SYNC), [FAILED, *[STALE] * 4], COMPLETED, False, SpecState.FAILED),
    (replace(LANDED, target=PhaseName.SYNC), [*[PASSED] * 3, REVIEW, STALE], COMPLETED, False, SpecState.REVIEW),
    (replace(SPEC, branch=None), DONE_PHASES, COMPLETED, False, SpecState.DONE),
    (replace(SPEC, archived=True), DONE_PHASES, TaskCounts(going=1), True, SpecState.ARCHIVED),
]


@tabled(("spec", "found", "tasks", "queued", "state"), STATES, ids=range(len(STATES)))
def test_the_state_of_a_spec_follows_from_its_phases_and_quests(spec, found, tasks, queued, state):
    states = dict(zip(PHASES, found, strict=True))
    assert spec_state(spec, states, tasks, queued=queued, asked=REVIEW in found) is state


@pytest.mark.parametrize(("tasks", "state"), [(TaskCounts(), SpecState.DRAFT), (COMPLETED, SpecState.STUCK)])
def test_a_spec_whose_gate_nobody_is_asked_about_is_not_in_review(tasks, state):
    assert spec_state(SPEC, dict(zip(PHASES, [*[PASSED] * 3, REVIEW, PENDING], strict=True)), tasks) is state


@tabled(
    ("change", "record", "states", "asked"),
    [
        ({}, {}, [*[PASSED] * 3, REVIEW, PENDING], False),
        ({"target": SYNC}, {}, [*[PASSED] * 3, REVIEW, PENDING], True),
        ({}, {"contested": True}, [*[PASSED] * 3, REVIEW, PENDING], True),
        ({}, {"released_sha256": "x"}, [*[PASSED] * 3, REVIEW, PENDING], True),
        ({"target": SYNC}, {}, [PASSED, PENDING, PASSED, REVIEW, PENDING], False),
        ({"target": SYNC}, {}, DONE_PHASES, False),
    ],
)
def test_the_first_open_gate_is_asked_about_once_somebody_has_run_the_spec(change, record, states, asked):
    phases = {TASKS: SpecPhase(TASKS, **record)}
    found = asked_gate(replace(SPEC, **change), phases, dict(zip(PHASES, states, strict=True)))
    assert found is (phases[TASKS] if asked else None)


@tabled(
    ("before", "after", "ends"),
    [
        ((FAILED, {"faults": ("a",)}), (PASSED, {}), True),
        ((FAILED, {"file_sha256": "a"}), (PASSED, {"file_sha256": "b"}), True),
        ((FAILED, {"file_sha256": "a"}), (FAILED, {"file_sha256": "b"}), False),
        ((FAILED, {"file_sha256": "a"}), (REVIEW, {"file_sha256": "b"}), False),
        ((REVIEW, {"read_sha256": "a"}), (STALE, {"read_sha256": "a"}), True),
        ((REVIEW, {"read_sha256": "a"}), (STALE, {}), False),
        ((REVIEW, {}), (PASSED, {}), False),
        ((REVIEW, {"contested": True, "file_sha256": "a"}), (PASSED, {"file_sha256": "b"}), False),
        ((RUNNING, {"file_sha256": "a"}), (PASSED, {"file_sha256": "b"}), False),
    ],
)
def test_an_edit_ends_the_wait_for_a_person_and_no_answer_attempt_or_choice_does(before, after, ends):
    stood, stands = ({EXPLORE: SpecPhase(EXPLORE, recorded_state=state, **more)} for state, more in (before, after))
    assert edit_ends_wait(stood, stands, last=SYNC) is ends
    assert edit_ends_wait(stood, stands, last=EXPLORE) is ends


def test_quests_that_wait_for_a_person_are_counted_as_stuck():
    quests = [
        (QuestStatus.COMPLETED, False),
        (QuestStatus.RUNNING, False),
        (QuestStatus.RUNNING, True),
        (QuestStatus.QUEUED, False),
        (QuestStatus.QUEUED, True),
        (QuestStatus.FAILED, False),
        (QuestStatus.REVIEW, False),
        (QuestStatus.CANCELLED, False),
    ]
    assert task_counts(quests) == TaskCounts(completed=1, going=2, stuck=5)
    assert task_counts(quests).total == 8


@pytest.mark.parametrize("value", [SPEC, replace(SPEC, landed=LandedWork("main", "a", "b"), gates=())])
def test_a_spec_is_stored_as_json_and_old_rows_get_defaults(value):
    codec = Codec(Spec)
    assert codec.decode(codec.encode(value)) == value
    old = codec.decode('{"id":"1","slug":"a","title":"A","folder":"/a","later":3}')
    assert old == Spec("1", "a", "A", "/a")


def test_a_phase_is_stored_as_json_and_old_rows_get_defaults():
    codec = Codec(SpecPhase)
    record = replace(finished()[EXPLORE], files={"a.py": "1"}, faults=("a",), question=3)
    assert codec.decode(codec.encode(record)) == record
    assert codec.decode('{"phase":"tasks"}') == SpecPhase(TASKS)


@pytest.mark.parametrize("phase", PHASES[:-1])
def test_a_phase_of_a_spec_with_the_longest_title_has_one_that_a_quest_may_have(phase):
    room = 300 - len(f"{phase}: ")
    whole_title = phase_title(phase, "x" * room)
    assert whole_title == f"{phase}: {'x' * room}"
    assert checked_title(whole_title) == whole_title
    for length in (room + 1, 300):
        title = phase_title(phase, checked_title("x" * length))
        assert checked_title(title) == title == f"{phase}: {'x' * (room - 3)}[…]"
