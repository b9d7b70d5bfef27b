"""What an importer makes of another tool's log: one record per reply, in the words of this project."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SECRET = re.compile(r"(?i)\bbearer\s+\S+|\b(?:sk|pk|hf|key|api[-_]?key)[-_=:]\s*[\w-]{8,}")
_LONGEST_ERROR = 300
_VERDICTS = {
    "c": 1.0,
    "i": 0.0,
    "p": 0.5,
    "n": 0.0,
    "true": 1.0,
    "false": 0.0,
    "correct": 1.0,
    "incorrect": 0.0,
}


@dataclass(frozen=True)
class Options:
    """What a user can say about a log that the log does not say itself.

    Parameters
    ----------
    columns : mapping of str to str, optional
        For tables (``jsonl``, ``parquet``, ``csv``): our name to the file's, see
        `handan.costs.importers.mapped`.
    study, model, task : str, optional
        Names for the costs table, instead of those in the log.
    item : str, optional
        For ``lm-eval`` and ``inspect``: the field of a problem that names it. By default
        ``item`` where every problem has it, else the tool's own number or id.
    tokenizer : path, str, or tokenizer; optional
        Its ``tokenizer.json`` or hub id: texts without a count are tokenized with it.
    tags : (str, str), optional
        Tags around the chain of thought. By default those of the lineage, else
        ``<think>`` and ``</think>``.
    metric : str, optional
        The score that says whether an answer is correct; by default the first.
    requests : path, optional
        For batches: the request file that the output belongs to.
    pattern : str, optional
        For batches: how a ``custom_id`` is built, for example ``{task}:{item}:{sample}``.
    """

    columns: Mapping[str, str] | None = None
    study: str = "yours"
    model: str | None = None
    task: str | None = None
    item: str | None = None
    tokenizer: Any = None
    tags: tuple[str, str] | None = None
    metric: str | None = None
    requests: str | Path | None = None
    pattern: str | None = None


@dataclass
class Reply:
    """One reply, or one failure to reply; None stands for what the log does not say.

    Parameters
    ----------
    where : str
        File and line, for messages.
    model, task, item : str
        As in the costs table.
    sample : int, optional
        Counts the samples of an item from 0; replies without one are numbered in their order.
    text, reasoning : str, optional
        Whole output, or the answer alone where the reasoning is given apart.
    prompt : str, optional
        The text that the model read, where it is exactly that.
    prompt_tokens, output_tokens, reasoning_tokens : int, optional
        As the server counted them.
    token_ids : sequence of int, optional
        Generated tokens.
    stop, finish_reason : str, optional
        In the words of the costs table, and of the tool.
    correct : float, optional
        From 0 to 1.
    error : str, optional
        What went wrong; the reply then has no counts.
    limit : int, optional
        Most tokens that the model was allowed.
    hidden : bool
        Whether the reasoning was taken out, so that the text is the answer alone.
    given : mapping
        Columns of the costs table that the log holds ready and that are taken as they are.
    """

    where: str
    model: str
    task: str
    item: str
    sample: int | None = None
    text: str | None = None
    reasoning: str | None = None
    prompt: str | None = None
    prompt_tokens: Any = None
    output_tokens: Any = None
    reasoning_tokens: Any = None
    token_ids: Sequence[int] | None = None
    stop: str | None = None
    finish_reason: str | None = None
    correct: float | None = None
    error: str | None = None
    limit: int | None = None
    hidden: bool = False
    given: dict[str, Any] = field(default_factory=dict)


@dataclass
class Log:
    """All replies of a log, and what a reader should know about it."""

    replies: list[Reply] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def extend(self, other: Log) -> None:
        """Take in another log; a remark that was made already is not repeated."""
        self.replies += other.replies
        self.remarks += [remark for remark in other.remarks if remark not in self.remarks]


def label(value: Any) -> str:
    """Text of a name: whole numbers without a decimal point, control characters escaped."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _CONTROL.sub(lambda sign: sign[0].encode("unicode_escape").decode(), str(value))


def error_text(value: Any) -> str:
    """One harmless line about an error, without anything that looks like a key or a token."""
    text = value.get("message") or value if isinstance(value, Mapping) else value
    return _SECRET.sub("[removed]", label(text))[:_LONGEST_ERROR] or "no message"


def verdict_of(value: Any) -> float | None:
    """Read a score as a share correct: a truth value, a number from 0 to 1, or a word such as ``C``."""
    if isinstance(value, str):
        if value.strip().lower() in _VERDICTS:
            return _VERDICTS[value.strip().lower()]
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, (bool, int, float)) and 0 <= value <= 1:
        return float(value)
    return None


def text_of(value: Any) -> str | None:
    """Give a text without lone surrogates, which no tokenizer takes; None for anything else."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def count_of(value: Any) -> int | None:
    """Read a token count; None for anything that is not a whole number of at least 0."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number >= 0 and number.is_integer() else None
