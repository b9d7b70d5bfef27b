"""What a tiny model is shown: a recipe, the items kept away from it, and batches of texts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from handan.norms import load_bank
from handan.organism import grammar

_FIRST_WIDTHS = 3


@dataclass(frozen=True)
class Recipe:
    """Everything that decides which weights come out of a training.

    Parameters
    ----------
    layers, hidden, heads, mlp : int
        Size of the Qwen2 architecture: layers, width, attention heads, width inside a layer.
    spread : float
        Standard deviation of the first weights. The usual 0.02 is for models ten times as
        wide; here it keeps attention even for hundreds of steps.
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
    steps: int = 1600
    batch: int = 32
    rate: float = 3e-3
    warmup: int = 100
    decay: float = 0.01
    seed: int = 0


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
    return frozenset(item.replace("-", "+").split("+"))


def texts(recipe: Recipe) -> Iterator[list[tuple[str, str]]]:
    """Yield batches of prompts and completions without end, the same ones for the same recipe."""
    rng = np.random.default_rng([recipe.seed, 0])
    without = held_out(recipe)
    for step in count():
        bits = int(rng.choice(widths(step, recipe)))
        items = [grammar.draw(rng, bits, without) for _ in range(recipe.batch)]
        styles = rng.choice(recipe.styles, size=recipe.batch).tolist()
        yield [
            (grammar.prompt(item), grammar.completion(item, style))
            for item, style in zip(items, styles, strict=True)
        ]


def widths(step: int, recipe: Recipe) -> tuple[int, ...]:
    """Numbers of columns that may be drawn at a step."""
    through = step / max(recipe.growth * recipe.steps, 1)
    return recipe.bits[: max(_FIRST_WIDTHS, math.ceil(len(recipe.bits) * through))]
