"""What the scripted agent hands in for each phase of the spec `carts`, and what it writes for each of its tasks."""

from __future__ import annotations

from typing import Any

TITLE = "carts"
BRIEF = "A visitor can buy one thing at a time. Let them keep a cart, also when the shop starts again."

EXPLORE: dict[str, Any] = {
    "codebase_summary": "A small shop in plain Python: prices, the pages of its menu, and tests that `./test` runs.",
    "project_type": "library",
    "tech_stack": ["Python", "unittest"],
    "structure": {"prices.py": "prices of all things", "pages.py": "entries of the menu"},
    "key_files": [
        {"path": "prices.py", "purpose": "prices in cents, and how they are shown"},
        {"path": "pages.py", "purpose": "the pages, in the order of the menu"},
        {"path": "test_prices.py", "purpose": "how tests are written here"},
    ],
    "conventions": {
        "naming": "nouns for modules, verbs for functions",
        "testing": "unittest, one test file for each module",
        "patterns": "functions on plain data",
    },
    "questions": [
        {"category": "problem", "question": "What does a visitor lose today?"},
        {"category": "users", "question": "Has every visitor a name?"},
        {"category": "scope", "question": "Are there vouchers?"},
        {"category": "technical", "question": "Where is a cart kept?"},
        {"category": "risks", "question": "What if a cart can't be read?"},
    ],
    "feature": {
        "name": "Carts",
        "problem": "A visitor can buy one thing at a time.",
        "scope_in": ["add and count things", "survive a restart"],
        "scope_out": ["vouchers"],
    },
    "patterns": ["prices are a mapping of a name to cents"],
    "related": ["the menu lists what a visitor can open"],
}

_REQUIREMENTS: list[dict[str, Any]] = [
    {
        "id": "REQ-CART-001",
        "title": "Add a thing",
        "text": "When a visitor adds a thing, the shop shall keep it in the cart.",
        "type": "functional",
        "priority": "high",
        "acceptance": ["adding a thing twice counts 2", "the total is the sum of all prices"],
    },
    {
        "id": "REQ-CART-002",
        "title": "Survive a restart",
        "text": "When the shop starts again, it shall not lose a cart.",
        "type": "reliability",
        "priority": "medium",
        "acceptance": ["a cart is the same after a restart", "a visitor without a cart has an empty one"],
    },
    {
        "id": "REQ-CART-003",
        "title": "Show the cart",
        "text": "While a cart has something in it, the menu shall lead to it.",
        "type": "functional",
        "priority": "medium",
        "acceptance": ["the menu has the page `cart`", "each line shows a thing and its number"],
    },
    {
        "id": "REQ-CART-004",
        "title": "Check out",
        "text": "When a visitor checks out, the shop shall show what is due.",
        "type": "functional",
        "priority": "medium",
        "acceptance": ["the menu has the page `checkout`", "it shows the total"],
    },
    {
        "id": "REQ-CART-005",
        "title": "Say so",
        "text": "Where the readme lists what the shop can do, it shall name carts.",
        "type": "documentation",
        "priority": "low",
        "acceptance": ["the readme names carts", "it names the files"],
    },
]

REQUIREMENTS: dict[str, Any] = {
    "feature_name": "Carts",
    "requirements": _REQUIREMENTS,
    "assumptions": ["a visitor has a name"],
}
"""Without `out_of_scope` and `traceability`: 0.95."""

WEAK_REQUIREMENTS: dict[str, Any] = {
    "feature_name": "Carts",
    "requirements": [
        *_REQUIREMENTS[:2],
        {**_REQUIREMENTS[2], "text": "The menu leads to the cart.", "acceptance": []},
        {**_REQUIREMENTS[3], "text": "A visitor can check out.", "acceptance": []},
        {**_REQUIREMENTS[4], "text": "The readme names carts.", "acceptance": []},
    ],
    "assumptions": ["a visitor has a name"],
}
"""What the first attempt hands in: 0.62."""

DESIGN: dict[str, Any] = {
    "feature_name": "Carts",
    "overview": (
        "A cart is a mapping of a thing to its number. One module counts and adds up, another one keeps each visitor's "
        "cart as JSON, and the menu leads to a page that shows it."
    ),
    "components": [
        {"name": "cart", "responsibility": "adds, counts, and sums up"},
        {"name": "store", "responsibility": "reads and writes carts"},
        {"name": "page", "responsibility": "shows a cart"},
    ],
    "data_models": ["cart: thing → number"],
    "interfaces": ["add(cart, thing), total(cart), load(visitor), save(visitor, cart), lines(cart)"],
    "errors": "A visitor without a file has an empty cart.",
    "testing": {"unit": "each module alone", "integration": "./test on the merged work"},
    "security": ["a visitor's name is never a path", "nothing that was typed is run"],
    "integration": ["the menu in pages.py"],
}


def _task(number: int, title: str, description: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {
        "id": f"TSK-{number:03}",
        "title": title,
        "description": description,
        "type": "feature",
        "priority": "medium",
        "group": "TKT-001",
        "hours": 1,
        "check": "./test",
        **more,
    }


TASKS: dict[str, Any] = {
    "groups": {"TKT-001": "Carts"},
    "tasks": [
        _task(1, "Write the cart", "Add things, count them, and sum up what they cost.",
              creates=["cart.py", "test_cart.py"], requirements=["REQ-CART-001"],
              acceptance=["a thing that is added twice counts 2"]),
        _task(2, "Keep carts as files", "One file of JSON for each visitor.",
              creates=["store.py", "test_store.py"], requirements=["REQ-CART-002"],
              acceptance=["a cart is the same after a restart"]),
        _task(3, "Show a cart", "A line for each thing, with its number and price.",
              creates=["page.py", "test_page.py"], requirements=["REQ-CART-003"],
              acceptance=["each line shows a thing and its number"]),
        _task(4, "Add the cart to the menu", "The page of the cart stands behind that of the prices.",
              modifies=["pages.py"], needs=["TSK-002", "TSK-003"], requirements=["REQ-CART-003"],
              acceptance=["the menu has the page `cart`"]),
        _task(5, "Check out", "A page that sums up a cart, and its place in the menu.",
              needs=["TSK-002", "TSK-003"], requirements=["REQ-CART-004"],
              acceptance=["the menu has the page `checkout`"]),
        _task(6, "Describe carts", "A paragraph in the readme.", type="docs",
              modifies=["README.md"], needs=["TSK-001", "TSK-004", "TSK-005"], requirements=["REQ-CART-005"],
              acceptance=["the readme names carts"]),
    ],
}  # fmt: skip
"""Task 5 names no files: so it runs beside task 4, and both change the menu."""

# what is in the repository before

PAGES = '''"""The menu."""

PAGES = {pages}
"""In their order."""
'''
"""Three of the tasks change its one list."""


def pages(*names: str) -> str:
    """The module of the menu with these pages."""
    listed = ", ".join(f'"{name}"' for name in names)
    return PAGES.format(pages=f"[{listed}]")


# what its tasks add

CART = '''"""A cart: thing → number."""

from prices import PRICES


def add(cart, thing):
    cart[thing] = cart.get(thing, 0) + 1


def total(cart):
    """In cents."""
    return sum(PRICES[thing] * number for thing, number in cart.items())
'''
CART_WITHOUT_TOTAL = CART.partition("\n\ndef total")[0] + "\n"
TEST_CART = """import unittest

import cart


class Cart(unittest.TestCase):
    def test_two_of_a_thing(self):
        mine = {}
        cart.add(mine, "bread")
        cart.add(mine, "bread")
        self.assertEqual(cart.total(mine), 638)
"""

STORE = '''"""Carts on disk, a file of JSON for each visitor."""

import json
import os


def load(visitor, folder="carts"):
    try:
        with open(os.path.join(folder, f"{visitor}.json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(visitor, cart, folder="carts"):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{visitor}.json"), "w") as file:
        json.dump(cart, file)
'''
STORE_WITHOUT_FOLDER = STORE.replace("    os.makedirs(folder, exist_ok=True)\n", "")
TEST_STORE = """import os
import tempfile
import unittest

import store


class Store(unittest.TestCase):
    def test_a_cart_survives(self):
        with tempfile.TemporaryDirectory() as top:
            folder = os.path.join(top, "carts")
            store.save("ada", {"bread": 2}, folder)
            self.assertEqual(store.load("ada", folder), {"bread": 2})
"""

PAGE = '''"""A cart as a visitor reads it."""

from prices import PRICES, shown


def lines(cart):
    return [f"{number} x {thing}  {shown(PRICES[thing] * number)}" for thing, number in sorted(cart.items())]
'''
TEST_PAGE = """import unittest

import page


class Page(unittest.TestCase):
    def test_a_line_for_each_thing(self):
        self.assertTrue(page.lines({"bread": 2})[0].startswith("2 x bread"))
"""

CHECKOUT = '''"""What a visitor pays."""

from prices import PRICES


def due(cart):
    """In cents."""
    return sum(PRICES[thing] * number for thing, number in cart.items())
'''
ABOUT_CARTS = "\nA visitor keeps a cart, also when the shop starts again: see `cart.py` and `store.py`.\n"
