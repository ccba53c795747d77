"""The world a mission wakes up in: environment, folder, umask; what of the caller's is kept, dropped or replaced."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM, REPOSITORY
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

DUMP = ["env", "-0"]
LARGEST = 128 * 1024 - 1
"""Bytes that an argument, or NAME=VALUE, may have."""

DROPPED = [
    "OVERMIND_X", "OVERMIND_PARENT_ID", "CLAUDECODE", "CLAUDE_PID", "CLAUDE_PROJECT_DIR", "AI_AGENT",
    "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_MESSAGING_SOCKET", "CLAUDE_CODE_MESSAGING_TOKEN",
    "CLAUDE_CODE_SSE_PORT",
]  # fmt: skip
KEPT = [
    "OVERMIND_CLAUDE_BIN", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
    "ANTHROPIC_API_KEY", "SSH_AUTH_SOCK", "DISPLAY", "VIRTUAL_ENV", "lower_case", "X.Y",
]  # fmt: skip
OUTER_TERMINAL = [
    "TMUX", "TMUX_PANE", "STY", "COLUMNS", "LINES", "INVOCATION_ID", "TERM_PROGRAM", "TERM_PROGRAM_VERSION",
    "KITTY_WINDOW_ID", "WEZTERM_PANE", "ITERM_SESSION_ID", "VTE_VERSION", "WINDOWID",
]  # fmt: skip


def environment(om, *options, env=None, **how):
    """Start `env`, and return what it printed as a dictionary."""
    options = ("--no-tty", *options) if "--tty" not in options else tuple(one for one in options if one != "--tty")
    mission = om.mission(DUMP, *options, env=env, **how)
    om.wait_status(mission, "stopped")
    lines = om.raw("logs", mission, "--raw").split(b"\0")
    return dict(os.fsdecode(line).split("=", 1) for line in lines if line)


def test_the_callers_variables_reach_the_mission(om):
    found = environment(om, env={"MINE": "a b\tc\nd", "EMPTY": "", "ÜMLAUT": "ä"})
    assert (found["MINE"], found["EMPTY"], found["ÜMLAUT"]) == ("a b\tc\nd", "", "ä")


def test_each_run_brings_its_own_variables_whoever_started_the_daemon(om):
    om.ok("start", env={"FROM": "the daemon", "ONLY_DAEMON": "1"})
    found = environment(om, env={"FROM": "the caller"})
    assert found["FROM"] == "the caller"
    assert "ONLY_DAEMON" not in found


def test_a_restart_brings_the_agent_of_ssh_of_who_restarts_and_only_that(om):
    show = "echo $SSH_AUTH_SOCK/$MINE; exec sleep 1000"
    mission = om.mission([show], "--restart", "always", "--backoff", "1ms", env={"SSH_AUTH_SOCK": "/old", "MINE": "1"})

    def said(count):
        lines = [line for line in om.logs(mission).splitlines() if line.startswith("/")]
        return lines if len(lines) == count else None

    eventually(lambda: said(1), what="it has begun")
    om.ok("restart", mission, env={"SSH_AUTH_SOCK": "/new", "MINE": "2"})
    eventually(lambda: said(2), what="it was restarted by hand")
    os.kill(om.pid(mission), signal.SIGKILL)
    eventually(lambda: said(3), what="and by itself")
    with RawSocket.connect(om.home, by="web:phone") as phone:
        phone.ok("restart", id=mission, session_env={"SSH_AUTH_SOCK": "/of/the/browser"})
    found = eventually(lambda: said(4), what="and from a browser")
    assert found == ["/old/1", "/new/1", "/new/1", "/new/1"]


def test_a_mission_learns_who_it_is(om):
    mission = om.mission(DUMP, "--name", "me", "--no-tty", "--cwd", "/tmp")
    om.wait_status(mission, "stopped")
    found = dict(line.split("=", 1) for line in om.raw("logs", mission, "--raw").decode().split("\0") if line)
    ours = {name: value for name, value in found.items() if name.startswith("OVERMIND_")}
    assert ours == {
        "OVERMIND_MISSION_ID": mission,
        "OVERMIND_MISSION_NAME": "me",
        "OVERMIND_HOME": os.path.realpath(om.home),
    }
    assert found["PWD"] == "/tmp"


def test_a_child_learns_its_parent(om):
    parent = om.mission("sleep 100")
    assert environment(om, "--parent", parent)["OVERMIND_PARENT_ID"] == parent


@pytest.mark.parametrize("terminal", ["--tty", "--no-tty"])
def test_the_marks_of_an_agent_around_the_caller_are_dropped_and_nothing_else(om, terminal):
    given = dict.fromkeys([*DROPPED, *KEPT], "outer")
    found = environment(om, terminal, env=given)
    assert [name for name in DROPPED if found.get(name) == "outer"] == []
    assert [name for name in KEPT if found.get(name) != "outer"] == []


def test_on_a_terminal_the_outer_terminals_variables_are_replaced_by_ours(om):
    outer = dict.fromkeys(OUTER_TERMINAL, "outer") | {"TERM": "xterm-kitty", "COLORTERM": "24bit"}
    found = environment(om, "--tty", env=outer)
    assert [name for name in OUTER_TERMINAL if name in found] == []
    assert (found["TERM"], found["COLORTERM"]) == ("xterm-256color", "truecolor")


def test_without_a_terminal_they_stay(om):
    outer = dict.fromkeys(OUTER_TERMINAL, "outer") | {"TERM": "xterm-kitty"}
    found = environment(om, "--no-tty", env=outer)
    assert [name for name in OUTER_TERMINAL if name not in found] == []
    assert found["TERM"] == "xterm-kitty"


@pytest.mark.parametrize("terminal", ["--tty", "--no-tty"])
def test_a_task_has_pagers_and_prompts_that_never_wait(om, terminal):
    found = environment(om, terminal, env={"PAGER": "less", "GIT_PAGER": "less"})
    assert (found["PAGER"], found["GIT_PAGER"], found["GIT_TERMINAL_PROMPT"]) == ("cat", "cat", "0")


def test_an_interactive_task_keeps_the_callers_pager(om):
    found = environment(om, "--tty", "--interactive", env={"PAGER": "less"})
    assert found["PAGER"] == "less"
    assert "GIT_TERMINAL_PROMPT" not in found


def test_what_env_sets_wins_over_every_default(om):
    chosen = ["--env", "PAGER=more", "--env", "TERM=dumb", "--env", "GIT_TERMINAL_PROMPT=1", "--env", "TMUX=mine"]
    found = environment(om, "--tty", *chosen, env={"TMUX": "outer"})
    assert [found[name] for name in ("PAGER", "TERM", "GIT_TERMINAL_PROMPT", "TMUX")] == ["more", "dumb", "1", "mine"]


def test_env_is_repeatable_and_the_last_one_wins(om):
    found = environment(om, "--env", "A=1", "-e", "B=2=3", "--env", "A=last", "--env", "EMPTY=", env={"A": "caller"})
    assert (found["A"], found["B"], found["EMPTY"]) == ("last", "2=3", "")


@pytest.mark.own_home
def test_env_can_not_forge_who_a_mission_is(om):
    mission = om.mission(
        ["env"], "--env", "OVERMIND_MISSION_ID=00000000", "--env", "OVERMIND_HOME=/elsewhere", "--no-tty"
    )
    om.wait_status(mission, "stopped")
    lines = om.logs(mission).splitlines()
    assert f"OVERMIND_MISSION_ID={mission}" in lines
    assert f"OVERMIND_HOME={os.path.realpath(om.home)}" in lines


def test_env_file_gives_variables_which_env_overrules(om, tmp_path):
    file = tmp_path / "variables"
    file.write_text("# comment\n\nexport A=1\nB='two words'  # why\nC=\"x\\ny\"\nD=$HOME\nE=file\n")
    found = environment(om, "--env-file", str(file), "--env", "E=option")
    assert [found[name] for name in "ABCDE"] == ["1", "two words", "x\ny", "$HOME", "option"]


def test_a_relative_env_file_and_folder_count_from_the_caller(om, tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "variables").write_text("FROM_FILE=yes\n")
    found = environment(om, "--env-file", "variables", "--cwd", "below", cwd=str(tmp_path))
    assert (found["FROM_FILE"], found["PWD"]) == ("yes", str(tmp_path / "below"))


@pytest.mark.parametrize(
    ("content", "named"), [("A=1\nno equals\n", ":2"), ("A='open\n", ":1"), ("=1\n", ":1"), (None, "missing.env")]
)
def test_a_bad_env_file_is_named_with_its_line(om, tmp_path, content, named):
    om.ok("start")
    file = tmp_path / "missing.env"
    if content is not None:
        file.write_text(content)
    assert named in om.refused("run", "--env-file", str(file), "true", code="invalid")
    assert om.ps("--all") == []


def test_clean_env_keeps_only_what_a_login_would_set(om):
    found = environment(om, "--clean-env", "--env", "CHOSEN=1", env={"SECRET": "x", "LANG": "C.UTF-8"})
    assert "SECRET" not in found
    assert found["CHOSEN"] == "1"
    assert found["HOME"] == om.environment["HOME"]
    assert found["PATH"].startswith(os.environ["PATH"])
    assert found["LANG"] == "C.UTF-8"
    assert "OVERMIND_MISSION_ID" in found


def test_the_folder_is_the_callers(om, tmp_path):
    mission = om.mission("pwd; pwd -P", cwd=str(tmp_path))
    om.wait_status(mission, "stopped")
    assert om.logs(mission) == f"{tmp_path}\n{tmp_path}\n"
    assert om.info(mission)["cwd"] == str(tmp_path)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o027, 0o077])
def test_the_umask_is_the_callers(om, tmp_path, mask):
    before = os.umask(mask)
    try:
        mission = om.mission("touch made; umask", cwd=str(tmp_path))
    finally:
        os.umask(before)
    om.wait_status(mission, "stopped")
    assert int(om.logs(mission), 8) == mask
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o666 & ~mask


def test_a_program_is_found_on_the_callers_path(om, tmp_path):
    tool = tmp_path / "only-here"
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert om.ok("run", "--wait", "only-here", "x", env={"PATH": path}) == "found\n"
    assert om.ok("run", "--wait", "--env", f"PATH={path}", "only-here", "x") == "found\n"


def test_our_folder_is_at_the_end_of_path_when_overmind_is_not_on_it(om):
    path = "/usr/bin:/bin"
    ours = os.path.dirname(sys.executable)
    assert environment(om, env={"PATH": path})["PATH"] == f"{path}:{ours}"
    on_it = f"{ours}:{path}"
    assert environment(om, env={"PATH": on_it})["PATH"] == on_it


def test_a_mission_can_call_overmind(om):
    info = om.finished("overmind ps -q", "--env", "PATH=/usr/bin:/bin")
    assert om.logs(info["id"]) == f"{info['id']}\n"


def test_info_names_variables_and_reveals_values_only_when_asked(om):
    mission = om.mission("sleep 100", "--env", "TOKEN=s3cret")
    assert "s3cret" not in om.ok("info", mission)
    named = om.ok("info", mission, "--env")
    assert "TOKEN" in named
    assert "s3cret" not in named
    assert om.json("info", mission, "--reveal")["env"]["TOKEN"] == "s3cret"


@pytest.mark.own_home
def test_no_other_answer_and_no_file_but_the_database_holds_a_value(om):
    mission = om.mission("true", "--env", "TOKEN=s3cret-value", "--name", "quiet")
    om.wait_status(mission, "stopped")
    for words in (("ps", "--json", "--wide"), ("events",), ("logs", mission, "--events"), ("status", "--json")):
        assert "s3cret-value" not in om.ok(*words)
    files = [path for path in Path(om.home).rglob("*") if path.is_file() and not path.name.startswith("state.db")]
    assert len(files) > 3
    assert [path.name for path in files if b"s3cret-value" in path.read_bytes()] == []


@pytest.mark.own_home
def test_a_value_is_gone_from_the_database_once_the_mission_is_removed(om):
    mission = om.mission("true", "--env", "TOKEN=s3cret-value")
    om.wait_status(mission, "stopped")
    om.ok("rm", mission)
    om.ok("shutdown")
    with open(om.path("state.db"), "rb") as file:
        assert b"s3cret-value" not in file.read()


def test_inside_a_mission_values_are_never_revealed(om):
    secret = om.mission("sleep 100", "--env", "TOKEN=s3cret")
    info = om.finished([*PROGRAM, "info", secret, "--reveal"])
    assert info["exit_code"] == 1
    assert om.logs(info["id"]).startswith("Error: forbidden: ")


@pytest.mark.parametrize("length", [LARGEST - 1, LARGEST])
def test_an_argument_of_almost_128_kib_arrives_whole(om, length):
    assert om.ok("run", "--wait", "--no-tty", "sh", "-c", "printf ${#1}", "sh", "x" * length) == f"{length}\n"


def test_a_longer_argument_is_refused_by_its_place(om):
    om.ok("start")
    with RawSocket.connect(om.home) as socket:
        answer = socket.request("run", command=["echo", "x" * (LARGEST + 1)], cwd="/")
        assert (answer["error"], "Argument 1" in answer["message"]) == ("too_large", True)
        answer = socket.request("run", command="x" * (LARGEST + 1), cwd="/")
        assert answer["error"] == "too_large"
        answer = socket.request("run", command=["true"], cwd="/", env={"BIG": "x" * (LARGEST - 3)})
        assert (answer["error"], "BIG" in answer["message"]) == ("too_large", True)
        assert "ok" in socket.request("run", command=["true"], cwd="/", env={"BIG": "x" * (LARGEST - 4)})
    assert len(om.ps()) == 1


def test_a_longer_value_on_the_command_line_is_refused_by_its_name(om, tmp_path):
    om.ok("start")
    file = tmp_path / "big.env"
    file.write_text(f"BIG={'x' * LARGEST}\n")
    assert "BIG" in om.refused("run", "--env-file", str(file), "true", code="too_large")
    assert om.ps("--all") == []


def test_a_nul_is_refused_by_its_place_or_name(om, tmp_path):
    om.ok("start")
    file = tmp_path / "nul.env"
    file.write_bytes(b"NUL=a\0b\n")
    assert "NUL" in om.refused("run", "--env-file", str(file), "true", code="invalid")
    with RawSocket.connect(om.home) as socket:
        for arguments in (
            {"command": ["echo", "a\0b"]},
            {"command": "echo a\0b"},
            {"command": ["true"], "env": {"A": "b\0c"}},
            {"command": ["true"], "env_set": {"A\0": "b"}},
        ):
            assert socket.request("run", cwd="/", **arguments)["error"] == "invalid", arguments
    assert om.ps("--all") == []


ENVIRONMENTS = {
    "NUL in a name": ({"A\0": "b"}, "invalid"),
    "NUL in a value": ({"A": "b\0c"}, "invalid"),
    "no name": ({"": "b"}, "invalid"),
    "an equals sign in a name": ({"A=B": "c"}, "invalid"),
    "a long value": ({"A": "x" * LARGEST}, "too_large"),
}
STARTERS: dict[str, dict[str, object]] = {
    "run": {"command": ["true"]},
    "apply": {"blueprint": {"name": "p", "agents": [{"name": "a", "start": {"command": "true"}}]}},
    "trust": {},
    "isolate": {},
}


@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_an_environment_that_no_program_can_have_is_refused_and_records_nothing(om, tmp_path, kind):
    """Of everything that starts programs for its caller, git among them."""
    environment, code = ENVIRONMENTS[kind]
    Repository(str(tmp_path / "shop")).commit("first", {"a": "1\n"})
    om.ok("start")
    with RawSocket.connect(om.home) as socket:
        for command, arguments in STARTERS.items():
            answer = socket.request(command, cwd=str(tmp_path / "shop"), env=environment, **arguments)
            assert answer["error"] == code, command
    assert om.ps("--all") == []


@pytest.mark.own_home
def test_bytes_that_are_no_utf8_reach_the_mission_as_they_are(om, tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    script = 'printf %s "$1$SET$MINE"; pwd'
    options: list[str | bytes] = ["--wait", "--no-tty", "--env", b"SET=\xff\xfe", "--"]
    command: list[str | bytes] = [*PROGRAM, "run", *options, "sh", "-c", script, "sh", b"arg\x80"]
    variables = {os.fsencode(name): os.fsencode(value) for name, value in om.environment.items()}
    finished = subprocess.run(
        command, env={**variables, b"MINE": b"\xc3("}, cwd=folder, capture_output=True, timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    (row,) = om.ps()
    assert om.raw("logs", row["id"], "--raw") == b"arg\x80\xff\xfe\xc3(" + folder + b"\n"
    om.ok("shutdown")  # and what was stored is the same
    om.ok("start")
    om.ok("restart", row["id"])
    om.wait_status(row["id"], "stopped")
    assert om.raw("logs", row["id"], "--raw", "--run", "2") == b"arg\x80\xff\xfe\xc3(" + folder + b"\n"


def test_a_callers_folder_that_is_gone_is_an_error(om, tmp_path):
    om.ok("start")
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'rmdir "{gone}" && exec "$@"'
    finished = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *PROGRAM, "run", "true"],
        env={**om.environment, "PYTHONPATH": REPOSITORY},
        cwd=gone,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode == 1
    assert without_waiting(finished.stderr).startswith("Error: cwd_not_found: ")
    assert om.ps("--all") == []
