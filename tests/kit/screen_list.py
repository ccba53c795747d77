"""The missions of the pictures of the screen, as the API answers them: a working day, and the demonstration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from overmind_core.view.health import AT

ZONE = UTC
"""Of all clocks in the pictures."""
NOW = datetime(2026, 11, 28, 14, 35, tzinfo=ZONE).timestamp()
"""The time in the pictures, in seconds since the epoch."""

Row = dict[str, Any]


def at(seconds: float) -> str:
    """The time so many seconds before `NOW`, as the API writes it."""
    moment = datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def mission(one: str, ago: float, status: str = "running", **more: Any) -> Row:
    """A mission that was started so many seconds ago; its name is its id."""
    return {
        "id": one, "name": one, "type": "task", "status": status, "reason": None, "restart_count": 0, "parent": None,
        "children": [], "exit_code": None, "outcome": None, "quest_state": None, "next_try_at": None,
        "quest_failure": None, "started_at": at(ago), "run": 1, "run_started_at": at(ago), "ended_at": None,
        "uptime_seconds": ago, "command": one, "cwd": "/home/me/shop", "labels": {}, "provider": "raw",
        "interactive": False, "tty": False, "unseen": False, "conversation_lost": False, "lost": False,
        "activity": None, "need": None, "activity_since": None, "activity_source": None, "attempt": None,
        "resume_at": None, "handover": None, "mode": None, "cost_usd": None, "tokens": None, "attached": 0,
        "isolation": None, "cpu_percent": None, "memory_bytes": None, "output_bytes_per_second": None,
        "next_restart_at": None, "now": None, **more,
    }  # fmt: skip


def agent(one: str, ago: float, activity: str, since: float, usd: float, now: str, **more: Any) -> Row:
    """An agent that has been doing something for so many seconds."""
    doing = {"activity": activity, "activity_since": at(since), "cost_usd": usd, "now": now}
    return mission(one, ago, **{"type": "session", "provider": "claude", **doing, **more})


def ended(one: str, ago: float, outcome: str | None = "succeeded", *, lasted: float = 60.0, **more: Any) -> Row:
    """A mission that ended so many seconds ago, and took so long."""
    status = {"succeeded": "stopped", "stopped": "stopped", "killed": "killed"}.get(outcome or "", "crashed")
    return mission(
        one, ago + lasted, status, **{"outcome": outcome, "ended_at": at(ago), "uptime_seconds": lasted, **more}
    )


def question(number: int, one: str, ago: float, summary: str, **more: Any) -> Row:
    """A question that a mission asked so many seconds ago."""
    return {
        "question": number, "id": one, "name": one, "about": {"kind": "mission", "id": one, "name": one},
        "need": "permission", "tool": "Bash", "summary": summary, "subject": {}, "rule": None, "options": [],
        "choices": [], "replaces": None, "asked_at": at(ago), "attach_only": False, **more,
    }  # fmt: skip


_ROUNDED = {
    "question": "How are prices rounded?",
    "options": [
        {"label": "half up", "description": "12.125 → 12.13, as the invoices do today"},
        {"label": "half even", "description": "12.125 → 12.12, as banks do"},
        {"label": "cut", "description": "12.129 → 12.12, as the old till did"},
    ],
}
QUESTIONS = [
    question(1, "api", 130, "Bash: git push origin main", subject={"command": "git push origin main"}),
    question(
        2, "cart-vat", 12, "How are prices rounded?", need="question", tool="AskUserQuestion",
        subject={"questions": [_ROUNDED]}, options=["half up", "half even", "cut"],
    ),
]  # fmt: skip
"""Of the working day."""
MINUTE = 60.0
HEALTH = {
    "db": {"id": "db", "level": "quiet", "silent_seconds": 16 * MINUTE + 5, AT: NOW},
    "demo-shell": {"id": "demo-shell", "level": "quiet", "silent_seconds": 16.0, AT: NOW},
}
"""Id → its row of the view of health."""


def _of_release(one: str, ago: float, **more: Any) -> Row:
    return mission(one, ago, parent="release", name=f"release/{one}", **more)


RUNNING = [
    mission("release", 120 * MINUTE, type="blueprint", run_started_at=at(18 * MINUTE), now="runs shop-tests, image"),
    _of_release("shop-tests", 7 * MINUTE, cpu_percent=88.0, now="tests/test_cart.py ....F...... 212 passed"),
    _of_release("image", 2 * MINUTE, cpu_percent=31.0, now="#12 exporting layers 12.4 s"),
    *(
        ended(name, 9 * MINUTE, parent="release", name=f"release/{name}")
        for name in ("lint", "types", "unit-tests", "wheels")
    ),
    mission("web", 110 * MINUTE, cpu_percent=1.0, run_started_at=at(31 * MINUTE), now="GET /cart 200 14 ms"),
    agent(
        "planner", 100 * MINUTE, "working", 3 * MINUTE, 0.12, "⚙ Bash: pytest -q tests/test_prices.py",
        cpu_percent=4.0,
    ),
    agent(
        "search-index", 90 * MINUTE, "working", 12 * MINUTE, 0.65, "⚙ Edit search/index.py", cpu_percent=7.0,
        unseen=True,
    ),
    agent(
        "i18n", 80 * MINUTE, "limited", 41 * MINUTE, 3.10, "the plan's limit is reached", resume_at=at(-25 * MINUTE)
    ),
    mission(
        "worker", 70 * MINUTE, "restarting", run_started_at=at(80.0), exit_code=75, restart_count=1,
        next_restart_at=at(-8.2), now="exit 75: the queue was lost after 4 jobs",
    ),
    mission("db", 60 * MINUTE, cpu_percent=0.0, now="database system is ready to accept connections"),
]  # fmt: skip
"""Nine that run; four of the release have ended."""
NEEDING = [
    agent("api", 7 * MINUTE, "waiting", 130, 0.40, "Bash: git push origin main", unseen=True),
    agent(
        "cart-vat", 2 * MINUTE, "waiting", 12, 0.12, "How are prices rounded?", unseen=True, parent="release",
        name="release/cart-vat",
    ),
    agent(
        "docs", 30 * MINUTE, "idle", 9 * MINUTE, 1.90, "I rewrote the page on prices. Shall I also mend the index?",
        unseen=True,
    ),
]  # fmt: skip
UNIT = ended(
    "unit", 180.0, "failed", lasted=4 * MINUTE, unseen=True, exit_code=1, reason="exit",
    now="exit 1: E999 SyntaxError: invalid syntax in cart.py:14",
)  # fmt: skip
FOLDED = [
    *(ended(f"done-{number}", 600.0 + 60 * number) for number in range(30)),
    ended("e2e", 3600.0, "failed", exit_code=2, reason="exit"),
    ended("crawler", 2640.0, "stopped", reason="stopped"),
]
"""All seen."""
DAY = [*NEEDING, *RUNNING, UNIT, *FOLDED]
CALM = [*RUNNING, *FOLDED]
SIZES_OF_PLANS = {"release": 7}
"""On a calm day one agent of the release has not begun."""
DEMO = [
    agent("demo-agent", 17.0, "waiting", 11.0, 0.0, "Edit: prices.py"),
    mission("demo-tests", 11.9, parent="demo-agent", now="FAILED (failures=1)"),
    mission("demo-build", 16.4, cpu_percent=2.0, now="[3/4] compile ████████░░░░░░░░░░░░ 41 %  csv.py"),
    mission("demo-service", 16.3, now="GET /api/prices 200 14 ms"),
    mission(
        "demo-worker", 16.2, "restarting", exit_code=75, next_restart_at=at(-1.4),
        now="exit 75: the queue was lost after 4 jobs",
    ),
    mission("demo-shell", 16.1, tty=True, interactive=True, now="shop ❯"),
    ended("demo-hello", 5.0),
    ended("demo-lint", 3.0),
]  # fmt: skip
DEMO_QUESTIONS = [question(3, "demo-agent", 11.0, "Edit: prices.py", tool="Edit")]
