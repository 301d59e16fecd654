"""All that is written can be read: a contrast of 4.5 to 1, by day and by night."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zc.zk import browse
from zc.zk.graphvis import language

pytestmark = pytest.mark.quick

STYLE = (Path(browse.__file__).parent / "page" / "page.css").read_text()

MIN_CONTRAST = 4.5

# What is written, and on what. Rows are on paper, and may be pointed at or chosen.
GROUNDS = ("paper", "panel", "hover", "chosen")
PAIRS = [
    *((ink, ground) for ink in ("ink", "quiet", "accent", "bad") for ground in GROUNDS),
    *((kind, ground) for kind in ("good", "bad", "live") for ground in ("paper", "panel")),
    *((kind, f"{kind}-paper") for kind in ("good", "bad", "live")),
    ("ink", "flash"), ("accent", "flash"), ("quiet", "flash"),
]  # fmt: skip

Colour = tuple[float, float, float]


def colour(text: str) -> Colour:
    names = {"white": "#ffffff", "black": "#000000"}
    digits = names.get(text, text).removeprefix("#")
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast as WCAG has it."""

    def luminance(of: Colour) -> float:
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in of
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def by_night(of: Colour) -> Colour:
    """Return what `invert(0.93) hue-rotate(180deg)`, the pictures' filter, makes of a colour."""
    red, green, blue = (part * (1 - 2 * 0.93) + 0.93 for part in of)
    rows = ((-0.574, 1.43, 0.144), (0.426, 0.43, 0.144), (0.426, 1.43, -0.856))
    turned = [min(1.0, max(0.0, a * red + b * green + c * blue)) for a, b, c in rows]
    return turned[0], turned[1], turned[2]


def themes() -> Iterator[dict[str, Colour]]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        yield {name: colour(value) for name, value in re.findall(r"--([a-z-]+): (#\w+);", block)}


@pytest.mark.parametrize("theme", list(themes()), ids=["day", "night"])
def test_texts_of_the_page(theme):
    low = {pair: round(contrast(theme[pair[0]], theme[pair[1]]), 2) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in low.items() if ratio < MIN_CONTRAST} == {}


def test_the_page_has_no_other_colours_for_texts():
    found = re.findall(r"(?<![-\w])color: ([^;]+);", STYLE)
    assert set(found) - {"inherit"} <= {f"var(--{ink})" for ink, _ in PAIRS}


@pytest.mark.parametrize("seen", [lambda of: of, by_night], ids=["day", "night"])
def test_texts_of_pictures(seen: Callable[[Colour], Colour]):
    fills = [fill for fill, _ in (language._PLAIN, *language._PALETTE)]
    pairs = [*language._PALETTE, language._PLAIN, (language._QUIET, "white")]
    pairs = [(text, fill) for fill, text in pairs[:-1]] + pairs[-1:]
    for text in language._BROKEN, language._ALIVE, "black":
        pairs += [(text, fill) for fill in [*fills, "white"]]
    pairs += [("#475569", ground) for ground in ("white", "#f8fafc")]
    low = {
        (text, fill): round(contrast(seen(colour(text)), seen(colour(fill))), 2)
        for text, fill in pairs
    }
    assert {pair: ratio for pair, ratio in low.items() if ratio < MIN_CONTRAST} == {}


def test_the_contrast_is_that_of_the_standard():
    assert contrast(colour("black"), colour("white")) == pytest.approx(21)
    assert contrast(colour("#777777"), colour("white")) == pytest.approx(4.48, abs=0.01)
