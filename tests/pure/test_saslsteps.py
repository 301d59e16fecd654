"""The steps of a mechanism: what is sent, when an exchange is over, and with which result."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

import zookeeper
from zookeeper.sasl import checked_mechanism
from zookeeper.saslsteps import Exchanges

pytestmark = pytest.mark.quick


class Script:
    """A mechanism, and its only exchange: tokens, the last of them with the end."""

    name = "SCRIPT"

    def __init__(self, *tokens: object, complete_with: int | None = None) -> None:
        self._tokens: Iterable[object] = iter(tokens)
        self._complete_with = complete_with
        self.challenges: list[bytes] = []
        self.complete = False
        self.host = ""

    def begin(self, host: str) -> Script:
        self.host = host
        return self

    def step(self, challenge: bytes) -> bytes | None:
        self.challenges.append(challenge)
        self.complete = len(self.challenges) == self._complete_with
        return next(iter(self._tokens))  # type: ignore[return-value]


def test_an_exchange_goes_on_until_the_mechanism_is_satisfied() -> None:
    script = Script(b"", b"answer", None, complete_with=3)
    exchanges = Exchanges(script)
    assert exchanges.begin("zk1") == b""
    assert exchanges.go_on(b"challenge") == b"answer"
    assert exchanges.go_on(b"proof") is None
    assert script.challenges == [b"", b"challenge", b"proof"]
    assert script.host == "zk1"


@pytest.mark.parametrize("last", [None, b"", b"more"])
def test_a_satisfied_mechanism_waits_for_the_servers_word_only(last: bytes | None) -> None:
    script = Script(b"token", b"the last one", complete_with=2)
    exchanges = Exchanges(script)
    exchanges.begin("zk1")
    assert exchanges.go_on(b"challenge") == b"the last one"
    assert exchanges.go_on(last) is None
    assert len(script.challenges) == 2


@pytest.mark.parametrize("answered", [0, 1])
def test_a_server_that_answers_without_a_token_has_not_accepted(answered: int) -> None:
    exchanges = Exchanges(Script(b"", b"answer", None, complete_with=3))
    exchanges.begin("zk1")
    for _ in range(answered):
        exchanges.go_on(b"challenge")
    with pytest.raises(zookeeper.SASLError, match="does not go on with SCRIPT"):
        exchanges.go_on(None)


@pytest.mark.parametrize(
    ("token", "kind", "words"),
    [
        (None, zookeeper.SASLError, "SCRIPT ends without a result"),
        ("text", TypeError, "a token is bytes or None, not str"),
        (7, TypeError, "a token is bytes or None, not int"),
    ],
)
def test_a_mechanism_that_returns_no_token_has_failed(token, kind, words) -> None:
    with pytest.raises(kind, match=words):
        Exchanges(Script(token)).begin("zk1")


def test_a_new_connection_begins_anew_also_after_a_failure() -> None:
    exchanges = Exchanges(Script(b"1", b"2"))
    assert exchanges.begin("zk1") == b"1"
    assert exchanges.begin("zk2") == b"2"
    with pytest.raises(StopIteration):
        exchanges.begin("zk3")


def test_no_exchange_goes_on_that_has_not_begun() -> None:
    with pytest.raises(zookeeper.SASLError, match="has not begun"):
        Exchanges(Script()).go_on(b"challenge")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (zookeeper.SASLError("no ticket"), "SCRIPT: no ticket"),
        (zookeeper.SASLError(), "SCRIPT: the mechanism gives no reason"),
        (KeyError("x"), "SCRIPT: the mechanism raised KeyError: 'x'"),
        (SystemExit(1), "SCRIPT: the mechanism raised SystemExit: 1"),
    ],
)
def test_a_failed_step_is_told_in_words(fault: BaseException, words: str) -> None:
    assert Exchanges(Script()).words(fault) == words


@pytest.mark.parametrize("value", ["digest", True, {}, zookeeper.SASL])
def test_an_argument_that_is_no_mechanism_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="sasl must be None or a mechanism"):
        checked_mechanism(value)
    script = Script()
    assert checked_mechanism(script) is script
    assert checked_mechanism(None) is None
