"""A fork of the fork server, held as any process that was started here."""

from __future__ import annotations

import subprocess
from typing import Any

from tests.kit.becoming import INTERPRETER
from tests.kit.fork_server import Call, running


class ForkedProcess(subprocess.Popen[Any]):
    """`subprocess.Popen` of `python -P -m <module> <words>` of ours, without the interpreter's start and the imports.

    Its parent is the fork server, which tells how it ended. Of `pass_fds` there may be one, which it knows as 3.
    """

    _call: Call

    def _execute_child(self, *how: Any) -> None:
        """Where `Popen` starts the process: here the server does."""
        argv, _, _, _, passed, cwd, env, _, _, _, in_, in_end, out_end, out, err_end, err = how[:16]
        module, *words = argv[len(INTERPRETER) :]
        files, session = [in_, out, err, *passed], how[-2]
        self._call = running().start(words, env=env, cwd=cwd or "/", files=files, module=module, session=session)
        self.pid = self._call.pid
        self._child_created = True
        self._close_pipe_fds(in_, in_end, out_end, out, err_end, err)  # type: ignore[attr-defined]

    def _internal_poll(self, _deadstate: int | None = None) -> int | None:
        """Where `Popen` asks the kernel whether it has ended."""
        if self.returncode is None:
            try:
                self._ended(0)
            except TimeoutError:
                return _deadstate
        return self.returncode

    def _wait(self, timeout: float | None) -> int:
        """Where `Popen` waits for the kernel to tell."""
        if self.returncode is None:
            try:
                self._ended(timeout)
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
        return self.returncode

    def _ended(self, timeout: float | None) -> None:
        self.returncode = self._call.status(timeout)
        self._call.close()
