"""The cost of an agent's lines: read into facts, and made readable, beside decoding their JSON and nothing else.

Those of the programs that speak JSON-RPC are compared with claude's.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence

from bench.figures import Figure, Rounds, at_least, per_second, spread, take_turns
from bench.product import Product
from bench.sizes import choose_size
from overmind_core.providers import registry

RECORDED = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "data", "transcripts")
RUNS = ("text", "tool", "thinking", "failed_tool", "permission_denied", "partial_messages")
"""Recorded runs of `claude`, as `tests/core/providers` reads them."""
SPOKEN_TO = ("codex", "gemini", "opencode", "qwen", "copilot")
SHARE = 0.7
LINES = choose_size(20_000, smoke=100)
ROUNDS = choose_size(7, smoke=1)
HUGE = choose_size(10_000_000, smoke=10_000)
"""Bytes of one answer."""

Work = Callable[[bytes], object]


def measure(product: Product, folder: str) -> list[Figure]:
    del product, folder
    lines = recorded()
    huge = [json.dumps({"type": "assistant", "message": {"content": [{"type": "text", "text": "x" * HUGE}]}}).encode()]
    return [
        _row(f"{LINES:,} lines of `claude`, {_size(lines)} a line, read into facts", lines, _parse),
        _row(f"{LINES:,} lines of `claude`, made readable", lines, _render),
        _row(f"one line of `claude` of {HUGE / 1e6:.0f} MB, read into facts", huge, _parse),
        *(_beside_claude(name, lines) for name in SPOKEN_TO),
    ]


def recorded() -> list[bytes]:
    """Lines of `claude` as it wrote them, again and again."""
    lines: list[bytes] = []
    for name in RUNS:
        with open(os.path.join(RECORDED, "claude", f"{name}.ndjson"), "rb") as file:
            lines += file.read().splitlines()
    return (lines * (LINES // len(lines) + 1))[:LINES]


def spoken(name: str) -> list[bytes]:
    """Lines of a program that speaks JSON-RPC as it wrote them, again and again."""
    with open(os.path.join(os.path.dirname(RECORDED), "rpc", f"{name}.jsonl"), encoding="utf-8") as file:
        said = [line[2:].rstrip().encode() for line in file if line.startswith("< ")]
    return (said * (LINES // len(said) + 1))[:LINES]


def _size(lines: Sequence[bytes]) -> str:
    return f"{sum(map(len, lines)) / len(lines):,.0f} B"


def _parse() -> Work:
    return registry.get("claude").parse


def _render() -> Work:
    return registry.get("claude").renderer().feed


def _decode() -> Work:
    return json.loads


def _row(what: str, lines: Sequence[bytes], ours: Callable[[], Work]) -> Figure:
    sides = take_turns(
        {"ours": lambda: _rate(lines, ours()), "json": lambda: _rate(lines, _decode())},
        rounds=ROUNDS,
    )
    mine, json_alone = sides["ours"], sides["json"]
    return Figure(
        what,
        _shown(mine, lines),
        f"json.loads alone {_shown(json_alone, lines)}",
        spread(mine, json_alone),
        "",
        met=True,
    )


def _beside_claude(name: str, claude: Sequence[bytes]) -> Figure:
    lines = spoken(name)
    sides = take_turns(
        {
            "ours": lambda: _rate(lines, registry.get(name).listener().parse),
            "claude": lambda: _rate(claude, _parse()),
        },
        rounds=ROUNDS,
    )
    what = f"{LINES:,} lines of `{name}`, {_size(lines)} a line, read into facts"
    return at_least(what, sides["ours"], sides["claude"], SHARE, per_second)


def _rate(lines: Sequence[bytes], work: Work) -> float:
    """Lines per second."""
    began = time.perf_counter()
    for line in lines:
        work(line)
    return len(lines) / (time.perf_counter() - began)


def _shown(side: Rounds, lines: Sequence[bytes]) -> str:
    megabytes = side.median * sum(map(len, lines)) / len(lines) / 1e6
    rate = f"{side.median:,.0f} lines/s, " if len(lines) > 1 else ""
    return f"{rate}{megabytes:,.0f} MB/s"
