"""Show how far a run is: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from handan.traces.request import Completion


def duration(seconds: float) -> str:
    """Write a time span for people: ``45 s``, ``12 min``, ``3 h 05 min``, ``2 d 4 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


class Meter:
    """Count rows and tokens, and foretell the end.

    Time left is the time so far per finished row, times the rows that are left. The first
    rows to finish are the short ones, so early on it errs to the optimistic side.

    Parameters
    ----------
    total : int
        Rows to do.
    clock : callable
        Seconds from any start.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.rows, self.tokens, self.errors = total, 0, 0, 0
        self._clock, self._start = clock, clock()

    def count(self, completion: Completion) -> None:
        """Take one more row into account."""
        self.rows += 1
        self.tokens += completion.output_tokens or 0
        self.errors += completion.stop == "error"

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return self._clock() - self._start

    @property
    def rate(self) -> float:
        """Generated tokens per second."""
        return self.tokens / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds left, or None before the first row is done."""
        return self.seconds / self.rows * (self.total - self.rows) if self.rows else None

    def line(self) -> str:
        """Say it in one line."""
        left = "time left unknown" if self.left is None else f"{duration(self.left)} left"
        failed = f", {self.errors:,} failed" if self.errors else ""
        return f"{self.rows:,} of {self.total:,} rows, {self.rate:,.0f} tokens/s, {left}{failed}"


class Progress:
    """Follow a run on a stream.

    Parameters
    ----------
    stream : text file, optional
        By default standard error, so that standard output stays for results.
    every : float
        Seconds between two plain lines, where the stream is no terminal.
    """

    def __init__(self, stream: TextIO | None = None, every: float = 10.0) -> None:
        self.stream, self.every = stream or sys.stderr, every
        self._bar: Any = None
        self._task: Any = None
        self._said = 0.0

    def start(self, total: int) -> Meter:
        """Begin to follow a run of so many rows."""
        self._said = 0.0
        meter = Meter(total)
        if self.stream.isatty():
            self._bar, self._task = _bar(self.stream, total)
        return meter

    def update(self, meter: Meter) -> None:
        """Show where the run is, if it is time to."""
        if self._bar is not None:
            self._bar.update(self._task, completed=meter.rows, says=meter.line())
        elif meter.seconds - self._said >= self.every:
            self._said = meter.seconds
            print(meter.line(), file=self.stream, flush=True)

    def stop(self, meter: Meter) -> None:
        """Show the end."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        done = f"{meter.rows:,} rows in {duration(meter.seconds)}, {meter.rate:,.0f} tokens/s"
        print(f"{done}, {meter.errors:,} failed" if meter.errors else done, file=self.stream, flush=True)


def _bar(stream: TextIO, total: int) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    bar = Progress(BarColumn(), TextColumn("{task.fields[says]}"), console=Console(file=stream))
    task = bar.add_task("traces", total=total, says="starting")
    bar.start()
    return bar, task
