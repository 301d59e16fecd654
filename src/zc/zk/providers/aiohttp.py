"""`aiohttp` connects to the servers of a service: a resolver of host names of one's choice.

    servers = zk.providers('/prices/providers')
    connector = aiohttp.TCPConnector(resolver=ProvidersResolver({'prices': servers}),
                                     use_dns_cache=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get('http://prices/tea') as answer: ...

A server is picked for a connection, not for a request: requests go by connections that are open.
The connector tries up to three servers, one after the other, and tells nobody which have failed.
Host and the name in certificates are those of the URL. `NoProvider` comes as the cause of an
`aiohttp.ClientConnectorError`.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from ipaddress import ip_address

try:
    from aiohttp.abc import AbstractResolver, ResolveResult
    from aiohttp.resolver import DefaultResolver
except ImportError as _missing:
    raise ImportError(
        "zc.zk.providers.aiohttp needs aiohttp: pip install 'zc.zk[aiohttp]'"
    ) from _missing

from zc.zk.errors import NoProvider
from zc.zk.providers.attempts import MAX_ATTEMPTS, Choice
from zc.zk.providers.provider import Provider


class ProvidersResolver(AbstractResolver):
    """Resolves names by `services`, which maps them to live lists, and others by `resolver`."""

    def __init__(
        self, services: Mapping[str, Choice], resolver: AbstractResolver | None = None
    ) -> None:
        self._services = dict(services)
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses to try. Raises OSError if there is none."""
        providers = self._services.get(host)
        if providers is None:
            return await self._others.resolve(host, port, family)
        try:
            first = providers.pick()
        except NoProvider as nothing:
            raise OSError(None, str(nothing)) from nothing
        others = [each for each in providers.available if each.address != first.address]
        others = random.sample(others, min(len(others), MAX_ATTEMPTS - 1))
        found: list[ResolveResult] = []
        for provider in (first, *others):
            found += await self._addresses_of(host, provider, family)
        return found

    async def _addresses_of(
        self, name: str, provider: Provider, family: socket.AddressFamily
    ) -> list[ResolveResult]:
        try:
            version = ip_address(provider.host).version
        except ValueError:
            return await self._others.resolve(provider.host, provider.port, family)
        return [
            ResolveResult(
                hostname=name,
                host=provider.host,
                port=provider.port,
                family=socket.AF_INET6 if version == 6 else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @property
    def _others(self) -> AbstractResolver:
        if self._resolver is None:
            self._resolver = DefaultResolver()
        return self._resolver

    async def close(self) -> None:
        """Close the resolver of other names."""
        if self._resolver is not None:
            await self._resolver.close()
