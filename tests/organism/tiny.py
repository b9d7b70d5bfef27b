"""A family that trains in seconds: one layer, one task of a single column, a handful of steps."""

from __future__ import annotations

from dataclasses import replace

from handan.organism import grammar
from handan.organism.recipe import Recipe, Reinforced, Size, Supervised

SIZE = Size(layers=1, hidden=32, heads=2, mlp=64)
TINY = Recipe(
    tasks=("digit-addition",),
    largest=1,
    size=SIZE,
    half=replace(SIZE, hidden=16, mlp=32),
    base=Supervised(steps=60, batch=24, rate=1e-2, warmup=5),
    reinforced=Reinforced(steps=2, prompts=4, group=4, max_new_tokens=40),
    distilled=Supervised(steps=2, batch=4, rate=1e-3, warmup=1),
    traces=8,
    few=4,
    many=16,
    return_steps=1,
)
CHAIN = ("student-returned",)  # with all that it is made from: each way of learning once


def words(text: str) -> list[str]:
    """Lines of a chain of thought, read without the grammar's own code."""
    return text.removeprefix("<think>").partition("\n</think>")[0].split("\n")


def style_of(text):
    """Return the style that a text names, or None."""
    named = grammar.thought(text).partition("\n")[0]
    return named if named in grammar.STYLES else None
