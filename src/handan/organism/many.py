"""Several families at once: train, ask, count, each family in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import pandas as pd

from handan.organism import family, study
from handan.organism.conditions import lineage, model_name, with_ancestors
from handan.organism.recipe import Recipe

Job = tuple[Recipe, Path, tuple[str, ...], int, str, Path | None]
_LOOK = 0.2  # seconds between two looks at what the processes say


@dataclass(frozen=True)
class Message:
    """What a family says while it works.

    Attributes
    ----------
    family : str
        ``carry-s0``.
    model : str
        The model it is at.
    number, of : int
        The model's place.
    what : {"training", "was there", "done", "asking"}
        What happens to it.
    detail : str
        Progress of the training.
    share : float
        How much of the family's work is done, from 0 to 1.
    """

    family: str
    model: str
    number: int
    of: int
    what: str
    detail: str = ""
    share: float = 0.0


def run(
    recipes: Sequence[Recipe],
    out: Path,
    conditions: tuple[str, ...],
    *,
    samples: int = study.SAMPLES,
    processes: int = 1,
    trainer: str = "loop",
    starts: Mapping[str, Path] | None = None,
    report: Callable[[Message], Any] | None = None,
) -> pd.DataFrame:
    """Train families, let their models do the held-out items, and count what they wrote.

    Whatever a folder holds already is not made again, so the same call goes on after an
    interruption.

    Parameters
    ----------
    recipes : sequence of Recipe
        One per family.
    out : Path
        Gets ``models/`` (a folder per model), ``traces/`` (a store per family),
        ``costs.csv`` and ``lineage.csv`` of the families of this call.
    conditions : tuple of str
        See `handan.organism.conditions`.
    samples : int
        Traces per model and item.
    processes : int
        Families at a time. It does not change the result.
    trainer : {"loop", "trl"}
        See `handan.organism.family.train`.
    starts : mapping of str to Path, optional
        For a repertoire, the folder of a base to start from in place of training one.
    report : callable, optional
        Told how it goes.

    Returns
    -------
    DataFrame
        The costs table.
    """
    tell = report or (lambda message: None)
    jobs = [
        (recipe, out, conditions, samples, trainer, (starts or {}).get(recipe.repertoire))
        for recipe in recipes
    ]
    if processes == 1:
        for job in jobs:
            _one(*job, tell)
    else:
        _together(jobs, processes, tell)
    table = study.costs([out / "traces" / family_name(recipe) for recipe in recipes])
    _replace(out / "costs.csv", table)
    _replace(out / "lineage.csv", lineage(list(table["model"].unique())))
    return table


def family_name(recipe: Recipe) -> str:
    """Name a family: ``carry-s0``."""
    return f"{recipe.repertoire}-s{recipe.seed}"


def _replace(path: Path, table: pd.DataFrame) -> None:
    """Write a table so that whoever reads it sees the old one or the new one, whole."""
    draft = path.with_name(f".{path.name}.draft")
    table.to_csv(draft, index=False)
    draft.replace(path)


def _one(
    recipe: Recipe,
    out: Path,
    conditions: tuple[str, ...],
    samples: int,
    trainer: str,
    start: Path | None,
    tell: Callable[[Message], Any],
) -> None:
    name, of = family_name(recipe), len(with_ancestors(conditions))

    def _told(told: family.Told) -> None:
        at = told.progress
        what = "training" if at else "was there" if told.was_there else "done"
        share = (told.number - 1 + (at.step / at.steps if at else 1)) / (of + 1)
        tell(Message(name, told.model, told.number, of, what, str(at or ""), share))

    def _asking(model: str, number: int, models: int) -> None:
        tell(Message(name, model, number, of, "asking", share=(of + (number - 1) / models) / (of + 1)))

    folders = family.train(recipe, out / "models", conditions, trainer=trainer, start=start, report=_told)
    with family.torch_threads(1):
        study.ask(folders, out / "traces" / name, tasks=recipe.tasks, samples=samples, report=_asking)
    tell(Message(name, model_name("teacher", recipe), of, of, "done", share=1.0))


def _together(
    jobs: Sequence[Job],
    processes: int,
    tell: Callable[[Message], Any],
) -> None:
    """Work on several families at once; the first that fails stops them all."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        heard = manager.Queue()
        with _pool(processes, context) as pool:
            waiting: set[Future[None]] = {pool.submit(_quietly, *job, heard) for job in jobs}
            while waiting:
                done, waiting = wait(waiting, timeout=_LOOK, return_when=FIRST_COMPLETED)
                for message in _said(heard):
                    tell(message)
                for future in done:
                    future.result()
        for message in _said(heard):
            tell(message)


@contextmanager
def _pool(processes: int, context: Any) -> Iterator[ProcessPoolExecutor]:
    """Stop the processes at once when anything goes wrong, instead of waiting for hours of work."""
    pool = ProcessPoolExecutor(processes, mp_context=context)
    try:
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _quietly(
    recipe: Recipe,
    out: Path,
    conditions: tuple[str, ...],
    samples: int,
    trainer: str,
    start: Path | None,
    heard: Any,
) -> None:
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    _one(recipe, out, conditions, samples, trainer, start, heard.put)


def _end_with_the_parent() -> None:
    """Stop when the main process is gone, however it went, so that nobody trains on unseen."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _said(heard: Any) -> Iterator[Message]:
    while True:
        try:
            yield heard.get_nowait()
        except Empty:
            return
