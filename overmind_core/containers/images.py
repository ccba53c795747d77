"""Pulling an image: how far it is, and why it could not be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from overmind_core.containers.model import ImageMissing

REASONS: tuple[tuple[str, str, str], ...] = (
    (
        r"not found|manifest unknown|does not exist|access denied|unauthorized|no basic auth|denied",
        "its registry does not have it, or requires a login",
        "Check the name in .overmind.yml, or log in with `docker login`.",
    ),
    (
        r"toomanyrequests|rate limit",
        "its registry limits downloads for now",
        "Wait, or log in with `docker login`.",
    ),
    (
        r"no space left",
        "the engine's disk is full",
        "Free space, for example with `docker system prune`.",
    ),
    (
        r"dial tcp|no such host|lookup |timeout|connection re|unreachable|TLS handshake|EOF|canceled|deadline",
        "its registry cannot be reached",
        "Check the network, or load the image yourself with `docker load`.",
    ),
    (
        r"invalid reference|repository name must",
        "that is not an image name",
        "Correct it in .overmind.yml.",
    ),
)
"""Pattern over the engine's words, why as a clause, what to do."""


def image_missing(image: str, words: str) -> ImageMissing:
    """The error for an image that could not be pulled, from the engine's `words`."""
    for pattern, why, what_to_do in REASONS:
        if re.search(pattern, words, re.IGNORECASE):
            return ImageMissing(image, f"{why} ({words})", what_to_do)
    return ImageMissing(image, words or "the engine gives no reason", f"Try it yourself: `docker pull {image}`.")


def pull_progress(image: str, items: Iterable[Mapping[str, Any]], progress: Callable[[str], None]) -> None:
    """Report the progress of a pull, each time that the line changes.

    Args:
        image: Its name.
        items: What the engine streams.
        progress: Takes "pulling redis:7 40 %".

    Raises:
        ImageMissing: The engine gave up.
    """
    sizes: dict[str, tuple[int, int]] = {}
    last_line = ""
    for item in items:
        if words := item.get("error"):
            raise image_missing(image, " ".join(str(words).split()))
        _count(sizes, item)
        line = _line(image, sizes)
        if line != last_line:
            progress(line)
            last_line = line


def _count(sizes: dict[str, tuple[int, int]], item: Mapping[str, Any]) -> None:
    """Note how much of a layer is there, in bytes: (now, whole)."""
    layer, status = str(item.get("id", "")), item.get("status")
    detail = item.get("progressDetail") or {}
    if status == "Downloading" and detail.get("total"):
        sizes[layer] = (min(detail.get("current", 0), detail["total"]), detail["total"])
    elif status in {"Download complete", "Pull complete"} and layer in sizes:
        sizes[layer] = (sizes[layer][1], sizes[layer][1])


def _line(image: str, sizes: Mapping[str, tuple[int, int]]) -> str:
    whole = sum(total for _, total in sizes.values())
    if not whole:
        return f"pulling {image}"
    return f"pulling {image} {100 * sum(now for now, _ in sizes.values()) // whole} %"
