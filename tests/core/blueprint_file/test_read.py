"""What a blueprint means: the plan that comes of it, and the requests that its agents are started with."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.blueprint_file.keys import AGENT, SPECIAL
from overmind_core.cli.definitions.run import RUN
from overmind_core.cli.init import example
from overmind_core.cli.swarm.run_on import SWARM_OPTIONS
from overmind_core.domain.plans.blueprint import Dependency, OnFailure, PlanMerge, Probe, ProbeKind, Until, When
from overmind_core.domain.plans.references import bind_text
from overmind_core.missions import requests
from tests.kit.blueprint_texts import FOLDER, blueprint, problems, reading, start
from tests.kit.cases import tabled

RAW = 'command = "x"\n'
CLAUDE = f'{RAW}provider = "claude"\n'
OPTIONS = {
    "a shell command": ('command = "make | tee log"', {"command": "make | tee log"}),
    "words": ('command = ["make", "all"]', {"command": ["make", "all"]}),
    "a shell": ('type = "session"', {"command": "", "type": "session"}),
    "a folder": (f'{RAW}cwd = "src"', {"cwd": "/project/src"}),
    "this folder": (f'{RAW}cwd = "."', {"cwd": "/project"}),
    "no folder": (RAW, {"cwd": "/project"}),
    "a folder that a variable names": (f'{RAW}cwd = "${{env.HERE}}"', {"cwd": "/project/src"}),
    "variables": (f'{RAW}env = {{ A = "1", B = "two words" }}', {"env_set": {"A": "1", "B": "two words"}}),
    "variables from a file, and over them others": (
        f'{RAW}env_file = "dev.env"\nenv.B = "3"',
        {"env_set": {"A": "$${vars.x} and $${X}", "B": "3"}},
    ),
    "labels": (f'{RAW}labels = {{ stage = "first" }}', {"labels": {"stage": "first"}}),
    "a restart policy": (
        f'{RAW}restart = "on-failure"\nmax_restarts = 0\nmax_seconds = "2m"\nbackoff = 500',
        {"restart": "on-failure", "max_restarts": 0, "max_seconds": "2m", "backoff": 500},
    ),
    "limits": (
        f'{RAW}timeout = "90s"\nactivity_timeout = 30\ngrace = 2.5\nstop_signal = "INT"',
        {"timeout": "90s", "activity_timeout": 30, "grace": 2.5, "stop_signal": "INT"},
    ),
    "a limit from a variable": (f'{RAW}timeout = "${{env.LIMIT}}s"', {"timeout": "90s"}),
    "a terminal": (f'{RAW}size = "120x40"\ninteractive = true', {"columns": 120, "rows": 40, "interactive": True}),
    "pipes": (f"{RAW}no_tty = true", {"tty": False}),
    "limits of a tree": (
        f'{RAW}max_children = 3\nmax_depth = 1\nmax_cost = 2\nmax_tokens = "5k"\nstall_waiting = true',
        {"max_children": 3, "max_depth": 1, "max_cost": 2.0, "max_tokens": 5000, "stall_waiting": True},
    ),
    "no notes": (f'{RAW}notes = "off"', {"notes": "off"}),
    "what is its own": (f"{RAW}isolate = true", {"isolate": True}),
    "what it leaves": (f"{RAW}leave_background = true", {"leave_background": True}),
    "a prompt": (CLAUDE, {"command": "", "provider": "claude", "agent": {"prompt": "x"}}),
    "a prompt of several words": ('provider = "claude"\ncommand = ["fix", "it"]', {"agent": {"prompt": "fix it"}}),
    "an agent that waits": ('provider = "claude"\ntype = "session"', {"command": "", "agent": {}}),
    "an agent on its own screen": (
        'provider = "claude"\ninteractive = true',
        {"command": "", "agent": {}, "type": "session", "interactive": True},
    ),
    "an agent's options": (
        (
            f'{CLAUDE}model = "haiku"\nallowed_tools = "Read"\ndisallowed_tools = ["Bash", "Web"]\n'
            'permission_mode = "plan"\nallow = ["Bash(git status)"]\ndeny = "Write"\nmax_turns = 3\n'
            'system_prompt = "s"\nappend_system_prompt = "a"\nagent_arg = ["--fast"]'
        ),
        {
            "agent": {
                "prompt": "x",
                "model": "haiku",
                "allowed_tools": ["Read"],
                "disallowed_tools": ["Bash", "Web"],
                "permission_mode": "plan",
                "allow": ["Bash(git status)"],
                "deny": ["Write"],
                "max_turns": 3,
                "system_prompt": "s",
                "append_system_prompt": "a",
                "arguments": ["--fast"],
            }
        },
    ),
    "an agent of one's own": (f'{RAW}provider = "acp:mine"', {"provider": "acp:mine", "agent": {"prompt": "x"}}),
    "an agent's servers": (
        f"{CLAUDE}mcp_config = ['mcp.json', '/etc/mcp.json', '{{\"mcpServers\": {{}}}}']",
        {"agent": {"prompt": "x", "mcp_config": ["/project/mcp.json", "/etc/mcp.json", '{"mcpServers": {}}']}},
    ),
    "an orchestrator": (
        f"{RAW}orchestrator = true",
        {"provider": "claude", "agent": {"prompt": "x", "orchestrator": True}},
    ),
}
WORLD = {
    "environ": {"HERE": "src", "LIMIT": "90"},
    "files": {f"{FOLDER}/dev.env": {"A": "${vars.x} and ${X}", "B": "2"}},
}


@tabled(("text", "expected"), OPTIONS.values(), ids=OPTIONS)
def test_an_option_fills_the_field_of_the_request(text, expected):
    found = start(text, **WORLD)

    assert {name: found[name] for name in expected} == expected
    assert msgspec.convert(found, requests.Start).cwd == found["cwd"]


def test_every_option_of_run_is_a_key():
    said_otherwise = {
        "--name": "the agent's",
        "--parent": "the plan",
        "--wait": "of the client",
        "--tty": "of the client",
        "--detach": "of the client",
        "--rm": "of the client",
        "--json": "of the client",
        "--output": "of the client",
        "--dirty": "of the client",
        "--no-isolate": "isolate = false",
        "--base": "the project's",
        "--memory": 'notes = "auto"',
        "--no-memory": 'notes = "off"',
        **{name: "of the swarm, which takes single runs" for one in SWARM_OPTIONS for name in one.names},
    }
    rest = [option for option in RUN.options if not said_otherwise.keys() & set(option.names)]
    keys = {option.attribute.replace("label", "labels") for option in rest}

    assert keys <= set(AGENT)
    assert set(SPECIAL) - {"command"} <= keys


PLAN = """
[blueprint]
name = "nightly"
max_parallel = 2
on_failure = "cancel"
timeout = "2h"

[vars]
base = "main"
port = 5432
url = "tcp://${env.HOME}:${vars.port}"
fast = true

[agents.db]
command = "postgres"
restart = "always"
ready = { tcp = "${vars.port}", timeout = "30s" }

[agents.test]
command = "pytest ${agents.facts.seed} ${agents.facts.result} ${vars.base} ${HOME} $${X:-y}"
depends_on = [{ agent = "db", until = "ready" }]
retries = 2

[agents.facts]
command = ["gather"]
outputs = ["seed"]
clean_env = true

[agents.clean]
command = "rm -r tmp"
depends_on = ["test"]
when = "always"
"""


def test_a_plan_is_what_the_file_says():
    found = blueprint(PLAN, variables={"base": "develop"})
    db, test, facts, clean = found.agents

    assert (found.name, found.max_parallel, found.on_failure, found.timeout) == ("nightly", 2, OnFailure.CANCEL, 7200.0)
    assert found.variables == {"base": "develop", "port": "5432", "url": "tcp:///home/ada:5432", "fast": "true"}
    assert db.ready == Probe(ProbeKind.TCP, "5432", 30.0)
    assert db.stays
    assert test.depends_on == (Dependency("db", Until.READY), Dependency("facts"))
    assert (test.retries, test.when) == (2, When.SUCCESS)
    assert test.start["command"].endswith("${HOME} $${X:-y}")
    assert (facts.outputs, facts.clean_env, facts.depends_on) == (("seed",), True, ())
    assert (clean.when, clean.depends_on) == (When.ALWAYS, (Dependency("test"),))


LAND = """
[vars]
base = "main"
[agents.api]
command = "x"
isolate = true
[agents.ui]
command = "x"
isolate = true
[agents.land]
merge = ["ui", "api"]
into = "${vars.base}"
verify = "make $${vars.x} ${TARGET}"
squash = true
depends_on = [{ agent = "api", until = "finished" }]
retries = 1
[agents.one]
merge = "api"
"""


def test_a_merge_waits_for_those_that_land_and_runs_no_command():
    api, _, land, one = blueprint(LAND).agents

    assert api.isolated
    assert not land.isolated
    assert land.merge == PlanMerge(("ui", "api"), "main", "make ${vars.x} ${TARGET}", squash=True)
    assert land.depends_on == (Dependency("api", Until.FINISHED), Dependency("ui"))
    assert (land.start["command"], land.retries) == ("", 1)
    assert one.merge == PlanMerge(("api",))


READY = {
    "tcp = 80": Probe(ProbeKind.TCP, "80"),
    'tcp = "localhost:80"': Probe(ProbeKind.TCP, "localhost:80"),
    'tcp = "[::1]:80"': Probe(ProbeKind.TCP, "[::1]:80"),
    'http = "http://localhost:80/health?x=1"': Probe(ProbeKind.HTTP, "http://localhost:80/health?x=1"),
    "log = 'port \\d+'": Probe(ProbeKind.LOG, "port \\d+"),
    'exec = "test -e ${env.HOME}"': Probe(ProbeKind.EXEC, "test -e ${env.HOME}"),
    'idle = "1.5s"': Probe(ProbeKind.IDLE, "1.500"),
    "idle = 2, timeout = 5000": Probe(ProbeKind.IDLE, "2.000", 5.0),
}


@tabled(("text", "expected"), READY.items())
def test_readiness_is_seen_in_one_of_five_ways(text, expected):
    assert blueprint(f"[agents.a]\n{RAW}ready = {{ {text} }}").agents[0].ready == expected


def test_a_dependency_that_is_said_stays_what_it_is_when_a_reference_implies_it_too():
    text = '[agents.a]\ncommand = "x"\noutputs = ["port"]\n[agents.b]\ncommand = "x ${agents.a.port}"\ndepends_on = '

    assert blueprint(f'{text}[{{ agent = "a", until = "ready" }}]').agents[1].depends_on == (
        Dependency("a", Until.READY),
    )
    assert blueprint(f"{text}[]").agents[1].depends_on == (Dependency("a"),)


def test_an_agent_may_have_a_dot_in_its_name():
    text = '[agents."v1.2"]\ncommand = "x"\n[agents.b]\ncommand = "x ${agents.v1.2.result}"\n'

    assert blueprint(text).agents[1].depends_on == (Dependency("v1.2"),)


def test_a_folder_with_a_reference_in_its_name_means_itself():
    text = 'cwd = "${agents.b.result}/src"\ncommand = "x"\n[agents.b]\ncommand = "x"\n'

    assert start(text)["cwd"] == "${agents.b.result}/src"


@given(st.text(st.sampled_from("${vars.xenHOME}$")))
def test_the_value_of_a_file_arrives_as_it_is(value):
    found = start(f'{RAW}env_file = "x"', files={f"{FOLDER}/x": {"A": value}})

    assert bind_text(found["env_set"]["A"], {}) == value


def test_a_limit_of_few_milliseconds_is_pointed_out():
    found = reading(f"[agents.a]\n{RAW}timeout = 30\nready = {{ tcp = 1, timeout = 5 }}\nbackoff = 10\n")

    assert [(one.line, one.column, one.message) for one in found.warnings] == [
        (3, 11, 'timeout: 30 means 30 milliseconds; for seconds write "30s"'),
        (4, 30, 'timeout: 5 means 5 milliseconds; for seconds write "5s"'),
    ]


def test_a_thousand_agents_in_a_row_are_read():
    text = "".join(
        f'[agents.a{number}]\ncommand = "x"\ndepends_on = {[f"a{number - 1}"] if number else []}\n'
        for number in range(1000)
    )

    assert len(blueprint(text).agents) == 1000


TOKENS = st.sampled_from(
    [
        "[agents.a]\n",
        "[agents.b]\n",
        "[vars]\n",
        "[",
        "]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        " ",
        '"',
        "'",
        '"""',
        "\\",
        "#",
        "command",
        "depends_on",
        "ready",
        "cwd",
        "a",
        "b",
        "1",
        "true",
        "${",
        "${agents.a.result}",
        "${vars.x}",
        "$${",
        "inf",
        "[[agents.a.x]]\n",
        'command = "x"\n',
        'depends_on = ["a"]\n',
    ]
)


@given(st.lists(TOKENS, max_size=25).map("".join))
def test_whatever_stands_in_a_file_it_is_read_or_refused(text):
    lines = text.split("\n")
    for line, column, message in problems(text):
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
        assert message


CUT = st.integers(0, len(example()))


@given(CUT, CUT, st.sampled_from(["", "x", '"', "[", "\n", "=", "${vars.", "'"]))
def test_a_part_cut_out_of_a_good_file_is_noticed_or_harmless(start_at, end_at, instead):
    text = example().decode()
    problems(text[:start_at] + instead + text[end_at:])
