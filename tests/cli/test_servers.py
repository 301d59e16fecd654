"""The commands about servers: status, who, config, sync and word."""

from __future__ import annotations

import json
import os
import re
import socket
import time

import pytest

import zc.zk
import zookeeper
from tests.cli.inprocess import zk as run
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK, free_ports
from tests.servers import Ensemble, standalone
from tests.talkers import answering, endless, hanging_up, not_serving, silent, talker
from zc.zk.ensemble import words
from zc.zk.ensemble.asking import ask_each, by_server
from zc.zk.testing import Server, certificates

OPEN = zc.zk.OPEN_ACL_UNSAFE

SRVR = "Zookeeper version: 3.9.1-x, built on y\nZxid: {zxid:#x}\nMode: {mode}\nNode count: 5\n"
MNTR = "zk_version\t3.9.1-x\nzk_server_state\tfollower\nzk_znode_count\t5\n"


def lines(outcome):
    assert (outcome.status, outcome.messages) == (0, "")
    return outcome.output.splitlines()


def tls_options(keys):
    """Return the options by which commands reach servers with these keys; none without."""
    if keys is None:
        return []
    return [
        f"--tls-ca={keys.authority}",
        f"--tls-certificate={keys.certificate('client')}",
        f"--tls-key={keys.key('client')}",
    ]


def has_ended_well(outcome):
    return outcome if outcome.status == 0 else None


def objects(outcome):
    return [json.loads(line) for line in outcome.output.splitlines()]


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def secured(made):
    with Server(tls=made.server_tls) as running:
        yield running


@pytest.fixture(scope="module")
def options(made):
    tls = made.client_tls
    return [f"--tls-ca={tls.ca}", f"--tls-certificate={tls.certificate}", f"--tls-key={tls.key}"]


@pytest.fixture
def closed_port():
    return f"{LOOPBACK}:{free_ports(1)[0]}"


class TestWord:
    def test_the_answer_is_printed(self, server):
        assert lines(run("word", server.connection_string, "ruok")) == ["imok"]
        told = lines(run("word", server.connection_string, "mntr"))
        assert "zk_server_state    standalone" in told
        (told,) = objects(run("word", "--format", "json", server.connection_string, "ruok"))
        assert told == {"server": server.connection_string, "answer": "imok"}

    def test_the_answer_comes_by_tls(self, secured, options):
        assert lines(run("word", *options, secured.connection_string, "ruok")) == ["imok"]
        outcome = run("word", "--timeout", scaled(1), secured.connection_string, "ruok")
        assert (outcome.status, outcome.output) == (1, "")
        assert outcome.messages.endswith(": it speaks TLS, and TLS is not asked for\n")

    def test_each_of_several_is_asked_and_no_fault_holds_up_the_others(self, server, closed_port):
        with talker(silent) as quiet, talker(hanging_up) as rude:
            several = ",".join([quiet, closed_port, rude, server.connection_string])
            outcome = run("word", "--timeout", scaled(1), several, "ruok")
        assert outcome.status == 1
        assert outcome.output == f"{server.connection_string}:\nimok\n"
        assert outcome.messages.splitlines() == [
            f"zk word: {quiet}: no answer",
            f"zk word: {closed_port}: Connection refused",
            f"zk word: {rude}: it hangs up without an answer",
        ]

    def test_a_refusal_names_the_setting(self):
        with talker(answering()) as where:
            outcome = run("word", where, "cons")
        fault = "it does not answer cons (its 4lw.commands.whitelist)"
        assert outcome == (1, "", f"zk word: {where}: {fault}\n")

    def test_an_answer_cannot_command_a_terminal(self):
        with talker(answering(envi="a\x1b[2J\r\nb\n")) as where:
            assert run("word", where, "envi").output == "a\\x1b[2J\\r\nb\n"

    def test_an_answer_without_end_is_cut_off(self, monkeypatch):
        with talker(endless) as where:
            outcome = run("word", "--timeout", "0.3", where, "ruok")
            assert outcome.messages == f"zk word: {where}: no answer\n"
            monkeypatch.setattr(words, "MAX_ANSWER_BYTES", 3)
            outcome = run("word", where, "ruok")
            assert outcome.messages == f"zk word: {where}: its answer has more than 3 bytes\n"

    @pytest.mark.parametrize("wrong", [[], ["RUOK"], ["four"], ["ruok", "x"]])
    def test_a_word_that_is_none_is_wrong_usage(self, server, wrong):
        expected = 0 if wrong == ["four"] else 2
        outcome = run("word", "--timeout", "0.3", server.connection_string, *wrong)
        assert outcome.status in (expected, 1)
        assert outcome.output == ""


class TestAskEach:
    def test_a_name_of_several_addresses_is_several_servers(self, monkeypatch):
        def getaddrinfo(host, port, **_):
            return [(socket.AF_INET, 1, 6, "", (f"10.0.0.{n}", port)) for n in (1, 2, 2)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        asked = ask_each([("zk", 2181)], lambda name, address, _: address.sockaddr[0], scaled(10))
        assert [(each.server, each.answer, each.fault) for each in asked] == [
            ("zk:2181 (10.0.0.1)", "10.0.0.1", None),
            ("zk:2181 (10.0.0.2)", "10.0.0.2", None),
        ]

    @pytest.mark.parametrize(
        ("hosts", "servers"),
        [
            (["10.0.0.1"], [["10.0.0.1"]]),
            (["::1", "127.0.0.1", "127.0.0.2"], [["::1", "127.0.0.1", "127.0.0.2"]]),
            (["2001:db8::1", "10.0.0.1"], [["2001:db8::1", "10.0.0.1"]]),
            (["2001:db8::1", "10.0.0.1", "10.0.0.2"], [["10.0.0.1"], ["10.0.0.2"]]),
            (["fe80::1%eth0", "fe80::2%eth0"], [["fe80::1%eth0"], ["fe80::2%eth0"]]),
            ([], [[]]),
        ],
    )
    def test_addresses_of_one_kind_are_several_servers(self, hosts, servers):
        addresses = [
            words.Address("zk", socket.AF_INET6 if ":" in host else socket.AF_INET, (host, 2181))
            for host in hosts
        ]
        told = [[each.sockaddr[0] for each in ways] for ways in by_server(addresses)]
        assert told == servers

    def test_an_address_that_does_not_answer_leaves_time_for_the_other(self, monkeypatch):
        def getaddrinfo(host, port, **_):
            return [(socket.AF_INET, 1, 6, "", (f"127.0.0.{n}", port)) for n in (1, 2)]

        def question(name, address, deadline):
            if address.sockaddr[0] == "127.0.0.1":
                wait_until(lambda: time.monotonic() >= deadline, "its time is over")
                raise words.Unanswered("no answer")
            return deadline > time.monotonic()

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        (asked,) = ask_each([("zk", 2181)], question, 1)
        assert (asked.server, asked.answer, asked.fault) == ("zk:2181", True, None)

    def test_a_name_service_that_does_not_answer_holds_up_no_others(self, monkeypatch, server):
        import threading

        released = threading.Event()
        real = socket.getaddrinfo

        def getaddrinfo(host, port, **more):
            if host == "slow":
                released.wait()
                raise OSError("late")
            return real(host, port, **more)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        asked = ask_each(
            [("slow", 1), (LOOPBACK, server.port)],
            lambda name, address, deadline: words.ask(address, "ruok", None, deadline).text,
            0.5,
        )
        released.set()
        assert [each.answer for each in asked] == [None, "imok"]
        assert asked[0].fault == "the name service does not answer"

    def test_an_unexpected_error_is_one_servers_fault(self):
        def question(name, address, deadline):
            raise KeyError(address.sockaddr[1])

        (asked,) = ask_each([(LOOPBACK, 5)], question, scaled(10))
        assert (asked.server, asked.answer, asked.fault) == (f"{LOOPBACK}:5", None, "KeyError: 5")


class TestStatus:
    def test_a_server_tells_how_it_is(self, server):
        (line,) = lines(run("status", server.connection_string))
        assert re.fullmatch(
            rf"{server.connection_string}  standalone  3\.8\.0  zxid 0x[0-9a-f]+, 0 behind"
            r"  latency 0 ms, at most 0  [0-9]+ connections  [0-9]+ nodes  answered in [0-9]+ ms",
            line,
        )

    def test_a_secured_server_tells_it_by_tls(self, secured, options):
        (line,) = lines(run("status", *options, secured.connection_string))
        assert "  standalone  " in line
        assert re.search(r"  TLSv1\.3  certificate for [0-9]+ days", line)
        (told,) = objects(run("status", "--format", "json", *options, secured.connection_string))
        assert told["tls"] == "TLSv1.3"
        assert told["certificate_expires"] > 1_700_000_000

    def test_tls_faults_are_named(self, secured, server, options, tmp_path):
        outcome = run("status", *options, server.connection_string, "--timeout", scaled(2))
        assert outcome.status == 1
        assert "  does not serve: " in outcome.output
        others = certificates(tmp_path).client_tls
        outcome = run("status", f"--tls-ca={others.ca}", secured.connection_string)
        assert outcome.status == 1
        assert "does not serve: TLS: its certificate is refused: " in outcome.output

    @pytest.mark.parametrize("behaviour", [silent, endless, hanging_up])
    def test_a_handshake_that_does_not_end_well_ends_in_time(self, options, behaviour):
        with talker(behaviour) as where:
            outcome = run("status", *options, "--timeout", "0.4", where)
        assert (outcome.status, outcome.messages) == (1, "")
        assert outcome.output.startswith(f"{where}  does not serve: ")
        assert outcome.output.count("\n") == 1

    def test_lags_are_told_and_servers_that_do_not_serve(self, closed_port):
        leader = answering(srvr=SRVR.format(zxid=0x100000009, mode="leader"))
        behind = answering(srvr=SRVR.format(zxid=0x100000004, mode="follower"))
        older = answering(srvr=SRVR.format(zxid=0xFF, mode="observer"))
        with (
            talker(leader) as a,
            talker(behind) as b,
            talker(older) as c,
            talker(not_serving) as d,
            talker(answering(mntr=MNTR)) as e,
            talker(answering(srvr="HTTP/1.1 400")) as f,
        ):
            several = ",".join([a, b, c, d, closed_port, e, f])
            outcome = run("status", several)
            told = objects(run("status", "--format", "json", several))
        assert (outcome.status, outcome.messages) == (1, "")
        rows = [line.partition("  ")[2] for line in outcome.output.splitlines()]
        assert rows[0].startswith("leader      3.9.1  zxid 0x100000009, 0 behind  5 nodes")
        assert rows[1].startswith("follower    3.9.1  zxid 0x100000004, 5 behind  ")
        assert rows[2].startswith("observer    3.9.1  zxid 0xff, an epoch behind  ")
        assert rows[3].endswith(
            "does not serve: it runs and serves nobody: it has no leader, or is starting"
        )
        assert rows[4].endswith("does not serve: Connection refused")
        assert rows[5].startswith(" follower    3.9.1  5 nodes") or "follower" in rows[5]
        assert "as no ZooKeeper server does" in rows[6]
        assert [each["serves"] for each in told] == [True, True, True, False, False, True, False]
        assert [each.get("behind") for each in told[:3]] == [0, 5, None]
        assert told[5]["asked_by"] == "mntr"

    def test_an_ensemble_with_a_server_down(self, ensemble: Ensemble):
        tls = tls_options(ensemble.keys)
        outcome = run("status", *tls, ensemble.connection_string)
        assert (outcome.status, outcome.messages) == (0, "")
        assert sorted(line.split()[1] for line in outcome.output.splitlines()) == [
            "follower",
            "follower",
            "leader",
        ]
        down = ensemble.followers()[0]
        down.kill()
        try:
            outcome = run("status", *tls, ensemble.connection_string)
            assert outcome.status == 1
            (line,) = [each for each in outcome.output.splitlines() if "does not serve" in each]
            assert line == f"{down.connection_string}  does not serve: Connection refused"
            # The others serve.
            assert run("sync", ensemble.connection_string) == (0, "", "")
        finally:
            ensemble.start()
            ensemble.wait_until_serving()
        told = lines(run("config", ensemble.connection_string))
        assert len([line for line in told if line.startswith("server.")]) == 3
        (told,) = objects(run("config", "--format", "json", ensemble.connection_string))
        assert {each["role"] for each in told["servers"].values()} == {"participant"}
        if not tls:
            clients = {each["clients"] for each in told["servers"].values()}
            assert clients == set(ensemble.connection_string.split(","))
        with zc.zk.ZooKeeper(ensemble.connection_string) as client:
            client.create("/who", "", OPEN, zookeeper.EPHEMERAL)
            words = ["who", *tls, "--format", "json", ensemble.connection_string, "/who"]
            # Another server may not have the node yet.
            told = objects(wait_until(lambda: has_ended_well(run(*words)), "its owner is told"))
            id = client.client_id()[0] & 2**64 - 1
            assert told[0]["session"] == f"{id:#x}"
            assert told[0]["server"] in ensemble.connection_string.split(",")
            assert told[0]["ephemerals"] == ["/who"]

    def test_a_server_that_answers_no_words_is_asked_by_a_session(self, monkeypatch):
        refusal = " is not executed because it is not in the whitelist.\n"
        monkeypatch.setattr(
            "zc.zk.testing.wire.words.answer", lambda _, __, word: word.decode() + refusal
        )
        with Server() as own:
            (line,) = lines(run("status", own.connection_string))
            assert re.search("  unknown role  zxid 0x[0-9a-f]+, 0 behind  by a session", line)
            with zc.zk.ZooKeeper(own.connection_string) as client:
                client.create("/e", "", OPEN, zookeeper.EPHEMERAL)
                outcome = run("who", own.connection_string, "/e")
            assert outcome.status == 0
            assert outcome.output.startswith("/e\n  session 0x")
            assert outcome.messages == (
                f"zk who: {own.connection_string} does not tell of its sessions: it does not answer"
                " cons (its 4lw.commands.whitelist)\n"
            )
            assert run("who", "--sessions", own.connection_string).status == 1


class TestWho:
    def test_a_secured_server_tells_by_tls_and_its_admin_server_of_sessions(self, keys):
        (port,) = free_ports(1)
        settings = {
            "4lw.commands.whitelist": "ruok",
            "admin.enableServer": "true",
            "admin.serverAddress": LOOPBACK,
            "admin.serverPort": port,
        }
        tls = tls_options(keys)
        with standalone(settings=settings, keys=keys) as own:
            where = own.connection_string
            assert lines(run("word", *tls, where, "ruok")) == ["imok"]
            (line,) = lines(run("status", *tls, where))
            assert re.search("  standalone .*  TLSv1[.][23]  certificate for ", line)
            outcome = run("who", "--sessions", *tls, where)
            assert "it does not answer cons (its 4lw.commands.whitelist)" in outcome.messages
            with zc.zk.ZooKeeper(where, tls=keys.tls()) as client:
                client.create("/e", "", OPEN, zookeeper.EPHEMERAL)
                id = f"{client.client_id()[0] & 2**64 - 1:#x}"
                (told,) = objects(
                    run("who", *tls, "--admin", port, "--format", "json", where, "/e")
                )
                assert told["session"] == id
                assert told["server"] == where
                assert told["client"].startswith(f"{LOOPBACK}:")
                assert told["ephemerals"] == ["/e"]
                everyone = lines(run("who", *tls, "--admin", port, "--sessions", where))
                assert [line for line in everyone if line.startswith(f"session {id}  client ")]

    @pytest.mark.parametrize(
        ("answer", "fault"),
        [
            (b"HTTP/1.0 404 Not Found\r\n\r\n", "it answers 'HTTP/1.0 404 Not Found'"),
            (b"HTTP/1.1 200 OK\r\n\r\n<html>", "it answers no JSON, but b'<html>'"),
            (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000, "it answers no JSON, but b'[["),
            (b'HTTP/1.1 200 OK\r\n\r\n{"error": "no\\u001b"}', "no\\x1b"),
            (b"imok", "it answers 'imok'"),
            (b"", "it hangs up without an answer"),
        ],
    )
    def test_an_admin_server_that_tells_nonsense_is_named(self, server, answer, fault):
        def behaviour(connection, word):
            connection.recv(10_000)
            connection.sendall(answer)

        with talker(behaviour) as admin:
            port = admin.partition(":")[2]
            outcome = run("who", "--sessions", "--admin", port, server.connection_string)
        assert (outcome.status, outcome.output) == (1, "")
        assert f": its admin server, at port {port}: {fault}" in outcome.messages
        assert outcome.messages.count("\n") == 1

    def test_you_are_who_you_have_proven_to_be(self, server, tmp_path):
        assert lines(run("who", server.connection_string)) == [f"ip:{LOOPBACK}"]
        file = tmp_path / "credentials"
        file.write_text("digest:alice:secret\n")
        os.chmod(file, 0o600)
        told = lines(run("who", "--credentials", file, server.connection_string))
        assert len(told) == 2
        assert "secret" not in "".join(told)
        (told,) = objects(run("who", "--format", "json", server.connection_string))
        assert told["identities"] == [{"scheme": "ip", "id": LOOPBACK}]

    def test_the_owner_of_a_node_and_all_sessions(self, server):
        with zc.zk.ZooKeeper(server.connection_string) as client:
            client.create("/mine", "", OPEN, zookeeper.EPHEMERAL)
            id = f"{client.client_id()[0] & 2**64 - 1:#x}"
            told = lines(run("who", server.connection_string, "/mine"))
            assert told[:2] == ["/mine", f"  session {id}"]
            assert told[2].startswith(f"  client {LOOPBACK}:")
            assert f", connected to {server.connection_string} since 20" in told[2]
            assert told[3:] == ["  timeout 10 seconds", "  1 ephemeral node"]
            everyone = lines(run("who", "--sessions", server.connection_string))
            assert [line for line in everyone if line.startswith(f"session {id}  client ")]
            told = objects(run("who", "--sessions", "--format", "json", server.connection_string))
            (own,) = [each for each in told if each["session"] == id]
            assert own["ephemerals"] == ["/mine"]
            assert own["timeout"] == 10_000

    def test_servers_that_do_not_tell_are_named_beside_what_others_tell(self, server, closed_port):
        several = f"{closed_port},{server.connection_string}"
        with zc.zk.ZooKeeper(server.connection_string) as client:
            outcome = run("who", "--sessions", several)
            id = f"{client.client_id()[0] & 2**64 - 1:#x}"
        assert outcome.status == 1
        assert f"session {id}  client " in outcome.output
        assert outcome.messages == (
            f"zk who: {closed_port} does not tell of its sessions: Connection refused\n"
        )

    def test_nobody_owns_other_nodes(self, server):
        outcome = run("who", server.connection_string, "/")
        assert outcome == (1, "", "zk who: / is persistent: no session owns it\n")
        assert run("who", server.connection_string, "/none").status == 1
        assert run("who", "--sessions", server.connection_string, "/").status == 2


class TestConfigAndSync:
    def test_a_server_that_is_alone_has_no_configuration(self, server):
        outcome = run("config", server.connection_string)
        assert outcome.status == 1
        assert outcome.messages.count("\n") == 1

    def test_sync_ends_in_silence(self, server):
        assert run("sync", server.connection_string) == (0, "", "")
        assert run("sync", server.connection_string, "/none", "x").status == 2


def test_no_command_tells_nothing_of_a_connection_that_there_is_not(closed_port):
    for command in (["config"], ["sync"], ["who"], ["wait", "/a"], ["ls"], ["get", "/a"]):
        name, *path = command
        outcome = run(name, "--timeout", "0.3", closed_port, *path)
        assert (outcome.status, outcome.output) == (1, "")
        assert "Connection refused" in outcome.messages
