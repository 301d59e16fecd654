"""Reconcile: let an ephemeral node become as desired, by attempts (`Attempt`).

A node that is kept in being like this is a "persistent node" elsewhere.
"""

from __future__ import annotations

from zc.zk.registration.attempt import Attempt, observe
from zc.zk.registration.node import EphemeralNode
from zc.zk.registration.step import Observed, Presence, RegistrationState, has_to_reconcile, shown

# A desire that changes, or a node that comes and goes, faster than requests are done is left for
# later after so many actions.
MAX_ACTIONS = 30


def reconcile(handle: int, node: EphemeralNode) -> bool:
    """Have what is desired, or find out what it has to wait for.

    False if it keeps changing. Raises what the server says against it, and SessionError.
    """
    attempt = Attempt(node, handle)
    for _ in range(MAX_ACTIONS):
        is_at_rest = attempt.act()
        if attempt.desired is not node.desired:
            attempt.begin()
        elif is_at_rest:
            return True
    return False


def is_due(node: EphemeralNode) -> bool:
    """Tell whether an attempt is due when the node, or what it depends on, was read again."""
    known, standing = node.known, node.standing
    seen = Observed(Presence.UNKNOWN, known.epoch)
    if node.is_watched and shown(known, standing) is RegistrationState.REGISTERED:
        seen = observe(node, known.epoch, fresh=False)
    return has_to_reconcile(node.desired, known, seen, standing, node.on_deletion)
