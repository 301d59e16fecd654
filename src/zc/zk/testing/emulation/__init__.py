"""The engine as the module `zookeeper` sees it: in this process, by the binding's functions."""

from zc.zk.testing.emulation.emulation import Emulation
from zc.zk.testing.emulation.handle import Handle

__all__ = ["Emulation", "Handle"]
