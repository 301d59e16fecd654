"""The ZooKeeper C client for Python 3, with zkpython's module API and more.

Every call takes the integer handle that `init` returns. A synchronous call returns a value or
raises a `ZooKeeperException`. An asynchronous one, `a...`, returns OK, and a completion gets the
code and the results on the handle's event thread, where watchers are called, too. Times are
milliseconds where ZooKeeper's own are (`recv_timeout`, `ttl`), and seconds in `timeout=`.
"""

from zookeeper._client import *  # noqa: F403
from zookeeper._client import __version__ as __version__
from zookeeper.answers import Answers as Answers
from zookeeper.constants import *  # noqa: F403
from zookeeper.errors import *  # noqa: F403
from zookeeper.log import set_log_stream as set_log_stream


def __getattr__(name: str) -> object:
    # Few programs need them.
    if name == "TLS":
        from zookeeper.tls import TLS

        return TLS
    if name == "SASL":
        from zookeeper.sasl import SASL

        return SASL
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


globals()["async"] = async_  # noqa: F405  zkpython's name; a keyword since Python 3.7
