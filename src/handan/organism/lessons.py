"""What a student learns from: its teacher's traces, as far as they are right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from handan.organism import corpus, grammar
from handan.organism.conditions import Condition
from handan.organism.recipe import Recipe
from handan.organism.reinforced import Sample, sample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM

_CHUNK = 512
_MOST = 5  # times as many problems as traces are wanted: then the teacher is given up


class LessonError(RuntimeError):
    """A teacher's right traces are too few, or too much alike, for a lesson."""


@dataclass(frozen=True)
class Lesson:
    """Texts for a student.

    Attributes
    ----------
    texts : list of (str, str)
        Prompts and completions.
    asked : int
        Traces that the teacher wrote; those that are wrong or unfinished are not used.
    mean_tokens : float
        Mean length of the chains of thought and answers, in tokens.
    """

    texts: list[tuple[str, str]]
    asked: int
    mean_tokens: float

    def batches(self, rng: np.random.Generator, size: int) -> Iterator[list[tuple[str, str]]]:
        """Yield batches without end; every text once before any comes again.

        Raises
        ------
        LessonError
            When there is no text.
        """
        if not self.texts:
            raise LessonError("a student can't learn from no traces; ask for at least one in the recipe")
        waiting: list[int] = []
        while True:
            while len(waiting) < size:
                waiting += rng.permutation(len(self.texts)).tolist()
            yield [self.texts[place] for place in waiting[:size]]
            waiting = waiting[size:]


def collect(
    teacher: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    condition: Condition,
    recipe: Recipe,
) -> Lesson:
    """Let a teacher write traces for a condition, and keep the right ones (rejection sampling).

    Conditions that differ only in their number of traces, or in whether they are shuffled,
    begin with the same ones.

    Raises
    ------
    LessonError
        When the teacher is right too rarely to fill the lesson, or always in the same problem.
    """
    wanted = getattr(recipe, condition.traces)
    label = f"lesson/{recipe.seed}/{'hard' if condition.hard else 'all'}/{condition.tasks}"
    rng = np.random.default_rng([recipe.seed, 2, condition.hard])
    source = corpus.problems(rng, recipe, hard=condition.hard, tasks=condition.tasks)
    kept: list[Sample] = []
    asked = 0
    while len(kept) < wanted:
        if asked >= _MOST * wanted + _CHUNK:
            raise LessonError(
                f"{condition.name}: only {len(kept)} of {asked} traces of its teacher are right; "
                f"{wanted} are wanted. Reinforce the teacher for longer, or ask for fewer"
            )
        told = sample(
            teacher, tokenizer, list(islice(source, _CHUNK)),
            label=f"{label}/{asked}", max_new_tokens=recipe.reinforced.max_new_tokens,
        )  # fmt: skip
        asked += len(told)
        kept += [one for one in told if one.right and one.ended]
    kept = kept[:wanted]
    texts = shuffled(kept, recipe.seed) if condition.shuffled else [_text(one) for one in kept]
    return Lesson(texts, asked, float(np.mean([len(one.ids) for one in kept])))


def shuffled(kept: Sequence[Sample], seed: int) -> list[tuple[str, str]]:
    """Give every problem the chain of thought of another problem of its task, and its own right answer.

    Raises
    ------
    LessonError
        When one problem makes up more than half of its task's traces.
    """
    texts: list[tuple[str, str]] = []
    for task in sorted({one.problem[0] for one in kept}):
        by_problem: dict[str, list[Sample]] = {}
        for one in kept:
            if one.problem[0] == task:
                by_problem.setdefault(one.problem[1], []).append(one)
        texts += _lent(list(by_problem.values()), np.random.default_rng([seed, 3]))
    return texts


def _lent(groups: list[list[Sample]], rng: np.random.Generator) -> list[tuple[str, str]]:
    """Put groups of one problem each on a random circle, and go around it by the largest of them.

    So nobody gets a chain of their own problem, and every chain is used once.
    """
    circle = [one for place in rng.permutation(len(groups)) for one in groups[place]]
    far = max(map(len, groups))
    if 2 * far > len(circle):
        raise LessonError(
            f"{far} of {len(circle)} traces are of one problem of {circle[0].problem[0]}: "
            "too few others to lend it theirs. Ask for more traces in the recipe"
        )
    lenders = circle[far:] + circle[:far]
    return [
        (
            grammar.prompt(*one.problem),
            grammar.reply(grammar.thought(other.text), grammar.work(*one.problem).answers[0]),
        )
        for one, other in zip(circle, lenders, strict=True)
    ]


def _text(one: Sample) -> tuple[str, str]:
    return grammar.prompt(*one.problem), one.text
