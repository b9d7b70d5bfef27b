"""How many rows fit: a first guess from sizes, and the errors that say it was wrong."""

from __future__ import annotations

import os
from typing import Any

from handan.traces.budget import shape_from

# On a CPU measured: with 0.1 M parameters a batch of 128 is 14 % faster than one of 64 and 256 another 20 %,
# with 6 M there is no difference beyond 64; what is in flight is lost when a run is killed.
_MOST = {"cuda": 256, "mps": 32, "cpu": 128}
_SHARE = {"cuda": 0.8, "mps": 0.4, "cpu": 0.4}  # of the free memory; CPUs have no error to recover from
_COPIES = 6  # of the logits at a time, in 32 bits, while a token is chosen


def free_bytes(device: str) -> float | None:
    """Return the memory that is free on a device, None where that can't be found out."""
    import torch

    if device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    try:
        pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
        return float(os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):  # Windows
        return None


def guess_batch(network: Any, device: str, context: int) -> int:
    """Return a batch size whose caches fit when every row is `context` tokens long.

    Parameters
    ----------
    network : transformers.PreTrainedModel
        Already loaded, so that its weights are not free memory any more.
    device : str
        Where it is.
    context : int
        Tokens of the longest prompt and its continuation.
    """
    kind = device.split(":")[0]
    most, free = _MOST.get(kind, 32), free_bytes(device)
    if free is None:
        return most
    config = network.config.get_text_config()
    size = network.dtype.itemsize
    try:
        kept = shape_from(config, 0, {4: "float32"}.get(size, "bfloat16")).per_token
    except AttributeError:  # no attention
        kept = 2.0 * size * getattr(config, "num_hidden_layers", 1) * config.hidden_size
    row = kept * context + 4 * _COPIES * config.vocab_size
    return int(max(1, min(most, _SHARE.get(kind, 0.4) * free / row)))


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def release(device: str) -> None:
    """Give back what was allocated for a batch that is gone."""
    import gc

    import torch

    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
