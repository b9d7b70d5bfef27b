"""How a reply of a chat-completions server is read.

Servers that call themselves OpenAI-compatible differ in details. What is accepted here:

==================  ===========================================================================
detail              read as
==================  ===========================================================================
chain of thought    ``reasoning_content`` (DeepSeek, older vLLM), ``reasoning`` (vLLM,
                    OpenRouter), or parts of type ``thinking`` or ``reasoning`` in a list
answer              ``content``: a text, nothing, or a list of parts
reasoning tokens    ``usage.completion_tokens_details.reasoning_tokens``; a 0 beside a text
                    that is there is taken for "not counted"
output tokens       ``usage.completion_tokens``; where the total shows that the reasoning was
                    counted beside it, both together
generated ids       ``token_ids`` (vLLM), if they are as many as the output tokens
==================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handan.traces.ends import stop_of
from handan.traces.request import Completion

# The server gave up, not the model: worth another try.
_INTERRUPTED = ("abort", "error", "insufficient_system_resource")
_LARGEST = 2**31 - 1


class MalformedReplyError(ValueError):
    """A reply is not of the shape that the API promises."""


@dataclass(frozen=True)
class Reply:
    """What a server said, in our words; None where it said nothing."""

    text: str
    reasoning: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    token_ids: tuple[int, ...] | None
    model: str | None
    fingerprint: str | None

    @property
    def interrupted(self) -> bool:
        """Whether the server broke off on its own account."""
        return self.finish_reason in _INTERRUPTED

    def completion(self, key: str, *, attempt: int = 1, seconds: float | None = None) -> Completion:
        """Turn it into the completion of a request.

        A reply that ended in no usual way (filtered, a tool called, no reason given) is
        an error whose text and counts are kept.
        """
        stop = stop_of(self.finish_reason) or "error"
        reason = f"the reply ended by {self.finish_reason!r}, not by stop or length"
        if self.finish_reason is None:
            reason = "the reply does not say how it ended: finish_reason is missing"
        return Completion(
            key,
            self.text,
            stop,
            token_ids=self.token_ids,
            reasoning=self.reasoning,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
            reasoning_tokens=self.reasoning_tokens,
            seconds=seconds,
            attempt=attempt,
            error=reason if stop == "error" else None,
            finish_reason=self.finish_reason,
        )


def read_reply(payload: Any) -> Reply:
    """Read the decoded JSON of a chat completion.

    Parameters
    ----------
    payload : object
        Anything that a server may send.

    Raises
    ------
    MalformedReplyError
        When it holds no message.
    """
    choices = payload.get("choices") if isinstance(payload, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise MalformedReplyError("the reply holds no message")
    text, thought = _content(message.get("content"))
    reasoning = reasoning_in(message) or thought or None
    prompt, output, reasoned = _usage(payload.get("usage"), bool(reasoning))
    return Reply(
        text,
        reasoning,
        _word(choice.get("finish_reason")),
        prompt,
        output,
        reasoned,
        _ids(choice.get("token_ids"), output),
        _word(payload.get("model")),
        _word(payload.get("system_fingerprint")),
    )


def reasoning_in(message: Mapping[str, Any]) -> str:
    """Return the chain of thought of a message, or of a piece of one, under either of its names."""
    for name in ("reasoning_content", "reasoning"):
        if isinstance(message.get(name), str) and message[name]:
            return message[name]
    return ""


def _content(content: Any) -> tuple[str, str]:
    """Split content into answer and chain of thought."""
    if content is None or isinstance(content, str):
        return content or "", ""
    if not isinstance(content, list):
        raise MalformedReplyError(f"the content is a {type(content).__name__}, not text")
    found = {"text": "", "thought": ""}
    for part in content:
        kind, text = _part(part)
        found[kind] += text
    return found["text"], found["thought"]


def _part(part: Any) -> tuple[str, str]:
    if isinstance(part, str):
        return "text", part
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("text", "output_text") and isinstance(part.get("text"), str):
        return "text", part["text"]
    if kind in ("thinking", "reasoning"):
        inner = part.get("thinking") or part.get("reasoning") or part.get("text") or ""
        return "thought", _content(inner)[0]
    raise MalformedReplyError(f"the content has a part of unknown type {kind!r}")


def _usage(usage: Any, has_reasoning: bool) -> tuple[int | None, int | None, int | None]:
    """Read prompt, output and reasoning tokens."""
    if not isinstance(usage, dict):
        return None, None, None
    prompt, output = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    details = usage.get("completion_tokens_details")
    reasoned = _count(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    if reasoned == 0 and has_reasoning:
        reasoned = None
    if reasoned and prompt is not None and output is not None:
        beside = _count(usage.get("total_tokens")) == prompt + output + reasoned
        output += reasoned if beside else 0
    return prompt, output, reasoned


def _ids(ids: Any, output: int | None) -> tuple[int, ...] | None:
    """Take generated ids only where none is missing; streams of some servers leave a few out."""
    if not isinstance(ids, list) or any(_count(one) is None for one in ids):
        return None
    return tuple(ids) if output in (None, len(ids)) else None


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return value if whole else None


def _word(value: Any) -> str | None:
    return value[:100] if isinstance(value, str) and value else None
