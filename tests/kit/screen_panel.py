"""Facts for the panel in the pictures of the screen, as the API answers them: logs, questions, changes, load."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from overmind_core.domain.text.moment import format_time
from overmind_core.logs.display import NOTE, Line
from overmind_core.logs.layout import OUT
from overmind_core.view.diff import DiffFiles, of_api
from overmind_core.view.summary import Sample
from tests.kit.screen_pictures import pictures

Row = dict[str, Any]
NOW = datetime(2026, 11, 28, 14, 35, tzinfo=UTC).timestamp()
ZONE = UTC
HOME = "/home/ada"
BESIDE = 160
"""Columns from which on the panel stands beside the list."""


def at(clock: str, seconds: float = 0.0) -> float:
    """The time of that day, in seconds since the epoch."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, 28, hour, minute, tzinfo=UTC).timestamp() + seconds


def ago(seconds: float) -> str:
    """The API's time so long before NOW."""
    return format_time(NOW - seconds)


def mission(name: str, **more: object) -> Row:
    """A row of `ps`."""
    return {
        "id": name, "name": name, "type": "session", "status": "running", "activity": "working", "outcome": None,
        "provider": "claude", "command": "claude", "parent": None, "cwd": f"{HOME}/shop", "run": 1, "restart_count": 0,
        "exit_code": None, "started_at": ago(720), "run_started_at": ago(720), "activity_since": ago(720),
        "ended_at": None, "reason": None, "now": None, "isolation": None, "cost_usd": None, "tokens": None, "tty": True,
        "cpu_percent": None, "memory_bytes": None, "output_bytes_per_second": None, "unseen": False, **more,
    }  # fmt: skip


def panel(name: str, size: tuple[int, int]) -> tuple[list[str], int]:
    """The lines of the panel in a picture without its title, and the panel's width in cells."""
    columns, height = size
    picture = pictures()[name, size]
    if columns >= BESIDE:
        return [line.partition("│")[2].rstrip() for line in picture if "│" in line][1:], columns - columns // 2 - 1
    begins = next(at for at, line in enumerate(picture) if line.startswith("── "))
    return list(picture[begins + 1 : height - 2]), columns


# logs


def _log(*said: tuple[str, str]) -> list[Line]:
    """Lines, each with its clock; "": the same as the line before."""
    found: list[Line] = []
    clock = ""
    for when, text in said:
        clock = when or clock
        found.append((at(clock), NOTE if text.startswith("[human] ") else OUT, text))
    return found


LOG = _log(
    ("14:19", ("[human] Make the search find names with umlauts: fold them in the index and in the question, and prove"
     " it with tests.")),
    ("", ("The index lowers names but keeps the marks, so 'müsli' is not found by 'musli'. I'll fold both sides with"
     " one function, used by the index and by the question, and begin with a failing test.")),
    ("14:21", "⚙ Read search/index.py → 184 lines"),
    ("", "⚙ Edit tests/test_search.py → +31"),
    ("14:22", "⚙ Bash: pytest -q tests/test_search.py → 3 failed, 12 passed"),
    ("", ("It fails as expected: three of the new cases. unicodedata.normalize('NFKD') splits letter and mark; what is"
     " left are ß and the Turkish dotless i, which I map by hand, as the database's own collation does.")),
    ("14:26", "⚙ Edit search/fold.py → +24"),
    ("14:29", "⚙ Edit search/query.py → +4 \N{MINUS SIGN}2"),
    ("", "⚙ Bash: pytest -q → 1 failed, 214 passed"),
    ("", ("One left: an old test wants 'Ä' to come after 'A'. The order of results is a thing of its own, so I keep the"
     " unfolded name for sorting.")),
    ("14:31", "⚙ Edit search/index.py → running for 4s"),
)  # fmt: skip
ASKS_LOG = _log(
    ("14:28", "[human] When the tests are green, bring the price fix to main and push it."),
    ("14:31", "⚙ Bash: git status → you allowed it"),
    ("14:33", "⚙ Bash: pytest -q → 212 passed"),
    ("", "All 212 tests pass. I'll push the three commits to main now."),
    ("14:34", "? permission: Bash: git push origin main"),
)
CHOICE_LOG = _log(
    ("14:33", "[human] Make the cart compute prices in whole cents, and write down how they are rounded."),
    ("14:34", "⚙ Read cart/vat.py → 96 lines"),
    ("", "Three places round in three ways. Before I make it one function I need to know which one is meant."),
    ("14:35", "? question: How are prices rounded?"),
)
DEMO_LOG = _log(
    ("14:35", "[human] The shop's prices lose their cents: fix that, and prove it with a test"),
    ("", "Let me look at how prices are shown."),
    ("", "⚙ Read prices.py"),
    ("", "`cents // 100` drops the cents. I'll write a failing test first."),
    ("", "⚙ Edit test_prices.py"),
    ("", "⚙ Bash: ./test → test_cents_are_shown failed"),
    ("", "It fails, as expected. I'll start a mission that runs the tests at every change."),
    ("", "⚙ Bash: overmind run --name demo-tests ./test --watch"),
    ("", "? permission: Edit: prices.py"),
)

# questions


def question(name: str, asked_seconds_ago: float, **more: object) -> Row:
    """A question of an agent, as `inbox` answers it."""
    return {
        "question": 7, "id": name, "name": name, "need": "permission", "tool": "Bash", "options": [], "choices": [],
        "summary": "", "subject": {}, "rule": None, "attach_only": False, "replaces": None, "about": None,
        "asked_at": ago(asked_seconds_ago), **more,
    }  # fmt: skip


API_QUESTION = question(
    "api", 120.0, summary="Bash: git push origin main", subject={"command": "git push origin main"},
    rule="Bash(git push origin main)",
)  # fmt: skip
_OPTIONS = (
    ("half up", "12.125 → 12.13, as the invoices do today"),
    ("half even", "12.125 → 12.12, as banks do"),
    ("cut", "12.129 → 12.12, as the old till did"),
)
CHOICE_QUESTION = question(
    "cart-vat", 12.0, need="question", tool="AskUserQuestion", summary="How are prices rounded?",
    options=[label for label, _ in _OPTIONS],
    subject={"questions": [{
        "question": "How are prices rounded?", "header": "Prices", "multiSelect": False,
        "options": [{"label": label, "description": about} for label, about in _OPTIONS],
    }]},
)  # fmt: skip
DEMO_QUESTION = question(
    "demo-agent", 11.0, tool="Edit", summary="Edit: prices.py", rule="Edit(./prices.py)", begins=[12],
    subject={
        "file_path": f"{HOME}/shop/prices.py",
        "old_string": "    return FORMAT.format(amount=cents // 100)",
        "new_string": '    return FORMAT.format(amount=f"{cents / 100:.2f}")',
        "replace_all": False,
    },
)  # fmt: skip
API = mission("api", activity="waiting", cwd=f"{HOME}/shop-api", isolation={
    "worktree": f"{HOME}/shop-api", "branch": "fix/prices", "base": "main", "source": f"{HOME}/shop", "ports": {},
    "services": {}, "containers": {}, "step": None,
})  # fmt: skip

# changes


def changed(files: list[tuple[str, str, int, int]], diff: str, branch: str, commits: int = 0) -> Row:
    """The answer of `changes`: letters, paths, and lines that came and went."""
    return {
        "branch": branch, "base": "main", "cut": "", "note": "", "diff": diff,
        "commits": [{"hash": f"{number:040x}", "subject": "more"} for number in range(commits)],
        "files": [{"status": letter, "path": path, "added": added, "removed": removed, "old_path": None}
                  for letter, path, added, removed in files],
    }  # fmt: skip


def changes(files: list[tuple[str, str, int, int]], diff: str, branch: str, commits: int = 0) -> DiffFiles:
    """The same, as the views have it."""
    return of_api(changed(files, diff, branch, commits))


_DIFF = """\
diff --git a/search/index.py b/search/index.py
index 1111111..2222222 100644
--- a/search/index.py
+++ b/search/index.py
@@ -41,4 +41,5 @@ def add(name, product)
     def add(self, name: str, product: int) -> None:
-        key = name.lower()
-        self._names.setdefault(key, []).append(product)
+        key = fold(name)
+        self._names.setdefault(key, []).append(product)
+        self._order[product] = name  # results are sorted by it, unfolded
         self._dirty = True
@@ -60,3 +61,3 @@ def find(question)
     def find(self, question: str) -> list[int]:
-        found = self._names.get(question.lower(), [])
+        found = self._names.get(fold(question), [])
         return sorted(found, key=self._order.__getitem__)
diff --git a/search/fold.py b/search/fold.py
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/search/fold.py
@@ -0,0 +1,9 @@
+\"\"\"Letters without their marks, for what is compared and never shown.\"\"\"
+
+import unicodedata
+
+_BY_HAND = str.maketrans({"ß": "ss", "\N{LATIN SMALL LETTER DOTLESS I}": "i"})
+
+def fold(text: str) -> str:
+    parts = unicodedata.normalize("NFKD", text.casefold())
+    return ''.join(one for one in parts if not unicodedata.combining(one)).translate(_BY_HAND)
"""
CHANGED = changed(
    [("M", "search/index.py", 18, 6), ("A", "search/fold.py", 24, 0), ("M", "search/query.py", 4, 2)],
    _DIFF,
    "search-index",
)
API_CHANGED = changed([("M", f"shop/{number}.py", 20, 2) for number in range(5)] + [("M", "README.md", 20, 4)], "",
                      "fix/prices", 3)  # fmt: skip
CHANGES, API_CHANGES = of_api(CHANGED), of_api(API_CHANGED)

# load

BARS = "▁▂▃▄▅▆▇█"
_PERCENT = {bar: 12.5 * (place + 1) for place, bar in enumerate(BARS)} | {"▁": 7.0, "▇": 88.0}
TITLE_CPU = "▃▁▁▂▁▁▂▄▃▁▁▂"
CPU = "▁▁▁▂▁▁▅▇▆▂▁▁▁▁▂▃▂▁▁▁▆▇▅▂▁▁▁▁▂▂▁▁▁▅▇▇▃▁▁▂▁▁▂▄▃▁▁▂"
OUT_BARS = "▁▁▂▁▁▁▁▃█▂▁▁▁▁▁▂▁▁▁▁▂▇▃▁▁▁▁▁▁▂▁▁▁▂▅▃▁▁▁▁▁▁▁▂▁▁▁▂"
SAMPLES = 60
"""Those of five minutes."""


def _sampled(bars: str, values: dict[str, float], newest: float) -> list[float]:
    """Samples whose buckets are these bars; the newest one is less than its bar says."""
    ends = [SAMPLES * place // len(bars) for place in range(len(bars) + 1)]
    found: list[float] = []
    for place, bar in enumerate(bars):
        found += [values[bar]] * (ends[place + 1] - ends[place])
    return [*found[:-1], newest]


TITLE_SAMPLES = [Sample(cpu, 210e6, 400.0) for cpu in _sampled(TITLE_CPU, _PERCENT, 7.0)]
STATS_SAMPLES = [
    Sample(cpu, 210e6, output)
    for cpu, output in zip(
        _sampled(CPU, _PERCENT, 7.0),
        _sampled(OUT_BARS, {bar: 1500.0 * (place + 1) for place, bar in enumerate(BARS)}, 400.0),
        strict=True,
    )
]
"""Their bars in a title are others than those of `TITLE_SAMPLES`: no samples have both."""
SEARCH = mission(
    "search-index", id="5ea4c800", cpu_percent=7.0, memory_bytes=210_000_000, output_bytes_per_second=400.0,
    cost_usd=0.65, tokens={"input": 80_000, "output": 8_000}, unseen=True, now="⚙ Edit search/index.py",
    started_at=format_time(at("14:19")), run_started_at=ago(720), activity_since=ago(720), model="fable", turns=1,
    notes={"given": [{"id": "N-1"}, {"id": "N-2"}], "wrote": ["N-3"], "inject": "all", "tokens": 90, "left_out": 0},
    isolation={
        "worktree": f"{HOME}/shop-search-index", "branch": "search-index", "base": "main", "source": f"{HOME}/shop",
        "ports": {}, "services": {}, "containers": {}, "step": None,
    },
)  # fmt: skip
CLOCKS = frozenset({"started_at", "run_started_at"})
"""Fields of `SEARCH` by which it would stand elsewhere in the list."""
SEARCH_TERMS = {
    "agent": {
        "prompt": "Make the search find names with umlauts: fold them in the index and in the question, and prove it.",
        "allow": ["Edit", "Bash(pytest:*)"], "deny": [],
    }
}  # fmt: skip
