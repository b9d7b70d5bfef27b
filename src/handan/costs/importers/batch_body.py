"""The body of one response of a batch: what the model wrote, and what it is said to have cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handan.costs.importers.reply import Reply, count_of
from handan.traces.ends import stop_of

Content = Mapping[str, Any]


def read_body(body: Content, about: Reply) -> tuple[list[Reply], list[str]]:
    """Read a body: one reply per choice.

    Parameters
    ----------
    body : mapping
        Of a chat completion, a completion, or a response.
    about : Reply
        Who was asked what, without the reply.

    Returns
    -------
    list of Reply
        At least one; a body without any choice is a failure.
    list of str
        Remarks.
    """
    choices = [_of_response(body)] if isinstance(body.get("output"), list) else body.get("choices") or []
    choices = [choice for choice in choices if isinstance(choice, dict)]
    if not choices:
        about.error = "the response holds no choices"
        return [about], []
    replies = [_reply(choice, about) for choice in choices]
    if len(replies) == 1:
        _read_usage(body.get("usage"), replies[0])
        return replies, []
    for reply in replies:
        # The count is of all choices together.
        reply.sample = None
    return replies, ["responses with several choices report one count for all: it is not used"]


def _reply(choice: Content, about: Reply) -> Reply:
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice.get("text")}
    reply = Reply(about.where, about.model, about.task, about.item, about.sample)
    reply.text = _text(message.get("content"))
    reply.reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning")) or None
    if reply.reasoning and reply.text is None:
        reply.text = ""  # cut before the answer began
    ids = choice.get("token_ids")
    reply.token_ids = (
        ids if isinstance(ids, list) and all(isinstance(one, int) for one in ids) and ids else None
    )
    if message.get("refusal") and not reply.text:
        reply.text = _text(message["refusal"])
    reason = choice.get("finish_reason")
    reply.finish_reason = None if reason is None else str(reason)
    reply.stop = stop_of(reason)
    if reply.stop == "error":
        reply.error = f"the reply ended with {reason}"
    return reply


def _read_usage(usage: Any, reply: Reply) -> None:
    if not isinstance(usage, dict):
        return
    reply.prompt_tokens = count_of(usage.get("prompt_tokens", usage.get("input_tokens")))
    reply.output_tokens = count_of(usage.get("completion_tokens", usage.get("output_tokens")))
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    known = details if isinstance(details, dict) else usage
    reply.reasoning_tokens = count_of(known.get("reasoning_tokens"))


def _text(content: Any) -> str | None:
    """Text of a message, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _of_response(body: Content) -> dict[str, Any]:
    """Lay a body of the responses interface out as a choice of a chat completion."""
    parts = [part for part in body["output"] if isinstance(part, dict)]
    texts = [_text(part.get("content")) or "" for part in parts if part.get("type") == "message"]
    thoughts = [_text(part.get("content")) or "" for part in parts if part.get("type") == "reasoning"]
    cut = (body.get("incomplete_details") or {}).get("reason")
    return {
        "message": {"content": "".join(texts), "reasoning": "".join(thoughts)},
        "finish_reason": cut or body.get("status"),
    }
