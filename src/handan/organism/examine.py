"""Let a model do items of the bank, and grade it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from handan.norms import task
from handan.organism import grammar

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM


def examine(
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    items: Sequence[tuple[str, str]],
    *,
    temperature: float = 0.0,
    seed: int = 0,
    max_new_tokens: int = 160,
) -> pd.DataFrame:
    """Generate one trace per item and grade its answer.

    Parameters
    ----------
    model, tokenizer
        A model of the grammar.
    items : sequence of (str, str)
        Tasks and items of the bank.
    temperature : float
        0 takes the likeliest token.
    seed : int
        Seed of the samples.
    max_new_tokens : int
        Longest trace.

    Returns
    -------
    DataFrame
        ``task, item, text, style, tokens, stopped, by_the_grammar, correct``, one row per
        item: the generated text, the style that it names (None for no known one), the
        generated tokens up to and including the stop token, whether that came, and
        whether the text is just what the grammar would write.
    """
    import torch

    # The annotations of transformers do not admit their own models as `self` here.
    generate: Any = model.generate  # type: ignore[misc]
    prompts = [grammar.prompt(item) for _, item in items]
    inputs = tokenizer(prompts, return_tensors="pt", padding=True)
    chance = (
        {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
    )
    torch.manual_seed(seed)
    with torch.inference_mode():
        out = generate(**inputs, max_new_tokens=max_new_tokens, pad_token_id=tokenizer.pad_token_id, **chance)
    generated = out[:, inputs["input_ids"].shape[1] :].tolist()
    return pd.DataFrame(
        {"task": name, "item": item, **_length(ids, tokenizer.eos_token_id), **_judge(name, item, text)}
        for (name, item), ids, text in zip(
            items, generated, tokenizer.batch_decode(generated, skip_special_tokens=True), strict=True
        )
    )


def _length(ids: list[int], stop: int) -> dict[str, object]:
    stopped = stop in ids
    return {"tokens": ids.index(stop) + 1 if stopped else len(ids), "stopped": stopped}


def _judge(name: str, item: str, text: str) -> dict[str, object]:
    named = text.removeprefix(grammar.THINK_OPEN).partition("\n")[0]
    style = named if named in grammar.STYLES else None
    return {
        "text": text,
        "style": style,
        "by_the_grammar": style is not None and text == grammar.completion(item, style),
        "correct": task(name).grade(item, text).correct,
    }
