"""Preparing to train a model of any size: who learns, from what, and what decides the weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from handan.organism import any_data, any_lesson
from handan.organism.any_data import TRAINED, Learner
from handan.organism.recipe import Reinforced, Supervised
from handan.traces.errors import RequestError
from handan.traces.models import resolve


@dataclass(frozen=True)
class Options:
    """What both ways of training need to know.

    Parameters
    ----------
    held_out : float
        Share of the items that are never trained on, see `handan.organism.any_data.parts`.
    seed : int
        Seed of the division of items, of their order, and of samples.
    revision : str, optional
        Commit of the model on the hub.
    lora : int, optional
        Rank of low-rank adapters, which are trained in place of all weights.
    at_once : int
        Most texts to learn from at a time: less takes less memory.
    device : str
        See `handan.traces.device.resolve_device`.
    save_every : int
        Steps between two checkpoints.
    """

    held_out: float = 0.5
    seed: int = 0
    revision: str | None = None
    lora: int | None = None
    at_once: int = 8
    device: str = "auto"
    save_every: int = 20


@dataclass(frozen=True)
class Job:
    """A training that is ready to run.

    Attributes
    ----------
    learner : Learner
        Who learns.
    how : Supervised or Reinforced
        Steps and rates.
    options : Options
        See there.
    items : DataFrame
        ``task, item, part``.
    rows : dict of str to list
        Columns for the trainer, in the order of training.
    settings : dict
        What decides the weights; a folder belongs to one of them.
    about : dict of str to str
        What else there is to say of the plan.
    """

    learner: Learner
    how: Supervised | Reinforced
    options: Options
    items: pd.DataFrame
    rows: dict[str, list[Any]]
    settings: dict[str, Any]
    about: dict[str, str] = field(default_factory=dict)


def reinforcement(model: str, tasks: Sequence[str], how: Reinforced, options: Options = Options()) -> Job:
    """Prepare to reinforce a model on items of the bank.

    Parameters
    ----------
    model : str
        Anything that `handan.traces.models.resolve` finds.
    tasks : sequence of str
        Tasks of the bank.
    how : Reinforced
        Steps, group, rate and price.
    options : Options
        See there.

    Raises
    ------
    RequestError
        When a task is unknown, or a setting makes no sense.
    ModelError
        When the model can't be found or loaded.
    """
    if how.group < 2:
        raise RequestError("a group needs at least 2 replies: each is judged beside the others")
    learner = _learner(model, options)
    items = any_data.parts(tasks, options.held_out, options.seed)
    trained = items.loc[items["part"] == TRAINED, ["task", "item"]].to_numpy().tolist()
    places = any_data.rounds(len(trained), how.steps * how.prompts, options.seed)
    problems = [trained[place] for place in places]
    rows = {
        "prompt": [learner.message(*one) for one in problems],
        "task": [task for task, _ in problems],
        "item": [item for _, item in problems],
    }
    settings = _settings("reinforce", learner, how, options, rows)
    return Job(learner, how, options, items, rows, settings)


def distillation(
    model: str,
    stores: Sequence[Path],
    how: Supervised,
    options: Options = Options(),
    *,
    tasks: Sequence[str] | None = None,
    **choice: Any,
) -> Job:
    """Prepare to distil a teacher's traces into a model.

    Parameters
    ----------
    model : str
        The student: anything that `handan.traces.models.resolve` finds.
    stores : sequence of Path
        Stores with traces of the teacher.
    how : Supervised
        Steps and rates.
    options : Options
        See there.
    tasks : sequence of str, optional
        By default all tasks of the stores that have prompts.
    **choice
        ``hard, only_correct, most, max_tokens`` of `handan.organism.any_lesson.collect`.

    Raises
    ------
    RequestError
        When no trace is left to learn from, or a setting makes no sense.
    ModelError
        When the model can't be found or loaded.
    StoreError
        When a store can't be read.
    """
    learner = any_lesson.as_student(_learner(model, options))
    items = any_data.parts(tasks or any_lesson.tasks_of(stores), options.held_out, options.seed)
    lesson = any_lesson.collect(learner, stores, items, seed=options.seed, **choice)
    places = any_data.rounds(len(lesson.rows), how.steps * how.batch, options.seed)
    pairs = [lesson.rows[place] for place in places]
    rows = {
        "input_ids": [[*asked, *told] for asked, told in pairs],
        "completion_mask": [[0] * len(asked) + [1] * len(told) for asked, told in pairs],
    }
    settings = _settings("distil", learner, how, options, rows) | {"teachers": lesson.teachers}
    said = "; ".join(f"{number:,} {fate}" for fate, number in lesson.counts.items())
    return Job(learner, how, options, items, rows, settings, {"traces": said})


def _learner(model: str, options: Options) -> Learner:
    from handan.traces.loading import load_tokenizer

    known = resolve(model, options.revision)
    return Learner(known, load_tokenizer(known))


def _settings(
    command: str, learner: Learner, how: Supervised | Reinforced, options: Options, rows: dict[str, list[Any]]
) -> dict[str, Any]:
    if how.steps < 1 or how.rate <= 0:
        raise RequestError("a training takes at least one step, and a learning rate above 0")
    model = learner.model
    return {
        "command": command,
        "model": model.model_id,
        "revision": model.revision,
        **{name: getattr(options, name) for name in ("held_out", "seed", "lora")},
        **asdict(how),
        "texts": hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16],
    }
