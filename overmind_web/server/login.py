"""Logging in and out: a link is posted once, and becomes a cookie and a key."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from overmind_core.errors import OvermindError
from overmind_web.server.address import Address
from overmind_web.server.credentials import Credentials, Visitor
from overmind_web.server.guard import cookie_name
from overmind_web.server.status import http_status

BODY_LIMIT = 1 << 20
"""Bytes of a request."""
_LOGIN_LIMIT = 4_096
LONGEST_AGENT = 1_000
"""Characters of what a browser says that it is."""


class LoginRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a login."""

    link: str
    """The secret of the link."""


async def read_body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    """Return the body of a request.

    Raises:
        OvermindError: `too_large`; `invalid`, it ended early.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise OvermindError("too_large", f"A request may have {limit} bytes.")
    except ClientDisconnect:
        raise OvermindError("invalid", "The request ended early.") from None
    return bytes(body)


def json_response(content: object, status: int = 200) -> Response:
    """Return an answer as JSON."""
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


def error_response(error: OvermindError) -> Response:
    """Return an error as JSON; the connection ends, as there may be a body that nobody reads."""
    response = json_response(
        {**error.fields, "error": error.code, "message": error.message}, status=http_status(error.code)
    )
    response.headers["connection"] = "close"
    return response


class Logins:
    """The routes of logging in and out.

    Args:
        address: Ours.
        credentials: Makes sessions, and ends them.
    """

    def __init__(self, address: Address, credentials: Credentials) -> None:
        self._address = address
        self._credentials = credentials

    async def login(self, request: Request) -> Response:
        """Turn a link into a session: the cookie, and the key as the answer."""
        try:
            body = await read_body(request, _LOGIN_LIMIT)
            link = msgspec.json.decode(body, type=LoginRequest).link
            visitor = await self._credentials.login(link, request.headers.get("user-agent", "")[:LONGEST_AGENT])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return error_response(OvermindError("invalid", f"Not a login: {error}"))
        except OvermindError as error:
            return error_response(error)
        answer: dict[str, Any] = {
            "key": visitor.secrets.key,
            "name": visitor.name,
            "read_only": visitor.read_only,
            "expires_at": visitor.expires_at,
        }
        response = json_response(answer)
        lasts = max(0, int(visitor.expires_at - time.time()))
        self._set_cookie(request, response, visitor.secrets.session, lasts)
        return response

    async def logout(self, request: Request) -> Response:
        """End the session."""
        visitor: Visitor = request.scope["state"]["visitor"]
        try:
            await self._credentials.logout(visitor)
        except OvermindError as error:
            return error_response(error)
        response = json_response({})
        self._set_cookie(request, response, "", 0)
        return response

    def _set_cookie(self, request: Request, response: Response, value: str, lasts: int) -> None:
        response.set_cookie(
            cookie_name(self._address, request.headers["host"]),
            value,
            max_age=lasts,
            path=self._address.path + "/",
            secure=self._address.secure,
            httponly=True,
            samesite="strict",
        )
