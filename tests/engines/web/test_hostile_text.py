"""What others wrote, on every page: tags, scripts, control and bidi characters are text, and nothing runs."""

from __future__ import annotations

import json
import os
import shlex

import pytest

from tests.engines.web.conftest import DESK, PHONE
from tests.engines.web.test_needs import asks, edit
from tests.kit.blueprints import applied
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually

RUNS = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
HOSTILE = f"{RUNS}\x1b[31m\x1b]8;;javascript:alert(3)\x07\u202etxet\u2066 javascript:alert(4)"
"""The tag and the script, colours and a link of a terminal, text that turns around, a link that would run."""
SEEN = """() => {
    const controls = /[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]/;
    const elements = [...document.querySelectorAll("*")];
    const texts = [document.title, document.body.textContent, ...elements.flatMap((one) =>
        [...one.attributes].map((attribute) => attribute.value))];
    for (const one of elements) if ("value" in one && typeof one.value === "string") texts.push(one.value);
    return {
        made: elements.filter((one) => ["IMG", "SCRIPT", "IFRAME", "OBJECT"].includes(one.tagName)
            && !one.closest("head")).map((one) => one.outerHTML),
        links: elements.filter((one) => /^\\s*javascript:/i.test(one.getAttribute("href") ?? ""))
            .map((one) => one.outerHTML),
        handlers: elements.filter((one) => [...one.attributes].some(({ name }) => name.startsWith("on")))
            .map((one) => one.outerHTML),
        controls: texts.filter((text) => controls.test(text)),
        shown: document.body.textContent.includes("onerror=alert(1)"),
    };
}"""
"""What a page has that it must not have, and whether the text is there."""
SOME = 10
"""Characters of a page that has drawn something."""


@pytest.fixture
def world(agents, site, om, tmp_path) -> dict[str, str]:
    """Everything that others can write, with hostile text in it; ids by what they are."""
    om.environment |= AUTHOR
    shop = Repository(str(tmp_path / "shop"))
    shop.commit("first", {"app.py": "one\n"})
    agents.work = shop.folder
    asking = asks(agents, f"!tool Bash {json.dumps({'command': f'make {HOSTILE}', 'description': HOSTILE})}", "asks")
    asks(agents, edit(om.home, f"before {HOSTILE}", f"after {HOSTILE}"), "edits")
    asks(agents, f"!plan 1. {RUNS}\n2. javascript:alert(5)", "plans")
    option = {"label": f"a {RUNS}", "description": HOSTILE}
    several = {"question": HOSTILE, "header": "H", "multiSelect": False, "options": [option, {**option, "label": "b"}]}
    asks(agents, f"!question {json.dumps({'questions': [several]})}", "chooses")
    done = agents.session("--name", "answers", "--isolate", prompt=f"say {HOSTILE}")
    agents.doing(done, "idle")
    tree = Repository(shop.path(".overmind", "worktrees", done))
    tree.commit(f"work {HOSTILE}", {f"{RUNS.replace('/', '_')}\x1b.py": f"{HOSTILE}\n"})
    with open(os.path.join(tree.folder, "app.py"), "w", encoding="utf-8") as file:
        file.write(f"one\n{HOSTILE}\n")
    logged = om.mission(["sh", "-c", f"printf '%s\\n' {shlex.quote(HOSTILE)}; exec cat", HOSTILE], "--type", "session",
                        "--name", "logs", "--label", "team=<img>")  # fmt: skip
    om.finished(f"echo {shlex.quote(HOSTILE)}; exit 3", "--name", "fails")
    om.ok("queue", "pause")
    om.ok("quest", "add", RUNS, "--provider", "claude", "--cwd", shop.folder)
    om.ok("quest", "add", "A command", "--", "echo", HOSTILE)
    om.ok("ritual", "create", "nightly", "0 3 * * *", f"echo {shlex.quote(RUNS)}")
    om.ok("remember", HOSTILE.replace("\x1b", "").replace("\x07", ""), cwd=shop.folder)
    fetch = json.dumps(f"echo {shlex.quote(RUNS)}; sleep 600")
    plan = applied(om, tmp_path, f"[agents.fetch]\ncommand = {fetch}\n", "release")
    return {"asking": asking, "done": done, "logged": logged, "plan": plan}


def routes(world: dict[str, str]) -> dict[str, bool]:
    """Every page, and whether it has some of the text."""
    tabs = {"log", "terminal", "changes", "stats", "events", "describe"}
    own = {f"m/{world[what]}/{tab}": True for what in ("asking", "done", "logged") for tab in tabs}
    shown = ("needs", "missions", "quests", "rituals", "memory", "health", f"changes/{world['done']}")
    others = (
        "plans",
        "queue",
        "events",
        "board",
        "specs",
        "worktrees",
        "timeline",
        "cost",
        "doctor",
        f"plan/{world['plan']}",
    )
    return {**dict.fromkeys(shown, True), **own, **dict.fromkeys(others, False)}


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_of_what_others_wrote_runs_or_turns_a_page_around(pages, world, how):
    page = pages.open(**how)
    page.on("dialog", lambda dialog: pages.problems.append(f"a dialog opened: {dialog.message}"))
    found = {}
    for route, has_it in routes(world).items():
        pages.go(page, route)
        eventually(lambda: len(page.locator("#main").inner_text()) > SOME, timeout=20, what=f"{route} is drawn")
        if has_it:
            eventually(lambda: page.evaluate(SEEN)["shown"], timeout=20, what=f"{route} shows the text")
        seen = page.evaluate(SEEN)
        del seen["shown"]
        if wrong := {name: what for name, what in seen.items() if what}:
            found[route] = wrong
    assert not found, json.dumps(found, indent=1)
