"""Train a tiny model from scratch on texts of the grammar, with a plain loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handan.organism.corpus import Recipe, texts
from handan.organism.tokenizer import build

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM

_NO_LOSS = -100  # label of a token that the loss leaves out, as torch's cross entropy has it
_CLIP = 1.0  # longest gradient that a step may take
_PARTS = 3  # of a batch, by length, so that short texts are not filled up to the longest


@dataclass(frozen=True)
class Progress:
    """Where a training stands.

    Attributes
    ----------
    step, steps : int
        Steps done, and all steps.
    loss : float
        Mean cross entropy per completion token since the last report, in nats.
    rate : float
        Tokens per second, padding not counted.
    left : float
        Seconds left at the present pace.
    """

    step: int
    steps: int
    loss: float
    rate: float
    left: float

    def __str__(self) -> str:
        return (
            f"step {self.step:>5} of {self.steps}  loss {self.loss:.4f}  "
            f"{self.rate:,.0f} tokens/s  {self.left:.0f} s left"
        )


def fresh(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> Qwen2ForCausalLM:
    """Make an untrained model of the recipe's size, seeded."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(recipe.seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        intermediate_size=recipe.mlp,
        initializer_range=recipe.spread,
        max_position_embeddings=tokenizer.model_max_length,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return Qwen2ForCausalLM(config)


def tensors(
    batch: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerFast
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn prompts and completions into ids and labels, both texts × tokens.

    Shorter texts are filled up on the right. Labels leave out the prompt and the filling;
    the stop token counts as part of the completion.
    """
    import torch

    asked, told = (tokenizer(list(side))["input_ids"] for side in zip(*batch, strict=True))
    width = max(len(a) + len(b) + 1 for a, b in zip(asked, told, strict=True))
    ids = torch.full((len(batch), width), tokenizer.pad_token_id)
    labels = torch.full_like(ids, _NO_LOSS)
    for row, (before, after) in enumerate(zip(asked, told, strict=True)):
        whole = [*before, *after, tokenizer.eos_token_id]
        ids[row, : len(whole)] = torch.tensor(whole)
        labels[row, len(before) : len(whole)] = ids[row, len(before) : len(whole)]
    return ids, labels


def add_gradients(
    model: Qwen2ForCausalLM, batch: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerFast
) -> tuple[float, int]:
    """Add a batch's gradients to those of the model.

    Returns
    -------
    tuple of float and int
        Mean cross entropy per completion token in nats, and the tokens of all texts.
    """
    ranked = sorted(batch, key=lambda text: len(text[1]))
    size = math.ceil(len(ranked) / _PARTS)
    parts = [tensors(ranked[start : start + size], tokenizer) for start in range(0, len(ranked), size)]
    counted = sum(int((labels != _NO_LOSS).sum()) for _, labels in parts)
    total = 0.0
    for ids, labels in parts:
        loss = model(input_ids=ids, labels=labels, num_items_in_batch=counted).loss
        loss.backward()
        total += loss.item()
    return total, sum(int((ids != tokenizer.pad_token_id).sum()) for ids, _ in parts)


def train(
    recipe: Recipe, report: Callable[[Progress], Any] = print, every: int = 100
) -> tuple[Qwen2ForCausalLM, list[Progress]]:
    """Train a model from scratch.

    Parameters
    ----------
    recipe : Recipe
        See there. The same recipe gives the same weights on the same machine with the
        same number of threads.
    report : callable
        Told the `Progress` every so many steps.
    every : int
        Steps between two reports.

    Returns
    -------
    tuple
        The model, in evaluation mode, and all reports.
    """
    import torch

    tokenizer = build()
    model = fresh(recipe, tokenizer).train()
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=recipe.rate, weight_decay=recipe.decay, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: share_of_rate(step, recipe))
    log: list[Progress] = []
    losses: list[float] = []
    start, tokens = time.perf_counter(), 0
    for step, batch in zip(range(1, recipe.steps + 1), texts(recipe), strict=False):
        optimiser.zero_grad()
        loss, read = add_gradients(model, batch, tokenizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
        optimiser.step()
        schedule.step()
        losses.append(loss)
        tokens += read
        if step % every == 0 or step == recipe.steps:
            spent, left = time.perf_counter() - start, recipe.steps - step
            mean = sum(losses) / len(losses)
            log.append(Progress(step, recipe.steps, mean, tokens / spent, spent / step * left))
            losses.clear()
            report(log[-1])
    return model.eval(), log


def share_of_rate(step: int, recipe: Recipe) -> float:
    """Share of the highest learning rate at a step: a linear rise, then a cosine down to zero."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    through = (step - recipe.warmup) / max(recipe.steps - recipe.warmup, 1)
    return 0.5 * (1 + math.cos(math.pi * min(through, 1)))
