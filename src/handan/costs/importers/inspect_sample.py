"""One sample of an inspect_ai log: texts, counts, how it ended, and whether it was right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handan.costs.importers.reply import Reply, count_of, verdict_of
from handan.traces.ends import stop_of

Content = Mapping[str, Any]
_ATTACHED = "attachment://"


def read_sample(sample: Content, reply: Reply, scorer: str | None, *, counts: bool, model: str) -> list[str]:
    """Fill a reply from a sample, and say what is worth saying about it.

    Parameters
    ----------
    sample : mapping
        The sample as logged.
    reply : Reply
        Filled here.
    scorer : str or None
        Whose verdict counts; by default the first one's.
    counts : bool
        Whether the provider's token counts and stop reasons can be believed.
    model : str
        Name of the model in the log's usage.
    """
    reply.sample = max(int(sample.get("epoch") or 1) - 1, 0)
    output = sample.get("output") or {}
    choices = output.get("choices") or []
    failure = sample.get("error") or output.get("error")
    if failure:
        reply.error = str(failure.get("message") if isinstance(failure, dict) else failure)
    said = _read_texts(sample, choices, reply)
    said += _read_verdict(sample.get("scores") or {}, reply, scorer)
    if counts and len(choices) <= 1:
        said += _read_usage(sample, output, reply, model)
    if len(choices) > 1:
        said.append("of samples with several choices only the first is read, without counts")
    _read_end(sample, choices, reply, counts)
    return said


def _turns(sample: Content) -> list[Content]:
    messages = [message for message in sample.get("messages") or [] if isinstance(message, dict)]
    return [
        message
        for message in messages
        if message.get("role") == "assistant" and message.get("source") != "input"
    ]


def _read_texts(sample: Content, choices: Sequence[Content], reply: Reply) -> list[str]:
    messages = (
        _turns(sample) if len(_turns(sample)) > 1 else [choice.get("message") or {} for choice in choices[:1]]
    )
    if not messages:
        return []
    attached = sample.get("attachments") or {}
    texts, thoughts, withheld = [], [], False
    for part in [part for message in messages for part in _parts(message.get("content"))]:
        if part.get("type") == "reasoning":
            withheld |= bool(part.get("redacted"))
            thoughts.append(_resolved(part.get("reasoning"), attached))
        elif part.get("type") == "text":
            texts.append(_resolved(part.get("text"), attached))
    reply.text = "".join(texts)
    if withheld:
        reply.hidden = True
        return ["some reasoning is withheld or encrypted: only its token count can be known"]
    reply.reasoning = "\n\n".join(thoughts) or None
    return []


def _parts(content: Any) -> list[Content]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content or [] if isinstance(part, dict)]


def _resolved(text: Any, attached: Content) -> str:
    """Give a text, from the attachments if the sample only refers to it."""
    text = str(text or "")
    return str(attached.get(text.removeprefix(_ATTACHED), text)) if text.startswith(_ATTACHED) else text


def _read_usage(sample: Content, output: Content, reply: Reply, model: str) -> list[str]:
    turns = len(_turns(sample))
    summed = (sample.get("model_usage") or {}).get(model)
    usage = (summed if turns > 1 else output.get("usage")) or {}
    # What was read from a cache was read all the same.
    read = [
        count_of(usage.get(name))
        for name in ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")
    ]
    reply.prompt_tokens = None if read[0] is None else sum(number or 0 for number in read)
    reply.output_tokens = count_of(usage.get("output_tokens"))
    reply.reasoning_tokens = count_of(usage.get("reasoning_tokens"))
    return ["samples of several turns are counted over all their turns"] if turns > 1 else []


def _read_verdict(scores: Content, reply: Reply, scorer: str | None) -> list[str]:
    name = scorer or next(iter(scores), "")
    score = scores.get(name)
    reply.correct = verdict_of(score.get("value") if isinstance(score, dict) else score)
    if len(scores) > 1 and scorer is None:
        return [f"correct is the verdict of {name}; there are: {', '.join(scores)}"]
    return []


def _read_end(sample: Content, choices: Sequence[Content], reply: Reply, counts: bool) -> None:
    reason = choices[0].get("stop_reason") if choices and counts else None
    limit = sample.get("limit")
    if limit:  # a limit of the run (tokens, time, messages) cut the sample
        reason = f"limit: {limit.get('type') if isinstance(limit, dict) else limit}"
    reply.finish_reason = None if reason is None else str(reason)
    reply.stop = "length" if limit else stop_of(reason)
    if reply.stop == "error" and reply.error is None:
        reply.error = f"the reply ended with {reason}"
