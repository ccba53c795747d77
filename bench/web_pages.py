"""The list of missions in Chromium: first rows, presses, events, jumps, keys; what a tab costs, and its wire."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from bench.figures import Figure, milliseconds
from bench.product import Home
from bench.screen import gap, p50_p95
from bench.sizes import choose_size
from bench.web_server import SETTLE, late, limit, share, spent
from bench.web_site import LIVE, Meter, Visitor, spread

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOADS, EVENTS, PRESSES, JUMPS, KEYS = choose_size((7, 100, 12, 60, 120), smoke=(2, 4, 2, 3, 6))
RATE, BATCH = 250, 25
"""Events a second, and those that are asked for at once."""
QUIET, BUSY = choose_size((20.0, 10.0), smoke=(1.0, 1.0))
"""Seconds."""
PRESS_GOAL, EVENT_GOAL, JUMP_GOAL, KEY_GOAL = 0.100, 0.100, 0.100, 0.016
QUIET_GOAL, BUSY_GOAL, THREAD_GOAL, SUPERVISOR_GOAL = 100, 10_000, 0.05, 0.03
PRESSED = """() => {
    const note = (event) => Object.assign(probe, { pressed: event.timeStamp, did: Infinity });
    addEventListener("click", note, { capture: true, once: true });
}"""
ANSWERED = """async () => {
    const { at } = await probe.changed;
    await probe.painted();
    return [at, probe.did, probe.pressed];
}"""
ALL = "missions?plain=1"
"""The list with all that ended in it."""
LAPTOP = {"width": 1000, "height": 900}
"""Below 1,100 pixels a list stands alone, without a mission beside it."""


def first_rows(visitor: Visitor, missions: int, goal: float) -> list[Figure]:
    """From a navigation to the first rows painted: by a fresh link, and again by somebody who is logged in."""
    told = f"{missions:,} missions: first rows"
    linked: list[float] = []
    again: list[float] = []
    cached: list[float] = []
    for _ in range(LOADS):
        with visitor.stranger() as page:
            page.goto(visitor.site.fresh_link())
            linked.append(_rows(page))
            page.reload()
            cached.append(_rows(page))
        with visitor.page() as page:
            again.append(_rows(page))
    taken = {"a fresh link, nothing cached": linked, "logged in, nothing cached": again, "loaded again": cached}
    return [
        limit(f"{told}, {how}", p50_p95(times)[0], goal, milliseconds, more=f" (p95 {milliseconds(p50_p95(times)[1])})")
        for how, times in taken.items()
    ]


def _rows(page: Page) -> float:
    """Seconds from the navigation to the first rows painted."""
    page.locator(LIVE).first.wait_for()
    return float(page.evaluate("async () => { while (!probe.rows) await probe.painted(); return probe.rows }")) / 1000


def events(home: Home, visitor: Visitor) -> Figure:
    """From the supervisor's answer about a changed mission to its row in the document."""
    times: list[float] = []
    with visitor.page() as page, contextlib.closing(home.connect()) as api:
        page.locator(LIVE).first.wait_for()
        rows: list[str] = page.evaluate(
            "() => [...document.querySelectorAll('.row[data-id]')].map((row) => row.dataset.id)"
        )
        for number in range(EVENTS):
            mission, verb, word = (
                rows[(number // 2) % len(rows)],
                *(("freeze", "frozen"), ("thaw", "working"))[number % 2],
            )
            page.wait_for_timeout(gap() * 1000)
            page.evaluate("([id, word]) => probe.arm(id, word)", [mission, word])
            api.call(verb, {"id": mission})
            answered = time.time()
            changed = page.evaluate("() => probe.changed")
            times.append(max(0.0, changed["clock"] - answered))
    return late("an event to its row in the document", times, EVENT_GOAL)


def presses(visitor: Visitor) -> Figure:
    """From a press to the changed row, beyond what the verb itself takes."""
    beyond: list[float] = []
    whole: list[float] = []
    with visitor.page() as page:
        page.locator(LIVE).first.click()
        mission = page.evaluate("() => document.querySelector('.row.cursor').dataset.id")
        for number in range(PRESSES):
            label, word = (("Freeze", "frozen"), ("Thaw", "working"))[number % 2]
            page.wait_for_timeout(700)
            page.get_by_label("More of this mission").click()
            page.evaluate("([id, word]) => probe.arm(id, word)", [mission, word])
            buttons = [page.get_by_role(role, name=label, exact=True) for role in ("menuitem", "button")]
            page.evaluate(PRESSED)
            buttons[0].or_(buttons[1]).first.click()
            at, did, pressed = page.evaluate(ANSWERED)
            beyond.append(max(0.0, at - (did or at)) / 1000)  # not answered yet: it is infinite, which JSON has as null
            whole.append((at - pressed) / 1000)
    told = f"; with the verb {spread(whole)}"
    return late("a press to its row changed, beyond the verb's own time", beyond, PRESS_GOAL, more=told)


def jumps(visitor: Visitor, missions: int) -> Figure:
    """From a drag of the scroll bar to rows wherever it stops."""
    times: list[float] = []
    with visitor.page(ALL) as page:
        page.locator(LIVE).first.wait_for()
        place = 0.0
        for _ in range(JUMPS):
            place = (place + random.uniform(0.2, 0.8)) % 1.0
            page.wait_for_timeout(gap() * 1000)
            times.append(page.evaluate("(share) => probe.jump(share)", place) / 1000)
    return late(f"{missions:,} missions: a jump by the scroll bar, filled and painted", times, JUMP_GOAL)


def keys(visitor: Visitor, told: str) -> list[Figure]:
    """From `j` or `k` to the frame with the cursor elsewhere: with a mission beside the list, and without."""
    figures = []
    for size, how in ((None, "beside a mission's log"), (LAPTOP, "the list alone")):
        with visitor.page(ALL, size) as page:
            page.locator(LIVE).first.wait_for()
            page.locator(".table").focus()
            page.wait_for_timeout(SETTLE * 1000)
            page.evaluate("() => (probe.keys = [])")
            for number in range(KEYS):
                page.wait_for_timeout(gap() * 1000)
                page.keyboard.press("j" if number % 40 < 20 else "k")
            page.evaluate("() => probe.painted()")
            times = [one / 1000 for one in page.evaluate("() => probe.keys")]
        figures.append(late(f"`j` or `k` to its row painted, {told}, {how}", times, KEY_GOAL))
    return figures


def quiet(home: Home, visitor: Visitor, missions: int) -> list[Figure]:
    """A tab while nothing happens: its wire, both processes, its browser."""
    site = visitor.site
    alone = spent([home.supervisor, site.pid], QUIET)
    with visitor.page() as page:
        page.locator(LIVE).first.wait_for()
        page.wait_for_timeout(SETTLE * 1000)
        meter = Meter(page)
        before, thread = _bytes(page), meter.busy
        looked = spent([home.supervisor, site.pid], QUIET)
        page.wait_for_timeout(1)
        wire, busy = (_bytes(page) - before) / QUIET, (meter.busy - thread) / QUIET
    return [
        limit(f"a tab on {missions:,} idle missions: its wire", wire, QUIET_GOAL, _rate),
        limit(
            "the same: the supervisor's processor", looked[0], SUPERVISOR_GOAL, share, beside=f"no tab {alone[0]:.2%}"
        ),
        limit(
            "the same: the web server's processor", looked[1], SUPERVISOR_GOAL, share, beside=f"no tab {alone[1]:.2%}"
        ),
        limit("the same: the browser's main thread", busy, THREAD_GOAL, share),
    ]


def busy(home: Home, visitor: Visitor, told: str) -> list[Figure]:
    """A tab while missions write and change: its wire, its browser, the supervisor."""
    site = visitor.site
    pids = [home.supervisor, site.pid]
    alone = spent(pids, BUSY)
    with visitor.page() as page:
        page.locator(LIVE).first.wait_for()
        page.wait_for_timeout(SETTLE * 1000)
        meter = Meter(page)
        before, thread = _bytes(page), meter.busy
        looked = spent(pids, QUIET)
        page.wait_for_timeout(1)
        wire, thread = (_bytes(page) - before) / QUIET, (meter.busy - thread) / QUIET
        rows = [
            limit(f"a tab on {told}: the supervisor's processor", looked[0] - alone[0], SUPERVISOR_GOAL, share,
                  more=" more", beside=f"no tab {alone[0]:.2%}"),
            limit("the same: the web server's processor", looked[1], 0.05, share, beside=f"no tab {alone[1]:.2%}"),
            limit("the same: its wire", wire, BUSY_GOAL, _rate),
            limit("the same: the browser's main thread", thread, THREAD_GOAL, share),
        ]  # fmt: skip
        with _events(home, _ids(home)) as happened:
            page.wait_for_timeout(1000)
            began, count, before, thread = time.perf_counter(), happened(), _bytes(page), meter.busy
            looked = spent(pids, BUSY)
            page.wait_for_timeout(1)
            took = time.perf_counter() - began
            rate, wire, thread = (
                (happened() - count) / took,
                (_bytes(page) - before) / took,
                (meter.busy - thread) / took,
            )
    return [
        *rows,
        limit(f"{told}, and {rate:.0f} events a second: its wire", wire, BUSY_GOAL, _rate),
        limit("the same: the browser's main thread", thread, THREAD_GOAL, share,
              beside=f"the supervisor {looked[0]:.0%}, the web server {looked[1]:.0%}"),
    ]  # fmt: skip


def _ids(home: Home) -> Sequence[str]:
    with contextlib.closing(home.connect()) as api:
        return [row["id"] for row in api.call("ps", {})]


def _bytes(page: Page) -> int:
    return int(page.evaluate("() => probe.bytes"))


def _rate(value: float) -> str:
    return f"{value / 1000:.1f} kB/s" if value >= 1000 else f"{value:.0f} B/s"


@contextlib.contextmanager
def _events(home: Home, missions: Sequence[str]) -> Iterator[Callable[[], int]]:
    """Rename missions all over the list, `RATE` a second; how many were, so far."""
    done = 0
    on = True

    def work() -> None:
        nonlocal done
        with contextlib.closing(home.connect()) as api:
            due, turn = time.perf_counter(), 0
            while on:
                some = [(turn * BATCH + one) * 37 % len(missions) for one in range(BATCH)]
                api.call_each("update", [{"id": missions[one], "name": f"m{turn}-{one}"} for one in some])
                done += BATCH
                turn += 1
                due += BATCH / RATE
                time.sleep(max(0.0, due - time.perf_counter()))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield lambda: done
    finally:
        on = False
        worker.join()
