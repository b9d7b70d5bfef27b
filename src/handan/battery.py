"""The whole battery: every finding of the book on every study, with progress.

The claims page, the command `handan claims` and the report on a user's own tables all come
from one call. A finding that a study cannot support is skipped with the reason; nothing else
is lost by it.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from handan.facts import family_facts, study_facts

if TYPE_CHECKING:
    from handan.findings.families import Families
    from handan.inputs import Inputs

Tables = dict[str, pd.DataFrame]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Sizes:
    """How much the battery computes.

    Attributes
    ----------
    n_boot : int
        Resamples of items behind an interval.
    n_pooled : int
        Resamples behind a verdict of a pooled difference.
    n_perm : int
        Permutations of a test.
    seed : int
        Seed of everything random.
    """

    n_boot: int = 10_000
    n_pooled: int = 100_000
    n_perm: int = 1_000
    seed: int = 0

    @classmethod
    def scaled(cls, n_pooled: int, seed: int) -> Sizes:
        """Sizes in the proportions of the default, but for few resamples: the commands share them."""
        return cls(max(n_pooled // 10, 100), n_pooled, min(max(n_pooled // 20, 99), 1_000), seed)


@dataclass(frozen=True)
class Step:
    """A finding that was just computed, or skipped.

    Attributes
    ----------
    study, finding : str
        Which one.
    done, total : int
        Steps done so far, and all steps.
    seconds : float
        Seconds since the battery began.
    """

    study: str
    finding: str
    done: int
    total: int
    seconds: float

    @property
    def left(self) -> float:
        """Seconds left at the pace so far."""
        return self.seconds / self.done * (self.total - self.done)

    def __str__(self) -> str:
        rate = self.done / max(self.seconds, 1e-9)
        return (
            f"{self.done} of {self.total}: {self.finding} of {self.study} "
            f"({rate:.1f} findings/s, about {self.left:.0f} s left)"
        )


@dataclass(frozen=True)
class Battery:
    """Every finding on every study.

    Attributes
    ----------
    tables : dict of str to DataFrame
        By name; every table has a column ``study``.
    facts : DataFrame
        A row per study: ``study, measure, n_models, n_tasks, n_items, n_rows, excluded,
        ceiling, ceiling_low, ceiling_high, truncated, families, timed``.
    skipped : DataFrame
        ``study, finding, reason``: what could not be computed, and why.
    remarks : list of str
        What takes no part in a finding, and why.
    sizes : Sizes
        What was asked for.
    """

    tables: Tables
    facts: pd.DataFrame
    skipped: pd.DataFrame
    remarks: list[str] = field(default_factory=list)
    sizes: Sizes = field(default_factory=Sizes)


def battery(
    inputs: Sequence[Inputs],
    lineage: pd.DataFrame,
    families: Families | None = None,
    sizes: Sizes | None = None,
    *,
    only: Sequence[str] | None = None,
    report: Callable[[Step], Any] | None = None,
    jobs: int = 2,
) -> Battery:
    """Compute every finding on every study.

    Parameters
    ----------
    inputs : sequence of Inputs
        The studies.
    lineage : DataFrame
        Who taught whom.
    families : Families, optional
        Findings on families of tiny models; their tables are added as ``families_*``.
    sizes : Sizes, optional
        How much to compute.
    only : sequence of str, optional
        Names of `handan.steps.STEPS`; by default all.
    report : callable, optional
        Told each `Step` when it is done.
    jobs : int
        Processes. With 1 all is computed in this one, which large tables need.

    Returns
    -------
    Battery

    Raises
    ------
    LookupError
        When `only` names a step that does not exist.
    """
    from handan.steps import STEPS

    if unknown := set(only or ()) - set(STEPS):
        raise LookupError(f"no finding {', '.join(sorted(unknown))}; there are: {', '.join(STEPS)}")
    sizes = sizes or Sizes()
    chosen = [name for name in STEPS if only is None or name in only]
    work = [(k, name) for name in chosen for k in range(len(inputs))]
    parts: dict[str, list[pd.DataFrame]] = {}
    skipped, began, todo = [], time.monotonic(), len(work)
    for done, (k, name, result) in enumerate(_results(work, inputs, lineage, sizes, jobs), 1):
        if isinstance(result, str):
            skipped.append(dict(study=label(inputs[k]), finding=name, reason=result))
        else:
            for table, frame in result.items():
                parts.setdefault(table, []).append(frame)
        if report:
            report(Step(label(inputs[k]), name, done, todo, time.monotonic() - began))
    tables = {table: _together(frames) for table, frames in parts.items()} | _of_families(families)
    facts = pd.concat([*map(study_facts, inputs), *family_facts(families)], ignore_index=True)
    remarks = [line for one in inputs for line in one.remarks(lineage)]
    lost = pd.DataFrame(skipped, columns=["study", "finding", "reason"])
    return Battery(tables, facts, lost, remarks, sizes)


def label(one: Inputs) -> str:
    """Name of what was measured: its study, or its studies."""
    return ", ".join(one.joined.rows["study"].unique())


def compute(name: str, one: Inputs, lineage: pd.DataFrame, sizes: Sizes) -> Tables | str:
    """Compute one finding on one study.

    Returns
    -------
    dict of str to DataFrame, or str
        Tables by name, or the reason why this study does not support the finding.
    """
    from handan.steps import STEPS

    try:
        with warnings.catch_warnings():
            # What a library warns of on hostile data is told by the tables' own notes.
            warnings.simplefilter("ignore", RuntimeWarning)
            return STEPS[name](one, lineage, sizes)
    except (KeyError, IndexError) as error:
        # These are LookupErrors too, but never a reason that a study gives.
        return f"a fault of this program ({type(error).__name__}: {error}); please report it"
    except (LookupError, ValueError) as error:
        return str(error.args[0]) if error.args else type(error).__name__


def _results(
    work: Sequence[tuple[int, str]],
    inputs: Sequence[Inputs],
    lineage: pd.DataFrame,
    sizes: Sizes,
    jobs: int,
) -> Iterator[tuple[int, str, Tables | str]]:
    if jobs == 1 or len(work) < 2:
        for k, name in work:
            yield k, name, compute(name, inputs[k], lineage, sizes)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Fresh processes: a fork of one with threads, such as a notebook kernel, may hang.
    with _single_threads(), ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        asked = [(k, name, pool.submit(compute, name, inputs[k], lineage, sizes)) for k, name in work]
        try:
            for k, name, future in asked:
                yield k, name, future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _single_threads() -> Iterator[None]:
    """Let new processes use one thread each: their matrix products would wait for each other's."""
    added = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _together(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if not frame.empty]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _of_families(families: Families | None) -> Tables:
    if families is None:
        return {}
    names = ("conditions", "effects", "inflation")
    return {f"families_{name}": getattr(families, name) for name in names}
