"""Suites as users of the asynchronous client have them, run as they run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.deadlines import scaled

SUITE = """
import asyncio
import unittest

import pytest

import zc.zk.aio
import zc.zk.testing
from zc.zk.testing import Emulation, Server


async def test_with_a_server(zookeeper_async_client):
    async with zookeeper_async_client as zk:
        await zk.create("/a")
        async for names in zk.children("/"):
            if "a" in names:
                break


async def test_with_an_emulation(zookeeper_emulation):
    async with zc.zk.aio.ZooKeeper(
        zookeeper_emulation.connection_string, binding=zookeeper_emulation.binding
    ) as zk:
        await zk.register("/", "a:1")
        assert "a:1" in await zk.get_children("/")


@pytest.fixture
async def zk(zookeeper_async_client):
    async with zookeeper_async_client as zk:
        yield zk


async def test_with_a_client_from_a_fixture(zk):
    settings = await zk.properties("/")
    await settings.update(x=1)
    assert dict(settings) == {"x": 1}


class Emulated(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        zc.zk.testing.setUp(self)
        self.addCleanup(zc.zk.testing.tearDown, self)

    async def asyncSetUp(self):
        self.zk = zc.zk.aio.ZooKeeper("zookeeper.example.com:2181")
        await self.enterAsyncContext(self.zk)

    async def test_the_tree_of_set_up_is_there(self):
        told = asyncio.Event()
        providers = await self.zk.children("/fooservice/providers")
        providers(lambda names: told.set() if len(names) else None)
        await self.zk.register("/fooservice/providers", "1.2.3.4:80")
        await asyncio.wait_for(told.wait(), 10)

    async def test_bad_days_can_be_had(self):
        handle = self.ZooKeeper.sessions[self.zk.handle]
        server = await self.zk.register("/fooservice/providers", "1.2.3.4:80")
        handle.expire()
        assert server.state == "registered"
        names = await self.zk.get_children("/fooservice/providers")
        assert names == ["1.2.3.4:80"]


class Served(unittest.IsolatedAsyncioTestCase):
    async def test_a_server_on_a_port(self):
        with Server() as server:
            async with zc.zk.aio.ZooKeeper(server.connection_string) as zk:
                await zk.import_tree("/shop\\n  x = 1\\n")
                assert await zk.export_tree() == "/shop\\n  x = 1\\n"
"""


def test_suites_of_users_pass_by_pytest_asyncio_and_unittest(tmp_path: Path):
    suite = SUITE
    if sys.version_info < (3, 11):
        suite = suite.replace(
            "await self.enterAsyncContext(self.zk)",
            "await self.zk.__aenter__(); self.addAsyncCleanup(self.zk.close)",
        )
    (tmp_path / "test_suite.py").write_text(suite)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["zc.zk.testing.pytest_plugin"]\n')
    options = ["asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function"]
    (tmp_path / "pytest.ini").write_text(
        "\n".join(["[pytest]", *options, "filterwarnings = error"])
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(tmp_path)],
        capture_output=True, text=True, timeout=scaled(60), check=False, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    assert "6 passed" in ran.stdout
