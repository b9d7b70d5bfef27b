"""Traces that end in a loop: the same tokens over and over, up to the limit.

A loop says nothing about how hard an item was, yet it costs as much as the limit allows.
So it is flagged, never removed. Only an *exact* repetition at the *end* is a loop here; one
that counts up (step 1, step 2, ...) or from which the model found its way back is not.

The thresholds: at least `REPEATS` repetitions that together fill at least `TOKENS` tokens.
Four repetitions of a paragraph aren't written on purpose. But a row of zeros, a line of
dashes, a repeating decimal or a table of equal cells repeats a short piece many times,
which is why the second threshold is about a hundred words long.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

REPEATS = 4
TOKENS = 128


@dataclass(frozen=True)
class Loop:
    """A repeated tail.

    Attributes
    ----------
    period : int
        Tokens of the piece that is repeated.
    repeats : float
        How often it stands there; the last time it may be cut.
    tokens : int
        Tokens of the whole tail.
    """

    period: int
    repeats: float
    tokens: int


def find_loop(tokens: Sequence[Hashable], *, repeats: int = REPEATS, least: int = TOKENS) -> Loop | None:
    """Find the longest tail that repeats one piece.

    Parameters
    ----------
    tokens : sequence
        Token ids without the stop token, or any other units.
    repeats : int
        Least number of repetitions, 2 or more.
    least : int
        Least length of the tail, in tokens.

    Returns
    -------
    Loop or None
        Of tails equally long, the one with the shortest piece. Takes linear time.

    Raises
    ------
    ValueError
        When fewer than 2 repetitions are asked for.
    """
    if repeats < 2:
        raise ValueError(f"a loop has at least 2 repetitions, not {repeats}")
    if len(tokens) < max(least, repeats):
        return None
    best: Loop | None = None
    for period, match in enumerate(_matches(tokens[::-1], len(tokens) // repeats), 1):
        tail = period + match
        if tail >= max(least, repeats * period) and (best is None or tail > best.tokens):
            best = Loop(period, tail / period, tail)
    return best


def _matches(text: Sequence[Hashable], last: int) -> list[int]:
    """For each shift from 1 to `last`: how far the text shifted by it agrees with itself (Z function).

    References
    ----------
    Gusfield (1997), Algorithms on Strings, Trees, and Sequences, section 1.3.
    """
    n = len(text)
    z = [0] * (last + 1)
    left = right = 0
    for shift in range(1, last + 1):
        length = min(right - shift, z[shift - left]) if shift < right else 0
        while shift + length < n and text[length] == text[shift + length]:
            length += 1
        z[shift] = length
        if shift + length > right:
            left, right = shift, shift + length
    return z[1:]
