"""Tell the story; exit status 0 when it went as it is told, 3 when it can't be told here."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from contextlib import ExitStack
from types import FrameType
from typing import NoReturn

from overmind_core.containers.engine import Engine
from overmind_core.containers.model import EngineMissing
from scripts.images.__main__ import Impossible
from scripts.webshop.image import present
from scripts.webshop.stage import DATABASES, Stage, Unexpected, stage

FINAL = frozenset({"stopped", "crashed", "killed"})
BOTH = ("discount", "header")
PAIR = ("euro", "pound")


def main() -> int:
    """Play it with the database that was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/demo-isolation")
    parser.add_argument("--database", choices=tuple(DATABASES), default="docker")
    database = parser.parse_args().database
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        with ExitStack() as stack:
            _tell(_database(database, stack))
            one = stack.enter_context(stage(database))
            _play(one)
        _see_that_nothing_is_left(one, database)
    except (EngineMissing, Impossible) as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except Unexpected as error:
        sys.stderr.write(f"This is not how it should be: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(number)


def _database(database: str, stack: ExitStack) -> str:
    """See that there is one; return where it comes from."""
    if database == "docker":
        return f"Each agent's Redis is a container. {stack.enter_context(present(os.environ))}"
    if database == "redis-server" and shutil.which("redis-server") is None:
        told = "Neither an engine of Docker nor a redis-server is here, and the shop keeps its carts in Redis."
        raise Impossible(f"{told} Install one of them, or: scripts/demo-isolation --database stand-in")
    return f"Without containers: each agent's database is a process ({database})."


def _play(one: Stage) -> None:
    _tell("1. A shop in a git repository. Its .overmind.yml says what an agent gets of its own; it is trusted once.")
    one.show("overmind trust")
    _tell("2. Two agents change it at the same time, each in its own worktree, with its own server and database.")
    one.show("overmind apply webshop.toml")
    one.until("both run", lambda: all(one.status(name) in {"running", *FINAL} for name in BOTH))
    one.show("overmind ports")
    one.show("overmind worktrees", columns=120)
    one.ended("webshop")
    _tell("3. Both put things into the cart of the same customer. Nobody sees the other's.")
    for name in BOTH:
        one.show(f"overmind logs {name}", only=lambda line: "nobody else's" in line)
    _tell("4. They changed different files: both are merged, each after its tests have passed on the merged work.")
    merged = one.show("overmind logs land")
    _check("both are merged", merged.count("Merged webshop/") == len(BOTH))
    _tell("5. Two others changed the same line: the second is refused, and nothing is changed by it.")
    clash = one.show("overmind logs clash")
    _check("the conflict is told", "CONFLICT shop/page.py: webshop/pound and webshop/euro" in clash)
    one.show("git log --oneline --first-parent")
    one.show("git status --short")
    page = (one.shop / "shop" / "page.py").read_text(encoding="utf-8")
    prices = (one.shop / "shop" / "prices.py").read_text(encoding="utf-8")
    _check("main has three changes", 'CURRENCY = "EUR"' in page and "({pieces})" in page and "9 // 10" in prices)
    _check("and nothing is uncommitted", one.git("status", "--porcelain") == "")
    _tell("6. The work that did not land is still there, and is not removed by accident.")
    one.show("overmind worktrees prune -y", only=lambda line: "pound" in line)
    one.show("overmind discard pound --force")


def _see_that_nothing_is_left(one: Stage, database: str) -> None:
    if database == "docker":
        engine = Engine.connect(one.environ)
        try:
            left = engine.own_containers(str(one.home))
        finally:
            engine.close()
        _check("no container is left", not left)
    _check("the folder is gone", not one.shop.exists())
    _tell("Everything is removed again: worktrees, containers, volumes, the home.")


def _check(what: str, is_so: bool) -> None:  # noqa: FBT001 - a fact
    if not is_so:
        raise Unexpected(f"not: {what}")


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
