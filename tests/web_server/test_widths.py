"""Characters have the cells in a page that our emulator gives them, also those that stand together."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

import overmind_web
from overmind_core.terminal.screen import Screen

MODULE = Path(overmind_web.__file__).parent / "static" / "lib" / "xterm-widths.js"
PARTS = [*"a1日é\u0301\ufe0f\u200d\u20e3🇩🇪👩❤⚠☝🏽🏿🏴\U000e0067©☠♂⌚\ufe0eක\u0dca"]
SCRIPT = """
import { widths } from "MODULE";
const texts = JSON.parse(await new Promise((done) => {
  let all = "";
  process.stdin.on("data", (data) => (all += data)).on("end", () => done(all));
}));
// As InputHandler.print of xterm.js does it.
const cells = (text) => {
  let [before, x] = [0, 0];
  for (const letter of text) {
    const found = widths.charProperties(letter.codePointAt(0), before);
    x += ((found >> 1) & 3) - (found & 1 ? (before >> 1) & 3 : 0);
    before = found;
  }
  return x;
};
console.log(JSON.stringify(texts.map(cells)));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to run it")
def test_what_stands_together_takes_the_same_cells_in_a_page():
    chance = random.Random(7)
    texts = ["🇩🇪", "👨‍👩‍👧", "👍🏽", "⚠️", "✔️", "1️⃣", "👩🏽‍❤️‍💋‍👨🏽", "🏴‍☠️"]
    texts += ["x" + "".join(chance.choices(PARTS, k=chance.randint(1, 6))) for _ in range(3000)]
    script = SCRIPT.replace("MODULE", MODULE.as_uri())
    found = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    assert dict(zip(texts, json.loads(found.stdout), strict=True)) == {text: _cells(text) for text in texts}


def _cells(text: str) -> int:
    screen = Screen(40, 1)
    screen.feed(text.encode())
    return screen.cursor.x
