"""Kerberos tickets: by a keytab, renewed in time, or the user's; and what went wrong with them.

One thread at most asks the KDC for a keytab's ticket, all others wait for it with a deadline, and a
ticket that is due to be renewed serves on meanwhile.

MIT's library renews a ticket by itself, too, where a client's keytab is at hand: within the call,
however long that takes, and with a pause of 30 seconds after a failure, though the ticket may have
expired by then. It is kept from that by opening a ticket with a keytab that is empty.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import itertools
import logging
import os
import threading
from typing import Any, NamedTuple

from zookeeper import kerberos_turns
from zookeeper.errors import SASLError
from zookeeper.kerberos_faults import keytab_words, words
from zookeeper.kerberos_turns import PerProcess
from zookeeper.regularfiles import StrPath, open_regular
from zookeeper.secretfiles import warn_of_readers

logger = logging.getLogger("zookeeper")

# A ticket that ends sooner might end on the way.
MIN_REMAINING_SECONDS = 1

# A ticket is renewed when less than this share of its lifetime is left.
RENEWED_BELOW = 0.5

# The versions of the file format.
KEYTAB_MAGIC = (b"\x05\x02", b"\x05\x01")

EMPTY_KEYTAB = "MEMORY:zookeeper-none"

# A cache in memory lasts as long as the process, and has no owner: no two have the same name.
_numbers = itertools.count(1)


def library() -> Any:
    """Import the package `gssapi`; say how to get it where it is missing."""
    try:
        import gssapi
    except ImportError as fault:
        raise ImportError(
            "SASL.gssapi needs the package gssapi and the system's Kerberos library:"
            f" pip install 'zc.zk[kerberos]' ({fault})"
        ) from None
    return gssapi


def reason(fault: Any, server: str = "") -> str:
    """Say in words why a call of the library has failed; the error is of this thread."""
    return words(fault.min_code, text_of(fault), server)


def text_of(fault: Any) -> str:
    """Return the library's own words."""
    texts = fault.get_all_statuses(fault.min_code, False)
    # It is not Kerberos's error, but GSSAPI's.
    if texts in ([], ["Success"], ["Unknown error"]):
        texts = fault.get_all_statuses(fault.maj_code, True)
    return "; ".join(texts)


class UserTickets:
    """The tickets that the user has, by `kinit` or otherwise; they are read each time."""

    def __init__(self, principal: str | None) -> None:
        self._principal = principal

    def credentials(self) -> Any:
        """Return credentials that are valid. Raises SASLError."""
        try:
            credentials = _acquire(self._principal, None)
        except library().exceptions.GSSError as fault:
            raise SASLError(f"there is no ticket: {reason(fault)}") from None
        if not _remaining(credentials):
            # Its name is not to be had.
            whose = self._principal or "the user"
            raise SASLError(f"the ticket of {whose} has expired: kinit gets another")
        return credentials

    def renew(self) -> None:
        """Do nothing: the tickets are the user's."""


class Ticket(NamedTuple):
    """A cache with a ticket, and for how many seconds that was valid when it came."""

    cache: str
    lifetime: float


class KeytabTickets:
    """The tickets of a principal in a keytab. Any thread may ask for them, after a fork too."""

    def __init__(self, keytab: StrPath, principal: str | None) -> None:
        # Renewals find the file also when the program has gone to another folder meanwhile.
        self._keytab = os.path.abspath(os.fsdecode(keytab))
        check_keytab(self._keytab)
        self._of_process = PerProcess(lambda: _ProcessTickets(self._keytab, principal))

    def credentials(self) -> Any:
        """Return credentials that are valid. Raises SASLError."""
        return self._of_process.get().credentials()

    def renew(self) -> None:
        """Fetch new tickets, in the background; those that there are serve on until then."""
        self._of_process.get().renew()


class _ProcessTickets:
    """The tickets of one process."""

    def __init__(self, keytab: str, principal: str | None) -> None:
        self._keytab = keytab
        self._principal = principal
        self._whose = f"{keytab} of {principal}" if principal else keytab
        self._lock = threading.Lock()
        self._ticket: Ticket | None = None
        self._request: _Request | None = None
        # Where the next ticket goes. The one that serves stays as it is until then.
        self._next_cache = _new_cache()
        self._failing = False

    def credentials(self) -> Any:
        with self._lock:
            ticket = self._ticket
        if ticket is not None:
            opened, remaining = _opened(ticket.cache)
            if remaining >= MIN_REMAINING_SECONDS:
                if remaining < ticket.lifetime * RENEWED_BELOW:
                    self._ask()
                return opened
        request = self._ask()
        if not request.done.wait(kerberos_turns.MAX_SECONDS):
            raise kerberos_turns.silence()
        if request.fault is not None:
            raise SASLError(request.fault)
        # An object of its own for each who has waited, see `_opened`.
        assert request.ticket is not None
        opened, _ = _opened(request.ticket.cache)
        if opened is None:
            # Without credentials the library would take those that the user has, as somebody else.
            raise SASLError(f"a new ticket by {self._whose} cannot be used")
        return opened

    def renew(self) -> None:
        self._ask()

    def _ask(self) -> "_Request":
        """Ask the KDC, unless that is being done; return the request to wait for."""
        with self._lock:
            if self._request is not None:
                return self._request
            request = self._request = _Request()
        try:
            kerberos_turns.start(lambda: self._answer(request), "zookeeper-ticket")
        except SASLError as fault:  # out of threads
            self._end(request, str(fault))
        return request

    def _answer(self, request: "_Request") -> None:
        fault: str | None = "the KDC could not be asked"
        try:
            request.ticket = self._fetched()
            fault = None
        except SASLError as error:
            fault = str(error)
        finally:
            self._end(request, fault)

    def _end(self, request: "_Request", fault: str | None) -> None:
        request.fault = fault
        with self._lock:
            if request.ticket is not None:
                former, self._ticket = self._ticket, request.ticket
                # The former one may be in use by a step.
                self._next_cache = former.cache if former else _new_cache()
            self._request = None
            changed, self._failing = self._failing != bool(fault), bool(fault)
        request.done.set()
        if changed and fault:
            logger.warning("%s", fault)
        elif changed:
            logger.info("there is a new ticket by %s", self._whose)

    def _fetched(self) -> Ticket:
        """Fetch a ticket into the next cache. Raises SASLError."""
        try:
            credentials = self._into(self._next_cache)
            former = self._ticket
            if former is not None and _remaining(credentials) <= _opened(former.cache)[1]:
                # The library has not asked, or it failed: the ticket is the cache's former one.
                self._next_cache = _new_cache()
                credentials = self._into(self._next_cache)
        except library().exceptions.GSSError as fault:
            why = keytab_words(fault.min_code, text_of(fault))
            raise SASLError(f"no ticket by {self._whose}: {why}") from None
        lifetime = _remaining(credentials)
        if lifetime < MIN_REMAINING_SECONDS:
            raise SASLError(
                f"a new ticket by {self._whose} has expired already:"
                " the clock of this machine or of the KDC is off"
            )
        return Ticket(self._next_cache, lifetime)

    def _into(self, cache: str) -> Any:
        # An error of the library would name no file.
        try:
            with open_regular(self._keytab):
                pass
        except OSError as fault:
            raise SASLError(f"{self._keytab}: {fault.strerror}") from None
        store = {"ccache": cache, "client_keytab": f"FILE:{self._keytab}"}
        return _acquire(self._principal, store)


class _Request:
    """A request for a ticket, which several threads may wait for."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.ticket: Ticket | None = None
        self.fault: str | None = None


def check_keytab(path: str) -> None:
    """Raise ValueError, with the file's name, if it cannot be a keytab.

    A warning is logged if everybody can read it.
    """
    if "\0" in path:
        raise ValueError(f"a path must not hold a null character: {path!r}")
    try:
        with open_regular(path) as file:
            magic = file.read(2)
    except OSError as fault:
        raise ValueError(f"{path}: {fault.strerror}") from None
    if magic not in KEYTAB_MAGIC:
        raise ValueError(f"{path} is no keytab")
    warn_of_readers(path, "the keys")


def _new_cache() -> str:
    return f"MEMORY:zookeeper-{os.getpid()}-{next(_numbers)}"


def _opened(cache: str) -> tuple[Any, float]:
    """Return credentials of a cache, and for how many seconds they are valid.

    Each connection has an object of its own: the library holds an object's lock while it asks the
    KDC for a service's ticket.
    """
    try:
        credentials = _acquire(None, {"ccache": cache, "client_keytab": EMPTY_KEYTAB})
    except library().exceptions.GSSError as fault:
        logger.warning("a ticket cannot be used: %s", reason(fault))
        return None, 0
    return credentials, _remaining(credentials)


def _acquire(principal: str | None, store: dict[str, str] | None) -> Any:
    gssapi = library()
    name = None
    if principal is not None:
        name = gssapi.Name(principal, gssapi.NameType.kerberos_principal)
    return gssapi.Credentials(
        name=name, usage="initiate", mechs=[gssapi.MechType.kerberos], store=store
    )


def _remaining(credentials: Any) -> float:
    """Return for how many seconds the ticket is valid."""
    try:
        lifetime: int | None = credentials.lifetime
    except library().exceptions.ExpiredCredentialsError:
        return 0
    return float("inf") if lifetime is None else lifetime
