"""One request, and the servers that it is sent to until one answers: the rules of all adapters.

- A server that cannot be connected to has seen nothing of the request: it is taken out for a while,
  and another one is tried, whatever the request does.
- A connection that breaks later may have carried the request. Another server is tried only if the
  request can be made twice by its method (RFC 9110, 9.2.2), and its body can be sent again. The
  server stays in: a server that ends may close an idle connection at any time.
- A server that takes its time may be at work. A timeout of anything but connecting is the caller's.
- An answer is an answer, whatever its status: the program may call `failed` for it.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from zc.zk.errors import NoProvider
from zc.zk.providers.provider import Key, Provider

# So many servers are tried for one request.
MAX_ATTEMPTS = 3

# For so long a request waits for a server, if there is none.
PATIENCE_SECONDS = 1.0

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


class Choice(Protocol):
    """The live list of a blocking client or that of an asynchronous one, as adapters need it."""

    @property
    def available(self) -> list[Provider]:
        """The servers that are picked from."""

    @property
    def wait(self) -> Any:
        """A function to wait for a server with, or one whose result is to be awaited."""

    def pick(self, key: Key | None = None, *, but_not: Collection[str] = ()) -> Provider:
        """Return the server to call."""

    def using(
        self, key: Key | None = None, *, but_not: Collection[str] = ()
    ) -> AbstractContextManager[Provider]:
        """Pick, and count the server as used."""

    def failed(self, server: Provider | str) -> None:
        """Take a server out."""

    def succeeded(self, server: Provider | str) -> None:
        """Let a server in."""


class Attempts:
    """The attempts at one request of `method`. `provider` is the server of the last one."""

    provider: Provider

    def __init__(
        self, providers: Choice, method: str, key: Key | None, limit: int = MAX_ATTEMPTS
    ) -> None:
        self._providers = providers
        self._is_idempotent = method.upper() in IDEMPOTENT
        self._key = key
        self._limit = limit
        self._count = 0
        self._refused: set[str] = set()
        self._broken: set[str] = set()
        self._use = ExitStack()

    def begin(self) -> Provider:
        """Return the server to try, and count it as used until `end`. Raises NoProvider."""
        using = self._providers.using
        try:
            use = using(self._key, but_not=self._refused | self._broken)
            self.provider = self._use.enter_context(use)
        except NoProvider:
            if not self._broken:
                raise
            # A connection may break without the server's fault: if there is no other, that one.
            use = using(self._key, but_not=self._refused)
            self.provider = self._use.enter_context(use)
        self._count += 1
        return self.provider

    def note_answer(self) -> None:
        """Note that the server has answered; `end` comes when all of the answer is there."""
        self._providers.succeeded(self.provider)

    def is_tried_again(self, *, was_sent: bool, is_replayable: bool = True) -> bool:
        """Note a failure; say whether there is to be another attempt.

        `was_sent` tells whether the server may have seen the request, `is_replayable` whether its
        body can be sent again.
        """
        self.end()
        if not was_sent:
            self._providers.failed(self.provider)
            self._refused.add(self.provider.address)
        elif self._is_idempotent and is_replayable:
            self._broken.add(self.provider.address)
        else:
            return False
        return self._count < self._limit and any(
            each.address not in self._refused for each in self._providers.available
        )

    @property
    def is_first(self) -> bool:
        return not self._count

    def end(self) -> None:
        """Count the server as used no more. Harmless when done twice."""
        self._use.close()
