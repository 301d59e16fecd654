"""Registered servers as they are read: names, the properties of their nodes, and a view of all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

import zookeeper
from zc.zk.links import NotRead, join
from zc.zk.providers.provider import Provider
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.liveobject import View
from zc.zk.watching.packedstats import written
from zc.zk.watching.readers import NodeReader

logger = logging.getLogger("zc.zk")


class Registered:
    """A registered name, the answer to reading its node and when that was written, its provider.

    `provider` is None if the name is no address that can be called.
    """

    __slots__ = ("answer", "properties", "provider", "written")

    def __init__(self, address: str, properties: Mapping[str, Any], answer: object) -> None:
        self.answer = answer
        self.written = _zxids(answer)
        self.properties: Mapping[str, Any] = MappingProxyType(dict(properties))
        self.provider: Provider | None = None
        with suppress(ValueError):
            self.provider = Provider(address, self.properties)


class ProvidersView(View):
    """The servers that are registered, by name."""

    __slots__ = ("registered",)

    def __init__(
        self, real_path: str, registered: dict[str, Registered], *, deleted: bool = False
    ) -> None:
        super().__init__(real_path, deleted=deleted)
        self.registered = registered

    def fingerprint(self) -> object:
        versions = {name: each.written for name, each in self.registered.items()}
        return self.real_path, self.deleted, versions


def see(reader: NodeReader, path: str, former: Mapping[str, Registered]) -> ProvidersView:
    """Return the view of what is registered at `path`; what is in `former` is not made again.

    Raises what the reader does, NotRead among it.
    """
    real_path, names = reader.follow(Kind.CHILDREN, path)
    registered: dict[str, Registered] = {}
    for name in names:
        node = join(real_path, name)
        try:
            reader.read(Kind.DATA, node)
        except NotRead:
            continue  # others may lack as well, which are then read at once
        except zookeeper.NoNodeException:
            continue  # it has gone meanwhile, and the names are about to be read again
        except zookeeper.SessionError:
            raise
        except zookeeper.ZooKeeperException as refusal:
            # Its address can be called all the same.
            logger.debug("the properties at %s cannot be read: %s", node, refusal)
        answer = reader.answers[Kind.DATA, node]
        known = former.get(name)
        if known is None or known.answer is not answer:
            known = Registered(name, _properties(reader, answer, node), answer)
        registered[name] = known
    if reader.lacking:
        raise NotRead
    return ProvidersView(real_path, registered)


def _properties(reader: NodeReader, answer: Any, path: str) -> Mapping[str, Any]:
    if isinstance(answer, zookeeper.ZooKeeperException):
        return {}
    return reader.properties(answer, path)


def _zxids(answer: Any) -> object:
    """Return what differs when a node has been written, or made again."""
    if isinstance(answer, zookeeper.ZooKeeperException):
        return None
    return written(answer[1])
