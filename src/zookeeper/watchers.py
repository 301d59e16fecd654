"""The registry of watchers, which the emulation has in common with the binding (_watchers.pxi)."""

from collections.abc import Callable

from zookeeper._client import WatcherRegistry as WatcherRegistry

Watcher = Callable[[int, int, int, str], object]
