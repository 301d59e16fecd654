"""Pictures by Graphviz, which is a program."""

from __future__ import annotations

import subprocess

from zc.zk.errors import Error

PICTURE_FORMATS = ("svg", "png", "pdf")

# Graphviz takes longer only over graphs that are too large to be read.
DRAWING_SECONDS = 60


class GraphvizError(Error):
    """Graphviz is not installed, or cannot draw."""

    __module__ = "zc.zk.graphvis"


def picture(source: str, format: str) -> bytes:
    """Draw `source`, in Graphviz's language, as 'svg', 'png' or 'pdf'.

    Raises GraphvizError when Graphviz is not installed, or has not drawn it within a minute.
    """
    try:
        drawn = subprocess.run(
            ["dot", f"-T{format}", *(["-Gdpi=144"] if format == "png" else [])],
            input=source.encode(),
            capture_output=True,
            timeout=DRAWING_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise GraphvizError(
            f"{format} needs Graphviz, which is not installed (apt-get install graphviz);"
            " the format dot works without it"
        ) from None
    except subprocess.TimeoutExpired:
        raise GraphvizError(
            f"Graphviz has not drawn it within {DRAWING_SECONDS} seconds: draw a part of it"
        ) from None
    if drawn.returncode:
        reason = drawn.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise GraphvizError(f"Graphviz failed: {reason[-1]}")
    return drawn.stdout
