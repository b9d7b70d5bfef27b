"""Random language models small enough for a test: real architectures, real files, no training."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

SPECIAL = ("<pad>", "<eos>", "<think>", "</think>")
PRINTABLE = "\n" + "".join(sorted(set(string.printable) - set(string.whitespace) | {" "}))
VOCABULARY = (*SPECIAL, *PRINTABLE)


def tokenizer(chat_template: str | None = None, **extra: Any):
    """One token per character of printable ASCII, newline, and four special tokens.

    Written as byte-level pairs without a single merge: for a Qwen2 model, AutoTokenizer
    puts a byte-level splitter before whatever vocabulary it finds.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    # Bytes are written as in GPT-2: printable ones as themselves, the others moved up by 256.
    written = [character if character >= "!" else chr(ord(character) + 256) for character in PRINTABLE]
    ids = {token: place for place, token in enumerate((*SPECIAL, *written))}
    # A character outside ASCII is read as question marks: prompts of the item bank hold a few.
    core = Tokenizer(models.BPE(ids, merges=[], unk_token="?"))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        eos_token="<eos>",
        additional_special_tokens=["<think>", "</think>"],
        clean_up_tokenization_spaces=False,
        **extra,
    )
    fast.chat_template = chat_template
    return fast


def random_model(
    path: Path,
    *,
    layers: int = 2,
    hidden: int = 64,
    vocab: int = len(VOCABULARY),
    seed: int = 0,
    chat_template: str | None = None,
    architecture: str = "qwen2",
    stop_ids: int | list[int] | None = 1,
    spread: float = 0.4,
    **config: Any,
) -> Path:
    """Write a randomly initialised model and its tokenizer into a folder.

    Parameters
    ----------
    path : Path
        Folder, made if need be.
    layers, hidden, vocab : int
        Size; four heads (two for keys and values), an MLP twice as wide as `hidden`.
    seed : int
        Seed of the weights.
    chat_template : str, optional
        Jinja template of the tokenizer.
    architecture : str
        Model type in transformers: ``qwen2``, ``llama``, ``gpt2``, ``mistral``...
    stop_ids : int, list of int or None
        ``eos_token_id`` of the generation config; None leaves it out.
    spread : float
        Standard deviation of the weights: large values keep greedy text from looping at once.
    **config
        Further settings of the architecture's config.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

    wide = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 2 * hidden}
    if architecture == "gpt2":
        wide = {"n_head": 4}
    given = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "vocab_size": max(vocab, len(VOCABULARY)),
        "initializer_range": spread,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "bos_token_id": None,
        "tie_word_embeddings": False,
        **wide,
        **config,
    }
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **given))
    model.generation_config = GenerationConfig(eos_token_id=stop_ids, pad_token_id=0)
    model.save_pretrained(path)
    tokenizer(chat_template).save_pretrained(path)
    return path
