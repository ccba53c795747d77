"""The words by which people know a quest: its name, or its title where the name can't say it. Pure."""

from __future__ import annotations


def shown_name(name: str, title: str | None) -> str:
    """Return the title where the name was made from it and has lost letters, as of one in Chinese; else the name.

    Names are for machines and commands, which take no other letters than those of ASCII.
    """
    if not title or title.isascii():
        return name
    from overmind_core.domain.text.slug import says_less  # noqa: PLC0415 - start-up: few titles need it

    return title if says_less(name, title) else name
