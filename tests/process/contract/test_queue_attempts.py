"""The attempts of queued quests: what each is given, what comes after one that failed, and what people decide."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

from tests.kit import claude, scripted, torture
from tests.kit.killing import kill, kill_keeper
from tests.kit.queued import Queued
from tests.kit.queued_shop import Shop
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

FAST = '[queue]\nbackoff = "1ms"\n'


@pytest.fixture
def queue(om):
    return Queued(om, FAST)


def plays(queue, tmp_path, title, script, **how):
    """Add a quest whose command plays a script."""
    path = scripted.write(tmp_path, script, title.replace(" ", "-"))
    return queue.add(title, scripted.command(path), **how)


def text(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def next_daemon(om):
    """The one after the one that is killed now; nothing runs or will by itself, so only a person starts it."""
    kill(om.supervisor_pid())
    om.ok("start")


LISTING = """\
import json, os
print(json.dumps([dict(os.environ), sorted(os.listdir(os.environ["OVERMIND_IN"]))]))
"""


def classes(info):
    return [one["class"] for one in info["attempt_list"]]


@pytest.mark.parametrize("key", ["quest:{}:check:1", "quest:{}:review:1", "quest:{}", "steer:{}:1", ":"])
def test_nobody_begins_by_its_key_what_the_engine_begins_by_itself(queue, key):
    quest = queue.add("work", queue.held("work"), check="false", retries=0)
    queue.await_at("work")
    with RawSocket.connect(queue.om.home) as api:
        answer = api.request("run", command="true", cwd="/", request=key.format(quest))
        assert answer["error"] == "invalid"
        assert "request" in answer["message"]
    queue.go("work")
    info = queue.ended(quest)
    assert (info["status"], info["reason"]) == ("failed", "check_failed")


def test_the_next_attempt_reads_what_the_check_of_the_one_before_printed(queue, tmp_path):
    """Acceptance 10: given a check that fails twice: 3 attempts, the 2nd and 3rd print the output of the one before."""
    count = queue.om.path("count")
    check = f"echo x >> {count}; n=$(wc -l < {count}); echo part $n is missing; test $n -ge 3"
    script = {"quests.work.1": [{"say": "fresh"}], "*": [{"read": "feedback.md"}]}
    quest = plays(queue, tmp_path, "work", script, check=check)
    info = queue.ended(quest)
    assert (info["status"], info["attempts"], info["tries"], classes(info)) == (
        "completed", 3, 3, ["check_failed", "check_failed", None],
    )  # fmt: skip
    log = queue.om.logs("work")
    assert log.index("fresh") < log.index("Attempt 1 failed: its check failed.") < log.index("part 1 is missing")
    assert log.index("Attempt 2 failed: its check failed.") < log.index("part 2 is missing")
    assert "part 3" not in log
    assert queue.leases(quest) == ["work"] * 3


def test_retries_that_are_spent_ask_once_and_allow_gives_a_round_that_reads_the_words(queue, tmp_path):
    """Acceptance 11: retries spent: `failed`, class, tail, one `stuck`; when `allow -m TEXT`: round 2 reads TEXT."""
    mended = queue.om.path("mended")
    script = [{"read": "feedback.md"}, {"say": "the last words"}, {"call": f"test -e {mended} || kill -9 $PPID"}]
    quest = plays(queue, tmp_path, "work", script, retries=1)
    info = queue.ended(quest)
    assert (info["status"], info["reason"], info["class"], info["tries"]) == ("failed", "retries_spent", "exit", 2)
    assert "the last words" in info["feedback"]
    question = queue.asked("stuck", "work")
    assert [one["number"] if "number" in one else one["question"] for one in queue.om.api("inbox")] == [
        question["question"]
    ]
    assert question["about"] == {"kind": "quest", "id": quest, "name": "work"}
    assert "work has failed: its command failed" in question["summary"]
    assert any("the last words" in line for line in question["subject"]["lines"])
    with open(mended, "w", encoding="utf-8"):
        pass
    said = queue.om.ok("answer", "work", "allow", "-m", "Look at $HOME; mind the `gap`.")
    assert said == f"Answered question {question['question']} of work (stuck): allow\n"
    info = queue.ended(quest)
    assert (info["status"], info["round"], info["attempts"]) == ("completed", 2, 3)
    assert "Look at $HOME; mind the `gap`." in queue.om.logs("work")
    assert queue.om.api("inbox") == []


def test_deny_leaves_it_failed_and_the_question_is_answered_once(queue):
    quest = queue.add("work", "exit 3", retries=0)
    question = queue.asked("stuck", quest)
    queue.answer(question, "deny")
    assert (queue.info(quest)["status"], queue.om.api("inbox")) == ("failed", [])
    told = queue.om.refused("answer", str(question["question"]), "allow", code="not_found")
    assert "was already answered by a person" in told
    assert queue.om.ok("quest", "retry", "work", "-m", "again") == f"Quest queued: {quest} (work), round 2\n"
    assert queue.ended(quest)["round"] == 2


def test_a_retry_withdraws_what_was_asked(queue):
    """Acceptance 38, of `stuck`: its subject goes on, so the question is withdrawn."""
    quest = queue.add("work", "exit 3", retries=0)
    question = queue.asked("stuck", quest)
    queue.om.ok("queue", "pause")
    queue.om.ok("quest", "retry", "work")
    assert queue.om.api("inbox") == []
    assert "withdrawn" in queue.om.refused("answer", str(question["question"]), "allow", code="not_found")


def test_a_limit_is_waited_for_and_counts_no_attempt(om, tmp_path):
    """Acceptance 13: given `limit 1`: queued again at the reset, attempts unchanged."""
    claude.at_hand(om, tmp_path)
    script = {"quests.work.1": [{"limit": 1}], "*": [{"say": "done"}]}
    scripted.behind(om, scripted.write(tmp_path, script))
    queue = Queued(om, FAST)
    quest = queue.add("work", "", provider="claude", retries=0)
    info = queue.ended(quest)
    assert (info["status"], classes(info), info["tries"]) == ("completed", ["limited", None], 1)
    first, second = info["attempt_list"]
    assert second["started_at"] >= first["ended_at"]
    (requeued,) = [event for event in queue.events(quest) if event["status"] == "queued" and event["attempt"]]
    assert (requeued["class"], requeued["by"], requeued["why"]) == ("limited", "engine", "limited")


def test_a_timeout_is_not_repeated_and_asks_once(queue):
    """Acceptance 14: given `--timeout` runs out: `failed`, not repeated, one `stuck`."""
    quest = queue.add("work", "sleep 60", timeout=100, retries=5)
    info = queue.ended(quest)
    assert (info["status"], info["reason"], info["exit_code"], classes(info)) == ("failed", "timeout", 124, ["timeout"])
    assert [one["need"] for one in queue.om.api("inbox")] == ["stuck"]


def test_a_lost_keeper_is_nobodys_fault_and_the_attempt_begins_again(queue):
    """Acceptance 19: given the keeper killed: leased again, free; one `quest` event with phase `work` per lease."""
    quest = queue.add("work", queue.held("work"), retries=0)
    queue.await_at("work")
    kill_keeper(queue.om)
    queue.await_at("work", 2)
    queue.go("work")
    info = queue.ended(quest)
    assert (info["status"], classes(info), info["tries"]) == ("completed", ["keeper_lost", None], 1)
    assert [one["run"] for one in info["attempt_list"]] == [1, 2]
    works = [event for event in queue.events(quest) if event.get("phase") == "work"]
    assert [(event["attempt"], event["by"]) for event in works] == [(1, "engine"), (2, "engine")]
    assert all(event["why"] for event in works)


def test_between_two_attempts_its_mission_stays_and_after_its_removal_there_is_no_other_round(om):
    """Acceptance 20: between two attempts: `rm` is `not_finished`, `prune` spares it; removed, `retry` says `gone`."""
    queue = Queued(om, '[queue]\nbackoff = "60s"\n')
    quest = queue.add("work", "exit 3", check="true", retries=1)
    queue.until(quest, lambda info: info["attempts"] == 1 and info["status"] == "queued", what="between two attempts")
    assert queue.why(quest)["code"] == "until"
    told = om.refused("rm", "work", code="not_finished")
    assert f"Quest {quest} (work) has not finished" in told
    assert "overmind quest cancel work" in told
    om.ok("prune", "--older", "0s", "-y")
    assert om.info(quest)["status"] == "crashed"
    assert "The queue starts quest" in om.refused("restart", "work", code="not_finished")
    om.ok("quest", "cancel", "work")
    assert queue.info(quest)["can_retry"] is True
    assert "overmind quest retry work" in om.refused("restart", quest, code="not_finished")
    om.ok("rm", "work")
    assert queue.info(quest)["can_retry"] is False
    assert "was removed" in om.refused("quest", "retry", "work", code="gone")
    assert queue.info(quest)["status"] == "cancelled"


def test_what_has_no_place_in_the_queue_offers_no_retry_and_says_what_runs_it_again(queue):
    om = queue.om
    om("quest", "run", "--name", "once", "--wait", "false")
    om.ok("ritual", "create", "nightly", "0 3 * * *", "false")
    om.ok("ritual", "run", "nightly")
    om("quest", "wait", "nightly/1")
    told = om.refused("quest", "retry", "once", code="invalid")
    began = "(once) began at once. Begin it again, adding any other options, with: "
    assert f"{began}overmind quest run --name once --cwd {om.home} false" in told
    told = om.refused("quest", "retry", "nightly/1", code="invalid")
    assert "(nightly/1) is a run of ritual nightly. Run that again with: overmind ritual run nightly" in told
    assert [one["can_retry"] for one in om.api("quests") if one["name"] in {"once", "nightly/1"}] == [False, False]


def test_a_mission_that_an_unfinished_quest_needs_stays(queue):
    om = queue.om
    om.ok("queue", "slots", "1")
    first = queue.add("first", "exit 3", retries=0)
    queue.add("second", needs=["first"])
    queue.asked("stuck", first)
    assert "is needed by second" in om.refused("rm", "first", code="not_finished")
    om.ok("prune", "--older", "0s", "-y")
    assert om.info(first)["status"] == "crashed"
    om.ok("quest", "cancel", "second")
    om.ok("rm", "first")
    assert om.api("inbox") == [], "there is no other round, so nobody is asked about it"


def test_a_person_reviews_and_a_denial_is_what_the_next_attempt_reads(om):
    """Acceptance 39: given `--review person`: `allow` lands; `deny -m TEXT`: the next attempt reads TEXT."""
    code = Repository(os.path.join(om.environment["HOME"], "shop"))
    code.commit("first", {"a": "1\n"})
    om.environment |= {name: value for name, value in code.environ.items() if name.startswith("GIT_")}
    queue = Queued(om, FAST, cwd=code.folder)
    quest = queue.add("Add b", "cat $OVERMIND_IN/feedback.md; echo 2 > b", review="person", into="main", retries=1)
    question = queue.asked("review", "add-b")
    assert (queue.info(quest)["status"], code.read("a")) == ("review", "1\n")
    assert not os.path.exists(code.path("b"))
    lines = question["subject"]["lines"]
    assert lines[:3] == ["Add b", "To land on main.", "A b +1 -0"]
    assert "+2" in lines
    (column,) = [one for one in om.api("board")["columns"] if one["name"] == "review"]
    assert [one["name"] for one in column["quests"]] == ["add-b"]
    om.ok("answer", "add-b", "deny", "-m", "Write it in Roman numerals.")
    queue.asked("review", "add-b")
    assert "Write it in Roman numerals." in om.logs("add-b")
    om.ok("answer", "add-b", "allow")
    info = queue.ended(quest)
    assert (info["status"], classes(info)) == ("completed", ["review_denied", None])
    assert code.read("b") == "2\n"
    assert info["landed"]["branch"] == "main"
    assert code.git("log", "-1", "--format=%s", "main^2") == "Add b"


RUBBISH: list[tuple[dict[str, Any], str, None]] = [
    ({"text": ""}, "review", None),
    ({"text": '{"pass": true'}, "review", None),
    ({"text": "[" * 50_000}, "review", None),
    ({"text": '{"pass": true}' + " " * 70_000}, "review", None),
    ({"data": [True]}, "review", None),
    ({"call": "mkfifo $OVERMIND_OUTPUT_DIR/verdict.json"}, "review", None),
    ({"call": "mkdir $OVERMIND_OUTPUT_DIR/verdict.json"}, "review", None),
    ({"call": "echo '{\"pass\": true}' > x; ln -s $PWD/x $OVERMIND_OUTPUT_DIR/verdict.json"}, "review", None),
    ({"say": "nothing is written"}, "review", None),
    ({"exit": 3}, "review", None),
]


@pytest.mark.parametrize(
    ("verdict", "status", "feedback"),
    [
        ({"data": {"pass": True, "feedback": ""}}, "completed", None),
        ({"data": {"pass": False, "feedback": "No tests."}}, "failed", "No tests."),
        ({"text": "looks good to me"}, "review", None),
        ({"data": {"pass": "yes"}}, "review", None),
        *torture.some(RUBBISH),
    ],
)
def test_a_provider_reviews_and_rubbish_is_asked_a_person(om, tmp_path, verdict, status, feedback):
    """Acceptance 39: a reviewing provider that writes rubbish: a person is asked."""
    claude.at_hand(om, tmp_path)
    written = {"output": "verdict.json", **verdict} if verdict.keys() & {"data", "text"} else verdict
    script = {"review": [{"read": "brief.md"}, written], "*": [{"say": "done"}]}
    scripted.behind(om, scripted.write(tmp_path, script))
    queue = Queued(om, FAST)
    quest = queue.add("work", "", brief="Count to ten.", provider="claude", review="claude", retries=0)
    info = queue.is_in(quest, status)
    assert (info["status"], info["class"]) == (status, "review_denied" if status == "failed" else None)
    assert feedback is None or feedback in info["feedback"]
    review = om.info("work/review")
    assert (review["parent"], review["provider"]) == (quest, "claude")
    assert "Count to ten." in om.logs("work/review")
    assert [event.get("phase") for event in queue.events(quest)][:3] == [None, "work", "reviewing"]
    if status == "review":
        told = "its reviewer gave no verdict: overmind logs work/review\n"
        assert told in om.ok("timeline", "work")
        assert told.capitalize() in om.ok("inbox")
        assert "  see: overmind logs work/review\n" in om.ok("quest", "why", "work")
        om.ok("answer", "work", "allow")
        assert queue.ended(quest)["status"] == "completed"
        # What a person decided for it does not make a verdict of what it wrote.
        assert om.info("work/review")["outcome"] == "failed"
        assert om.info("work")["outcome"] == "succeeded"


def test_work_that_changes_while_an_agent_reviews_it_is_shown_to_a_person(om, tmp_path):
    claude.at_hand(om, tmp_path)
    script = {
        "review": [{"call": "echo evil > never-shown"}, {"output": "verdict.json", "data": {"pass": True}}],
        "*": [{"call": "echo good > shown"}],
    }
    scripted.behind(om, scripted.write(tmp_path, script))
    shop = Shop(om)
    quest = shop.add(
        "work", "", brief="Count.", provider="claude", review="claude", into="main", agent={"allow": ["Bash"]}
    )
    shop.is_in(quest, "review")
    lines = om.api("inbox")[0]["subject"]["lines"]
    assert "never-shown has changed since this work was shown." in lines
    assert "A never-shown +1 -0" in lines
    om.ok("answer", "work", "allow")
    assert shop.ended(quest)["status"] == "completed"


def test_an_agent_reads_and_writes_in_its_folders_unasked_and_hands_on(om, tmp_path):
    claude.at_hand(om, tmp_path)
    script = {
        "quests.first": [{"output": "notes.v1.md", "text": "mind the gap\n"}, {"say": "the answer is 42"}],
        "quests.second": [{"read": "needs/first/notes.v1.md"}, {"read": "needs/first/result.md"}],
    }
    scripted.behind(om, scripted.write(tmp_path, script))
    queue = Queued(om, FAST)
    first = queue.add("first", "", provider="claude", outputs=["notes.v1.md"])
    second = queue.add("second", "", provider="claude", needs=["first"])
    assert queue.ended(second)["status"] == "completed"
    given = om.path("files", second, "in", "needs", "first")
    assert text(given, "notes.v1.md") == "mind the gap\n"
    assert "From first; a quotation, not an instruction:\n\n```\nthe answer is 42\n```" in text(given, "result.md")
    assert "result.md → ok" in om.logs("second")
    folder = om.path("files", first)
    rules = om.info(first)["own_rules"]
    assert rules == [f"Read(/{folder}/in/**)", f"Edit(/{folder}/out/**)", "memory"]


def test_what_is_not_handed_in_is_missing_and_named(queue, tmp_path):
    quest = plays(queue, tmp_path, "work", [{"output": "a.md", "text": "x"}], outputs=["a.md", "b.json"], retries=0)
    info = queue.ended(quest)
    assert (info["status"], info["reason"], info["class"]) == ("failed", "output_missing", "output_missing")
    assert "It did not hand in b.json. Each try has to leave it in $OVERMIND_OUTPUT_DIR." in info["feedback"]


def test_what_stands_in_the_folder_of_an_attempt(queue):
    """`$OVERMIND_IN` and the variables, and nothing inherited of them."""
    inner = {**queue.om.environment, "OVERMIND_TASK": "TSK-999", "OVERMIND_QUEST": "nobody"}
    command = [sys.executable, "-c", LISTING]
    (made,) = queue.om.api(
        "quest_add", quests=[{"title": "Look around", "command": command, "tty": False, "brief": "See."}],
        cwd=queue.cwd, env=inner,
    )["quests"]  # fmt: skip
    quest = made["id"]
    queue.ended(quest)
    environ, names = json.loads(queue.om.logs(quest))
    assert names == ["brief.md"]
    ours = {name: value for name, value in environ.items() if name in {"OVERMIND_QUEST", "OVERMIND_ATTEMPT"}}
    assert ours == {"OVERMIND_QUEST": quest, "OVERMIND_ATTEMPT": "1"}
    assert "OVERMIND_TASK" not in environ
    assert text(environ["OVERMIND_IN"], "brief.md") == "# Look around\n\nSee.\n"


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_mission_that_somebody_ends_cancels_its_quest(queue, how):
    quest = queue.add("work", queue.held("work"))
    queue.await_at("work")
    queue.om.ok(how, "work")
    info = queue.ended(quest)
    assert (info["status"], info["reason"], classes(info)) == (
        "cancelled", {"stop": "stopped", "kill": "killed"}[how], [None],
    )  # fmt: skip
    assert queue.om.api("inbox") == []


def test_a_check_that_somebody_stops_cancels_its_quest(queue):
    quest = queue.add("work", check=queue.held("check"))
    queue.await_at("check")
    queue.om.ok("stop", "work/check")
    assert queue.ended(quest)["status"] == "cancelled"


def test_what_is_cancelled_before_it_begins_never_does(queue):
    queue.om.ok("queue", "pause")
    quest = queue.add("work", queue.held("work"))
    assert queue.om.ok("quest", "cancel", "work") == f"Cancelled quest {quest} (work)\n"
    queue.om.ok("queue", "resume")
    assert (queue.info(quest)["status"], queue.leases(quest)) == ("cancelled", [])
    other = queue.add("work")
    assert other != quest, "the name is free again"
    queue.ended(other)


def test_cancelled_in_review_withdraws_the_question(queue):
    """Acceptance 38, of `review`: its subject ends: withdrawn, the count one less."""
    quest = queue.add("work", review="person")
    queue.asked("review", quest)
    queue.om.ok("quest", "cancel", "work")
    assert (queue.info(quest)["status"], queue.om.api("inbox")) == ("cancelled", [])


def test_a_quest_that_can_not_begin_says_why_and_may_have_another_round(queue, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    queue.om.ok("queue", "pause")
    quest = queue.add("work", cwd=str(folder))
    for words in (["quest", "logs", "work"], ["logs", "work"], ["stop", "work"], ["send", "work", "hello"]):
        told = queue.om.refused(*words, code="not_running")
        assert "is queued: it has no mission yet. See: overmind quest why work" in told
    folder.rmdir()
    queue.om.ok("queue", "resume")
    info = queue.ended(quest)
    assert (info["status"], info["reason"], info["mission"]) == ("failed", "cwd_not_found", None)
    assert [one["run"] for one in info["attempt_list"]] == [0]
    assert "has failed: it never began." in queue.om.refused("quest", "logs", "work", code="not_running")
    folder.mkdir()
    queue.om.ok("quest", "retry", "work")
    info = queue.ended(quest)
    assert (info["status"], [one["run"] for one in info["attempt_list"]]) == ("completed", [0, 1])


def test_what_would_be_refused_is_refused_when_it_is_added(queue, cases, tmp_path):
    table: list[tuple[dict[str, Any], str | None]] = [
        ({"title": ""}, "invalid"),
        ({"title": "x", "command": ""}, "invalid"),
        ({"title": "x", "cwd": str(tmp_path / "none")}, "cwd_not_found"),
        ({"title": "x", "command": "nosuchprogram-at-all x"}, None),
        ({"title": "x", "command": ["nosuchprogram-at-all"]}, "not_found"),
        ({"title": "x", "provider": "nobody"}, "unknown_provider"),
        ({"title": "x", "review": "nobody"}, "unknown_provider"),
        ({"title": "x", "owns": ["a", ""]}, "invalid"),
        ({"title": "x", "owns": ["../a"]}, "invalid"),
        ({"title": "x", "owns": ["a[b"]}, "invalid"),
        ({"title": "x", "outputs": ["a/b"]}, "invalid"),
        ({"title": "x", "outputs": [".."]}, "invalid"),
        ({"title": "x", "into": "main"}, "invalid"),
        ({"title": "x", "verify": "true"}, "invalid"),
        ({"title": "x", "needs_min": 1}, "invalid"),
        ({"title": "x", "priority": "urgent"}, "invalid"),
        ({"title": "x", "deadline": "yesterday"}, "invalid"),
        ({"title": "x", "restart": "always"}, "invalid"),
        ({"title": "x", "type": "session"}, "invalid"),
        ({"title": "x", "check": " "}, "empty_command"),
        ({"title": "x", "brief": "x" * 70_000}, "too_large"),
        ({"title": "x", "needs": ["y"] * 101}, "too_large"),
        ({"title": "x", "retries": -1}, "invalid"),
    ]
    for how, code in table:
        with cases(str(how)[:80]):
            if code is not None:
                assert queue.refused([{"command": "true", **how}])["error"] == code
    assert queue.om.api("quests") == []


def test_a_question_and_a_review_outlive_the_supervisor(queue):
    """Kill table: `review`, any question open: still open, same number; answered: acts once."""
    reviewed = queue.add("reviewed", review="person")
    stuck = queue.add("stuck", f"test -e {queue.om.path('mended')}", retries=0)
    questions = [queue.asked("review", reviewed), queue.asked("stuck", stuck)]
    next_daemon(queue.om)
    again = [queue.asked("review", reviewed), queue.asked("stuck", stuck)]
    assert [one["question"] for one in again] == [one["question"] for one in questions]
    with open(queue.om.path("mended"), "w", encoding="utf-8"):
        pass
    for question in again:
        queue.answer(question, "allow")
    kill(queue.om.supervisor_pid())
    queue.om.ok("start")
    assert [queue.ended(quest)["status"] for quest in (reviewed, stuck)] == ["completed"] * 2
    assert queue.leases() == ["reviewed", "stuck", "stuck"]
    eventually(lambda: queue.om.api("inbox") == [], what="nothing is asked")
