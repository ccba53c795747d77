"""Quests that land: their work is merged when it is good, one after the other, and needs count once it is there."""

from __future__ import annotations

import os

import pytest

from tests.kit import claude, scripted
from tests.kit.isolated import Project
from tests.kit.killing import kill, kill_supervisor
from tests.kit.processes import with_word
from tests.kit.queued import Queued
from tests.kit.queued_shop import Shop
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually


@pytest.fixture
def shop(om):
    return Shop(om)


def classes(info):
    return [one["class"] for one in info["attempt_list"]]


def test_a_need_counts_when_it_has_landed_and_its_commit_is_in_the_next_worktree(shop):
    """Acceptance 5: a needs b, b with `--into main`: when b has landed, a is leased, never before, with b's commit."""
    before = shop.head()
    b = shop.add("b", "echo 2 > b", into="main", verify=shop.held("verify"), brief="Say two.\n\nNot one.")
    a = shop.add("a", "cat b; git log --format=%s", needs=["b"], into="main", allow_empty=True)
    shop.await_at("verify")
    assert (shop.info(b)["phase"], shop.why(a)["code"], shop.leases(a)) == ("landing", "needs", [])
    assert shop.why(a)["text"].startswith("waits for b (running ")
    assert shop.om.ok("queue").splitlines()[0] == "running 0/4 · queued 1 · landing 1"
    assert shop.head() == before
    shop.go("verify")
    info = shop.ended(b)
    landed = {"branch": "main", "before": before, "after": shop.head()}
    landed |= {"conflicts": [], "not_owned": [], "by_hand": False}
    assert info["landed"] == landed
    assert shop.code.git("log", "-1", "--format=%B", "main^2") == "b\n\nSay two."
    assert shop.ended(a)["status"] == "completed"
    assert "\n2\nMerge overmind/b into main\n" in shop.om.logs("a")
    order = [
        (event["type"], event["name"])
        for event in shop.om.events("landed", "quest")
        if event.get("phase", "work") == "work"
    ]
    assert order.index(("landed", "b")) < order.index(("quest", "a"), 1)
    assert shop.is_cleared(b)
    assert shop.is_cleared(a)
    assert "+2" in shop.om.ok("changes", "b")


def test_two_who_know_nothing_of_git_change_one_line_and_both_changes_land(shop):
    """The second attempt finds both sides in the file, and what to do with them; nobody is asked."""
    a = shop.add("a", f"echo carts > a; {shop.held('work')}", into="main")
    shop.await_at("work")
    merge = "sed -i -e '/^<<<<<<< /d' -e '/^=======$/d' -e '/^>>>>>>> /d' a"
    b = shop.add("b", f'if [ -f "$OVERMIND_IN/feedback.md" ]; then cat "$OVERMIND_IN/feedback.md"; {merge}; else '
                 f"echo vouchers > a; {shop.held('other')}; fi", into="main")  # fmt: skip
    shop.await_at("other")
    shop.go("work")
    assert shop.ended(a)["status"] == "completed"
    shop.go("other")
    info = shop.ended(b)
    assert (info["status"], classes(info)) == ("completed", ["conflicts", None])
    assert sorted(shop.code.git("show", "main:a").split()) == ["carts", "vouchers"]
    told = shop.om.logs("b")
    assert "In your worktree `main` is being merged into your work. Both sides stand in `a`" in told
    assert shop.om.api("inbox") == []
    assert shop.is_cleared(b)


def test_a_command_that_leaves_the_marks_of_a_conflict_does_its_work_once_more_on_what_has_landed(shop):
    shop.add("a", f"echo carts > a; {shop.held('work')}", into="main")
    shop.await_at("work")
    b = shop.add("b", "if [ -f $OVERMIND_IN/feedback.md ]; then cat $OVERMIND_IN/feedback.md; echo vouchers >> a; "
                 f"else echo vouchers > a; echo unique > part; {shop.held('other')}; fi", into="main")  # fmt: skip
    shop.await_at("other")
    shop.go("work")
    shop.ended("a")
    shop.go("other")
    info = shop.ended(b)
    assert (info["status"], classes(info)) == ("completed", ["conflicts", "conflict_left", None])
    assert shop.code.git("show", "main:a").split() == ["carts", "vouchers"]
    assert info["aside"] == ["overmind/b-attempt-2"], "what it has made may not be made twice"
    assert shop.code.git("show", "overmind/b-attempt-2:part") == "unique"
    assert shop.code.git("show", "overmind/b-attempt-2^:a") == "vouchers"
    for face in (("quest", "why", b), ("quest", "wait", b), ("quest", "info", b)):
        assert "overmind/b-attempt-2" in shop.om.ok(*face)
    told = shop.om.logs("b")
    assert "It left the marks of a conflict in a." in told
    assert "attempt 2 has failed: it left the marks of a conflict in a\n" in shop.om.ok("timeline", b)
    assert "Conflicts with `main` were left in `a`. Your worktree is now as `main` is: do the work once more" in told
    assert shop.code.git("branch", "--list", "overmind/*").split() == info["aside"]


def test_a_command_that_commits_the_marks_of_a_conflict_does_its_work_once_more_on_what_has_landed(shop):
    shop.add("a", f"echo carts > a; {shop.held('work')}", into="main")
    shop.await_at("work")
    b = shop.add("b", "if [ -f $OVERMIND_IN/feedback.md ]; then echo vouchers >> a; git add -A; git commit -qm merged; "
                 f"else echo vouchers > a; {shop.held('other')}; fi", into="main")  # fmt: skip
    shop.await_at("other")
    shop.go("work")
    shop.ended("a")
    shop.go("other")
    info = shop.ended(b)
    assert (info["status"], classes(info)) == ("completed", ["conflicts", "conflict_left", None])
    assert shop.code.git("show", "main:a").split() == ["carts", "vouchers"]
    assert info["aside"] == ["overmind/b-attempt-2"]
    assert shop.code.git("branch", "--list", "overmind/*").split() == info["aside"]


DECIDES = (
    "A person decides (deny: leave its branch and worktree as they are; allow: land its worktree as it is, with no "
    "more than this loss)"
)


def writes_over(shop, **options):
    """The second of two that change one file, which it writes whole in each attempt; both go on by themselves."""
    shop.add("carts", f"echo carts > a; {shop.held('work')}", into="main")
    shop.await_at("work")
    command = f"cat $OVERMIND_IN/feedback.md; echo vouchers > a; [ $OVERMIND_ATTEMPT != 1 ] || {shop.held('other')}"
    quest = shop.add("vouchers", command, into="main", **options)
    shop.await_at("other")
    shop.go("work")
    shop.ended("carts")
    shop.go("other")
    return quest, shop.asked("merge", "vouchers")


def asked_again(shop, question):
    """The question that follows an answer to this one."""
    shown = eventually(
        lambda: [one for one in shop.om.api("inbox") if one["question"] != question["question"]], what="asked again"
    )
    return shown[0]


def test_work_that_would_undo_what_has_landed_waits_for_a_person_and_says_so_everywhere_once_it_has(shop):
    quest, question = writes_over(shop)
    refusal = "a would lose 1 line of carts."
    assert question["summary"] == f"vouchers can't land on main: {refusal} Nothing was changed."
    assert question["subject"]["lines"] == [
        "a:",
        "- carts",
        "Its command would do the same again, as no prompt tells it what is lost. To keep both, do one of these:",
        f"bring both together in {shop.info(quest)['worktree']}, then allow it",
        (
            "give it another command, which begins at main: deny it, then: "
            "overmind quest edit vouchers -- CMD; overmind quest retry vouchers"
        ),
    ]
    asked = shop.om.ok("inbox")
    assert (
        f"overmind answer {question['question']} allow  land its worktree as it is, with no more than this loss\n"
        in asked
    )
    assert f"overmind answer {question['question']} deny   leave its branch and worktree as they are\n" in asked
    assert shop.om.ok("quest", "why", "vouchers").splitlines() == [
        f"vouchers is running: landing was refused: {refusal} {DECIDES}, attempt 2 of 3",
        f"  go on with: overmind answer {question['question']} deny",
        f"  go on with: overmind answer {question['question']} allow",
    ]
    kill(shop.om.supervisor_pid())
    shop.om.ok("start")
    assert shop.asked("merge", "vouchers")["question"] == question["question"]
    assert shop.code.git("show", "main:a") == "carts"
    shop.om.ok("answer", "vouchers", "allow")
    info = shop.ended(quest)
    assert (info["status"], classes(info), info["landed"]["conflicts"]) == ("completed", ["conflicts", None], ["a"])
    assert shop.code.git("show", "main:a") == "vouchers"
    said = "after a conflict in a"
    assert shop.om.ok("quest", "why", "vouchers").splitlines()[0] == (
        "vouchers has completed: landed on main after a conflict in a; "
        "a person allowed that it may undo what had landed in a"
    )
    for command in (("quest", "list"), ("board",), ("timeline", "vouchers")):
        assert said in shop.om.ok(*command), command
    assert said not in shop.om.ok("quest", "why", "carts")
    assert shop.om.api("quest", id="carts")["landed"]["conflicts"] == []


def agent_writes_over(shop, tmp_path, **options):
    """The same by an agent, whose every attempt writes the file whole, and from the third on something else."""
    claude.at_hand(shop.om, tmp_path)
    write = {"write": "a", "text": "vouchers\n"}
    script = {
        "quests.vouchers.1": [write, {"call": shop.held("other")}],
        "quests.vouchers.2": [write],
        "*": [{"read": "feedback.md"}, {**write, "text": "coupons\n"}],
    }
    scripted.behind(shop.om, scripted.write(tmp_path, script))
    shop.add("carts", f"echo carts > a; {shop.held('work')}", into="main")
    shop.await_at("work")
    quest = shop.add("vouchers", "", provider="claude", into="main", **options)
    shop.await_at("other")
    shop.go("work")
    shop.ended("carts")
    shop.go("other")
    return quest, shop.asked("merge", "vouchers")


def test_what_would_be_undone_and_is_to_stay_is_told_to_the_next_attempt_of_an_agent(shop, tmp_path):
    quest, question = agent_writes_over(shop, tmp_path)
    asked = shop.om.ok("inbox")
    assert "land it all the same" in asked
    assert "begin another attempt, which keeps both; -m TEXT: the feedback for it" in asked
    assert "To leave it, with its branch and worktree: overmind quest cancel vouchers\n" in asked
    shop.om.ok("answer", str(question["question"]), "deny", "-m", "keep the carts")
    again = asked_again(shop, question)
    told = shop.om.logs("vouchers")
    assert "Attempt 2 failed: it would undo what has landed." in told
    assert "A person says:\n\nkeep the carts" in told
    assert "a would lose 1 line of carts. Keep what had landed, beside the change of this quest." in told
    shop.om.ok("quest", "cancel", "vouchers")
    info = shop.info(quest)
    assert (info["status"], classes(info)) == ("cancelled", ["conflicts", "undoes_landed", None])
    assert [shop.om.api("inbox"), shop.code.git("show", "main:a")] == [[], "carts"]
    assert shop.code.git("branch", "--list", "overmind/vouchers") == "+ overmind/vouchers"
    assert again["need"] == "merge"


def test_what_was_allowed_lands_without_another_attempt_though_its_target_has_moved(shop):
    quest, _ = writes_over(shop)
    shop.ended(shop.add("gifts", "echo gifts > new", into="main"))
    shop.om.ok("answer", "vouchers", "allow")
    info = shop.ended(quest)
    assert (info["status"], classes(info)) == ("completed", ["conflicts", None])
    assert [shop.code.git("show", f"main:{name}") for name in ("a", "new")] == ["vouchers", "gifts"]


def test_a_target_that_has_moved_is_asked_about_with_all_lines_before_more_of_them_go(shop):
    """Neither answer costs an attempt, and what was allowed is all that is undone."""
    quest, question = writes_over(shop)
    shop.ended(shop.add("gifts", "echo gifts >> a", into="main"))
    shop.om.ok("answer", "vouchers", "allow")
    again = asked_again(shop, question)
    told = "main has moved since it was allowed: a would lose 2 lines of carts and gifts."
    assert again["summary"] == f"vouchers can't land on main: {told} Nothing was changed."
    assert again["subject"]["lines"][:3] == ["a:", "- carts", "- gifts"]
    assert shop.om.ok("quest", "why", "vouchers").splitlines()[0] == (
        f"vouchers is running: landing was refused: {told} {DECIDES}, attempt 2 of 3"
    )
    kill(shop.om.supervisor_pid())
    shop.om.ok("start")
    assert shop.code.git("show", "main:a").split() == ["carts", "gifts"]
    shop.om.ok("answer", "vouchers", "allow")
    info = shop.ended(quest)
    assert (info["status"], classes(info)) == ("completed", ["conflicts", None])
    assert shop.code.git("show", "main:a") == "vouchers"


def test_a_new_conflict_in_another_file_costs_what_was_allowed_no_attempt(shop):
    quest = writes_over(shop, retries=1)[0]
    with open(os.path.join(shop.info(quest)["worktree"], "b"), "w", encoding="utf-8") as file:
        file.write("vouchers\n")
    shop.ended(shop.add("gifts", "echo gifts > b", into="main"))
    shop.om.ok("answer", "vouchers", "allow")
    eventually(lambda: len(shop.info(quest)["attempt_list"]) > 2, what="another attempt")
    assert classes(shop.info(quest))[:2] == ["conflicts", "conflicts"]
    assert shop.info(quest)["tries"] == 2, "of two"


def test_a_person_who_wants_both_kept_gets_another_attempt_of_an_agent_also_where_none_is_left(shop, tmp_path):
    quest, question = agent_writes_over(shop, tmp_path, retries=1)
    assert shop.om.ok("quest", "why", "vouchers").splitlines()[0].endswith("attempt 2 of 2")
    for _ in range(2):
        shop.om.ok("answer", "vouchers", "deny", "-m", "keep the carts")
        question = asked_again(shop, question)
        assert (question["need"], shop.info(quest)["status"]) == ("merge", "running")
    assert classes(shop.info(quest)) == ["conflicts", "undoes_landed", "undoes_landed", None]
    shop.om.ok("answer", "vouchers", "allow")
    assert shop.ended(quest)["status"] == "completed"


AGAIN = "its next round begins at main: give it another command before with: overmind quest edit vouchers -- CMD"


def test_a_command_whose_work_is_denied_begins_at_its_target_and_loses_nothing_that_was_denied_without_a_question(shop):
    quest, question = writes_over(shop)
    shop.om.ok("answer", "vouchers", "deny", "-m", "keep the carts")
    info = shop.ended(quest)
    assert (info["status"], info["reason"], classes(info)) == (
        "failed",
        "undoes_landed",
        ["conflicts", "undoes_landed"],
    )
    assert shop.om.api("inbox") == []
    undone = "it would undo what has landed: a would lose 1 line of carts"
    assert shop.om.ok("quest", "why", "vouchers").splitlines() == [
        f"vouchers has failed: {undone}; {AGAIN}",
        "  see: overmind quest logs vouchers",
        "  go on with: overmind quest retry vouchers",
    ]
    denied = shop.head("overmind/vouchers")
    shop.om.ok("quest", "edit", "vouchers", "--", "sh", "-c", "echo coupons > a")
    shop.om.ok("quest", "retry", "vouchers")
    again = asked_again(shop, question)
    assert again["summary"].startswith("vouchers can't land on main: a would lose 1 line of carts.")
    assert shop.head("overmind/vouchers-attempt-2") == denied
    why = shop.om.ok("quest", "why", "vouchers").splitlines()[0]
    assert why.endswith("; earlier work is on overmind/vouchers-attempt-2")
    kill(shop.om.supervisor_pid())
    shop.om.ok("start")
    shop.om.ok("answer", "vouchers", "deny")
    shop.ended(quest)
    shop.om.ok("quest", "edit", "vouchers", "--", "sh", "-c", "cat $OVERMIND_IN/feedback.md; echo vouchers >> a")
    shop.om.ok("quest", "retry", "vouchers")
    assert shop.ended(quest)["status"] == "completed"
    assert shop.code.git("show", "main:a").split() == ["carts", "vouchers"]
    assert "The work of attempt 3 is on the branch `overmind/vouchers-attempt-3`." in shop.om.logs("vouchers")
    kept = "earlier work is on overmind/vouchers-attempt-2, overmind/vouchers-attempt-3"
    assert shop.om.ok("quest", "why", "vouchers").splitlines()[0] == (
        f"vouchers has completed: landed on main after a conflict in a; {kept}"
    )


def test_a_command_that_is_cancelled_instead_begins_at_its_target_too_and_keeps_what_was_not_committed(shop):
    quest, _ = writes_over(shop)
    with open(os.path.join(shop.info(quest)["worktree"], "new"), "w", encoding="utf-8") as file:
        file.write("mine\n")
    shop.om.ok("quest", "cancel", "vouchers")
    shop.ended(quest)
    assert shop.om.ok("quest", "why", "vouchers").splitlines()[0] == (
        f"vouchers was cancelled: it would undo what has landed: a would lose 1 line of carts; {AGAIN}"
    )
    shop.om.ok("quest", "edit", "vouchers", "--", "sh", "-c", "echo vouchers >> a")
    shop.om.ok("quest", "retry", "vouchers")
    assert shop.ended(quest)["status"] == "completed"
    assert shop.code.git("show", "main:a").split() == ["carts", "vouchers"]
    assert shop.code.git("ls-tree", "--name-only", "main").split() == ["a", "b"]
    assert shop.code.git("show", "overmind/vouchers-attempt-2:new") == "mine"


def test_what_a_person_brings_together_in_the_worktree_lands_once_it_is_allowed(shop):
    quest, _ = writes_over(shop)
    with open(os.path.join(shop.info(quest)["worktree"], "a"), "w", encoding="utf-8") as file:
        file.write("carts\nvouchers\n")
    shop.om.ok("answer", "vouchers", "allow")
    info = shop.ended(quest)
    assert (info["status"], classes(info)) == ("completed", ["conflicts", None])
    assert shop.code.git("show", "main:a").split() == ["carts", "vouchers"]
    assert shop.is_cleared(quest)


def test_commands_that_append_to_one_file_at_once_all_land_with_one_retry(shop):
    quests = [shop.add(name, f"echo {name} >> a; [ -f $OVERMIND_IN/feedback.md ] || {shop.held(name)}", into="main",
                       retries=1) for name in ("x", "y", "z")]  # fmt: skip
    for name in ("x", "y", "z"):
        shop.await_at(name)
    for name in ("x", "y", "z"):
        shop.go(name)
    assert [shop.ended(quest)["status"] for quest in quests] == ["completed"] * 3
    assert sorted(shop.code.git("show", "main:a").split()[-3:]) == ["x", "y", "z"]


def test_a_command_with_nothing_to_add_to_what_has_landed_is_not_done(shop):
    shop.add("a", f"sed -i s/1/carts/ a; {shop.held('work')}", into="main")
    shop.await_at("work")
    b = shop.add("b", f"sed -i s/1/vouchers/ a; [ -f $OVERMIND_IN/feedback.md ] || {shop.held('other')}", into="main",
                 retries=1)  # fmt: skip
    shop.await_at("other")
    shop.go("work")
    shop.ended("a")
    shop.go("other")
    info = shop.ended(b)
    assert (info["status"], classes(info)) == ("failed", ["conflicts", "conflict_left", "no_change", "no_change"])
    assert shop.code.git("show", "main:a") == "carts"


def test_what_the_verification_refused_is_tried_again_on_the_merged_work(shop):
    shop.add("a", f"echo x > new; {shop.held('work')}", into="main")
    shop.await_at("work")
    b = shop.add("b", f"if [ -f new ]; then rm new; else echo 2 > b; {shop.held('other')}; fi", into="main",
                 verify="test ! -f new")  # fmt: skip
    shop.await_at("other")
    shop.go("work")
    shop.ended("a")
    shop.go("other")
    info = shop.ended(b)
    assert (info["status"], classes(info)) == ("completed", ["verify_failed", None])
    assert shop.code.git("ls-tree", "--name-only", "main").split() == ["a", "b"]


def test_a_failed_check_says_its_command_its_code_its_last_lines_and_its_worktree(shop):
    lines = "echo 1; echo 2; echo 3; echo 4; exit 3"
    checked = shop.add("checked", "echo x > new", into="main", check=lines, retries=0)
    verified = shop.add("verified", "echo x > new", into="main", verify=lines, retries=0)
    for quest, log in ((checked, "overmind quest logs --check checked"), (verified, "overmind logs verified/verify")):
        info = shop.ended(quest)
        worktree = info["worktree"]
        assert os.path.exists(os.path.join(worktree, "new"))
        ran = worktree.replace(quest, f"merge-{quest}") + " (removed since)" if quest == verified else worktree
        own = [f"  its work is in: {worktree}"] if quest == verified else []
        why = shop.om.ok("quest", "why", info["name"]).splitlines()
        assert why[0].endswith(f"failed (3): {lines}")
        printed = ["  printed: 2", "  printed: 3", "  printed: 4"]
        assert why[1 : 6 + len(own)] == [f"  in: {ran}", *own, *printed, f"  see: {log}"]
        assert shop.om.ok(*log.split()[1:]).splitlines()[-4:] == ["1", "2", "3", "4"]
        asked = shop.om.ok("inbox")
        assert f"exit code 3\n    $ {lines}\n    in {ran}\n" in asked
        assert (f"    its work is in {worktree}\n" in asked) is bool(own)


def test_what_has_not_landed_is_kept_when_its_record_is_removed_and_both_say_so(shop):
    quest = shop.add("a", f"echo 2 > b; git commit -qam 'a: two'; {shop.held('work')}", into="main")
    shop.await_at("work")
    shop.om.ok("quest", "cancel", "a")
    assert shop.ended(quest)["status"] == "cancelled"
    worktree = shop.code.path(".overmind", "worktrees", quest)
    removed = shop.om("rm", "a")
    assert (removed.returncode, removed.stdout) == (0, f"Removed mission {quest}\n")
    (line,) = removed.stderr.splitlines()
    assert line.startswith(f"The worktree {worktree} of a is kept. 1 commit of a is not merged anywhere: ")
    before, _, remove = line.partition(", or remove it with: overmind ")
    assert before.endswith(f" Merge with: overmind merge {quest}")
    told = shop.om.refused("quest", "retry", quest, code="gone")
    assert told.strip() == (
        f"The mission of quest {quest} (a) was removed; its work is kept in {worktree}. "
        "Add it again with: overmind quest add"
    )
    assert os.path.exists(worktree)
    shop.om.ok(*remove.split())
    assert shop.is_cleared(quest)
    told = shop.om.refused("quest", "retry", quest, code="gone")
    assert told.startswith(f"The mission of quest {quest} (a) was removed, and its work with it. ")


def test_two_that_conflict_land_one_after_the_other_and_the_second_reads_both_sides(shop, tmp_path):
    """Acceptance 48: the first lands, the second fails `conflicts`, reads both sides, lands after its own merge."""
    first = shop.add("first", "echo ours > a", into="main", check=shop.held("check"))
    mend = "git merge -q main || { echo both > a; git add a; git commit -qm merged; }"
    script = {
        "quests.second.1": [{"write": "a", "text": "theirs\n"}],
        "quests.second.2": [{"read": "feedback.md"}, {"call": mend}],
    }
    path = scripted.write(tmp_path, script)
    second = shop.add("second", scripted.command(path), into="main", check=shop.held("other"))
    shop.await_at("check")
    shop.await_at("other")
    shop.go("check")
    assert shop.ended(first)["status"] == "completed"
    shop.go("other")
    info = shop.ended(second)
    assert (info["status"], classes(info), info["tries"]) == ("completed", ["conflicts", None], 2)
    assert "ours" in shop.om.logs("second")
    assert "theirs" in shop.om.logs("second")
    assert "Attempt 1 failed: its work conflicts with what has landed meanwhile." in shop.om.logs("second")
    assert shop.code.read("a") == "both\n"
    assert shop.log()[:2] == ["Merge overmind/second into main", "Merge overmind/first into main"]


def test_a_verification_that_fails_moves_no_ref_and_is_what_the_next_attempt_reads(shop):
    """Acceptance 48: a failing verify moves no ref."""
    before = shop.head()
    quest = shop.add(
        "work", "cat $OVERMIND_IN/feedback.md; echo $OVERMIND_ATTEMPT > n", into="main", retries=1,
        verify="echo n is $(cat n); test $(cat n) = 2",
    )  # fmt: skip
    info = shop.ended(quest)
    assert (info["status"], classes(info)) == ("completed", ["verify_failed", None])
    assert "n is 1" in shop.om.logs("work")
    landed = shop.om.events("landed")
    assert [(one["before"], one["by"]) for one in landed] == [(before, "engine")]
    assert shop.code.git("rev-list", "--count", "main") == "4", "both attempts, and one merge"


def waits_on_main(shop, *quests):
    """The one question about the checkout of main, once these wait for it."""
    question = shop.asked("merge", "queue")
    eventually(lambda: all(shop.info(quest)["reason"] == "dirty" for quest in quests), what="they wait")
    assert [one["question"] for one in shop.om.api("inbox")] == [question["question"]]
    return question


def test_what_meets_no_file_of_the_persons_lands_and_the_clean_files_follow(shop):
    shop.code.write({"b": "mine\n", "c": "mine\n", "untracked": "mine\n"})
    shop.code.git("add", "c")
    quest = shop.add("work", "echo 2 > a; echo 1 > new", into="main")
    assert shop.ended(quest)["status"] == "completed"
    assert [shop.code.read(name) for name in ("a", "new", "b", "c", "untracked")] == ["2\n", "1\n", *["mine\n"] * 3]
    assert shop.code.git("status", "--porcelain").splitlines() == ["M b", "A  c", "?? untracked"]


def test_what_meets_a_persons_files_is_asked_about_once_and_lands_by_itself_when_they_are_gone(shop):
    """Also where a check of the merged work would run: it never begins."""
    shop.code.write({"b": "mine\n", "new": "mine\n"})
    ran = shop.om.path("ran")
    one = shop.add("one", "echo 2 > b", into="main", verify=f"touch {ran}")
    two = shop.add("two", "echo 3 > new", into="main")
    question = waits_on_main(shop, one, two)
    assert (question["about"], question["part"]) == ({"kind": "queue", "id": "queue", "name": "queue"}, "main")
    assert question["summary"].startswith("Work can't land on main: ")
    assert [shop.column_of(name) for name in ("one", "two")] == ["review", "review"]
    queue = shop.om.ok("queue").splitlines()
    assert queue[0] == "running 0/4 · queued 0 · landing 2"
    assert "one on main (uncommitted files are in its way: tried again by itself)" in queue[1]
    folder = shop.code.folder
    why = shop.om.ok("quest", "why", "one").splitlines()
    about_all = why.pop(1)
    number = question["question"]
    assert about_all.startswith(
        f"  waits for you: question {number} (merge of all that wait for main): Work can't land"
    )
    assert about_all.endswith(
        f": overmind answer {number} allow (try again now) or deny (leave the work of all that wait for it as it is)"
    )
    refused = shop.om.refused("answer", "one", "allow", code="ambiguous")
    assert refused.rstrip().endswith(about_all.partition("waits for you: ")[2]), refused
    assert why == [
        (
            "one is running: it lands by itself, attempt 1 of 3, once this is out of the way: main is checked out in "
            f"{folder}, where 1 file that the landing changes is not committed: b. Nothing was changed. "
            f"Commit it there, or stash it with: git -C {folder} stash push -- b"
        ),
        f"  go on with: git -C {folder} stash push -- b",
    ]
    assert f"  go on with: mv -n {folder}/new {folder}/new.mine" in shop.om.ok("quest", "why", "two").splitlines()
    assert not os.path.exists(ran)
    shop.code.git("stash", "push", "-q", "--", "b")
    info = shop.ended(one)
    assert (info["status"], info["reason"], info["attempts"], classes(info)) == ("completed", None, 1, [None])
    assert waits_on_main(shop, two)["question"] == question["question"]
    os.rename(shop.code.path("new"), shop.code.path("new.mine"))
    assert shop.ended(two)["status"] == "completed"
    assert shop.om.api("inbox") == []
    assert [shop.code.read(name) for name in ("b", "new", "new.mine")] == ["2\n", "3\n", "mine\n"]
    shop.code.git("stash", "drop", "-q")
    assert len([one for one in shop.om.events("asked") if one["need"] == "merge"]) == 1


def test_whoever_waits_for_a_quest_is_told_what_is_in_its_way(shop):
    shop.code.write({"b": "mine\n"})
    shop.add("work", "echo 2 > b", into="main")
    with shop.om.popen("quest", "wait", "work") as waiting:
        line = waiting.stderr.readline()
        shop.code.git("checkout", "-q", "b")
        assert waiting.wait() == 0
    assert "waits for you: work is running: it lands by itself, attempt 1 of 3, once this is out of the way: " in line


def test_a_refused_landing_lands_by_itself_under_the_next_daemon_as_well(shop):
    """Kill table: any question open: still open, same number."""
    shop.code.write({"b": "mine\n"})
    quest = shop.add("work", "echo 2 > b", into="main")
    question = waits_on_main(shop, quest)
    kill(shop.om.supervisor_pid())
    shop.om.ok("start")
    assert waits_on_main(shop, quest)["question"] == question["question"]
    eventually(lambda: "stash push" in shop.om.ok("quest", "why", "work"), what="it was looked at again")
    shop.code.git("checkout", "-q", "b")
    assert shop.ended(quest)["status"] == "completed"
    assert shop.om.api("inbox") == []
    assert len(shop.om.events("landed")) == 1


@pytest.mark.parametrize("phase", ["before", "within"])
def test_a_daemon_that_is_killed_while_it_lands_beside_a_persons_files_changes_none_of_them(shop, phase):
    """Before git moves the target, and while git is at it."""
    edits = {"b": "mine\n", "staged": "mine\n", "untracked": "mine\n", ".env": "mine\n"}
    shop.code.commit("more", {"gone": "1\n", "old": "1\n", ".gitignore": ".env\n"})
    shop.code.write(edits)
    shop.code.git("add", "staged")
    os.unlink(shop.code.path("gone"))
    shop.code.git("mv", "old", "renamed")
    before = shop.code.git("status", "--porcelain")
    if phase == "within":
        shop.hangs_once("post-merge", unless='[ "$(pwd)" != ' + f'"{shop.code.folder}" ]')
    quest = shop.add("work", "echo 2 > a; echo 1 > new", into="main", verify=shop.held("verify"))
    shop.await_at("verify")
    if phase == "before":
        kill_supervisor(shop.om)
    shop.go("verify")
    if phase == "within":
        shop.await_hook()
        kill_supervisor(shop.om)
        shop.go("hook")
    info = shop.ended(quest)
    assert (info["status"], info["attempts"], info["landed"]["after"]) == ("completed", 1, shop.head())
    assert shop.code.git("status", "--porcelain") == before
    assert {name: shop.code.read(name) for name in edits} == edits
    assert (shop.code.read("a"), shop.code.read("new"), shop.code.read("renamed")) == ("2\n", "1\n", "1\n")
    assert len(shop.om.events("landed")) == 1


@pytest.mark.parametrize(
    ("operation", "way_out"), [("rebase", "rebase --abort"), ("cherry-pick", "cherry-pick --abort")]
)
def test_what_stands_half_done_in_the_checkout_is_called_what_it_is_and_its_end_lets_the_work_land(
    shop, operation, way_out
):
    shop.code.git("checkout", "-q", "-b", "other")
    shop.code.commit("other", {"b": "other\n"})
    shop.code.git("checkout", "-q", "main")
    shop.code.commit("own", {"b": "own\n"})
    with pytest.raises(AssertionError):
        shop.code.git(operation, "other")
    quest = shop.add("work", "echo 2 > a", into="main")
    question = waits_on_main(shop, quest)
    folder = shop.code.folder
    assert f"main is in use in {folder}, where a {operation} is not finished." in question["summary"]
    assert f"  go on with: git -C {folder} {way_out}" in shop.om.ok("quest", "why", "work").splitlines()
    shop.code.git(*way_out.split())
    assert shop.ended(quest)["status"] == "completed"
    assert shop.om.api("inbox") == []


def test_a_refused_landing_can_be_tried_at_once_and_may_be_refused_again(shop):
    shop.code.write({"b": "mine\n"})
    quest = shop.add("work", "echo 2 > b", into="main")
    question = waits_on_main(shop, quest)
    shop.answer(question, "allow")
    again = eventually(
        lambda: [one for one in shop.om.api("inbox") if one["question"] != question["question"]], what="asked again"
    )
    assert again[0]["part"] == "main"
    shop.code.git("checkout", "-q", "b")
    assert shop.ended(quest)["status"] == "completed"
    assert shop.om.api("inbox") == []


def test_cancelled_where_its_target_has_refused_it_withdraws_the_question_with_the_last_of_them(shop):
    """Acceptance 38, of `merge`: its subject ends: withdrawn, the count one less."""
    shop.code.write({"b": "mine\n"})
    first, second = shop.add("first", "echo 2 > b", into="main"), shop.add("second", "echo 3 > b", into="main")
    question = waits_on_main(shop, first, second)
    shop.om.ok("quest", "cancel", "first")
    assert shop.info(first)["status"] == "cancelled"
    waits_on_main(shop, second)
    shop.om.ok("quest", "cancel", "second")
    assert (shop.info(second)["status"], shop.om.api("inbox")) == ("cancelled", [])
    told = shop.om.refused("answer", str(question["question"]), "allow", code="not_found")
    assert "is closed: it was withdrawn " in told
    assert shop.code.git("branch", "--list", "overmind/first") == "+ overmind/first"


def test_a_target_that_refuses_and_is_left_keeps_branch_and_worktree_of_all(shop):
    """Acceptance 37, of `merge`: denied: no row, file, branch or worktree is gone."""
    shop.code.write({"b": "mine\n"})
    quests = [shop.add(name, "echo 2 > b", into="main") for name in ("work", "more")]
    question = waits_on_main(shop, *quests)
    shop.om.ok("answer", str(question["question"]), "deny")
    for quest in quests:
        info = shop.ended(quest)
        assert (info["status"], info["reason"]) == ("failed", "dirty")
        worktree = shop.code.path(".overmind", "worktrees", quest)
        with open(os.path.join(worktree, "b"), encoding="utf-8") as file:
            assert file.read() == "2\n"
    assert shop.om.api("inbox") == []
    assert shop.code.git("branch", "--list", "overmind/work") == "+ overmind/work"
    shop.code.git("checkout", "-q", "b")
    shop.om.ok("quest", "retry", "work")
    assert shop.ended(quests[0])["status"] == "completed"


def test_what_changes_below_our_folder_never_lands(shop):
    quest = shop.add("work", "mkdir -p .overmind/specs; echo x > .overmind/specs/x; echo 2 > b", into="main", retries=0)
    info = shop.ended(quest)
    assert (info["status"], info["reason"]) == ("failed", "output_invalid")
    assert ".overmind/specs/x" in info["feedback"]
    assert shop.log() == ["first"]


def test_files_that_are_not_committed_in_a_submodule_fail_the_attempt_and_the_next_one_reads_how_to(shop):
    lib = Repository(shop.om.path("lib"))
    lib.commit("first of lib", {"l": "1\n"})
    shop.code.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.folder, "lib")
    shop.code.git("commit", "-qm", "with lib")
    quest = shop.add("work", "echo 2 > b; echo 2 > lib/l", into="main", retries=0)
    info = shop.ended(quest)
    assert (info["status"], info["reason"]) == ("failed", "output_invalid")
    assert "lib of work is a submodule with files that are not committed there." in info["feedback"]
    inside = shop.code.path(".overmind", "worktrees", quest, "lib")
    commands = f"git -C {inside} add --all, then: git -C {inside} commit"
    assert commands in info["feedback"]
    assert commands in shop.om.refused("commit", "work", "-m", "x", code="nothing_to_commit")
    assert commands in shop.om.refused("merge", "work", code="dirty")
    assert shop.log() == ["with lib", "first"]


def test_where_the_project_says_so_a_quest_has_a_worktree_of_its_own(om):
    project = Project(om, "isolation:\n  copy: [.env]\n")
    om.environment |= {name: value for name, value in project.environ.items() if name.startswith("GIT_")}
    queue = Queued(om, cwd=project.folder)
    own = queue.add("own", "pwd; cat .env")
    queue.add("shared", "pwd", isolate=False)
    assert queue.ended(own)["status"] == queue.ended("shared")["status"] == "completed"
    assert f"{project.worktree_of(own)}\nKEY=1\n" in om.logs("own")
    assert om.logs("shared").splitlines() == [project.folder]


def test_one_that_lands_takes_no_slot_and_keeps_what_it_owns(shop):
    om = shop.om
    om.ok("queue", "slots", "1")
    shop.add("lands", "echo 2 > b", into="main", verify=shop.held("verify"), owns=["b"])
    shop.await_at("verify")
    shop.add("same", shop.held("same"), owns=["/b"])
    shop.add("other", shop.held("other"))
    shop.await_at("other")
    assert shop.why("same")["text"] == "b is owned by lands, which is landing"
    shop.go("verify", "other", "same")
    assert [shop.ended(name)["status"] for name in ("lands", "same", "other")] == ["completed"] * 3


def test_cancelled_while_it_lands_nothing_has_landed_and_nothing_runs(shop):
    before = shop.head()
    word = f"sleep 5{os.getpid() % 1000:03}3"
    quest = shop.add("work", "echo 2 > b", into="main", verify=f"{shop.held('verify', word)}")
    shop.await_at("verify")
    shop.om.ok("quest", "cancel", "work")
    info = shop.info(quest)
    assert (info["status"], info["landed"], shop.head()) == ("cancelled", None, before)
    assert with_word(word) == []
    assert shop.code.git("worktree", "list").count("merge-") == 0
    with open(shop.code.path(".overmind", "worktrees", quest, "b"), encoding="utf-8") as file:
        assert file.read() == "2\n"


def test_cancelled_while_it_waits_to_land_it_never_does(shop):
    first = shop.add("first", "echo 2 > a", into="main", verify=shop.held("verify"))
    shop.await_at("verify")
    second = shop.add("second", "echo 2 > b", into="main")
    shop.is_in(second, "landing")
    shop.om.ok("quest", "cancel", "second")
    assert shop.info(second)["status"] == "cancelled"
    shop.go("verify")
    assert shop.ended(first)["status"] == "completed"
    assert shop.log() == ["Merge overmind/first into main", "first"]


@pytest.mark.parametrize("point", ["work", "check", "verify"])
def test_a_killed_supervisor_lands_it_once(shop, point):
    """Kill table: commit made, merge not; target moved, not recorded: commits nothing twice."""
    quest = shop.add(
        "work", shop.held("work", "echo 2 > b"), into="main", check=shop.held("check"), verify=shop.held("verify")
    )
    for gate in ("work", "check", "verify"):
        shop.await_at(gate)
        if gate == point:
            kill_supervisor(shop.om)
        shop.go(gate)
    info = shop.ended(quest)
    assert (info["status"], classes(info), info["landed"]["after"]) == ("completed", [None], shop.head())
    assert shop.log() == ["Merge overmind/work into main", "first"]
    assert shop.code.git("rev-list", "--count", "main") == "3"
    assert shop.leases(quest) == ["work"]
    assert len(shop.om.events("landed")) == 1
    assert shop.is_cleared(quest)


def test_files_that_a_quest_does_not_own_are_named_before_and_after_they_land(shop):
    quest = shop.add("carts", "echo 1 > a; echo 2 > strange", into="main", owns=["a"], review="person")
    (question,) = eventually(lambda: shop.om.api("inbox"), 30, what="a person is asked")
    assert "1 file not its own: strange. It owns a." in question["subject"]["lines"]
    shop.om.ok("answer", "carts", "allow")
    assert shop.ended(quest)["landed"]["not_owned"] == ["strange"]
    assert shop.om.ok("quest", "why", "carts").splitlines() == [
        "carts has completed: landed on main, with 1 file not its own: strange"
    ]


@pytest.mark.parametrize("review", [None, "person"])
def test_work_that_changed_nothing_has_failed_and_the_next_attempt_is_told(shop, review):
    """Neither is anybody asked to review it."""
    quest = shop.add("idle", 'cat "$OVERMIND_IN/feedback.md" || true', into="main", retries=1, review=review)
    info = shop.ended(quest)
    assert (info["status"], info["reason"], classes(info)) == ("failed", "no_change", ["no_change", "no_change"])
    assert "Nothing was changed or committed." in shop.om.logs("idle")
    assert shop.log() == ["first"]
    assert {event.get("phase") for event in shop.events(quest)}.isdisjoint({"reviewing"})


def test_work_that_changed_nothing_the_first_time_lands_once_it_has(shop):
    quest = shop.add("late", '[ ! -f "$OVERMIND_IN/feedback.md" ] || echo 2 > b', into="main", retries=1)
    info = shop.ended(quest)
    assert (info["status"], classes(info)) == ("completed", ["no_change", None])
    assert shop.code.git("show", "main:b") == "2"


def test_work_that_may_change_nothing_is_done_nothing_lands_and_those_that_need_it_are_told(shop):
    shop.om.ok("quest", "add", "look", "--into", "main", "--allow-empty", "--wait", "--", "true", cwd=shop.code.folder)
    next_one = shop.add("next", "cat $OVERMIND_IN/brief.md", needs=["look"])
    info = shop.om.api("quest", id="look")
    assert (info["status"], info["landed"], info["allow_empty"]) == ("completed", None, True)
    assert shop.ended(next_one)["status"] == "completed"
    assert "completed with nothing to land, and changed nothing: `look`." in shop.om.logs("next")
    assert "  needs: look, completed with nothing to land" in shop.om.ok("quest", "why", "next").splitlines()
    assert shop.log() == ["first"]
    assert shop.is_cleared(info["id"])


def test_work_that_its_agent_has_landed_itself_is_no_work_without_a_change(shop):
    merge = f"echo 2 > b; git commit -qam own; git -C {shop.code.folder} merge -q $(git branch --show-current)"
    info = shop.ended(shop.add("own", merge, into="main", retries=0))
    assert (info["status"], info["landed"]) == ("completed", None)
    assert shop.log() == ["own", "first"]


def test_the_mission_of_a_quest_stands_where_its_quest_does_and_its_status_stays(shop):
    """Its program has ended well in all of them."""
    shop.code.write({"b": "mine\n"})
    idle = shop.add("idle", "true", into="main", retries=0)
    done = shop.add("done", "echo 2 > a", into="main")
    seen = shop.add("seen", "echo 2 > seen", into="main", review="person")
    kept = shop.add("kept", "echo 2 > b", into="main")
    for quest in (idle, done):
        shop.ended(quest)
    eventually(lambda: shop.info(kept)["reason"] == "dirty", what="it waits")
    eventually(lambda: shop.info(seen)["status"] == "review", what="it is in review")

    def stands():
        rows = {row["name"]: row for row in shop.om.api("ps", wide=True)}
        assert {row["status"] for row in rows.values()} == {"stopped"}
        return {name: (row["quest_state"], row["outcome"], row["now"]) for name, row in rows.items()}

    expected = {
        "idle": ("failed", "failed", "failed: nothing was changed or committed"),
        "done": ("completed", "succeeded", "landed on main"),
        "seen": ("review", None, "review: a person decides"),
        "kept": ("to land", None, "waits to land: b is not committed"),
    }
    eventually(lambda: stands() == expected, what="each stands where its quest does")
    waited = shop.om("wait", *expected, "--timeout", "1")
    assert waited.returncode == 124, "those whose quests go on are waited for"
    assert sorted(line.partition(": ")[2] for line in waited.stdout.splitlines()) == [
        "stopped (exit code 0): failed: nothing was changed or committed",
        "stopped (exit code 0): its quest goes on",
        "stopped (exit code 0): its quest goes on",
        "stopped (exit code 0): succeeded: landed on main",
    ]
    assert shop.om("wait", "idle").returncode == 1
    assert [one["name"] for one in shop.om.api("ps", outcome=["failed"])] == ["idle"]
    assert [one["name"] for one in shop.om.api("ps", outcome=["succeeded"])] == ["done"]
    trees = {one["name"]: one["quest_state"] for one in shop.om.api("worktrees")["worktrees"]}
    assert trees["seen"] == "review"
    assert shop.info(kept)["why"] == "b is not committed"
    assert shop.om.ok("quest", "wait", "done").endswith("completed (exit code 0): landed on main\n")
