"""What an answer to an exercise can be, and when two answers are the same: by their hashes."""

from __future__ import annotations

import hashlib
import math
import numbers
from collections.abc import Iterable
from functools import cache
from typing import Any

_ROUNDS = 2_000
_LARGEST = 1e200
_EXAMPLES = {"list of text": ", such as ['A', 'E']"}


def kind_of(answer: Any) -> str:
    """Name the kind of a right answer.

    Returns
    -------
    {"text", "yes or no", "whole number", "number", "list of text"}
    """
    if isinstance(answer, str):
        return "text"
    if _is_bool(answer):
        return "yes or no"
    if isinstance(answer, numbers.Integral):
        return "whole number"
    if isinstance(answer, numbers.Real):
        return "number"
    return "list of text"


def misfit(kind: str, answer: Any) -> str:
    """Say why an answer is of the wrong kind.

    Parameters
    ----------
    kind : str
        From `kind_of`.
    answer : object
        A student's answer.

    Returns
    -------
    str
        A sentence; empty where the answer fits.
    """
    answer = _scalar(kind, answer)
    number = isinstance(answer, numbers.Real) and not _is_bool(answer)
    fits = {
        "text": isinstance(answer, str),
        "yes or no": _is_bool(answer),
        "whole number": number and _is_finite(answer) and float(answer).is_integer(),
        "number": number and _is_finite(answer),
        "list of text": _is_texts(answer),
    }
    if fits[kind]:
        return ""
    if number and answer != answer:  # isnan cannot take every whole number
        return "the answer is not a number (NaN). Is a value missing in what it was computed from?"
    return f"the answer should be a {kind}{_EXAMPLES.get(kind, '')}, and yours is a {_told(answer)}."


def _told(answer: Any) -> str:
    """Name the type of an answer, and of its first part where it has parts."""
    name = type(answer).__name__
    parts = list(answer) if isinstance(answer, list | tuple | set) else []
    return f"{name} of {type(parts[0]).__name__}" if parts else name


def hashes(exercise: str, kind: str, digits: int, answer: Any, slack: int = 1) -> set[str]:
    """Hash an answer; a number also with its neighbours, so that rounding can't make it wrong.

    Parameters
    ----------
    exercise : str
        Its number, which salts the hash: equal answers to two exercises look different.
    kind : str
        From `kind_of`; the answer must fit it.
    digits : int
        Decimals of a number that count.
    answer : object
        What to hash.
    slack : int
        Units of the last digit to either side that are hashed as well.

    Returns
    -------
    set of str
        ``2 * slack + 1`` hashes of a number, one of anything else.
    """
    answer = _scalar(kind, answer)
    if kind != "number":
        return {_hash(exercise, _normal(kind, answer))}
    # numbers beyond the reach of floats, once multiplied, are of no exercise: one cell is enough for them
    cell = round(max(-_LARGEST, min(_LARGEST, float(answer))) * 10**digits)
    return {_hash(exercise, str(cell + step)) for step in range(-slack, slack + 1)}


def _normal(kind: str, answer: Any) -> str:
    if kind == "list of text":
        return "\n".join(sorted(" ".join(str(part).casefold().split()) for part in answer))
    if kind == "whole number":
        return str(int(answer))
    return " ".join(str(answer).casefold().split())


@cache
def _hash(exercise: str, text: str) -> str:
    salt = hashlib.sha256(f"handan exercise {exercise}".encode()).digest()
    return hashlib.pbkdf2_hmac("sha256", text.encode(), salt, _ROUNDS).hex()[:32]


def _scalar(kind: str, answer: Any) -> Any:
    """Take a numpy scalar, or an array or Series with one value, as that value, unless a list is wanted."""
    if kind == "list of text" or getattr(answer, "size", None) != 1 or not hasattr(answer, "item"):
        return answer
    return answer.item()


def _is_finite(answer: Any) -> bool:
    try:
        return math.isfinite(answer)
    except OverflowError:  # a whole number that no float can hold
        return False


def is_missing(answer: Any) -> bool:
    """Whether dots stand where an answer, or a part of one, should."""
    parts = answer if isinstance(answer, list | tuple) else [answer]
    return any(part is ... or part is None for part in parts)


def _is_bool(answer: Any) -> bool:
    return isinstance(answer, bool) or type(answer).__name__ in ("bool_", "bool")


def _is_texts(answer: Any) -> bool:
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        return False
    return all(isinstance(part, str) for part in answer)
