"""Between text and tokens, for engines that take and give token ids: every engine cuts text alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import Any

from handan.traces.errors import ModelError
from handan.traces.models import Model
from handan.traces.prompts import PLAIN
from handan.traces.request import Completion, Request


def encode(tokenizer: Any, request: Request) -> list[int]:
    """Cut a prompt into tokens.

    A chat template writes all special tokens itself; the tokenizer may add its own to plain
    text only. Engines that are given text often begin it twice.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The model's tokenizer.
    request : Request
        See there.
    """
    bos = getattr(tokenizer, "bos_token", None)
    bare = request.template == PLAIN and not (bos and request.prompt.startswith(bos))
    return list(tokenizer(request.prompt, add_special_tokens=bare)["input_ids"])


def published_stops(model: Model, tokenizer: Any) -> frozenset[int]:
    """Return every token that ends a text, from a model's files, without its weights.

    Parameters
    ----------
    model : Model
        See there.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.

    Raises
    ------
    ModelError
        When the model's configuration can't be read, or no stop token is known.
    """
    from transformers import AutoConfig, GenerationConfig

    from handan.traces.loading import stop_tokens

    pin: dict[str, Any] = {} if model.is_local else {"revision": model.revision}
    try:
        config = AutoConfig.from_pretrained(**model.pinned())
    except Exception as error:
        raise ModelError(f"the configuration of {model.location} can't be read: {error}") from error
    try:
        generation = GenerationConfig.from_pretrained(model.location, **pin)
    except OSError:
        generation = None
    found = stop_tokens(SimpleNamespace(config=config, generation_config=generation), tokenizer)
    if not found:
        raise ModelError(f"{model.location} names no token that ends a text; its traces would never end")
    return found


def up_to_stop(ids: Sequence[int], stops: Collection[int]) -> tuple[int, ...]:
    """Return generated tokens up to and including the first stop token."""
    for place, token in enumerate(ids):
        if token in stops:
            return tuple(int(one) for one in ids[: place + 1])
    return tuple(int(one) for one in ids)


def completion(
    key: str,
    ids: Sequence[int],
    *,
    tokenizer: Any,
    stops: Collection[int],
    limit: int,
    prompt_tokens: int,
    seconds: float | None = None,
) -> Completion:
    """Make a completion of generated tokens; whether it was cut short is read from the tokens.

    Parameters
    ----------
    key : str
        Key of the request.
    ids : sequence of int
        Generated tokens, as the engine gave them.
    tokenizer : PreTrainedTokenizerBase
        Makes the text, special tokens included, without the last stop token.
    stops : collection of int
        Tokens that end a text.
    limit : int
        ``max_new_tokens`` of the request.
    prompt_tokens : int
        Tokens read.
    seconds : float, optional
        Time it took.
    """
    ids = up_to_stop(ids, stops)
    ended = bool(ids) and ids[-1] in stops
    cut = "max_new_tokens" if len(ids) >= limit else "context"
    return Completion(
        key=key,
        text=tokenizer.decode(ids[:-1] if ended else ids, skip_special_tokens=False),
        stop="stop" if ended else "length",
        token_ids=ids,
        prompt_tokens=prompt_tokens,
        output_tokens=len(ids),
        seconds=seconds,
        finish_reason="stop" if ended else cut,
    )
