"""Pictures of worktrees, of what changed in them, and of landing them, in 80x24 and 120x40."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from overmind_core.errors import OvermindError
from overmind_tui.landing import dialog as landing_dialog
from overmind_tui.pages import dialog
from tests.kit.pictures import SIZES
from tests.tui.conftest import until
from tests.tui.test_pictures import Still, agent, mission, settle
from tests.tui.test_pictures_tables import typed


def isolation(name, branch, port, **more) -> Any:
    return {"worktree": f"/srv/work/.overmind/worktrees/{name}", "branch": branch, "base": "main",
            "ports": {"": port, "web": port + 1}, "containers": {"db": f"overmind-{name}-db"}, "services": {},
            "step": None, **more}  # fmt: skip


FLEET = [
    agent(1, "api", "idle", "Ports are read from the environment now.", 0.42, tty=True, unseen=True,
          isolation=isolation("00000001", "overmind/api", 3100), cwd="/srv/work/.overmind/worktrees/00000001"),
    agent(2, "web", "working", "⚙ Edit: app.py", 0.2,
          isolation=isolation("00000002", "overmind/web", 3102), cwd="/srv/work/.overmind/worktrees/00000002"),
    mission(3, "docs", "preparing", now="pulling postgres:16  40 %",
            isolation=isolation("00000003", "overmind/docs", 3104, step="pulling postgres:16  40 %")),
    mission(4, "[red]fix[/]", "stopped", exit_code=0, isolation=isolation("00000004", "overmind/red-fix", 3106)),
    mission(5, "lint", "running", now="0 problems"),
]  # fmt: skip


def worktree(at, name, status, **more) -> Any:
    return {
        "mission": f"{at:08x}", "name": name, "status": status, "source": "/srv/work",
        "path": f"/srv/work/.overmind/worktrees/{at:08x}", "branch": f"overmind/{name}", "base": "main", "ahead": 0,
        "behind": 0, "files": 0, "insertions": 0, "deletions": 0, "dirty": False, "merged": False, "ports": {},
        "containers": {}, "size_bytes": None, "problem": None, **more,
    }  # fmt: skip


WORKTREES = [
    worktree(
        1,
        "api",
        "running",
        ahead=3,
        files=5,
        insertions=48,
        deletions=7,
        ports={"": 3100, "web": 3101},
        containers={"db": "running"},
        size_bytes=14_200_000,
    ),
    worktree(
        2,
        "web",
        "running",
        ahead=1,
        behind=2,
        files=2,
        insertions=31,
        deletions=4,
        dirty=True,
        ports={"": 3102},
        containers={"db": "running"},
        size_bytes=13_900_000,
    ),
    worktree(3, "docs", "preparing", merged=True, ports={"": 3104}, size_bytes=12_100_000),
    worktree(
        4,
        "[red]fix[/]",
        "stopped",
        branch="overmind/red-fix",
        ahead=2,
        merged=True,
        files=1,
        insertions=2,
        deletions=2,
        containers={"db": "exited"},
        size_bytes=210_000_000,
    ),
    worktree(6, "日本-site", None, ahead=1, files=1, insertions=9, size_bytes=900_000),
    worktree(7, "gone", None, problem="The folder is not there any more."),
]
DIFF = """diff --git a/app.py b/app.py
index 1f0c2d4..8a9be01 100644
--- a/app.py
+++ b/app.py
@@ -1,10 +1,13 @@ import http.server
 import http.server
+import os
 import sys
 
-PORT = 8000
+PORT = int(os.environ.get("PORT", "8000"))
 
 
 def main() -> int:
-    server = http.server.HTTPServer(("", 8000), Handler)
+    address = ("127.0.0.1", PORT)
+    server = http.server.HTTPServer(address, Handler)
     server.serve_forever()
     return 0
 
@@ -40,3 +43,4 @@ class Handler(http.server.BaseHTTPRequestHandler):
     def do_GET(self) -> None:
 \tself.send_response(200)
+        self.send_header("X-Note", "[red]not red[/] \x1b[2J grüße 日本")
\\ No newline at end of file
diff --git a/config/old.toml b/config/settings.toml
similarity index 90%
rename from config/old.toml
rename to config/settings.toml
--- a/config/old.toml
+++ b/config/settings.toml
@@ -2,3 +2,3 @@
 [server]
-port = 8000
+port = "$PORT"
 host = "127.0.0.1"
diff --git a/logo.png b/logo.png
new file mode 100644
index 0000000..2d3f1aa
Binary files /dev/null and b/logo.png differ
diff --git a/tests/test_app.py b/tests/test_app.py
new file mode 100755
index 0000000..9b0d1aa
--- /dev/null
+++ b/tests/test_app.py
@@ -0,0 +1,4 @@
+from app import PORT
+
+def test_port():
+    assert PORT == 3100
diff --git a/legacy.py b/legacy.py
deleted file mode 100644
index 9b0d1aa..0000000
--- a/legacy.py
+++ /dev/null
@@ -1,2 +0,0 @@
-import app
-app.main()
"""  # noqa: W293 - git's own


def changed(path, status, added=0, removed=0, **more) -> Any:
    return {"path": path, "old_path": None, "status": status, "added": added, "removed": removed, "binary": False,
            **more}  # fmt: skip


CHANGES: Any = {
    "mission": "00000001", "name": "api", "path": "/srv/work/.overmind/worktrees/00000001", "branch": "overmind/api",
    "base": "main", "merge_base": "4f1c2aa" + "0" * 33, "diff": DIFF, "cut": "",
    "commits": [
        {"hash": "9ab12cd3e" + "0" * 31, "subject": "Read the port from the environment"},
        {"hash": "17cd0f2aa" + "0" * 31, "subject": "Listen on this machine alone [red]x[/]"},
        {"hash": "8f3a1c900" + "0" * 31, "subject": "Settings have their name"},
    ],
    "files": [
        changed("app.py", "M", 5, 2), changed("config/settings.toml", "R", 1, 1, old_path="config/old.toml"),
        changed("legacy.py", "D", 0, 2), changed("logo.png", "A", binary=True), changed("tests/test_app.py", "?", 4),
    ],
}  # fmt: skip
PREVIEW: Any = {
    "ok": True, "merged": False, "preview": True, "target": "main", "before": "4f1c2aa", "after": None,
    "commits": CHANGES["commits"], "files": CHANGES["files"],
}  # fmt: skip
CONFLICTS = OvermindError(
    "conflicts",
    "2 files conflict with main; nothing was changed.",
    target="main",
    files=[
        {"path": "app.py", "missions": [{"id": "00000001", "name": "api"}, {"id": "00000002", "name": "web"}]},
        {"path": "config/日本.toml", "missions": [{"id": "00000001", "name": "api"}]},
    ],
)
UNMERGED = OvermindError(
    "unmerged",
    "There is unmerged work.",
    files=[changed("app.py", "M", 3), changed("notes.md", "?", 9)],
    commits=[{"hash": "8f3a1c900", "subject": "Settings have their name"}],
)
DIRTY = OvermindError("dirty", "1 file of web is not committed.", files=["app.py", "notes.md"])


class Isolated(Still):
    """The program with worktrees that stand still."""

    other_answer: ClassVar[Any] = {}
    answers: ClassVar[dict[str, Any]] = {
        "worktrees": {"worktrees": WORKTREES}, "changes": CHANGES, "push": {"remote": "origin", "branch": "b"},
    }  # fmt: skip

    def __init__(self, rows=FLEET, **how):
        super().__init__(rows, **how)
        self.merges: list[Any] = [PREVIEW]
        """What `merge` answers, each time the next; the last for ever."""
        self.items: list[Any] = []

    def _start(self):
        self.fleet.apply(self._rows, (), everything=True)
        self.coaching.end()
        self.main.rearrange()
        self.main.table.select("00000001")

    def remember(self, **values):
        self.remembered.put(**values)

    def request(self, command, requests, on_result):
        if command == "info":
            on_result([self.fleet.of(one["id"]) for one in requests])
        else:
            super().request(command, requests, on_result)

    def follow(self, command, request, each, on_result):
        del command
        if not request.get("preview"):
            for item in self.items:
                each(item)
        on_result(self.merges.pop(0) if len(self.merges) > 1 else self.merges[0])


class Refusing(Isolated):
    """The same, where nothing may be discarded."""

    answers: ClassVar[dict[str, Any]] = {**Isolated.answers, "discard": UNMERGED}


class Bare(Isolated):
    """The same without any worktree."""

    answers: ClassVar[dict[str, Any]] = {"worktrees": {"worktrees": []}}


@pytest.fixture(autouse=True)
def read_at_once(monkeypatch):
    """What is asked counts as read."""
    monkeypatch.setattr(dialog, "MOMENT", 0.0)
    monkeypatch.setattr(landing_dialog, "PAUSE", 0.01)


def press(*keys):
    async def pressed(pilot):
        await settle(pilot)
        await typed(pilot, *keys)
        await settle(pilot)

    return pressed


WT = (":wt", "enter")
VIEWS = {
    "worktrees": WT,
    "changes": ("v", "n"),
    "comments": ("v", "n", *"jjjjjjj", "#", *"why?", "escape", *"jjjjj", "#", *"and here", "escape"),
    "land": ("L",),
    "describe_isolated": ("d",),
    "missions_preparing": (),
}
ONCE = {
    "discard_asks": (*WT, "G", "ctrl+d"),
    "worktrees_help": (*WT, "question_mark"),
    "changes_help": ("v", "question_mark"),
    "changes_filtered": ("v", "/port", "enter"),
    "comment_box": ("v", "n", *"jjjjjjj", "#", *"take it from the settings"),
    "commit_box": (*WT, "C", *"Read the port"),
}


AFRESH = {"comments"}
"""Where it was scrolled to depends on the size."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    assert pictured(Isolated(), size, press(*VIEWS[view]), afresh=view in AFRESH)


@pytest.mark.parametrize("view", ONCE)
def test_once(snap_compare, view):
    assert snap_compare(Isolated(), terminal_size=SIZES["80x24"], run_before=press(*ONCE[view]))


@pytest.mark.parametrize("size", SIZES)
def test_conflicts(pictured, size):
    program = Isolated()
    program.merges = [CONFLICTS]
    assert pictured(program, size, press("L"))


def test_dirty(snap_compare):
    program = Isolated()
    program.merges = [DIRTY]
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press(*WT, "G", "k", "L"))


def test_check_failed(snap_compare):
    program = Isolated()
    program.items = [{"step": "merging"}, {"step": "verifying", "verify": "00000009"}]
    program.merges = [PREVIEW, OvermindError("verify_failed", "make test failed with 2; nothing was changed.",
                                             mission="00000009")]  # fmt: skip
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press("L", "enter"))


def test_another_way_to_land(snap_compare):
    async def pressed(pilot):
        await press("L", "right", "tab", "tab", *"make test")(pilot)
        await until(pilot, lambda: pilot.app.screen.state.stage == "ready", what="another look")
        await settle(pilot)

    assert snap_compare(Isolated(), terminal_size=SIZES["80x24"], run_before=pressed)


def test_lost_for_good(snap_compare):
    keys = (*WT, "G", "ctrl+d", "y")
    assert snap_compare(Refusing(), terminal_size=SIZES["80x24"], run_before=press(*keys))


def test_no_worktrees(snap_compare):
    assert snap_compare(Bare(), terminal_size=SIZES["80x24"], run_before=press(*WT))


def test_worktrees_wide_in_a_light_theme(snap_compare):
    assert snap_compare(Isolated(theme="light"), terminal_size=(200, 30), run_before=press(*WT))


@pytest.mark.parametrize("view", ["worktrees", "changes", "land"])
def test_ascii(snap_compare, view):
    program = Isolated()
    program.appearance.ascii_only = True
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press(*VIEWS[view]))


def test_without_colours(monkeypatch, snap_compare):
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(Isolated(), terminal_size=SIZES["80x24"], run_before=press(*VIEWS["changes"]))
