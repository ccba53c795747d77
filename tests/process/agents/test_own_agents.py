"""Agents of a person's own by config.toml alone: programs that take one prompt, and rules for full-screen programs."""

from __future__ import annotations

import pytest

from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

SCRIPT = """#!/bin/sh
[ "$1" = --stdin ] && prompt=$(cat) || prompt=$1
case $prompt in
  fail*) echo "a warning" >&2; printf '\\033[31mno such model\\033[0m\\n\\n' >&2; echo half; exit 3 ;;
  json*) printf '%s\\n' '{"step": 1}' 'no json' '{"result": {"text": "an old one"}}' \\
         '{"result": {"text": "two\\nlines"}}' '{"result": {}}' ;;
  long*) printf '%s' "$prompt" | wc -c ;;
  *) printf '<%s>\\n' "$@" "$(pwd)" ;;
esac
"""
CONFIG = """
[providers.ask]
program = "{program}"
protocol = "once"
args = ["{{prompt}}", "--model={{model?}}", "--system", "{{system?}}", "--dir", "{{cwd}}"]
install = "pipx install ask"
[providers.pipe]
program = "{program}"
protocol = "once"
args = ["--stdin"]
prompt = "stdin"
[providers.lines]
program = "{program}"
protocol = "once"
args = ["{{prompt}}"]
answer = "result.text"
"""


@pytest.fixture
def own(om, tmp_path):
    program = tmp_path / "ask"
    program.write_text(SCRIPT, encoding="utf-8")
    program.chmod(0o755)
    with open(om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write(CONFIG.format(program=program))
    om.program = program
    return om


def ran(om, provider, prompt, *options):
    mission = om.mission([prompt], "--provider", provider, *options)
    om.wait_status(mission, *FINAL)
    return om.info(mission)


def answer(om, mission):
    return om.json("result", mission)["result"]


def test_one_prompt_is_one_argument_and_all_that_is_printed_is_the_answer(own, tmp_path):
    prompt = "a; touch $(x) {cwd} 'q'\nnext"
    info = ran(own, "once:ask", prompt, "--cwd", str(tmp_path))
    assert (info["status"], info["exit_code"], info["provider"]) == ("stopped", 0, "once:ask")
    said = f"<{prompt}>\n<--dir>\n<{tmp_path}>\n<{tmp_path}>"
    assert answer(own, info["id"]) == said
    log = own.logs(info["id"])
    assert log.startswith("[human] a; touch $(x) {cwd} 'q'\n")
    assert log.endswith(f"{said}\n")
    info = ran(own, "once:ask", "hi", "--model", "m 1", "--system-prompt", "be brief", "--agent-arg", "-v")
    wanted = ["<hi>", "<--model=m 1>", "<--system>", "<be brief>", "<--dir>"]
    assert answer(own, info["id"]).splitlines()[:5] == wanted
    assert "<-v>" in answer(own, info["id"])


def test_wait_prints_what_it_says_and_its_exit_code_is_the_missions(own):
    assert own.ok("run", "--provider", "once:lines", "--wait", "json").endswith("two\nlines\n")
    failed = own("run", "--provider", "once:ask", "--wait", "fail")
    assert failed.returncode == 3
    assert "it said: no such model" in failed.stderr


def test_the_answer_is_the_last_line_of_json_that_has_the_key(own):
    info = ran(own, "once:lines", "json")
    assert (info["status"], answer(own, info["id"])) == ("stopped", "two\nlines")
    shown = own.logs(info["id"]).splitlines()
    assert shown[-2:] == ["two", "lines"]
    assert '{"step": 1}' in shown
    info = ran(own, "once:lines", "plain")
    assert (info["status"], info["reason"]) == ("crashed", "no_result")


def test_a_failure_has_the_last_line_of_its_errors_as_its_reason(own):
    info = ran(own, "once:ask", "fail")
    assert (info["status"], info["exit_code"], info["reason"]) == ("crashed", 3, "it said: no such model")
    assert own.json("result", info["id"]) == {}


def test_a_long_prompt_goes_to_its_input_or_is_refused_before_anything_starts(own):
    long = "long" + "x" * 200_000
    own.ok("start")
    refused = own.refused("run", "--provider", "once:ask", "-", stdin=long, code="invalid")
    assert "KB are the limit of one argument" in refused
    assert 'prompt = "stdin" in [providers.ask] of config.toml' in refused
    assert own.ps("--all") == []
    said = own.ok("run", "--provider", "once:pipe", "--wait", "-", stdin=long)
    assert said.splitlines()[-1].strip() == str(len(long))


REFUSED = [
    (("--type", "session", "hi"), "once:ask only runs tasks: omit --type session."),
    (("--interactive", "hi"), "once:ask only runs tasks: omit --interactive."),
    (("--max-turns", "3", "--allow", "Bash", "hi"), "--allow is not possible with once:ask; --max-turns is not"),
    (("--max-cost", "1", "hi"), "--max-cost is not possible with once:ask"),
    (("--append-system-prompt", "x", "hi"), "--append-system-prompt is not possible with once:ask"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_it_can_not_do_is_refused_by_name(own, words, said):
    own.ok("start")
    assert said in own.refused("run", "--provider", "once:ask", *words, code="invalid")


def test_what_is_missing_is_said_by_name(own):
    own.ok("start")
    said = own.refused("run", "--provider", "once:pipe", "--model", "m", "hi", code="invalid")
    assert "--model is not possible with once:pipe: its args in config.toml have no {model?}" in said
    assert "write once:ask" in own.refused("run", "--provider", "ask", "hi", code="unknown_provider", exit_code=2)
    assert "write once:ask" in own.refused("run", "--provider", "acp:ask", "hi", code="unknown_provider", exit_code=2)
    own.program.unlink()
    said = own.refused("run", "--provider", "once:ask", "hi", code="provider_missing")
    assert "Install it with: pipx install ask" in said


SCREEN = r"""#!/bin/sh
title() { printf '\033]0;%s\007' "$1"; }
screen() { printf '\033[2J\033[H%s\r\n%s' "$1" "$2"; }
screen 'welcome' '>> '
while read -r word; do
  case $word in
    title*) title "${word#title }" ;;
    *) screen "$word" "${word#*|}" ;;
  esac
done
"""
RULES = """
[providers.full]
program = "{program}"
protocol = "terminal"
[providers.full.terminal]
interrupt = ["ctrl-g", "esc"]
rules = [
  {{ on = "title", any = ['^ask', '^choose'], state = "waiting" }},
  {{ on = "title", any = ['^busy$'], state = "working" }},
  {{ on = "title", any = ['^still$'], state = "idle" }},
  {{ on = "title", any = ['^held'], state = "limited" }},
  {{ on = "screen", last = 1, any = ['^>> *$'], state = "idle" }},
  {{ on = "screen", last = 1, any = ['^-- .* to go$'], state = "working" }},
]
"""


@pytest.fixture
def full(om, tmp_path):
    program = tmp_path / "full"
    program.write_text(SCREEN, encoding="utf-8")
    program.chmod(0o755)
    with open(om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write(RULES.format(program=program))
    om.full_screen = om.mission([str(program)], "--type", "session")
    return om


def shows(om, line, state):
    """Have its program show something, and wait for what is told of it."""
    om.ok("keys", om.full_screen, "-l", line, "Enter")
    keys = ("activity", "activity_guess", "activity_source")
    eventually(lambda: tuple(map(om.info(om.full_screen).get, keys)) == state, what=f"{line}: {state}")


def test_a_full_screen_program_is_known_by_rules_of_config_alone(full):
    eventually(lambda: full.info(full.full_screen)["activity_guess"] == "idle", what="its prompt is seen")
    shows(full, "title busy", ("working", None, "title"))
    assert "is working" in full.refused("send", full.full_screen, "go on", code="busy")
    shows(full, "title choose one", ("waiting", None, "title"))
    (asked,) = full.json("inbox", "--json")
    assert (asked["id"], asked["attach_only"]) == (full.full_screen, True)
    shows(full, "title held back", ("limited", None, "title"))
    assert full.json("inbox", "--json") == []
    shows(full, "title rest", ("unknown", None, None))
    shows(full, "x|-- 3 to go", ("unknown", "working", "screen"))
    shows(full, "it says -- 3 to go and busy|and ends", ("unknown", None, None))
    shows(full, "x|>> ", ("unknown", "idle", "screen"))


def test_an_interrupt_presses_the_keys_of_the_program_unless_it_rests(full, tmp_path):
    hears = "stty raw -echo; printf '\\033]0;busy\\007'; dd bs=1 count=2 2>/dev/null | od -An -tx1"
    rests = "printf '\\033]0;still\\007'; exec cat"
    (tmp_path / "full").write_text(f"#!/bin/sh\n{hears}\n{rests}\n", encoding="utf-8")
    mission = full.mission([str(tmp_path / "full")], "--type", "session")
    eventually(lambda: full.info(mission)["activity"] == "working", what="its title is read")
    assert full.json("interrupt", mission, "--json")[0]["interrupted"]
    eventually(lambda: full.info(mission)["activity"] == "idle", what="it has both keys, and rests")
    assert "07 1b" in full.ok("screen", mission)
    assert not full.json("interrupt", mission, "--json")[0]["interrupted"]


def test_a_pattern_that_could_hang_the_daemon_stops_its_start_by_name(om):
    with open(om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write("[providers.qwen.terminal]\nrules = [{ on = 'screen', any = ['(x+)+$'], state = 'idle' }]\n")
    said = om.refused("start", code="invalid_config")
    assert "2:34: providers.qwen.terminal.rules.any: write a pattern without a repeat or a choice inside" in said
