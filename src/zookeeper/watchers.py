"""The registry of watchers, which the emulation has in common with the binding (_watchers.pxi)."""

from zookeeper._client import WatcherRegistry as WatcherRegistry
