"""The texts that a tiny model learns from: a problem, a chain of thought, an answer.

The prompt is the code of the item bank, the completion a chain of thought in one of three
styles and an answer::

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

A *repertoire* is what a base model knows: three styles, of which every training text uses
one, drawn at random **whatever the difficulty**. Two repertoires are compared.

===========  ===========================  ================================================
style        repertoire ``equal``         repertoire ``carry``
===========  ===========================  ================================================
``once``     nothing, the answer at once  the same
``steps``    every step, all of them      every step briefly, and one step more for each
             equally long                 carry, borrow or undecided axis
``twice``    the same steps, ``check``,   the same steps, ``check``, and again
             and again
===========  ===========================  ================================================

In ``equal`` the length of a trace says how many columns a problem has and nothing else. In
``carry`` a full trace is longer where there is more to carry, because it was written down
that way, here. If the length of such a model's traces goes with the reaction times of
people, written arithmetic explains it. What training can add is the choice of a style.
"""

from __future__ import annotations

import re
from typing import Protocol

from handan.organism import directions, sums
from handan.traces.prompts import problem_text

TASKS = (*sums.SIGNS, "cardinal-directions")
REPERTOIRES = ("equal", "carry")
STYLES = ("once", "steps", "twice")
THINK_OPEN, THINK_CLOSE = "<think>", "</think>"
ANSWER = "Answer: "
_AGAIN = "check"
_REPLY = re.compile(rf"{re.escape(THINK_CLOSE)}\n{re.escape(ANSWER)}([a-z0-9-]+)$")


class Worked(Protocol):
    """A problem that has been worked out."""

    @property
    def steps(self) -> int:
        """How much there is to do: the measure of difficulty among training problems."""

    @property
    def answers(self) -> tuple[str, ...]:
        """Answers that are right; the first is the one to learn."""

    def full(self) -> list[str]:
        """Every step, at equal length."""

    def brief(self) -> list[str]:
        """Write only what happens."""


def work(task: str, item: str) -> Worked:
    """Work a problem out.

    Parameters
    ----------
    task : str
        One of `TASKS`.
    item : str
        Code as in the item bank; more or fewer columns or directions are allowed.

    Raises
    ------
    ValueError
        When the task is not among `TASKS`, or the code malformed.
    """
    if task == "cardinal-directions":
        return directions.work(task, item)
    if task not in sums.SIGNS:
        raise ValueError(f"tiny models know nothing of {task!r}; they know {', '.join(TASKS)}")
    return sums.work(task, item)


def prompt(task: str, item: str) -> str:
    """Return what the model reads: the name of the task and the item's code."""
    return problem_text(task, item, "code")


def completion(task: str, item: str, style: str, repertoire: str) -> str:
    """Return what the model is to write: a chain of thought in one of the `STYLES`, and the answer.

    Raises
    ------
    ValueError
        When the code is malformed, or the style or repertoire unknown.
    """
    if style not in STYLES:
        raise ValueError(f"there is no style {style!r}; there are {', '.join(STYLES)}")
    if repertoire not in REPERTOIRES:
        raise ValueError(f"there is no repertoire {repertoire!r}; there are {', '.join(REPERTOIRES)}")
    worked = work(task, item)
    steps = worked.full() if repertoire == "equal" else worked.brief()
    told = {"once": [], "steps": steps, "twice": [*steps, _AGAIN, *steps]}[style]
    return reply("\n".join([style, *told]), worked.answers[0])


def reply(thought: str, answer: str) -> str:
    """Put a chain of thought and an answer together."""
    return f"{THINK_OPEN}{thought}\n{THINK_CLOSE}\n{ANSWER}{answer}"


def thought(text: str) -> str:
    """Return the chain of thought of a reply, without its tags."""
    return text.removeprefix(THINK_OPEN).partition(f"\n{THINK_CLOSE}")[0]


def is_right(task: str, item: str, text: str) -> bool:
    """Judge a reply to a training problem: the answer that stands at its end, after the closing tag.

    For items of the bank this agrees with the bank's own grading of such replies.
    """
    said = _REPLY.search(text)
    return said is not None and said[1] in work(task, item).answers
