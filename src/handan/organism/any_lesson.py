"""Rejection sampling from a store: which traces of a teacher a student learns from, and as what text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from handan.costs.tags import USUAL, Tags
from handan.organism.any_data import TRAINED, Learner, files_of, hardest
from handan.traces.errors import RequestError
from handan.traces.loading import context_limit

# What can be wrong with a trace, in the order in which it is looked for.
OTHER = "of items that are held out, or of other tasks"
EASY = "of items that are not among the hardest"
CUT = "that did not end by themselves"
WRONG = "that are wrong"
CONTROL = "that hold a control token of the student"
LONG = "that are too long"
USED = "to learn from"


@dataclass(frozen=True)
class Lesson:
    """Texts for a student, as tokens.

    Attributes
    ----------
    rows : list of (list of int, list of int)
        Prompts and completions.
    counts : dict of str to int
        Traces in the stores by what became of them.
    teachers : dict of str to int
        Traces that are used, by who wrote them.
    """

    rows: list[tuple[list[int], list[int]]]
    counts: dict[str, int]
    teachers: dict[str, int]


def tasks_of(folders: Sequence[Path]) -> list[str]:
    """List the tasks of some stores that have prompts, in the order of the bank.

    Raises
    ------
    RequestError
        When there is none.
    StoreError
        When a store can't be read.
    """
    from handan.norms import task, tasks
    from handan.traces.store import Store

    there: set[str] = set()
    for folder in files_of(folders):
        with Store.open(folder, create=False, writable=False) as store:
            there |= set(store.read(["task"])["task"])
    found = [name for name in tasks() if name in there and task(name).has_prompt]
    if not found:
        raise RequestError(f"{', '.join(map(str, folders))} hold no trace of a task of the bank")
    return found


def as_student(learner: Learner) -> Learner:
    """Give a learner tags to think between; one that has none gets the usual ones."""
    model = learner.model
    opened, closed = model.think_open or USUAL[0], model.think_close or USUAL[1]
    return replace(learner, model=replace(model, think_open=opened, think_close=closed))


def collect(
    learner: Learner,
    folders: Sequence[Path],
    items: pd.DataFrame,
    *,
    hard: float = 1.0,
    only_correct: bool = True,
    most: int | None = None,
    max_tokens: int = 4096,
    seed: int = 0,
) -> Lesson:
    """Read a teacher's traces and turn those that are right into texts for a student.

    Parameters
    ----------
    learner : Learner
        The student, see `as_student`. Its chat template words the problems; the chain of
        thought stands between its own tags.
    folders : sequence of Path
        Stores of traces.
    items : DataFrame
        ``task, item, part``; only traces of the part ``trained`` are used.
    hard : float
        Share of items per task, those on which people take longest, that are used.
    only_correct : bool
        Whether wrong traces are left out.
    most : int, optional
        Traces to take, drawn at random.
    max_tokens : int
        Longest text, prompt included, in the student's tokens.
    seed : int
        Seed of the draw.

    Raises
    ------
    RequestError
        When no trace is left; says what became of all of them.
    StoreError
        When a store can't be read.
    """
    from handan.traces.counting import counted

    found, _ = counted(files_of(folders), keep_text=True)
    wanted = hardest(items[items["part"] == TRAINED], hard)
    asked = learner.asked(wanted[["task", "item"]].itertuples(index=False, name=None))
    trained = set(map(tuple, items.loc[items["part"] == TRAINED, ["task", "item"]].to_numpy()))
    limit = min(max_tokens, _context(learner) or max_tokens)
    counts: Counter[str] = Counter()
    rows, teachers = [], []
    for trace in found.to_dict("records"):
        fate = _fate(trace, asked, trained, only_correct)
        if fate == USED:
            prompt, ids = asked[trace["task"], trace["item"]]
            told = _told(learner, trace, prompt)
            fate = _use(learner, trace, ids, told, limit, only_correct)
        counts[fate] += 1
        if fate == USED:
            rows.append((ids, told))
            teachers.append(trace["model"])
    if not rows:
        raise RequestError(f"no trace is left to learn from. {_sentence(counts)}")
    kept = range(len(rows)) if most is None else np.random.default_rng(seed).permutation(len(rows))[:most]
    return Lesson([rows[one] for one in kept], dict(counts), dict(Counter(teachers[one] for one in kept)))


def _sentence(counts: Counter[str]) -> str:
    said = ", ".join(f"{number:,} {fate}" for fate, number in counts.items())
    return f"Of {sum(counts.values()):,} traces there are: {said}"


def _fate(trace: dict[Any, Any], asked: Any, trained: set[Any], only_correct: bool) -> str:
    problem = (trace["task"], trace["item"])
    if problem not in trained:
        return OTHER
    if problem not in asked:
        return EASY
    if trace["stop"] != "stop" or pd.isna(trace["reasoning_text"]):
        return CUT
    return USED if trace["correct"] == 1 or not only_correct else WRONG


def _use(
    learner: Learner, trace: dict[Any, Any], asked: list[int], told: list[int], limit: int, only_correct: bool
) -> str:
    """Look at the text itself: it is somebody else's, and reads otherwise in the student's tokens."""
    tags = {learner.decoder.single(learner.tags.opens), learner.decoder.single(learner.tags.closes)}
    if not learner.decoder.special.isdisjoint(set(told[:-1]) - tags):
        return CONTROL
    if len(asked) + len(told) > limit:
        return LONG
    if only_correct and not learner.is_right(trace["task"], trace["item"], told):
        return WRONG
    return USED


def _told(learner: Learner, trace: dict[Any, Any], prompt: str) -> list[int]:
    """Put chain of thought and answer together as the student would have written them."""
    thought, answer = str(trace["reasoning_text"]), trace["answer_text"]
    tags: Tags = learner.tags
    if pd.isna(answer):
        text = thought
    elif tags.prefilled(prompt):
        # The template may have written the line feed after the tag as well.
        text = (
            f"{thought.removeprefix(chr(10)) if prompt.endswith(chr(10)) else thought}{tags.closes}{answer}"
        )
    else:
        text = f"{tags.opens}{thought}{tags.closes}{answer}"
    return [*learner.tokenizer(text, add_special_tokens=False)["input_ids"], learner.stop]


def _context(learner: Learner) -> int | None:
    from types import SimpleNamespace

    from transformers import AutoConfig

    return context_limit(SimpleNamespace(config=AutoConfig.from_pretrained(**learner.model.pinned())))
