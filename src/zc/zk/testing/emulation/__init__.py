"""The emulation: the engine in this process, behind the binding's functions."""

from zc.zk.testing.emulation.emulation import Emulation
from zc.zk.testing.emulation.handle import Handle

__all__ = ["Emulation", "Handle"]
