"""What a person denies: each need of the engine, asked by real quests; nothing of anybody's work is gone after it."""

from __future__ import annotations

import os

import pytest

from tests.kit import scripted
from tests.kit.queued import Queued
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

SETTINGS = """
[queue]
backoff = "1ms"
[health]
beat = "200ms"
[guardian]
every = "100ms"
pause = "1h"
[reports]
per_source = 1
"""
ERROR = "ImportError: no module named 'carts'"


class Shop(Queued):
    """A queue whose quests work in a repository."""

    def __init__(self, om):
        self.code = Repository(os.path.join(om.environment["HOME"], "shop"))
        self.code.commit("first", {"a": "1\n", "b": "1\n"})
        om.environment |= {name: value for name, value in self.code.environ.items() if name.startswith("GIT_")}
        super().__init__(om, SETTINGS, cwd=self.code.folder)

    def work(self, **how):
        """A quest that makes a commit and leaves a change that is in none; its id."""
        command = "echo 2 > a; git commit -qam two; echo new > c; echo x > $OVERMIND_OUTPUT_DIR/x"
        return self.add("work", how.pop("command", command), **{"into": "main", "retries": 0, **how})

    def everything(self):
        """All rows, files, branches and worktrees, each as one word that says what it holds."""
        om = self.om
        rows = {f"mission {row['id']}" for row in om.api("ps", all=True)}
        rows |= {f"quest {row['id']}" for row in om.api("quests")}
        rows |= {f"event {event['seq']}" for event in om.events()}
        files = set()
        for folder, _, names in os.walk(self.code.folder):
            if f"{os.sep}.git" not in folder:
                for name in names:
                    with open(os.path.join(folder, name), "rb") as file:
                        files.add(f"file {folder}/{name} {file.read()!r}")
        branches = {
            f"branch {line}" for line in self.code.git("branch", "--format=%(refname) %(objectname)").split("\n")
        }
        worktrees = {f"worktree {line}" for line in self.code.git("worktree", "list").split("\n")}
        return (
            rows | {one for one in files if not one.startswith(f"file {self.code.folder}/.git ")} | branches | worktrees
        )


@pytest.fixture
def shop(agents):
    return Shop(agents.om)


def stuck(shop, _tmp_path):
    shop.work(check="echo no; false")


def review(shop, _tmp_path):
    shop.work(review="person")


def merge(shop, _tmp_path):
    shop.code.write({"a": "mine\n"})
    shop.work()


def report(shop, _tmp_path):
    reports = "; ".join(f"overmind report bug 'number {number} is wrong'" for number in range(2))
    shop.om.ok("queue", "pause")
    shop.om.mission(f"{reports}; sleep 300", "--cwd", shop.code.folder)


def steer(shop, tmp_path):
    lost = [{"tool": "Bash", "command": f"pytest -q # {number}", "error": ERROR} for number in range(3)]
    script = {"quests": {"work": {"1": [*lost, {"tool": "Edit", "file": "b"}, {"until": "let-go"}]}}}
    scripted.behind(shop.om, scripted.write(str(tmp_path), script))
    shop.om.ok(
        "quest", "add", "--name", "work", "--provider", "claude", "--owns", "a", "--cwd", shop.code.folder, "Work"
    )


@pytest.mark.parametrize("need", [stuck, review, merge, report, steer], ids=lambda need: need.__name__)
def test_nothing_is_gone_when_it_is_denied(shop, tmp_path, need):
    """Acceptance 37: given each need, when denied: no row, file, branch or worktree is gone."""
    need(shop, tmp_path)
    question = shop.asked(need.__name__)
    before = shop.everything()
    said = shop.om.ok("answer", str(question["question"]), "deny", "-m", "leave it")
    what = "main" if need is merge else need.__name__
    assert said == f"Answered question {question['question']} of {question['name']} ({what}): deny\n"
    if need in {review, merge}:
        shop.is_in("work", "failed")
    eventually(lambda: question["question"] not in [one["question"] for one in shop.om.api("inbox")])
    assert before - shop.everything() == set()


def test_a_quest_that_has_failed_is_in_the_inbox_as_soon_as_anybody_can_hear_of_it(shop):
    """Acceptance 36: in `inbox` within 1 s; answered twice: `not_found`, and by whom."""
    quest = shop.work(check="echo no; false")
    eventually(lambda: shop.om.events("asked", mission=quest), what="it is asked")
    (question,) = shop.om.api("inbox")
    assert (question["need"], question["about"]) == ("stuck", {"kind": "quest", "id": quest, "name": "work"})
    assert "no" in question["subject"]["lines"]
    assert shop.om.ok("answer", "work", "deny") == "Answered question 1 of work (stuck): deny\n"
    assert "already answered by a person " in shop.om.refused("answer", "1", "allow", code="not_found")


def test_what_is_asked_about_a_quest_is_withdrawn_when_somebody_goes_on_with_it(shop):
    """Acceptance 38: given its subject ends: withdrawn, the count one less."""
    shop.om.ok("queue", "slots", "1")
    quest = shop.work(check="echo no; false")
    shop.asked("stuck", quest)
    shop.add("first", shop.held("first"))
    shop.await_at("first")
    shop.om.ok("quest", "retry", "work")
    assert shop.om.api("inbox") == []
    assert "is closed: it was withdrawn " in shop.om.refused("answer", "1", "allow", code="not_found")
    shop.go("first")
