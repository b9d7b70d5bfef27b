"""The question bank: questions with worked answers, whose numbers are computed where they are shown.

The texts stand in ``data/questions.toml``. They are Markdown and may have fields such as
``{r:.2f}``: the page that asks a question computes them (`handan.course.asking`). So no result
of a calculation is typed, and a question can be asked again with other numbers.
"""

from __future__ import annotations

import string
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import numpy as np

from handan.tables import packaged

KINDS = {
    "short": "short answer",
    "choice": "multiple choice",
    "mistake": "find the mistake",
    "calculation": "calculation",
    "reading": "read a figure or table",
    "discussion": "discussion",
}
LEVELS = ("recall", "apply", "analyse")
_FEWEST_OPTIONS = 3


class QuestionError(ValueError):
    """Questions that don't hold together; the message names each of them."""


@dataclass(frozen=True)
class Option:
    """One option of a multiple choice.

    Attributes
    ----------
    text : str
        The option, Markdown.
    wrong : str
        Why it is wrong; empty for the right one.
    """

    text: str
    wrong: str = ""


@dataclass(frozen=True)
class Question:
    """A question, as its file has it.

    Attributes
    ----------
    number : str
        Chapter and place, ``"4.2"``.
    kind, level : str
        One of `KINDS` and of `LEVELS`.
    minutes : int
        For a student who has read the chapter.
    text, answer : str
        Markdown with fields. An open question's answer says what a good one contains.
    options : tuple of Option
        Of a multiple choice.
    """

    number: str
    kind: str
    level: str
    minutes: int
    text: str
    answer: str
    options: tuple[Option, ...] = ()

    @property
    def chapter(self) -> int:
        """Number of the chapter."""
        return int(self.number.partition(".")[0])

    @property
    def fields(self) -> set[str]:
        """Names of the values that must be computed before the question can be asked."""
        texts = [self.text, self.answer, *(part for one in self.options for part in (one.text, one.wrong))]
        parsed = string.Formatter().parse("\n".join(texts))
        return {name for _, name, _, _ in parsed if name}


@cache
def load_questions() -> tuple[Question, ...]:
    """Load the bank, in the order of chapters.

    Raises
    ------
    QuestionError
        When questions don't hold together.
    """
    text = packaged("questions.toml").read_text(encoding="utf-8")
    return read_questions(tomllib.loads(text))


def read_questions(bank: Mapping[str, Any]) -> tuple[Question, ...]:
    """Make questions of a parsed file, and check them.

    Parameters
    ----------
    bank : mapping
        ``question``: a list of mappings with the fields of `Question`.

    Raises
    ------
    QuestionError
        Naming every question with an unknown kind or level, without a text or an answer, with
        a number out of order, or with options of which not exactly one is right.
    """
    questions = tuple(_question(entry) for entry in bank.get("question", []))
    problems = [problem for one in questions for problem in _problems(one)] + _out_of_order(questions)
    if problems:
        raise QuestionError("\n".join(problems))
    return questions


def draw(questions: Sequence[Question], minutes: int, seed: int = 0) -> tuple[Question, ...]:
    """Draw an exam, with chapters and levels as evenly mixed as the time allows.

    Parameters
    ----------
    questions : sequence of Question
        To draw from.
    minutes : int
        The exam takes no longer, and no other question would fit in.
    seed : int
        Same seed, same exam.

    Returns
    -------
    tuple of Question
        In the order of `questions`.

    Raises
    ------
    ValueError
        When not even the shortest question fits.
    """
    order = np.random.default_rng(seed).permutation(len(questions))
    left = [questions[k] for k in order]
    drawn: list[Question] = []
    rest = minutes
    while fitting := [one for one in left if one.minutes <= rest]:
        chapters, levels = (Counter(getattr(one, name) for one in drawn) for name in ("chapter", "level"))
        best = min(fitting, key=lambda one: (chapters[one.chapter], levels[one.level]))
        left.remove(best)
        drawn.append(best)
        rest -= best.minutes
    if not drawn:
        raise ValueError(f"no question takes {minutes} minutes or less; allow more time")
    return tuple(one for one in questions if one in drawn)


def find(number: str, questions: Sequence[Question] | None = None) -> Question:
    """Find a question by its number.

    Raises
    ------
    LookupError
        When there is none.
    """
    known = {one.number: one for one in (load_questions() if questions is None else questions)}
    if number not in known:
        close = get_close_matches(number, known, 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise LookupError(f"there is no question {number!r}.{hint}")
    return known[number]


def _question(entry: Mapping[str, Any]) -> Question:
    try:
        options = tuple(Option(**one) for one in entry.get("options", []))
        return Question(**{**entry, "options": options})
    except TypeError as error:
        raise QuestionError(f"question {entry.get('number', '?')}: {error}") from error


def _problems(question: Question) -> list[str]:
    right = sum(not one.wrong for one in question.options)
    is_choice = question.kind == "choice"
    checks = {
        f"its kind {question.kind!r} is none of {', '.join(KINDS)}": question.kind not in KINDS,
        f"its level {question.level!r} is none of {', '.join(LEVELS)}": question.level not in LEVELS,
        "it needs minutes, from 1": question.minutes < 1,
        "it has no text or no answer": not (question.text.strip() and question.answer.strip()),
        f"a choice needs {_FEWEST_OPTIONS} options": is_choice and len(question.options) < _FEWEST_OPTIONS,
        f"of its options {right} are right, not one": is_choice and right != 1,
        "only a choice has options": bool(question.options) and not is_choice,
    }
    return [f"question {question.number}: {problem}" for problem, found in checks.items() if found]


def _out_of_order(questions: Sequence[Question]) -> list[str]:
    places: Counter[str] = Counter()
    problems = []
    for one in questions:
        chapter = one.number.partition(".")[0]
        places[chapter] += 1
        if one.number != f"{chapter}.{places[chapter]}":
            problems.append(f"question {one.number}: {chapter}.{places[chapter]} should come here")
    return problems
