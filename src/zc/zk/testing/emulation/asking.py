"""The base of all functions about nodes: a checked request, now or later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from zc.zk.testing.emulation import arguments
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.request import Request
from zc.zk.testing.emulation.server import EmulatedServer
from zc.zk.testing.engine import Client
from zookeeper import constants, errors

# The one operation that the server does not know is a change of its ensemble.
ALONE: Final = "the server is alone, or older than ZooKeeper 3.5"


class Asking:
    def __init__(self, server: EmulatedServer) -> None:
        self._server = server

    def _find(self, h: int, path: str) -> tuple[Handle, str]:
        """Return the handle, and the path as the server knows it."""
        handle = self._server.find(h)
        where = handle.server_path(arguments.path(path))
        handle.check_size(path)
        return handle, where

    def _now(self, h: int, request: Request, timeout: float | None) -> tuple[Any, ...]:
        """Return the results of a request. `timeout` is checked and not needed."""
        arguments.timeout(timeout)
        handle = self._server.find(h)
        code, results = handle.ask(request)
        if code != constants.OK:
            raise self._refusal(handle, code, request.path)
        return results

    def _refusal(self, handle: Handle, code: int, path: str | None) -> errors.ZooKeeperException:
        """Make the exception for an answer; the root of all paths may be missing."""
        # A single read needs no lock, which calls for many nodes hold already.
        nodes = self._server.engine.tree.nodes
        if code == constants.NONODE and handle.chroot and handle.chroot not in nodes:
            return errors.error(code, path, f"the root {handle.chroot} does not exist")
        is_lacking = code == constants.UNIMPLEMENTED
        return errors.error(code, path, ALONE if is_lacking else None)

    def _later(
        self, h: int, request: Request, completion: Callable[..., object] | None
    ) -> Literal[0]:
        arguments.function(completion, "a completion")
        self._server.find(h).ask(request, completion)
        return constants.OK

    def _bulk_later(
        self,
        h: int,
        request: Request,
        completion: Callable[..., object] | None,
        timeout: float | None,
        progress: Callable[[Any], object] = lambda results: None,
    ) -> Done:
        """Ask for many nodes, and call `progress(results)` and the completion."""

        def complete(number: int, code: int, results: Any) -> None:
            try:
                if code == constants.OK:
                    progress(results)
            finally:
                if completion is not None:
                    completion(number, code, results)

        arguments.timeout(timeout)
        arguments.function(completion, "a completion")
        self._server.find(h).ask(request._replace(failed=(None,)), complete)
        return Done()


class Done:
    """A bulk operation that cannot be cancelled any more."""

    def cancel(self) -> None:
        pass


def first_only(request: Request) -> Request:
    """Reduce a request to its first result."""
    return request._replace(
        perform=lambda client: request.perform(client)[:1], failed=request.failed[:1]
    )


def without_results(request: Request) -> Request:
    def perform(client: Client) -> tuple[Any, ...]:
        request.perform(client)
        return ()

    return request._replace(perform=perform, failed=())
