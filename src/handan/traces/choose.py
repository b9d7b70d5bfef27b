"""From the words of a command to an engine, and to what the engine makes of a prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

import pandas as pd

from handan.traces.engine import Engine
from handan.traces.errors import EngineError
from handan.traces.models import Model, behind_endpoint, resolve
from handan.traces.prompts import SERVER, chat_renderer


class Kind(StrEnum):
    """The engines."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"
    OPENAI = "openai"
    RAY = "ray"


@dataclass(frozen=True)
class Options:
    """Settings of the engines, by the names of the command line; each engine takes its own.

    Parameters
    ----------
    kind : Kind
        Which engine.
    dtype, device : str
        ``auto`` leaves the choice to the engine, which prints its reason.
    batch_size : int, optional
        Sequences at a time; found by the engine when None.
    quantize : {4, 8}, optional
        Load weights in so many bits.
    attention : str, optional
        Attention implementation of transformers.
    base_url, api_key_env : str
        Endpoint, and the environment variable with its key.
    concurrency : int
        Requests at a time at an endpoint.
    gpus : int
        GPUs that vLLM splits the model over.
    actors : int
        Copies of the model on a Ray cluster.
    address : str, optional
        The Ray cluster; a local one when None.
    inner : Kind
        What each Ray actor runs.
    """

    kind: Kind = Kind.TRANSFORMERS
    dtype: str = "auto"
    device: str = "auto"
    batch_size: int | None = None
    quantize: int | None = None
    attention: str | None = None
    base_url: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    concurrency: int = 8
    gpus: int = 1
    actors: int = 2
    address: str | None = None
    inner: Kind = Kind.TRANSFORMERS


@dataclass(frozen=True)
class Chosen:
    """An engine that is not yet entered, and what its requests must say.

    Attributes
    ----------
    model : Model
        Who is asked.
    engine : Engine
        Who asks.
    dtype, reason : str
        Number format of the weights, and why.
    render : callable
        Message to prompt.
    template : str
        Hash of the chat template.
    tokenizer : object or None
        The model's tokenizer, where it is on this machine.
    """

    model: Model
    engine: Engine
    dtype: str
    reason: str
    render: Callable[[str], str] = str
    template: str = SERVER
    tokenizer: Any = None


def choose(
    name: str,
    options: Options,
    *,
    revision: str | None = None,
    prompt: str | None = None,
    lineage: pd.DataFrame | None = None,
) -> Chosen:
    """Find a model and the engine for it. Loads a tokenizer, never weights.

    Parameters
    ----------
    name : str
        Name in the lineage, hub id, folder, or what an endpoint calls the model.
    options : Options
        See there.
    revision : str, optional
        Commit on the hub.
    prompt : Style or str, optional
        How problems are put, ``wording`` or ``code``; by default as the model wants it.
    lineage : DataFrame, optional
        By default the packaged table.

    Raises
    ------
    ModelError, EngineError
        When the model can't be found, or the engine lacks a package or a setting.
    """
    if options.kind is Kind.OPENAI:
        return _endpoint(_asked(behind_endpoint(name, lineage=lineage), prompt), options)
    model = _asked(resolve(name, revision, lineage=lineage), prompt)
    from handan.traces.device import resolve_device, resolve_dtype
    from handan.traces.loading import load_tokenizer

    device = resolve_device(options.device)
    dtype, reason = resolve_dtype(device, _format(options))
    tokenizer = load_tokenizer(model)
    render, template = chat_renderer(tokenizer)
    return Chosen(model, _local(model, options, dtype, device), dtype, reason, render, template, tokenizer)


def _asked(model: Model, prompt: str | None) -> Model:
    return replace(model, prompt=prompt) if prompt else model


def _format(options: Options) -> str:
    if options.quantize is None:
        return options.dtype
    if options.quantize not in (4, 8) or options.dtype != "auto":
        raise EngineError("weights are quantised to 4 or 8 bits, and then --dtype is left alone")
    return f"int{options.quantize}"


def _endpoint(model: Model, options: Options) -> Chosen:
    from handan.traces.openai_engine import OpenAIEngine

    if not options.base_url:
        raise EngineError("the openai engine needs the address of an endpoint: --base-url https://…/v1")
    engine = OpenAIEngine(
        model,
        base_url=options.base_url,
        api_key_env=options.api_key_env,
        concurrency=options.concurrency,
    )
    return Chosen(model, engine, SERVER, "the endpoint does not say", template=engine.template)


def _local(model: Model, options: Options, dtype: str, device: str) -> Engine:
    if options.kind is Kind.RAY:
        from handan.traces.ray_engine import RayEngine

        if options.inner in (Kind.RAY, Kind.OPENAI):
            raise EngineError(f"a Ray actor runs transformers or vllm, not {options.inner}")
        recipe = partial(_single, model, replace(options, kind=options.inner), dtype)
        # This machine may have no GPU where the cluster's have: then the workers are asked.
        gpus = None if device == "cpu" else options.gpus
        return RayEngine(recipe, actors=options.actors, gpus_per_actor=gpus, address=options.address)
    return _single(model, options, dtype)


def _single(model: Model, options: Options, dtype: str) -> Engine:
    if options.kind is Kind.VLLM:
        from handan.traces.vllm_engine import VLLMEngine

        return VLLMEngine(model, dtype=dtype, tensor_parallel=options.gpus)
    from handan.traces.transformers_engine import TransformersEngine

    return TransformersEngine(
        model,
        dtype=_format(options),
        device=options.device,
        batch_size=options.batch_size or "auto",
        attention=options.attention,
    )
