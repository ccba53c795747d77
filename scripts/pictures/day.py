"""A working day: forty missions. Three agents ask, five missions run, 32 have ended, one of them badly."""

from __future__ import annotations

import os
from typing import Any

from scripts.pictures.agents import scripted, until_asked
from scripts.pictures.colony import Colony
from scripts.pictures.workers import commit_all

OLD_SUM = "    return sum(item.price * item.count for item in cart.items)"
NEW_SUM = "    return sum(round(item.price * item.count * item.vat) for item in cart.items)"
ROUNDED = {
    "question": "How are prices rounded?",
    "header": "Rounding",
    "multiSelect": False,
    "options": [
        {"label": "half up", "description": "12.125 → 12.13, as the invoices do today"},
        {"label": "half even", "description": "12.125 → 12.12, as banks do"},
        {"label": "cut", "description": "12.129 → 12.12, as the old till did"},
    ],
}
SCRIPT: dict[str, Any] = {
    "quests": {
        "api": [
            {"tool": "Bash", "command": "git status --short", "result": "ok"},
            {"tool": "Bash", "command": "pytest -q", "result": "212 passed"},
            {"say": "All 212 tests pass. I'll push the three commits to main now."},
            {"ask": "Bash", "command": "git push origin main"},
        ],
        "cart-vat": [
            {"tool": "Read", "input": {"file_path": "cart.py"}, "result": "ok"},
            {"say": "Half a cent is left when the tax of a cup is added: the invoices and the till differ there."},
            {"ask": "AskUserQuestion", "input": {"questions": [ROUNDED]}},
        ],
        "checkout": [
            {"tool": "Read", "input": {"file_path": "checkout.py"}, "result": "ok"},
            {"say": "The sum leaves out the tax of each item. One line changes; its test fails as yet."},
            {"ask": "Edit", "input": {"file_path": "checkout.py", "old_string": OLD_SUM, "new_string": NEW_SUM}},
        ],
        "search-index": [
            {"say": "The index lowers names but keeps the marks, so 'müsli' is not found by 'musli'. I'll fold both"
                    " sides with one function, used by the index and by the question, and begin with a failing test."},
            {"tool": "Read", "input": {"file_path": "search/index.py"}, "result": "ok"},
            {"tool": "Edit", "input": {"file_path": "tests/test_search.py"}, "result": "ok"},
            {"tool": "Bash", "command": "pytest -q tests/test_search.py", "error": "3 failed, 12 passed"},
            {"say": "It fails as expected: three of the new cases. What is left are ß and the Turkish dotless i, which"
                    " I map by hand, as the database's own collation does."},
            {"tool": "Edit", "input": {"file_path": "search/fold.py"}, "result": "ok"},
            {"tool": "Edit", "input": {"file_path": "search/query.py"}, "result": "ok"},
            {"tool": "Bash", "command": "pytest -q", "result": "215 passed"},
            {"say": "All green. One old test wants 'öl' to come after 'zimt', so names keep their marks for sorting: I"
                    " add that to the index."},
            {"sleep": 900},
        ],
        "i18n": [
            {"tool": "Read", "input": {"file_path": "messages/de.toml"}, "result": "ok"},
            {"say": "German and French are complete. Italian lacks 41 of 212 texts."},
            {"cost": 3.1},
            {"limit": 7200},
        ],
    }
}  # fmt: skip
TASKS = {
    "api": "When the tests are green, bring the price fix to main and push it.",
    "checkout": "The sum at the checkout is wrong for books: find out why, and mend it.",
    "i18n": "Translate what is new in the shop.",
    "search-index": "Make the search find names with umlauts, and prove it with tests.",
}
ENDED = {
    "lint": "All checks passed!",
    "types": "no issues in 41 source files",
    "deps": "31 packages are current",
    "schema": "3 tables, 1 index, nothing to migrate",
    "migrate": "2 steps forward, 0 back",
    "seed": "212 articles, 40 customers",
    "fonts": "4 fonts, 96 kB",
    "icons": "18 icons in one sprite",
    "styles": "shop.css 21 kB",
    "bundle": "shop.js 148 kB, 3 chunks",
    "links": "311 links, none dead",
    "spelling": "no mistakes in 62 pages",
    "sitemap": "62 pages",
    "thumbnails": "212 pictures in 3 sizes",
    "licences": "31 licences, all known",
    "audit": "found 0 vulnerabilities",
    "backup": "shop-2.tar.zst, 18 MB",
    "restore": "18 MB, sums agree",
    "e2e": "24 passed",
    "unit-stock": "38 passed",
    "unit-mails": "17 passed",
    "unit-vouchers": "9 passed",
    "contract": "52 passed",
    "load": "p95 41 ms at 200 requests a second",
    "memory": "peak 61 MB",
    "wheel": "shop-1.4.0-py3-none-any.whl",
    "notes": "CHANGELOG.md, 6 entries",
    "translate": "complete in de, fr and it",
    "prices": "212 prices, all above zero",
    "stock": "weights agree",
}
"""Name → the last line of each that went well."""
PROGRAMS = {
    "shop-tests": r"""#!/usr/bin/env python3
import itertools, time
for number in itertools.count(1):
    until = time.monotonic() + (0.12 if number % 7 else 0.02)
    while time.monotonic() < until:
        pass
    print(f"tests/test_cart.py::test_line_{number:03} passed", flush=True)
    time.sleep(0.9)
""",
    "release": """#!/bin/sh
overmind run --name shop-tests ./shop-tests
overmind claude run --type session --name cart-vat 'Add the tax to every item of the cart'
echo 'waits for shop-tests and cart-vat'
exec sleep 900
""",
    "worker": """#!/bin/sh
echo 'job 1: send receipt'; echo 'job 2: count stock'
sleep 4
echo 'the queue was lost after 2 jobs'
exit 75
""",
    "unit": """#!/bin/sh
echo '  File "cart.py", line 14'
echo 'E999 SyntaxError: invalid syntax in cart.py:14'
exit 1
""",
    "crawler": """#!/bin/sh
exec sleep 900
""",
}
"""Of the shop, all of which its repository has."""
MAKEFILE = "".join(f"{name}:\n\t@echo '{line}'\n" for name, line in ENDED.items())


def play(here: Colony) -> None:
    """Start all of it, and wait until all that ask do."""
    world = scripted(here, SCRIPT)
    for name, text in {**PROGRAMS, "Makefile": MAKEFILE}.items():
        path = os.path.join(here.project, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o700)
    commit_all(here.project, here.environ)
    for name in ENDED:
        world.overmind("run", "--name", name, "--", "make", name)
    _program(world, "crawler")
    world.overmind("stop", "crawler")
    _program(world, "release")
    until_asked(world, {"cart-vat"})
    _agent(world, "search-index")
    _agent(world, "i18n")
    _program(world, "worker", "--restart", "on-failure", "--max-restarts", "0", "--backoff", "20000")
    _program(world, "unit")
    for name in ("api", "checkout"):
        _agent(world, name)
        until_asked(world, {name})


def _program(world: Colony, name: str, *options: str) -> None:
    world.overmind("run", "--name", name, *options, f"./{name}")


def _agent(world: Colony, name: str) -> None:
    world.overmind("claude", "run", "--type", "session", "--name", name, "--cwd", world.project, TASKS[name])
