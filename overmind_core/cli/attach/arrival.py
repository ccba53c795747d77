"""Until a mission's terminal is there: what is said meanwhile, and what the person may do."""

from __future__ import annotations

import os
import select
import sys

from overmind_core.cli.attach import leaving
from overmind_core.cli.attach.terminal import IN, READ
from overmind_core.domain.cells import display_safe
from overmind_core.domain.duration import format_uptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from overmind_core.cli.attach.leaving import Left
    from overmind_core.cli.context import Context
    from overmind_core.client.attachment import Attachment

    Json = dict[str, Any]

HOW_TO_LEAVE = "ctrl-c gives up"


class Arrival:
    """Tells what the mission's terminal waits for, until it is there."""

    def __init__(self, attachment: Attachment, context: Context) -> None:
        self._attachment = attachment
        self._context = context
        self._name = display_safe(attachment.name)
        self._finishing = False
        self._line_is_open = False

    def ready(self) -> Json | Left:
        """Wait for the first run to join; or how the stay ended before it began. ctrl-c raises KeyboardInterrupt."""
        try:
            return self._until_there()
        finally:
            self._end_line()

    def _until_there(self) -> Json | Left:
        while True:
            item = self._attachment.item()
            if item is None:
                self._wait()
                continue
            match item["type"]:
                case "ready" | "run":
                    return item
                case "ended":
                    return leaving.ended(self._attachment.name, item)
                case "handing_back":
                    return leaving.handed_back(self._attachment.name)
                case "detached":
                    return leaving.detached(self._attachment.name)
            self._tell(item)

    def _wait(self) -> None:
        """Until there may be news; Enter interrupts what is waited for, where that can be."""
        patience = self._attachment.look()
        sources: list[Any] = [self._attachment] if not self._attachment.lost else []
        sources += [IN] if self._finishing else []
        if IN in select.select(sources, [], [], patience)[0] and os.read(IN, READ):
            self._attachment.interrupt()

    def _tell(self, item: Json) -> None:
        if item["type"] == "finishing":
            self._finishing = True
            since = format_uptime(item["seconds"])
            self._update(f"finishing the turn ({since} so far); Enter interrupts it, {HOW_TO_LEAVE}")
        elif item["type"] == "waiting":
            self._end_line()
            self._context.note(f"{self._name} is {item['status']}; {HOW_TO_LEAVE}")

    def _update(self, text: str) -> None:
        """Say it in the place of what was said before."""
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()
        self._line_is_open = True

    def _end_line(self) -> None:
        if self._line_is_open:
            self._line_is_open = False
            self._context.note("")
