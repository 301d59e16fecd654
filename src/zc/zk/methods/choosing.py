"""Servers to call, as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zc.zk.imports import importing
from zc.zk.methods.passing import Methods, tells_of_root

if TYPE_CHECKING:
    from zc.zk.providers.providers import Providers
    from zc.zk.providers.strategies import Strategy


class Choosing(Methods):
    """The methods by which a program finds the server to call."""

    @tells_of_root
    def providers(
        self, path: str, strategy: Strategy | None = None, *, kept_share: float = 0.5
    ) -> Providers:
        """The servers registered at `path`, kept up to date, one of which `pick` returns.

        `path` may have links in it. `strategy` says which one it is, by default one after the
        other; see `zc.zk.providers`. However many fail, `kept_share` of them are never out. Raises
        NoNodeException.
        """
        with importing:
            from zc.zk.providers.providers import Providers
            from zc.zk.providers.strategies import round_robin

        return Providers(self.watches, path, strategy or round_robin, kept_share=kept_share)
