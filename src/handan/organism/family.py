"""Train a family of models into a folder, one folder per model; go on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from handan.organism import corpus, reinforced, supervised
from handan.organism.checkpoint import CheckpointError, Training, load, read_training, save
from handan.organism.conditions import BY_NAME, Condition, model_name, with_ancestors
from handan.organism.lessons import collect
from handan.organism.network import fresh
from handan.organism.progress import Progress
from handan.organism.recipe import Recipe
from handan.organism.tokenizer import build

if TYPE_CHECKING:
    from transformers import Qwen2ForCausalLM

Watch = Callable[[str, int, Any], Any]


@dataclass(frozen=True)
class Told:
    """A report of `train`.

    Attributes
    ----------
    model : str
        Which model.
    number, of : int
        Its place among those of the run.
    progress : Progress or None
        Where its training stands; None when it is done.
    was_there : bool
        Whether it had been trained before.
    """

    model: str
    number: int
    of: int
    progress: Progress | None = None
    was_there: bool = False


def train(
    recipe: Recipe,
    out: Path,
    conditions: tuple[str, ...] = tuple(BY_NAME),
    *,
    report: Callable[[Told], Any] | None = None,
    watch: Watch | None = None,
    trainer: str = "loop",
    start: Path | None = None,
    threads: int = 1,
) -> list[Path]:
    """Train the models of a family that are not there yet.

    Parameters
    ----------
    recipe : Recipe
        Everything that decides the weights.
    out : Path
        Folder of the family; each model gets a folder of its own in it.
    conditions : tuple of str
        Names of `CONDITIONS`; what they are made from is trained as well.
    report : callable, optional
        Told how it goes.
    watch : callable, optional
        Called with the condition's name, the steps done and the model, at the start of
        each training and at each of its reports.
    trainer : {"loop", "trl"}
        The plain loops, or Hugging Face TRL, which does the same in about twice the time.
    start : Path, optional
        Folder of a base to start from in place of training one; a copy of it is the family's.
    threads : int
        Threads of torch. The same number gives the same weights on the same machine.

    Returns
    -------
    list of Path
        Folders of the models, in the order of the design.

    Raises
    ------
    LookupError
        When a condition is unknown.
    LessonError
        When a teacher is right too rarely to teach.
    CheckpointError
        When a folder holds a model of another recipe, or is damaged.
    """
    wanted = with_ancestors(conditions)
    with torch_threads(threads):
        for number, condition in enumerate(wanted, start=1):
            place = Told(model_name(condition.name, recipe), number, len(wanted))
            tell = report or (lambda told: None)
            if start and condition.name == "base":
                _adopt(recipe, condition, out, place, start, tell)
            else:
                _train_one(recipe, condition, out, place, trainer, tell, watch)
    return [out / model_name(condition.name, recipe) for condition in wanted]


def _adopt(
    recipe: Recipe, condition: Condition, out: Path, place: Told, start: Path, report: Callable[[Told], Any]
) -> None:
    """Make a base that somebody trained before the base of this family."""
    origin = read_training(start)
    knows, wanted = origin["recipe"], json.loads(json.dumps(asdict(recipe)))
    for name in ("repertoire", "size"):
        if knows[name] != wanted[name]:
            raise CheckpointError(f"{start} has another {name}: {knows[name]} in place of {wanted[name]}")
    if unknown := set(recipe.tasks) - set(knows["tasks"]):
        raise CheckpointError(f"{start} never learned {', '.join(sorted(unknown))}")
    # The record tells how the base was really trained, not how this recipe would have.
    made = _settings(recipe, condition, {start.name: origin["sha256"]}, trainer=origin["trainer"])
    settings = made | {"recipe": knows}
    was_there = (out / place.model).exists()
    if was_there:
        read_training(out / place.model, settings)
    else:
        save(out / place.model, load(start), Training(settings, [], {}, 0.0, 0.0))
    report(Told(place.model, place.number, place.of, was_there=was_there))


def _settings(
    recipe: Recipe, condition: Condition, made_from: dict[str, str], trainer: str
) -> dict[str, Any]:
    """Return what decides a model's weights, as it stands in its record."""
    plan = {
        "recipe": asdict(recipe),
        "condition": asdict(condition),
        "made_from": made_from,
        "trainer": trainer,
    }
    settings: dict[str, Any] = json.loads(json.dumps(plan))
    return settings


def _train_one(
    recipe: Recipe,
    condition: Condition,
    out: Path,
    place: Told,
    trainer: str,
    report: Callable[[Told], Any],
    watch: Watch | None,
) -> None:
    folder = out / place.model
    made_from = {
        link: model_name(name, recipe) for link in ("parent", "teacher") if (name := getattr(condition, link))
    }
    hashes = {name: read_training(out / name)["sha256"] for name in made_from.values()}
    settings = _settings(recipe, condition, hashes, trainer)
    if folder.exists():
        read_training(folder, settings)
        report(Told(place.model, place.number, place.of, was_there=True))
        return
    start, busy = perf_counter(), process_time()
    seen = partial(watch, condition.name) if watch else None
    parent = load(out / made_from["parent"]) if condition.parent else None
    model, log, lesson = _make(
        recipe, condition, parent, out, trainer,
        report=lambda progress: report(Told(place.model, place.number, place.of, progress)), watch=seen,
    )  # fmt: skip
    spent = Training(settings, log, lesson, perf_counter() - start, process_time() - busy)
    save(folder, model, spent)
    report(Told(place.model, place.number, place.of))


def _make(
    recipe: Recipe,
    condition: Condition,
    parent: Qwen2ForCausalLM | None,
    out: Path,
    trainer: str,
    **told: Any,
) -> tuple[Qwen2ForCausalLM, list[Progress], dict[str, float]]:
    """Train one model; also what it learned from, in numbers."""
    imitate, reinforce = _trainers(trainer)
    tokenizer, size = build(), recipe.half if condition.is_half else recipe.size
    if parent is None:
        model = fresh(size, tokenizer, recipe.seed)
        texts = corpus.texts(recipe, recipe.base.batch, steps=recipe.base.steps)
        return model, imitate(model, tokenizer, texts, recipe.base, **told), {}
    if condition.step == "distilled":
        lesson = collect(
            load(out / model_name(condition.teacher or "", recipe)), tokenizer, condition, recipe
        )
        batches = lesson.batches(np.random.default_rng([recipe.seed, 4]), recipe.distilled.batch)
        log = imitate(parent, tokenizer, batches, recipe.distilled, every=20, **told)
        counts = {"traces": len(lesson.texts), "asked": lesson.asked, "mean_tokens": lesson.mean_tokens}
        return parent, log, counts
    label, how = f"{condition.name}/{recipe.seed}", recipe.reinforced
    if condition.step == "returned":
        how = replace(how, steps=recipe.return_steps)
    return parent, reinforce(parent, tokenizer, _problems(recipe), how, label=label, **told), {}


def _trainers(name: str) -> tuple[Callable[..., list[Progress]], Callable[..., list[Progress]]]:
    if name == "loop":
        return supervised.fit, reinforced.fit
    if name == "trl":
        from handan.organism import trl

        return trl.fit_supervised, trl.fit_reinforced
    raise ValueError(f"there is no trainer {name!r}; there are loop and trl")


def _problems(recipe: Recipe) -> Iterator[corpus.Problem]:
    return corpus.problems(np.random.default_rng([recipe.seed, 1]), recipe)


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Let torch use so many threads for a while: with another number sums come out a little different."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
