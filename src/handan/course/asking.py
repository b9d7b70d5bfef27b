"""How a question of the bank is shown: Markdown, with the worked answer in a fold.

A fold is an HTML element, ``details``. It needs no script, and works in the book, in Jupyter and
on Colab.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import pandas as pd

from handan.book import show
from handan.course.questions import KINDS, Question, find


def table(questions: Sequence[Question]) -> pd.DataFrame:
    """List questions for a teacher.

    Returns
    -------
    DataFrame
        ``number, chapter, kind, level, minutes``, a row per question.
    """
    rows = [(one.number, one.chapter, KINDS[one.kind], one.level, one.minutes) for one in questions]
    return pd.DataFrame(rows, columns=["number", "chapter", "kind", "level", "minutes"])


def ask(number: str, /, **values: Any) -> None:
    """Show a question, with its worked answer folded away.

    Parameters
    ----------
    number : str
        Its number, ``"4.2"``.
    **values : object
        A value for each of its fields; text is shown as it is, whatever markup it holds.

    Raises
    ------
    LookupError
        When there is no such question.
    KeyError
        When a field has no value.
    ValueError
        When a value is not used.
    """
    show.say(markdown(find(number)), **values)


def markdown(question: Question) -> str:
    """Write a question as Markdown: heading, facts, text, options, and the answer in a fold.

    Blank lines stand around the Markdown inside of the fold: without them the book, Jupyter and
    Colab would show its marks.
    """
    letters = string.ascii_uppercase
    options = [f"- **{letter}.** {one.text}" for letter, one in zip(letters, question.options, strict=False)]
    parts = [
        f"### Question {question.number}",
        f"*{KINDS[question.kind]}, {question.level}, {question.minutes} minutes*",
        question.text.strip(),
        *(["\n".join(options)] if options else []),
        f"<details>\n<summary>Worked answer to question {question.number}</summary>",
        *_answer(question),
        "</details>",
    ]
    return "\n\n".join(parts)


def _answer(question: Question) -> list[str]:
    named = list(zip(string.ascii_uppercase, question.options, strict=False))
    right = [f"**{letter}** is right." for letter, one in named if not one.wrong]
    wrong = [f"- **{letter}**: {one.wrong}" for letter, one in named if one.wrong]
    return [" ".join([*right, question.answer.strip()]), *(["\n".join(wrong)] if wrong else [])]
