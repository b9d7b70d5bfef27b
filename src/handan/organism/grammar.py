"""The texts that a tiny model learns from: binary arithmetic, written out in several styles.

A text is a prompt and its completion. The prompt is the code of the item bank, the
completion a chain of thought and an answer of fixed width::

    binary-addition 1010+0110
    <think>columns
    d:0+0+0=00
    c:1+1+0=10
    b:0+1+1=10
    a:1+0+1=10
    </think>
    Answer: 10000

A step works out one column: its name, the two bits and what the column before handed on,
then what it hands on itself and the bit that it leaves. In an addition this is a carry,
in a subtraction a borrow, and ``d:0-1-0=11`` reads: 0 − 1 − 0 leaves 1 and borrows 1.
Work goes from right to left, as on paper, but columns are named from left to right,
because a model that reads in that direction knows a bit's place from the left only.

In the style ``carries`` a carry is a step of its own, and is mentioned only where there is
one: ``c:1+1=0``, ``carry``, ``b:0+1+1=0``.

===========  ==========================================  ================================
style        what is written                             steps for `n` columns, `c` carries
===========  ==========================================  ================================
``columns``  every column, all steps equally long        `n`
``carries``  every column briefly, every carry (borrow)  `n` + `c`
``twice``    every column, ``check``, every column       2 `n` + 1
===========  ==========================================  ================================

What generates a training text, each draw independent of the others and uniform: the
number of columns, the task, the two operands of that many bits (swapped where a
difference would be negative; drawn again where the pair is held out), and the style.

The style is drawn **whatever the difficulty**. Given the number of columns, two styles
have the same length for every item, and the third grows with the carries because it was
written down that way, here. If the length of such a model's traces goes with the reaction
times of people, it does so by construction of this mix: nothing about people follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from handan.traces.prompts import problem_text

SIGNS = {"binary-addition": "+", "binary-subtraction": "-"}
HANDED_ON = {"+": "carry", "-": "borrow"}
THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
ANSWER = "Answer: "
_CODE = re.compile(r"([01]{1,26})([+-])([01]{1,26})")


@dataclass(frozen=True)
class Column:
    """One column of a written sum.

    Parameters
    ----------
    name : str
        ``a`` for the leftmost, and so on.
    first, second : {0, 1}
        Bits of the two operands.
    sign : {"+", "-"}
        Addition or subtraction.
    handed : {0, 1}
        Carry or borrow that comes from the column before.
    """

    name: str
    first: int
    sign: str
    second: int
    handed: int

    @property
    def total(self) -> int:
        """What the column comes to: 0 to 3 in an addition, −2 to 1 in a subtraction."""
        return self.first + (self.second + self.handed) * (1 if self.sign == "+" else -1)

    @property
    def carry(self) -> int:
        """Carry or borrow that the column hands on, 0 or 1."""
        return int(not 0 <= self.total <= 1)

    @property
    def bit(self) -> int:
        """Bit of the result."""
        return self.total % 2

    def full(self) -> str:
        """Write the column with its carries, whether there are any or not."""
        left = f"{self.first}{self.sign}{self.second}{self.sign}{self.handed}"
        return f"{self.name}:{left}={self.carry}{self.bit}"

    def brief(self) -> list[str]:
        """Write the column with a carry only where there is one; handing one on is a step of its own."""
        handed = f"{self.sign}{self.handed}" if self.handed else ""
        step = f"{self.name}:{self.first}{self.sign}{self.second}{handed}={self.bit}"
        return [step, HANDED_ON[self.sign]] if self.carry else [step]


def columns(item: str) -> list[Column]:
    """Work a sum out, column by column from the right.

    Parameters
    ----------
    item : str
        Two operands of equally many bits and the sign between them, like ``1010-0110``.

    Raises
    ------
    ValueError
        When the code is malformed, or the difference would be negative.
    """
    match = _CODE.fullmatch(item)
    if not match or len(match[1]) != len(match[3]):
        raise ValueError(
            f"{item!r} is no sum of two binary numbers of equal length, at most 26 bits, like 1010-0110"
        )
    done: list[Column] = []
    for name, a, b in reversed(list(zip(ascii_lowercase, match[1], match[3], strict=False))):
        done.append(Column(name, int(a), match[2], int(b), done[-1].carry if done else 0))
    if match[2] == "-" and done[-1].carry:
        raise ValueError(f"{item!r} is below zero; the larger number comes first")
    return done


STYLES: dict[str, Callable[[list[Column]], list[str]]] = {
    "columns": lambda done: [one.full() for one in done],
    "carries": lambda done: [step for one in done for step in one.brief()],
    "twice": lambda done: [*(one.full() for one in done), "check", *(one.full() for one in done)],
}


def prompt(item: str) -> str:
    """Return what the model reads: the name of the task and the item's code."""
    name = next((name for name, sign in SIGNS.items() if sign in item), None)
    if name is None:
        raise ValueError(f"{item!r} has no sign; an item is written like 1010+0110")
    return problem_text(name, item, "code")


def completion(item: str, style: str) -> str:
    """Return what the model is to write: a chain of thought in one of the `STYLES`, and the answer.

    Raises
    ------
    ValueError
        When the code is malformed or the style unknown.
    """
    if style not in STYLES:
        raise ValueError(f"there is no style {style!r}; there are {', '.join(STYLES)}")
    done = columns(item)
    steps = "\n".join([style, *STYLES[style](done)])
    return f"{THINK_OPEN}{steps}\n{THINK_CLOSE}\n{ANSWER}{_result(done)}"


def draw(rng: np.random.Generator, bits: int, without: frozenset[frozenset[str]] = frozenset()) -> str:
    """Draw an item: either task, any two operands of so many bits.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    bits : int
        Number of columns.
    without : frozenset of frozenset of str
        Pairs of operands that must not come up, in either order and with either sign.
    """
    while True:
        low, high = sorted(int(one) for one in rng.integers(2**bits, size=2))
        small, large = f"{low:0{bits}b}", f"{high:0{bits}b}"
        sign, swap = ("+", "-")[rng.integers(2)], rng.integers(2)
        if frozenset((small, large)) not in without:
            return f"{small}+{large}" if sign == "+" and swap else f"{large}{sign}{small}"


def _result(done: list[Column]) -> str:
    bits = "".join(str(one.bit) for one in reversed(done))
    return f"{done[-1].carry}{bits}" if done[-1].sign == "+" else bits
