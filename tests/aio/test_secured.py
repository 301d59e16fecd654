"""TLS and SASL of an asynchronous client: as of the blocking one, whose session it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import zc.zk
import zc.zk.aio
from tests.aio.running import Run
from zc.zk.testing import Server, certificates


def test_a_client_is_secured_and_logs_in(run: Run[None], tmp_path: Path):
    async def main(server: Server) -> None:
        login = zc.zk.SASL.digest_md5("app", "secret")
        async with zc.zk.aio.ZooKeeper(
            server.connection_string, tls=made.client_tls, sasl=login
        ) as zk:
            assert ("sasl", "app") in [tuple(identity) for identity in await zk.whoami()]
            await zk.create("/mine", "", [zc.zk.sasl_acl("app", 31)])
            assert (await zk.get("/mine"))[0] == ""
            assert zk.connection_fault() is None

    made = certificates(str(tmp_path))
    with Server(tls=made.server_tls, sasl={"app": "secret"}) as server:
        run(main(server))


def test_a_server_that_is_not_trusted_is_told_as_by_the_blocking_client(
    run: Run[None], tmp_path: Path
):
    async def main(server: Server) -> None:
        zk = zc.zk.aio.ZooKeeper(server.connection_string, tls=True)
        zk.initial_connection_wait = 1.0
        with pytest.raises(zc.zk.FailedConnect, match="certificate"):
            await zk.__aenter__()

    made = certificates(str(tmp_path))
    with Server(tls=made.server_tls) as server:
        run(main(server))
