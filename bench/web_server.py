"""The web server without a browser: its start, what it costs at rest, how long others wait beside who asks too much."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import resource
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bench.figures import Figure, megabytes, milliseconds, take_turns
from bench.processes import busy_seconds, duration, resident
from bench.product import Home, Product
from bench.screen import p50_p95
from bench.sizes import choose_size
from bench.web_site import Site, Wire, served, spread

STARTS = choose_size(12, smoke=1)
SETTLE, SECONDS = choose_size((5.0, 20.0), smoke=(0.2, 0.5))
START_GOAL, MEMORY_GOAL, BUSY_GOAL = 0.400, 60_000_000, 0.005
WAIT_GOAL, ATTACKED_MEMORY_GOAL = 0.100, 150_000_000
HALF_REQUESTS = choose_size(10_000, smoke=50)
HUGE, FRAGMENTS, UNREAD = choose_size((100_000_000, 100_000, 50_000), smoke=(100_000, 100, 100))
"""Characters of one frame, fragments of another one, and requests of who reads none of their answers."""
ENDLESS = "(a+)+$"
"""An expression that takes for ever on letters `a` with something else behind them."""
NEVER_MATCHED = ["sh", "-c", "sleep 100000", "a" * 40 + "!"]
LINES = ["sh", "-c", f"yes {'a' * 40}! | head -n 20000; sleep 100000"]


def limit(
    what: str,
    value: float,
    goal: float,
    show: Callable[[float], str],
    *,
    beside: str = "",
    ratio: str = "",
    more: str = "",
) -> Figure:
    """A row that should be `goal` or less."""
    return Figure(what, f"{show(value)}{more}", beside, ratio, f"≤ {show(goal)}", value <= goal)


def late(
    what: str, times: Sequence[float], goal: float, *, beside: str = "", ratio: str = "", more: str = ""
) -> Figure:
    """A row of times in seconds, of which 95 % should be `goal` or less."""
    shown = f" p95 ({spread(times)}{more})"
    return limit(what, p50_p95(times)[1], goal, milliseconds, beside=beside, ratio=ratio, more=shown)


def share(part: float) -> str:
    """A part of one core."""
    return f"{part:.2%} of a core"


def start(home: Home, missions: int) -> list[Figure]:
    """From the start of the command to the link and to the first answer."""
    answered: list[float] = []

    def linked() -> float:
        with served(home) as site:
            answered.append(site.answered_after)
            return site.linked_after

    python = [home.product.python, "-c", "pass"]
    linked()
    answered.clear()
    ours, theirs = take_turns(
        {"overmind web": linked, "python -c pass": lambda: duration(python, home.environment)}, rounds=STARTS
    ).values()
    first = statistics.median(answered)
    return [
        limit(
            f"`overmind web`, {missions:,} missions: exec to its link", ours.median, START_GOAL, milliseconds,
            beside=f"python -c pass {milliseconds(theirs.median)}", ratio=f"**{ours.median / theirs.median:.1f}×**",
            more=f", to the first answer {milliseconds(first)}",
        )
    ]  # fmt: skip


def at_rest(home: Home, missions: int) -> list[Figure]:
    """Memory and processor time while nobody looks."""
    with served(home) as site:
        time.sleep(SETTLE)
        busy = spent([site.pid], SECONDS)[0]
        told = f"`overmind web`, {missions:,} idle missions: memory (RSS)"
        return [
            limit(told, resident(site.pid), MEMORY_GOAL, megabytes),
            limit(f"the same, no tab: processor, over {SECONDS:.0f} s", busy, BUSY_GOAL, share),
        ]


def spent(pids: Sequence[int], seconds: float) -> list[float]:
    """The part of a core that each of these takes in the next seconds."""
    before, began = [busy_seconds(pid) for pid in pids], time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - began
    return [(busy_seconds(pid) - was) / took for pid, was in zip(pids, before, strict=True)]


def crowded(product: Product) -> list[Figure]:
    """How long others wait beside expressions that never end, and beside who attacks."""
    with product.home() as home:
        with contextlib.closing(home.connect()) as api:
            api.call_each("run", [home.mission(NEVER_MATCHED)] * 20)
            log = api.call("run", home.mission(LINES))["id"]
        with served(home) as site, Wire(site) as honest:
            return [*_endless(site, honest, log), _attacked(site, honest)]


def _endless(site: Site, honest: Wire, log: str) -> Iterator[Figure]:
    opened: dict[str, dict[str, object]] = {
        f"a filter of missions, `{ENDLESS}`": {"view": "missions", "args": {"filter": f"command:{ENDLESS}"}},
        f"a search of a log for `{ENDLESS}`": {"view": "log", "args": {"missions": [log], "match": ENDLESS}},
    }
    for what, message in opened.items():
        waited = sorted(_waited(honest, partial(_open_again, Wire(site), message)))
        more = f" at most, of {len(waited)}"
        yield limit(f"others wait beside {what}", waited[-1], WAIT_GOAL, milliseconds, more=more)


def _open_again(other: Wire, message: dict[str, object]) -> None:
    with other:
        for number in range(1, 6):
            other.say(t="open", p=number, from_=0, to=90, **message)
            time.sleep(0.3)


def _waited(honest: Wire, work: Callable[[], None]) -> Iterator[float]:
    """Seconds for each of the answers that somebody else gets meanwhile; the work has a process of its own."""
    working = multiprocessing.get_context("fork").Process(target=work)
    working.start()
    while working.is_alive():
        yield honest.ping()
        time.sleep(0.005)
    working.join()


def _attacked(site: Site, honest: Wire) -> Figure:
    """Each attack by itself: the longest wait of somebody else, the most memory."""
    attacks = {
        f"{HALF_REQUESTS:,} half requests": _half_requests,
        f"a frame of {HUGE / 1e6:.0f} MB": _huge_frame,
        "fragments without end": _fragments,
        "who never reads": _never_read,
    }
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # that its sockets end is what is wanted
    waits = {name: max(_waited(honest, partial(attack, site))) for name, attack in attacks.items()}
    peak, most = _peak(site.pid), max(waits.values())
    return Figure(
        f"{', '.join(attacks)}: memory, and others' wait",
        f"{megabytes(peak)}, at most {', '.join(map(milliseconds, waits.values()))}",
        "", "", f"≤ {megabytes(ATTACKED_MEMORY_GOAL)}, ≤ {milliseconds(WAIT_GOAL)}",
        peak <= ATTACKED_MEMORY_GOAL and most <= WAIT_GOAL,
    )  # fmt: skip


def _half_requests(site: Site) -> None:
    host, _, port = site.host.rpartition(":")
    half = f"GET / HTTP/1.1\r\nHost: {site.host}\r\nX-Slow: ".encode()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, HALF_REQUESTS + 500), hard), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(HALF_REQUESTS):
            with contextlib.suppress(OSError):
                connection = stack.enter_context(socket.create_connection((host, int(port))))
                connection.sendall(half)


def _huge_frame(site: Site) -> None:
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - as in Wire

    with Wire(site) as wire, contextlib.suppress(ConnectionClosed, OSError):
        wire.socket.send("x" * HUGE)


def _fragments(site: Site) -> None:
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - as in Wire

    with Wire(site) as wire, contextlib.suppress(ConnectionClosed, OSError):
        wire.socket.send("x" * 1000 for _ in range(FRAGMENTS))


def _never_read(site: Site) -> None:
    from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - as in Wire

    with Wire(site) as wire, contextlib.suppress(ConnectionClosed, TimeoutError):
        wire.socket.socket.settimeout(2.0)
        for number in range(UNREAD):
            wire.say(t="do", n=number, verb="ps", args={"all": True})


def _peak(pid: int) -> int:
    """The most memory that it has had, in bytes. Source: proc_pid_status(5)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
