"""Who may read the page: names that it answers to, and the token."""

from __future__ import annotations

import base64
import secrets

import pytest

from zc.zk.browse.hostnames import HostNames, checked, names_of_machine
from zc.zk.browse.token import MIN_TOKEN, Token

pytestmark = pytest.mark.quick

SECRET = "0123456789abcdef:ghi"


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


class TestNames:
    def test_case_ports_and_the_dot_at_the_end_do_not_matter(self):
        names = HostNames(["Tree.example.com"])
        for host in "tree.example.com", "TREE.example.com:80", "tree.example.com.", "10.0.0.1:8":
            assert names.know(host), host
        for other in "example.com", "tree.example.com.evil.com", "", None, "[", "a b":
            assert not names.know(other), other

    def test_a_machine_has_a_short_name_too(self):
        names = HostNames(names_of_machine("web1.example.com"))
        assert names.know("web1:2180")
        assert names.know("web1.example.com")
        assert not names.know("web1.evil.com")

    @pytest.mark.parametrize(
        ("given", "name"),
        [("Tree.Example.com", "tree.example.com"), ("a.", "a"), ("bücher.example",
         "xn--bcher-kva.example"), ("10.0.0.1", "10.0.0.1"), ("::1", "::1"),
         ("my_host", "my_host")],
    )  # fmt: skip
    def test_names_are_as_browsers_send_them(self, given, name):
        assert checked(given) == name

    @pytest.mark.parametrize(
        "given",
        ["", ".", "http://tree", "tree:80", "a b", "a/b", "*", "-a", "a..b", "x" * 64, "a\n",
         "é" * 70, ".".join(["abcdefgh"] * 40)],
    )  # fmt: skip
    def test_a_text_that_is_no_name_is_refused(self, given):
        with pytest.raises(ValueError, match="not the name of a host, without a port: "):
            checked(given)


class TestToken:
    def test_without_one_all_are_let_in(self):
        assert Token(None).admits(None)
        assert not Token(None)

    @pytest.mark.parametrize(
        "header",
        [basic(f"anybody:{SECRET}"), basic(f":{SECRET}"), f"Bearer {SECRET}", f"bearer  {SECRET} "],
    )
    def test_those_who_have_it_are_let_in(self, header):
        assert Token(SECRET).admits(header)

    @pytest.mark.parametrize(
        "header",
        [None, "", "Basic", "Bearer", SECRET, basic(SECRET), basic(f"x:{SECRET[:-1]}"),
         basic(f"x:{SECRET}x"), basic(f"{SECRET}:x"), "Basic !!!", "Basic " + "A" * 9999, "Basic é",
         f"Digest {SECRET}", "Bearer é\udcff", f"Bearer {SECRET} {SECRET}"],
    )  # fmt: skip
    def test_others_are_not(self, header):
        assert not Token(SECRET).admits(header)

    def test_it_is_compared_in_a_time_that_tells_nothing(self, monkeypatch):
        compared = []
        monkeypatch.setattr(
            secrets, "compare_digest", lambda one, other: compared.append((one, other)) or False
        )
        assert not Token(SECRET).admits("Bearer x")
        assert not Token(SECRET).admits(None)
        assert compared == [(b"x", SECRET.encode()), (b"", SECRET.encode())]

    @pytest.mark.parametrize("token", ["", "x" * (MIN_TOKEN - 1), "x" * 513, "é" * 20, "a\n" * 20])
    def test_a_token_that_could_be_guessed_or_sent_by_nobody_is_refused(self, token):
        with pytest.raises(ValueError, match="a token has 16 to 512 characters"):
            Token(token)

    def test_it_is_in_no_repr(self):
        assert repr(Token(SECRET)) == "<Token>"
