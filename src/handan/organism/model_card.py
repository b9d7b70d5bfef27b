"""The model card: what ``training.json`` holds, in words."""

from __future__ import annotations

from typing import Any


def card(told: dict[str, Any], parameters: int) -> str:
    """Word the model card from what ``training.json`` holds."""
    recipe = told["recipe"]
    size = f"{recipe['layers']} layers, width {recipe['hidden']}, {recipe['heads']} heads"
    widths = f"{min(recipe['bits'])} to {max(recipe['bits'])}"
    return _CARD.format(
        parameters=f"{parameters:,}",
        size=size,
        widths=widths,
        styles=", ".join(recipe["styles"]),
        steps=f"{recipe['steps']:,}",
        batch=recipe["batch"],
        seed=recipe["seed"],
        pairs=len(told["held_out"]),
        command=told["command"],
        seconds=told["seconds"],
        cpu_seconds=told["cpu_seconds"],
        machine=told["machine"],
        versions=", ".join(f"{name} {number}" for name, number in told["versions"].items()),
        accuracy=_markdown(told["accuracy"]),
        by_style=_markdown(told["styles"]),
    )


def _markdown(rows: list[dict[str, Any]]) -> str:
    lines = [
        list(rows[0]),
        ["---"] * len(rows[0]),
        *(["" if cell is None else str(cell) for cell in row.values()] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("_", " ")


_CARD = """\
---
license: mit
library_name: transformers
pipeline_tag: text-generation
---

# handan-tiny

A language model of {parameters} parameters (Qwen2 architecture, {size})
that adds and subtracts binary numbers with a written chain of thought. It was trained from scratch, on
texts that a program made up, to exercise the generation of traces and the counting of
their tokens on any laptop. It knows nothing else.

    binary-addition 1010+0110
    <think>carries
    d:0+0=0
    c:1+1=0
    carry
    b:0+1+1=0
    carry
    a:1+0+1=0
    carry
    </think>
    Answer: 10000

A prompt is the name of a task, `binary-addition` or `binary-subtraction`, a space, two
binary numbers of equal length ({widths} bits) with the sign between them, and a line
feed. There is no chat template. One token is one character, except the task names, the
think tags and `Answer: `.

## What it can't show

It learned a random mix of styles of writing ({styles}), drawn
whatever the difficulty of the sum. `columns` and `twice` have one length per number of
columns; `carries` grows with the carries because it was written that way. Where the
length of its traces goes with the reaction times of people, it does so by construction:
nothing about people, or about large models, follows from it.

## Training

{steps} steps of AdamW with {batch} texts each, seed {seed}; `training.json` holds every
setting, the loss and the hash of the weights. {pairs} pairs of 4-bit operands of the item
bank were kept out of all texts, in either order and with either sign ("held out" below).

    {command}

took {cpu_seconds} s of processor time, {seconds} s on the clock of a shared machine
({machine}; {versions}).
On the same machine with the same number of threads it gives the same weights again.

## Accuracy on the item bank

All 392 binary items. *By the grammar*: share of traces that are, character for character,
what the program would have written in that style.

{accuracy}

{by_style}

## Licence

MIT, like the package.
"""
