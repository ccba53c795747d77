"""What answers to questions of the engine do, in words: in the inbox and in the documentation alike."""

from __future__ import annotations

import os

import pytest

from overmind_core.domain import engine_questions
from overmind_core.domain.engine_questions import EFFECTS, EngineNeed
from tests.kit.cases import tabled
from tests.kit.overmind import REPOSITORY


def question(need="stuck", **more):
    return {"question": 4, "need": need, "part": "", "summary": "it failed", "subject": {}, **more}


def test_every_need_says_what_both_answers_do():
    assert list(EFFECTS) == list(EngineNeed)
    assert all(one.allow and one.deny and one.text_with in {"allow", "deny"} for one in EFFECTS.values())


def test_the_documentation_has_the_table():
    rows = [
        f"| `{need}` | {one.allow} | {one.deny} | {f'with `{one.text_with}`: {one.text} ' if one.text else ''}|"
        for need, one in EFFECTS.items()
    ]
    with open(os.path.join(REPOSITORY, "docs", "activity.md"), encoding="utf-8") as page:
        assert "\n".join(rows) in page.read()


def test_each_answer_is_a_command_with_what_it_does():
    assert list(engine_questions.hints(question())) == [
        ("overmind answer 4 allow", "begin a new round; -m TEXT: the feedback for it"),
        ("overmind answer 4 deny", "leave it failed"),
    ]
    assert list(engine_questions.hints(question("orbit"))) == []


@pytest.mark.parametrize(
    ("does", "allow", "text"),
    [
        ("message", "send the message", "the message instead"),
        ("interrupt", "send the message, interrupt its turn", "the message instead"),
        ("end", "send the message, end this attempt", "the message instead"),
        ("nothing", "let it go on as it is", ""),
        (None, "send the message", "the message instead"),
    ],
)
def test_steering_says_what_it_does_to_this_mission(does, allow, text):
    effects = engine_questions.effects_of(question("steer", subject={} if does is None else {"does": does}))
    assert (effects.allow, effects.deny, effects.text) == (allow, "leave this mission alone for 1 h", text)


def test_a_spec_that_is_stuck_goes_on_and_has_no_rounds():
    asked = question(about={"kind": "spec", "id": "a1", "name": "carts"})
    assert list(engine_questions.hints(asked)) == [
        ("overmind answer 4 allow", "go on with the spec"),
        ("overmind answer 4 deny", "leave it as it is"),
    ]


def test_work_that_would_undo_what_has_landed_lands_all_the_same_or_is_done_again():
    asked = {**question("merge"), "subject": {"code": "undoes_landed", "into": "main"}}
    assert list(engine_questions.hints(asked)) == [
        ("overmind answer 4 allow", "land it all the same"),
        ("overmind answer 4 deny", "begin another attempt, which keeps both; -m TEXT: the feedback for it"),
    ]


def test_work_of_a_command_that_would_undo_what_has_landed_is_not_said_to_be_done_better_again():
    asked = {**question("merge"), "subject": {**UNDOES, "command": True}}
    assert list(engine_questions.hints(asked)) == [
        ("overmind answer 4 allow", "land its worktree as it is, with no more than this loss"),
        ("overmind answer 4 deny", LEFT),
    ]
    assert engine_questions.choice({"name": "m", **asked}) == (
        f"a would lose 1 line of up: overmind answer 4 deny ({LEFT}) or allow (land its worktree as it is, with no "
        "more than this loss)"
    )


@tabled(
    ("asked", "behaviour"),
    [
        (question("review", subject={"into": "main"}), "deny"),
        (question("review", subject={"into": None}), "deny"),
        (question("stuck"), "allow"),
        (question("phase", part="tasks"), "deny"),
    ],
)
def test_who_answers_about_a_command_is_told_that_no_prompt_has_the_feedback(asked, behaviour):
    asked["name"] = "m"
    of_command = {**asked, "subject": {**asked["subject"], "command": True}}
    before, after = engine_questions.effects_of(asked), engine_questions.effects_of(of_command)
    assert (after.allow, after.deny, after.text_with) == (before.allow, before.deny, before.text_with)
    assert engine_questions.choice(of_command) == engine_questions.choice(asked)
    told = "-m TEXT: the feedback, which its command has to read from feedback.md"
    assert [told in does for _, does in engine_questions.hints(of_command)] == [
        behaviour == "allow",
        behaviour == "deny",
    ]
    refused = question("merge", subject={"code": "git_failed", "command": True})
    assert engine_questions.effects_of(refused) is engine_questions.REFUSED


def test_a_question_that_an_agent_reports_wants_an_answer_in_words():
    asked = {**question("report"), "subject": {"kind": "question"}}
    assert list(engine_questions.hints(asked)) == [
        ("overmind answer 4 'TEXT'", "send this answer"),
        ("overmind answer 4 allow", "answer yes"),
        ("overmind answer 4 deny", "answer no"),
    ]
    reported = {**question("report"), "subject": {"kind": "bug"}}
    assert next(iter(engine_questions.hints(reported)))[0] == "overmind answer 4 allow"


def test_an_answer_about_several_reports_says_how_many_it_is_about():
    subject = {"kind": "bug", "reports": [4, 5, 9]}
    about = {"name": "m", **question("report", subject=subject, summary="m has reported 3")}
    assert list(engine_questions.hints(about)) == [
        ("overmind answer 4 allow", "queue all 3; -m TEXT: the answer"),
        ("overmind answer 4 deny", "only record them"),
    ]
    ways = "overmind answer 4 deny (only record them) or allow (queue all 3)"
    assert engine_questions.choice(about) == f"has reported 3: {ways}"
    about["subject"] = {**subject, "unassigned": True}
    assert list(engine_questions.hints(about)) == [
        ("overmind answer 4 claude", "queue all 3 for this agent or another, once that is installed"),
        ("overmind answer 4 deny", "only record them"),
    ]
    assert engine_questions.choice(about) == ""
    assert engine_questions.effects_of(about).said == "queue all 3 for that agent"


SPEC = {"kind": "spec", "id": "5bec", "name": "carts"}
QUEUE = {"kind": "queue", "id": "queue", "name": "queue"}


@tabled(
    ("asked", "name", "id_", "part", "for_all", "reached_by"),
    [
        (question("phase", part="tasks", id="5bec", name="carts", about=SPEC, quests=["a1"]),
         "carts/tasks", "a1", "", False, ["carts/tasks"]),
        (question("phase", part="tasks", id="5bec", name="carts", about=SPEC, quests=[]),
         "carts", "5bec", "tasks", False, ["carts/tasks"]),
        (question("phase", part="tasks", id="5bec", name="carts", about=SPEC), "carts", "5bec", "tasks", False,
         ["carts/tasks"]),
        (question("merge", part="", id="5bec", name="carts", about=SPEC), "carts", "5bec", "", False, []),
        (question("merge", part="main", id="queue", name="queue", about=QUEUE, quests=["a1"]),
         "queue", "queue", "main", True, []),
        (question("budget", part="", id="queue", name="queue", about=QUEUE), "queue", "queue", "", False, []),
    ],
)  # fmt: skip
def test_the_head_of_a_question_and_the_name_that_reaches_it(asked, name, id_, part, for_all, reached_by):
    found = engine_questions.heading(asked)
    assert (found.name, found.id, found.part) == (name, id_, part)
    assert engine_questions.is_for_all(asked) is for_all
    assert list(engine_questions.names_of_gates([asked])) == reached_by


UNDOES = {"code": "undoes_landed", "into": "main", "problem": "a would lose 1 line of up"}
KEEPS = "overmind answer 4 deny (begin another attempt, which keeps both) or allow (land it all the same)"
LEFT = "leave its branch and worktree as they are"
TARGET = "overmind answer 4 allow (try again now) or deny (leave the work of all that wait for it as it is)"
BUDGET = "overmind answer 4 allow (raise the limit beyond what is spent) or deny (stop what runs, hold the rest)"
STEER = "overmind answer 4 deny (leave this mission alone for 1 h) or allow (send the message, end this attempt)"


@tabled(
    ("asked", "line"),
    [
        (question("merge", subject=UNDOES), f"a would lose 1 line of up: {KEEPS}"),
        (question("merge", subject={**UNDOES, "problem": ""}, summary="m can't land on main: a would lose it.\nNo."),
         f"can't land on main: a would lose it: {KEEPS}"),
        (question("merge", subject={"code": "git_failed"}, summary="m can't land on main: a hook refused it."),
         f"can't land on main: a hook refused it: overmind answer 4 allow (land it, or try again) or deny ({LEFT})"),
        (question("merge", subject={"code": "dirty"}, summary="Work can't land on main: a is not committed.",
                  about={"kind": "queue", "id": "queue", "name": "queue"}),
         f"Work can't land on main: a is not committed: {TARGET}"),
        (question("merge", subject={"branch": "specs/carts"}, summary="Land specs/carts on main"), ""),
        (question(summary="m has failed: its check failed"),
         "has failed: its check failed: overmind answer 4 allow (begin a new round) or deny (leave it failed)"),
        (question(about={"kind": "spec", "id": "a1", "name": "m"}, summary="m: it broke"),
         "it broke: overmind answer 4 allow (go on with the spec) or deny (leave it as it is)"),
        (question("budget", summary="$2.00 of $1.00 of today are spent"),
         f"$2.00 of $1.00 of today are spent: {BUDGET}"),
        (question("steer", subject={"does": "end"}, summary="Steer m? It loops"),
         f"Steer m? It loops: {STEER}"),
        (question("steer", subject={"does": "message"}), ""),
        (question("phase", part="tasks"), ""),
        (question("review"), ""),
        (question("report"), ""),
        (question("orbit"), ""),
        ({"question": "swarm/4", "need": "lost", "name": "m", "summary": "red is silent.", "subject": {}},
         "red is silent: overmind answer swarm/4 deny (wait for it) or allow (it is off: start the job elsewhere)"),
        ({"question": 4, "need": "permission", "name": "m", "summary": "rm x", "subject": {}}, ""),
    ],
)  # fmt: skip
def test_where_allowing_it_is_not_plain_both_answers_are_named_and_first_the_one_that_risks_less(asked, line):
    assert engine_questions.choice({"name": "m", **asked}) == line


def test_what_it_is_about_is_cut():
    line = engine_questions.choice({"name": "m", **question(summary="x" * 900)})
    assert line.startswith("x" * 157 + "...: overmind answer 4 allow")


@pytest.mark.parametrize(("into", "does"), [("main", "accept the work, and land it"), (None, "accept the work")])
def test_work_that_lands_nowhere_is_not_said_to_land(into, does):
    asked = {**question("review"), "subject": {"into": into}}
    assert next(engine_questions.hints(asked)) == ("overmind answer 4 allow", does)


@pytest.mark.parametrize(
    ("subject", "lines"),
    [
        ({}, []),
        ({"lines": ["a\nb", 3]}, ["a", "b", "3"]),
        ({"lines": "no list", "more": 1}, []),
        ({"lines": None}, []),
    ],
)
def test_its_text_is_the_summary_and_the_lines_of_its_subject(subject, lines):
    assert engine_questions.body(question(subject=subject)) == ["it failed", *lines]


def test_its_topic_is_the_part_of_its_subject_or_what_is_needed():
    assert engine_questions.topic(question("phase", part="tasks")) == "tasks"
    assert engine_questions.topic(question("merge")) == "merge"


def test_only_questions_of_the_engine_have_a_part():
    assert engine_questions.is_of_engine(question())
    assert not engine_questions.is_of_engine({"question": 1, "need": "permission", "tool": "Bash"})
