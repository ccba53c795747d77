"""What a command is given besides its arguments: the home, the client, and where to print."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.client.calls import Client
    from overmind_core.system.paths import Home


class Context:
    """One run of the command line."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.environ = environ
        self._home: Home | None = None
        self._clients: list[Client] = []

    @property
    def home(self) -> Home:
        """The home that the environment names."""
        if self._home is None:
            from overmind_core.system.paths import Home  # start-up: --help needs none

            self._home = Home.resolve(self.environ)
        return self._home

    def client(self, *, start: bool = False) -> Client:
        """Return a client, not connected yet.

        Args:
            start: The command starts work: a daemon is started when neither daemon nor keeper lives.
        """
        from overmind_core.client.calls import Client  # start-up: --help needs none

        self._clients.append(Client(self.home, start=start, notify=self.note))
        return self._clients[-1]

    def close(self) -> None:
        """End the sessions of all clients."""
        for client in self._clients:
            client.close()

    def say(self, text: str) -> None:
        """Print a line of the answer to stdout."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a line for the person to stderr."""
        sys.stdout.flush()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def hint(self, text: str) -> None:
        """Print a line to stderr only when a person looks at it."""
        if sys.stderr.isatty():
            self.note(text)
