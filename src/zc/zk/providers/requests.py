"""`requests` calls the servers of a service: an adapter, to be mounted at a host of one's choice.

    servers = zk.providers('/prices/providers')
    session = requests.Session()
    session.mount('http://prices', ProvidersAdapter(servers))
    session.get('http://prices/tea')

The request goes to a server as if its address had been in the URL, so that Host and certificates
are the server's; the answer belongs to the URL of the program. `zc.zk.providers.attempts` says when
another server is tried. `NoProvider` comes as the cause of a `requests.ConnectionError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, SSLError
except ImportError as _missing:
    raise ImportError(
        "zc.zk.providers.requests needs requests: pip install 'zc.zk[requests]'"
    ) from _missing

from zc.zk.errors import NoProvider
from zc.zk.providers.attempts import MAX_ATTEMPTS, PATIENCE_SECONDS, Attempts
from zc.zk.providers.provider import Key, Provider

if TYPE_CHECKING:
    from zc.zk.providers.providers import Providers

KeyOfPrepared = Callable[[requests.PreparedRequest], "Key | None"]


def _no_key(request: requests.PreparedRequest) -> None:
    return None


class ProvidersAdapter(HTTPAdapter):
    """Sends requests to servers that `providers` picks.

    `key` makes the key to pick by of a request. Up to `attempts` servers are tried. If there is
    none, a request waits for one for up to `patience` seconds. Other keywords are those of
    `HTTPAdapter`, `pool_maxsize` among them, which is for each server; connections are kept to so
    many servers as `pool_connections` says. A server counts as used until the head of its answer
    is there. Proxies, be they of the environment, are not used.
    """

    def __init__(
        self,
        providers: Providers,
        *,
        key: KeyOfPrepared = _no_key,
        attempts: int = MAX_ATTEMPTS,
        patience: float = PATIENCE_SECONDS,
        pool_connections: int = 100,
        **options: Any,
    ) -> None:
        super().__init__(pool_connections=pool_connections, **options)
        self._providers = providers
        self._key = key
        self._limit = attempts
        self._patience = patience

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request to a server, and return its answer."""
        attempts = Attempts(self._providers, request.method or "", self._key(request), self._limit)
        try:
            while True:
                sent = directed(request, self._begin(attempts, request))
                try:
                    response = super().send(sent, stream, timeout, verify, cert)
                except requests.ConnectionError as fault:
                    if not _is_tried_again(attempts, request, fault):
                        fault.request = request
                        raise
                else:
                    attempts.note_answer()
                    response.request = request
                    response.url = request.url or ""
                    return response
        finally:
            attempts.end()

    def _begin(self, attempts: Attempts, request: requests.PreparedRequest) -> Provider:
        try:
            try:
                return attempts.begin()
            except NoProvider:
                if not attempts.is_first:
                    raise
                self._providers.wait(self._patience)
                return attempts.begin()
        except NoProvider as nothing:
            raise requests.ConnectionError(str(nothing), request=request) from nothing


def directed(request: requests.PreparedRequest, provider: Provider) -> requests.PreparedRequest:
    """Return a request as it is for a server; its body is shared."""
    copy = request.copy()
    copy.url = urlunsplit(urlsplit(request.url or "")._replace(netloc=provider.address))
    return copy


def _is_tried_again(
    attempts: Attempts, request: requests.PreparedRequest, fault: requests.ConnectionError
) -> bool:
    reason = fault.args[0] if fault.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(fault, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return attempts.is_tried_again(was_sent=False)
    # That of TLS does not tell whether it was the handshake.
    if isinstance(reason, (ProtocolError, SSLError)):
        is_replayable = request.body is None or isinstance(request.body, (str, bytes))
        return attempts.is_tried_again(was_sent=True, is_replayable=is_replayable)
    return False
