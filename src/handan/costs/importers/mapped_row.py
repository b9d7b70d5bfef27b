"""One row of a table with mapped columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handan.costs.importers.reply import Options, Reply, count_of, label, verdict_of
from handan.traces.ends import stop_of

NAMES = ("study", "model", "task", "item", "sample")
TEXTS = ("text", "reasoning", "answer", "prompt")
COUNTS = ("reasoning_tokens", "answer_tokens", "output_tokens", "prompt_tokens", "n_chars")
ENDS = ("stop", "correct", "error", "finish_reason", "tokenizer")
KNOWN = (*NAMES, *TEXTS, *COUNTS, *ENDS)
Values = Mapping[str, Any]


def read_row(values: Values, where: str, options: Options) -> Reply:
    """Make a reply of a row.

    Parameters
    ----------
    values : mapping
        The row by our names (`KNOWN`), None for a missing value.
    where : str
        File and row, for messages.
    options : Options
        `model`, `task` and `study` override the row.
    """
    model, task = (getattr(options, name) or values.get(name) for name in ("model", "task"))
    names = ["" if name is None else label(name) for name in (model, task, values.get("item"))]
    reply = Reply(where, names[0], names[1], names[2])
    if values.get("sample") is not None:
        reply.given["sample"] = values["sample"]
    if values.get("study") is not None and options.study == Options.study:
        reply.given["study"] = label(values["study"])
    _read_texts(values, reply)
    _read_end(values, reply)
    if reply.stop != "error":
        _read_counts(values, reply)
    return reply


def _read_texts(values: Values, reply: Reply) -> None:
    text, reasoning, answer, prompt = (
        None if values.get(name) is None else str(values[name]) for name in TEXTS
    )
    reply.text = answer if text is None else text
    reply.reasoning = reasoning
    reply.prompt = prompt
    reply.hidden = answer is not None and reasoning is None


def _read_counts(values: Values, reply: Reply) -> None:
    reply.given |= {name: values[name] for name in COUNTS if values.get(name) is not None}
    reply.prompt_tokens, reply.output_tokens = (
        count_of(values.get(name)) for name in ("prompt_tokens", "output_tokens")
    )
    if "reasoning_tokens" in reply.given:
        reply.given |= {"counted": "file", "tokenizer": label(values.get("tokenizer") or "as in the file")}


def _read_end(values: Values, reply: Reply) -> None:
    said = values.get("finish_reason") or values.get("stop")
    reply.finish_reason = None if said is None else label(said)
    reply.stop = stop_of(values.get("stop")) or stop_of(said)
    if values.get("error"):
        reply.error = str(values["error"])
        reply.stop = "error"
    if values.get("correct") is not None:
        reply.correct = verdict_of(values["correct"])
        if reply.correct is None:
            reply.given["correct"] = values["correct"]
