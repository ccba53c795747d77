"""Reports: what a mission finds beside its task, and what becomes of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.kit.killing import kill
from tests.kit.raw_socket import address
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

REPORT = "overmind report"


def settings(om, text):
    with open(om.path("config.toml"), "w") as file:
        file.write(text)


@pytest.fixture
def queued(om):
    """A home with one slot and an agent of the queue that waits to be let go."""
    settings(om, '[queue]\nslots = 1\nagent = ["sh", "-c", "exec sleep 1000"]\n')
    om.ok("start")
    return om


def add(om, title, command, **more):
    (made,) = om.api(
        "quest_add", quests=[{"title": title, "command": command, **more}], cwd=om.path(), env=om.environment
    )["quests"]
    return made


def ended(om, quest):
    def look():
        row = om.api("quest", id=quest)
        return row if row["ended_at"] else None

    return eventually(look, timeout=30.0, what=f"{quest} is over")


def reports(om):
    events = (json.loads(line) for line in om.ok("events").splitlines())
    return [event for event in events if event["type"] == "report"]


@pytest.mark.parametrize(("priority", "raised"), [("low", "medium"), ("medium", "high"), ("high", "high")])
def test_a_reported_bug_is_queued_one_above_its_source_but_never_above_high(queued, priority, raised):
    """Acceptance 40: `report bug` from medium and from high: queued as high, source set."""
    source = add(queued, "find", f"{REPORT} bug 'names may be empty' --evidence src/a.py:4", priority=priority)
    ended(queued, "find")
    assert queued.ok("logs", "find").splitlines()[0] == "Reported: names-may-be-empty queued"
    found = queued.api("quest", id="names-may-be-empty")
    assert (found["priority"], found["brief"]) == (raised, "names may be empty\n\n- src/a.py:4")
    (event,) = reports(queued)
    assert (event["kind"], event["mission"], event["quest"], event["by"]) == (
        "bug",
        source["id"],
        found["id"],
        source["id"],
    )


def test_an_idea_is_recorded_and_nothing_is_queued(queued):
    """Acceptance 40: `idea`: recorded."""
    add(queued, "think", f"{REPORT} idea 'cache the index'")
    ended(queued, "think")
    assert queued.ok("logs", "think").splitlines()[0] == "Reported: recorded"
    assert [row["name"] for row in queued.api("quests")] == ["think"]


def test_a_question_that_is_waited_for_prints_the_answer(queued):
    """Acceptance 40: `question --wait`: prints the answer."""
    add(queued, "ask", f"{REPORT} question 'Which port?' --wait")
    (question,) = eventually(lambda: queued.api("inbox"), what="the question is asked")
    assert question["need"] == "report"
    assert "Which port?" in question["summary"]
    line = f"overmind answer {question['question']} 'TEXT'"
    assert f"→ {line}" in queued.ok("inbox")
    said = queued("quest", "wait", "ask", "--timeout", "3s").stderr
    assert f"waits for you: question {question['question']} (report of ask): {line}" in said
    queued.ok("answer", str(question["question"]), "8080\nand no other")
    ended(queued, "ask")
    assert queued.ok("logs", "ask").splitlines()[:3] == [
        f"Reported: question {question['question']}",
        "8080",
        "and no other",
    ]


def test_the_same_text_is_counted_and_makes_one_quest(queued):
    """Acceptance 41: the same text in other case and blanks: count 2, one quest."""
    again = f"{REPORT} bug 'Names may be empty'; {REPORT} bug '  names MAY  be empty '"
    add(queued, "find", again)
    ended(queued, "find")
    assert queued.ok("logs", "find").splitlines()[:2] == [
        "Reported: names-may-be-empty queued",
        "Reported before: names-may-be-empty (2 times)",
    ]
    assert sorted(row["name"] for row in queued.api("quests")) == ["find", "names-may-be-empty"]
    assert [event["count"] for event in reports(queued)] == [1, 2]


def test_the_same_kind_and_evidence_is_counted_too(queued):
    add(queued, "find", f"{REPORT} bug one --evidence a.py:1; {REPORT} bug other --evidence a.py:1")
    ended(queued, "find")
    assert [event["count"] for event in reports(queued)] == [1, 2]


def test_the_sixth_of_one_source_is_not_queued_and_one_question_is_asked(queued):
    """Acceptance 42: a 6th of one source: not queued, exit 0, one question."""
    texts = ["an empty name", "a slow index", "no index", "wrong colour", "two of them", "the sixth", "a seventh"]
    add(queued, "find", "; ".join(f"{REPORT} bug '{text}' && echo ok" for text in texts))
    row = ended(queued, "find")
    assert row["status"] == "completed"
    (question,) = queued.api("inbox")
    lines = queued.ok("logs", "find").splitlines()
    assert lines.count("ok") == 7
    why = "this mission has queued 5 quests already"
    told = f"Recorded, not queued: {why}. A person is asked (question {question['question']})."
    assert lines.count(told) == 2
    assert len(queued.api("quests")) == 6
    queued.ok("answer", str(question["question"]), "allow")
    assert {row["name"] for row in queued.api("quests")} >= {"the-sixth", "a-seventh"}
    assert queued.api("inbox") == []


def test_what_is_four_reports_away_from_what_a_person_wanted_is_asked(om):
    """Acceptance 42: depth 4: not queued, exit 0, one question, whoever has found it."""
    settings(om, f'[queue]\nagent = ["sh", "-c", "{REPORT} bug \\"deeper than $OVERMIND_QUEST\\""]\n')
    om.ok("start")
    add(om, "find", f"{REPORT} bug 'the first'; {REPORT} bug 'quite another one'")
    eventually(lambda: len([row for row in reports(om) if row["question"] is not None]) == 2, what="both are asked")
    eventually(lambda: all(row["ended_at"] for row in om.api("quests")), what="all are over")
    (question,) = om.api("inbox")
    assert len(om.api("quests")) == 7
    assert "and 1 other have reported 2 things that are not queued by themselves" in question["summary"]
    assert "4 reports away" in question["summary"]
    assert question["about"]["name"] == "find"
    om.ok("answer", str(question["question"]), "allow")
    assert len(om.api("quests")) == 9


def test_all_that_one_quest_leads_to_has_one_limit_and_one_question(om):
    """Agents that report in a ring: each one's own limits are far away."""
    agent = f'{REPORT} bug "$OVERMIND_MISSION_ID a"; {REPORT} bug "$OVERMIND_MISSION_ID b"; exec sleep 1000'
    settings(om, f"[queue]\nslots = 9\nagent = ['sh', '-c', '{agent}']\n[reports]\nper_spec = 3\n")
    om.ok("start")
    add(om, "first", agent)

    def settled():
        rows = om.api("quests")
        asked = om.api("inbox")
        told = [row for row in reports(om) if row["question"] is not None]
        return asked if len(rows) == 4 and len(told) == 5 else None

    (asked,) = eventually(settled, timeout=60.0, what="three are queued, and five past the limit")
    assert "3 reported quests of first are open" in asked["summary"]
    assert asked["about"]["name"] == "first"
    om.ok("queue", "slots", "1")

    def queued():
        """Each answer is about those that its question has shown; the others follow in one of their own."""
        for one in om.api("inbox"):
            om.ok("answer", str(one["question"]), "allow")
        return len(om.api("quests")) == 9

    eventually(queued, timeout=30.0, what="all that were asked about are queued")


def test_whoever_is_blocked_needs_what_it_has_reported_and_its_own_attempt_was_free(om):
    """Acceptance 43: `--block`: the source waits for the new quest, and its own attempt was free."""
    settings(om, '[queue]\nagent = ["sh", "-c", "touch mended"]\n')
    om.ok("start")
    add(om, "find", f"test -e mended && exit; {REPORT} missing 'mend it' --block; exec sleep 1000", retries=0)
    row = ended(om, "find")
    assert row["status"] == "completed", row
    assert [one["name"] for one in row["needs"]] == ["mend-it"]
    assert [one["class"] for one in row["attempt_list"]] == ["blocked", None]
    assert om.api("quest", id="mend-it")["status"] == "completed"


def test_whoever_is_needed_by_what_it_reports_can_not_wait_for_it(om):
    settings(om, '[queue]\nslots = 1\nagent = ["true"]\n')
    om.ok("start")
    wait = "while ! test -e go; do sleep 0.05; done"
    add(om, "find", f"{REPORT} bug 'mend it'; {wait}; {REPORT} bug 'mend it' --block 2>&1; exec sleep 1000", retries=0)
    eventually(lambda: "mend-it" in [one["name"] for one in om.api("quests")], what="it has reported")
    om.ok("quest", "edit", "mend-it", "--needs", "find")
    Path(om.info("find")["cwd"], "go").touch()
    said = "These quests would need each other: find → mend-it → find. Report it without --block"
    eventually(lambda: said in om.ok("quest", "logs", "find"), what="it is refused")
    assert om.api("quest", id="find")["status"] == "running"


PAST = '[queue]\nagent = ["sh", "-c", "touch mended"]\n[reports]\nper_source = 0\n'
BLOCKED = f"test -e mended && exit; {REPORT} bug 'mend it' --block; exec sleep 1000"


def held(om, quest):
    """Wait until its attempt has ended, and it is held by a question; return that."""
    eventually(lambda: om.api("quest", id=quest)["code"] == "held", timeout=30.0, what="it is held")
    return om.api("inbox")[0]["question"]


def test_what_is_past_a_limit_and_blocks_holds_its_source_until_a_person_has_decided(om):
    """`quest why`: held: `question 1 is open`. Allowed, it is needed; the attempt was free."""
    settings(om, PAST)
    om.ok("start")
    quest = add(om, "find", BLOCKED, retries=0)["id"]
    number = held(om, quest)
    (question,) = om.api("inbox")
    assert (question["need"], question["about"]) == ("report", {"kind": "quest", "id": quest, "name": "find"})
    assert om.ok("quest", "why", "find").splitlines()[:2] == [
        f"find is queued: held: question {number} is open",
        f"  go on with: overmind answer {number} allow",
    ]
    other = add(om, "seek", BLOCKED, retries=0)["id"]
    assert held(om, other) == number, "the same report is the same question"
    om.ok("start", "--replace")
    assert [om.api("quest", id=one)["code"] for one in (quest, other)] == ["held", "held"]
    om.ok("answer", str(number), "allow")
    for one in (quest, other):
        row = ended(om, one)
        assert (row["status"], [need["name"] for need in row["needs"]]) == ("completed", ["mend-it"])
        assert [one["class"] for one in row["attempt_list"]] == ["blocked", None]


def test_what_blocks_and_is_denied_lets_its_source_go_on_with_the_words(om):
    settings(om, PAST)
    om.ok("start")
    read = "test $OVERMIND_ATTEMPT = 2 && exec cat $OVERMIND_IN/feedback.md"
    quest = add(om, "find", f"{read}; {BLOCKED}", retries=0)["id"]
    number = held(om, quest)
    om.ok("answer", str(number), "deny", "-m", "Leave it as it is.")
    assert (ended(om, quest)["status"], om.api("quest", id=quest)["needs"]) == ("completed", [])
    assert "Leave it as it is." in om.ok("quest", "logs", "find")


def test_a_question_that_blocks_goes_with_its_quest(om):
    settings(om, PAST)
    om.ok("start")
    number = held(om, add(om, "find", BLOCKED, retries=0)["id"])
    om.ok("quest", "cancel", "find")
    assert om.api("inbox") == []
    assert "is closed: it was withdrawn " in om.refused("answer", str(number), "allow", code="not_found")


def test_whoever_is_blocked_twice_needs_both(om):
    settings(om, '[queue]\nagent = ["sh", "-c", "touch mended"]\n')
    om.ok("start")
    first, *enough = [add(om, name, command, retries=0)["id"] for name, command in (("a", "exit 3"), ("b", "true"))]
    reports = "; ".join(f"(trap '' TERM; {REPORT} missing 'mend {one}' --block)" for one in ("one", "two"))
    then = 'test -z "$ends" || exit 1; trap - TERM; exec sleep 1000'  # whatever it is told to after the first one
    work = f"test -e mended && exit; trap 'ends=1' TERM; {reports}; {then}"
    quest = add(om, "find", work, retries=0, needs=[first, *enough], needs_min=1)["id"]
    row = ended(om, quest)
    assert (row["status"], [one["name"] for one in row["needs"]]) == ("completed", ["b", "mend-one", "mend-two"])
    assert [one["class"] for one in row["attempt_list"]] == ["blocked", None]


def test_whoever_is_blocked_ends_though_the_daemon_dies_before_it_has_ended_it(om):
    settings(om, '[queue]\nagent = ["sh", "-c", "touch mended"]\n')
    om.ok("start")
    work = f"test -e mended && exit; {REPORT} missing 'mend it' --block; touch said; exec sleep 1000"
    quest = add(om, "find", work, retries=0)["id"]
    eventually(lambda: os.path.exists(om.path("said")), what="it has reported")
    kill(om.supervisor_pid())
    om.ok("start")
    row = ended(om, quest)
    assert (row["status"], [one["class"] for one in row["attempt_list"]]) == ("completed", ["blocked", None])


def test_what_a_person_reports_says_so(om):
    settings(om, "")
    om.ok("start")
    assert om.ok("report", "bug", "a hole").startswith("Recorded, not queued: no agent is configured for it.")
    (question,) = om.api("inbox")
    assert question["summary"] == (
        "A person has reported something that is not queued by itself: no agent is configured for it"
    )


def test_nobody_is_there_to_do_it_so_a_person_is_asked(om):
    settings(om, "")
    om.ok("start")
    add(om, "find", f"{REPORT} security 'a hole'")
    ended(om, "find")
    (question,) = om.api("inbox")
    assert "no agent is configured for it" in question["summary"]
    om.refused("answer", str(question["question"]), "allow", code="invalid")
    assert [one["question"] for one in om.api("inbox")] == [question["question"]]
    om.ok("answer", str(question["question"]), "deny")
    assert [row["name"] for row in om.api("quests")] == ["find"]


def test_a_person_may_report_too(queued):
    assert queued.ok("report", "bug", "typed by hand") == "Reported: typed-by-hand queued\n"
    assert json.loads(queued.ok("report", "idea", "later", "--json"))["outcome"] == "recorded"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("report", "bug", "  "), "invalid"),
        (("report", "bug", "x" * 20_001), "too_large"),
        (("report", "bug", "x", "--evidence", "two words"), "invalid"),
        (("report", "bug", "x", "--title", "t" * 301), "too_large"),
        (("report", "idea", "x", "--block"), "invalid"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_recorded(queued, words, code):
    queued.refused(*words, code=code)
    assert reports(queued) == []


LOOP = """
import json, socket, sys
for number in range(205):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(sys.argv[1])
        args = {"kind": "idea", "text": f"{number} {'x' * number}"}
        one.sendall(json.dumps({"cmd": "report", "args": args, "id": 1}).encode() + b"\\n")
        answer = json.loads(one.makefile().readline())
print(answer["ok"]["report"], answer["ok"]["why"])
"""


def test_an_agent_that_reports_in_a_loop_is_answered_and_fills_nothing(queued):
    add(queued, "loop", [sys.executable, "-c", LOOP, address(queued.home)])
    ended(queued, "loop")
    told = "0 200 reports of one mission are kept, so this one is not"
    assert queued.ok("logs", "loop").splitlines() == [told]


def test_control_characters_of_a_report_never_reach_a_terminal(queued):
    add(queued, "find", f"{REPORT} question \"$(printf 'a\\033[31mred')\"")
    ended(queued, "find")
    assert "\x1b" not in queued.ok("inbox")
