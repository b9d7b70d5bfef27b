r"""How long a text is, in units that no tokenizer has a say in.

==========  ==========================================================================
measure     one unit is
==========  ==========================================================================
characters  a Unicode code point
words       a run of characters without white space
units       a lexical unit: a run of letters, one digit, one ideograph or other sign of
            a script without spaces (Chinese, Japanese, Thai), or one sign of
            punctuation, mathematics or pictures, or a control character or a mark
            that is no letter by itself: the pattern `UNIT`
steps       a paragraph: lines with something on them, up to an empty line
==========  ==========================================================================

A word is what a reader would count, but a page of Chinese is one word, and so is an
equation without spaces. Units count both, and count digits one by one as people write
them, which tokenizers do in groups of one to three. Steps follow the habit of reasoning
models to leave a line empty after each thought; a model that never does takes one step.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao; Burmese; Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Japanese, Chinese
)
UNIT = re.compile(rf"[^\W\d_{_UNSPACED}]+|\d|\S")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Lengths:
    """Length of a text in characters, words, lexical units and steps."""

    characters: int
    words: int
    units: int
    steps: int


def lengths(text: str) -> Lengths:
    """Measure a text; see the module for what each unit is."""
    return Lengths(len(text), len(_WORD.findall(text)), len(UNIT.findall(text)), steps(text))


def units(text: str) -> list[str]:
    """Cut a text into lexical units."""
    return UNIT.findall(text)


def steps(text: str) -> int:
    """Count the paragraphs of a text: runs of lines that aren't blank."""
    filled = [bool(line.strip()) for line in text.split("\n")]
    return sum(now and not before for before, now in zip([False, *filled], filled, strict=False))
