"""Each verb of the web has a button, and each button a verb: what the front end names is in the table of operations."""

from __future__ import annotations

import os
import re
from typing import cast

from overmind_core.domain.operations import web_verbs
from overmind_web.pages.registry import PAGES
from tests.kit.overmind import REPOSITORY

STATIC = os.path.join(REPOSITORY, "overmind_web", "static")
_NAMED = re.compile(r"""(?:\b(?:button|press|item|small)\(\s*|\bverb:\s*)"([a-z_]+)\"""")
"""How modules name a verb: `verbs.button("run", …)`, `press("stop")`, `{ verb: "forget" }`."""


def modules() -> dict[str, str]:
    """Our own modules of the front end, by their paths from its top."""
    found = {}
    for folder, _, names in os.walk(STATIC):
        if "vendor" in folder:
            continue
        for name in names:
            if name.endswith(".js"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, STATIC)] = file.read()
    return found


def test_each_button_names_a_verb_of_the_table():
    known = {row["name"] for row in web_verbs()}
    strangers = {
        f"{path}: {verb}" for path, text in modules().items() for verb in _NAMED.findall(text) if verb not in known
    }
    assert not strangers


def test_each_verb_that_changes_something_has_a_button_on_pages_that_there_are():
    there = {page.name for page in PAGES} | {"mission"}  # whose page is that of its tabs
    texts = "\n".join(modules().values())
    made = {str(row["request"]) for row in web_verbs() if row["name"] != row["request"] and f'"{row["name"]}"' in texts}
    missing = [
        row["name"]
        for row in web_verbs()
        if row["danger"] != "none"
        and there.intersection(cast("list[str]", row["pages"]))
        and f'"{row["name"]}"' not in texts
        and row["name"] not in made
    ]
    assert not missing
