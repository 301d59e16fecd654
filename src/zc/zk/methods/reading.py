"""Reading, and the session: the binding's functions as methods, without the handle.

Each calls the function of its name of the client's binding, looked up there at every call, so that
a test which patches it is seen.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.methods.passing import Methods, passed_on

if TYPE_CHECKING:
    from zookeeper.types import VoidCompletion, Watcher


class Reading(Methods):
    """The methods that read, and those about the session."""

    exists = passed_on(zookeeper.exists)
    aexists = passed_on(zookeeper.aexists)
    get = passed_on(zookeeper.get)
    aget = passed_on(zookeeper.aget)
    get_children = passed_on(zookeeper.get_children)
    aget_children = passed_on(zookeeper.aget_children)
    get_children2 = passed_on(zookeeper.get_children2)
    aget_children2 = passed_on(zookeeper.aget_children2)
    get_acl = passed_on(zookeeper.get_acl)
    aget_acl = passed_on(zookeeper.aget_acl)
    get_config = passed_on(zookeeper.get_config)
    aget_config = passed_on(zookeeper.aget_config)
    get_many = passed_on(zookeeper.get_many)
    get_acl_many = passed_on(zookeeper.get_acl_many)
    get_children_many = passed_on(zookeeper.get_children_many)
    read_tree = passed_on(zookeeper.read_tree)
    watch_many = passed_on(zookeeper.watch_many)
    check_operations = passed_on(zookeeper.check_operations)
    reconfig = passed_on(zookeeper.reconfig)
    areconfig = passed_on(zookeeper.areconfig)
    get_ephemerals = passed_on(zookeeper.get_ephemerals)
    aget_ephemerals = passed_on(zookeeper.aget_ephemerals)
    get_all_children_number = passed_on(zookeeper.get_all_children_number)
    aget_all_children_number = passed_on(zookeeper.aget_all_children_number)
    whoami = passed_on(zookeeper.whoami)
    awhoami = passed_on(zookeeper.awhoami)
    add_watch = passed_on(zookeeper.add_watch)
    aadd_watch = passed_on(zookeeper.aadd_watch)
    event_zxid = passed_on(zookeeper.event_zxid)
    remove_watches = passed_on(zookeeper.remove_watches)
    aremove_watches = passed_on(zookeeper.aremove_watches)
    sync = passed_on(zookeeper.sync)
    async_ = passed_on(zookeeper.async_)
    client_id = passed_on(zookeeper.client_id)
    recv_timeout = passed_on(zookeeper.recv_timeout)
    is_unrecoverable = passed_on(zookeeper.is_unrecoverable)

    def connection_fault(self, *, awaited: bool = False) -> str | None:
        """Say in words why TLS or SASL failed, or None if they last worked.

        Also in a session that is still being opened, which may be for that reason. If `awaited`, it
        also says what a connection that is being made waits for, if that takes long.
        """
        session = self._session
        # The argument only where it is needed, for those who patch the function.
        more = {"awaited": True} if awaited else {}
        return session.call_early(session.binding.connection_fault, **more)

    def is_refused(self) -> bool:
        """Tell whether all servers have refused the SASL credentials, twice each.

        The client tries again all the same, and goes on when they are accepted.
        """
        session = self._session
        return session.call_early(session.binding.is_refused)

    def add_auth(
        self, scheme: str, credential: str | bytes, completion: VoidCompletion | None = None
    ) -> int:
        """Authenticate this session, as `zookeeper.add_auth` does, and later ones.

        Also one that is still being opened, or has no connection just now. Where the answer is lost
        with the connection or the session, `completion` is told; the credential is given again
        all the same. One that is refused ends the session, and is given to none after it.
        """
        session, given = self._session, (scheme, credential)

        def noted(handle: int, code: int) -> None:
            if code == zookeeper.OK:
                session.credentials.accept([given])
            elif code == zookeeper.AUTHFAILED:
                session.credentials.withdraw(given)
            elif code in (zookeeper.CONNECTIONLOSS, zookeeper.OPERATIONTIMEOUT):
                # It is sent again by itself; to hear of the answer takes another call.
                with contextlib.suppress(zookeeper.ZooKeeperException):
                    session.binding.add_auth(handle, *given, noted)

        def done(handle: int, code: int) -> None:
            noted(handle, code)
            if completion is not None:
                completion(handle, code)

        session.credentials.expect(given)
        try:
            return session.call_early(session.binding.add_auth, *given, done)
        except BaseException:
            session.credentials.withdraw(given)
            raise

    def set_watcher(self, watcher: Watcher | None) -> int:
        """Have `watcher(handle, type, state, path)` called for session events, of all sessions.

        It is called like a callback of a live object, one at a time with these.
        """
        self._session.announcements.watcher = watcher
        return zookeeper.OK


# A keyword since Python 3.7, and still the name under which programs know it.
setattr(Reading, "async", Reading.__dict__["async_"])
