"""The mechanism GSSAPI against a server made of the package `gssapi`, with a real KDC."""

from __future__ import annotations

import logging
import os
import re
import sys

import pytest

import zookeeper
from tests.deadlines import wait_until
from tests.kdc import REALM
from tests.kerberos.acceptor import Acceptor, log_in
from tests.kerberos.conftest import SERVICE, SERVICE_AT_ADDRESS
from tests.kerberos.test_tickets import wait_for_askers
from zookeeper import SASL, SASLError
from zookeeper.sasl_gssapi import chosen_layer


@pytest.fixture
def acceptor(realm) -> Acceptor:
    return Acceptor(realm.keytab(SERVICE))


def test_a_keytabs_principal_logs_in_and_asks_for_no_layer(realm, acceptor) -> None:
    exchange = log_in(SASL.gssapi(principal="app", keytab=realm.keytab("app")), acceptor)
    assert exchange.complete
    assert acceptor.client == f"app@{REALM}"
    assert acceptor.answer == b"\x01\x00\x00\x00"
    assert not acceptor.may_impersonate


def test_the_first_principal_of_a_keytab_is_the_default(realm, acceptor) -> None:
    keytab = realm.keytab("other", "app", name="both")
    log_in(SASL.gssapi(keytab=keytab), acceptor)
    assert acceptor.client == f"other@{REALM}"
    another = Acceptor(realm.keytab(SERVICE))
    log_in(SASL.gssapi(principal=f"app@{REALM}", keytab=str(keytab)), another)
    assert another.client == f"app@{REALM}"


def test_a_users_ticket_is_used_without_a_keytab(realm, acceptor, monkeypatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{realm.kinit('app')}")
    log_in(SASL.gssapi(), acceptor)
    assert acceptor.client == f"app@{REALM}"


def test_a_user_with_the_ticket_of_another_principal_is_told_so(realm, monkeypatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{realm.kinit('other')}")
    with pytest.raises(SASLError, match=r"there is no ticket.*app") as caught:
        SASL.gssapi(principal="app").begin("localhost")
    assert "\n" not in str(caught.value)


def test_a_keytab_leaves_the_users_ticket_alone(realm, acceptor, tmp_path) -> None:
    """The user's cache is not even made."""
    log_in(SASL.gssapi(keytab=realm.keytab("app")), acceptor)
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_mechanism_serves_many_connections_and_asks_the_kdc_once(realm) -> None:
    realm.add("asks-once")
    keytab = realm.keytab(SERVICE)
    mechanism = SASL.gssapi(keytab=realm.keytab("asks-once"))
    for _ in range(5):
        acceptor = Acceptor(keytab)
        log_in(mechanism, acceptor)
        assert acceptor.client == f"asks-once@{REALM}"
    lines = [line for line in realm.log.read_text().splitlines() if "asks-once@" in line]
    assert len([line for line in lines if "AS_REQ" in line and "ISSUE" in line]) == 1
    assert len([line for line in lines if "TGS_REQ" in line and "ISSUE" in line]) == 1


def test_the_name_in_the_connection_string_names_the_server(realm) -> None:
    mechanism = SASL.gssapi(keytab=realm.keytab("app"))
    at_address = Acceptor(realm.keytab(SERVICE_AT_ADDRESS))
    log_in(mechanism, at_address, "127.0.0.1")
    with pytest.raises(SASLError, match=r"does not know zookeeper/\[?::1"):
        mechanism.begin("[::1]").step(b"")


def test_host_is_the_name_of_all_servers(realm, acceptor) -> None:
    log_in(SASL.gssapi(keytab=realm.keytab("app"), host="localhost"), acceptor, "10.0.0.1")
    assert acceptor.answer


def test_a_server_that_is_not_known_is_named(realm) -> None:
    mechanism = SASL.gssapi("zoo", keytab=realm.keytab("app"))
    with pytest.raises(SASLError) as caught:
        mechanism.begin("zk1.example.com").step(b"")
    assert str(caught.value).startswith(
        "the KDC does not know zoo/zk1.example.com;"
        " service and host say what the servers are called there ("
    )
    assert f"zoo/zk1.example.com@{REALM}" in str(caught.value)


def test_a_server_without_the_key_is_not_believed(realm) -> None:
    """It takes whatever ticket it gets, and answers something."""
    exchange = SASL.gssapi(keytab=realm.keytab("app")).begin("localhost")
    assert exchange.step(b"")
    with pytest.raises(SASLError, match="Invalid token") as caught:
        exchange.step(b"\x60\x23 I am the server, believe me. --")
    assert "\n" not in str(caught.value)
    assert not exchange.complete


def test_the_proof_for_another_connection_is_not_believed(realm) -> None:
    mechanism = SASL.gssapi(keytab=realm.keytab("app"))
    one, other = mechanism.begin("localhost"), mechanism.begin("localhost")
    keytab = realm.keytab(SERVICE)
    proof = Acceptor(keytab).step(one.step(b"") or b"")
    other.step(b"")
    with pytest.raises(SASLError):
        other.step(proof)
    assert one.step(proof) == b""


def test_a_server_that_refuses_the_ticket_without_a_word_is_told(realm) -> None:
    """So does a real one that goes on with clients whose login fails."""
    exchange = SASL.gssapi(keytab=realm.keytab("app")).begin("localhost")
    exchange.step(b"")
    with pytest.raises(SASLError, match="does not accept the ticket; its log says why"):
        exchange.step(b"")


def test_tickets_for_a_former_key_of_the_server_are_replaced(own_realm) -> None:
    mechanism = SASL.gssapi(keytab=own_realm.keytab("app"))
    log_in(mechanism, Acceptor(own_realm.keytab(SERVICE)))
    own_realm.administer(f"cpw -randkey {SERVICE}")
    keytab = own_realm.keytab(SERVICE)

    def is_accepted() -> bool:
        acceptor = Acceptor(keytab)
        exchange = mechanism.begin("localhost")
        try:
            acceptor.step(exchange.step(b"") or b"")
        except gssapi.exceptions.GSSError:
            refused.append(True)
            return False
        return True

    import gssapi

    refused: list[bool] = []
    wait_until(is_accepted, "a new ticket is accepted")
    assert len(refused) >= 2
    wait_for_askers()


@pytest.mark.parametrize("spoilt", [*range(6), *range(8, 32)])
def test_a_spoilt_offer_is_refused(realm, acceptor, spoilt) -> None:
    """It is signed by the server, but for the two bytes that say by how much it is rotated."""
    exchange = SASL.gssapi(keytab=realm.keytab("app")).begin("localhost")
    exchange.step(acceptor.step(exchange.step(b"") or b""))
    offer = bytearray(acceptor.step(b""))
    assert len(offer) == 32
    offer[spoilt] ^= 0x40
    with pytest.raises(SASLError):
        exchange.step(bytes(offer))
    assert not exchange.complete


def test_the_end_is_the_end(realm, acceptor) -> None:
    exchange = log_in(SASL.gssapi(keytab=realm.keytab("app")), acceptor)
    assert exchange.step(b"") is None
    with pytest.raises(SASLError, match="goes on after the end"):
        exchange.step(b"more")


@pytest.mark.parametrize(
    "offer", [b"\x01\0\0\0", b"\x07\x00\x40\x00", b"\x01\x00\xff\xff", b"\x03\0\0\0"]
)
def test_no_layer_is_chosen_where_that_is_offered(offer) -> None:
    assert chosen_layer(offer) == b"\x01\0\0\0"


@pytest.mark.parametrize("offer", [b"", b"\x01", b"\x01\0\0", b"\x01\0\0\0\0", b"\x01" * 4096])
def test_an_offer_of_another_size_is_refused(offer) -> None:
    with pytest.raises(SASLError, match=f"in {len(offer)} bytes instead of 4"):
        chosen_layer(offer)


@pytest.mark.parametrize("layers", [0, 2, 4, 6, 8, 0xFE])
def test_a_server_that_insists_on_a_layer_is_refused(layers) -> None:
    with pytest.raises(SASLError, match="insists on integrity or encryption"):
        chosen_layer(bytes((layers, 0, 255, 255)))


def test_settings_that_cannot_be_are_refused(installed) -> None:
    for service in ("", "a/b", "a@b", "a b", "a\0b"):
        with pytest.raises(ValueError, match="service is one part of a principal"):
            SASL.gssapi(service)
    with pytest.raises(ValueError, match="host is one part of a principal"):
        SASL.gssapi(host="zk1@REALM")
    with pytest.raises(ValueError, match="principal is empty"):
        SASL.gssapi(principal="")


def test_the_representation_shows_what_was_given(realm) -> None:
    assert repr(SASL.gssapi()) == "SASL.gssapi()"
    keytab = realm.keytab("app")
    mechanism = SASL.gssapi("zoo", "app", keytab, host="zk")
    assert repr(mechanism) == (
        f"SASL.gssapi(service='zoo', principal='app', keytab='{keytab}', host='zk')"
    )
    assert mechanism.name == "GSSAPI"


class TestKeytabs:
    """Files that cannot be used are errors that name them, before any connection."""

    def test_a_file_that_is_missing(self, installed, tmp_path) -> None:
        path = tmp_path / "none.keytab"
        with pytest.raises(ValueError, match=f"{re.escape(str(path))}: No such file"):
            SASL.gssapi(keytab=path)

    def test_a_folder(self, installed, tmp_path) -> None:
        with pytest.raises(ValueError, match=f"{re.escape(str(tmp_path))}: Is a directory"):
            SASL.gssapi(keytab=tmp_path)

    @pytest.mark.parametrize("content", [b"", b"\x05", b"-----BEGIN KEY-----", b"\x04\x02\0\0"])
    def test_another_file(self, installed, tmp_path, content) -> None:
        path = tmp_path / "some.file"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{re.escape(str(path))} is no keytab"):
            SASL.gssapi(keytab=path)

    def test_a_null_character(self, installed) -> None:
        with pytest.raises(ValueError, match="null character"):
            SASL.gssapi(keytab="/etc/a\0b")

    def test_a_file_that_everybody_can_read_is_warned_of(self, realm, caplog) -> None:
        keytab = realm.keytab("app", name="open")
        with caplog.at_level(logging.WARNING):
            SASL.gssapi(keytab=keytab)
            assert caplog.messages == []
            keytab.chmod(0o644)
            SASL.gssapi(keytab=keytab)
        assert caplog.messages == [f"{keytab}: everybody on this machine can read the keys"]

    def test_a_file_that_is_gone_later(self, realm) -> None:
        keytab = realm.keytab("app", name="passing")
        mechanism = SASL.gssapi(keytab=keytab)
        keytab.unlink()
        with pytest.raises(SASLError, match=f"{re.escape(str(keytab))}: No such file"):
            mechanism.begin("localhost")

    def test_a_program_that_goes_to_another_folder_finds_it(
        self, realm, acceptor, monkeypatch, tmp_path
    ) -> None:
        keytab = realm.keytab("app")
        monkeypatch.chdir(keytab.parent)
        mechanism = SASL.gssapi(keytab=keytab.name)
        monkeypatch.chdir(tmp_path)
        log_in(mechanism, acceptor)
        assert acceptor.client == f"app@{REALM}"

    def test_a_principal_that_is_not_in_it(self, realm) -> None:
        keytab = realm.keytab("app")
        mechanism = SASL.gssapi(principal="other", keytab=keytab)
        with pytest.raises(SASLError) as caught:
            mechanism.begin("localhost")
        assert str(caught.value) == (
            f"no ticket by {keytab} of other: it has no key of that principal"
        )

    def test_a_principal_that_is_no_name(self, realm) -> None:
        mechanism = SASL.gssapi(principal="a@b@c", keytab=realm.keytab("app"))
        with pytest.raises(SASLError, match="of a@b@c: "):
            mechanism.begin("localhost")

    def test_a_principal_that_the_kdc_does_not_know(self, own_realm) -> None:
        keytab = own_realm.keytab("app")
        own_realm.administer("delprinc -force app")
        with pytest.raises(SASLError, match="the KDC does not know the client"):
            SASL.gssapi(keytab=keytab).begin("localhost")

    def test_an_old_key_and_then_the_new_one(self, own_realm) -> None:
        """A keytab is read again for each ticket: its file can be replaced."""
        own_realm.administer("modprinc +requires_preauth app")
        keytab = own_realm.keytab("app", name="former")
        own_realm.administer("cpw -randkey app")
        mechanism = SASL.gssapi(keytab=keytab)
        with pytest.raises(SASLError, match="the KDC refuses the key, which may be an old one"):
            mechanism.begin("localhost")
        own_realm.keytab("app", name="former")
        acceptor = Acceptor(own_realm.keytab(SERVICE))
        log_in(mechanism, acceptor)
        assert acceptor.answer


def test_no_ticket_is_told(realm) -> None:
    with pytest.raises(SASLError) as caught:
        SASL.gssapi().begin("localhost")
    assert str(caught.value).startswith(
        "there is no ticket: kinit gets one, or a keytab (No Kerberos credentials available"
    )


def test_a_users_ticket_that_has_expired_is_told(realm, monkeypatch) -> None:
    cache = realm.kinit("app", "-l", "1s")
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{cache}")

    def message() -> str:
        try:
            SASL.gssapi().begin("localhost")
        except SASLError as fault:
            return str(fault)
        return ""

    told = wait_until(message, "the ticket expires")
    assert told == "the ticket of the user has expired: kinit gets another"


def test_a_kdc_that_is_down_is_told(own_realm) -> None:
    mechanism = SASL.gssapi(keytab=own_realm.keytab("app"))
    own_realm.stop()
    with pytest.raises(SASLError, match=f"no KDC answers .*{REALM}"):
        mechanism.begin("localhost")
    own_realm.start()
    acceptor = Acceptor(own_realm.keytab(SERVICE))
    log_in(mechanism, acceptor)
    assert acceptor.answer


def test_a_realm_that_no_file_names_is_told(own_realm) -> None:
    mechanism = SASL.gssapi(principal="app@ELSEWHERE.EXAMPLE.COM")
    own_realm.configure(default_realm="ELSEWHERE.EXAMPLE.COM")
    with pytest.raises(SASLError, match="there is no ticket"):
        mechanism.begin("localhost")


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_off_is_told(own_realm, hours) -> None:
    """The library can make up for it when it may; not so servers that are right."""
    own_realm.configure(kdc_timesync=0)
    own_realm.administer("modprinc +requires_preauth app")
    own_realm.skew(3600 * hours)
    with pytest.raises(SASLError, match="the clock of this machine"):
        SASL.gssapi(keytab=own_realm.keytab("app")).begin("localhost").step(b"")


def test_a_program_without_the_package_hears_of_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gssapi", None)
    with pytest.raises(ImportError, match=r"pip install 'zc\.zk\[kerberos\]'"):
        SASL.gssapi()


def test_the_package_is_not_imported_before_it_is_needed() -> None:
    import subprocess

    program = "import sys, zc.zk, zookeeper; zc.zk.SASL; print('gssapi' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert run.stdout == "False\n"
    assert zookeeper.SASL is SASL
