"""The next action about one ephemeral node, as a pure function.

`next_action` is told what is desired, what was seen of the node, and where the session stands. It
reads nothing, so that all combinations are tested as a table. An executor does what it says, and
asks again with what that has shown. Since the answer depends on the present state only
(level-triggered), an action can be repeated, interrupted by a lost connection, and race with
another thread's.

Danger: of a node that exists already, the owner decides. To take any existing node for a success is
the classic mistake, as a former session's node vanishes seconds later:

- A node of this session is there, perhaps made by a request whose answer was lost.
- A node of a former session of ours is about to vanish. It is replaced in one transaction.
- A node of anybody else is not touched. The registration waits for its end.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from zookeeper.types import Acl
else:
    Acl = Any  # a large module, for a type


class RegistrationState(str, enum.Enum):
    """How things stand with an ephemeral node that is desired."""

    PENDING = "pending"  # not there, or not known to be: made as soon as there is a session
    REGISTERED = "registered"  # there, and ours
    WAITING = "waiting"  # another session's node is there
    REFUSED = "refused"  # the server does not let us; tried again
    ENDED = "ended"  # not desired any more

    def __str__(self) -> str:
        return self.value


class Desired(NamedTuple):
    """The state that a node is to have.

    Two of the same content are different desires, told apart by identity: between them something
    else may have been written, by a request whose answer was lost.
    """

    data: str | bytes | None
    acl: Acl


class Standing(NamedTuple):
    """Where the session stands.

    `epoch` is the number of the session that there is, None while there is none; `is_over` is true
    when there will be none any more in this process.
    """

    epoch: int | None
    is_over: bool = False


class Known(NamedTuple):
    """The memory of a node from one attempt to the next.

    It was found out in the session `epoch`. `written` is what was written last; None if a lost
    answer leaves that open. `owner` is the session whose node is waited for, 0 if that node is not
    ephemeral.
    """

    state: RegistrationState = RegistrationState.PENDING
    epoch: int = 0
    written: Desired | None = None
    owner: int = 0


class Presence(enum.Enum):
    """Whether there is a node at the path, and whose."""

    UNKNOWN = "unknown"  # nobody has looked in this session, or an answer was lost
    EXISTS = "exists"  # there is one, or was a moment ago; whose it is has to be seen
    MISSING = "missing"
    DELETED = "deleted"  # missing, and it was ours in this session
    OURS = "ours"  # this session's, for this registration
    FORMER = "former"  # of a session that this client has lost
    SISTERS = "sisters"  # this session's, for another registration that has the path
    ANOTHERS = "another's"
    PERMANENT = "permanent"  # not ephemeral


class Obstacle(enum.Enum):
    """Why the last request failed, where another way may lead on."""

    NONE = "none"
    NO_PARENT = "no parent"  # the links on the way may lead elsewhere
    NOT_WRITABLE = "not writable"  # its ACL lets nobody write, those who made it included
    NO_TRANSACTIONS = "no transactions"  # the server does not know them


class Observed(NamedTuple):
    """The state of a node that was seen, in the session `epoch`, for one desire.

    `version` is known of a node that was looked at. `fault` is what the server said when there is
    an obstacle; no action depends on it.
    """

    presence: Presence
    epoch: int
    version: int = -1
    written: Desired | None = None
    obstacle: Obstacle = Obstacle.NONE
    owner: int = 0
    fault: Exception | None = None


class Do(enum.Enum):
    """Kinds of actions: requests, and after these a rest."""

    CREATE = "create"
    LOOK = "look"
    SYNC_AND_LOOK = "sync and look"
    FOLLOW_LINKS = "follow links"
    WRITE = "write"
    REPLACE = "replace"  # delete and create, in one transaction
    DELETE = "delete"
    SETTLE = "settle"  # it is as desired
    AWAIT_OWNER = "await owner"
    AWAIT_SESSION = "await session"
    END = "end"  # it is not there, and need not be

    # Thousands may be grouped by it; Enum's own hashes the name every time.
    __hash__ = object.__hash__


class Action(NamedTuple):
    """The thing to do; a change of a node is one of the `version` that was seen."""

    do: Do
    version: int = -1


def begin(known: Known, standing: Standing) -> Observed:
    """Return what of that still counts when an attempt begins.

    A node that was ours in this session is looked at; anything else may have changed since.
    """
    was_ours = known.state is RegistrationState.REGISTERED and known.epoch == standing.epoch
    presence = Presence.EXISTS if was_ours else Presence.UNKNOWN
    return Observed(presence, standing.epoch or 0, written=known.written)


class OnDeletion(enum.Enum):
    """The meaning of a deletion, by somebody else, of a node of ours."""

    REVIVE = "revive"
    END = "end"
    IGNORE = "ignore"  # not watched: the program made it by itself, and later sessions have it


def next_action(
    desired: Desired | None, observed: Observed, standing: Standing, on_deletion: OnDeletion
) -> Action:
    """Choose what brings the node nearer to what is desired, or the rest to take.

    `desired` is None when there shall be no node. An observation from before the desire
    changed does not count: a former one's request may still be under way.
    """
    if standing.epoch is None or standing.is_over:
        return Action(Do.AWAIT_SESSION)
    if observed.epoch != standing.epoch:
        # The session was lost in between, and what it had is gone, or about to be.
        observed = Observed(Presence.UNKNOWN, standing.epoch)
    if desired is None:
        return _action_of_withdrawn(observed)
    if observed.presence is Presence.DELETED and on_deletion is OnDeletion.END:
        return Action(Do.END)
    return _action_of_desired(desired, observed)


def _action_of_desired(desired: Desired, observed: Observed) -> Action:
    match observed.presence:
        case Presence.MISSING if observed.obstacle is Obstacle.NO_PARENT:
            return Action(Do.FOLLOW_LINKS)
        case Presence.UNKNOWN | Presence.MISSING | Presence.DELETED:
            return Action(Do.CREATE)
        case Presence.EXISTS:
            return Action(Do.LOOK)
        case Presence.OURS if observed.written is desired:
            return Action(Do.SETTLE)
        case Presence.OURS if _can_write(desired, observed):
            return Action(Do.WRITE, observed.version)
        case Presence.OURS | Presence.FORMER:
            # Without transactions it is gone for a moment, and made by the next action.
            in_two = observed.obstacle is Obstacle.NO_TRANSACTIONS
            return Action(Do.DELETE if in_two else Do.REPLACE, observed.version)
    return Action(Do.AWAIT_OWNER)


def _can_write(desired: Desired, observed: Observed) -> bool:
    """Tell whether to write the data will do.

    An ACL is changed by another node in the place.
    """
    written = observed.written
    return (
        written is not None
        and written.acl == desired.acl
        and observed.obstacle not in (Obstacle.NOT_WRITABLE, Obstacle.NO_TRANSACTIONS)
    )


def _action_of_withdrawn(observed: Observed) -> Action:
    match observed.presence:
        case Presence.UNKNOWN:
            # A request to make it whose answer was lost may not have come to the server that we
            # talk to now.
            return Action(Do.SYNC_AND_LOOK)
        case Presence.EXISTS:
            return Action(Do.LOOK)
        case Presence.OURS:
            return Action(Do.DELETE, observed.version)
    return Action(Do.END)


def has_to_reconcile(
    desired: Desired | None,
    known: Known,
    seen: Observed,
    standing: Standing,
    on_deletion: OnDeletion,
) -> bool:
    """Tell whether an attempt is due when a node, or what it depends on, was read again.

    Of a node that is registered, `seen` is what was read. One that is missing is looked for anew by
    the attempt: it may have been read just before another thread made it.
    """
    state = shown(known, standing)
    if state is not RegistrationState.REGISTERED:
        return state is not RegistrationState.ENDED
    if on_deletion is OnDeletion.IGNORE:
        return False
    return seen.presence is not Presence.OURS or seen.written is not desired


def shown(known: Known, standing: Standing) -> RegistrationState:
    """Return how things stand by now: what was there goes with its session."""
    if standing.is_over:
        return RegistrationState.ENDED
    if known.state is RegistrationState.REGISTERED and known.epoch != standing.epoch:
        return RegistrationState.PENDING
    return known.state
