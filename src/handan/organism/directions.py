"""Chains of directions, worked out axis by axis.

``north/north-east`` is the bank's code for: X is north of Y, Y is north-east of Z; where is
Z from X? A chain may be longer or shorter than the bank's two. Each direction is a pair of
signs, one on the east-west axis (``x``) and one on the north-south axis (``y``). Distances
are not given, so opposite signs on an axis leave it undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from handan.norms.cardinal_directions import DIRECTIONS

_BY_SIGNS = {signs: name for name, signs in DIRECTIONS.items()}
_WRITTEN = {1: "+", 0: "0", -1: "-"}


@dataclass(frozen=True)
class Axis:
    """One axis of a chain.

    Parameters
    ----------
    name : {"x", "y"}
        East-west, or north-south.
    signs : tuple of int
        What each direction of the chain does on this axis: 1, 0 or −1.
    """

    name: str
    signs: tuple[int, ...]

    @property
    def is_open(self) -> bool:
        """Whether opposite signs leave the axis undecided."""
        return {1, -1} <= set(self.signs)

    @property
    def sign(self) -> int:
        """Sign of the sum, 0 where it is undecided."""
        return 0 if self.is_open else max(min(sum(self.signs), 1), -1)

    @property
    def possible(self) -> tuple[int, ...]:
        """Signs that the way back can have; balance first."""
        return (0, -1, 1) if self.is_open else (-self.sign,)

    def full(self) -> str:
        """Write every sign of the axis."""
        return self._line("".join(_WRITTEN[sign] for sign in self.signs))

    def brief(self) -> list[str]:
        """Write the axis only where something happens; that it stays open is a step of its own."""
        moves = "".join(_WRITTEN[sign] for sign in self.signs if sign)
        return [self._line(moves)] * bool(moves) + ["open"] * self.is_open

    def _line(self, signs: str) -> str:
        return f"{self.name}:{signs}={_WRITTEN[self.sign]}"


@dataclass(frozen=True)
class Chain:
    """A chain of directions that has been worked out."""

    axes: tuple[Axis, Axis]

    @property
    def steps(self) -> int:
        """Signs to take into account, and axes left open."""
        return sum(sum(map(abs, axis.signs)) + axis.is_open for axis in self.axes)

    @property
    def answers(self) -> tuple[str, ...]:
        """Directions of the way back that agree with the chain; the first is the one to learn."""
        ways = product(*(axis.possible for axis in self.axes))
        return tuple(_BY_SIGNS[signs] for signs in ways if signs in _BY_SIGNS)

    def full(self) -> list[str]:
        """Both axes, with every sign."""
        return [axis.full() for axis in self.axes]

    def brief(self) -> list[str]:
        """Only the axes on which something happens."""
        return [step for axis in self.axes for step in axis.brief()]


def work(task: str, item: str) -> Chain:
    """Work a chain of directions out.

    Raises
    ------
    ValueError
        When a direction is unknown.
    """
    names = item.split("/")
    unknown = [name for name in names if name not in DIRECTIONS]
    if unknown:
        raise ValueError(f"{item!r} is no item of {task}: {unknown[0]!r} is no direction")
    signs = [DIRECTIONS[name] for name in names]
    axes = [Axis(name, tuple(pair[place] for pair in signs)) for place, name in enumerate("xy")]
    return Chain((axes[0], axes[1]))
