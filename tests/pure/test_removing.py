"""A removal of a watch that has not been done is left for another time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import zookeeper
from zc.zk.watching.dependencytable import Dependencies
from zc.zk.watching.removing import remove_watches

pytestmark = pytest.mark.quick

LATER = ["CONNECTIONLOSS", "OPERATIONTIMEOUT", "SESSIONCLOSEDREQUIRESASLAUTH", "THROTTLEDOP"]
OVER = ["OK", "NOWATCHER", "UNIMPLEMENTED"]


@pytest.mark.parametrize("code", [*LATER, *OVER])
def test_a_removal_is_left_for_later_unless_it_is_over(code: str) -> None:
    asked: list[str] = []

    def remove(h: int, path: str, kind: int, watcher: Any, *, completion: Any) -> None:
        asked.append(path)
        completion(h, getattr(zookeeper, code))

    dependencies = Dependencies()
    wanted = [(zookeeper.WATCH_DATA, "/a"), (zookeeper.WATCH_CHILDREN, "/b")]
    dependencies.unneeded.extend(wanted)
    binding: Any = SimpleNamespace(aremove_watches=remove)
    assert list(remove_watches(1, dependencies, print, binding)) == [[], []]
    assert asked == ["/a", "/b"]
    assert list(dependencies.unneeded) == (wanted if code in LATER else [])
