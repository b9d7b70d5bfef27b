"""The problem behind an item, in this project's wording, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from handan import norms

_NOT_KEPT = (
    "There is no text here: this project keeps the numbers of this study, not its problems. "
    "The study's source has the problem under the name above."
)
_REASONS = {
    "pnas-r1": "There is no text here: the published figure does not say which problem a point stands for.",
    "gpqa-minutes": "There is no text here: the authors of GPQA ask that its questions are not posted again.",
}


def problems(task: str, items: Sequence[str]) -> list[str] | None:
    """Word every item of a task for a reader.

    Parameters
    ----------
    task : str
        Its name.
    items : sequence of str
        Codes of items.

    Returns
    -------
    list of str or None
        A problem per item. None where the bank has no such task, or cannot word one of the
        items: then these are items of another collection under the same name.
    """
    try:
        return [norms.task(task).prompt(item) for item in items]
    except ValueError:
        return None


def reason(study: str) -> str:
    """Say why a study's problems are not shown."""
    return _REASONS.get(study, _NOT_KEPT)
