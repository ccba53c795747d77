"""Facts that the product builds on: questions of the full-screen program, answered by a hook or by keys."""

from __future__ import annotations

import json
import os
import time

import pytest

from tests.kit.hook_log import HookLog, decision
from tests.kit.waiting import eventually

CURSOR = "\u276f"
TOUCH = "%bash touch made"
DIALOG = "Do you want to proceed"
QUESTION = {
    "questions": [
        {
            "question": "Which color?",
            "header": "Color",
            "multiSelect": False,
            "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}],
        }
    ]
}
CHOICE = f"%tool AskUserQuestion {json.dumps(QUESTION, separators=(',', ':'))}"
PLAN = "%tool ExitPlanMode {}"
PLAN_DIALOG = "Exit plan mode|Ready to code"


def when(path: str, answer: str) -> str:
    """A hook that answers once the test has made a file."""
    return f"while [ ! -e {path} ] && kill -0 $CLAUDE_PID; do sleep 0.05; done; {answer}"


def open_gate(path: str) -> None:
    with open(path, "w"):
        pass


@pytest.fixture
def gate(world) -> str:
    """A file that lets the hook answer."""
    return os.path.join(os.path.dirname(world.work), "gate")


# a hook answers


def test_a_hook_that_answers_at_once_leaves_no_dialog(world, hooks):
    with world.screen(*hooks.argument(answers=decision("allow"))) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until("tool said")
    assert DIALOG.encode() not in screen.output
    assert os.path.exists(world.path("made"))
    asked = hooks.events("PermissionRequest")[0]
    assert (asked["tool_name"], asked["tool_input"]["command"]) == ("Bash", "touch made")
    assert "tool_use_id" not in asked


def test_a_late_yes_of_a_hook_closes_the_dialog(world, hooks, gate):
    with world.screen(*hooks.argument(answers=when(gate, decision("allow")))) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        shown = screen.until(DIALOG)
        assert "touch made" in shown
        assert screen.titles[-1] == "✳ Claude Code"
        open_gate(gate)
        screen.until("tool said", gone=DIALOG)
        assert "Allowed by PermissionRequest hook" in screen.text()
    assert os.path.exists(world.path("made"))


def test_a_late_no_of_a_hook_is_told_to_the_model_in_our_words(world, hooks, gate):
    with world.screen(*hooks.argument(answers=when(gate, decision("deny", message="not today")))) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until(DIALOG)
        open_gate(gate)
        screen.until("tool said: error: not today", gone=DIALOG)
        assert "Denied by PermissionRequest hook" in screen.text()
        hooks.until("Stop")
    assert not os.path.exists(world.path("made"))


def test_a_no_of_a_hook_can_end_the_turn(world, hooks):
    with world.screen(*hooks.argument(answers=decision("deny", message="stop", interrupt=True))) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until("Interrupted · What should Claude do instead")
    assert not hooks.events("Stop")


def test_a_yes_for_always_holds_for_the_next_time(world, hooks):
    rule = {"toolName": "Bash", "ruleContent": "touch made"}
    update = {"type": "addRules", "rules": [rule], "behavior": "allow", "destination": "session"}
    with world.screen(*hooks.argument(answers=decision("allow", updatedPermissions=[update]))) as screen:
        screen.until_ready()
        for number in (1, 2):
            screen.say(TOUCH)
            hooks.until("Stop", number)
            screen.until_ready()
    assert len(hooks.events("PermissionRequest")) == 1


def test_a_yes_of_a_hook_can_change_the_command(world, hooks):
    with world.screen(*hooks.argument(answers=decision("allow", updatedInput={"command": "touch other"}))) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until("tool said")
    assert os.listdir(world.work) == ["other"]


@pytest.mark.parametrize("answer", ["true", "echo no json", "exit 1"])
def test_a_hook_that_says_nothing_sensible_leaves_the_question_open(world, hooks, answer):
    with world.screen(*hooks.argument(answers=answer)) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until(DIALOG)
        assert DIALOG in screen.settle(0.5)


def test_a_hook_out_of_time_is_ended_and_the_question_stays_open(world, hooks, gate):
    script = f"trap 'touch {gate}; exit 1' TERM; while kill -0 $CLAUDE_PID; do sleep 0.1; done"
    with world.screen(*hooks.argument(answers=script, timeout=1)) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until(DIALOG)
        eventually(lambda: os.path.exists(gate), timeout=20.0)
        assert DIALOG in screen.settle(0.3)


def test_of_several_hooks_the_first_answer_counts_and_all_are_asked(world, hooks, gate):
    own = HookLog(os.path.dirname(world.work), "own")
    world.set_settings(own.settings(answers=decision("deny", message="by the person")))
    with world.screen(*hooks.argument(answers=when(gate, decision("allow")))) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until("tool said: error: by the person")
        eventually(lambda: hooks.events("PermissionRequest"), what="the other hook was asked, too")
        open_gate(gate)
    assert len(hooks.events("PermissionRequest")) == len(own.events("PermissionRequest")) == 1


# the person is first


def test_a_person_s_yes_counts_and_the_hook_s_answer_comes_too_late(world, hooks, gate):
    with world.screen(*hooks.argument(answers=when(gate, decision("deny", message="late")))) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until(DIALOG)
        screen.settle(0.5)
        screen.type("1")
        screen.until("tool said", gone=DIALOG)
        open_gate(gate)
        assert "late" not in screen.settle(0.5)
    assert os.path.exists(world.path("made"))


def test_a_person_s_yes_turns_the_title_and_no_hook_is_told_before_the_tool_has_ended(world, hooks, gate):
    done = f"{gate}-of-the-hook"
    with world.screen(*hooks.argument(answers=f"trap 'touch {done}' EXIT; {when(done, 'true')}")) as screen:
        screen.until_ready()
        screen.say(f"%bash {when(gate, 'touch made')}".replace("$CLAUDE_PID", "$PPID"))
        screen.until(DIALOG)
        screen.settle(0.5)
        assert screen.titles[-1] == "✳ Claude Code"
        screen.type("1")
        screen.until("esc to interrupt", gone=DIALOG)
        screen.until_title("◑ Claude Code")
        assert hooks.names()[-1] == "PermissionRequest"
        assert not os.path.exists(done), "its hook goes on"
        open_gate(gate)
        screen.until("tool said")
    assert hooks.events("PostToolUse")


@pytest.mark.claude
def test_the_title_rests_while_a_question_waits_behind_what_a_person_looks_at(world, hooks, gate):
    with world.screen(*hooks.argument(answers=when(gate, decision("allow")))) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until(DIALOG)
        screen.type("\x0f")
        screen.until("dialog waiting", gone=DIALOG)
        screen.settle(1.0)
        assert screen.titles[-1] == "✳ Claude Code"


@pytest.mark.claude
def test_a_question_of_a_sub_agent_is_shown_only_once_its_hook_has_ended(world, hooks, gate):
    task = {"description": "d", "prompt": TOUCH, "subagent_type": "general-purpose"}
    with world.screen(*hooks.argument(answers=when(gate, "true"))) as screen:
        screen.until_ready()
        screen.say(f"%tool Task {json.dumps(task)}")
        assert hooks.until("PermissionRequest")["agent_id"]
        assert DIALOG not in screen.settle(1.0)
        assert screen.titles[-1] != "✳ Claude Code"
        open_gate(gate)
        screen.until(DIALOG)
        assert screen.titles[-1] == "✳ Claude Code"


@pytest.mark.parametrize("key", ["\x1b", "4"])
def test_a_person_s_no_ends_the_turn_and_the_hook(world, hooks, gate, key):
    script = f"trap 'touch {gate}; exit 1' TERM; while kill -0 $CLAUDE_PID; do sleep 0.1; done"
    with world.screen(*hooks.argument(answers=script)) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until(DIALOG)
        screen.settle(0.5)
        screen.type(key)
        screen.until("Interrupted · What should Claude do instead")
        eventually(lambda: os.path.exists(gate), timeout=20.0)
    assert not hooks.events("Stop")
    assert not os.path.exists(world.path("made"))


# keys


@pytest.mark.parametrize("keys", ["1", "\r"])
def test_keys_that_say_yes(world, keys):
    with world.screen() as screen:
        screen.until_ready()
        screen.say(TOUCH)
        assert f"{CURSOR} 1. Yes" in screen.until(DIALOG)
        screen.settle(0.5)
        screen.type(keys)
        screen.until("tool said", gone=DIALOG)
    assert os.path.exists(world.path("made"))


@pytest.mark.parametrize("key", ["y", "n", "9"])
def test_keys_that_say_nothing(world, key):
    with world.screen() as screen:
        screen.until_ready()
        screen.say(TOUCH)
        screen.until(DIALOG)
        screen.settle(0.3)
        screen.type(key)
        assert DIALOG in screen.settle(0.5)
    assert not os.path.exists(world.path("made"))


DIALOGS = [
    ("%bash touch made", r"\d\. No$", "touch made"),
    ('%tool Write {"file_path":"@/new","content":"hello"}', r"3\. No$", "Do you want to create new"),
    ('%tool Edit {"file_path":"@/old","old_string":"b","new_string":"c"}', r"3\. No$", "make this edit to old"),
]


@pytest.mark.parametrize(("prompt", "no", "subject"), DIALOGS, ids=["Bash", "Write", "Edit"])
def test_options_are_numbered_and_the_first_is_a_plain_yes(world, prompt, no, subject):
    with open(world.path("old"), "w") as file:
        file.write("a\nb\n")
    with world.screen(size=(100, 40)) as screen:
        screen.until_ready()
        if "Edit" in prompt:
            screen.say(f'%tool Read {{"file_path":"{world.path("old")}"}}')
            screen.until("tool said")
            screen.until_ready()
        screen.say(prompt.replace("@", world.work))
        shown = screen.until(r"(?m)^ \S 1\. Yes$")
        assert subject in shown
        screen.until(f"(?m){no}")


# a choice and a plan


def test_a_plain_yes_of_a_hook_is_no_answer_to_a_choice(world, hooks):
    with world.screen(*hooks.argument(answers=decision("allow"))) as screen:
        screen.until_ready()
        screen.say(CHOICE)
        screen.until("1. Red")
        assert "1. Red" in screen.settle(0.7)
        screen.type("2")
        screen.until('"Which color\\?"="Blue"', gone="1. Red")


def test_a_hook_answers_a_choice_by_its_labels(world, hooks, gate):
    answer = decision("allow", updatedInput={**QUESTION, "answers": {"Which color?": "Red"}})
    with world.screen(*hooks.argument(answers=when(gate, answer))) as screen:
        screen.until_ready()
        screen.say(CHOICE)
        screen.until("1. Red")
        open_gate(gate)
        screen.until('"Which color\\?"="Red"', gone="1. Red")
    assert "permission_suggestions" not in hooks.events("PermissionRequest")[0]


def test_a_hook_refuses_a_choice(world, hooks):
    with world.screen(*hooks.argument(answers=decision("deny", message="not now"))) as screen:
        screen.until_ready()
        screen.say(CHOICE)
        screen.until("tool said: error: not now")


PLAN_ANSWERS = [
    (decision("allow"), ""),
    (decision("allow", updatedInput={"plan": "# P"}), "User has approved"),
    (decision("deny", message="not yet"), "error: not yet"),
]


@pytest.mark.parametrize(("answer", "said"), PLAN_ANSWERS, ids=["a plain yes", "a yes with the plan", "a no"])
def test_a_plan_needs_more_than_a_plain_yes_of_a_hook(world, hooks, gate, answer, said):
    with world.screen(*hooks.argument(answers=when(gate, answer)), mode=["--permission-mode", "plan"]) as screen:
        screen.until_ready()
        screen.say(PLAN)
        screen.until(PLAN_DIALOG)
        open_gate(gate)
        if said:
            screen.until(said, gone=PLAN_DIALOG)
        else:
            screen.settle(0.7)
            screen.until(PLAN_DIALOG)


# what tells of it


def test_a_notification_comes_seconds_after_the_question(world, hooks):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say(TOUCH)
        hooks.until("PermissionRequest")
        began = time.monotonic()
        while not hooks.events("Notification"):
            screen.settle(0.2)
            assert time.monotonic() - began < 30
    assert hooks.events("Notification")[0]["notification_type"] == "permission_prompt"
