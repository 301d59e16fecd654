"""An asynchronous client from its opening to its end, and the loop that it belongs to."""

from __future__ import annotations

import _thread
import asyncio
import logging
import os
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from zc.zk.aio.crossing import cross
from zc.zk.aio.home import Home
from zc.zk.aio.inner import Inner, begun
from zc.zk.client import connection_string_of
from zc.zk.session.calling import closed
from zc.zk.session.pace import MAX_SPREAD, MIN_INTERVAL

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.sasl import Mechanism
    from zookeeper.tls import TLS

    Self = TypeVar("Self", bound="Opening")

logger = logging.getLogger("zc.zk")


class Opening:
    """The part of a client that opens and closes it."""

    initial_connection_wait = 9.0

    def __init__(
        self,
        connection_string: str | None = None,
        session_timeout: int | None = None,
        wait: bool = False,
        *,
        keep_callbacks: bool = False,
        read_only: bool = False,
        min_interval: float = MIN_INTERVAL,
        spread: float = MAX_SPREAD,
        tls: TLS | bool | None = None,
        sasl: Mechanism | None = None,
        binding: Binding | None = None,
    ) -> None:
        self._arguments: dict[str, Any] = {
            "connection_string": connection_string,
            "session_timeout": session_timeout,
            "wait": wait,
            "keep_callbacks": keep_callbacks,
            "read_only": read_only,
            "min_interval": min_interval,
            "spread": spread,
            "tls": tls,
            "sasl": sasl,
            "binding": binding,
        }
        self._process = os.getpid()
        self._inner: Inner | None = None
        self._home: Home | None = None
        self._is_open = False
        self._is_closed = False
        # Both at once, where calls come by: whether it is open, in which loop.
        self._is_usable = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def connect(
        cls: type[Self],
        connection_string: str | None = None,
        session_timeout: int | None = None,
        wait: bool = False,
        *,
        keep_callbacks: bool = False,
        read_only: bool = False,
        min_interval: float = MIN_INTERVAL,
        spread: float = MAX_SPREAD,
        tls: TLS | bool | None = None,
        sasl: Mechanism | None = None,
        binding: Binding | None = None,
    ) -> Self:
        """Return a client that is open, and to be closed by `close`.

        Raises FailedConnect. `async with` a client does this, and closes it at the end.
        """
        zk = cls(
            connection_string,
            session_timeout,
            wait,
            keep_callbacks=keep_callbacks,
            read_only=read_only,
            min_interval=min_interval,
            spread=spread,
            tls=tls,
            sasl=sasl,
            binding=binding,
        )
        await zk._open()
        return zk

    async def _open(self) -> None:
        if self._home is not None:
            raise RuntimeError(f"{self!r} has been opened before: make a new one")
        self._home = home = Home(asyncio.get_running_loop())
        self._inner, begin = begun(home, self, self.initial_connection_wait, self._arguments)
        try:
            await cross(begin)
        except BaseException:
            if (answers := vars(self._inner).get("answers")) is not None:
                answers.end()
            self._inner = self._home = None
            raise
        self._is_open = True
        if self._is_closed:
            raise closed()  # by another task meanwhile
        self._loop = home.loop
        self._is_usable = True

    def _ready(self, *, closed_too: bool = False) -> Inner:
        """Return the blocking client. Raises where, or when, this one cannot be used."""
        inner, home = self._inner, self._home
        if self._is_usable and asyncio._get_running_loop() is self._loop:
            assert inner is not None
            return inner  # a forked child hears of that from the session
        if inner is None or home is None or not self._is_open:
            raise RuntimeError(
                f"{self!r} is not open: use `async with`, or `await {type(self).__name__}.connect`"
            )
        if not home.is_here():
            inner._session.check_process()
            raise RuntimeError(
                f"{self!r} belongs to the event loop, and the thread, in which it was opened"
            )
        if self._is_closed and not closed_too:
            raise closed()
        return inner

    def _note_closed(self) -> None:
        self._is_closed = True
        self._is_usable = False

    async def reopen(self, wait: bool = False) -> None:
        """In a child process, after a fork: have a session of its own, in the loop that runs.

        Live objects go on in it, and registrations do not; see `zc.zk.ZooKeeper.reopen`. In the
        process that has opened the client it does nothing.
        """
        inner, home = self._inner, self._home
        if inner is None or home is None or not inner._session.is_forked:
            return
        self._loop = asyncio.get_running_loop()
        home.begin_again(self._loop)
        self._process = os.getpid()
        inner.answers.begin()
        try:
            await cross(inner.reopen, wait)
        except BaseException:
            self._note_closed()
            raise

    async def close(self) -> None:
        """End the session; ephemeral nodes, and so registrations, go at once.

        Calls that wait raise ClosingException, and callbacks that are under way are cancelled. A
        second call is harmless, and waits for the first. If it is cancelled, closing goes on. When
        the client's loop has been closed, another one will do.
        """
        home = self._home
        if home is None or self._inner is None:
            self._note_closed()
            return
        if not (home.is_here() or home.loop.is_closed() or self._inner._session.is_forked):
            self._ready()  # raises
        loop = asyncio.get_running_loop()
        self._note_closed()
        if self._closing is None or self._closing.get_loop() is not loop:
            self._closing = loop.create_task(self._close(self._inner, home))
            self._closing.add_done_callback(_note_end)
        home.spare(asyncio.current_task())
        await asyncio.shield(self._closing)

    async def _close(self, inner: Inner, home: Home) -> None:
        try:
            await cross(inner.close)
        finally:
            inner.answers.end()
            if home.is_here():
                await home.end()

    async def __aenter__(self: Self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        inner = getattr(self, "_inner", None)
        if inner is None or self._is_closed or self._process != os.getpid():
            return
        self._note_closed()
        warnings.warn(f"unclosed client {self!r}", ResourceWarning, source=self, stacklevel=1)
        if not inner.home.post(inner.answers.end):
            inner.answers.end()
        try:
            # It may take a moment, and this may be anywhere.
            _thread.start_new_thread(inner.close, ())
        except RuntimeError:
            pass  # no more threads: the end of the program closes it

    def __repr__(self) -> str:
        session = getattr(self._inner, "_session", None)
        told = "not open" if session is None else session.state.value
        return f"<zc.zk.aio.{type(self).__name__} {self.connection_string}: {told}>"

    @property
    def connection_string(self) -> str:
        """Where the servers are."""
        return connection_string_of(self._arguments["connection_string"])


def _note_end(closing: asyncio.Task[None]) -> None:
    """Take the outcome of a closing that nobody need wait for."""
    if not closing.cancelled() and (fault := closing.exception()) is not None:
        logger.error("a client could not be closed", exc_info=fault)
