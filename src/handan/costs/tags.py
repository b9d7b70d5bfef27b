"""Where the reasoning ends and the answer begins: the rules about think tags, all in one place.

An output is cut at its tags, and every piece between two tags is reasoning or answer.
Only tags of the output count; a prompt may talk about tags as it likes. One rule decides:
**the answer is what follows the last closing tag, and whatever stands before it and is no
tag is reasoning.** What the rule makes of an output (``o`` opens, ``c`` closes):

===========================  ==========================  ======================  ==========
output                       flags                       reasoning               answer
===========================  ==========================  ======================  ==========
``o R c A``                  closed                      R                       A
``P o R c A``                closed                      P R                     A
``R c A``, prompt ends ``o`` closed, prefilled           R                       A
``R c A``                    closed, open missing        R                       A
``o R``                      unclosed                    R                       0 tokens
``R``, prompt ends ``o``     unclosed, prefilled         R                       0 tokens
``o R c S o T c A``          closed, repeated            R S T                   A
``o R o S c T c A``          closed, nested              R S T                   A
``o R c S o T``              unclosed, repeated          R S T                   0 tokens
``W``                        none                        W, the whole output     missing
===========================  ==========================  ======================  ==========

An unclosed trace that was cut at the limit is right-censored: its count is a lower bound.
A prompt *ends with* a tag when nothing but white space follows it. A model that writes the
prefilled tag once more gives a nested block, and the same counts.

Two other ways of counting stand beside the rule. *Before the first close*: everything up to
the first closing tag is reasoning, the rest is answer; it differs for repeated and nested
blocks. *Inside tags*: of the reasoning, what stands in an open block; it leaves out P, the S
between two blocks, and all of W.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Span = tuple[int, int]

# The tags of most models.
USUAL = ("<think>", "</think>")


@dataclass(frozen=True)
class Tags:
    """The pair of tags around a model's chain of thought.

    Parameters
    ----------
    opens, closes : str
        For example ``<think>`` and ``</think>``. Either may be empty: it is then never found.

    Raises
    ------
    ValueError
        When both are the same text.
    """

    opens: str = USUAL[0]
    closes: str = USUAL[1]

    def __post_init__(self) -> None:
        if self.opens and self.opens == self.closes:
            raise ValueError(f"the opening and the closing tag are the same text: {self.opens!r}")

    @classmethod
    def of(cls, pair: Any) -> Tags:
        """Read a pair of texts, in which a missing value stands for no tag."""
        if isinstance(pair, cls):
            return pair
        if isinstance(pair, str) or len(pair) != 2:
            raise ValueError(f"tags are a pair of texts, for example ('<think>', '</think>'), not {pair!r}")
        return cls(*(tag if isinstance(tag, str) else "" for tag in pair))

    def prefilled(self, prompt: str | None) -> bool:
        """Whether a rendered prompt ends with the opening tag, up to white space."""
        tag = self.opens.strip()
        return bool(tag) and isinstance(prompt, str) and prompt.rstrip().endswith(tag)


@dataclass(frozen=True)
class Tag:
    """One tag that was found, from `start` up to but not including `end`, in any unit."""

    start: int
    end: int
    opens: bool


@dataclass(frozen=True)
class Layout:
    """The pieces of an output between its tags.

    Attributes
    ----------
    flags : tuple of str
        ``closed``, ``unclosed`` or ``none``, then what else there is to say.
    reasoning, answer : tuple of (int, int)
        Pieces of either kind; no answer at all is an empty tuple.
    inside, before_first_close : tuple of (int, int)
        Pieces of the reasoning by the two other ways of counting.
    """

    flags: tuple[str, ...]
    reasoning: tuple[Span, ...]
    answer: tuple[Span, ...]
    inside: tuple[Span, ...]
    before_first_close: tuple[Span, ...]


def find_tags(text: str | bytes, tags: Tags) -> list[Tag]:
    """Find all tags of a text, left to right, none overlapping another.

    Parameters
    ----------
    text : str or bytes
        Bytes are taken for UTF-8.
    tags : Tags
        What to look for.
    """
    pattern = _pattern(tags, isinstance(text, bytes))
    if pattern is None:
        return []
    return [Tag(*match.span(), opens=match.lastgroup == "opens") for match in pattern.finditer(text)]


def layout(found: Sequence[Tag], length: int, *, prefilled: bool = False) -> Layout:
    """Apply the rules of this module to the tags of one output.

    Parameters
    ----------
    found : sequence of Tag
        Tags in order, none overlapping another.
    length : int
        Length of the output, in the unit of the tags (characters, bytes or tokens).
    prefilled : bool
        Whether the prompt opened the block already.
    """
    lost = bool(found) and not found[0].opens and not prefilled
    depth, closed, place = int(prefilled or lost), 0, 0
    nested = repeated = False
    pieces = []  # (from, to), how many blocks are open there, how many were closed before
    for tag in found:
        pieces.append(((place, tag.start), depth, closed))
        repeated |= closed > 0 and depth == 0
        nested |= tag.opens and depth > 0
        depth = depth + 1 if tag.opens else max(depth - 1, 0)
        closed += not tag.opens
        place = tag.end
    pieces.append(((place, length), depth, closed))

    ends_open = found[-1].opens if found else prefilled
    state = "unclosed" if ends_open else "closed" if closed else "none"
    last = len(found) if state == "closed" else len(pieces)
    said = {"prefilled": prefilled, "open missing": lost, "repeated": repeated, "nested": nested}
    return Layout(
        flags=(state, *(flag for flag, holds in said.items() if holds)),
        reasoning=tuple(piece for piece, _, _ in pieces[:last]),
        answer=tuple(piece for piece, _, _ in pieces[last:]),
        inside=tuple(piece for piece, open_blocks, _ in pieces[:last] if open_blocks),
        before_first_close=tuple(piece for piece, _, closings in pieces if not closings),
    )


@lru_cache(maxsize=256)
def _pattern(tags: Tags, of_bytes: bool) -> re.Pattern | None:
    # The longer tag first: one may begin like the other.
    named = sorted((("opens", tags.opens), ("closes", tags.closes)), key=lambda pair: -len(pair[1]))
    either = "|".join(f"(?P<{name}>{re.escape(tag)})" for name, tag in named if tag)
    if not either:
        return None
    return re.compile(either.encode()) if of_bytes else re.compile(either)
