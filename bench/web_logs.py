"""A log of a million lines, of a mission that wrote them: its newest lines, its pages, a jump in Chromium."""

from __future__ import annotations

import contextlib
import os
import random
import time

from bench.figures import Figure
from bench.product import LOOK_AGAIN, Home
from bench.screen import gap
from bench.sizes import choose_size
from bench.web_pages import LAPTOP
from bench.web_server import late
from bench.web_site import LIVE, Site, Visitor, Wire

LINES = choose_size(1_000_000, smoke=20_000)
LINE = "line %07d of a log that has a million lines, with some words in it"
WRITER = f"""
import sys, time
for start in range(0, {LINES}, 10000):
    sys.stdout.write("".join({LINE!r} % at + chr(10) for at in range(start, start + 10000)))
sys.stdout.flush()
time.sleep(100000)
"""
OPENED, READ, JUMPS = choose_size((9, 300, 60), smoke=(2, 5, 3))
TAIL_GOAL, INDEX_GOAL, READ_GOAL, JUMP_GOAL = 0.200, 0.500, 0.020, 0.050
LAST = f"line {LINES - 1:07}"
TAIL = """async ([id, last]) => {
    const began = performance.now();
    location.hash = `#/m/${id}/log`;
    return (await probe.until(() => document.querySelector('.log-tail')?.textContent.includes(last))) - began;
}"""
JUMP = """async (share) => {
    const log = document.querySelector('.log-scroll');
    const box = log.getBoundingClientRect();
    const filled = () => {
        const shown = document.elementFromPoint(box.left + 40, box.top + box.height / 2);
        const last = document.elementFromPoint(box.left + 40, box.bottom - 15);
        const first = document.elementFromPoint(box.left + 40, box.top + 5);
        return [first, shown, last].every((one) => one?.closest('.log-line'));
    };
    const began = performance.now();
    log.scrollTop = share * (log.scrollHeight - log.clientHeight);
    return (await probe.until(filled)) - began;
}"""


def written(home: Home) -> str:
    """The id of a mission that has written all its lines; it goes on."""
    with contextlib.closing(home.connect()) as api:
        mission = str(api.call("run", home.mission(["python3", "-c", WRITER]))["id"])
    size = (len(LINE % 0) + 2) * LINES
    while _size(f"{home.path}/logs/{mission}") < size:
        time.sleep(LOOK_AGAIN * 50)
    return mission


def _size(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)


def server(site: Site, mission: str) -> list[Figure]:
    """What the web server takes, without a browser."""
    tails: list[float] = []
    indices: list[float] = []
    reads: list[float] = []
    pages = 0
    with Wire(site) as wire:
        for number in range(1, OPENED + 1):
            began = time.perf_counter()
            wire.say(t="open", p=number, view="log", args={"missions": [mission]}, at="tail")
            wire.until("lines", p=number)
            tails.append(time.perf_counter() - began)
            pages = wire.until("pages", p=number)["pages"]
            indices.append(time.perf_counter() - began)
            if number < OPENED:
                wire.say(t="close", p=number)
        for _ in range(READ):
            wanted = random.randrange(pages)
            began = time.perf_counter()
            wire.say(t="page", p=OPENED, at=wanted)
            wire.until("lines", p=OPENED, page=wanted)
            reads.append(time.perf_counter() - began)
    what = f"web log of {LINES:,} lines"
    return [
        late(f"{what}: opened to its newest lines", tails, TAIL_GOAL),
        late(f"{what}: opened to where its {pages:,} pages are", indices, INDEX_GOAL),
        late(f"{what}: one of its pages", reads, READ_GOAL),
    ]


def browser(visitor: Visitor, mission: str) -> list[Figure]:
    """What a person waits for."""
    tails: list[float] = []
    jumps: list[float] = []
    with visitor.page(size=LAPTOP) as page:
        page.locator(LIVE).first.wait_for()
        for _ in range(OPENED):
            tails.append(page.evaluate(TAIL, [mission, LAST]) / 1000)
            page.evaluate("() => (location.hash = '#/missions')")
            page.locator(".log-tail").wait_for(state="detached")
            page.wait_for_timeout(300)
        page.evaluate(TAIL, [mission, LAST])
        page.wait_for_timeout(2000)
        place = 0.0
        for _ in range(JUMPS):
            place = (place + random.uniform(0.2, 0.8)) % 1.0
            page.wait_for_timeout(gap() * 1000)
            jumps.append(page.evaluate(JUMP, place) / 1000)
    what = f"web log of {LINES:,} lines, in the page"
    return [
        late(f"{what}: opened to its newest lines painted", tails, TAIL_GOAL),
        late(f"{what}: a jump by the scroll bar, filled and painted", jumps, JUMP_GOAL),
    ]
