"""The room that labels take, whatever font they are drawn with.

Pure. Graphviz measures a label with a font of its own machine, and a browser draws it with another,
which may be wider: the text then leaves its box. So boxes have room for the widest of the fonts
that a picture of ours is drawn with (DejaVu Sans and Verdana, which are about a fifth wider than
Helvetica and Arial).
"""

from __future__ import annotations

import unicodedata

POINTS_PER_INCH = 72

# Widths of bold characters, in ems; those of usual weight take less.
_USUAL = 0.74
_WIDE = 1.0
_WIDTHS = {
    **dict.fromkeys("ijlI|'", 0.42),
    **dict.fromkeys(".,:;!/\\", 0.46),
    **dict.fromkeys(' -()[]ft"r', 0.55),
    **dict.fromkeys("mMwW%@+=<>~^", 1.13),
    **dict.fromkeys("_", 0.72),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ", 0.87),
    **dict.fromkeys("#&", 0.92),
}


def inches(text: str, points: float) -> float:
    """Return the width that a line of text has at most, in a font of this size."""
    return sum(map(_ems, text)) * points / POINTS_PER_INCH


def _ems(character: str) -> float:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if character.isascii():
        return _USUAL
    # Of combining characters nobody knows what a font makes of them, so they count.
    return 1.35 if unicodedata.east_asian_width(character) in "WF" else _WIDE
