"""SVG → PNG by a browser without a window: it alone finds a glyph for every character."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile

from scripts.pictures import frames, png

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FONT = "DejaVu Sans Mono"
MISSING = (
    "Pictures are drawn by Chromium, and there is none on PATH. On Debian or Ubuntu: "
    "apt-get install chromium fonts-dejavu-core fonts-symbola"
)
SIZE = 21
"""Pixels: Textual lays out for 20, with which this font is narrower than its cells."""
SCALE = 0.8
"""Picture pixels per SVG pixel: what is read well, and stays small."""
TOOLS = 100
"""Pixels that newer browsers keep for tools that nobody sees: so much of the window shows nothing."""
PATIENCE = 120.0
_FACES = re.compile(r"@font-face\s*{[^}]*}")
_LAST = re.compile(r'(-clip-terminal">\s*<rect x="0" y="0" width="[\d.]+" height=")([\d.]+)')
BELOW = 6
"""Pixels that letters of the last row, such as `y`, reach below it."""
_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def found() -> str | None:
    """The browser's path; None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def draw(browser: str, svg: str, path: str) -> None:
    """Draw the text of an SVG into a file, with a font that is here instead of one from the net."""
    local = (
        _FACES.sub("", frames.joined(svg)).replace("Fira Code", FONT).replace("font-size: 20px", f"font-size: {SIZE}px")
    )
    local = _LAST.sub(lambda clip: f"{clip[1]}{float(clip[2]) + BELOW}", local)
    box = _BOX.search(local)
    assert box is not None, "Textual writes a viewBox"
    width, height = (round(float(side) * SCALE) for side in box.groups())
    page = f'<body style="margin:0"><img src="picture.svg" style="display:block" width="{width}" height="{height}">'
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("picture.svg", local), ("page.html", page)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-lcd-text", "--hide-scrollbars",
             f"--user-data-dir={folder}/profile", "--default-background-color=00000000",
             f"--window-size={width},{height + TOOLS}", f"--screenshot={folder}/drawn.png", f"file://{folder}/page.html"],
            check=True, capture_output=True, timeout=PATIENCE,
        )  # fmt: skip
        with open(os.path.join(folder, "drawn.png"), "rb") as file:
            png.keep(path, png.small(file.read(), height))
