"""The registry of watchers that binding and emulation share (_watchers.pxi)."""

from zookeeper._client import WatcherRegistry as WatcherRegistry
from zookeeper._client import kinds_of as kinds_of
