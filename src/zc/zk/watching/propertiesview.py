"""The properties of a node at one moment, and where its property links lead then."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from zc.zk.errors import BadPropertyLink
from zc.zk.links import PROPERTY_LINK, NotRead
from zc.zk.propertylinks import LinkedProperty, PropertyLinks
from zc.zk.watching.dependencies import Kind
from zc.zk.watching.liveobject import View
from zc.zk.watching.packedstats import KeptStat, written
from zc.zk.watching.readers import NodeReader

Links = Mapping[str, LinkedProperty | BadPropertyLink]
NO_LINKS: Mapping[str, Any] = MappingProxyType({})


class PropertiesView(View):
    """A view without property links; there may be very many."""

    __slots__ = ("properties",)

    answer: tuple[str | None, KeptStat]
    links: Links = NO_LINKS
    ends: Mapping[str, object] = NO_LINKS

    def __init__(
        self,
        real_path: str,
        properties: Mapping[str, Any],
        answer: tuple[str | None, KeptStat],
        *,
        deleted: bool = False,
    ) -> None:
        super().__init__(real_path, answer, deleted=deleted)
        self.properties = properties

    def differs_from(self, former: View) -> bool:
        # Of ten thousand objects each compares its view with the one before: data first, as a rule.
        return self is not former and (
            self.answer[0] != former.answer[0] or self.fingerprint() != former.fingerprint()
        )

    def fingerprint(self) -> object:
        data, stat = self.answer
        # The zxids differ when a node has been written, or created again, even with the same data.
        return self.real_path, data, written(stat), self.ends


class LinkedPropertiesView(PropertiesView):
    """One with property links, and where they lead."""

    __slots__ = ("ends", "links")

    def __init__(
        self,
        real_path: str,
        properties: Mapping[str, Any],
        answer: tuple[str | None, KeptStat],
        links: Links,
        ends: Mapping[str, object],
    ) -> None:
        super().__init__(real_path, properties, answer)
        self.links = links
        self.ends = ends


def find_links(
    reader: NodeReader, path: str, properties: Mapping[str, Any]
) -> dict[str, LinkedProperty | BadPropertyLink]:
    """Follow the property links among properties of the node at `path`."""
    asked = {
        key.removesuffix(PROPERTY_LINK): value
        for key, value in properties.items()
        if key.endswith(PROPERTY_LINK)
    }
    if not asked:
        return {}
    links = PropertyLinks(reader, len(asked))
    found: dict[str, LinkedProperty | BadPropertyLink] = {}
    for name, value in asked.items():
        try:
            found[name] = links.find(path, name, value)
        except NotRead:
            pass  # others may lack more, which is then read at once
    if reader.lacking:
        raise NotRead
    return found


def ends_of(links: Links, reader: NodeReader) -> dict[str, object]:
    """Return where each link leads, and whether the node there has been written."""
    ends: dict[str, object] = {}
    for name, found in links.items():
        if isinstance(found, BadPropertyLink):
            ends[name] = found.reason
        else:
            _, stat = reader.answers[Kind.DATA, found.path]
            ends[name] = found.path, found.name, written(stat)
    return ends
