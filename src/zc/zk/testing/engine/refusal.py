"""The engine's answer in the place of a result."""

from __future__ import annotations

from typing import Final

from zookeeper import errors

# The server has one more code than the C client knows; nothing here gives it, but clients do ask.
QUOTA_EXCEEDED: Final = -125


class Refusal(Exception):
    """An operation that was not done, with the server's error code for it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return errors.zerror(self.code)
