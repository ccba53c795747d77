"""Facts that the product builds on: the full-screen program, seen through our own emulator."""

from __future__ import annotations

import os
import re
import signal
import uuid

import pytest

from tests.kit import processes
from tests.kit.waiting import eventually

IDLE, BUSY = "✳ Claude Code", "◐ Claude Code"
CURSOR = "\u276f"
PROMPT = f"{CURSOR}[ \u00a0]"


def history(world, session: str) -> str:
    _, lines = world.once("!history", "--resume", session)
    return str(lines.lines[-1].get("result"))


# the start


def test_it_takes_the_whole_terminal_and_names_the_window(world):
    with world.screen() as screen:
        shown = screen.until_ready()
        assert "Claude Code v2.1.332" in shown
        assert "manual mode on" in shown
        assert screen.titles == [IDLE]
        for mode in (b"?1049h", b"?2004h", b"?1004h", b"?1000h", b"?1006h"):
            assert b"\x1b[" + mode in screen.output


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 16)])
def test_it_fits_the_size_that_it_gets(world, size):
    with world.screen(size=size) as screen:
        screen.until_ready()
        screen.say("hello")
        screen.until("● echo: hello")


def test_a_first_prompt_on_the_command_line_is_sent_by_itself(world):
    with world.screen("--", "hello") as screen:
        screen.until("● echo: hello")


def test_an_enter_before_the_prompt_is_drawn_is_lost_and_the_text_is_not(world):
    with world.screen() as screen:
        screen.type("early\r")
        screen.until(f"{PROMPT}early")
        assert "echo: early" not in screen.settle(0.5)
        screen.type("\r")
        screen.until("● echo: early")


# the dialogs before the start


def test_a_folder_that_is_not_trusted_is_asked_about_before_any_hook(world, hooks):
    world.set_up(projects={})
    with world.screen(*hooks.argument()) as screen:
        shown = screen.until("(?s)Accessing workspace:.*Enter to confirm")
        assert world.work in shown
        assert f"{CURSOR} No, exit" in shown
        assert "Yes, I trust this folder" in shown
        assert (screen.titles, hooks.names()) == ([], [])
        screen.settle(0.5)
        screen.type("\x1b[B")
        screen.until(f"{CURSOR} Yes, I trust")
        screen.type("\r")
        screen.until_ready()
        assert hooks.names() == ["SessionStart"]


def test_enter_at_once_does_not_trust_a_folder(world, hooks):
    world.set_up(projects={})
    with world.screen(*hooks.argument()) as screen:
        screen.until("Enter to confirm")
        screen.settle(0.5)
        screen.type("\r")
        assert screen.end() == 1
    assert hooks.names() == []


def test_a_key_that_was_not_seen_before_is_asked_about(world):
    world.set_up(customApiKeyResponses=None)
    with world.screen() as screen:
        shown = screen.until("(?s)Detected a custom API key in your environment.*Enter to confirm")
        assert "Do you want to use this API key?" in shown
        assert f"{CURSOR} No (recommended)" in shown
        assert screen.titles == []


def test_skipping_permissions_is_warned_about(world):
    with world.screen(mode=["--dangerously-skip-permissions"], env={"IS_SANDBOX": "1"}) as screen:
        shown = screen.until("(?s)running in Bypass Permissions mode.*Enter to confirm")
        assert f"{CURSOR} No, exit" in shown
        assert "Yes, I accept" in shown


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
def test_root_may_not_skip_permissions(world):
    with world.lines("hello", mode=["-p", "--dangerously-skip-permissions"]) as lines:
        assert lines.end() == 1
        assert "cannot be used with root/sudo privileges" in lines.stderr()


# turns


def test_a_turn_shows_in_the_title_and_on_the_screen(world, hooks):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say("%slow 2 a long answer")
        screen.until_title(BUSY)
        screen.until("esc to interrupt")
        screen.until("● echo: a long answer")
        screen.until_title(IDLE)
        hooks.until("Stop")
    assert hooks.names()[:3] == ["SessionStart", "UserPromptSubmit", "Stop"]


def test_escape_interrupts_and_no_hook_tells_so(world, api, real, hooks):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say("%slow 20 a long answer")
        screen.until("esc to interrupt")
        eventually(lambda: api.texts or not real, timeout=30.0, what="the model was asked")
        screen.settle(1.0)
        screen.type("\x1b")
        screen.until("Interrupted · What should Claude do instead")
        screen.until_title(IDLE)
        screen.say("again")
        screen.until("● echo: again")
        hooks.until("Stop")
    assert hooks.names()[:4] == ["SessionStart", "UserPromptSubmit", "UserPromptSubmit", "Stop"]


def test_escape_before_any_answer_takes_the_message_back(world, hooks):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say("%sleep 60 slowly")
        screen.until("esc to interrupt")
        screen.settle(0.3)
        screen.type("\x1b")
        screen.until(f"{PROMPT}%sleep 60 slowly", gone="esc to interrupt")
        screen.until_title(IDLE)
        screen.type("\x15")
        screen.until_ready()
        screen.say("%history")
        screen.until("history: n=1 | %history")
        hooks.until("Stop")
    assert hooks.names()[:4] == ["SessionStart", "UserPromptSubmit", "UserPromptSubmit", "Stop"]


def test_escape_twice_clears_what_was_typed(world):
    with world.screen() as screen:
        screen.until_ready()
        screen.paste("one line\nanother line")
        screen.until("another line")
        screen.settle(0.3)
        screen.type("\x1b")
        screen.until("again to clear")
        screen.type("\x1b")
        screen.until("for shortcuts", gone="another line")


def test_an_error_of_the_api_is_shown_and_the_program_stays(world, hooks):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say("%error 529")
        screen.until("API Error: 529")
        assert hooks.until("StopFailure")["error"] == "server_error"
        screen.say("again")
        screen.until("● echo: again")


def test_without_a_key_it_says_how_to_log_in(world):
    with world.screen(env={"ANTHROPIC_API_KEY": None}) as screen:
        screen.until_ready()
        screen.say("hello")
        screen.until("Not logged in · Please run /login")


def test_messages_said_during_a_turn_become_one_turn(world, hooks, api, real):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say("%slow 8 first")
        screen.until("esc to interrupt")
        # What is entered while the hook of the first one runs is not held back: a turn of its own.
        eventually(lambda: "%slow 8 first" in api.texts or not real, timeout=30.0, what="the model was asked")
        for text in ("second", "third"):  # Enter that comes before the paste is shown would be lost
            screen.type(f"\x1b[200~{text}\x1b[201~")
            screen.until(rf"❯\s{text}")
            screen.type("\r")
            screen.until(rf"❯(?!\s{text})[^❯]*\Z")  # the prompt is empty again
        screen.until("● echo: third")
        hooks.until("Stop", 2)
    first, *others = [event["prompt"] for event in hooks.events("UserPromptSubmit")]
    assert first == "%slow 8 first"
    assert sorted(others) == ["second", "third"], "their hooks run side by side: who writes first means nothing"
    assert hooks.names().count("Stop") == 2, hooks.names()


# what is typed


EXACT = {
    "lines": "one\ntwo\nthree",
    "quotes and signs": "see @file and é 😀 \"q\" 'x' $HOME `id` #tag \\ end",
    "a slash after the first line": "x\n/clear",
    "a blank before a slash": " /nosuch thing",
    "a blank before an exclamation mark": " !touch made",
    "800 characters": "é" * 800,
}


@pytest.mark.parametrize("text", EXACT.values(), ids=EXACT)
def test_a_short_paste_arrives_exactly(world, hooks, text):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say(text)
        assert hooks.until("UserPromptSubmit")["prompt"] == text


def test_a_long_text_arrives_exactly_in_pieces_of_800_characters_and_two_line_ends(world, hooks):
    pieces = [f"{number}\n{'x' * 700}\n" for number in range(200)]
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.type("".join(f"\x1b[200~{piece}\x1b[201~" for piece in pieces) + "\r")
        assert hooks.until("UserPromptSubmit")["prompt"] == "".join(pieces).rstrip()


LONG = {"801 characters": "x" * 801, "802 units of UTF-16": "😀" * 401, "three line ends": "a\nb\nc\nd"}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_longer_paste_arrives_between_tags(world, hooks, text):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say(text)
        prompt = hooks.until("UserPromptSubmit")["prompt"]
        assert re.fullmatch(rf'\n\n<pasted_content id="(\w+)">\n{text}\n</pasted_content id="\1">\n', prompt)


def test_one_long_write_without_brackets_is_a_paste_and_its_enter_a_line_end(world):
    with world.screen() as screen:
        screen.until_ready()
        screen.type("x" * 70 + "\r")
        screen.until("x" * 70)
        assert "echo" not in screen.settle(0.7)


def test_an_enter_after_a_backslash_is_a_line_end(world, hooks):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say("one\\")
        screen.settle(0.5)
        screen.type("two\r")
        assert hooks.until("UserPromptSubmit")["prompt"] == "one\ntwo"


def test_a_leading_exclamation_mark_runs_a_command_and_is_no_message(world, hooks):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say("!touch made")
        eventually(lambda: os.path.exists(world.path("made")), timeout=30.0)
    assert hooks.events("UserPromptSubmit") == []


def test_a_leading_slash_is_a_command_and_no_message(world, hooks):
    with world.screen(*hooks.argument()) as screen:
        screen.until_ready()
        screen.say("/nosuch")
        screen.until("Unknown command: /nosuch")
    assert hooks.events("UserPromptSubmit") == []


# conversations


def test_clear_begins_another_conversation_and_a_hook_tells_its_id(world, hooks):
    session = str(uuid.uuid4())
    with world.screen("--session-id", session, *hooks.argument()) as screen:
        screen.until_ready()
        screen.say("hello")
        screen.until("● echo: hello")
        hooks.until("Stop")
        screen.type("/clear\r")
        started = hooks.until("SessionStart", 2)
        assert hooks.events("SessionEnd")[0]["reason"] == "clear"
        assert started["source"] == "clear"
        assert started["session_id"] != session
        screen.until_ready()
        screen.say("other")
        screen.until("● echo: other")
        hooks.until("Stop", 2)
        screen.type("/exit\r")
        assert screen.end() == 0
    assert history(world, session) == "history: n=2 | hello | !history"
    assert history(world, started["session_id"]).endswith("| other | !history") or history(
        world, started["session_id"]
    ).startswith("history: n=2 | other")


def test_a_conversation_goes_to_a_terminal_and_back(world, hooks):
    session = str(uuid.uuid4())
    world.once("first", "--session-id", session)
    with world.screen("--resume", session, *hooks.argument()) as screen:
        screen.until("● echo: first")
        screen.until_ready()
        screen.say("second")
        screen.until("● echo: second")
        assert hooks.until("SessionStart")["source"] == "resume"
        hooks.until("Stop")
        screen.type("/exit\r")
        assert screen.end() == 0
    assert history(world, session) == "history: n=3 | first | second | !history"


def test_an_unknown_conversation_is_refused(world):
    with world.screen("--resume", str(uuid.uuid4())) as screen:
        assert screen.end() == 1
        assert b"No conversation found" in screen.output


# the ways out


def test_ctrl_c_twice_leaves_and_tells_how_to_come_back(world, hooks):
    session = str(uuid.uuid4())
    with world.screen("--session-id", session, *hooks.argument()) as screen:
        screen.until_ready()
        screen.say("hello")
        screen.until("● echo: hello")
        hooks.until("Stop")
        screen.until_title(IDLE)
        screen.until_ready()
        screen.type("\x03")
        screen.until("Press Ctrl-C again")
        screen.type("\x03")
        assert screen.end() == 0
        assert f"claude --resume {session}".encode() in screen.output
        assert screen.output.count(b"\x1b[?1049l") >= 1
    assert hooks.events("SessionEnd")[0]["reason"] == "prompt_input_exit"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 0), (signal.SIGHUP, 129)])
def test_a_signal_ends_it(world, number, code):
    with world.screen() as screen:
        screen.until_ready()
        screen.kill(number)
        assert screen.end() == code


def test_a_terminal_that_goes_away_ends_it_and_its_tool(world):
    with world.screen("--allowedTools", "Bash") as screen:
        screen.until_ready()
        screen.say("%bash while [ ! -e never ]; do sleep 0.2; done")
        pid = screen.pid
        eventually(lambda: _tools(pid), timeout=30.0)
        screen.hang_up()
        eventually(lambda: not processes.alive(pid) and not _tools(pid))


def _tools(pid: int) -> list[int]:
    return [child for child in processes.with_variable("CLAUDE_PID", str(pid)) if child != pid]
