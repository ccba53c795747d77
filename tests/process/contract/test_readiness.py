"""Agents of a plan that others wait for until they are ready, and what they hand on."""

from __future__ import annotations

import re
import socket

import pytest

from tests.kit.blueprints import applied, ended, stages

pytestmark = pytest.mark.shared_home

SERVER = "exec python3 -m http.server --bind 127.0.0.1 {port}"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def port():
    return free_port()


def test_whoever_waits_for_services_starts_when_all_are_ready(om, tmp_path, port):
    page = free_port()
    plan = applied(om, tmp_path, f"""
        [vars]
        made = "it is there"
        [agents]
        web = {{ command = "{SERVER.format(port=port)}", restart = "always", ready = {{ tcp = {port} }} }}
        log = {{ command = "echo on port 1; sleep 60", restart = "always", ready = {{ log = "port [0-9]+$" }} }}
        idle = {{ command = "sleep 60", restart = "always", ready = {{ idle = "100ms" }} }}
        [agents.page]
        command = "({SERVER.format(port=page)}) & wait"
        restart = "always"
        ready = {{ http = "http://localhost:{page}/" }}
        [agents.file]
        command = "touch 'it is there'; sleep 60"
        restart = "always"
        ready = {{ exec = "test -e ${{vars.made}} && test $OVERMIND_MISSION_NAME = plan/file" }}
        [agents.out]
        command = "overmind output version=1.2 && echo from stdin | overmind output log=-"
        depends_on = [{", ".join(f'{{ agent = "{name}", until = "ready" }}' for name in SERVICES)}]
        outputs = ["version", "log"]
        [agents.last]
        command = "echo got ${{agents.out.version}}, ${{agents.out.log}}"
    """)  # fmt: skip
    found = ended(om, plan)
    assert set(stages(found).values()) == {"succeeded"}, om.logs("plan")
    assert om.logs("last") == "got 1.2, from stdin\n"
    assert om.logs(plan).count(": ready after") == len(SERVICES)


SERVICES = ("web", "page", "log", "idle", "file")


def test_an_agent_that_is_not_ready_in_time_has_failed_and_ends(om, tmp_path, port):
    plan = applied(om, tmp_path, f"""
        [agents.web]
        command = "sleep 60"
        restart = "always"
        ready = {{ tcp = {port}, timeout = "200ms" }}
        [agents.after]
        command = "true"
        depends_on = [{{ agent = "web", until = "ready" }}]
    """)  # fmt: skip
    assert stages(ended(om, plan)) == {"web": "failed", "after": "skipped"}
    assert f"not ready: after 0.2 s nothing listens on localhost:{port} (Connection refused)" in om.logs("web")


def test_what_ended_each_time_before_it_was_ready_says_how_and_what_it_wrote_last(om, tmp_path, port):
    plan = applied(om, tmp_path, f"""
        [agents.db]
        command = "echo starts; echo no folder >&2; exit 3"
        restart = "always"
        ready = {{ tcp = {port}, timeout = "500ms" }}
        [agents.after]
        command = "true"
        depends_on = [{{ agent = "db", until = "ready" }}]
    """)  # fmt: skip
    assert stages(ended(om, plan)) == {"db": "failed", "after": "skipped"}
    why = r"its command exited with 3(, \d+ times)?: no folder; see: overmind logs plan/db\) after "
    assert re.search(rf"--- db: failed \(not ready: .*{why}", om.logs(plan))


def test_a_stranger_on_the_port_is_not_the_agent(om, tmp_path):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        plan = applied(om, tmp_path, f"""
            [agents.db]
            command = "sleep 60"
            restart = "always"
            ready = {{ tcp = {port}, timeout = "1s" }}
            [agents.after]
            command = "true"
            depends_on = [{{ agent = "db", until = "ready" }}]
        """)  # fmt: skip
        assert stages(ended(om, plan)) == {"db": "failed", "after": "skipped"}
    assert f"not ready: after 1 s localhost:{port} is held by " in om.logs("db")
    assert f"--- db: failed (not ready: after 1 s localhost:{port} is held by " in om.logs(plan)


QUICK = """
    [blueprint]
    on_failure = "continue"
    [agents]
    never = { command = "sleep 0.1", ready = { log = "^listening$" } }
    mute = { command = "true", ready = { tcp = 1 } }
    said = { command = "echo listening", ready = { log = "^listening$" } }
    made = { command = "touch made", ready = { exec = "test -e made" } }
    after_never = { command = "true", depends_on = [{ agent = "never", until = "ready" }] }
    after_said = { command = "true", depends_on = [{ agent = "said", until = "ready" }] }
    after_made = { command = "true", depends_on = [{ agent = "made", until = "ready" }] }
    after_again = { command = "true", depends_on = [{ agent = "again", until = "ready" }] }
    [agents.again]
    command = "test -e twice && echo listening; touch twice"
    ready = { log = "^listening$" }
    retries = 1
    backoff = 1
"""


def test_an_agent_that_ends_before_it_was_ready_has_failed_and_one_that_was_faster_than_its_probe_has_not(om, tmp_path):
    plan = applied(om, tmp_path, QUICK)
    found = ended(om, plan)
    failed = {name for name, stage in stages(found).items() if stage != "succeeded"}
    assert failed == {"never", "mute", "after_never"}, om.logs(plan)
    assert om("wait", plan).returncode == 1
    reasons = {agent["name"]: agent["reason"] for agent in found["agents"]}
    assert (reasons["never"], reasons["mute"]) == ("not_ready", "not_ready")
    assert "--- never: failed (it ended before it was ready) after " in om.logs(plan)
