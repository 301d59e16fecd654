"""The servers of a service, live, and the choice among them.

Threads. The session's worker puts a new view in place; the program's threads pick. They pick
from one object, a `_Choice`, made anew by the first pick after a change, and replaced as a
whole: there is no lock, and two threads that make it at the same time do so for nothing. Nothing
here makes a request, except the constructor; nothing waits, except `wait`.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from zc.zk.errors import NoProvider
from zc.zk.providers.outliers import KEPT_SHARE, Outliers
from zc.zk.providers.provider import Key, Provider
from zc.zk.providers.registered import ProvidersView, Registered, see
from zc.zk.providers.strategies import Chooser, Picks, Strategy, round_robin
from zc.zk.session.calling import closed
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.liveobject import LiveObject
from zc.zk.watching.readers import NodeReader
from zc.zk.watching.subscriptions import Subscriptions

logger = logging.getLogger("zc.zk")


class _Choice:
    """The servers to pick from: for this view, these failures, and until a server may be back."""

    __slots__ = ("candidates", "chooser", "out", "until", "version", "view")

    def __init__(
        self,
        view: ProvidersView,
        version: object,
        candidates: list[Provider],
        out: Mapping[str, float],
        chooser: Chooser | None,
    ) -> None:
        self.view = view
        self.version = version
        self.candidates = candidates
        self.out = out
        self.until = min(out.values(), default=math.inf)
        self.chooser = chooser


class Providers(LiveObject[ProvidersView], Mapping[str, Mapping[str, Any]]):
    """The servers registered at a path: a live mapping from address to properties.

    `zc.zk.ZooKeeper.providers` makes them; `LiveObject` says what they have in common with
    `Children`. `pick` returns the one to call, by the strategy. Servers whose property `draining`
    is true are passed over, and so are for a while those that `failed` was told of.
    """

    _kind = Kind.CHILDREN

    def __init__(
        self,
        watches: Subscriptions,
        path: str,
        strategy: Strategy = round_robin,
        *,
        kept_share: float = KEPT_SHARE,
    ) -> None:
        self._strategy = strategy
        self._picks = Picks()
        self._outliers = Outliers(kept_share)
        self._choice: _Choice | None = None
        self._unusable: set[str] = set()
        # Those of the last view, which need not be the one that is shown.
        self._made: Mapping[str, Registered] = {}
        super().__init__(watches, path)

    # The mapping

    def __getitem__(self, address: str) -> Mapping[str, Any]:
        """Return the properties of a registered server."""
        return self._shown.registered[address].properties

    def __iter__(self) -> Iterator[str]:
        return iter(self._shown.registered)

    def __len__(self) -> int:
        return len(self._shown.registered)

    def __contains__(self, address: object) -> bool:
        return address in self._shown.registered

    # That of the object: a mapping that is equal to another one need not be so any more later on.
    __hash__ = object.__hash__

    # The choice

    def pick(self, key: Key | None = None, *, but_not: Collection[str] = ()) -> Provider:
        """Return the server to call.

        Some strategies pick by the `key`. Addresses in `but_not` are passed over, as those that
        have just been tried. Without a connection it goes on with the servers known last; `age`
        tells. Raises NoProvider.
        """
        choice = self._chosen()
        if but_not:
            return self._pick_another(choice, key, but_not)
        if choice.chooser is None:
            raise self._nothing(choice)
        return choice.chooser(key)

    @contextmanager
    def using(self, key: Key | None = None, *, but_not: Collection[str] = ()) -> Iterator[Provider]:
        """Pick like `pick`, and count the server as used until the `with` block is left."""
        picks, provider = self._picks, self.pick(key, but_not=but_not)
        end = picks.begin(provider.address)
        try:
            yield provider
        finally:
            end()

    def failed(self, server: Provider | str) -> None:
        """Take a server, or its address, out for a while.

        That is about a second, and twice as long each time, up to a minute, unless `succeeded` is
        told of it in between. However many fail, half of the servers stay, or as many as
        `kept_share` says.
        """
        address = server if isinstance(server, str) else server.address
        if address in self._shown.registered:
            self._outliers.note_failure(address, time.monotonic())

    def succeeded(self, server: Provider | str) -> None:
        """Forget the failures of a server, or address: it has answered."""
        self._outliers.note_success(server if isinstance(server, str) else server.address)

    @property
    def available(self) -> list[Provider]:
        """The servers that are picked from: neither draining nor out."""
        return list(self._chosen().candidates)

    @property
    def age(self) -> float:
        """How many seconds ago the last was heard: 0.0 while ZooKeeper can tell of changes."""
        return self._watches.age()

    def wait(
        self, seconds: float, key: Key | None = None, *, but_not: Collection[str] = ()
    ) -> Provider:
        """Pick like `pick`, and wait for so many seconds while there is none.

        Raises NoProvider when there is none by then, ClosingException when the client is closed,
        and ForkedException in a child process that has not called `reopen`.
        """
        session = self._watches.session
        session.check_process()
        deadline = time.monotonic() + seconds
        while True:
            view = self._view
            try:
                return self.pick(key, but_not=but_not)
            except NoProvider as nothing:
                if not session.is_kept_up:
                    raise closed() from nothing
                left = deadline - time.monotonic()
                if left <= 0:
                    raise
            session.wait_for(partial(self._is_news, view), left)

    def _is_news(self, view: ProvidersView | None) -> bool:
        return self._view is not view or not self._watches.session.is_kept_up

    def _chosen(self) -> _Choice:
        choice, view = self._choice, self._shown
        if (
            choice is None
            or choice.view is not view
            or choice.version is not self._outliers.version
            or choice.until <= time.monotonic()
        ):
            self._choice = choice = self._choose(view)
        return choice

    def _choose(self, view: ProvidersView) -> _Choice:
        # Before they are looked at: a failure that comes meanwhile makes this choice old.
        version = self._outliers.version
        self._outliers.forget(view.registered)
        self._picks.forget(view.registered)
        able = {
            name: each.provider
            for name, each in view.registered.items()
            if each.provider is not None and not each.provider.is_draining
        }
        self._warn_of_unusable(view)
        out = self._outliers.out_of(able, time.monotonic())
        candidates = [provider for address, provider in able.items() if address not in out]
        chooser = self._strategy(candidates, self._picks) if candidates else None
        return _Choice(view, version, candidates, out, chooser)

    def _warn_of_unusable(self, view: ProvidersView) -> None:
        unusable = {name for name, each in view.registered.items() if each.provider is None}
        if news := unusable - self._unusable:
            logger.warning(
                "%r passes over what is no address of the form host:port: %s",
                self,
                ", ".join(map(repr, sorted(news))),
            )
        self._unusable = unusable

    def _pick_another(self, choice: _Choice, key: Key | None, but_not: Collection[str]) -> Provider:
        candidates = [each for each in choice.candidates if each.address not in but_not]
        if not candidates:
            raise self._nothing(choice, tried=len(choice.candidates))
        return self._strategy(candidates, self._picks)(key)

    def _nothing(self, choice: _Choice, tried: int = 0) -> NoProvider:
        registered = choice.view.registered.values()
        able = [each.provider for each in registered if each.provider is not None]
        return NoProvider(
            self.path,
            registered=len(registered),
            draining=sum(each.is_draining for each in able),
            out=len(choice.out),
            unusable=len(registered) - len(able),
            tried=tried,
            age=self.age,
        )

    # Being live

    def _note_change(self) -> None:
        self._watches.session.note_news()
        super()._note_change()

    def _after_fork(self) -> None:
        super()._after_fork()
        self._picks = Picks()
        self._choice = None

    def _see(self, reader: NodeReader) -> ProvidersView:
        view = see(reader, self.path, self._made)
        self._made = view.registered
        return view

    def _see_nothing(self, real_path: str) -> ProvidersView:
        return ProvidersView(real_path, {}, deleted=True)
