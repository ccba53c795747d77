"""The changes of a mission, and the preview of their landing, as a tab gets them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import overmind_web
from overmind_core.view import landing
from overmind_core.view.diff import DiffFiles, File
from overmind_web.pages import changes
from tests.kit.cases import tabled
from tests.kit.web_tab import Message

DIFF = """\
diff --git a/app.py b/app.py
--- a/app.py
+++ b/app.py
@@ -1,3 +1,3 @@ def main():
 one
-two
+\tzwei\x1b[2J
 three
diff --git a/new.png b/new.png
new file mode 100644
Binary files /dev/null and b/new.png differ
"""


def text(shown: Message) -> str:
    return "\n".join("".join(text for text, _ in line) for line in shown["lines"])


def test_a_diff_is_lines_with_signs_and_numbers_and_control_characters_are_spelled_out():
    files = (File("M", "app.py", 1, 1), File("A", "new.png"))
    found = changes.content(DiffFiles("topic", (), files, DIFF, base="main"))
    app, image = found["files"]
    assert app["lines"] == [
        ("@", "@@ -1,3 +1,3 @@ def main():", None, None),
        (" ", "one", None, 1), ("-", "two", 2, None), ("+", "    zwei\\x1b[2J", None, 2), (" ", "three", None, 3),
    ]  # fmt: skip
    assert image["lines"] == [("@", "Binary files /dev/null and b/new.png differ", None, None)]


def test_a_file_that_nobody_listed_is_shown_by_its_diff():
    (only,) = changes.content(DiffFiles("topic", (), (), DIFF.partition("diff --git a/new")[0]))["files"]
    assert (only["path"], len(only["lines"])) == ("app.py", 5)


def test_changes_of_a_shared_folder_say_since_when_they_are():
    found = changes.content(DiffFiles("main", (), (), "", base="the start of attempt 2", note="Shown is \x1b[2J."))
    assert (found["note"], found["base"]) == ("Shown is \\x1b[2J.", "the start of attempt 2")
    assert found["empty"] == "no changes compared with the start of attempt 2"


def test_a_diff_of_too_many_lines_is_cut_and_says_so():
    body = "".join(f"+line {number}\n" for number in range(30_000))
    long = f"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1,30000 @@\n{body}"
    found = changes.content(DiffFiles("topic", (), (File("M", "a"),), long))
    assert (len(found["files"][0]["lines"]), found["cut"]) == (20_000, "more than 20,000 lines")


@tabled("how", [None, 7, "", "octopus", "\x00", ["merge"]])
def test_a_way_that_there_is_not_counts_as_not_said(how):
    assert changes.begun({}, {"how": how, "into": {"no": "text"}}).wanted.request("x", preview=True) == {
        "id": "x", "into": None, "squash": False, "rebase": False, "verify": None, "message": None, "preview": True,
    }  # fmt: skip


HANDED = [
    {"resolving": ["a"], "restarted": False},
    {"resolving": ["a"], "restarted": False, "waits_for": None},
    {"resolving": ["a", "b"], "restarted": True, "waits_for": "thaw"},
    {"resolving": ["a"], "restarted": False, "waits_for": "terminal"},
    {"resolving": ["a"], "restarted": False, "waits_for": "something newer"},
]
"""Answers to a merge whose conflicts its agent gets."""
SCRIPT = """
globalThis.location = { pathname: "/" };
const { handedOver } = await import("MODULE");
console.log(JSON.stringify(JSON.parse(process.argv[1]).map((answer) => handedOver("red", answer))));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to run it")
def test_a_page_says_as_every_face_does_when_an_agent_resolves_what_it_got():
    module = Path(overmind_web.__file__).parent / "static" / "lib" / "landing.js"
    script = SCRIPT.replace("MODULE", module.as_uri())
    words = ["node", "--input-type=module", "-e", script, json.dumps(HANDED)]
    said = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert said == [landing.resolving({"name": "red", **answer}) for answer in HANDED]
