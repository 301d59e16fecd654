"""Ports and hosts as arguments, above all where a command listens."""

from __future__ import annotations

from argparse import ArgumentTypeError


def port(text: str) -> int:
    """Return an argument that is a TCP port."""
    if text.isdecimal() and int(text[:6]) <= 65535:
        return int(text)
    raise ArgumentTypeError(f"not a port: {text!r}")


def host(text: str) -> str:
    """Return an argument that is a name or an address; brackets of IPv6 may be around it."""
    if not text:
        # A variable that is not set, which would let all machines in.
        raise ArgumentTypeError("it is empty; 0.0.0.0 is all addresses")
    if not text.isascii():
        try:
            text.encode("idna")
        except UnicodeError:
            raise ArgumentTypeError(f"not a host: {text!r}") from None
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text
