"""What an experiment takes before it is run: tokens, memory, hours and money.

A decoding step reads all weights once and the cache of every sequence, and computes two
operations per weight and sequence. The slower of the two bounds the rate:

    seconds per step = max((weights + batch × context × cache per token) / bandwidth,
                           2 × active weights × batch / compute)
    tokens per second = efficiency × batch / seconds per step

This is the usual roofline of decoding. Prompts are short here and are left out.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from handan.tables import packaged

BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "int8": 1.0, "int4": 0.5}
_LARGEST_BATCH = 256  # as many sequences as vLLM runs at a time by default
_USABLE = 0.9  # share of GPU memory that an engine takes


@dataclass(frozen=True)
class Shape:
    """What of a model's architecture decides speed and memory.

    Parameters
    ----------
    params : float
        Number of weights.
    active : float
        Weights that one token uses; fewer than all in a mixture of experts.
    cache : float
        Numbers kept per token of context.
    weight_bytes : float
        Bytes per weight.
    cache_bytes : float
        Bytes per number in the cache.
    """

    params: float
    active: float
    cache: float
    weight_bytes: float = 2.0
    cache_bytes: float = 2.0

    @property
    def weights(self) -> float:
        """Bytes of all weights."""
        return self.params * self.weight_bytes

    @property
    def per_token(self) -> float:
        """Bytes of cache per token of context."""
        return self.cache * self.cache_bytes

    def memory(self, batch: int, context: int) -> float:
        """Bytes of weights and cache, for so many sequences of so many tokens."""
        return self.weights + batch * context * self.per_token


@dataclass(frozen=True)
class Machine:
    """A machine with one or more GPUs of one kind.

    Parameters
    ----------
    title : str
        Its name for readers.
    gpus : int
        How many.
    memory, bandwidth, compute : float
        Of one GPU: bytes, bytes per second, 16-bit operations per second.
    usd_per_hour : float
        Price of one GPU.
    source, price_note : str
        Where the figures are from.
    """

    title: str
    gpus: int
    memory: float
    bandwidth: float
    compute: float
    usd_per_hour: float
    source: str = ""
    price_note: str = ""

    def gpus_per_copy(self, shape: Shape, context: int) -> int | None:
        """Return the fewest GPUs, a power of two, that hold the model and one sequence; None if all don't."""
        need = shape.memory(1, context) / (_USABLE * self.memory)
        group = 2 ** max(0, math.ceil(math.log2(need)))
        return group if group <= self.gpus else None

    def rate(self, shape: Shape, context: int, efficiency: float) -> float:
        """Tokens per second of the whole machine with as many sequences at a time as fit.

        The model is split over the number of GPUs that gives the highest rate; sharing work
        between them is taken to be free, which flatters large groups.

        Parameters
        ----------
        shape : Shape
            The model.
        context : int
            Tokens of a sequence, prompt included, when it is full.
        efficiency : float
            Share of the limit that is reached, in (0, 1].

        Returns
        -------
        float
            0 when the model doesn't fit.
        """
        fewest = self.gpus_per_copy(shape, context)
        if fewest is None:
            return 0.0
        groups = (2**power for power in range(int(math.log2(fewest)), int(math.log2(self.gpus)) + 1))
        rates = (self._group_rate(shape, context, group) * (self.gpus // group) for group in groups)
        return efficiency * max(rates)

    def _group_rate(self, shape: Shape, context: int, group: int) -> float:
        room = group * _USABLE * self.memory - shape.weights
        batch = max(1, min(_LARGEST_BATCH, int(room / (context * shape.per_token))))
        # On average a sequence is half written.
        traffic = shape.weights + batch * context / 2 * shape.per_token
        read = traffic / (group * self.bandwidth)
        compute = 2 * shape.active * batch / (group * self.compute)
        return batch / max(read, compute)


@cache
def stated() -> dict[str, Any]:
    """Machines, prices and shapes that the package states, each with its source."""
    return tomllib.loads(packaged("hardware.toml").read_text(encoding="utf-8"))


def machines() -> dict[str, Machine]:
    """Machines that the package knows, by name."""
    return {name: Machine(**entry) for name, entry in stated()["machines"].items()}


def shape_of(base: str, params: float, dtype: str = "bfloat16") -> Shape:
    """Shape of a model of a known family.

    Parameters
    ----------
    base : str
        Name in the table of shapes, for example ``Qwen2.5-7B``.
    params : float
        Number of weights.
    dtype : str
        Number format of the weights.

    Raises
    ------
    LookupError
        When the family is not in the table.
    """
    known = stated()["shapes"]
    if base not in known:
        raise LookupError(f"no shape for {base!r}; there are: {', '.join(known)}")
    entry = known[base]
    kept = entry.get("cache_per_layer") or 2 * entry["kv_heads"] * entry["head_dim"]
    size = entry.get("bytes_per_weight", BYTES[dtype])
    return Shape(params, entry.get("active", params), entry["layers"] * kept, size)


def shape_from(config: Any, params: float, dtype: str) -> Shape:
    """Shape of a model from its Hugging Face configuration; grouped attention is taken into account.

    Parameters
    ----------
    config : PretrainedConfig
        Anything with ``num_hidden_layers``, ``num_attention_heads`` and ``hidden_size``.
    params : float
        Number of weights.
    dtype : str
        Number format of weights and cache.
    """
    heads = config.num_attention_heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    size = BYTES.get(dtype, 2.0)
    kept = 2 * config.num_hidden_layers * kv_heads * head_dim
    return Shape(params, params, kept, size, max(size, 2.0))


def paper_shapes(dtype: str = "bfloat16") -> dict[str, Shape]:
    """Shape of each of the 14 models of the paper, by name: fine-tuning leaves the shape as it was."""
    from handan.lineage import load_lineage, paper_design

    lineage = load_lineage().set_index("model")
    known = stated()["shapes"]
    return {
        model: shape_of(_family(model, lineage["base"], known), float(lineage.at[model, "params"]), dtype)
        for model in paper_design()["model"]
    }


def _family(model: str, base: Any, known: dict[str, Any]) -> str:
    """Walk back to the checkpoint that the table of shapes knows; Math and Instruct models share shapes."""
    name = model
    while name not in known:
        plain = name.replace("-Math", "").replace("-Instruct", "").replace("Llama-3.3", "Llama-3.1")
        if plain in known:
            return plain
        name = str(base[name])
    return name
