"""Loading a tokenizer and weights: safetensors only, pinned, and never with foreign code."""

from __future__ import annotations

import sys
from typing import Any

from handan.traces.device import FLOATS, resolve_dtype
from handan.traces.errors import EngineError, ModelError
from handan.traces.memory import out_of_memory
from handan.traces.models import Model


def load_tokenizer(model: Model) -> Any:
    """Load a model's tokenizer as its ``tokenizer.json`` has it.

    AutoTokenizer is asked second only: for some architectures, Qwen2 among them, it
    replaces the published way of cutting text by that of the architecture.

    Parameters
    ----------
    model : Model
        See there.

    Raises
    ------
    ModelError
        When there is none, or it needs code of its own.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        return PreTrainedTokenizerFast.from_pretrained(**model.pinned())
    except Exception:
        try:
            return AutoTokenizer.from_pretrained(**model.pinned())
        except Exception as error:
            raise _model_error(model, "tokenizer", error) from error


def load_network(model: Model, *, device: str, dtype: str, attention: str | None = None) -> Any:
    """Load a model's weights.

    Parameters
    ----------
    model : Model
        See there.
    device, dtype : str
        As resolved by `handan.traces.device`.
    attention : str, optional
        Attention implementation of transformers: ``sdpa``, ``eager``, ``flash_attention_2``...

    Returns
    -------
    transformers.PreTrainedModel
        In evaluation mode, on the device.

    Raises
    ------
    ModelError
        When the weights can't be had, are not in safetensors, or need code of their own.
    EngineError
        When this installation can't load them so, or they don't fit.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    if not sys.stderr.isatty():
        # In a log every step of a bar would be a line.
        logging.disable_progress_bar()
    options: dict[str, Any] = {"use_safetensors": True, **_number_format(device, dtype)}
    if attention:
        options["attn_implementation"] = attention
    if device != "cpu":
        options["device_map"] = device
    try:
        network = AutoModelForCausalLM.from_pretrained(**model.pinned(), **options)
    except ImportError as error:
        raise EngineError(f"{model.name} can't be loaded so: {_brief(error)}") from error
    except Exception as error:
        if out_of_memory(error):
            raise EngineError(
                f"the weights of {model.name} don't fit on {device} as {dtype}; "
                "take a smaller model, 8 or 4 bits, or a larger device"
            ) from error
        raise _model_error(model, "model", error) from error
    return network.eval()


def stop_tokens(network: Any, tokenizer: Any) -> frozenset[int]:
    """Return every token that ends a text, according to any of the three places that say so."""
    config = network.config
    found: list[Any] = []
    for place in (network.generation_config, config, config.get_text_config(), tokenizer):
        ids = getattr(place, "eos_token_id", None)
        found += ids if isinstance(ids, (list, tuple)) else [ids]
    return frozenset(int(one) for one in found if one is not None)


def context_limit(network: Any) -> int | None:
    """Return how many tokens the model reads at most, prompt and continuation; None if nothing is said."""
    limit = getattr(network.config.get_text_config(), "max_position_embeddings", None)
    return int(limit) if limit and limit > 0 else None


def _number_format(device: str, dtype: str) -> dict[str, Any]:
    import torch

    if dtype in FLOATS:
        return {"dtype": getattr(torch, dtype)}
    from transformers import BitsAndBytesConfig

    compute = getattr(torch, resolve_dtype(device)[0])
    config = (
        BitsAndBytesConfig(load_in_8bit=True)
        if dtype == "int8"
        else BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute)
    )
    return {"dtype": compute, "quantization_config": config}


def _model_error(model: Model, part: str, error: Exception) -> ModelError:
    text = str(error)
    if "trust_remote_code" in text:
        return ModelError(
            f"{model.location} needs code from its own repository, which is never run here; "
            "choose a model that transformers knows by itself, or serve it elsewhere and use --engine openai"
        )
    if "safetensors" in text and part == "model":
        return ModelError(
            f"{model.location} has no weights in safetensors; other formats can run code and are not loaded"
        )
    return ModelError(
        f"the {part} of {model.location} (revision {model.revision}) can't be loaded: {_brief(error)}"
    )


def _brief(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)[:300]}"
