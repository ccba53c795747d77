"""A build: it really compiles modules, checks them and packs the shop, slowly enough to be watched."""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from types import CodeType

from overmind_core.demo.colours import BOLD, CYAN, GREEN, GREY, paint

Say = Callable[[str], object]
Sleep = Callable[[float], object]

MODULES = 140
BAR = 30
"""Cells."""


def build(library: str, shop: str, say: Say, sleep: Sleep) -> None:
    """Build; the output may hold carriage returns.

    Args:
        library: The folder whose modules are compiled.
        shop: The folder that is packed into its own `dist/`.
        say: Takes text as it is, newlines included.
        sleep: Waits so many seconds.
    """
    began = time.monotonic()
    say(_head(1, "look for sources"))
    sources = sorted(name for name in os.listdir(library) if name.endswith(".py"))[:MODULES]
    sleep(1.0)
    say(f"      {len(sources)} modules of Python {sys.version_info.major}.{sys.version_info.minor}\n")
    say(_head(2, "compile"))
    codes = list(_compiled(library, sources, say, sleep))
    say(_head(3, "check"))
    _check(codes, say, sleep)
    say(_head(4, "pack"))
    sleep(1.0)
    path = _packed(shop)
    say(f"      {os.path.relpath(path, shop)}  {os.path.getsize(path)} bytes  sha256 {paint(_digest(path), GREY)}\n")
    say(f"{paint('✔ built', BOLD, GREEN)} in {time.monotonic() - began:.1f} s\n")


def _head(step: int, what: str) -> str:
    return f"{paint(f'[{step}/4]', BOLD, CYAN)} {paint(what, BOLD)}\n"


def _compiled(library: str, names: Sequence[str], say: Say, sleep: Sleep) -> Iterator[CodeType]:
    for done, name in enumerate(names, 1):
        with open(os.path.join(library, name), encoding="utf-8") as file:
            yield compile(file.read(), name, "exec", dont_inherit=True)
        filled = done * BAR // len(names)
        bar = paint("█" * filled, GREEN) + paint("░" * (BAR - filled), GREY)
        say(f"\r      {bar} {100 * done // len(names):3} %  {name[:24]:<24}")
        sleep(0.15)
    say("\n")


def _check(codes: Sequence[CodeType], say: Say, sleep: Sleep) -> None:
    """Each survives being written and read."""
    wide = 40
    for done, code in enumerate(codes, 1):
        same = marshal.loads(marshal.dumps(code)) == code  # noqa: S302 - our own bytes, from the line before
        say(("      " if done % wide == 1 else "") + paint("." if same else "F", GREEN))
        if done % wide == 0:
            say(f" {done}\n")
        sleep(0.07)
    say(f"\n      {paint(f'{len(codes)} passed', GREEN)}\n")


def _packed(shop: str) -> str:
    folder = os.path.join(shop, "dist")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "shop.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(os.listdir(shop)):
            if name.endswith((".py", ".md")):
                archive.write(os.path.join(shop, name), name)
    return path


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:12]


def _print_line(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> None:
    """Build the folder that we stand in."""
    build(os.path.dirname(os.__file__), os.getcwd(), _print_line, time.sleep)


if __name__ == "__main__":
    main()
