"""Data that are not text, which UTF-8 is, as base64.

Bytes that are no UTF-8 are lone surrogates in a `str`, as Python has them in names of files.
"""

from __future__ import annotations

BASE64 = "base64"

# Characters in a line, where there are several.
MAX_WIDTH = 76


def is_text(data: str) -> bool:
    """Return whether data are UTF-8."""
    if data.isascii():
        return True
    try:
        data.encode()
    except UnicodeEncodeError:
        return False
    return True


def encoded(data: str) -> str:
    """Return the bytes of data as base64, on one line."""
    import base64  # few trees hold any

    return base64.b64encode(data.encode("utf-8", "surrogateescape")).decode("ascii")


def line_of(data: str, lead: str) -> str:
    """Return what is behind the equals sign in tree text, where lines begin with `lead`."""
    text = encoded(data)
    if len(text) <= MAX_WIDTH:
        return f"{BASE64} {text}"
    lines = "".join(f"\n{lead}{text[at : at + MAX_WIDTH]}" for at in range(0, len(text), MAX_WIDTH))
    return f"{BASE64} '''{lines}\n{lead}'''"


def decoded(text: object) -> str:
    """Return the data that base64 stands for. Raises ValueError with the reason."""
    import base64

    try:
        if not isinstance(text, str):
            raise ValueError("no string")
        content = base64.b64decode("".join(text.split()), validate=True)
    except ValueError as fault:
        raise ValueError(f"bad base64: {fault}") from None
    return content.decode("utf-8", "surrogateescape")
