"""The properties of a cached node, decoded once, and whatever its data have become."""

from __future__ import annotations

from sys import intern

from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.watching.dependencies import CachedNode


def properties_of(node: CachedNode, data: str | None) -> Properties:
    """Decode the data that a node was read with; the result is shared.

    Of bad JSON in braces, the last good ones if it was JSON when it was read before; a node
    that never held JSON has another language, and shows what is there. It is logged once.
    """
    view, decoded = node.view, node.decoded
    if view is not None and view.answer[0] == data:
        shown: Properties = view.properties
        return shown
    if decoded is not None and decoded[0] == data:
        return decoded[1]
    try:
        # Nodes that are alike have properties of the same names.
        decoded_now = codec.decode_strictly(data)
        properties = {intern(name): value for name, value in decoded_now.items()}
        node.good = properties if codec.is_in_braces(data) else None
    except ValueError:
        properties = codec.decode(data, node.path, node.good)
    node.decoded = data, properties
    return properties
