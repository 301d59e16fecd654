"""Programs that choose a server, for mypy --strict; they are never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import requests
from typing_extensions import assert_type

import zc.zk
import zc.zk.aio
from zc.zk.providers import (
    Chooser,
    Picks,
    Provider,
    Strategy,
    least_used,
    rendezvous,
    round_robin,
    subset,
    weighted,
    zone_first,
)
from zc.zk.providers.aiohttp import ProvidersResolver
from zc.zk.providers.httpx import AsyncProvidersTransport, ProvidersTransport
from zc.zk.providers.requests import ProvidersAdapter
from zc.zk.serving.asgi import registered
from zc.zk.serving.gunicorn import Registering


def newest(candidates: Sequence[Provider], picks: Picks) -> Chooser:
    best = max(candidates, key=lambda each: str(each.properties.get("version", "")))
    return lambda key: best


STRATEGIES: list[Strategy] = [
    round_robin,
    least_used,
    rendezvous,
    weighted("size"),
    zone_first("a", then=subset(20, "me", weighted())),
    newest,
    weighted,  # type: ignore[list-item]
]


def call(zk: zc.zk.ZooKeeper) -> str:
    prices = zk.providers("/prices/providers", weighted(), kept_share=0.3)
    assert_type(prices, zc.zk.Providers)
    assert_type(prices["10.0.0.7:80"], Mapping[str, Any])
    prices["10.0.0.7:80"] = {}  # type: ignore[index]
    provider = prices.pick("key", but_not=["10.0.0.7:80"])
    assert_type(provider, zc.zk.Provider)
    assert_type((provider.host, provider.port), tuple[str, int])
    prices.failed(provider)
    prices.succeeded(provider.address)
    assert_type(prices.wait(5), zc.zk.Provider)
    prices.wait()  # type: ignore[call-arg]
    assert_type(prices.age, float)
    with prices.using() as used:
        assert_type(used, zc.zk.Provider)
    try:
        return prices.pick(7).address  # type: ignore[arg-type]
    except zc.zk.NoProvider as nothing:
        return f"{nothing.path} {nothing.registered} {nothing.draining} {nothing.out}"


def adapters(zk: zc.zk.ZooKeeper) -> tuple[httpx.Client, requests.Session]:
    prices = zk.providers("/prices/providers")
    transport = ProvidersTransport(prices, key=lambda request: request.headers["user"])
    session = requests.Session()
    session.mount("http://prices", ProvidersAdapter(prices, attempts=2, pool_maxsize=4))
    return httpx.Client(mounts={"http://prices": transport}), session


async def asynchronous(zk: zc.zk.ZooKeeper, own: zc.zk.aio.ZooKeeper) -> None:
    prices = await own.providers("/prices/providers")
    AsyncProvidersTransport(prices, patience=3)
    AsyncProvidersTransport(zk.providers("/prices/providers"))
    ProvidersTransport(prices)  # type: ignore[arg-type]
    aiohttp.TCPConnector(resolver=ProvidersResolver({"prices": prices}), use_dns_cache=False)


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    async with registered("/prices/providers", weight=2, grace=3):
        yield


service = Registering("/prices/providers", ("shop.example.com", 80), port=8080, weight=2)
when_ready = service.when_ready
post_worker_init = service.post_worker_init
