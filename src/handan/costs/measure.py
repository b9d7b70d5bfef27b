"""What one trace cost: its tokens, its lengths, its loop, its verdict. `account` makes the table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from handan.costs.companions import lengths, units
from handan.costs.decoder import Decoder, valid_text
from handan.costs.loops import find_loop
from handan.costs.split import Counts, Split, split_ids, split_text
from handan.costs.tags import Tags
from handan.norms import Task, task

Trace = Mapping[str, Any]
Row = dict[str, Any]
_UNSEEN = Split(("hidden",), "", None, "", "")


def measure(trace: Trace, tags: Tags, decoder: Decoder | None) -> Row:
    """Measure one trace.

    Parameters
    ----------
    trace : mapping
        One row of a store of traces, None for whatever is unknown.
    tags : Tags
        Tags of the model.
    decoder : Decoder or None
        Tokenizer of the model, where it is known.

    Returns
    -------
    dict
        Columns of the costs table; nothing for a failed request. See `handan.costs.account`.
    """
    if trace["stop"] == "error":
        return {}
    ids = trace["token_ids"]
    if ids is None and trace["text"] is None and trace["reasoning"] is None:
        return {"tags": "hidden", **(_as_reported(trace, _UNSEEN) or _uncounted(trace))}
    prefilled = trace["template"] != "server" and tags.prefilled(trace["prompt"])
    stopped = trace["stop"] != "length"
    if ids is not None and decoder is not None:
        split = split_ids(ids, decoder, tags, prefilled=prefilled, stopped=stopped)
        counted = _exactly(split.counts, decoder)
    else:
        split = _split_texts(trace, tags, prefilled)
        counted = _as_reported(trace, split) or _retokenised(trace, split, decoder) or _uncounted(trace)
    spoken = units(split.reasoning + (split.answer or "")) if ids is None else ids[: len(ids) - stopped]
    return {
        **counted,
        **_lengths(split),
        **_loop(spoken),
        "tags": ", ".join(split.flags),
        "correct": verdict(trace["task"], trace["item"], split.reply),
        "reasoning_text": split.reasoning,
        "answer_text": split.answer,
    }


def verdict(name: str, item: str, reply: str) -> float | None:
    """Grade a reply to an item: 1 or 0, None where the task or the item has no answer key."""
    known = _task(name)
    try:
        return float(known.grade(item, reply).correct) if known else None
    except ValueError:  # no such item, or a task without an answer key
        return None


@lru_cache(maxsize=256)
def _task(name: str) -> Task | None:
    try:
        return task(name)
    except ValueError:
        return None


def _split_texts(trace: Trace, tags: Tags, prefilled: bool) -> Split:
    text, reasoning = valid_text(trace["text"] or ""), valid_text(trace["reasoning"] or "")
    state = "unclosed" if trace["stop"] == "length" and not text.strip() else "closed"
    if reasoning:
        return Split((state, "apart"), reasoning, text, reasoning, reasoning)
    split = split_text(text, tags, prefilled=prefilled)
    if split.flags[0] == "none" and trace["reasoning_tokens"]:
        return Split((state, "hidden"), "", text, "", "")
    return split


def _exactly(counts: Counts | None, decoder: Decoder) -> Row:
    assert counts is not None
    return {
        "counted": "ids",
        "tokenizer": decoder.label,
        "reasoning_tokens": counts.reasoning,
        "answer_tokens": counts.answer,
        "markup_tokens": counts.markup,
        "output_tokens": counts.output,
        "tagged_tokens": counts.inside,
        "first_close_tokens": counts.before_first_close,
    }


def _as_reported(trace: Trace, split: Split) -> Row:
    """Take the server's word for it, where it gives it; empty otherwise."""
    output, reasoning = trace["output_tokens"], trace["reasoning_tokens"]
    row = {"counted": "server", "tokenizer": "server", "output_tokens": output}
    if split.flags[0] == "none" and output is not None and trace["token_ids"] is None:
        return row | {"reasoning_tokens": output, "tagged_tokens": 0, "first_close_tokens": output}
    # Servers that don't split a reasoning report 0 tokens of it.
    if not reasoning:
        return {}
    answer = output - reasoning if output is not None and output >= reasoning else None
    return row | {"reasoning_tokens": reasoning, "answer_tokens": answer}


def _retokenised(trace: Trace, split: Split, decoder: Decoder | None) -> Row:
    if decoder is None:
        return {}
    texts = [split.reasoning, split.answer or "", split.inside, split.before_first_close]
    counts = dict(zip(distinct := list(dict.fromkeys(texts)), decoder.count(distinct), strict=True))
    reasoning, answer, inside, before = (counts[text] for text in texts)
    return {
        "counted": "retokenised",
        "tokenizer": decoder.label,
        "reasoning_tokens": reasoning,
        "answer_tokens": None if split.answer is None else answer,
        "output_tokens": trace["output_tokens"],
        "tagged_tokens": inside,
        "first_close_tokens": before,
    }


def _uncounted(trace: Trace) -> Row:
    ids = trace["token_ids"]
    return {"counted": "unknown", "output_tokens": trace["output_tokens"] if ids is None else len(ids)}


def _lengths(split: Split) -> Row:
    if "hidden" in split.flags:
        return {}
    size = lengths(split.reasoning)
    return {"n_chars": size.characters, "words": size.words, "units": size.units, "steps": size.steps}


def _loop(tokens: Any) -> Row:
    loop = find_loop(tokens)
    if loop is None:
        return {"loop": False}
    return {
        "loop": True,
        "loop_period": loop.period,
        "loop_repeats": loop.repeats,
        "loop_tokens": loop.tokens,
    }
