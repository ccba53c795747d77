"""Work that the engine begins by itself, done by the real program: a quest of the queue, a phase of a spec, a steer."""

from __future__ import annotations

import json
import os
import re

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.kit.directives import Reply, text, tool_use
from tests.kit.messages_request import tool_results, user_texts
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.spec_documents import WHOLE, write_files
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.claude, pytest.mark.linux]

PATIENCE = 60.0
ERROR = "ImportError: no module named 'carts'"


class Model:
    """Plays a list of steps in each conversation, one a request: a step makes the reply from the request.

    Attributes:
        prompts: The first text of each conversation, oldest first.
        results: What tools said, in the order in which they did.
    """

    def __init__(self, *conversations):
        self.prompts: list[str] = []
        self.results: list[str] = []
        self._conversations = conversations

    def __call__(self, body):
        if not body.get("tools"):
            return None  # the program asks for something of its own, such as a title
        prompt = user_texts(body)[0]
        spoken = sum(message["role"] == "assistant" for message in body["messages"])
        if prompt not in self.prompts:
            self.prompts.append(prompt)
        self.results += [one.text for one in tool_results(body)]
        steps = self._conversations[self.prompts.index(prompt)]
        step = steps[spoken] if spoken < len(steps) else Reply([text("done")])
        return step(prompt) if callable(step) else step


def said(words):
    return Reply([text(words)])


def folder(prompt, variable):
    """The folder that the prompt names beside this variable."""
    found = re.search(rf"(\S+) \(\${variable}\)", prompt)
    assert found, prompt
    return found[1]


def reads(name):
    return lambda prompt: Reply([tool_use("Read", {"file_path": f"{folder(prompt, 'OVERMIND_IN')}/{name}"})])


def hands_in(name, content):
    def step(prompt):
        path = f"{folder(prompt, 'OVERMIND_OUTPUT_DIR')}/{name}"
        return Reply([tool_use("Write", {"file_path": path, "content": content})])

    return step


def runs(command):
    return Reply([tool_use("Bash", {"command": command, "description": "a step"})])


@pytest.fixture
def shop(om, world):
    """The command line of that person, whose project is a repository."""
    om.environment |= {**world.environment, **AUTHOR, "OVERMIND_CLAUDE_BIN": world.program}
    write_files(world.work)
    shop = Repository(world.work)
    shop.git("init", "-q", "-b", "main")
    shop.commit("first", {})
    return shop


def test_a_queued_quest_reads_its_feedback_and_lands(om, shop, api):
    """It reads and writes in its two folders unasked, and its second attempt knows what the check has printed."""
    api.model = model = Model(
        [runs("true"), hands_in("notes.md", "first\n"), said("I think that is it.")],
        [
            reads("feedback.md"),
            runs("echo 'def carts(): return []' > carts.py"),
            hands_in("notes.md", "carts.py is new\n"),
            said("Now it is."),
        ],
    )
    om.ok(
        *("quest", "add", "Add carts", "--brief", "In carts.py.", "--provider", "claude", "--allowed-tools", "Bash"),
        *("--cwd", shop.folder, "--into", "main", "--check", "echo no carts yet; test -s carts.py"),
        *("--outputs", "notes.md", "--retries", "1"),
    )
    assert "completed (exit code 0)" in om.ok("quest", "wait", "add-carts", timeout=2 * PATIENCE)
    info = om.json("quest", "info", "add-carts")
    assert [one["class"] for one in info["attempt_list"]] == ["check_failed", None]
    assert info["cost_usd"] > 0
    assert model.prompts[0].startswith("# Add carts\n\nIn carts.py.\n")
    assert "no carts yet" in model.prompts[1]
    assert any("Attempt 1 failed: its check failed." in result for result in model.results), "it has read the file"
    assert shop.git("show", "main:carts.py") == "def carts(): return []"
    with open(om.path("files", info["id"], "out", "notes.md"), encoding="utf-8") as file:
        assert file.read() == "carts.py is new\n"
    assert om.json("inbox", "--json") == []


def test_a_phase_of_a_spec_hands_in_its_document(om, shop, api):
    document = json.dumps(WHOLE[PhaseName.EXPLORE])
    api.model = model = Model([reads("schema.json"), hands_in("explore.json", document), said("Explored.")])
    om.ok("spec", "new", "Carts", "--brief", "A cart for each person.", "--provider", "claude", cwd=shop.folder)
    said_ = om.ok("spec", "run", "carts", "--to", "explore", "--wait", timeout=2 * PATIENCE)
    assert re.search(r"^explore +passed +\S+ +attempt 1 ", said_, re.MULTILINE), said_
    assert len(model.prompts) == 1
    assert "A cart for each person." in model.prompts[0]
    assert any("key_files" in result for result in model.results), "it has read the schema"
    with open(os.path.join(shop.folder, ".overmind", "specs", "carts", "explore.md"), encoding="utf-8") as file:
        assert file.read().startswith("# explore: Carts\n")
    assert om.json("inbox", "--json") == []


def test_a_session_that_goes_in_circles_is_told_once_a_person_allows_it(om, shop, api):
    with open(om.path("config.toml"), "w", encoding="utf-8") as config:
        config.write('[guardian]\nevery = "100ms"\npause = "1h"\n')  # a slow start is no silence
    gate = om.path("gate")
    edit = [
        Reply([tool_use("Write", {"file_path": f"{shop.folder}/carts.py", "content": f"x = {number}\n"})])
        for number in range(5)
    ]
    fail = [runs(f'echo "{ERROR}" >&2; exit {number}') for number in (1, 2, 3)]
    wait = runs(f"until [ -e {gate} ]; do sleep 0.05; done")
    api.model = Model([*edit, *fail, wait, said("I can't go on."), said("I have understood.")])
    om.ok(
        *("claude", "run", "--type", "session", "--name", "boss", "--cwd", shop.folder),
        *("--allowed-tools", "Bash,Write,Edit", "--permission-mode", "acceptEdits", "begin"),
    )
    (asked,) = eventually(lambda: om.json("inbox", "--json"), timeout=PATIENCE, what="it is asked about")
    assert (asked["need"], asked["name"]) == ("steer", "boss")
    assert "ImportError: no module named" in asked["summary"], "by the errors, or by the edits between them"
    assert [one["text"] for one in om.api("messages", id="boss")] == ["begin"]
    om.ok("answer", "boss", "allow")
    with open(gate, "w", encoding="utf-8"):
        pass
    sent = eventually(
        lambda: [one for one in om.api("messages", id="boss")[1:] if one["state"] == "answered"], timeout=PATIENCE
    )
    assert [one["text"] for one in sent] == [asked["subject"]["text"]]
    assert api.texts.count(sent[0]["text"].strip()) == 1, "the model was told once"
    steers = [(event["rung"], event["outcome"]) for event in om.events("steer")]
    assert steers[0] == ("message", None)
    assert om.json("inbox", "--json") == []
