"""A server that is registered once its process listens, by a client of its own or a given one."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from zc.zk.acl import READ_ACL_UNSAFE
from zc.zk.client import ZooKeeper
from zc.zk.serving.listening import listening, the_one

if TYPE_CHECKING:
    from zc.zk.registration.address import Address
    from zc.zk.registration.registration import Registration
    from zookeeper.types import Acl

logger = logging.getLogger("zc.zk")


class Service:
    """One registration of a process. All methods may be called from any thread.

    `address` is by default the one at which the process listens, at `port` if that is given.
    """

    def __init__(
        self,
        path: str,
        address: Address | None = None,
        *,
        zk: ZooKeeper | None = None,
        port: int | None = None,
        acl: Acl = READ_ACL_UNSAFE,
        **data: Any,
    ) -> None:
        self._path = path
        self._address = address
        self._zk = zk
        self._owns_client = zk is None
        self._port = port
        self._acl = acl
        self._data = data
        self._lock = threading.Lock()
        self._is_over = False
        self.registration: Registration | None = None

    def register_if_listening(self) -> bool:
        """Register if the process listens; say whether that is done, or not wanted any more.

        Raises ValueError if it listens at several ports, and what `ZooKeeper` and `register` raise.
        """
        found = the_one(listening(), self._port)
        if found is None:
            return False
        with self._lock:
            if self._zk is None and not self._is_over:
                self._zk = ZooKeeper()
            if self._zk is not None and self.registration is None and not self._is_over:
                address = self._address or found
                self.registration = self._zk.register(self._path, address, self._acl, **self._data)
                logger.info("%r: it listens at %s:%s", self.registration, *found)
        return True

    def withdraw(self) -> None:
        """Let consumers know that the server is about to end. Harmless when done twice."""
        with self._lock:
            self._is_over = True
            if self.registration is not None:
                self.registration.unregister()

    def close(self) -> None:
        """Withdraw, and close the client, if it is this one's own."""
        self.withdraw()
        if self._owns_client and self._zk is not None:
            self._zk.close()
