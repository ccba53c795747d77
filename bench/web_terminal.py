"""A terminal in Chromium: a key to its echo, alone and beside a flood, what it draws; beside ttyd or shellinabox."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bench.figures import Figure, Row, Skipped, megabytes
from bench.paint import FLOOD
from bench.product import LOOK_AGAIN, PATIENCE, Home
from bench.screen import gap, p50_p95
from bench.sizes import choose_size
from bench.web_server import late, limit
from bench.web_site import DESK, PROBE, Meter, Visitor, spread

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ECHO = ["sh", "-c", "stty raw -echo; printf ready; exec cat"]
"""The program itself answers each key, as an editor does."""
KEYS = choose_size(100, smoke=5)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXT = "a line as a compiler would write it, with a path/of/some/file.c:120 and a warning."
SIZE, THEIR_SIZE = choose_size((8_000_000, 50_000), smoke=(80_000, 5_000))
"""Bytes that are drawn from the first to the last."""
FLOODED = choose_size(8.0, smoke=1.0)
"""Seconds."""
ECHO_GOAL, FLOOD_ECHO_GOAL, FRAMES_GOAL, HEAP_GOAL = 0.030, 0.100, 50, 80_000_000


class Other(NamedTuple):
    """The terminal of others that this machine has."""

    name: str
    program: str


def other() -> Other | None:
    """ttyd, else shellinabox."""
    for name, program in (("ttyd", "ttyd"), ("shellinabox", "shellinaboxd")):
        found = shutil.which(program)
        if found is not None:
            return Other(name, found)
    return None


def measure(home: Home, visitor: Visitor, browser: Browser, folder: str) -> Iterator[Row]:
    """All rows."""
    theirs = other()
    if theirs is None:
        yield Skipped(
            "web: a terminal of others", "neither ttyd nor shellinabox is installed (apt-get install shellinabox)"
        )
    ours = _echo_of(home, visitor)
    what = "web terminal: a key to its echo painted"
    if theirs is None:
        yield late(what, ours, ECHO_GOAL)
        yield _drawn(_draws(home, visitor), None)
    else:
        with _elsewhere(theirs, browser, ECHO, folder) as page:
            times = _echoes(page)
        (median, last), (their_median, their_last) = p50_p95(ours), p50_p95(times)
        ratio = f"**{median / their_median:.2f}×** (p50), **{last / their_last:.2f}×** (p95)"
        yield late(what, ours, ECHO_GOAL, beside=f"{theirs.name} {spread(times)}", ratio=ratio)
        rate = _draws(home, visitor)
        with _elsewhere(theirs, browser, _printer(THEIR_SIZE), folder) as page:
            yield _drawn(rate, (theirs.name, _drawing(page, THEIR_SIZE)))
    yield from _flooded(home, visitor)


def _drawn(rate: float, theirs: tuple[str, float] | None) -> Figure:
    what = f"web terminal: {SIZE / 1e6:.0f} MB of lines, from the first to the last painted"
    beside = "" if theirs is None else f"{theirs[0]}, {THEIR_SIZE / 1e6:.2f} MB of them, {theirs[1] / 1e6:.2f} MB/s"
    ratio = "" if theirs is None else f"**{rate / theirs[1]:.1f}×**"
    return Figure(what, f"{rate / 1e6:.1f} MB/s", beside, ratio, "≥ 1×", theirs is None or rate >= theirs[1])


def _mission(home: Home, command: Sequence[str]) -> str:
    with contextlib.closing(home.connect()) as api:
        return str(api.call("run", {**home.mission(command), "type": "session"})["id"])


def _end(home: Home, mission: str) -> None:
    with contextlib.closing(home.connect()) as api:
        api.call("kill", {"id": mission})


@contextlib.contextmanager
def _typed_into(visitor: Visitor, mission: str) -> Iterator[Page]:
    with visitor.page(f"m/{mission}/terminal") as page:
        page.get_by_role("button", name="Type", exact=True).click()
        page.locator(".terminal-words", has_text="typing").wait_for()
        page.evaluate("() => probe.until(() => probe.screen().includes('ready'))")
        yield page


def _echoes(page: Page, keys: int = KEYS) -> list[float]:
    """Seconds of each key."""
    times: list[float] = []
    for number in range(keys):
        letter = LETTERS[number % len(LETTERS)]
        page.evaluate("(text) => probe.echo(text)", letter)
        page.wait_for_timeout(gap() * 1000)
        page.keyboard.press(letter)
        times.append(page.evaluate("() => probe.echoed") / 1000)
    return times


def _printer(size: int) -> list[str]:
    """A program that writes so many bytes of lines after a key, and a last word on a line of its own."""
    work = f"yes '{TEXT}' | head -c {size}"
    return [
        "sh",
        "-c",
        f"stty raw -echo; printf ready; head -c 1 >/dev/null; stty opost; {work}; printf '\\nall of it'; cat",
    ]


def _drawing(page: Page, size: int) -> float:
    """Bytes a second, from the key that begins to the end on the screen."""
    page.evaluate("() => probe.echo('all of it')")
    page.keyboard.press("x")
    return size / (float(page.evaluate("() => probe.echoed")) / 1000)


def _echo_of(home: Home, visitor: Visitor) -> list[float]:
    mission = _mission(home, ECHO)
    with _typed_into(visitor, mission) as page:
        times = _echoes(page)
    _end(home, mission)
    return times


def _draws(home: Home, visitor: Visitor) -> float:
    mission = _mission(home, _printer(SIZE))
    with _typed_into(visitor, mission) as page:
        rate = _drawing(page, SIZE)
    _end(home, mission)
    return rate


def _flooded(home: Home, visitor: Visitor) -> Iterator[Figure]:
    """A program that writes 10 MB/s in one tab, and keys in another."""
    echo, flood = _mission(home, ECHO), _mission(home, FLOOD)
    with visitor.page(f"m/{flood}/terminal") as page:
        page.locator(".terminal-words", has_text="looking").wait_for()
        page.evaluate("() => probe.until(() => probe.screen().includes('xxx'))")
        meter = Meter(page)
        page.wait_for_timeout(2000)
        drawn = page.evaluate("() => (probe.count(), probe.drawn)")
        heap = 0.0
        until = time.perf_counter() + FLOODED
        while time.perf_counter() < until:
            page.wait_for_timeout(200)
            heap = max(heap, meter.heap)
        counted = page.evaluate("() => probe.stop()")
        rate = (page.evaluate("() => probe.drawn") - drawn) / (counted["milliseconds"] / 1000)
        frames = counted["frames"] / (counted["milliseconds"] / 1000)
        what, shown = (
            "web terminal of a program that writes 10 MB/s: frames",
            f"{frames:.0f}/s, {rate / 1e6:.1f} MB/s drawn",
        )
        yield Figure(what, shown, "", "", f"≥ {FRAMES_GOAL}/s", frames >= FRAMES_GOAL)
        yield limit("the same: JavaScript's memory", heap, HEAP_GOAL, megabytes, more=" at most")
        with _typed_into(visitor, echo) as typed:
            times = _echoes(typed)
        yield late("a key to its echo painted, beside it in another tab", times, FLOOD_ECHO_GOAL)
    for mission in (echo, flood):
        _end(home, mission)


@contextlib.contextmanager
def _elsewhere(theirs: Other, browser: Browser, command: Sequence[str], folder: str) -> Iterator[Page]:
    """A page of the other terminal with this program in it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = f"{folder}/program.sh"
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec {shlex.join(command)}\n")
    os.chmod(script, 0o755)
    user = pwd.getpwuid(os.getuid()).pw_name
    if theirs.name == "ttyd":
        options = ["--interface=127.0.0.1", "--writable", f"--port={port}", script]
    else:
        quiet = ["--disable-ssl", "--localhost-only", "--no-beep", "--quiet", "--disable-utmp-logging"]
        options = [
            *quiet,
            f"--user={user}",
            f"--group={user}",
            f"--port={port}",
            f"--service=/:{user}:{user}:/:{script}",
        ]
    argv = [theirs.program, *options]
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )
    context = browser.new_context(viewport=DESK, color_scheme="dark")  # type: ignore[arg-type] # a mapping
    context.set_default_timeout(PATIENCE * 1000)
    context.add_init_script(path=PROBE)
    try:
        _until_it_listens(port)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.evaluate("() => probe.until(() => probe.screen().includes('ready'))")
        page.mouse.click(300, 300)
        yield page
    finally:
        context.close()
        process.terminate()
        process.wait()


def _until_it_listens(port: int) -> None:
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(LOOK_AGAIN)
    raise RuntimeError(f"nobody listens at port {port}")
