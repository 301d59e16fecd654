"""The token that a reader of the page has to have, where one is asked for.

Pure. A browser asks its user for it by itself (HTTP's Basic, the token as the password, under any
name), keeps it, and sends it with each request of the page, that for the events included. So it is
in no address, in no cookie, and in nothing that the page could lose; programs send it as a Bearer.
"""

from __future__ import annotations

import base64
import binascii
import secrets

# Shorter ones could be found by trying.
MIN_TOKEN = 16
MAX_TOKEN = 512

CHALLENGE = 'Basic realm="zookeeper_browse", charset="UTF-8"'


class Token:
    """A token, or none: then everybody is let in."""

    def __init__(self, token: str | None) -> None:
        if token is not None and not (
            MIN_TOKEN <= len(token) <= MAX_TOKEN and token.isascii() and token.isprintable()
        ):
            raise ValueError(
                f"a token has {MIN_TOKEN} to {MAX_TOKEN} characters of ASCII that can be printed"
            )
        if token is not None and token != token.strip():
            # Nobody sees them, and a header loses them.
            raise ValueError("a token neither begins nor ends with a blank")
        self._token = None if token is None else token.encode()

    def __repr__(self) -> str:
        return "<Token>" if self else "<Token: none>"

    def __bool__(self) -> bool:
        return self._token is not None

    def admits(self, authorization: str | None) -> bool:
        """Return whether a request with this header may read, in a time that tells nothing."""
        if self._token is None:
            return True
        return secrets.compare_digest(_given(authorization or ""), self._token)


def _given(authorization: str) -> bytes:
    scheme, _, credentials = authorization.strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        return credentials.encode(errors="replace")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(credentials.encode(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
