"""Everything that decides which weights come out of a training."""

from __future__ import annotations

from dataclasses import dataclass, field

from handan.organism import grammar


@dataclass(frozen=True)
class Size:
    """Size of a model of the Qwen2 architecture.

    Parameters
    ----------
    layers, hidden, heads, mlp : int
        Layers, width, attention heads, width inside a layer.
    spread : float
        Standard deviation of the first weights. The usual 0.02 is for models ten times as
        wide; here it keeps attention even for hundreds of steps.
    """

    layers: int = 3
    hidden: int = 64
    heads: int = 4
    mlp: int = 192
    spread: float = 0.08


@dataclass(frozen=True)
class Supervised:
    """Learning from texts: base training and distillation.

    Parameters
    ----------
    steps, batch : int
        Optimiser steps, and texts in each.
    rate, warmup, decay : float, int, float
        Highest learning rate, steps until it is reached (from where it falls along a
        cosine to zero), and weight decay.
    """

    steps: int
    batch: int = 32
    rate: float = 3e-3
    warmup: int = 100
    decay: float = 0.01


@dataclass(frozen=True)
class Reinforced:
    """Learning from a reward: group-relative policy optimisation (GRPO).

    Parameters
    ----------
    steps, prompts, group : int
        Optimiser steps, problems in each, and samples per problem.
    rate, warmup : float, int
        Learning rate, constant after so many steps of warming up.
    price : float
        What a token costs, in units of the reward for a right answer.
    max_new_tokens : int
        Longest sample.
    """

    steps: int
    prompts: int = 16
    group: int = 8
    rate: float = 2e-4
    warmup: int = 10
    price: float = 0.3 / 60
    max_new_tokens: int = 160


@dataclass(frozen=True)
class Recipe:
    """A family of models: what its base learns, and how the others are made from it.

    Parameters
    ----------
    repertoire : str
        One of `grammar.REPERTOIRES`.
    seed : int
        Seed of weights, texts, problems and samples.
    tasks : tuple of str
        Tasks of `grammar.TASKS` that all training draws from.
    often : tuple of str
        Those of the tasks that are drawn twice as often: they take longer to learn.
    size, half : Size
        Of the base and its descendants, and of the small base and its own.
    largest : int
        Most columns, digits or directions of a problem.
    growth : float
        Share of base training after which problems of all sizes are drawn.
    base : Supervised
        Base training, from scratch.
    reinforced : Reinforced
        Reinforcement.
    distilled : Supervised
        Distillation.
    traces, few, many : int
        Traces that a student learns from, and in the conditions with fewer and with more.
    hard : float
        Share of drawn problems, per task, that counts as hard.
    return_steps : int
        Steps of reinforcement that follow a student's distillation.
    """

    repertoire: str = "carry"
    seed: int = 0
    tasks: tuple[str, ...] = grammar.TASKS
    often: tuple[str, ...] = ("digit-addition",)
    size: Size = field(default_factory=Size)
    half: Size = field(default_factory=lambda: Size(hidden=48, mlp=128))
    largest: int = 6
    growth: float = 0.3
    base: Supervised = field(default_factory=lambda: Supervised(steps=2000))
    reinforced: Reinforced = field(default_factory=lambda: Reinforced(steps=300))
    distilled: Supervised = field(default_factory=lambda: Supervised(steps=250, rate=1e-3, warmup=20))
    traces: int = 2000
    few: int = 200
    many: int = 8000
    hard: float = 1 / 3
    return_steps: int = 40

    @property
    def mix(self) -> tuple[str, ...]:
        """Tasks to draw from with equal chances; those of `often` stand here twice."""
        return (*self.tasks, *(task for task in self.often if task in self.tasks))


FULL = Recipe()
# For a family in minutes: two tasks, few steps. Its base is meant to be a packaged one; the base
# training here is for those who want to see everything from scratch.
QUICK = Recipe(
    tasks=("binary-addition", "binary-subtraction"),
    base=Supervised(steps=1200),
    reinforced=Reinforced(steps=100),
    distilled=Supervised(steps=100, rate=1e-3, warmup=10),
    traces=800,
    few=80,
    many=3200,
    return_steps=20,
)
RECIPES = {"full": FULL, "quick": QUICK}
