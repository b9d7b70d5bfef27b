"""Answers to exercises: checked without being told.

The book computes each right answer, and the mistakes that are likely, and keeps only salted
hashes of them (``data/answers.json``). So a check can say *right*, or what went wrong,
and nobody reads the answer off the file. The hashes keep honest people honest; they are no
lock, since a computer can try all numbers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from handan.course.kinds import hashes, is_missing, kind_of, misfit

MIME = "application/vnd.handan.key+json"
# nbgrader sets the first while it grades; the second is ours, for tests and for other graders.
_STRICT = ("NBGRADER_EXECUTION", "HANDAN_STRICT")


class Reply(NamedTuple):
    """What a check says: whether the answer is right (None: there is none yet), and a sentence."""

    right: bool | None
    text: str


def check(exercise: str, answer: Any) -> None:
    """Say whether an answer is right, and give a hint when it isn't.

    Parameters
    ----------
    exercise : str
        Its number, ``"4.1"``.
    answer : number, str, bool, list of str, or ...
        ``...`` means that there is no answer yet.

    Raises
    ------
    AssertionError
        While a notebook is graded (by nbgrader, or with ``HANDAN_STRICT=1``): when the
        answer isn't right. Elsewhere nothing is raised, so that a notebook runs to its end.
    LookupError
        When there is no such exercise.
    """
    reply = judge(exercise, answer)
    if reply.right is not True and any(os.environ.get(name) for name in _STRICT):
        raise AssertionError(reply.text)
    print(reply.text)


def judge(exercise: str, answer: Any, records: Mapping[str, Any] | None = None) -> Reply:
    """Compare an answer with the hashes of the right one and of likely mistakes.

    Parameters
    ----------
    exercise, answer
        As for `check`.
    records : dict, optional
        Record by exercise; by default the packaged ones.

    Raises
    ------
    LookupError
        When there is no such exercise.
    """
    known = _packaged() if records is None else records
    if exercise not in known:
        close = get_close_matches(str(exercise), known, 1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise LookupError(f"there is no exercise {exercise!r}.{hint} There are: {', '.join(known)}")
    record = known[exercise]
    if is_missing(answer):
        return Reply(None, f"{exercise}: no answer yet. Put yours in place of the dots.")
    kind = record["kind"]
    if problem := misfit(kind, answer):
        return Reply(False, f"{exercise}: {problem}")
    if record["right"] in hashes(exercise, kind, record.get("digits", 0), answer):
        return Reply(True, f"{exercise}: right.")
    # A mistake is recognised exactly, to the same digits: a near miss of it is another mistake.
    own = hashes(exercise, kind, record.get("digits", 0), answer, slack=0)
    for wrong in record["wrong"]:
        if wrong["hash"] in own:
            return Reply(False, f"{exercise}: not yet. {wrong['hint']}")
    return Reply(False, f"{exercise}: not yet. {record['hint']}")


def key(
    exercise: str,
    right: Any,
    *,
    hint: str,
    wrong: Mapping[str, Any] | None = None,
    digits: int = 2,
    points: int = 1,
) -> None:
    """Record a right answer; only the book's sources call this, and no copy for readers holds it.

    Parameters
    ----------
    exercise : str
        Chapter and number, ``"4.1"``.
    right : number, str, bool or list of str
        The answer, as the solution above computed it. A number with a fraction is right to
        within one unit of the last of its `digits`; text is compared without regard to case.
    hint : str
        Said to any wrong answer that isn't recognised. Must not give the answer away.
    wrong : dict of str to object, optional
        Likely mistakes, computed as well: what to say, and the value that it leads to.
    digits : int
        Decimals that count.
    points : int
        What the exercise is worth where it is graded.

    Raises
    ------
    ValueError
        When the answer can't be checked (missing, infinite, of another type), or a mistake
        can't be told from the right answer or from another mistake.
    """
    record = make_record(exercise, right, hint=hint, wrong=wrong or {}, digits=digits, points=points)
    from handan.book.show import put

    put({MIME: json.dumps({exercise: record}), "text/plain": f"{exercise}: recorded."})


def make_record(
    exercise: str, right: Any, *, hint: str, wrong: Mapping[str, Any], digits: int, points: int
) -> dict[str, Any]:
    """Hash an answer and its likely mistakes; parameters and errors are those of `key`."""
    kind = kind_of(right)
    if problem := misfit(kind, right):
        raise ValueError(f"exercise {exercise}: the right answer {right!r} can't be one: {problem}")
    record: dict[str, Any] = {"kind": kind, "points": points, "hint": hint, "wrong": []}
    if kind == "number":
        record["digits"] = digits
    (record["right"],) = hashes(exercise, kind, digits, right, slack=0)
    for text, value in wrong.items():
        if problem := misfit(kind, value):
            raise ValueError(f"exercise {exercise}: the mistake {text!r} gives {value!r}: {problem}")
        if judge(exercise, value, {exercise: record}).right:
            raise ValueError(f"exercise {exercise}: the mistake {text!r} gives the right answer, {value!r}")
        (one,) = hashes(exercise, kind, digits, value, slack=0)
        if one in {other["hash"] for other in record["wrong"]}:
            raise ValueError(f"exercise {exercise}: two mistakes give {value!r}, so {text!r} is never said")
        record["wrong"].append({"hash": one, "hint": text})
    return record


@cache
def _packaged() -> dict[str, Any]:
    text = files("handan").joinpath("data", "answers.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
