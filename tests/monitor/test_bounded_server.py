"""A server of lines is no burden to its program, whatever its clients do."""

from __future__ import annotations

import errno
import resource
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from itertools import pairwise

import pytest

from tests.deadlines import scaled, wait_until
from zc.zk import boundedserver
from zc.zk.lineserver import LineServer, ask

PATIENCE = scaled(20)


def connect(server):
    host, port = server.address.split(":")
    return socket.create_connection((host, int(port)), PATIENCE)


@pytest.fixture
def released():
    return threading.Event()


@pytest.fixture
def server(released):
    def hello(connection):
        connection.write("hello\n")

    def block(connection):
        released.wait(PATIENCE)
        connection.write("released\n")

    with LineServer(0, {"hello": hello, "block": block}) as server:
        yield server
        released.set()


def test_connections_beyond_the_limit_replace_those_that_ask_nothing(server):
    server._server.max_connections = 4
    with ExitStack() as stack:
        silent = [stack.enter_context(connect(server)) for _ in range(12)]
        for _ in range(3):
            assert ask(server.address, "hello", PATIENCE) == "hello\n"
        assert silent[0].recv(1) == b"", "the one that has waited longest is hung up on"
        assert len(server._server._asking) <= 4


def test_connections_that_are_being_answered_are_left_alone(server, released):
    server._server.max_connections = 2
    with ExitStack() as stack:
        busy = [stack.enter_context(connect(server)) for _ in range(2)]
        for connection in busy:
            connection.sendall(b"block\n")
        wait_until(lambda: len(server._server._answering) == 2, "both are being answered")
        assert connect_and_read(server) == b"", "there is no place"
        released.set()
        for connection in busy:
            assert connection.recv(100) == b"released\n"
        wait_until(lambda: not server._server._answering, "both are over")
        assert ask(server.address, "hello", PATIENCE) == "hello\n"


def connect_and_read(server):
    with closing(connect(server)) as connection:
        try:
            return connection.recv(100)
        except ConnectionResetError:
            return b""


def test_a_question_has_to_come_in_time_however_many_bytes_come_meanwhile(server):
    server._server.ask_seconds = 0.5
    with closing(connect(server)) as connection:

        def is_over():
            try:
                connection.sendall(b"h")
            except OSError:
                return True
            return False

        wait_until(is_over, "it is hung up on")


def test_without_a_descriptor_it_rests_and_then_goes_on(server, monkeypatch, caplog):
    tried = []
    accept = server._server.socket.accept

    class Socket:
        """The server's socket, in a process without descriptors for connections."""

        def accept(self):
            tried.append(time.monotonic())
            if len(tried) < 4:
                raise OSError(errno.EMFILE, "Too many open files")
            return accept()

        def __getattr__(self, name):
            return getattr(listening, name)

    listening = server._server.socket
    monkeypatch.setattr(server._server, "socket", Socket())
    assert ask(server.address, "hello", PATIENCE) == "hello\n"
    pauses = [later - sooner for sooner, later in pairwise(tried)]
    assert min(pauses) >= boundedserver.NO_DESCRIPTOR_SECONDS
    assert caplog.text.count("no descriptor left") == 1


def test_its_share_of_the_descriptors_is_small(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 4096))
    assert boundedserver.affordable(128) == 32
    assert boundedserver.affordable(10) == 10
    infinity = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda which: (infinity, infinity))
    assert boundedserver.affordable(128) == 128


def test_a_flood_of_connections_costs_neither_descriptors_nor_processor():
    program = [sys.executable, "-m", "tests.monitor.programs.flooded"]
    with (
        subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as flooded,
        ExitStack() as stack,
    ):
        stack.callback(flooded.kill)
        assert flooded.stdin
        assert flooded.stdout
        host, port = flooded.stdout.readline().strip().split(":")

        given, said = flooded.stdin, flooded.stdout
        assert given is not None
        assert said is not None

        def processor_seconds():
            print(file=given, flush=True)
            return float(said.readline())

        used, began = processor_seconds(), time.monotonic()
        for _ in range(400):
            silent = stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
            silent.sendall(b"s")
        assert ask(f"{host}:{port}", "servers", PATIENCE) == "[]\n"
        used = processor_seconds() - used
        assert used < 0.5 * (time.monotonic() - began), "it accepts at a bounded rate"
        flooded.stdin.close()
        assert flooded.wait(PATIENCE) == 0
