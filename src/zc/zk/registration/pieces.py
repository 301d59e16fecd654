"""Transactions in which nodes are replaced, none of which servers find too large."""

from __future__ import annotations

from collections.abc import Iterator

from zc.zk.registration.attempt import Attempt
from zc.zk.registration.step import Action

# A node is deleted and created in one transaction, of so many nodes and characters of data.
MAX_REPLACED = 250
MAX_REPLACED_CHARACTERS = 100_000

# Attempts, and the action that each is about to do.
Chosen = list[tuple[Attempt, Action]]


def pieces(chosen: Chosen) -> Iterator[Chosen]:
    """Cut what is to be replaced into transactions."""
    piece: Chosen = []
    characters = 0
    for each in chosen:
        attempt, _ = each
        size = len(attempt.desired.data or "") if attempt.desired is not None else 0
        if piece and (len(piece) == MAX_REPLACED or characters + size > MAX_REPLACED_CHARACTERS):
            yield piece
            piece, characters = [], 0
        piece.append(each)
        characters += size
    yield piece
