"""Mistakes: each is named, says what to do, starts nothing and records nothing."""

from __future__ import annotations

import pytest

from overmind_core.cli.command import COMMANDS
from tests.kit.killing import kill_supervisor, without_waiting
from tests.kit.processes import of_home
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

USAGE = [
    (("nosuchcommand",), "unknown_command", "nosuchcommand"),
    (("--nosuchoption",), "invalid", "--nosuchoption"),
    (("run",), "empty_command", "Missing command"),
    (("run", ""), "empty_command", "Missing command"),
    (("run", "  "), "empty_command", "Missing command"),
    (("run", "--name", "x"), "empty_command", "Missing command"),
    (("run", "--"), "empty_command", "Missing command"),
    (("run", "--nosuch", "true"), "invalid", "--nosuch"),
    (("run", "--nam", "x", "true"), "invalid", "--nam"),
    (("run", "--max-restarts", "many", "true"), "invalid", "many"),
    (("run", "--max-restarts", "-1", "true"), "invalid", "--max-restarts"),
    (("run", "--grace", "soon", "true"), "invalid", "soon"),
    (("run", "--timeout", "5x", "true"), "invalid", "5x"),
    (("run", "--backoff", "", "true"), "invalid", "--backoff"),
    (("run", "--size", "80", "true"), "invalid", "80"),
    (("run", "--size", "wide", "true"), "invalid", "wide"),
    (("run", "--restart", "sometimes", "true"), "invalid", "sometimes"),
    (("run", "--type", "daemon", "true"), "invalid", "daemon"),
    (("run", "--label", "nokey", "true"), "invalid", "nokey"),
    (("run", "--name"), "invalid", "--name"),
    (("kill",), "invalid", "Missing id"),
    (("stop",), "invalid", "Missing id"),
    (("info",), "invalid", "Missing id"),
    (("wait",), "invalid", "Missing id"),
    (("rm",), "invalid", "Missing id"),
    (("restart",), "invalid", "Missing id"),
    (("update",), "invalid", "Missing id"),
    (("subscribe",), "invalid", "Missing id"),
    (("info", "a", "b"), "invalid", "b"),
    (("ps", "extra"), "invalid", "extra"),
    (("ps", "--nosuch"), "invalid", "--nosuch"),
    (("wait", "x", "--timeout", "soon"), "invalid", "soon"),
    (("logs", "x", "--tail", "few"), "invalid", "few"),
    (("logs", "x", "--tail", "-1"), "invalid", "--tail"),
    (("logs", "x", "--since", "whenever"), "invalid", "whenever"),
    (("logs", "x", "--grep", "("), "invalid", "("),
    (("events", "--since", "now"), "invalid", "now"),
    (("prune", "--older", "old"), "invalid", "old"),
    (("update", "x"), "invalid", "Nothing to change"),
    (("run", "--stop-signal", "NOSUCH", "true"), "invalid", "NOSUCH"),
    (("run", "--size", "0x24", "true"), "invalid", "0x24"),
    (("run", "--size", "80x99999", "true"), "invalid", "80x99999"),
    (("run", "--interactive", "--no-tty", "true"), "invalid", "--no-tty"),
    (("run", "--env", "=x", "true"), "invalid", "=x"),
    (("ps", "--status", "happy"), "invalid", "happy"),
    (("run", "--name", "a b", "true"), "invalid", "'a b'"),
    (("run", "--allow", "Bash(", "true"), "invalid", "Bash("),
    (("stop", "-1", "x"), "invalid", "-1"),
    (("restart", "-5"), "invalid", "-5"),
]

FAILURES = [
    (("run", "--cwd", "/no/such/folder", "true"), "cwd_not_found", "/no/such/folder"),
    (("run", "--cwd", "/etc/passwd", "true"), "cwd_not_found", "/etc/passwd"),
    (("run", "no-such-program", "x"), "not_found", "no-such-program"),
    (("run", "./no-such-program", "x"), "not_found", "./no-such-program"),
    (("run", "/etc/passwd", "x"), "not_found", "/etc/passwd"),
    (("run", "--parent", "nobody", "true"), "parent_not_found", "nobody"),
    (("run", "--env-file", "/no/such/file", "true"), "invalid", "/no/such/file"),
    (("info", "nobody"), "not_found", "nobody"),
    (("logs", "nobody"), "not_found", "nobody"),
    (("logs", "-f", "nobody"), "not_found", "nobody"),
    (("stop", "nobody"), "not_found", "nobody"),
    (("kill", "nobody"), "not_found", "nobody"),
    (("restart", "nobody"), "not_found", "nobody"),
    (("signal", "nobody", "HUP"), "not_found", "nobody"),
    (("freeze", "nobody"), "not_found", "nobody"),
    (("thaw", "nobody"), "not_found", "nobody"),
    (("update", "nobody", "--name", "x"), "not_found", "nobody"),
    (("rm", "nobody"), "not_found", "nobody"),
    (("wait", "nobody"), "not_found", "nobody"),
    (("subscribe", "nobody"), "not_found", "nobody"),
    (("ps", "--children", "nobody"), "not_found", "nobody"),
]


@pytest.mark.own_home
def test_wrong_usage_exits_with_2_and_starts_nothing(om, cases):
    for words, code, named in USAGE:
        with cases(" ".join(words)):
            assert named in om.refused(*words, code=code, exit_code=2)
    assert of_home(om.home) == [], "nothing was asked of a daemon, so none was started"


def test_a_request_that_fails_exits_with_1_and_records_nothing(om, cases):
    om.ok("start")
    for words, code, named in FAILURES:
        with cases(" ".join(words)):
            finished = om(*words)
            assert (finished.returncode, finished.stdout) == (1, ""), finished
            assert without_waiting(finished.stderr).startswith(f"Error: {code}: ")
            assert named in finished.stderr
            assert finished.stderr.count("\n") == 1, "one line"
            assert om.ps("--all") == []
    assert om.events() == []


def test_an_unknown_provider_is_named(om):
    om.ok("start")
    with RawSocket.connect(om.home) as socket:
        answer = socket.request("run", command="true", cwd="/", provider="nosuch")
    assert (answer["error"], "nosuch" in answer["message"]) == ("unknown_provider", True)
    assert om.ps("--all") == []


WRONG_ARGUMENTS = [
    # argument, value, how its sentence begins
    ("type", "daemon", "Unknown type 'daemon'."),
    ("restart", "sometimes", "Unknown restart policy 'sometimes'."),
    ("max_restarts", "many", "Bad arguments: Expected `int`, got `str` - at `$.max_restarts`"),
    ("max_restarts", -1, "Bad arguments: Expected `int` >= 0 - at `$.max_restarts`"),
    ("grace", "soon", "--grace: 'soon' is not a duration: "),
    ("grace", -1, "--grace: '-1' is not a duration: "),
    ("timeout", "5x", "--timeout: '5x' is not a duration: "),
    ("columns", 0, "--size 0x24: each must be 1 to "),
    ("rows", "many", "Bad arguments: Expected `int`, got `str` - at `$.rows`"),
    ("labels", {"": "x"}, "'' is not a label: "),
    ("labels", ["x"], "Bad arguments: Expected `object`, got `array` - at `$.labels`"),
    ("stop_signal", "NOSUCH", "Unknown signal 'NOSUCH'."),
    ("stop_signal", 99, "Unknown signal 99."),
    ("env", {"A=B": "x"}, "'A=B' is not a valid name for an environment variable."),
    ("env", {"": "x"}, "'' is not a valid name for an environment variable."),
    ("umask", "rwx", "Bad arguments: Expected `int`, got `str` - at `$.umask`"),
    ("command", 7, "Bad arguments: Expected `str | array`, got `int` - at `$.command`"),
    ("command", {}, "Bad arguments: Expected `str | array`, got `object` - at `$.command`"),
    ("command", [1], "Bad arguments: Expected `str`, got `int` - at `$.command[0]`"),
    ("nosuch", 1, "Bad arguments: Object contains unknown field `nosuch`"),
    ("tty", "yes", "Bad arguments: Expected `bool`, got `str` - at `$.tty`"),
    ("max_seconds", 0, "--max-seconds 0: must be greater than 0."),
]


def test_a_wrong_argument_on_the_socket_is_named_and_starts_nothing(om, cases):
    om.ok("start")
    for field, value, sentence in WRONG_ARGUMENTS:
        with cases(f"{field}={value!r}"), RawSocket.connect(om.home) as socket:
            answer = socket.request("run", **({"command": "true", "cwd": "/"} | {field: value}))
            assert answer["error"] == "invalid", answer
            assert answer["message"].startswith(sentence), answer
            assert socket.ok("ps", all=True) == []


def test_an_empty_command_on_the_socket_is_refused(om):
    om.ok("start")
    with RawSocket.connect(om.home) as socket:
        for command in ("", "   ", [], [""]):
            assert socket.request("run", command=command, cwd="/")["error"] == "empty_command"
        assert socket.ok("ps", all=True) == []


def test_a_live_missions_name_is_taken_and_a_finished_ones_is_free(om):
    first = om.mission("sleep 100", "--name", "one")
    assert first in om.refused("run", "--name", "one", "true", code="name_taken")
    assert len(om.ps("--all")) == 1
    om.ok("stop", "one")
    assert om.mission("true", "--name", "one") != first


def test_acting_on_a_finished_mission_is_not_running(om):
    om.finished("true", "--name", "over")
    for words in (("stop", "over"), ("signal", "over", "HUP"), ("freeze", "over"), ("thaw", "over")):
        assert "over" in om.refused(*words, code="not_running"), words


def test_removing_a_live_mission_is_not_finished(om):
    om.mission("sleep 100", "--name", "busy")
    assert "busy" in om.refused("rm", "busy", code="not_finished")
    assert len(om.ps()) == 1


def test_of_several_missions_the_good_ones_are_done_and_the_bad_ones_told(om):
    good, other = om.mission("sleep 100"), om.mission("sleep 100")
    finished = om("stop", good, "nobody", other)
    assert finished.returncode == 1
    assert finished.stdout == f"Stopped mission {good}\nStopped mission {other}\n"
    assert without_waiting(finished.stderr).startswith("Error: not_found: ")
    assert om.ps("--status", "running") == []


@pytest.mark.own_home
def test_help_has_examples_and_needs_no_daemon(om, cases):
    for command in COMMANDS:
        with cases(command):
            printed = om.ok(command, "--help")
            assert printed.startswith(f"usage: overmind {command}")
            _, _, examples = printed.partition("\nExamples:\n")
            assert f"overmind {command}" in examples
    assert of_home(om.home) == []


def test_the_overview_names_every_command(om):
    for word in ("--help", "-h", "help"):
        printed = om.ok(word)
        assert [name for name in COMMANDS if f" {name} " not in printed] == []


def test_a_control_character_in_an_error_never_reaches_the_terminal_raw(om):
    om.ok("start")
    finished = om("info", "\x1b[31mred\x07\u202e")
    assert finished.returncode == 1
    assert "\x1b" not in finished.stderr
    assert "\x07" not in finished.stderr
    assert "\u202e" not in finished.stderr


@pytest.mark.parametrize("reader", ["ps", "logs", "events", "help"])
def test_a_broken_pipe_ends_quietly(om, reader):
    mission = om.mission("seq 1 200000", "--name", "long")
    om.wait_status(mission, "stopped")
    words = {"logs": ["logs", "long"], "help": ["--help"]}.get(reader, [reader])
    client = om.popen(*words)
    client.stdout.close()
    client.wait(timeout=30)
    assert client.stderr.read() == ""


@pytest.mark.own_home
def test_a_broken_configuration_is_named(om):
    with open(om.path("config.toml"), "w") as file:
        file.write("[logs]\nper_mission = 'lots'\n")
    assert "per_mission" in om.refused("start", code="invalid_config")
    with open(om.path("config.toml"), "w") as file:
        file.write("[logs\n")
    assert "config.toml" in om.refused("run", "true", code="invalid_config")
    eventually(lambda: not of_home(om.home), what="no daemon stays: the one that has said why is on its way out")


@pytest.mark.own_home
def test_a_newer_state_is_refused_and_left_alone(om):
    import sqlite3

    om.finished("true")
    om.ok("shutdown")
    with sqlite3.connect(om.path("state.db")) as database:
        database.execute("PRAGMA user_version = 9999")
    database.close()
    om.refused("start", code="schema_newer")
    with sqlite3.connect(om.path("state.db")) as database:
        assert database.execute("SELECT count(*) FROM missions").fetchone() == (1,)
    database.close()


@pytest.mark.own_home
def test_settings_that_were_good_last_keep_a_daemon_alive_that_goes_on_for_another(om):
    with open(om.path("config.toml"), "w") as file:
        file.write('[permissions]\ndeny = ["Bash(rm:*)"]\n')
    mission = om.mission("sleep 0.2; exit 1", "--restart", "always", "--backoff", "1ms", "--max-restarts", "0")
    with open(om.path("config.toml"), "w") as file:
        file.write('[permissions]\ndenny = ["Bash(rm:*)"]\n')
    mistake = f"{om.path('config.toml')}:2:1: permissions: unknown key 'denny'. Did you mean deny?"
    before = om.supervisor_pid()
    assert om.refused("start", "--replace", code="invalid_config").strip().endswith(mistake)
    assert om.supervisor_pid() == before, "what can't take over asks nobody to leave"
    kill_supervisor(om)
    eventually(lambda: om.holder("supervisor.lock") not in {None, 0, before}, what="the keeper starts a daemon")
    runs = len(om.info(mission)["runs"])
    eventually(lambda: len(om.info(mission)["runs"]) > runs, what="restarts go on")
    (problem,) = om.json("status", "--json")["problems"]
    assert problem.startswith(mistake)
    assert problem.endswith("then run: overmind start --replace")
    assert f"Problem:  {mistake}" in om.ok("status")
    with open(om.path("config.toml"), "w") as file:
        file.write("")
    om.ok("start", "--replace")
    assert om.json("status", "--json")["problems"] == []
