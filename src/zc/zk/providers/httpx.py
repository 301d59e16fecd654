"""`httpx` calls the servers of a service: a transport, to be mounted at a host of one's choice.

    servers = zk.providers('/prices/providers')
    client = httpx.Client(mounts={'http://prices': ProvidersTransport(servers)})
    client.get('http://prices/tea')

The request goes to a server as if its address had been in the URL, so that Host and certificates
are the server's; the answer belongs to the URL of the program. `zc.zk.providers.attempts` says when
another server is tried. `NoProvider` comes as the cause of an `httpx.ConnectError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, cast

try:
    import httpx
except ImportError as _missing:
    raise ImportError("zc.zk.providers.httpx needs httpx: pip install 'zc.zk[httpx]'") from _missing

from zc.zk.errors import NoProvider
from zc.zk.providers.attempts import MAX_ATTEMPTS, PATIENCE_SECONDS, Attempts, Choice
from zc.zk.providers.provider import Key, Provider

if TYPE_CHECKING:
    from zc.zk.providers.providers import Providers

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
_MAYBE_SENT = (httpx.NetworkError, httpx.RemoteProtocolError)

KeyOf = Callable[[httpx.Request], "Key | None"]


def _no_key(request: httpx.Request) -> None:
    return None


class _Common:
    def __init__(self, providers: Choice, key: KeyOf, attempts: int, patience: float) -> None:
        self._providers = providers
        self._key = key
        self._limit = attempts
        self._patience = patience

    def _attempts(self, request: httpx.Request) -> Attempts:
        return Attempts(self._providers, request.method, self._key(request), self._limit)


class ProvidersTransport(_Common, httpx.BaseTransport):
    """Sends requests to servers that `providers` picks, by `transport`.

    `key` makes the key to pick by of a request. Up to `attempts` servers are tried. If there is
    none, a request waits for one for up to `patience` seconds.
    """

    def __init__(
        self,
        providers: Providers,
        transport: httpx.BaseTransport | None = None,
        *,
        key: KeyOf = _no_key,
        attempts: int = MAX_ATTEMPTS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(providers, key, attempts, patience)
        self._transport = transport or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to a server, and return its answer."""
        attempts = self._attempts(request)
        try:
            while True:
                sent = directed(request, self._begin(attempts, request))
                try:
                    response = self._transport.handle_request(sent)
                except httpx.TransportError as fault:
                    if not _is_tried_again(attempts, request, fault):
                        raise
                else:
                    attempts.note_answer()
                    stream = cast(httpx.SyncByteStream, response.stream)
                    response.stream = _CountedStream(stream, attempts)
                    return response
        except BaseException:
            attempts.end()
            raise

    def _begin(self, attempts: Attempts, request: httpx.Request) -> Provider:
        try:
            try:
                return attempts.begin()
            except NoProvider:
                if not attempts.is_first:
                    raise
                self._providers.wait(self._patience)
                return attempts.begin()
        except NoProvider as nothing:
            raise httpx.ConnectError(str(nothing), request=request) from nothing

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()


class AsyncProvidersTransport(_Common, httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`, with the live list of `zc.zk.aio` or a blocking client."""

    def __init__(
        self,
        providers: Choice,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        key: KeyOf = _no_key,
        attempts: int = MAX_ATTEMPTS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(providers, key, attempts, patience)
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to a server, and return its answer."""
        attempts = self._attempts(request)
        try:
            while True:
                sent = directed(request, await self._begin(attempts, request))
                try:
                    response = await self._transport.handle_async_request(sent)
                except httpx.TransportError as fault:
                    if not _is_tried_again(attempts, request, fault):
                        raise
                else:
                    attempts.note_answer()
                    stream = cast(httpx.AsyncByteStream, response.stream)
                    response.stream = _AsyncCountedStream(stream, attempts)
                    return response
        except BaseException:
            attempts.end()
            raise

    async def _begin(self, attempts: Attempts, request: httpx.Request) -> Provider:
        try:
            try:
                return attempts.begin()
            except NoProvider:
                if not attempts.is_first:
                    raise
                await self._wait()
                return attempts.begin()
        except NoProvider as nothing:
            raise httpx.ConnectError(str(nothing), request=request) from nothing

    async def _wait(self) -> None:
        """Wait for a server: that of a blocking client's list waits in a thread."""
        if asyncio.iscoroutinefunction(self._providers.wait):
            await self._providers.wait(self._patience)
        else:
            await asyncio.to_thread(self._providers.wait, self._patience)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


def directed(request: httpx.Request, provider: Provider) -> httpx.Request:
    """Return a request as it is for a server; its body is shared."""
    url = request.url.copy_with(host=provider.host, port=provider.port)
    headers = request.headers.copy()
    if headers.get("host", "").encode() == request.url.netloc:
        headers["host"] = url.netloc.decode()
    return httpx.Request(
        request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
    )


def _is_tried_again(
    attempts: Attempts, request: httpx.Request, fault: httpx.TransportError
) -> bool:
    if isinstance(fault, _NOT_SENT):
        return attempts.is_tried_again(was_sent=False)
    if isinstance(fault, _MAYBE_SENT):
        is_replayable = isinstance(request.stream, httpx.ByteStream)
        return attempts.is_tried_again(was_sent=True, is_replayable=is_replayable)
    return False


class _CountedStream(httpx.SyncByteStream):
    """The body of an answer, at the end of which its server is used no more."""

    def __init__(self, stream: httpx.SyncByteStream, attempts: Attempts) -> None:
        self._stream = stream
        self._attempts = attempts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        self._attempts.end()
        self._stream.close()


class _AsyncCountedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, attempts: Attempts) -> None:
        self._stream = stream
        self._attempts = attempts

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        self._attempts.end()
        await self._stream.aclose()
