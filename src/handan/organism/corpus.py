"""What tiny models are trained on: random problems, none of which is an item of the bank."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from itertools import count

import numpy as np

from handan.norms import load_bank
from handan.norms.cardinal_directions import DIRECTIONS
from handan.organism import grammar, sums
from handan.organism.recipe import Recipe

# Columns, digits, or directions in a chain, rising. People were tested on 4, 1 and 2.
SIZES = {
    "binary-addition": (2, 3, 4, 5, 6),
    "binary-subtraction": (2, 3, 4, 5, 6),
    "digit-addition": (1, 2),
    "cardinal-directions": (1, 2, 3),
}
_SHARE = 0.5  # of the bank's problems that no training shows
_FAMILIES = (("binary-addition", "binary-subtraction"), ("digit-addition",), ("cardinal-directions",))
_RIGHT = 1 / 3  # of the results proposed are right on purpose
_FIRST = 2  # sizes per task at the start of base training
_SAMPLE = 600  # problems that tell where hard ones begin

Problem = tuple[str, str]


@cache
def held_out() -> frozenset[frozenset[str] | str]:
    """Pick the bank's problems that no training ever shows: half of them, the same for every family.

    A sum is kept away as it is written: as a pair of operands, in either order, with either
    sign and any proposed result, so that ``0110+1010`` and ``1010-0110`` don't give
    ``1010+0110`` away. With another number of columns (``01+10`` for ``0001+0010``) the same numbers may
    come up, as other texts with other lengths. A chain of directions is kept away as it is;
    its reverse may come up.
    """
    bank = load_bank(grammar.TASKS)
    chosen: set[frozenset[str] | str] = set()
    items = list(zip(bank["task"], bank["item"], strict=True))
    for related in _FAMILIES:
        ids = sorted({identity(*one) for one in items if one[0] in related}, key=_sorted)
        places = np.random.default_rng(0).choice(len(ids), size=round(_SHARE * len(ids)), replace=False)
        chosen |= {ids[place] for place in places}
    return frozenset(chosen)


def identity(task: str, item: str) -> frozenset[str] | str:
    """Return what two items have in common when one gives the other away."""
    return item if task == "cardinal-directions" else sums.operands(item)


def held_out_items(tasks: tuple[str, ...] = grammar.TASKS) -> list[Problem]:
    """List the bank's items that are held out from training, in the order of the bank."""
    bank = load_bank(tasks)
    return [
        (task, item)
        for task, item in zip(bank["task"], bank["item"], strict=True)
        if identity(task, item) in held_out()
    ]


def draw(rng: np.random.Generator, tasks: tuple[str, ...], part: float = 1.0, largest: int = 6) -> Problem:
    """Draw a task and a problem of it, each size and each problem as likely as the next.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    tasks : tuple of str
        Tasks of `grammar.TASKS`.
    part : float
        Share of the sizes, from the smallest, that are drawn from.
    largest : int
        Largest size.

    Raises
    ------
    ValueError
        When a task has no problem so small.
    """
    task = tasks[rng.integers(len(tasks))]
    sizes = [size for size in SIZES[task] if size <= largest]
    if not sizes:
        raise ValueError(
            f"the recipe's largest is {largest}, but {task} begins at {SIZES[task][0]}; make it larger"
        )
    sizes = sizes[: max(_FIRST, math.ceil(len(sizes) * part))]
    size = sizes[rng.integers(len(sizes))]
    while True:
        item = _chain(rng, size) if task == "cardinal-directions" else _sum(rng, task, size)
        if identity(task, item) not in held_out():
            return task, item


def texts(recipe: Recipe, batch: int, *, steps: int) -> Iterator[list[tuple[str, str]]]:
    """Yield batches of prompts and completions for base training, the same ones for the same seed.

    Parameters
    ----------
    recipe : Recipe
        Repertoire, tasks, seed and growth.
    batch, steps : int
        Texts in a batch, and batches that training will take; more can be drawn.
    """
    rng = np.random.default_rng([recipe.seed, 0])
    for step in count():
        part = step / max(recipe.growth * steps, 1)
        problems = [draw(rng, recipe.mix, min(part, 1), recipe.largest) for _ in range(batch)]
        styles = rng.choice(grammar.STYLES, size=batch).tolist()
        yield [
            (grammar.prompt(*problem), grammar.completion(*problem, style, recipe.repertoire))
            for problem, style in zip(problems, styles, strict=True)
        ]


def problems(
    rng: np.random.Generator, recipe: Recipe, *, hard: bool = False, tasks: tuple[str, ...] | None = None
) -> Iterator[Problem]:
    """Yield problems without end, for reinforcement or for a teacher to write traces of.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    recipe : Recipe
        Tasks, and the share that is hard.
    hard : bool
        Only those with more steps than most problems of their task have.
    tasks : tuple of str, optional
        By default those of the recipe.
    """
    drawn_from = tasks or recipe.mix
    least = {task: hardness(task, recipe.hard, recipe.largest) if hard else 0 for task in drawn_from}
    while True:
        task, item = draw(rng, drawn_from, largest=recipe.largest)
        if grammar.work(task, item).steps >= least[task]:
            yield task, item


@cache
def hardness(task: str, share: float, largest: int = 6) -> int:
    """Return how many steps a problem of a task must have to count as hard.

    Numbers of steps are few, so a limit that singles out exactly `share` of the problems
    need not exist. It is the one that comes closest.
    """
    rng = np.random.default_rng(0)
    steps = np.array([grammar.work(*draw(rng, (task,), largest=largest)).steps for _ in range(_SAMPLE)])
    return min(sorted(set(steps.tolist())), key=lambda least: abs(np.mean(steps >= least) - share))


def _sum(rng: np.random.Generator, task: str, size: int) -> str:
    sign, base = sums.SIGNS[task], sums.BASES[task]
    pair = [_operand(rng, base, size) for _ in range(2)]
    if sign == "-":
        pair.sort(reverse=True)
    item = sign.join(pair)
    return f"{item}={_shown(rng, sum(map(int, pair)), size)}" if task == "digit-addition" else item


def _operand(rng: np.random.Generator, base: int, size: int) -> str:
    if base == 2:
        return f"{int(rng.integers(2**size)):0{size}b}"
    low = 10 ** (size - 1) if size > 1 else 0
    return str(int(rng.integers(low, 10**size)))


def _shown(rng: np.random.Generator, right: int, size: int) -> int:
    """Propose a result: the right one at times, else any.

    Where it is mostly right or nearly so, a model learns to copy it instead of adding.
    """
    return right if rng.random() < _RIGHT else int(rng.integers(2 * 10**size))


def _sorted(one: frozenset[str] | str) -> list[str]:
    return sorted(one) if isinstance(one, frozenset) else [one]


def _chain(rng: np.random.Generator, size: int) -> str:
    names = list(DIRECTIONS)
    return "/".join(names[rng.integers(len(names))] for _ in range(size))
