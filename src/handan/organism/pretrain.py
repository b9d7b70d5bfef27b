"""Train a tiny model from scratch on texts of the grammar, with a plain loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from handan.norms import load_bank
from handan.organism import grammar
from handan.organism.tokenizer import build

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM

_NO_LOSS = -100  # label of a token that the loss leaves out, as torch's cross entropy has it
_FIRST_WIDTHS = 3
_CLIP = 1.0  # longest gradient that a step may take


@dataclass(frozen=True)
class Recipe:
    """Everything that decides which weights come out of a training.

    Parameters
    ----------
    layers, hidden, heads, mlp : int
        Size of the Qwen2 architecture: layers, width, attention heads, width inside a layer.
    bits : tuple of int
        Numbers of columns, rising; every batch holds sums of one of them, drawn at random
        from the first three at the start and from one more whenever an equal part of
        `growth` is over. Learning where a bit stands takes far longer with all at once.
    growth : float
        Share of the steps after which all numbers of columns are drawn.
    styles : tuple of str
        Ways of writing, drawn at random, see `grammar.STYLES`.
    held_out : float
        Share of the bank's pairs of operands that no training text may hold.
    steps, batch : int
        Optimiser steps, and texts in each.
    rate, warmup, decay : float, int, float
        Highest learning rate, steps until it is reached (from where it falls along a
        cosine to zero), and weight decay.
    seed : int
        Seed of weights, texts and held-out pairs.
    """

    layers: int = 4
    hidden: int = 80
    heads: int = 5
    mlp: int = 160
    spread: float = 0.08
    bits: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    growth: float = 0.4
    styles: tuple[str, ...] = tuple(grammar.STYLES)
    held_out: float = 0.5
    steps: int = 2000
    batch: int = 32
    rate: float = 3e-3
    warmup: int = 100
    decay: float = 0.01
    seed: int = 0


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


def held_out(recipe: Recipe) -> frozenset[frozenset[str]]:
    """Pick pairs of operands, among those of the bank's binary items, that training never shows.

    A pair is kept away in either order and with either sign, so that ``0110+1010`` and
    ``1010-0110`` do not give ``1010+0110`` away.
    """
    bank = load_bank(grammar.SIGNS)["item"]
    pairs = sorted({tuple(sorted(pair(item))) for item in bank})
    rng = np.random.default_rng([recipe.seed, 1])
    chosen = rng.choice(len(pairs), size=round(recipe.held_out * len(pairs)), replace=False)
    return frozenset(frozenset(pairs[place]) for place in chosen)


def pair(item: str) -> frozenset[str]:
    """Return the two operands of an item, one where both are the same."""
    return frozenset((item.replace("-", "+")).split("+"))


def texts(recipe: Recipe) -> Iterator[list[tuple[str, str]]]:
    """Yield batches of prompts and completions without end, the same ones for the same recipe."""
    rng = np.random.default_rng([recipe.seed, 0])
    without = held_out(recipe)
    for step in count():
        bits = int(rng.choice(widths(step, recipe)))
        items = [grammar.draw(rng, bits, without) for _ in range(recipe.batch)]
        styles = rng.choice(recipe.styles, size=recipe.batch)
        yield [
            (grammar.prompt(item), grammar.completion(item, str(style)))
            for item, style in zip(items, styles, strict=True)
        ]


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
        max_position_embeddings=tokenizer.model_max_length,
        tie_word_embeddings=True,
        initializer_range=recipe.spread,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        use_cache=True,
    )
    return Qwen2ForCausalLM(config)


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
    losses: list[float] = []
    log: list[Progress] = []
    start, tokens = time.perf_counter(), 0
    for step, batch in zip(range(1, recipe.steps + 1), texts(recipe), strict=False):
        ids, labels = tensors(batch, tokenizer)
        loss = model(input_ids=ids, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        tokens += int((ids != tokenizer.pad_token_id).sum())
        if step % every == 0 or step == recipe.steps:
            spent = time.perf_counter() - start
            since = losses[len(losses) - (step - (log[-1].step if log else 0)) :]
            log.append(
                Progress(
                    step,
                    recipe.steps,
                    float(np.mean(since)),
                    tokens / spent,
                    spent / step * (recipe.steps - step),
                )
            )
            report(log[-1])
    return model.eval(), log


def widths(step: int, recipe: Recipe) -> tuple[int, ...]:
    """Numbers of columns that may be drawn at a step."""
    through = step / max(recipe.growth * recipe.steps, 1)
    return recipe.bits[: max(_FIRST_WIDTHS, math.ceil(len(recipe.bits) * through))]


def share_of_rate(step: int, recipe: Recipe) -> float:
    """Share of the highest learning rate at a step: a linear rise, then a cosine down to zero."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    through = (step - recipe.warmup) / max(recipe.steps - recipe.warmup, 1)
    return 0.5 * (1 + math.cos(math.pi * min(through, 1)))
