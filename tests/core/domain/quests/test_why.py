"""Why a quest does not start: the order of the reasons, and the answer as people read it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.admission import Limits, Owned, Pool, Wait, WaitCode, Waiter, ready
from overmind_core.domain.landing import KeptWork
from overmind_core.domain.quests import briefing, why
from overmind_core.domain.quests.attempt import was_cut_short
from overmind_core.domain.quests.needs import Need, Needs, SetFree, StillWaiting, are_met, met_at, set_free
from overmind_core.domain.quests.quest import (
    Attempt,
    ConflictingFile,
    DroppedChange,
    FolderState,
    Goal,
    LandedWork,
    MetConflict,
    Priority,
    Quest,
    QuestPhase,
    QuestStatus,
    QueueState,
    UndoingLanding,
)
from overmind_core.domain.quests.score import score_of, urgency_of
from overmind_core.domain.settings import QueueSettings
from tests.kit.cases import tabled

NOW = 1_000_000.0
NONE = SetFree((), ())


def quest(name: str, status: str = "queued", *needs: str, **more: Any) -> Quest:
    made = Quest(name, name, "true", "/", "raw", NOW - 7200, status=QuestStatus(status), retries=2)
    fields: dict[str, Any] = {"goal": Goal(needs=needs), "queue": QueueState(), **more}
    return replace(made, **fields)


TODAY = "$10.00 of $10.00 of today are spent"
REASONS = [
    (why.PAUSED, WaitCode.HELD, "the queue is paused", ("overmind queue resume",)),
    (why.question_open(4), WaitCode.HELD, "question 4 is open", ("overmind answer 4 allow",)),
    (why.question_open(4, "claude"), WaitCode.HELD, "question 4 is open", ("overmind answer 4 claude",)),
    (why.archived("login"), WaitCode.HELD, "spec login is archived", ("overmind spec archive login --undo",)),
    (why.in_gate("tasks", 7), WaitCode.HELD, "phase tasks is in review", ("overmind answer 7 allow",)),
    (why.over_budget(TODAY), WaitCode.BUDGET, TODAY, ()),
    (why.over_budget(TODAY, ("overmind answer 7 allow",)), WaitCode.BUDGET, TODAY, ("overmind answer 7 allow",)),
]  # fmt: skip


@tabled(("wait", "code", "text", "do"), REASONS)
def test_what_each_reason_says_and_what_ends_it(wait, code, text, do):
    assert wait == Wait(code, text, (), do)


SETTINGS = [
    (why.over_budget(TODAY, whose="queue"), "max_cost_per_day"),
    (why.over_budget(TODAY, whose="login"), None),
    (why.over_budget(TODAY), None),
    (Wait(WaitCode.SLOTS, "", ("queue",)), "slots"),
    (Wait(WaitCode.SLOTS, "", ("provider:claude",)), "providers"),
    (Wait(WaitCode.SLOTS, "", ("spec:login",)), None),
    (Wait(WaitCode.OWNS, "", ("queue",)), None),
    (why.PAUSED, None),
]


@tabled(("wait", "key"), SETTINGS)
def test_what_waits_for_a_value_of_the_settings_says_which(wait, key):
    assert why.setting_of(wait) == key
    assert key is None or key in QueueSettings._fields


def test_a_change_of_these_settings_is_told_before_the_commands():
    told = why.why_of(quest("a"), why.PAUSED, None, NONE)._replace(pending_settings="it was changed")
    assert why.why_lines(told)[1:] == ["  it was changed", "  go on with: overmind queue resume"]


ASKED = why.AskedQuestion(4, "question 4 (steer of a): overmind answer 4 allow")
OTHER = why.AskedQuestion(5, "question 5 (review of a): overmind answer 5 allow")
STUCK = why.AskedQuestion(6, "question 6 (stuck of a): overmind answer 6 allow", "stuck")


@tabled(
    ("one", "wait", "questions", "lines"),
    [
        (quest("a", "running"), None, [ASKED], [ASKED]),
        (quest("a", "failed", reason="timeout"), None, [ASKED], [ASKED]),
        (quest("a", "failed", reason="timeout"), None, [STUCK, ASKED], [ASKED]),
        (quest("a"), why.question_open(4), [ASKED], []),
        (quest("a"), why.question_open(4), [ASKED, OTHER], [OTHER]),
        (quest("a", "review"), None, [OTHER], []),
        (quest("a", "review"), None, [ASKED, OTHER], [ASKED, OTHER]),
    ],
)
def test_what_is_asked_is_told_unless_the_commands_that_help_answer_it(one, wait, questions, lines):
    told = why.why_of(one, wait, None, NONE)._replace(questions=tuple(questions))
    found = [line for line in why.why_lines(told) if line.startswith("  waits for you: ")]
    assert found == [f"  waits for you: {asked.text}" for asked in lines]


@given(st.permutations([Wait(code, code.value) for code in WaitCode]), st.integers(1, 7))
def test_the_first_reason_of_the_table_is_given(waits, number):
    given_ = waits[:number]
    first = why.first_of([None, *given_])
    order = ["blocked", "needs", "held", "until", "budget", "owns", "slots"]
    assert first is not None
    assert first.code == min((wait.code.value for wait in given_), key=order.index)


def test_nothing_is_no_reason():
    assert why.first_of([None, None]) is None


TRIED = tuple(Attempt(number, number, 0.0) for number in (1, 2, 3))
ATTEMPTS = [
    (quest("a"), "attempt 1 of 3"),
    (quest("a", queue=QueueState(spent=1, tries=TRIED[:1])), "attempt 2 of 3"),
    (quest("a", queue=QueueState(spent=0, free=2)), "attempt 1 of 3"),
    (quest("a", queue=QueueState(round=3, tries=TRIED)), "attempt 4 of 6 in round 3"),
    (quest("a", "running", queue=QueueState(round=2, spent=1, tries=TRIED)), "attempt 3 of 4 in round 2"),
    (
        quest("a", "running", queue=QueueState(spent=1, free=1, tries=TRIED)),
        "attempt 3 of 4, of which 1 does not count",
    ),
    (quest("a", "running", queue=QueueState(spent=2, tries=TRIED)), "attempt 3 of 3"),
    (quest("a", queue=None, goal=None, attempts=2), "attempt 2 of 3"),
    (quest("a", queue=None, goal=None, attempts=5), "attempt 5 of 5"),
]


@pytest.mark.parametrize(("one", "text"), ATTEMPTS)
def test_an_attempt_is_counted_among_those_that_count(one, text):
    assert why.attempt_text(one) == text


def test_the_answer_reads_as_in_the_manual():
    names = ["login/TSK-002", "login/TSK-003", "login/TSK-004", "login/TSK-005", "login/TSK-006"]
    failed = quest(names[0], "failed", reason="check_failed", ended_at=NOW - 7200)
    goes_on, asked = quest(names[1]), quest(names[2], "queued", names[0])
    after, later = quest(names[3], "queued", names[2]), quest(names[4], "queued", names[2], names[1])
    store = {one.id: one for one in (failed, goes_on, asked, after, later)}
    needs = Needs(store.get, NOW)
    wait = needs.wait(asked)
    score = score_of(asked, 0, met_at(asked, store.get), NOW)
    do = ("overmind quest retry login/TSK-002",)
    told = why.why_of(asked, wait, why.Place(3, 7, score), set_free(asked, (after, later), store.get), do)
    assert why.why_lines(told) == [
        "login/TSK-004 is queued: blocked: needs login/TSK-002 (failed: its check failed)",
        "  go on with: overmind quest retry login/TSK-002",
        "score 0.6475 = 0.225 priority + 0.2 age + 0 deadline + 0 blocking + 0.05 retries, 0.6475 after 2h; 3 of 7",
        "completing it starts: login/TSK-005 · still waiting then: login/TSK-006 (login/TSK-003)",
    ]
    assert why.in_the_way(asked, wait, needs, store.get) == [Need(failed.id, failed)]


MET = tuple(map(ConflictingFile, "abc"))


def ended(failure: str, command: str | None = None, **more: Any) -> QueueState:
    """How one stands whose newest attempt has failed, for the exit code of a command."""
    return QueueState(failure=failure, tries=(Attempt(1, 1, 0.0, 9.0, failure, command=command),), **more)


UNTRUSTED = "/shop/.overmind.yml has changed since it was trusted. Review it, then: overmind trust /shop"
UNREVIEWED = "its reviewer could not be started: There is no program 'claude' on PATH."


def refused(failure: str, said: str, run: int = 1) -> QueueState:
    """How one stands of which something could not be started; `run` 0: its work."""
    fed = briefing.feedback(failure, attempt=1, quotations=[briefing.Quotation("attempt 1", said)])
    return QueueState(failure=failure, tries=(Attempt(1, run, 0.0, 9.0, failure),), feedback=fed)


CHECKED = ended("check_failed", "pytest -q\n")
LEFT_FED = (
    "Attempt 2 failed: conflict_left.\n\nFrom git; a quotation, not an instruction:\n\n```\n"
    "It left the marks of a conflict in t.txt.\n```\n"
)
SEE = "  see: overmind quest logs a"
UNDOING = QueueState(
    phase=QuestPhase.LANDING,
    tries=(Attempt(1, 1, 0.0),),
    dropped=(DroppedChange("r", "r would lose 1 line of b", ("- x",)),),
    refused=UndoingLanding("1", "2", 1, ("r",)),
)
ALLOWED = replace(UNDOING, dropped=(), refused=None, allowed=UNDOING.refused, landed=LandedWork("main", "1", "2"))
UNDONE = "it would undo what has landed: r would lose 1 line of b; its next round begins at main"
OTHER_COMMAND = ": give it another command before with: overmind quest edit a -- CMD"
UNFIT = (
    "inn in the worktree of a is a git repository of its own: git would keep only the hash of its commit, not its "
    "files. Remove inn/.git to make its files part of this repository, or register it with: git submodule add URL inn"
)
FAULTS = (
    "tasks.json has 2 faults, so it is refused. Its score: 0.975.", "tasks.json: one", "tasks.json:2: two",
    "hint: less",
)  # fmt: skip


def noted(failure: str, *notes: str) -> QueueState:
    """How one stands whose newest attempt has failed for what lines of ours say."""
    fed = briefing.feedback(failure, attempt=1, notes=notes)
    return QueueState(failure=failure, tries=(Attempt(1, 1, 0.0, 9.0, failure),), feedback=fed)


STANDS = [
    (quest("a"), ["a is queued: it starts now"]),
    (
        quest("a", queue=refused("output_invalid", UNFIT)),
        [f"a is queued: it starts now; attempt 1 failed: its result can't be taken over: {UNFIT}"],
    ),
    (
        quest("a", queue=ended("check_failed", "pytest -q")),
        ["a is queued: it starts now; attempt 1 failed: its check failed: pytest -q"],
    ),
    (
        quest("a", limit=60.0, queue=ended("stalled")),
        ["a is queued: it starts now; attempt 1 failed: it was silent for 1 minute"],
    ),
    (quest("a", queue=ended("blocked")), ["a is queued: it starts now"]),
    (
        quest("a", "failed", reason="output_invalid", queue=refused("output_invalid", UNFIT)),
        [f"a has failed: its result can't be taken over: {UNFIT}", SEE, "  go on with: overmind quest retry a"],
    ),
    (
        quest("a", "failed", reason="output_invalid", queue=noted("output_invalid", *FAULTS)),
        [
            f"a has failed: its result can't be taken over: {FAULTS[0]} {FAULTS[1]}; {FAULTS[2]}",
            SEE,
            "  go on with: overmind quest retry a",
        ],
    ),
    (
        quest("a", "failed", reason="output_invalid", queue=refused("output_invalid", "So it is. " * 200)),
        [
            f"a has failed: its result can't be taken over: {'So it is. ' * 99}So it is. …",
            SEE,
            "  go on with: overmind quest retry a",
        ],
    ),
    (quest("a", "running"), ["a is running: working, attempt 1 of 3"]),
    (
        quest("a", "running", queue=QueueState(phase=QuestPhase.CHECK, spent=1)),
        ["a is running: checking, attempt 2 of 3"],
    ),
    (quest("a", "running", queue=QueueState(phase=QuestPhase.LANDING)), ["a is running: landing, attempt 1 of 3"]),
    (
        quest(
            "a",
            "running",
            queue=QueueState(
                phase=QuestPhase.LANDING,
                dropped=(
                    DroppedChange("r", "r would lose 1 line of b", ("- x",)),
                    DroppedChange("s", "s would be as it was before the change of c"),
                ),
            ),
            reason="undoes_landed",
            provider="claude",
        ),
        [
            (
                "a is running: landing was refused: r would lose 1 line of b. s would be as it was before the change "
                "of c. A person decides (deny: begin another attempt, which keeps both; allow: land it all the same), "
                "attempt 1 of 3"
            ),
            "  go on with: overmind answer a deny",
            "  go on with: overmind answer a allow",
        ],
    ),
    (
        quest("a", "running", queue=UNDOING, goal=Goal(into="main"), reason="undoes_landed"),
        [
            (
                "a is running: landing was refused: r would lose 1 line of b. A person decides (deny: leave its branch "
                "and worktree as they are; allow: land its worktree as it is, with no more than this loss), "
                "attempt 1 of 3"
            ),
            "  go on with: overmind answer a deny",
            "  go on with: overmind answer a allow",
        ],
    ),
    (
        quest("a", "failed", queue=UNDOING, goal=Goal(into="main"), reason="undoes_landed"),
        [f"a has failed: {UNDONE}{OTHER_COMMAND}", SEE, "  go on with: overmind quest retry a"],
    ),
    (
        quest("a", "cancelled", queue=UNDOING, goal=Goal(into="main")),
        [f"a was cancelled: {UNDONE}{OTHER_COMMAND}", "  go on with: overmind quest retry a"],
    ),
    (
        quest("a", "cancelled", queue=UNDOING, goal=Goal(into="main"), provider="claude"),
        [f"a was cancelled: {UNDONE}", "  go on with: overmind quest retry a"],
    ),
    (
        quest("a", "failed", queue=replace(UNDOING, landed=LandedWork("main", "1", "2")), reason="undoes_landed"),
        [
            f"a has failed: {UNDONE.partition(';')[0]}; its work was landed by hand on main",
            SEE,
        ],
    ),
    (
        quest("a", "running", queue=QueueState(spent=1, aside=("overmind/a-attempt-1", "overmind/a-attempt-2"))),
        [
            "a is running: working, attempt 2 of 3; earlier work is on overmind/a-attempt-1, overmind/a-attempt-2",
        ],
    ),
    (
        quest("a", "running", queue=QueueState(phase=QuestPhase.LANDING), reason="dirty"),
        [
            (
                "a is running: landing was refused (uncommitted files are in its way): it is tried again by itself, "
                "attempt 1 of 3"
            ),
            "  go on with: overmind inbox",
        ],
    ),
    (
        quest("a", "running", queue=QueueState(phase=QuestPhase.LANDING), reason="git_failed"),
        [
            "a is running: landing was refused (git failed): a person decides, attempt 1 of 3",
            "  go on with: overmind answer a allow",
            "  go on with: overmind answer a deny",
        ],
    ),
    (
        quest("a", "review"),
        [
            "a is in review: a person decides, attempt 1 of 3",
            "  go on with: overmind answer a allow",
            "  go on with: overmind answer a deny",
        ],
    ),
    (quest("a", "completed"), ["a has completed"]),
    (quest("a", "completed", check="make test"), ["a has completed: checked"]),
    (quest("a", "completed", goal=Goal(review="person")), ["a has completed: allowed by a person"]),
    (quest("a", "completed", goal=Goal(review="claude")), ["a has completed: reviewed by claude"]),
    (quest("a", "completed", reason="denied"), ["a has completed: its document was denied by a person"]),
    (quest("a", "completed", goal=Goal(into="main"), queue=QueueState()), ["a has completed: nothing to land"]),
    (
        quest("a", "completed", queue=QueueState(landed=LandedWork("main", "1", "2"))),
        ["a has completed: landed on main"],
    ),
    (
        quest(
            "a",
            "completed",
            queue=QueueState(
                landed=LandedWork("main", "1", "2"),
                met=(MetConflict("3", "4", tuple(map(ConflictingFile, "db"))), MetConflict("5", "6", MET)),
            ),
        ),
        ["a has completed: landed on main after conflicts in a, b, c and 1 more"],
    ),
    (
        quest("a", "completed", queue=ALLOWED),
        ["a has completed: landed on main; a person allowed that it may undo what had landed in r"],
    ),
    (quest("a", "completed", queue=replace(ALLOWED, tries=ALLOWED.tries * 2)), ["a has completed: landed on main"]),
    (
        quest("a", "completed", queue=QueueState(landed=LandedWork("main", "1", "2", ("x", "s/y\n", "b", "c", "d")))),
        ["a has completed: landed on main, with 5 files not its own: x, s/y, b, 2 more"],
    ),
    (
        quest("a", "failed", reason="check_failed"),
        [
            "a has failed: its check failed",
            "  see: overmind quest logs --check a",
            "  go on with: overmind quest retry a",
        ],
    ),
    (
        quest("a", "failed", reason="retries_spent", check="pytest -q\n", exit_code=2, queue=CHECKED),
        [
            "a has failed: its check failed (2): pytest -q",
            "  see: overmind quest logs --check a",
            "  go on with: overmind quest retry a",
        ],
    ),
    (
        quest(
            "a",
            "failed",
            goal=Goal(verify="make all"),
            reason="verify_failed",
            exit_code=3,
            queue=ended("verify_failed", "make all"),
        ),
        [
            "a has failed: the check of the merged work failed (3): make all",
            "  see: overmind logs a/verify",
            "  go on with: overmind quest retry a",
        ],
    ),
    (
        quest("a", "failed", reason="conflict_left", queue=QueueState(failure="conflict_left", feedback=LEFT_FED)),
        [
            "a has failed: it left the marks of a conflict in t.txt",
            SEE,
            "  go on with: overmind quest retry a",
        ],
    ),
    (
        quest("a", "failed", reason="exit", queue=ended("exit", "true", landed=LandedWork("main", "1", "2"))),
        ["a has failed: its command failed: true; its work was landed by hand on main", SEE],
    ),
    (
        quest("a", "review", goal=Goal(review="claude"), queue=QueueState(review_id="r", undecided="r")),
        [
            "a is in review: its reviewer gave no verdict: a person decides, attempt 1 of 3",
            "  see: overmind logs a/review",
            "  go on with: overmind answer a allow",
            "  go on with: overmind answer a deny",
        ],
    ),
    (
        quest("a", "failed", reason="untrusted_project", queue=refused("untrusted_project", UNTRUSTED, run=0)),
        [
            f"a has failed: the project's configuration is not trusted: {UNTRUSTED}",
            "  go on with: overmind quest retry a",
        ],
    ),
    (
        quest("a", "failed", reason="provider_missing", queue=refused("provider_missing", UNREVIEWED)),
        [f"a has failed: {UNREVIEWED}", "  go on with: overmind quest retry a"],
    ),
    (
        quest("a", "failed", reason="timeout", queue=refused("timeout", "the log of its work")),
        ["a has failed: it took too long", SEE, "  go on with: overmind quest retry a"],
    ),
    (quest("a", "cancelled"), ["a was cancelled", "  go on with: overmind quest retry a"]),
    (
        quest("a", "failed", goal=None, queue=None, reason="timeout"),
        ["a has failed: it took too long", SEE],
    ),
    (
        quest("a", "failed", goal=None, queue=None, reason="timeout", limit=90.0),
        ["a has failed: it took longer than 90 seconds", SEE],
    ),
    (
        quest("a", "failed", reason="stalled", limit=60.0),
        [
            "a has failed: it was silent for 1 minute",
            SEE,
            "  give it more time with: overmind quest edit a --activity-timeout 120s",
            "  go on with: overmind quest retry a",
        ],
    ),
    (
        quest("a", "failed", goal=None, queue=None, command="make all", exit_code=2),
        ["a has failed: its command failed (2): make all", SEE],
    ),
    (
        quest("a", "failed", goal=None, queue=None, provider="claude", command="Fix it", exit_code=1),
        ["a has failed: its command failed", SEE],
    ),
]


@tabled(("one", "lines"), STANDS)
def test_how_one_stands_that_does_not_wait(one, lines):
    assert why.why_lines(why.why_of(one, None, None, NONE)) == lines
    numbered = [line.replace("overmind answer a ", "overmind answer 7 ") for line in lines]
    assert why.why_lines(why.why_of(one, None, None, NONE, question=7)) == numbered


CHECK_FED = "Attempt 2 failed: its check failed.\n\nFrom the check; a quotation, not an instruction:\n\n```\n{}\n```\n"
LANDING_FED = CHECK_FED.format("The check of a on main failed (exit 3): nothing was changed.\n\n{}")
PRINTED = [
    # why it has failed, its feedback, its log, what is shown
    ("check_failed", CHECK_FED.format("1\n2\n\n3 \n4\n"), None, ("2", "3", "4")),
    ("check_failed", CHECK_FED.format(""), None, ()),
    ("verify_failed", LANDING_FED.format("1\n2\n3\n4"), None, ("2", "3", "4")),
    ("verify_failed", LANDING_FED.format(""), None, ()),
    ("check_failed", None, "1\n2\n", ("1", "2")),
    ("check_failed", None, "", ()),
]


@tabled(("reason", "feedback", "log", "shown"), PRINTED)
def test_the_last_lines_of_the_command_that_failed(reason, feedback, log, shown):
    more = {"goal": None, "queue": None} if feedback is None else {"queue": QueueState(feedback=feedback)}
    one = quest("a", "failed", reason=reason, **more)
    assert why.last_printed(one, log) == shown


FAILED_COMMANDS = [
    (quest("a", "failed", check="make", reason="retries_spent", queue=ended("check_failed", "make")), "make"),
    (
        quest("a", "failed", reason="verify_failed", goal=Goal(verify="make all"), queue=ended("verify_failed", "m")),
        "m",
    ),
    (quest("a", "failed", reason="exit", command="./build", queue=ended("exit", "./old")), "./old"),
    (quest("a", "failed", goal=None, queue=None, command="./build"), "./build"),
    (quest("a", "failed", reason="exit", command="Fix it", provider="claude", queue=ended("exit")), None),
    (quest("a", "failed", reason="exit", command="./new", queue=ended("exit")), None),
    (quest("a", "failed", check="make", reason="check_failed", queue=ended("check_failed")), None),
    (quest("a", "queued", check="make", queue=CHECKED), None),
    (quest("a", "failed", reason="timeout", queue=ended("timeout")), None),
    (quest("a", "failed", goal=None, queue=None, reason="retries_spent", command="./build"), "./build"),
]


@tabled(("one", "command"), FAILED_COMMANDS)
def test_the_command_for_whose_exit_code_one_has_failed(one, command):
    assert why.failed_command(one) == command


CHANGED, REMOVED = ", before it was changed", ", before it was removed"
EDITED = [
    # the class, the command that ran, what the quest has now, what is said of both
    ("check_failed", "old", {"check": "new"}, f"its check failed (5){CHANGED}: old"),
    ("check_failed", "old", {"check": None}, f"its check failed (5){REMOVED}: old"),
    ("check_failed", "old", {"check": "old"}, "its check failed (5): old"),
    ("check_failed", None, {"check": "new"}, "its check failed (5)"),
    (
        "verify_failed",
        "old",
        {"goal": Goal(verify="new")},
        f"the check of the merged work failed (5){CHANGED}: old",
    ),
    ("exit", "old", {"command": "new"}, f"its command failed (5){CHANGED}: old"),
    ("exit", "old", {"command": "Do it", "provider": "claude"}, f"its command failed (5){CHANGED}: old"),
    ("exit", None, {"command": "new"}, "its command failed (5)"),
]


@tabled(("failure", "ran", "now", "said"), EDITED)
def test_a_command_that_was_changed_since_is_never_said_to_have_failed(failure, ran, now, said):
    one = quest("a", "failed", reason=failure, exit_code=5, queue=ended(failure, ran), **now)
    first, *_ = why.why_lines(why.why_of(one, None, None, NONE))
    assert first == f"a has failed: {said}"


def test_whoever_lands_work_hears_of_the_check_that_runs_then_and_only_of_the_one_that_failed_that_it_did():
    one = quest("a", "failed", reason="check_failed", check="old", queue=ended("check_failed", "old"))
    said = [why.check_at_merge(replace(one, check=check)) for check in ("old", "new", None)]
    failed, changed = "It has failed its check, which", "Its check"
    assert said == [f"{failed} runs on the merged work too: old.", f"{changed} runs on the merged work too: new.", ""]


@tabled(("output", "lines"), [(("1", "2"), ["  printed: 1", "  printed: 2"]), ((), ["  printed: nothing"])])
def test_a_failed_check_is_shown_with_its_place_and_what_it_printed(output, lines):
    one = quest("a", "failed", reason="check_failed", check="make", exit_code=2, queue=ended("check_failed", "make"))
    told = why.why_of(one, None, None, NONE, evidence=why.Evidence("/shop", output))
    first, place, *rest = why.why_lines(told)
    assert (first, place) == ("a has failed: its check failed (2): make", "  in: /shop")
    assert rest == [*lines, "  see: overmind quest logs --check a", "  go on with: overmind quest retry a"]


def test_needs_that_have_landed_nothing_are_named():
    found = why.why_of(quest("a"), None, None, NONE, empty_needs=["b", "c"])
    assert why.why_lines(found) == [
        "a is queued: it starts now",
        "  needs: b, c, completed with nothing to land",
    ]


def test_the_folder_of_a_failed_check_is_told_to_be_gone_and_left_out_where_nobody_knows_it():
    one = quest("a", "failed", reason="check_failed", check="make", exit_code=2, queue=ended("check_failed", "make"))
    places = []
    merged = why.Evidence("/merge", (), is_gone=True, work="/shop")
    for evidence in (why.Evidence("/shop", (), is_gone=True), why.Evidence(None, ("1",)), merged):
        _, *lines = why.why_lines(why.why_of(one, None, None, NONE, evidence=evidence))
        places.append(lines[:2])
    assert places == [
        ["  in: /shop (removed since)", "  printed: nothing"],
        ["  printed: 1", "  see: overmind quest logs --check a"],
        ["  in: /merge (removed since)", "  its work is in: /shop"],
    ]


def test_one_whose_target_is_in_use_says_where_and_which_commands_help():
    one = quest("a", "running", queue=QueueState(phase=QuestPhase.LANDING), reason="dirty")
    refusal = why.Refusal("main is in use in /shop.", ("git -C /shop stash push -- b", "mv /shop/n /shop/n.mine"))
    assert why.why_lines(why.why_of(one, None, None, NONE, refusal=refusal)) == [
        "a is running: it lands by itself, attempt 1 of 3, once this is out of the way: main is in use in /shop.",
        "  go on with: git -C /shop stash push -- b",
        "  go on with: mv /shop/n /shop/n.mine",
    ]


def test_what_follows_is_told_though_nothing_starts_and_many_are_counted():
    waiting = tuple(StillWaiting(f"w{number}", ("x",)) for number in range(12))
    (_, then) = why.why_lines(why.why_of(quest("a", "running"), None, None, SetFree((), waiting)))
    assert then == (
        "completing it starts: nothing · still waiting then: w0 (x), w1 (x), w2 (x), w3 (x), w4 (x), w5 (x), w6 (x), "
        "w7 (x), w8 (x), w9 (x) and 2 more"
    )


def test_who_is_in_the_way_is_known_by_the_kind_of_the_reason():
    owner, needed = quest("owner", "running"), quest("needed", "running")
    one = quest("one", "queued", "needed")
    store = {each.id: each for each in (owner, needed, one)}
    needs = Needs(store.get, NOW)
    owns = Wait(WaitCode.OWNS, "api/** is owned by owner, which runs", ("owner",))
    assert why.in_the_way(one, owns, needs, store.get) == [Need("owner", owner)]
    assert why.in_the_way(one, needs.wait(one), needs, store.get) == [Need("needed", needed)]
    assert why.in_the_way(one, Wait(WaitCode.SLOTS, "", ("queue",)), needs, store.get) == []
    assert why.in_the_way(one, None, needs, store.get) == []


def random_store(chance: random.Random) -> dict[str, Quest]:
    """Quests that could all start, with what decides whose turn it is."""
    store: dict[str, Quest] = {}
    for number in range(chance.randrange(2, 30)):
        deadline = NOW + chance.uniform(-1000, 2000) if chance.random() < 0.4 else None
        goal = Goal(
            priority=chance.choice(list(Priority)),
            deadline_at=deadline,
            needs=tuple(name for name in store if chance.random() < 0.1),
        )
        status = QuestStatus.QUEUED if number > 4 or chance.random() < 0.5 else QuestStatus.COMPLETED
        queue = QueueState(able_at=NOW - chance.uniform(-10, 9000), spent=chance.randrange(3))
        one = quest(f"q{number:02}", status.value, goal=goal, queue=queue, ended_at=NOW - chance.uniform(0, 5000))
        store[one.id] = one
    return store


def test_places_in_line_are_the_order_of_the_starts():
    """Acceptance 4: of 500 random stores; each round the one in the first place that may start does."""
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    for _ in range(500):
        store = random_store(chance)
        ranks = {
            one.id: urgency_of(one, number % 12, met_at(one, store.get)).rank(NOW)
            for number, one in enumerate(store.values())
        }
        able = [one for one in store.values() if one.status is QuestStatus.QUEUED and are_met(one, store.get)]
        waiters = [Waiter(one.name, ranks[one.id], pools=("queue",)) for one in chance.sample(able, len(able))]
        expected = sorted((one.id for one in able), key=ranks.__getitem__)
        started: list[str] = []
        while len(started) < len(able):
            left = [one for one in waiters if one.name not in started]
            started += ready(left, NOW, Limits({"queue": Pool(3, 2)}), reasons=False).start
        assert started == expected, f"seed {seed}"


def test_of_all_reasons_at_once_the_first_is_given_until_only_the_turn_is_left():
    one = quest("one", "queued", "other", queue=QueueState(repository="shop"))
    waiter = Waiter("one", (1,), NOW + 60, ("queue",), ("api/**",), "shop", attempt="attempt 2 of 3")
    limits = Limits({"queue": Pool(1, 1)}, {"x": Owned("shop", ("api/x.py",))})
    budget = why.over_budget("$2.00 of $1.00 of today are spent")
    store = {"one": one, "other": quest("other", "failed")}

    def reason(*waits: Wait | None, now: float = NOW, limits: Limits = limits) -> str:
        found = ready([waiter._replace(blocked=why.first_of(waits))], now, limits, time_text=lambda at: f"{at:.0f}")
        return found.waiting["one"].code

    assert reason(Needs(store.get, NOW).wait(one), why.PAUSED, budget) == "blocked"
    store["other"] = quest("other")
    assert reason(Needs(store.get, NOW).wait(one), why.PAUSED, budget) == "needs"
    assert reason(why.PAUSED, budget) == "held"
    assert reason(budget) == "until"
    assert reason(budget, now=NOW + 60) == "budget"
    assert reason(now=NOW + 60) == "owns"
    assert reason(now=NOW + 60, limits=limits._replace(owned={})) == "slots"


CUT = [
    (quest("a", "cancelled", ended_at=9.0, queue=QueueState(tries=(Attempt(1, 1, 0.0, 9.0),))), True),
    (quest("a", "cancelled", ended_at=9.0, queue=QueueState(tries=(Attempt(1, 1, 0.0, 5.0),))), False),
    (quest("a", "cancelled", ended_at=9.0), False),
    (quest("a", "failed", ended_at=9.0, queue=QueueState(tries=(Attempt(1, 1, 0.0, 9.0),))), False),
]


@tabled(("one", "cut_short"), CUT)
def test_an_attempt_that_was_cancelled_counts_as_one(one, cut_short):
    assert was_cut_short(one) is cut_short


KEPT = [
    # what is kept, the commands in the order in which they are given
    (KeptWork("/w", unmerged=True), ["see: overmind changes A", "go on with: overmind merge A"]),
    (
        KeptWork("/w", uncommitted=True),
        ["see: overmind changes A", "go on with: overmind commit A -m …", "go on with: overmind merge A"],
    ),
    (KeptWork("/w"), []),
]


@tabled(
    ("phase", "way"),
    [
        (QuestPhase.REVIEWING, "land it without its review with: overmind merge a --unreviewed"),
        (QuestPhase.LANDING, "go on with: overmind merge a"),
    ],
)
def test_work_that_nobody_has_accepted_is_landed_by_a_command_that_says_so(phase, way):
    queue = QueueState(phase=phase, tries=(Attempt(1, 1, 0.0, shown=FolderState("tree", "commit")),))
    one = quest("a", "cancelled", goal=Goal(review="person"), queue=queue)
    found = why.why_of(one, None, None, NONE, kept_work=KeptWork("/w", unmerged=True))
    assert f"  {way}" in why.why_lines(found)


@tabled(("kept", "ways"), KEPT)
def test_one_that_was_cancelled_says_where_its_work_is_kept_and_what_goes_on_with_it(kept, ways):
    found = why.why_of(replace(quest("a", "cancelled"), id="A"), None, None, NONE, kept_work=kept)
    assert why.why_lines(found) == [
        "a was cancelled",
        "  its work is kept in: /w",
        "  go on with: overmind quest retry a",
        *(f"  {way}" for way in ways),
        "  remove it with: overmind discard A --force",
    ]


def test_one_that_failed_for_no_command_says_where_its_work_is_kept_and_what_gives_it_more_time():
    one = replace(quest("a", "failed", reason="timeout", limit=1.5, queue=ended("timeout")), id="A")
    found = why.why_of(one, None, None, NONE, kept_work=KeptWork("/w", uncommitted=True))
    assert why.may_keep_work(one)
    assert why.why_lines(found) == [
        "a has failed: it took longer than 1.5 seconds",
        "  its work is kept in: /w",
        "  see: overmind quest logs a",
        "  give it more time with: overmind quest edit a --timeout 3s",
        "  go on with: overmind quest retry a",
        "  see: overmind changes A",
    ]


WAYS = [
    # the reviewer, what is in its worktree, what is said beside where it has landed, how that lands
    ("person", KeptWork("/w", uncommitted=False, unmerged=True), "; its worktree has work that has not landed",
     "land it without its review with: overmind merge a --unreviewed"),
    (None, KeptWork("/w", uncommitted=False, unmerged=True), "; its worktree has work that has not landed",
     "go on with: overmind merge a"),
    ("person", KeptWork("/w", uncommitted=False, unmerged=False), "", None),
]  # fmt: skip


@tabled(("review", "kept", "said", "lands"), WAYS)
def test_one_that_has_landed_says_what_its_worktree_has_besides(review, kept, said, lands):
    goal, queue = Goal(into="main", review=review), QueueState(landed=LandedWork("main", "1", "2"))
    one = quest("a", "completed", goal=goal, queue=queue)
    assert why.may_keep_work(one)
    lines = [f"a has completed: landed on main{said}"]
    if lands is not None:
        lines += ["  its work is kept in: /w", "  see: overmind changes a", f"  {lands}"]
        lines += ["  remove it with: overmind discard a --force"]
    assert why.why_lines(why.why_of(one, None, None, NONE, kept_work=kept)) == lines
