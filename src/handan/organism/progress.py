"""Where a training stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """A report on a training.

    Attributes
    ----------
    step, steps : int
        Steps done, and all steps.
    rate : float
        Tokens per second, padding not counted.
    left : float
        Seconds left at the present pace.
    values : dict of str to float
        Means since the last report: ``loss`` (cross entropy per completion token, in
        nats), or ``reward``, ``right`` (share) and ``tokens_each`` (per sample).
    """

    step: int
    steps: int
    rate: float
    left: float
    values: dict[str, float]

    def __str__(self) -> str:
        told = "  ".join(f"{name} {value:.4f}" for name, value in self.values.items())
        return (
            f"step {self.step:>5} of {self.steps}  {told}  {self.rate:,.0f} tokens/s  {self.left:.0f} s left"
        )


class Tracker:
    """Collects what a training reports.

    Parameters
    ----------
    steps, every : int
        All steps, and steps between two reports.
    report : callable or None
        Told each `Progress`.
    watch : callable or None
        Called with the number of steps done and `model`, at the start and at each report.
    model
        What is trained.
    """

    def __init__(
        self,
        steps: int,
        every: int,
        report: Callable[[Progress], Any] | None,
        watch: Callable[[int, Any], Any] | None,
        model: Any,
    ) -> None:
        self.log: list[Progress] = []
        self._steps, self._every, self._report, self._watch, self._model = steps, every, report, watch, model
        self._done = self._tokens = self._since = 0
        self._sums: dict[str, float] = {}
        self._spent = 0.0
        self._look()
        self._start = time.perf_counter()

    def step(self, *, tokens: int, **values: float) -> None:
        """Note that a step is done, what it read, and what came of it."""
        self._done, self._tokens, self._since = self._done + 1, self._tokens + tokens, self._since + 1
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        if self._done % self._every and self._done != self._steps:
            return
        self._spent += time.perf_counter() - self._start
        means = {name: total / self._since for name, total in self._sums.items()}
        left = self._spent / self._done * (self._steps - self._done)
        self.log.append(Progress(self._done, self._steps, self._tokens / self._spent, left, means))
        self._sums, self._since = {}, 0
        if self._report:
            self._report(self.log[-1])
        self._look()
        self._start = time.perf_counter()

    def _look(self) -> None:
        if self._watch:
            self._watch(self._done, self._model)
