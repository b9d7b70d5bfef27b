"""What TRL costs on a tiny model, against the plain loop that does the same.

Run from the project's root:

    python benchmarks/training.py [--steps 30] [--reinforced-steps 6] [--rounds 5] [--cpu-time]

Both start from the same weights, a base that was trained for a while, so that replies have
the lengths that they have in earnest. They take turns, and medians of the ratios within
rounds are reported. Setting up (for TRL: a data set, a trainer) is timed apart from the
steps. Replies of the two differ, as each draws its own, so reinforcement is counted in
seconds per token that was written, and split into writing replies and learning from them.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handan.organism import corpus, network, reinforced, supervised, trl
from handan.organism.recipe import Recipe
from handan.organism.tokenizer import build

LOOPS = {"plain": (supervised.fit, reinforced.fit), "trl": (trl.fit_supervised, trl.fit_reinforced)}


@dataclass
class Time:
    """Seconds of one training: setting up, all steps, writing replies; and tokens written."""

    setting_up: float = 0.0
    steps: float = 0.0
    writing: float = 0.0
    tokens: float = 1.0

    @property
    def learning(self) -> float:
        return self.steps - self.writing

    def per_token(self, name: str) -> float:
        return getattr(self, name) / self.tokens


def timed(fit: Callable[[Callable[[int, Any], None]], Any], clock: Callable[[], float]) -> tuple[Time, Any]:
    """Time a training by its calls of `watch`: before the first step and after the last."""
    marks = [clock()]
    log = fit(lambda step, model: marks.append(clock()))
    return Time(marks[1] - marks[0], marks[-1] - marks[1]), log


@contextmanager
def counting(owner: Any, name: str, clock: Callable[[], float]) -> Iterator[list[float]]:
    """Collect the seconds spent in a function while the block runs."""
    inner, spent = getattr(owner, name), []

    def outer(*args: Any, **options: Any) -> Any:
        start = clock()
        try:
            return inner(*args, **options)
        finally:
            spent.append(clock() - start)

    setattr(owner, name, outer)
    try:
        yield spent
    finally:
        setattr(owner, name, inner)


def base_of(recipe: Recipe, tokenizer: Any, steps: int) -> Any:
    model = network.fresh(recipe.size, tokenizer, recipe.seed)
    how = replace(recipe.base, steps=steps)
    supervised.fit(model, tokenizer, corpus.texts(recipe, how.batch, steps=how.steps), how)
    return model


def learn_texts(name: str, base: Any, tokenizer: Any, recipe: Recipe, steps: int, clock: Any) -> Time:
    model, how = copy.deepcopy(base), replace(recipe.base, steps=steps)
    texts = corpus.texts(recipe, how.batch, steps=how.steps)
    fit = LOOPS[name][0]
    return timed(lambda watch: fit(model, tokenizer, texts, how, every=steps, watch=watch), clock)[0]


def learn_from_reward(name: str, base: Any, tokenizer: Any, recipe: Recipe, steps: int, clock: Any) -> Time:
    model, how = copy.deepcopy(base), replace(recipe.reinforced, steps=steps)
    problems = corpus.problems(np.random.default_rng(0), recipe)
    fit = LOOPS[name][1]
    place = (reinforced, "sample") if name == "plain" else (model, "generate")
    with counting(*place, clock) as spent:
        told = {"label": "benchmark", "every": steps}
        found, log = timed(lambda watch: fit(model, tokenizer, problems, how, watch=watch, **told), clock)
    found.writing = sum(spent)
    found.tokens = log[-1].values["tokens_each"] * how.prompts * how.group * steps
    return found


def compare(what: str, rounds: list[dict[str, Time]], parts: dict[str, str]) -> None:
    """Print medians, and medians of the ratios within rounds."""
    for label, part in parts.items():
        each = [{name: one.per_token(part) for name, one in found.items()} for found in rounds]
        plain, other = (statistics.median(one[name] for one in each) for name in ("plain", "trl"))
        ratios = sorted(one["trl"] / one["plain"] for one in each)
        shown = f"{statistics.median(ratios):>8.2f}  {ratios[0]:.2f}–{ratios[-1]:.2f}"
        print(f"{what:<14}{label:<22}{plain * 1e3:>12.3f}{other * 1e3:>12.3f}{shown}")


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--reinforced-steps", type=int, default=6)
    parser.add_argument("--base-steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true", help="for a busy machine")
    options = parser.parse_args()
    torch.set_num_threads(1)
    clock = time.process_time if options.cpu_time else time.perf_counter
    recipe, tokenizer = Recipe(), build()
    base = base_of(recipe, tokenizer, options.base_steps)
    print(f"{base.num_parameters():,} parameters, one thread, {options.rounds} rounds; milliseconds")
    print(f"{'':<14}{'':<22}{'plain':>12}{'TRL':>12}{'ratio':>8}  range")

    shared = (base, tokenizer, recipe)
    texts: list[dict[str, Time]] = []
    rewards: list[dict[str, Time]] = []
    for _ in range(options.rounds):
        texts.append({name: learn_texts(name, *shared, options.steps, clock) for name in LOOPS})
        rewards.append(
            {name: learn_from_reward(name, *shared, options.reinforced_steps, clock) for name in LOOPS}
        )
    for one in texts:
        for found in one.values():
            found.tokens = options.steps
    compare("texts", texts, {"per step": "steps"})
    parts = {"per token": "steps", "  writing it": "writing", "  learning from it": "learning"}
    compare("reward", rewards, parts)
    for what, rounds in (("texts", texts), ("reward", rewards)):
        spent = statistics.median(one["trl"].setting_up for one in rounds)
        print(f"{what:<14}TRL sets up in {spent:.2f} s")


if __name__ == "__main__":
    main()
