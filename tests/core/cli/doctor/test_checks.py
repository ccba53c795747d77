"""Each check as a table: what the machine says, and what is made of it."""

from __future__ import annotations

import os
import threading
from resource import RLIM_INFINITY

import pytest

from overmind_core.cli.doctor import home, machine
from overmind_core.cli.doctor.command import CHECKS, run_checks
from overmind_core.cli.doctor.finding import Check, CheckContext, ok
from overmind_core.cli.external import ProgramResult
from overmind_core.system.paths import Home


@pytest.fixture
def world(tmp_path):
    """A world in which every program says `answer`."""

    def make(answer=None, *, there=True, platform="linux", **environ):
        return CheckContext(
            environ,
            Home(str(tmp_path)),
            lambda *_: answer or ProgramResult(0, "1.0"),
            lambda name: f"/bin/{name}" if there else None,
            platform,
        )

    return make


def test_no_two_checks_share_a_name():
    assert len({check.name for check in CHECKS}) == len(CHECKS)


PYTHONS = [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 13, 1), "ok")]


@pytest.mark.parametrize(("version", "status"), PYTHONS)
def test_python(world, version, status):
    assert machine.python(world(), version).status == status


COMMANDS = [
    # what is first on PATH, what this was started by, the status, what is said
    ("venv/bin/overmind", "venv/bin/overmind", "ok", "venv/bin/overmind"),
    ("link/overmind", "venv/bin/overmind", "ok", "link/overmind"),
    ("link/overmind", "cli/__main__.py", "ok", "link/overmind"),
    ("link/overmind", "link/overmind", "ok", "link/overmind"),
    ("user/overmind", "user/overmind", "ok", "user/overmind"),
    ("shims/overmind", "venv/bin/overmind", "ok", "shims/overmind"),
    (
        "user/overmind",
        "venv/bin/overmind",
        "warn",
        "another one is first on PATH: {}/user/overmind; this copy is {}/venv",
    ),
    (
        "user/overmind",
        "cli/__main__.py",
        "warn",
        "another one is first on PATH: {}/user/overmind; this copy is {}/venv",
    ),
    ("venv/bin/overmind", "user/overmind", "warn", "this copy is {}/user/overmind"),
    (None, "venv/bin/overmind", None, ""),
]


@pytest.mark.parametrize(("first", "script", "status", "words"), COMMANDS)
def test_the_command_that_is_first_on_path(world, tmp_path, first, script, status, words):
    for name in ("venv/bin/overmind", "user/overmind", "shims/overmind", "cli/__main__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link").mkdir()
    (tmp_path / "link/overmind").symlink_to(tmp_path / "venv/bin/overmind")
    context = world()._replace(which=lambda _: first and str(tmp_path / first))
    found = machine.command(context, str(tmp_path / script), str(tmp_path / "venv/bin/python"))
    assert (found and found.status) == status
    if found is not None:
        assert words.replace("{}", str(tmp_path)) in found.found
        assert found.status == "ok" or "in PATH" in found.mend


def test_a_copy_without_a_script_has_nothing_to_compare(world, tmp_path):
    assert machine.command(world(), str(tmp_path / "__main__.py"), str(tmp_path / "python")) is None


PROGRAMS = [
    (machine.git, ProgramResult(0, "git version 2.39"), "ok"),
    (machine.git, ProgramResult(1, "broken"), "warn"),
    (machine.git, ProgramResult(None, "no answer within 5 s"), "warn"),
    (machine.docker_client, ProgramResult(0, "Docker version 28"), "ok"),
    (machine.docker_engine, ProgramResult(0, "28.2.2"), "ok"),
    (machine.docker_engine, ProgramResult(1, "\nCannot connect"), "warn"),
    (machine.docker_engine, ProgramResult(0, ""), "warn"),
    (machine.docker_engine, ProgramResult(None, ""), "warn"),
]


@pytest.mark.parametrize(("check", "answer", "status"), PROGRAMS)
def test_programs(world, check, answer, status):
    assert check(world(answer)).status == status


def test_what_is_not_there_is_a_warning_that_says_how_to_get_it(world):
    nothing = world(there=False)
    assert machine.docker_engine(nothing) is None
    assert "install git" in machine.git(nothing).mend
    for name, package in (("claude", "@anthropic-ai/claude-code"), ("codex", "@openai/codex")):
        missing = machine.agent(nothing, name)
        assert missing is not None
        assert f"npm install -g {package}" in missing.mend
    assert [machine.agent(nothing, name) for name in machine.AGENTS[2:]] == [None] * 4, "few have them"


@pytest.mark.parametrize("said", ["GitHub Copilot CLI 1.0.102.", "GitHub Copilot CLI 1.0.102"])
def test_a_version_has_no_full_stop_behind_it(world, said):
    found = machine.agent(world(ProgramResult(0, said)), "copilot")
    assert found is not None
    assert found.found.startswith("GitHub Copilot CLI 1.0.102 (/bin/")


@pytest.mark.parametrize("name", machine.AGENTS)
def test_the_program_that_would_run_is_looked_at(world, tmp_path, name):
    found = machine.agent(world(**{f"OVERMIND_{name.upper()}_BIN": "chosen"}), name)
    assert found is not None
    assert "1.0 (/bin/chosen), tried with " in found.found
    (tmp_path / "config.toml").write_text(f'[providers.{name}]\nprogram = "mine"\n', encoding="utf-8")
    found = machine.agent(world(), name)
    assert found is not None
    assert "1.0 (/bin/mine), tried with " in found.found
    missing = machine.agent(world(there=False), name)
    assert missing is not None, "somebody wants it"
    assert missing.mend == "check that it runs: mine"


LOGINS = [
    (ProgramResult(0, "codex-cli 0.999.0"), 0, "ok", "logged in"),
    (ProgramResult(0, "codex-cli 0.999.0"), 1, "warn", "no login, says codex login status"),
    (ProgramResult(0, "codex-cli 0.999.0"), 2, "ok", "its login is not checked"),
    (ProgramResult(0, "codex-cli 0.999.0"), None, "ok", "its login is not checked"),
    (ProgramResult(0, "codex-cli 0.1.0"), 1, "ok", "its login is not checked"),
    (ProgramResult(0, "no version"), 1, "ok", "its login is not checked"),
]


@pytest.mark.parametrize(("version", "status", "judged", "said"), LOGINS)
def test_a_login_is_told_by_a_program_that_can(world, version, status, judged, said):
    context = world()._replace(
        run_program=lambda *words: version if words[-1] == "--version" else ProgramResult(status, "?")
    )
    found = machine.agent(context, "codex")
    assert found is not None
    assert (found.status, said in found.found) == (judged, True)


def test_an_older_program_is_asked_nothing_whatever_its_folder_is_called(world):
    context = world(ProgramResult(0, "2.0.1 (Claude Code)"))._replace(which="/node/v24.1.0/bin/{}".format)
    found = machine.agent(context, "claude")
    assert found is not None
    assert found.found.endswith("tried with 2.1.332, its login is not checked")


def test_a_version_may_be_any_number(world):
    found = machine.agent(world(ProgramResult(0, "1" * 5000 + ".2")), "claude")
    assert found is not None
    assert found.found.endswith("its login is not checked")


NODES = [
    ('{"engines": {"node": ">=22.0.0"}}', 22),
    ('{"engines": {"node": ">= 20"}}', 20),
    ('{"engines": {"node": "^18 || >=20"}}', 0),
    ('{"engines": {"node": 22}}', 0),
    ('{"engines": ["node"]}', 0),
    ("[" * 100_000, 0),
    ("", 0),
]


@pytest.mark.parametrize(("package", "needed"), NODES)
def test_an_older_node_than_its_package_asks_for_is_named(world, tmp_path, package, needed):
    (tmp_path / "bin").mkdir()
    (tmp_path / "package" / "dist").mkdir(parents=True)
    (tmp_path / "package" / "package.json").write_text(package, encoding="utf-8")
    (tmp_path / "package" / "dist" / "cli.js").write_text("#!/usr/bin/env node\n", encoding="utf-8")
    program = tmp_path / "bin" / "qwen"
    program.symlink_to(tmp_path / "package" / "dist" / "cli.js")
    assert machine.needed_node(str(program)) == needed
    for node, status in ((needed - 1, "warn"), (needed, "ok")) if needed else ((18, "ok"),):
        versions = {"/bin/node": f"v{node}.2.1", str(program): "0.24.4"}
        context = world()._replace(
            which=lambda name: "/bin/node" if name == "node" else str(program),
            run_program=lambda *words, versions=versions: ProgramResult(0, versions[words[0]]),
        )
        found = machine.agent(context, "qwen")
        assert found is not None
        assert (found.status, f"asks for Node.js {needed} or newer" in found.found) == (status, status == "warn")


TRIED = [
    ("codex-cli 0.165.0", "codex-cli 0.165.0 (/bin/codex), tried with 0.171.0, its login is not checked"),
    ("codex-cli 0.171.0", "codex-cli 0.171.0 (/bin/codex), logged in"),
    ("codex-cli 0.171.01", "codex-cli 0.171.01 (/bin/codex), tried with 0.171.0, logged in"),
]


@pytest.mark.parametrize(("version", "said"), TRIED)
def test_another_version_than_the_one_that_was_tried_is_a_word_and_no_warning(world, version, said):
    assert machine.agent(world(ProgramResult(0, version)), "codex") == ("ok", said, "")


SETTINGS = [
    ("escape-time", ProgramResult(0, "500"), "warn"),
    ("escape-time", ProgramResult(0, "50"), "ok"),
    ("escape-time", ProgramResult(0, "0"), "ok"),
    ("set-clipboard", ProgramResult(0, "external"), "ok"),
    ("set-clipboard", ProgramResult(0, "on"), "ok"),
    ("set-clipboard", ProgramResult(0, "off"), "warn"),
    ("allow-passthrough", ProgramResult(0, "off"), "warn"),
    ("allow-passthrough", ProgramResult(0, "on"), "ok"),
    ("allow-passthrough", ProgramResult(0, "all"), "ok"),
    ("allow-passthrough", ProgramResult(1, "invalid option: allow-passthrough"), "ok"),
    ("default-terminal", ProgramResult(0, "tmux-256color"), "ok"),
    ("default-terminal", ProgramResult(0, "screen-256color"), "ok"),
    ("default-terminal", ProgramResult(0, "screen"), "warn"),
    ("default-terminal", ProgramResult(None, "no answer within 5 s"), "warn"),
]


@pytest.mark.parametrize(("name", "answer", "status"), SETTINGS)
def test_settings_of_tmux(world, name, answer, status):
    found = machine.tmux_setting(world(answer, TMUX="/tmp/x,1,0"), name)
    assert found is not None
    assert found.status == status
    assert machine.tmux_setting(world(answer), name) is None


FILES = [
    (1024, 1024, "warn"),
    (1024, 4096, "ok"),
    (1024, RLIM_INFINITY, "ok"),
    (16, 16, "warn"),
]


@pytest.mark.parametrize(("soft", "hard", "status"), FILES)
def test_open_files(soft, hard, status):
    assert machine.judge_open_files(soft, hard).status == status


@pytest.mark.parametrize(("used", "most", "status"), [(0, 4096, "ok"), (3685, 4096, "ok"), (3687, 4096, "warn")])
def test_terminals(used, most, status):
    assert machine.judge_terminals(used, most).status == status


def test_no_terminal_at_all_fails(world, monkeypatch):
    def none():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "openpty", none)
    assert machine.terminals(world()).status == "fail"


@pytest.mark.parametrize(("ceiling", "status"), [(819_200, "ok"), (8192, "ok"), (4096, "warn"), (0, "warn")])
def test_marks(ceiling, status):
    assert machine.judge_run_marks(ceiling).status == status


@pytest.mark.parametrize(
    ("place", "said"), [("/home/a/.overmind-run", "leased in /home/a/.overmind-run"), ("", "runs get no mark: ")]
)
def test_a_folder_for_marks_that_somebody_else_has_taken_is_named(place, said):
    found = machine.judge_run_marks(819_200, "/tmp/overmind-7 belongs to user 8, not to user 7", place)
    assert found.status == "warn"
    assert "/tmp/overmind-7 belongs to user 8" in found.found
    assert said in found.found


def test_elsewhere_than_on_linux_less_is_found(world):
    mac = world(platform="darwin")
    assert machine.subreaper(mac).status == "warn"
    assert machine.run_marks(mac).status == "warn"
    assert machine.children(mac) is None


LINGER = [
    (ProgramResult(0, "yes"), "ok"),
    (ProgramResult(0, "no"), "warn"),
    (ProgramResult(1, "User ID 0 is not logged in or lingering"), "warn"),
    (ProgramResult(None, "no answer within 5 s"), "warn"),
]


@pytest.mark.parametrize(("answer", "status"), LINGER)
def test_linger(world, tmp_path, absent, answer, status):
    found = machine.linger(world(answer), str(tmp_path))
    assert found is not None
    assert found.status == status
    assert machine.linger(world(answer), absent) is None


def test_a_network_file_system_fails(world, monkeypatch):
    monkeypatch.setattr(home, "file_system", lambda _: "nfs4")
    assert home.file_system_kind(world()).status == "fail"


DISKS = [
    (10**12, 10**6, "ok"),
    (10**9 - 1, 10**6, "warn"),
    (10**6, 10**6, "fail"),
    (10**12, 0, "fail"),
]


@pytest.mark.parametrize(("free", "inodes", "status"), DISKS)
def test_free_space(world, monkeypatch, free, inodes, status):
    disk_found = os.statvfs_result((1, 1, 10**13, free, free, 10**7, inodes, inodes, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: disk_found)
    assert home.free_space(world()).status == status


LOGS = [
    # the limit, bytes of the disk, the status, how it is mended
    ("1MB", 10**13, "ok", ""),
    ("100kB", 10**13, "warn", "run overmind prune, or raise [logs] total"),
    ("110kB", 10**13, "warn", "run overmind prune, or raise [logs] total"),
    ("120kB", 10**13, "ok", ""),
    ("1MB", 10**6, "warn", "run overmind prune"),
    ("1MB", 2 * 10**6, "ok", ""),
]


@pytest.mark.parametrize(("total", "disk", "status", "mend"), LOGS)
def test_the_logs_beside_their_limit(world, tmp_path, monkeypatch, total, disk, status, mend):
    (tmp_path / "config.toml").write_text(f'[logs]\ntotal = "{total}"\n')
    (tmp_path / "logs" / "a1b2c3d4").mkdir(parents=True)
    (tmp_path / "logs" / "a1b2c3d4" / "out").write_bytes(bytes(100_000))
    found_disk = os.statvfs_result((1, 1, disk, disk, disk, 10**7, 10**6, 10**6, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: found_disk)
    found = home.logs(world())
    assert (found.status, found.mend) == (status, mend)
    assert ("a tenth of the disk" in found.found) is (disk < 10**13)


def test_a_broken_configuration_leaves_the_defaults(world, tmp_path):
    (tmp_path / "config.toml").write_text("[logs")
    assert home.config(world()).status == "fail"
    assert home.settings(world()).log_total == 10**10


def test_a_check_that_never_comes_back_is_left_behind(world):
    never = threading.Event()

    def wait(_world):
        never.wait()

    checks = (Check("slow", wait), Check("fast", lambda _: ok("here")))
    found = {check.name: finding.status for check, finding in run_checks(world(), checks, limit=0.3)}
    never.set()
    assert found == {"slow": "fail", "fast": "ok"}


def test_a_check_that_may_not_look_fails_and_the_others_go_on(world):
    def look(_world):
        raise PermissionError(13, "Permission denied", "/root/x")

    found = run_checks(
        world(), (Check("closed", look), Check("nothing", lambda _: None), Check("fine", lambda _: ok("y")))
    )
    assert [(check.name, finding.status) for check, finding in found] == [("closed", "fail"), ("fine", "ok")]
    assert found[0][1].found == "/root/x: Permission denied"
