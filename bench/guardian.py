"""What one sample of the guardian costs, beside reading one line of an agent."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.agent_lines import recorded
from bench.figures import Figure, at_most, take_turns
from bench.product import Product
from bench.sizes import choose_size
from overmind_core.domain.agents.agent_events import ToolCalled, ToolReturned
from overmind_core.domain.watching import guardian, tool_window
from overmind_core.domain.watching.guardian import Observed, Scope
from overmind_core.domain.watching.health import HealthLevel
from overmind_core.domain.watching.tool_window import MOST_CALLS, ToolWindow
from overmind_core.providers import registry

AGENTS = choose_size(50, smoke=4)
SAMPLES = choose_size(2000, smoke=20)
"""In a round."""
ROUNDS = choose_size(9, smoke=1)
CHANGED = 40
"""Files that each agent has changed."""
GOAL = 15.0


def measure(product: Product, folder: str) -> list[Figure]:
    del product, folder
    observed = [_observed(number) for number in range(AGENTS)]
    lines = recorded()
    parse = registry.get("claude").parse

    def sample(number: int) -> None:
        guardian.sample(observed[number % AGENTS], 0.0)

    def read(number: int) -> None:
        parse(lines[number % len(lines)])

    sides = {"overmind": _each(sample), "reading one line of `claude`": _each(read)}
    ours, theirs = take_turns(sides, rounds=ROUNDS).values()
    return [at_most("one sample of the guardian", ours, theirs, GOAL, _microseconds)]


def _each(work: Callable[[int], None]) -> Callable[[], float]:
    def round_() -> float:
        began = time.process_time()
        for number in range(SAMPLES):
            work(number)
        return (time.process_time() - began) / SAMPLES

    return round_


def _observed(number: int) -> Observed:
    """An agent that has called as many tools as are looked at; every other one has lost its way."""
    window = ToolWindow()
    lost = number % 2 == 1
    for call in range(MOST_CALLS):
        path = f"/repository/src/part{number}/file{call % 5}.py"
        name = f"call{call}"
        if call % 3:
            fact = ToolCalled(name, "Edit", f"Edit: {path}", paths=(path,), edits=True)
            answer = ToolReturned(name, failed=False, digest=f"{call}")
        else:
            fact = ToolCalled(name, "Bash", "Bash: pytest -q", runs=True, digest="pytest -q")
            answer = ToolReturned(name, failed=lost, digest=f"{call}", error="ImportError: carts" if lost else "")
        window = tool_window.returned(tool_window.called(window, fact), answer)
    part = number + 1 if lost else number
    return Observed(
        window,
        level=HealthLevel.OK,
        scope=Scope((f"src/part{number}/**", "tests/**"), "/repository", "/repository"),
        changed=frozenset(f"src/part{part}/file{file}.py" for file in range(CHANGED)),
        seconds=300.0,
        estimate_seconds=200.0,
        cost_usd=0.2,
        estimate_usd=0.3,
    )


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs"
