"""`edit`: what a mission is, as a text; `shell`: its folder and environment."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from tests.kit.killing import without_waiting
from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


def text_of(om, mission):
    return om.ok("edit", mission, "--print")


def changed(om, mission, old, new, *options):
    """Replace something in its text, and hand that in."""
    text = text_of(om, mission)
    assert text.count(old) == 1, text
    return om("edit", mission, "-", *options, stdin=text.replace(old, new))


def script(tmp_path, body):
    """An editor that is a script; `$1` is the file."""
    file = tmp_path / "editor"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return {"EDITOR": f"'{file}'"}


# what is said about a mission


def test_the_text_says_all_that_can_be_changed_and_nothing_else(om, tmp_path):
    om.mission(["sleep", "300"], "--name", "api", "--label", "a b=c", "--env", "KEY=va=lue\n[x]", "--restart",
               "on-failure", "--grace", "1500ms", "--stop-signal", "INT", cwd=str(tmp_path))  # fmt: skip
    text = text_of(om, "api")
    for line in ('command = ["sleep", "300"]', f'cwd = "{tmp_path}"', 'restart = "on-failure"', 'grace = "1.5s"',
                 'stop_signal = "INT"', '"a b" = "c"', "# max_children = 10"):  # fmt: skip
        assert f"\n{line}\n" in text
    assert "[agent]" not in text
    assert "PATH" not in text


HARD = [
    "printf 'a\\n' && echo \"x\" '''y''' \"\"\"z\"\"\"",
    "echo 1\necho \"2\"\n\necho '\\\\'\n",
    "echo tab\there\r\nnext",
    "echo \x1b[31m \u202e 漢 🐝 \x7f",
    'echo """\n"""',
]


@pytest.mark.parametrize("command", HARD)
def test_whatever_the_command_is_its_text_means_the_same(om, command):
    mission = om.mission(command, "--env", f"V={command}")
    assert om.ok("edit", mission, "-", stdin=text_of(om, mission)) == "Nothing changed.\n"
    assert json.loads(om.ok("edit", mission, "-", "--json", stdin=text_of(om, mission)))["changed"] == []


# storing


def test_a_change_is_stored_for_the_same_mission_and_applied_by_a_restart(om):
    mission = om.mission("sleep 300", "--name", "api", "--env", "WORD=old")
    finished = changed(om, "api", 'command = "sleep 300"', 'command = "echo $WORD $MORE; sleep 301"')
    assert finished.stdout == f"Updated mission {mission}: command\nRestarted mission {mission}\n"
    assert changed(om, "api", 'WORD = "old"', 'WORD = "new"\nMORE = "words"').returncode == 0
    eventually(lambda: "new words" in om.logs("api"), what="the new variables")
    info = om.info("api")
    assert (info["id"], info["command"], len(info["runs"])) == (mission, "echo $WORD $MORE; sleep 301", 3)


def test_without_a_restart_it_is_stored_for_the_next_run(om):
    mission = om.mission("echo one; sleep 300")
    pid = om.info(mission)["os_pid"]
    finished = changed(om, mission, "echo one", "echo two", "--no-restart", "--json")
    assert json.loads(finished.stdout) | {"name": ""} == {
        "id": mission, "name": "", "changed": ["command"], "restarted": False,
    }  # fmt: skip
    assert om.info(mission)["os_pid"] == pid
    om.ok("restart", mission)
    eventually(lambda: "two" in om.logs(mission), what="the new command")


def test_a_line_that_is_left_out_means_the_default(om):
    mission = om.mission("sleep 300", "--grace", "3s", "--max-children", "2")
    changed(om, mission, 'grace = "3s"\n', "", "--no-restart")
    changed(om, mission, "max_children = 2\n", "", "--no-restart")
    info = om.info(mission)
    assert (info["grace_seconds"], info["max_children"]) == (10.0, None)


def test_a_finished_mission_is_started_with_what_was_changed(om):
    mission = om.finished("exit 3", "--name", "once")["id"]
    assert changed(om, mission, "exit 3", "exit 0").returncode == 0
    info = om.wait_status(mission, "stopped")
    assert [run["exit_code"] for run in info["runs"]] == [3, 0]


def test_a_renamed_mission_keeps_its_id(om):
    mission = om.mission("sleep 300", "--name", "old")
    changed(om, "old", 'name = "old"', 'name = "new"', "--no-restart")
    assert om.info("new")["id"] == mission


# mistakes

MISTAKES = [
    ("max_restarts = 5", "max_restarts = many", "line 18: ", None),
    ("max_restarts = 5", 'max_restarts = "5"', "line 18: max_restarts: write a whole number", None),
    ("max_restarts = 5", "max_restart = 5", "line 18: max_restart: unknown key. Did you mean max_restarts?",
     None),
    ('restart = "never"', 'restart = "sometimes"', "line 16: Unknown restart policy 'sometimes'", None),
    ('grace = "10s"', 'grace = "soon"', "grace: 'soon' is not a duration", "grace"),
    ('max_seconds = "60s"', "max_seconds = 0", "max_seconds 0: must be greater than 0", "max_seconds"),
    ('stop_signal = "TERM"', 'stop_signal = "HAMMER"', "Unknown signal 'HAMMER'", "stop_signal"),
    ('name = "api"', 'name = "no/such"', "name", "name"),
    ('name = "api"', 'name = "taken"', "The name 'taken' is taken", "name"),
    ('cwd = "', 'cwd = "/no/such', "does not exist", "cwd"),
    ("columns = 80", "columns = 0", "size 0x24: each must be", "columns"),
    ('command = "sleep 300"', 'command = ""', "Missing command", "command"),
    ('command = "sleep 300"', 'command = ["no-such-program"]', "No program named 'no-such-program'", "command"),
    ("[labels]", "[labels]\nx = 1", "labels.x: write a string in quotes", "x"),
    ("[labels]", '[labels]\n"a=b" = "1"', "'a=b' is not a label", "[labels]"),
    ("[env]", '[env]\n"A=B" = "1"', "'A=B' is not a valid name for an environment variable", "[env]"),
    ("[env]", "[agent]\nmodel = 'x'\n[env]", "agent: this mission is a plain command", "[agent]"),
    ('name = "api"', "", "line 1: name is missing", None),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence", "key"), MISTAKES)
def test_a_mistake_is_told_with_its_line_and_changes_nothing(om, tmp_path, old, new, sentence, key):
    om.mission("sleep 300", "--name", "api", cwd=str(tmp_path))
    om.mission("sleep 300", "--name", "taken")
    before = om.info("api")
    text = text_of(om, "api").replace(old, new)
    finished = om("edit", "api", "-", stdin=text)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert without_waiting(finished.stderr).startswith("Error: invalid: standard input, line ")
    assert sentence in finished.stderr
    if key is not None:
        line = int(finished.stderr.split("line ")[1].split(":")[0])
        assert text.splitlines()[line - 1].startswith(key)
    same = ("os_pid", "command", "name", "cwd", "grace_seconds", "runs")
    assert [om.info("api")[name] for name in same] == [before[name] for name in same]


def test_what_changed_meanwhile_is_not_overwritten(om, tmp_path):
    om.mission("sleep 300", "--name", "api")
    editor = script(tmp_path, f'overmind() {{ {sys.executable} -m overmind_core.cli "$@"; }}\n'
                              'overmind update api --label by=other >/dev/null\nsed -i s/300/301/ "$1"')  # fmt: skip
    finished = om("edit", "api", env=editor)
    assert finished.returncode == 1
    assert without_waiting(finished.stderr).startswith("Error: busy: Mission ")
    assert "was changed in the meantime" in finished.stderr
    kept = Path(finished.stderr.rstrip().rpartition(" ")[2])
    assert "sleep 301" in kept.read_text()
    assert om.info("api")["command"] == "sleep 300"


def test_a_file_that_is_not_there_is_told(om):
    mission = om.mission("sleep 300")
    assert "nowhere.toml: No such file" in om.refused("edit", mission, "nowhere.toml", code="invalid")
    om.refused("edit", "nosuch", "--print", code="not_found")


# editors


def test_the_editor_gets_a_file_for_its_owner_alone_and_nothing_is_left_of_it(om, tmp_path):
    mission = om.mission("sleep 300", "--name", "api")
    editor = script(tmp_path, f'stat -c %a "$1" "$(dirname "$1")" > {tmp_path}/modes; sed -i s/300/301/ "$1"')
    assert om.ok("edit", "api", env=editor).startswith(f"Updated mission {mission}: command\n")
    assert (tmp_path / "modes").read_text().split() == ["600", "700"]
    assert list(Path(om.home, "edits").iterdir()) == []
    assert stat.S_IMODE(Path(om.home, "edits").stat().st_mode) == 0o700


@pytest.mark.parametrize("body", ["true", ': > "$1"'])
def test_an_unchanged_or_empty_text_changes_nothing(om, tmp_path, body):
    mission = om.mission("sleep 300")
    pid = om.info(mission)["os_pid"]
    assert om.ok("edit", mission, env=script(tmp_path, body)) == "Nothing changed.\n"
    assert om.ok("edit", mission, "--quiet", env=script(tmp_path, body)) == ""
    assert om.info(mission)["os_pid"] == pid


def test_an_editor_that_fails_or_is_not_there_changes_nothing(om, tmp_path):
    mission = om.mission("sleep 300")
    editor = script(tmp_path, 'sed -i s/300/301/ "$1"; exit 3')
    sentence = om.refused("edit", mission, env=editor, code="invalid")
    assert "exited with code 3. Nothing was changed" in sentence
    assert "can't be started" in om.refused("edit", mission, env={"EDITOR": "no-such-editor"}, code="invalid")
    assert "not a valid command" in om.refused("edit", mission, env={"EDITOR": "'"}, code="invalid")
    assert om.info(mission)["command"] == "sleep 300"


def test_without_a_terminal_and_an_editor_it_says_what_to_do(om):
    mission = om.mission("sleep 300")
    assert "--print" in om.refused("edit", mission, code="invalid")


def test_on_a_terminal_the_editor_is_opened_again_with_the_mistake_above_the_text(om, tmp_path):
    mission = om.mission("sleep 300", "--name", "api")
    body = f"""
if grep -q '^#! ' "$1"; then
    cp "$1" {tmp_path}/second
    sed -i 's/sometimes/always/' "$1"
else
    sed -i 's/^restart = .*/restart = "sometimes"/; s/300/301/' "$1"
fi
"""
    with Terminal(om, "edit", "api", env=script(tmp_path, body)) as terminal:
        assert terminal.end() == 0
    assert f"Updated mission {mission}: command, restart" in terminal.shown
    second = (tmp_path / "second").read_text().splitlines()
    line = int(second[0].split("line ")[1].split(":")[0])
    assert second[0].startswith("#! Not stored: line ")
    assert second[line - 1] == 'restart = "sometimes"'
    assert om.info("api")["restart_policy"] == "always"


def test_who_gives_up_after_a_mistake_keeps_the_text(om, tmp_path):
    mission = om.mission("sleep 300")
    body = """grep -q '^#! ' "$1" || sed -i 's/^restart = .*/restart = 7/' "$1" """
    with Terminal(om, "edit", mission, env=script(tmp_path, body)) as terminal:
        assert terminal.end() == 1
    kept = Path(terminal.shown.rstrip().rpartition(" ")[2])
    assert "restart = 7" in kept.read_text()
    assert om.info(mission)["restart_policy"] == "never"


# the shell


def test_a_shell_stands_in_the_folder_with_the_variables_of_the_mission(om, tmp_path):
    folder = tmp_path / "it's here"
    folder.mkdir()
    om.mission("sleep 300", "--name", "api", "--env", "WORD=two words", "--cwd", str(folder))
    lines = 'pwd; echo "$WORD"; env | grep ^OVERMIND_; echo $TERM $COLUMNS'
    said = om.ok("shell", "api", stdin=lines, env={"TERM": "dumb", "COLUMNS": "77"}).splitlines()
    assert said == [str(folder), "two words", f"OVERMIND_HOME={om.home}", "dumb 77"]


def test_a_shell_exits_with_its_own_code_and_is_no_part_of_the_mission(om):
    mission = om.mission("sleep 300", "--name", "api")
    assert om("shell", "api", stdin="exit 7").returncode == 7
    lines = f"{sys.executable} -m overmind_core.cli kill {mission} >/dev/null && echo still here"
    assert om.ok("shell", "api", stdin=lines) == "still here\n"
    assert om.ok("shell", mission, stdin="echo after its end") == "after its end\n"


def test_a_shell_where_there_is_no_folder_is_refused(om, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    om.mission("sleep 300", "--name", "api", "--cwd", str(folder))
    folder.rmdir()
    sentence = om.refused("shell", "api", code="cwd_not_found")
    assert str(folder) in sentence
    assert "api" in sentence


def test_on_a_terminal_the_shell_says_where_it_is(om, tmp_path):
    om.mission("sleep 300", "--name", "api", "--cwd", str(tmp_path))
    with Terminal(om, "shell", "api") as terminal:
        terminal.expect(r"\[api: .* · exit returns\]")
        terminal.type("exit 5\n")
        assert terminal.end() == 5


def test_a_shell_that_is_not_there_is_told(om):
    mission = om.mission("sleep 300")
    assert "can't be started" in om.refused("shell", mission, env={"SHELL": "/no/such/shell"}, code="invalid")
