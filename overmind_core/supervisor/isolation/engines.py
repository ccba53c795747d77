"""Container engines by their addresses; nothing of the SDK is loaded before somebody needs one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from overmind_core.containers.engine import Engine


class Engines:
    """Used from the loop's thread; what an engine does is for another one."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._known: dict[str, Engine] = {}

    async def find(self, environ: Mapping[str, str]) -> str:
        """The address of the engine that a caller with this environment (wire form) would use.

        Raises:
            OvermindError: `docker_missing`, with what to do.
        """
        environ = {from_wire(name): from_wire(value) for name, value in environ.items()}
        engine = await asyncio.get_running_loop().run_in_executor(self._threads, _connect, environ)
        return self._known.setdefault(engine.url, engine).url

    def at(self, url: str) -> Engine:
        """The engine with this address; in a thread, it may have to be loaded first."""
        from overmind_core.containers.engine import Engine  # noqa: PLC0415 - megabytes, for those who have containers

        known = self._known.get(url)
        if known is None:
            known = self._known.setdefault(url, Engine.at(url))
        return known

    def close(self) -> None:
        """Let go of all connections."""
        for engine in self._known.values():
            engine.close()


def _connect(environ: Mapping[str, str]) -> Engine:
    from overmind_core.containers.engine import Engine, EngineMissing  # noqa: PLC0415 - same

    try:
        return Engine.connect(environ)
    except EngineMissing as error:
        raise OvermindError("docker_missing", str(error)) from None
