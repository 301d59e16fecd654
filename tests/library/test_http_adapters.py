"""httpx, requests and aiohttp call the servers of a service."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests

import zc.zk
from tests.calls import Calls, InThreads
from tests.certificates import Authority
from tests.library.httpservers import HttpServer, http_servers
from zc.zk.providers import Providers, least_used, rendezvous
from zc.zk.providers.httpx import AsyncProvidersTransport, ProvidersTransport
from zc.zk.providers.requests import ProvidersAdapter

pytestmark = [pytest.mark.usefixtures("providers")]

PATH = "/providers"

# Of each library, its exception for a connection that cannot be made, or broke.
REFUSED: dict[str, Any] = {
    "httpx": httpx.ConnectError,
    "httpx, asynchronous": httpx.ConnectError,
    "requests": requests.ConnectionError,
}
BROKEN: dict[str, Any] = {
    "httpx": httpx.RemoteProtocolError,
    "httpx, asynchronous": httpx.RemoteProtocolError,
    "requests": requests.ConnectionError,
}

Call = Callable[..., str]


@pytest.fixture
def servers() -> Iterator[list[HttpServer]]:
    with http_servers(3) as running:
        yield running


@pytest.fixture
def live(zk, servers) -> Providers:
    for server in servers:
        zk.register(PATH, server.address)
    return zk.providers(PATH)


class ByHttpx:
    def __init__(self, live: Providers, **options: Any) -> None:
        transport = ProvidersTransport(live, **options)
        self.client = httpx.Client(mounts={"http://prices": transport}, trust_env=False)

    def __call__(self, path: str = "/tea", method: str = "GET", **more: Any) -> str:
        answer = self.client.request(method, f"http://prices{path}", **more)
        assert answer.request.url.host == "prices"
        return answer.text

    def close(self) -> None:
        self.client.close()


class ByAsyncHttpx:
    def __init__(self, live: Providers, **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.client = self.loop.run_until_complete(self._make(live, options))

    async def _make(self, live: Providers, options: dict[str, Any]) -> httpx.AsyncClient:
        transport = AsyncProvidersTransport(live, **options)
        return httpx.AsyncClient(mounts={"http://prices": transport}, trust_env=False)

    def __call__(self, path: str = "/tea", method: str = "GET", **more: Any) -> str:
        call = self.client.request(method, f"http://prices{path}", **more)
        return self.loop.run_until_complete(call).text

    def close(self) -> None:
        self.loop.run_until_complete(self.client.aclose())
        self.loop.close()


class ByRequests:
    def __init__(self, live: Providers, **options: Any) -> None:
        self.client = requests.Session()
        self.client.trust_env = False
        self.client.mount("http://prices", ProvidersAdapter(live, **options))

    def __call__(self, path: str = "/tea", method: str = "GET", **more: Any) -> str:
        if "content" in more:
            more["data"] = more.pop("content")
        answer = self.client.request(
            method,
            f"http://prices{path}",
            allow_redirects=more.pop("follow_redirects", False),
            **more,
        )
        assert (answer.url or "").startswith("http://prices/")
        return answer.text

    def close(self) -> None:
        self.client.close()


LIBRARIES: dict[str, Any] = {
    "httpx": ByHttpx,
    "httpx, asynchronous": ByAsyncHttpx,
    "requests": ByRequests,
}


@pytest.fixture(params=LIBRARIES)
def library(request) -> str:
    return request.param


@pytest.fixture
def calling(library) -> Iterator[Callable[..., Call]]:
    """Return a function that makes one to call the service with."""
    made: list[Any] = []

    def calling(live: Providers, **options: Any) -> Call:
        made.append(LIBRARIES[library](live, **options))
        return made[-1]

    yield calling
    for each in made:
        each.close()


def test_requests_are_shared_out_among_the_servers(live, servers, calling) -> None:
    call = calling(live)
    assert sorted(call() for _ in range(6)) == sorted(2 * [each.address for each in servers])


def test_a_server_sees_its_own_address_and_the_whole_request(live, servers, calling) -> None:
    assert calling(live)("/a/b?c=%20d", "POST", content=b"body") in live
    (seen,) = [seen for server in servers for seen in [(server.address, *s) for s in server.seen]]
    assert seen == (seen[0], "POST", "/a/b?c=%20d", seen[0], b"body")


def test_a_host_header_of_ones_own_is_left_alone(live, servers, calling) -> None:
    calling(live)(headers={"Host": "shop.example.com"})
    assert [seen[2] for server in servers for seen in server.seen] == ["shop.example.com"]


def test_a_redirect_within_the_service_goes_by_the_service(live, servers, calling) -> None:
    assert calling(live)("/moved", follow_redirects=True) in live
    assert sum(len(server.seen) for server in servers) == 2


def test_a_key_says_which_server_it_is(zk, live, servers, calling) -> None:
    by_key = zk.providers(PATH, rendezvous)
    call = calling(by_key, key=lambda request: request.headers["User"])
    for user in ("one", "two", "three"):
        assert {call(headers={"User": user}) for _ in range(3)} == {by_key.pick(user).address}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_that_refuses_connections_is_passed_over(live, servers, calling, method) -> None:
    call = calling(live)
    servers[0].stop()
    answers = [call(method=method, content=b"x") for _ in range(6)]
    assert set(answers) == {server.address for server in servers[1:]}
    assert servers[0].address in live._outliers._failed


def test_all_servers_that_refuse_end_in_an_error(live, servers, calling, library) -> None:
    call = calling(live)
    for server in servers:
        server.stop()
    with pytest.raises(REFUSED[library]) as caught:
        call()
    assert caught.value.request.url in ("http://prices/tea", httpx.URL("http://prices/tea"))


def test_a_connection_that_breaks_is_made_up_for_where_that_is_safe(
    live, servers, calling, library
) -> None:
    call = calling(live)
    servers[0].breaks = servers[1].breaks = 1
    assert {call() for _ in range(9)} == set(live)
    assert sum(len(server.seen) for server in servers) == 11
    assert len(live.available) == 3
    servers[0].breaks = servers[1].breaks = servers[2].breaks = 1
    before = sum(len(server.seen) for server in servers)
    with pytest.raises(BROKEN[library]):
        call(method="POST", content=b"x")
    assert sum(len(server.seen) for server in servers) == before + 1


def test_a_connection_to_the_only_server_may_break(zk, servers, calling) -> None:
    zk.register(PATH, servers[0].address)
    call = calling(zk.providers(PATH))
    servers[0].breaks = 2
    assert call() == servers[0].address
    servers[0].breaks = 1
    assert call() == servers[0].address


def test_a_body_that_comes_once_is_not_sent_again(live, servers, calling, library) -> None:
    if library == "httpx, asynchronous":
        pytest.skip("takes an asynchronous body")
    for server in servers:
        server.breaks = 1
    with pytest.raises(BROKEN[library]):
        calling(live)(method="PUT", content=iter([b"x"]), headers={"Content-Length": "1"})
    assert sum(len(server.seen) for server in servers) == 1


def test_idle_connections_that_servers_end_cost_no_request(live, servers, calling) -> None:
    call = calling(live)
    for _ in range(3):
        assert {call() for _ in range(3)} <= set(live)
        for server in servers:
            server.end_connections()


def test_without_a_server_a_request_waits_for_one(zk, servers, calling, library) -> None:
    live = zk.providers(PATH)
    call = calling(live, patience=30)
    begun, found = threading.Event(), Calls()
    waiting = InThreads([lambda: (begun.set(), found(call()))])
    assert begun.wait(30)
    zk.register(PATH, servers[0].address)
    waiting.join()
    assert found.wait_one() == (servers[0].address,)


def test_without_a_server_the_error_says_where_it_looked(zk, calling, library) -> None:
    call = calling(zk.providers(PATH), patience=0.01)
    with pytest.raises(REFUSED[library], match="no server to call at /providers: 0") as caught:
        call()
    assert isinstance(caught.value.__cause__, zc.zk.NoProvider)


def test_calls_under_way_are_counted_and_all_of_them_end(zk, live, servers, calling) -> None:
    used = zk.providers(PATH, least_used)
    call = calling(used)
    servers[0].stop()
    for _ in range(6):
        call()
    assert [calls for calls in used._picks.under_way.values() if calls] == []


def test_an_answer_of_httpx_counts_until_it_is_closed(zk, live, servers) -> None:
    used = zk.providers(PATH, least_used)
    with httpx.Client(
        mounts={"http://prices": ProvidersTransport(used)}, trust_env=False
    ) as client:
        with client.stream("GET", "http://prices/tea") as answer:
            assert [len(calls) for calls in used._picks.under_way.values()] == [1]
            address = answer.read().decode()
        assert used._picks.under_way == {address: {}}


def test_certificates_are_those_of_the_servers(zk, tmp_path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("server", "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(issued.certificate, issued.key)
    with http_servers(1, tls) as (server,):
        zk.register(PATH, server.address)
        live = zk.providers(PATH)
        trust = httpx.HTTPTransport(verify=ssl.create_default_context(cafile=authority.file))
        mounts = {"https://prices": ProvidersTransport(live, trust)}
        with httpx.Client(mounts=mounts, trust_env=False) as client:
            assert client.get("https://prices/tea").text == server.address
        with requests.Session() as session:
            session.trust_env = False  # it may name another authority
            session.mount("https://prices", ProvidersAdapter(live))
            session.verify = str(authority.file)
            assert session.get("https://prices/tea").text == server.address
            session.verify = True
            with pytest.raises(requests.exceptions.SSLError):
                session.get("https://prices/tea")


def test_requests_goes_by_no_proxy_of_the_environment(live, monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with requests.Session() as session:
        session.mount("http://prices", ProvidersAdapter(live))
        assert session.get("http://prices/tea").text in live


def test_aiohttp_connects_to_the_servers_one_after_the_other(zk, live, servers) -> None:
    import aiohttp

    from zc.zk.providers.aiohttp import ProvidersResolver

    async def main() -> list[str]:
        resolver = ProvidersResolver({"prices": live, "none": zk.providers("/")})
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def call(host: str) -> str:
                async with session.get(f"http://{host}/tea") as answer:
                    return await answer.text()

            answers = [await call("prices") for _ in range(6)]
            assert sorted(answers) == sorted(2 * [each.address for each in servers])
            servers[0].stop()
            assert {await call("prices") for _ in range(6)} == {
                each.address for each in servers[1:]
            }
            with pytest.raises(aiohttp.ClientConnectorError, match="no server to call at /"):
                await call("none")
            return [await call(servers[1].address.replace("127.0.0.1", "localhost"))]

    assert asyncio.run(main()) == [servers[1].address]


def test_aiohttp_looks_up_servers_that_are_registered_by_name(zk, servers) -> None:
    from zc.zk.providers.aiohttp import ProvidersResolver

    zk.register(PATH, servers[0].address.replace("127.0.0.1", "localhost"))
    zk.register(PATH, "[::1]:80")

    async def main() -> set[tuple[str, int]]:
        resolver = ProvidersResolver({"prices": zk.providers(PATH)})
        try:
            return {(each["host"], each["port"]) for each in await resolver.resolve("prices")}
        finally:
            await resolver.close()

    found = asyncio.run(main())
    assert {("127.0.0.1", servers[0].server_port), ("::1", 80)} <= found


def test_httpx_waits_for_a_server_of_an_asynchronous_client(zk, place, servers) -> None:
    import zc.zk.aio

    async def main() -> str:
        async with zc.zk.aio.ZooKeeper(place) as own:
            transport = AsyncProvidersTransport(await own.providers(PATH), patience=30)
            mounts = {"http://prices": transport}
            async with httpx.AsyncClient(mounts=mounts, trust_env=False) as client:
                asking = asyncio.ensure_future(client.get("http://prices/tea"))
                await asyncio.to_thread(zk.register, PATH, servers[0].address)
                return (await asking).text

    assert asyncio.run(main()) == servers[0].address
