"""How each server of an ensemble is doing, by what it answers itself."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from zc.zk.ensemble import reports, words
from zc.zk.ensemble.asking import Asked, ask_each
from zc.zk.ensemble.words import Address, Refused, Unanswered
from zookeeper.hosts import server_name

if TYPE_CHECKING:
    from zookeeper.tls import TLS

# In this order: most servers answer the first alone.
QUESTIONS = (("srvr", reports.of_srvr), ("mntr", reports.of_mntr), ("stat", reports.of_srvr))

# A session with one server, until a deadline, for those that answer no words.
ByReading = Callable[[str, float], reports.Report]

NOT_SERVING = "it runs and serves nobody: it has no leader, or is starting"


class Status(NamedTuple):
    """The condition of a server, and how it is known: by which word, or by a session.

    `seconds` are what the answer took; `lag` is how many changes it is behind the newest server
    that was asked, None if not known, or an epoch or more.
    """

    report: reports.Report
    source: str
    seconds: float | None = None
    tls: str | None = None
    expires: float | None = None
    lag: int | None = None


def status_of_each(
    servers: Sequence[tuple[str, int]], tls: "TLS | None", seconds: float, by_reading: ByReading
) -> list[Asked[Status]]:
    """Ask all servers how they are doing; `by_reading` is for those that answer no words."""

    def ask(server: str, address: Address, deadline: float) -> Status:
        for word, report_of in QUESTIONS:
            try:
                answer = words.ask(address, word, tls, deadline)
            except Refused:
                continue
            if words.NOT_SERVING in answer.text:
                raise Unanswered(NOT_SERVING)
            report = report_of(answer.text)
            if report.role is None:
                raise Unanswered(f"it answers {answer.text[:40]!r}, as no ZooKeeper server does")
            return Status(report, word, answer.seconds, answer.tls, answer.expires)
        # A certificate is for the name.
        one = server.partition(" ")[0] if tls else server_name(*address.sockaddr[:2])
        return Status(by_reading(one, deadline), "session")

    return with_lags(ask_each(servers, ask, seconds))


def with_lags(asked: Sequence[Asked[Status]]) -> list[Asked[Status]]:
    """Return the same, with how far each is behind the newest."""
    zxids = [each.answer.report.zxid for each in asked if each.answer is not None]
    newest = max((zxid for zxid in zxids if zxid is not None), default=0)
    told = []
    for each in asked:
        if each.answer is not None and each.answer.report.zxid is not None:
            lag = reports.lag(each.answer.report.zxid, newest)
            each = Asked(each.server, each.answer._replace(lag=lag), each.fault)
        told.append(each)
    return told
