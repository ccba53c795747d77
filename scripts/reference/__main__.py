"""Write the pages, or with --check only say which are not what they should be."""

from __future__ import annotations

import os
import sys

from scripts.reference import api, commands, events, keys, manual, openapi, proven, schema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = {
    "docs/agents.md": proven.page,
    "docs/commands.md": commands.page,
    "docs/overmind.1": manual.page,
    "docs/api.md": api.page,
    "docs/api.schema.json": schema.page,
    "docs/events.md": events.page,
    "docs/keys.md": keys.page,
    "overmind_web/rest/openapi.json": openapi.page,
}


def outdated() -> dict[str, str]:
    """Return the pages whose file says something else, with what it should say."""
    return {path: text for path, page in PAGES.items() if (text := page()) != _read(path)}


def _read(path: str) -> str:
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def main(words: list[str]) -> int:
    """Return the exit status."""
    found = outdated()
    for path, text in found.items():
        if "--check" not in words:
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
                file.write(text)
        sys.stdout.write(f"{path} {'is out of date: make docs' if '--check' in words else 'written'}\n")
    return int(bool(found) and "--check" in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
