"""Bindings, for the type checker: two keep to the protocol.

These are the extension's stub and the emulation.
"""

from __future__ import annotations

from typing import Any

import zc.zk
import zookeeper
from zc.zk.testing import Emulation
from zc.zk.testing.emulation.emulation import EmulatedBinding
from zookeeper.binding import Binding
from zookeeper.types import Acl, Stat

extension: Binding = zookeeper
emulation: Binding = Emulation().binding


class Forgetful:
    """Lacks some of the functions."""

    def get(self, h: int, path: str) -> tuple[str | None, Stat]:
        raise LookupError(path)


class Different(EmulatedBinding):
    """Has a function with another parameter."""

    def set_acl(self, h: int, path: str, acl: Acl) -> int:  # type: ignore[override]
        return 0


def not_bindings(forgetful: Forgetful, different: Different) -> list[Binding]:
    return [forgetful, different]  # type: ignore[list-item]


def hand_in(binding: Binding, emulation: Emulation) -> list[zc.zk.ZooKeeper]:
    return [
        zc.zk.ZooKeeper("127.0.0.1:2181", binding=binding),
        zc.zk.ZooKeeper(binding=zookeeper),
        zc.zk.ZooKeeper(binding=emulation.binding),
        zc.zk.ZooKeeper(binding=emulation),  # type: ignore[arg-type]
    ]


def stand_in(binding: Binding, handle: int) -> Any:
    binding.get(handle, 7)  # type: ignore[arg-type]
    return binding.multi(handle, [("check", "/shop", 3)])
