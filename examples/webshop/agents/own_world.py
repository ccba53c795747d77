"""What an agent has of its own: its server at WEB_PORT, its database at DB_PORT, its worktree. It sees to that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

from shop.redis import Redis

SECONDS = float(os.environ.get("AGENT_SECONDS", "1"))
"""How long an agent thinks."""


def shop(path: str, method: str = "GET") -> str:
    """Ask this agent's own server."""
    url = f"http://{os.environ['WEB_HOST']}:{os.environ['WEB_PORT']}{path}"
    with urlopen(Request(url, method=method), timeout=10) as reply:
        return str(reply.read().decode())


def fill_cart(item: str, pieces: int) -> None:
    """Put things into the cart of a customer whom all agents know."""
    for _ in range(pieces):
        shop(f"/cart/guest?item={item}", "POST")
    print(f"{pieces} x {item} at :{os.environ['WEB_PORT']}", flush=True)


def check_alone(item: str, pieces: int) -> None:
    """See that the server and the database have what this agent put there, and nothing of anybody else's."""
    cart = json.loads(shop("/cart/guest.json"))["items"]
    with Redis(os.environ["DB_HOST"], int(os.environ["DB_PORT"])) as database:
        keys = database("KEYS", "*")
        kept = database("HGETALL", "cart:guest")
    assert cart == {item: pieces}, f"the cart is shared: {cart}"
    assert keys == ["cart:guest"], f"the database is shared: {keys}"
    assert kept == [item, str(pieces)], f"the database is shared: {kept}"
    print(f"web :{os.environ['WEB_PORT']}, db :{os.environ['DB_PORT']}: cart {cart}, nobody else's", flush=True)


def think() -> None:
    """Take the time that an agent takes."""
    time.sleep(SECONDS)


def edit(name: str, old: str, new: str) -> None:
    """Change a file of this agent's worktree."""
    path = Path(name)
    before = path.read_text(encoding="utf-8")
    assert old in before, f"{name} is not what it was"
    path.write_text(before.replace(old, new), encoding="utf-8")
    print(f"changed {name} on {os.environ['OVERMIND_BRANCH']}", flush=True)


def run_tests() -> None:
    """The tests pass with the change."""
    subprocess.run([sys.executable, "-m", "unittest", "-q"], check=True)
