"""The two ways of learning with Hugging Face TRL: the recipe for a model of any size.

`fit_supervised` and `fit_reinforced` mean the same as the plain loops of
`handan.organism.supervised` and `handan.organism.reinforced`: same batches, losses,
gradients, optimiser, learning rates. Only the samples of reinforcement are other ones, as
TRL draws them with ``model.generate``. On a tiny model TRL takes longer, see
``benchmarks/training.py``; on a large one the model itself takes nearly all of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from handan.organism import grammar
from handan.organism.corpus import Problem
from handan.organism.progress import Progress, Tracker
from handan.organism.recipe import Reinforced, Supervised
from handan.organism.trl_quiet import quiet, unpatched
from handan.organism.trl_trainers import (
    follow,
    reinforced_trainer,
    reinforced_values,
    seed_of,
    supervised_trainer,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM


def fit_supervised(
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    batches: Iterator[list[tuple[str, str]]],
    how: Supervised,
    *,
    report: Callable[[Progress], Any] | None = None,
    every: int = 100,
    watch: Callable[[int, Qwen2ForCausalLM], Any] | None = None,
) -> list[Progress]:
    """Train a model on batches of texts; takes and returns what `handan.organism.supervised.fit` does.

    Raises
    ------
    ValueError
        When a batch has not as many texts as the recipe says.
    """
    texts = [text for batch in islice(batches, how.steps) for text in _whole(batch, how.batch)]
    asked, told = zip(*texts, strict=True)
    read = 0.0

    def _note(logs: dict[str, float]) -> None:
        nonlocal read
        track.step(tokens=round(logs["num_tokens"] - read), loss=logs["loss"])
        read = logs["num_tokens"]

    with quiet(), unpatched(model), TemporaryDirectory(prefix="handan-") as folder:
        rows = {"prompt": asked, "completion": told}
        trainer = supervised_trainer(model, tokenizer, rows, how, folder=folder)
        track = Tracker(how.steps, every, report, watch, model)
        follow(trainer, lambda step, logs: _note(logs))
        trainer.train()
    model.eval()
    return track.log


def fit_reinforced(
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    problems: Iterator[Problem],
    how: Reinforced,
    *,
    label: str,
    report: Callable[[Progress], Any] | None = None,
    every: int = 10,
    watch: Callable[[int, Qwen2ForCausalLM], Any] | None = None,
) -> list[Progress]:
    """Reinforce a model; takes and returns what `handan.organism.reinforced.fit` does."""
    asked = list(islice(problems, how.steps * how.prompts))
    tasks, items = zip(*asked, strict=True)
    rows = {"prompt": [grammar.prompt(*one) for one in asked], "task": tasks, "item": items}

    def _is_right(task: str, item: str, ids: Sequence[int]) -> bool:
        return grammar.is_right(task, item, str(tokenizer.decode(list(ids), skip_special_tokens=True)))

    def _note(step: int, logs: dict[str, float]) -> None:
        values = reinforced_values(logs)
        track.step(tokens=round(values["tokens_each"] * how.prompts * how.group), **values)

    with quiet(), unpatched(model), TemporaryDirectory(prefix="handan-") as folder:
        trainer = reinforced_trainer(
            model, tokenizer, rows, how, _is_right, folder=folder, seed=seed_of(label)
        )
        track = Tracker(how.steps, every, report, watch, model)
        follow(trainer, _note)
        trainer.train()
    model.eval()
    return track.log


def _whole(batch: list[tuple[str, str]], size: int) -> list[tuple[str, str]]:
    if len(batch) != size:
        raise ValueError(f"a batch has {len(batch)} texts, and the recipe says {size}; make them alike")
    return batch
