"""Pictures of what begins work and of what is known about it: the form, the description, changes, the definition."""

from __future__ import annotations

import random

import pytest

from overmind_core.errors import OvermindError
from overmind_tui.changes import page
from overmind_tui.changes.page import ChangesPage
from overmind_tui.missions import actions_look, new_mission
from overmind_tui.missions.form import FormScreen
from overmind_tui.missions.task_line import TaskLine
from overmind_tui.pages.text import TextPage
from overmind_tui.shell import world
from tests.kit.pictures import SIZES
from tests.tui.conftest import until
from tests.tui.test_pictures import INFO, ROWS, Still, settle

FORM_SIZES = {**SIZES, "40x12": (40, 12), "200x60": (200, 60)}
AGENT = {
    **INFO, "name": "review", "provider": "claude", "type": "session", "status": "running", "activity": "waiting",
    "need": "permission", "activity_since": "2025-12-31T23:58:00.000Z", "now": "Bash: rm -rf build [red]",
    "started_at": "2025-12-31T21:00:00.000Z", "model": "opus", "mode": "interactive", "cost_usd": 1.25,
    "tokens": {"input": 120_400, "output": 9_800}, "session_id": "6a1f0c1e-1111-4222-8333-444455556666",
    "attached": 1, "max_cost_usd": 20.0, "tree_cost_usd": 3.4, "tty": True, "columns": 120, "rows": 40,
    "labels": {"team": "web", "ticket": "42"}, "children": ["00000003"], "command": "review the last change",
    "restart_policy": "on_failure", "max_restarts": 5, "max_seconds": 60.0, "backoff_ms": 1000.0, "restart_count": 1,
    "grace_seconds": 10.0, "activity_timeout_seconds": 600.0, "survivors": ["4711 sleep"],
}  # fmt: skip
_OF_ROW = ("name", "provider", "type", "activity", "need", "activity_since", "started_at", "now", "cost_usd")
ASKING = [ROWS[0], {**ROWS[1], **{key: AGENT[key] for key in _OF_ROW}}, *ROWS[2:]]
"""The missions among which that agent asks."""
TERMS = {
    "env": {"TOKEN": "secret"},
    "agent": {"model": "opus", "permission_mode": "plan", "allow": ["Bash(git status)", "Read"], "deny": ["Bash(rm *)"],
              "allowed_tools": [], "disallowed_tools": ["WebFetch"], "mcp_config": [], "max_turns": 40,
              "orchestrator": False, "prompt": None},
}  # fmt: skip
TASK = {
    **INFO, "started_at": "2025-12-31T23:50:00.000Z", "restart_policy": "always", "max_restarts": 0,
    "backoff_ms": 250.0, "max_seconds": 60.0, "grace_seconds": 10.0, "now": "GET /users/7 [red]200[/red]",
    "command": "make serve &&\necho done", "last_activity_at": "2025-12-31T23:59:58.000Z", "tty": True, "columns": 80,
    "rows": 24, "exit_code": None,
    "runs": [{**run, "output_bytes": 1234 * run["number"]} for run in INFO["runs"]],
}  # fmt: skip
STATUS = " M api/server.py\0 D old.py\0R  docs/new name.md\0docs/old.md\0?? notes [b].txt\0"
DIFF = """diff --git a/api/server.py b/api/server.py
index 1c99002..e7813a1 100644
--- a/api/server.py
+++ b/api/server.py
@@ -4,5 +4,6 @@ def serve():
 \thost = "localhost"
-\tport = 80
+\tport = 8080  # [red]not[/red] as root \x1b[31m
+\tlog("serving")
 \treturn run(host, port)
diff --git a/old.py b/old.py
deleted file mode 100644
--- a/old.py
+++ /dev/null
@@ -1,2 +0,0 @@
-import this
-print("漢字 🐝")
"""
TOML = '''# Mission 00000002 (api), a task. An omitted line means the default.

name = "api"

# A string is a shell command; a list is a program with its arguments, run without a shell.
command = """
make serve [red] &&
echo "done" """

# Working directory.
cwd = "/srv/work"
# max_children = 10

# Labels to select it by: ps --label key=value
[labels]
"a b" = "c"
'''


class Here(Still):
    """The program that knows one mission well, and to which one request is refused."""

    def __init__(self, info=TASK, refusal=None):
        super().__init__(ASKING if info is AGENT else ROWS)
        self._info = info
        self._refusal = refusal

    def request(self, command, _requests, on_result):
        terms = TERMS if self._info is AGENT else {"env": {}}
        no = OvermindError("unknown_command")
        answers = {"info": self._info, "definition": {"definition": terms}, "changes": no}
        on_result([self._refusal if command == "run" else answers[command]])


@pytest.fixture(autouse=True)
def the_same_each_time(monkeypatch):
    monkeypatch.setattr(world, "installed_agents", lambda _environ: {"claude": True, "codex": False})
    monkeypatch.setattr(new_mission, "_random", random.Random(7))


async def form(app, pilot, *keys):
    await settle(pilot)
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, TaskLine), what="the line")
    await pilot.press("tab")
    await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form")
    await pilot.press(*keys)
    await settle(pilot)


PROMPT = [*"fix", "space", *"the", "space", *"tests,", "ctrl+j", *"then", "space", *"say", "space", *"why"]
FORMS = {
    "form": [],
    "form_prompt": PROMPT,
    "form_more": [*PROMPT, "tab", "tab", "tab", "right", *["tab"] * 6, *"Bash(ls)", "ctrl+j", *"Read"],
    "form_missing": ["up", "left"],
    "form_command": ["up", "right", "right", "down", *"make"],
}


@pytest.mark.parametrize("size", FORM_SIZES)
@pytest.mark.parametrize("view", FORMS)
def test_form(pictured, view, size):
    app = Here()
    assert pictured(app, size, lambda pilot: form(app, pilot, *FORMS[view]), sizes=FORM_SIZES)


@pytest.mark.parametrize("size", FORM_SIZES)
def test_form_refused(pictured, size):
    app = Here(refusal=OvermindError("cwd_not_found", "The working directory /srv/[red]work does not exist."))
    assert pictured(app, size, lambda pilot: form(app, pilot, *PROMPT, "enter"), sizes=FORM_SIZES)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("who", ["task", "agent"])
def test_describe(pictured, who, size):
    async def press(pilot):
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)

    app = Here({"task": TASK, "agent": AGENT}[who])
    assert pictured(app, size, press)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["changes", "changes_searched", "changes_nothing", "changes_no_git"])
def test_changes(pictured, monkeypatch, view, size):
    def found(_folder, _environ, *, since):
        del since
        if view == "changes_no_git":
            raise page.GitFailed("/srv/work is not in a git repository")
        nothing = view == "changes_nothing"
        return page.Changes("main", ("9782df6 two [b]things[/b]",), "" if nothing else STATUS, "" if nothing else DIFF,
                           "" if nothing else "more than 2 MB")  # fmt: skip

    monkeypatch.setattr(page, "git_changes", found)

    async def press(pilot):
        await settle(pilot)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ChangesPage) and "git diff …" not in app.screen.shown_text(),
                    what="git's answer")  # fmt: skip
        if view == "changes_searched":
            await pilot.press("slash", *"port", "enter", "n", "n")
        await settle(pilot)

    app = Here()
    assert pictured(app, size, press)


@pytest.mark.parametrize("size", SIZES)
def test_definition(pictured, size):
    async def show(pilot):
        await settle(pilot)
        lines = actions_look.toml_lines(TOML)
        app.open(TextPage("toml", "definition · api", lambda: lines))
        await settle(pilot)

    app = Here()
    assert pictured(app, size, show)
