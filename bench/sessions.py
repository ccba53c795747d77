"""What an idle agent's session costs us, beside what its own program uses: memory of supervisor and keeper."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from bench.figures import Figure
from bench.processes import resident
from bench.product import Home, Product
from bench.sizes import choose_size

FEW, MANY = choose_size((100, 500), smoke=(2, 4))
AT_ONCE = 8
CLAUDE = 191_000_000
"""Bytes that an idle session of the real program has resident, for comparison (version 2.1.328)."""


def measure(product: Product, folder: str) -> list[Figure]:
    agent = os.path.join(folder, "silent-agent")
    with open(agent, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexec sleep 100000\n")  # a headless session says nothing before its first message
    os.chmod(agent, 0o755)
    with product.home() as home:
        home.environment["OVERMIND_CLAUDE_BIN"] = agent
        few = _grown(home, FEW)
        many = _grown(home, MANY - FEW)
    each = (many - few) / (MANY - FEW)
    return [
        Figure(
            "an idle session of an agent: our memory",
            f"{each / 1000:.0f} kB",
            f"the agent's own {CLAUDE / 1e6:.0f} MB",
            f"**{each / CLAUDE:.4f}×**",
            "",
            met=True,
        )
    ]


def _grown(home: Home, count: int) -> int:
    """Start sessions; return the bytes that supervisor and keeper have then."""
    words = ("run", "--provider", "claude", "--type", "session")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: home.command(*words), range(count)))
    return resident(home.supervisor) + resident(home.keeper)
