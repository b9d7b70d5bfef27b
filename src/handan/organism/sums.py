"""Written sums, worked out column by column: binary addition and subtraction, decimal addition.

Work goes from right to left, as on paper, but columns are named from left to right, because
a model that reads in that direction knows a digit's place from the left only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_lowercase

SIGNS = {"binary-addition": "+", "binary-subtraction": "-", "digit-addition": "+"}
BASES = {"binary-addition": 2, "binary-subtraction": 2, "digit-addition": 10}
HANDED_ON = {"+": "carry", "-": "borrow"}
_CODE = re.compile(r"(\d{1,26})([+-])(\d{1,26})(?:=(\d{1,27}))?", re.ASCII)


@dataclass(frozen=True)
class Column:
    """One column of a written sum.

    Parameters
    ----------
    name : str
        ``a`` for the leftmost, and so on.
    first, second : int
        Digits of the two operands.
    sign : {"+", "-"}
        Addition or subtraction.
    handed : {0, 1}
        Carry or borrow that comes from the column before.
    base : int
        2 or 10.
    """

    name: str
    first: int
    sign: str
    second: int
    handed: int
    base: int = 2

    @property
    def total(self) -> int:
        """What the column comes to, before anything is handed on."""
        return self.first + (self.second + self.handed) * (1 if self.sign == "+" else -1)

    @property
    def carry(self) -> int:
        """Carry or borrow that the column hands on, 0 or 1."""
        return int(not 0 <= self.total < self.base)

    @property
    def digit(self) -> int:
        """Digit of the result."""
        return self.total % self.base

    def full(self) -> str:
        """Write the column with its carries, whether there are any or not."""
        left = f"{self.first}{self.sign}{self.second}{self.sign}{self.handed}"
        return f"{self.name}:{left}={self.carry}{self.digit}"

    def brief(self) -> list[str]:
        """Write the column with a carry only where there is one; handing one on is a step of its own."""
        handed = f"{self.sign}{self.handed}" if self.handed else ""
        step = f"{self.name}:{self.first}{self.sign}{self.second}{handed}={self.digit}"
        return [step, HANDED_ON[self.sign]] if self.carry else [step]


@dataclass(frozen=True)
class Sum:
    """A sum that has been worked out.

    Attributes
    ----------
    columns : tuple of Column
        From right to left.
    shown : str or None
        Proposed result, where the task is to judge one.
    """

    columns: tuple[Column, ...]
    shown: str | None = None

    @property
    def carries(self) -> int:
        """Carries, or borrows, of the whole sum."""
        return sum(column.carry for column in self.columns)

    @property
    def steps(self) -> int:
        """Steps that a person would write: a column each, and each carry."""
        return len(self.columns) + self.carries

    @property
    def result(self) -> str:
        """Digits of the result: an addition's have the last carry in front, 0 or 1."""
        digits = "".join(str(column.digit) for column in reversed(self.columns))
        return f"{self.columns[-1].carry}{digits}" if self.columns[-1].sign == "+" else digits

    @property
    def answers(self) -> tuple[str, ...]:
        """The one answer that is right: the result, or the verdict on the proposed one."""
        if self.shown is None:
            return (self.result,)
        return ("true" if int(self.shown) == int(self.result) else "false",)

    def full(self) -> list[str]:
        """Every column written at equal length."""
        return [column.full() for column in self.columns] + self._compared()

    def brief(self) -> list[str]:
        """Every column written briefly, each carry as a step of its own."""
        return [step for column in self.columns for step in column.brief()] + self._compared()

    def _compared(self) -> list[str]:
        """Hold the result against the proposed one, digit by digit: ``77=26/`` for 72 and 76."""
        if self.shown is None:
            return []
        width = max(len(self.shown), len(str(int(self.result))))
        digits = zip(self.result.lstrip("0").zfill(width), self.shown.zfill(width), strict=True)
        return ["".join(f"{ours}{theirs}{'=' if ours == theirs else '/'}" for ours, theirs in digits)]


def work(task: str, item: str) -> Sum:
    """Work a sum out, column by column from the right.

    Parameters
    ----------
    task : str
        A key of `SIGNS`.
    item : str
        Two operands of equally many digits with the sign between them, ``1010-0110``; in
        ``digit-addition`` also a proposed result, ``4+9=13``.

    Raises
    ------
    ValueError
        When the code is malformed, or the difference would be negative.
    """
    match, base = _CODE.fullmatch(item), BASES[task]
    judged = task == "digit-addition"
    if not match or not _fits(match, task, judged):
        example = "4+9=13" if judged else f"1010{SIGNS[task]}0110"
        raise ValueError(f"{item!r} is no item of {task}; write it like {example}, operands of equal length")
    done: list[Column] = []
    for name, a, b in reversed(list(zip(ascii_lowercase, match[1], match[3], strict=False))):
        done.append(Column(name, int(a), match[2], int(b), done[-1].carry if done else 0, base))
    if match[2] == "-" and done[-1].carry:
        raise ValueError(f"{item!r} is below zero; the larger number comes first")
    return Sum(tuple(done), match[4])


def operands(item: str) -> frozenset[str]:
    """Return the two operands of an item, one where both are the same."""
    return frozenset(item.partition("=")[0].replace("-", "+").split("+"))


def _fits(match: re.Match[str], task: str, judged: bool) -> bool:
    binary = BASES[task] == 10 or set(match[1] + match[3]) <= {"0", "1"}
    return binary and len(match[1]) == len(match[3]) and match[2] == SIGNS[task] and bool(match[4]) == judged
