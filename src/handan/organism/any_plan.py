"""What training a model of any size would do and take, from its configuration alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from handan.organism.any_data import HELD_OUT, TRAINED
from handan.organism.any_run import adapted, precision
from handan.organism.recipe import Reinforced
from handan.traces.budget import BYTES, shape_from
from handan.traces.device import resolve_device
from handan.traces.errors import ModelError
from handan.traces.memory import free_bytes
from handan.traces.models import Model

if TYPE_CHECKING:
    from handan.organism.any_job import Job

_PER_TRAINED = 12  # bytes: a gradient and two moments of AdamW, in 32 bits


def plan(job: Job, done: bool) -> pd.DataFrame:
    """Say what a job would do and take, a line per quantity: ``what, value, how``.

    Parameters
    ----------
    job : Job
        See `handan.organism.any_model`.
    done : bool
        Whether its model is there already.
    """
    device = resolve_device(job.options.device)
    dtype, _, reason = precision(device, bool(job.options.lora))
    network = on_paper(job.learner.model)
    every = network.num_parameters()
    if job.options.lora:
        network = adapted(network, job.options.lora)
    trained = sum(one.numel() for one in network.parameters() if one.requires_grad)
    counts = job.items["part"].value_counts()
    items = f"{counts.get(TRAINED, 0):,} to train on, {counts.get(HELD_OUT, 0):,} held out"
    adapters = f"adapters of rank {job.options.lora}" if job.options.lora else "all of them"
    lines = [
        (
            "model",
            job.learner.model.name,
            f"{job.learner.model.model_id} at {job.learner.model.revision[:12]}",
        ),
        ("device", device, reason),
        ("parameters", f"{trained:,} of {every:,}", adapters),
        ("items", items, ", ".join(job.items["task"].unique())),
        *[(what, "", how) for what, how in job.about.items()],
        ("steps", f"{job.how.steps:,}", _work(job)),
        ("memory", f"at least {_bytes(_memory(job, network, every, trained, dtype))}", _spare(device)),
    ]
    if done:
        lines.append(("to do", "nothing", "the model is there already"))
    return pd.DataFrame(lines, columns=["what", "value", "how"])


def on_paper(model: Model) -> Any:
    """Make a model's network without its weights, to count them.

    Raises
    ------
    ModelError
        When its configuration can't be read, or it is none that transformers knows by itself.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(**model.pinned())
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except Exception as error:
        brief = (str(error).splitlines() or [""])[0][:200]
        raise ModelError(f"{model.location} can't be trained: {type(error).__name__}: {brief}") from error


def _work(job: Job) -> str:
    how = job.how
    if isinstance(how, Reinforced):
        replies = how.steps * how.prompts * how.group
        tokens = replies * how.max_new_tokens
        each = f"{how.prompts} problems × {how.group} replies each"
        return f"{each}: {replies:,} replies, at most {tokens:,} tokens"
    longest = max(map(len, job.rows["input_ids"]))
    return f"{how.batch} texts each, the longest of {longest:,} tokens"


def _memory(job: Job, network: Any, every: int, trained: int, dtype: str) -> float:
    """Bytes of weights, of what the optimiser keeps, and of the replies' cache while they are written."""
    total = every * BYTES[dtype] + trained * _PER_TRAINED
    if isinstance(job.how, Reinforced):
        try:
            kept = shape_from(network.config.get_text_config(), 0, dtype).per_token
        except AttributeError:  # no attention
            kept = 0.0
        total += kept * job.how.prompts * job.how.group * job.how.max_new_tokens
    return total


def _spare(device: str) -> str:
    free = free_bytes(device)
    there = "" if free is None else f"; {_bytes(free)} are free on {device}"
    return f"weights, optimiser and cache, without activations{there}"


def _bytes(number: float) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e8 else f"{number / 1e6:,.1f} MB"
