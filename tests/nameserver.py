"""A name service of a test's own, to be silent, slow or wrong.

It runs in a network namespace. `own_network` is a command prefix for a program that has no network
but its own loopback, and whose files may be replaced unseen by other processes. There `install`
makes this machine ask a `NameServer`, which holds the names of the domain `test`.
"""

from __future__ import annotations

import functools
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Literal

ADDRESS = "127.0.0.53"

SERVFAIL, NXDOMAIN = 2, 3
TYPE_A = 1

Mode = Literal["answers", "fails", "silent"]


@functools.cache
def own_network() -> list[str]:
    """Return the command that runs another one in namespaces of its own.

    It is empty where that is forbidden.
    """
    command = ["unshare", "--mount", "--net", "--"]
    try:
        tried = subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True)
    except FileNotFoundError:
        return []
    return command if tried.returncode == 0 else []


def install(options: str, hosts: str = "") -> None:
    """Make this namespace ask the name server.

    `options` are those of resolv.conf.
    """
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder = Path(tempfile.mkdtemp(prefix="zc.zk-names-"))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for name, text in [
        ("resolv.conf", f"nameserver {ADDRESS}\noptions {options}\n"),
        ("nsswitch.conf", "hosts: files dns\n"),
        ("hosts", f"127.0.0.1 localhost\n{hosts}"),
    ]:
        file = folder / name
        file.write_text(text)
        subprocess.run(["mount", "--bind", str(file), f"/etc/{name}"], check=True)


class NameServer:
    """Answers questions for IPv4 addresses, in its own threads, as `mode` says.

    `names` are the addresses of each name; `questions` the names asked for so far, one for each
    question; `delay` how long (seconds) an answer takes.
    """

    def __init__(self, **names: list[str]) -> None:
        self.names = {f"{name}.test": addresses for name, addresses in names.items()}
        self.mode: Mode = "answers"
        self.delay = 0.0
        self.questions: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, asker = self._socket.recvfrom(4096)
            threading.Thread(target=self._answer, args=[question, asker], daemon=True).start()

    def _answer(self, question: bytes, asker: tuple[str, int]) -> None:
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, (kind,) = ".".join(labels), struct.unpack_from(">H", question, at + 1)
        self.questions.append(name)
        mode, delay = self.mode, self.delay
        time.sleep(delay)
        if mode == "silent":
            return
        addresses = self.names.get(name)
        code = SERVFAIL if mode == "fails" else NXDOMAIN if addresses is None else 0
        found = addresses if code == 0 and kind == TYPE_A and addresses else []
        answer = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        answer += question[12 : at + 5]
        for address in found:
            answer += struct.pack(">HHHIH", 0xC00C, TYPE_A, 1, 0, 4) + socket.inet_aton(address)
        self._socket.sendto(answer, asker)
