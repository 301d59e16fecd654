"""Text as one line that commands no terminal, whatever a server has put into it."""

from __future__ import annotations


def printable(text: str) -> str:
    """Escape the characters of `text` that break a line or command a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )
