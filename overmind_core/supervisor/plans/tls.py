"""TLS, from the first URL on that asks for it: a supervisor starts without, which saves time and 4 MB."""

from __future__ import annotations

import importlib
from asyncio import sslproto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


def any_certificate() -> ssl.SSLContext:
    """Return what takes whatever certificate the other side shows."""
    import ssl  # noqa: PLC0415 - the reason why this file is there

    _teach_asyncio()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _teach_asyncio() -> None:
    """It was loaded without TLS. What its transports need to know of that is all in this one module."""
    if getattr(sslproto, "ssl", None) is None:
        importlib.reload(sslproto)
