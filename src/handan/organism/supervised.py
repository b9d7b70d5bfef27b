"""Learning from texts with a plain loop: base training and distillation.

It gives the losses and gradients of TRL's ``SFTTrainer`` on the same batch, see
`handan.organism.trl`, without what that costs on a tiny model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from handan.organism.network import encoded, tensors
from handan.organism.progress import Progress, Tracker
from handan.organism.recipe import Supervised

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM

CLIP = 1.0  # longest gradient that a step may take
BETAS = (0.9, 0.98)
PARTS = 3  # of a batch, by length, so that short texts are not filled up to the longest


def add_gradients(
    model: Qwen2ForCausalLM, batch: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerFast
) -> tuple[float, int]:
    """Add a batch's gradients to those of the model.

    Returns
    -------
    tuple of float and int
        Mean cross entropy per completion token in nats, and the tokens of all texts.
    """
    ranked = sorted(encoded(batch, tokenizer), key=lambda text: len(text[0]) + len(text[1]))
    size = math.ceil(len(ranked) / PARTS)
    counted = sum(len(told) for _, told in ranked)
    total = 0.0
    for start in range(0, len(ranked), size):
        ids, labels = tensors(ranked[start : start + size], tokenizer.pad_token_id)
        loss = model(input_ids=ids, labels=labels, num_items_in_batch=counted).loss
        loss.backward()
        total += loss.item()
    return total, sum(len(asked) + len(told) for asked, told in ranked)


def fit(
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    batches: Iterator[list[tuple[str, str]]],
    how: Supervised,
    *,
    report: Callable[[Progress], Any] | None = None,
    every: int = 100,
    watch: Callable[[int, Qwen2ForCausalLM], Any] | None = None,
) -> list[Progress]:
    """Train a model on batches of texts.

    Parameters
    ----------
    model, tokenizer
        What is trained; changed in place and left in evaluation mode.
    batches : iterator of list of (str, str)
        Prompts and completions.
    how : Supervised
        Steps and rates.
    report : callable, optional
        Told the `Progress` every so many steps.
    every : int
        Steps between two reports.
    watch : callable, optional
        Called with the number of steps done and the model, before the first step and
        wherever there is a report.

    Returns
    -------
    list of Progress
        All reports.
    """
    import torch

    optimiser, schedule = optimisation(model.parameters(), how)
    track = Tracker(how.steps, every, report, watch, model)
    for _ in range(how.steps):
        model.train()
        optimiser.zero_grad()
        loss, read = add_gradients(model, next(batches), tokenizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        track.step(tokens=read, loss=loss)
    model.eval()
    return track.log


def optimisation(parameters: Iterable[Any], how: Supervised) -> tuple[Any, Any]:
    """Make the optimiser (AdamW) of some parameters and the schedule of its learning rate."""
    import torch

    optimiser = torch.optim.AdamW(parameters, lr=how.rate, weight_decay=how.decay, betas=BETAS)
    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: share_of_rate(step, how))


def share_of_rate(step: int, how: Supervised) -> float:
    """Share of the highest learning rate at a step: a linear rise, then a cosine down to zero."""
    if step < how.warmup:
        return (step + 1) / how.warmup
    through = (step - how.warmup) / max(how.steps - how.warmup, 1)
    return 0.5 * (1 + math.cos(math.pi * min(through, 1)))
