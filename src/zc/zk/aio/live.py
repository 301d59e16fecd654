"""Live objects of an asynchronous client.

    settings = await zk.properties("/shop")
    async for addresses in zk.children("/shop/providers"):  # as they are, and at each change
        ...

They are faces of those of `zc.zk.watching`, whose changes come by the loop's calls.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from zc.zk.aio.crossing import cross
from zc.zk.errors import printable
from zc.zk.watching import callbacks
from zc.zk.watching.callbacks import Callback, Failures
from zc.zk.watching.telling import Telling

if TYPE_CHECKING:
    from zc.zk.aio.forms import Face

    Self = TypeVar("Self", bound="LiveObject[Any]")

logger = logging.getLogger("zc.zk")

B = TypeVar("B", bound=Telling)


class LiveObject(ABC, Generic[B]):
    """The state at a path, kept up to date once this has been awaited.

    An `async for` loop over it begins with the state as it is, and comes round when it has changed:
    however many changes there were meanwhile, once, with the latest. It gets the object itself. It
    ends when the client is closed.

    Callbacks are functions or coroutine functions, which the client's loop calls, those of one
    object one after another. Otherwise they are as those of the blocking client: one that raises
    is dropped or kept as there, and changes that come meanwhile are told in one call.
    """

    def __init__(self, zk: Face, path: str, watch: bool = True) -> None:
        self.path = path
        self.callbacks: list[Callback] = []
        self.failed_calls = 0
        self._zk = zk
        self._watch = watch
        self._live: B | None = None
        self._making = asyncio.Lock()
        inner = zk._ready()
        self._home = inner.home
        self.keep_callbacks = inner.watches.keep_callbacks
        self._failures: Failures | None = None
        # How often it has changed, and who waits for the next time.
        self._changes = 0
        self._awaiting: set[asyncio.Future[None]] = set()
        # The callbacks whose turn comes, some with what they have returned already.
        self._due: deque[tuple[Callback, Awaitable[object] | None]] = deque()
        self._is_calling = False

    @abstractmethod
    def _make(self) -> B:
        """Return the blocking client's object, in a crossing."""

    async def _made(self: Self) -> Self:
        async with self._making:
            if self._live is None:
                inner = self._zk._ready()
                live = await cross(self._make)
                if self._watch:
                    live.callbacks.append(_teller(self))
                self._live = live
                if inner.is_inline:
                    await asyncio.sleep(0)
        return self

    def __await__(self: Self) -> Generator[Any, None, Self]:
        return self._made().__await__()

    def __aiter__(self: Self) -> AsyncIterator[Self]:
        self._require_watch("there is nothing to wait for")
        return _Looks(self)

    @property
    def _object(self) -> B:
        if self._live is None:
            raise RuntimeError(f"{self!r} has not been read yet: await it first")
        return self._live

    def _require_watch(self, told: str) -> None:
        if not self._watch:
            raise TypeError(f"{self!r} does not change, as it was made with watch=False: {told}")

    @property
    def real_path(self) -> str:
        """The path of the node itself, links followed; where it was, when it is gone."""
        path: str = self._seen.real_path
        return path

    @property
    def deleted(self) -> bool:
        """Whether the node is gone."""
        return bool(self._seen.deleted)

    @property
    def _seen(self) -> Any:
        """The same object, which has a path and an end whatever it is."""
        return self._object

    def __call__(self: Self, callback: Callback) -> Self:
        """Call `callback` now, and again whenever something has changed.

        It returns the object, so that it can be used as a decorator. An exception from the first
        call propagates, and there will be no other calls then. A coroutine function's first run
        is soon, and its exceptions are as those of later ones. Raises TypeError when the object was
        made with watch=False.
        """
        self._require_watch("no callback is called")
        self._zk._ready()
        result = self._first(callback)
        self.callbacks.append(callback)
        if inspect.isawaitable(result):
            self._call_soon(callback, result)
        return self

    def __repr__(self) -> str:
        if self._live is None:
            return printable(f"<zc.zk.aio.{type(self).__name__}({self.path}), not read yet>")
        deleted = "DELETED: " if self.deleted else ""
        return printable(
            f"{deleted}zc.zk.aio.{type(self).__name__}({self._zk.handle}, {self.path})"
        )

    def __del__(self) -> None:
        live = getattr(self, "_live", None)
        if live is not None:
            live.callbacks.clear()
            session = live._watches.session
            if self.callbacks and session.is_kept_up:
                text = callbacks.of_one_that_is_gone(
                    f"aio.{type(self).__name__}", self.path, self.callbacks
                )
                session.tell(logging.WARNING, text)

    # On the loop

    def _note_change(self, *told: Any) -> None:
        """Note a change, of which the blocking client's object has told this."""
        self._changes += 1
        for future in self._awaiting:
            if not future.done():
                future.set_result(None)
        # Of those whose turn has yet to come, each is called once.
        begun = [entry for entry in self._due if entry[1] is not None]
        self._due = deque([*begun, *((callback, None) for callback in self.callbacks)])
        self._begin_calling()

    async def _changed_since(self, changes: int) -> bool:
        """Wait until it has changed more often than that; False if the client is closed."""
        while self._changes == changes and not self._home.is_closed:
            future: asyncio.Future[None] = self._home.loop.create_future()
            self._awaiting.add(future)
            try:
                await self._home.wait(future)
            finally:
                self._awaiting.discard(future)
        return not self._home.is_closed

    def _call(self, callback: Callback) -> None:
        """Call one of the callbacks when its turn comes."""
        self._call_soon(callback, None)

    def _call_soon(self, callback: Callback, begun: Awaitable[object] | None) -> None:
        self._due.append((callback, begun))
        self._begin_calling()

    def _begin_calling(self) -> None:
        if self._due and not self._is_calling:
            self._is_calling = True
            self._home.spawn(self._call_all())

    async def _call_all(self) -> None:
        try:
            while self._due:
                await self._call_one(*self._due.popleft())
        finally:
            self._is_calling = False
            for _, begun in self._due:
                if inspect.iscoroutine(begun):
                    begun.close()
            self._due.clear()

    async def _call_one(self, callback: Callback, begun: Awaitable[object] | None) -> None:
        try:
            result = self._tell(callback) if begun is None else begun
            if inspect.isawaitable(result):
                await self._home.wait_for(self, result)
        except BaseException as fault:
            if isinstance(fault, asyncio.CancelledError) and self._home.is_closed:
                raise
            self._failures = self._failures or Failures(self._object._watches.session)
            self._failures.note(self, callback, fault)
            if not isinstance(fault, (Exception, asyncio.CancelledError)):
                raise
        else:
            if self._failures is not None:
                self._failures.note_success(self, callback)

    def _first(self, callback: Callback) -> object:
        """Call a callback for the first time."""
        return self._tell(callback)

    def _tell(self, callback: Callback) -> object:
        if not self.deleted:
            return callback(self)
        return callback() if callbacks.needs_no_arguments(callback) else None


S = TypeVar("S", bound=LiveObject[Any])


class _Looks(AsyncIterator[S], Generic[S]):
    """The states of a live object, each as soon as the one before has been dealt with."""

    def __init__(self, live: S) -> None:
        self._live = live
        self._seen: int | None = None

    def __aiter__(self) -> _Looks[S]:
        return self

    async def __anext__(self) -> S:
        if self._seen is None:
            await self._live
        elif not await self._live._changed_since(self._seen):
            raise StopAsyncIteration
        self._seen = self._live._changes
        return self._live


def _teller(live: LiveObject[Any]) -> Callable[..., None]:
    """Return a callback of the blocking client's object, which keeps nothing alive."""
    reference = weakref.ref(live)

    def tell(*told: object) -> None:
        live = reference()
        if live is not None:
            live._note_change(*told)

    return tell
