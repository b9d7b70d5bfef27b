"""How servers and tools call the end of a reply, and what each word means here."""

from __future__ import annotations

from typing import Any

# A reply that calls a tool stops before the answer: its length is not what the problem took.
WORDS = {
    "stop": ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "completed"),
    "length": ("length", "max_tokens", "model_length", "max_output_tokens", "max_length"),
    "error": (
        *("error", "failed", "abort", "insufficient_system_resource", "content_filter"),
        *("tool_calls", "function_call"),
    ),
}  # fmt: skip
_STOP_OF = {word: stop for stop, words in WORDS.items() for word in words}


def stop_of(reason: Any) -> str | None:
    """Translate a tool's word for the end of a reply, in capitals or not.

    Returns
    -------
    {"stop", "length", "error"} or None
        None for a word that says nothing.
    """
    return _STOP_OF.get(str(reason).strip().lower())
