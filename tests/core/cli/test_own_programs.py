"""Programs of ours that start one another: the second understands the words that the first gives it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from overmind_core.agents.launch import _hook
from overmind_core.cli import daemon, demo, web_serving
from overmind_core.cli.command import find
from overmind_core.cli.context import Context
from overmind_core.cli.main import _named
from overmind_core.cli.parser import parse
from overmind_core.cli.service_unit.units import our_command
from overmind_core.client import daemon as of_clients
from overmind_core.daemon import main as daemon_program
from overmind_core.domain.plans.blueprint import PlanMerge
from overmind_core.errors import OvermindError
from overmind_core.keeper.main import KeeperOptions
from overmind_core.kernel.keeper_client import _keeper_argv
from overmind_core.plans import attempt_start
from overmind_core.system import program_log
from overmind_core.system.paths import Home
from overmind_tui import __main__ as tui
from overmind_web import __main__ as web
from overmind_web.pages import doctor

ROOT = Path(__file__).parents[3]
HOME = Home("/home/of/somebody")
STARTERS = {
    "overmind_core/agents/launch.py", "overmind_core/cli/service_unit/units.py", "overmind_core/client/daemon.py",
    "overmind_core/daemon/main.py", "overmind_core/kernel/keeper_client.py", "overmind_core/plans/attempt_start.py",
    "overmind_web/__main__.py", "overmind_web/pages/doctor.py", "overmind_core/cli/daemon.py",
    "overmind_core/cli/web_serving.py",
}  # fmt: skip
"""Modules whose words are parsed below."""
ELSEWHERE = {
    "overmind_core/probes/log_match.py", "overmind_core/log_pages/line_filter.py", "overmind_core/memory/meaning.py",
    "overmind_core/specs/quest_maker.py",
}  # fmt: skip
"""Those whose program has no options; the tests of each run it for real."""
WORDS_OF_A_PERSON = {
    "overmind_core/swarm/pool_settings.py", "overmind_tui/command_line/jobs.py", "overmind_tui/log/save.py",
    "overmind_core/demo/script_player.py", "overmind_core/demo/note_agent.py", "overmind_core/demo/project.py",
    "overmind_core/demo/story.py", "overmind_core/demo/spec_script.py",
}  # fmt: skip
"""Those that hand on what somebody typed, or a script of the demonstration."""


def understood(words):
    """The arguments of a command line of ours."""
    name, rest = _named([*words])
    return parse(find(name), rest)


def test_each_module_that_starts_a_program_of_ours_is_known_here():
    found = set()
    for package in ("overmind_core", "overmind_tui", "overmind_web"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, (ast.List, ast.Tuple)) and "sys.executable" in ast.unparse(node):
                    words = [one.value for one in node.elts if isinstance(one, ast.Constant)]
                    if "-m" in words and "unittest" not in words:
                        found.add(path.relative_to(ROOT).as_posix())
    assert found == STARTERS | ELSEWHERE | WORDS_OF_A_PERSON


class Became(Exception):
    """The process is another program now."""


def test_the_board_of_the_demonstration_is_a_view_that_the_full_screen_program_opens(monkeypatch, tmp_path):
    def become(_program, argv, _environment):
        monkeypatch.setattr(sys, "argv", ["overmind tui", *argv[4:]])
        raise Became

    monkeypatch.setattr("overmind_core.cli.demo_spec.start", lambda *_: "carts")
    monkeypatch.setattr(Context, "client", lambda *_args, **_more: SimpleNamespace(connect=lambda: None))
    monkeypatch.setattr(daemon, "is_on_terminal", lambda: True)
    monkeypatch.setattr("os.execve", become)
    with pytest.raises(Became):
        demo.demo(understood(["demo", "spec"]), Context({"OVERMIND_HOME": str(tmp_path)}))
    assert tui._options().view == "board"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--port", "4000", "--host", "::1", "--read-only", "--open", "--json", "--background", "--no-link"),
        ("--socket",),
        ("--cert", "c.pem", "--key", "k.pem", "--public-url", "https://example.com"),
    ],
)
def test_the_web_server_understands_its_command(tmp_path, words):
    args = understood(["web", *words])
    given = web._parser().parse_args(
        ["--home", HOME.root, *web_serving._server_options(args, Context({"OVERMIND_HOME": str(tmp_path)}))]
    )
    for name in ("socket", "read_only", "open", "json", "background", "no_link", "public_url"):
        assert (getattr(given, name) or None) == (getattr(args, name) or None)
    assert (given.host, bool(given.cert)) == (args.host or "127.0.0.1", bool(args.cert))


def test_a_large_log_of_the_web_server_is_put_aside(tmp_path):
    context = Context({"OVERMIND_HOME": str(tmp_path)})
    log = Path(context.home.web_log)
    log.write_bytes(b"Error: busy: of old\n" + bytes(program_log.LIMIT))
    with pytest.raises(OvermindError, match="no luck today"):
        web_serving._start_background([sys.executable, "-c", "raise SystemExit('Error: busy: no luck today')"], context)
    assert log.read_text() == "Error: busy: no luck today\n"
    assert Path(f"{log}.1").stat().st_size > program_log.LIMIT


def test_the_command_understands_the_web_server(monkeypatch):
    def become(_program, argv, _environment):
        assert vars(understood(argv[4:])).items() >= {"read_only": True, "open": True, "json": True}.items()
        raise Became

    monkeypatch.setattr("overmind_web.server.lifecycle.await_other", lambda _home: None)
    monkeypatch.setattr("os.execve", become)
    with pytest.raises(Became):
        web._print_second_link(HOME, web._parser().parse_args(["--read-only", "--open", "--json"]))


def test_a_daemon_understands_clients_and_daemons_and_its_keeper_understands_it():
    for argv in (of_clients.daemon_argv(HOME, "--ready-fd", "3"), daemon_program.daemon_argv(HOME)):
        assert daemon_program.Options(argv[4:]).home == HOME.root
    assert vars_of(KeeperOptions(_keeper_argv(HOME, 7)[4:])) >= {HOME.root, 7}


def vars_of(options):
    return {getattr(options, name) for name in options.__slots__}


def test_the_command_line_understands_a_service():
    text = (ROOT / "overmind_core/cli/service_unit/units.py").read_text(encoding="utf-8")
    calls = [
        [ast.literal_eval(word) for word in call.args]
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "our_command"
    ]
    assert calls
    for words in calls:
        assert understood(our_command(*words)[4:])


def test_the_command_line_understands_hooks_checks_and_landings_of_a_plan():
    hook = understood(_hook("a1b2c3d4", "token")[4:])
    assert (hook.mission, hook.token) == ("a1b2c3d4", "token")
    assert understood(doctor.PROGRAM[4:]).json
    for way in ({"squash": True}, {"rebase": True}):
        merge = PlanMerge(("a",), into="main", verify="make test", **way)
        step = understood(["merge-step", "--plan", "p", *attempt_start._options(merge), "a=a1b2c3d4"])
        assert (step.plan, step.into, step.verify) == ("p", "main", "make test")
        assert (step.squash, step.rebase) == ("squash" in way, "rebase" in way)
