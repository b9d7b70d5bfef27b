"""A model of the Qwen2 architecture, and texts as the numbers that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from handan.organism.recipe import Size

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM

NO_LOSS = -100  # label of a token that the loss leaves out, as torch's cross entropy has it


def fresh(size: Size, tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen2ForCausalLM:
    """Make an untrained model, seeded."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        intermediate_size=size.mlp,
        initializer_range=size.spread,
        max_position_embeddings=tokenizer.model_max_length,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return Qwen2ForCausalLM(config)


def tensors(batch: Sequence[tuple[list[int], list[int]]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Put prompts and completions side by side as ids and labels, both texts × tokens.

    Shorter texts are filled up on the right. Labels leave out the prompt and the filling;
    the stop token counts as part of the completion.

    Parameters
    ----------
    batch : sequence of (list of int, list of int)
        Token ids of prompt and completion.
    pad : int
        Token id of the filling.
    """
    import torch

    width = max(len(asked) + len(told) for asked, told in batch)
    ids = torch.full((len(batch), width), pad)
    labels = torch.full_like(ids, NO_LOSS)
    for row, (asked, told) in enumerate(batch):
        end = len(asked) + len(told)
        ids[row, :end] = torch.tensor([*asked, *told])
        labels[row, len(asked) : end] = ids[row, len(asked) : end]
    return ids, labels


def encoded(
    batch: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerFast
) -> list[tuple[list[int], list[int]]]:
    """Turn texts into token ids, the completion with the stop token at its end."""
    asked, told = (tokenizer(list(side))["input_ids"] for side in zip(*batch, strict=True))
    return [(before, [*after, tokenizer.eos_token_id]) for before, after in zip(asked, told, strict=True)]
