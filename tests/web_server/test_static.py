"""The files that a browser loads: the first are named at once, and what shrinks is packed for who takes that."""

from __future__ import annotations

from overmind_web.server import static


def test_imports_are_followed_and_a_module_that_is_loaded_later_is_none():
    def module(text):
        return static.StaticFile(text.encode(), "text/javascript")

    files = {
        "app.js": module('import { a,\n  b } from "./lib/a.js";\nimport * as c from "./lib/c.js";\n'),
        "lib/a.js": module('import "../lib/c.js";\nconst later = import("./later.js");\n'),
        "lib/c.js": module('import { a } from "./a.js";\nimport { d } from "./absent.js";\n'),
        "lib/later.js": module(""),
    }
    assert static.imported(files, ["app.js", "absent.js"]) == ["app.js", "lib/a.js", "lib/c.js"]
