"""What it would take to ask models, before any is loaded, and how a teacher is had that does not fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from handan.costs import ORGANISM, load_study
from handan.lineage import load_lineage
from handan.machine_models import (
    MAX_NEW_TOKENS,
    PROMPT,
    cards,
    fitting,
    machine_of,
    shapes,
    tiny_lineage,
)
from handan.profiles import Hardware
from handan.traces.budget import Shape, shape_from, stated
from handan.traces.models import behind_endpoint, resolve, tiny
from handan.traces.plan import expected_tokens, recorded_tokens

_NAN = float("nan")


def estimate(
    models: Sequence[str],
    hardware: Hardware | None,
    answers: int,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> pd.DataFrame:
    """Estimate what it takes to have models answer; nothing is downloaded, loaded or asked.

    Time is that of `handan.traces.budget`: the expected length of an answer over the rate that
    an assumed share of the card's limit gives.

    Parameters
    ----------
    models : sequence of str
        Names of the lineage, packaged tiny models, or anything else, of which nothing is known.
    hardware : Hardware or None
        The GPUs; without any, no rate is known beforehand.
    answers : int
        How many answers each model is to write.
    max_new_tokens : int
        Longest answer.

    Returns
    -------
    DataFrame
        A row per model: ``model, role, disk, memory`` (bytes), ``tokens`` (expected per answer),
        ``source`` (where that is from), ``rate`` (tokens per second), ``seconds`` (of all
        answers), ``fits`` (missing where its shape is unknown). NaN is what can't be known.
    """
    roles = pd.concat([load_lineage(), tiny_lineage()]).set_index("model")["role"]
    rows = [
        {"model": name, "role": roles.get(name, "")} | _needs(name, hardware, answers, max_new_tokens)
        for name in models
    ]
    return pd.DataFrame(rows).astype({"fits": "boolean"})


def teacher_elsewhere(models: Sequence[str], hardware: Hardware | None) -> str:
    """Say how the teacher of some students is had when this machine can't hold it.

    Parameters
    ----------
    models : sequence of str
        Names of the lineage.
    hardware : Hardware or None
        The GPUs.

    Returns
    -------
    str
        A few sentences; empty where every student's teacher is among the models.
    """
    lineage = load_lineage().set_index("model")
    students = [name for name in models if name in lineage.index and lineage.at[name, "role"] == "student"]
    absent = [name for name in dict.fromkeys(lineage.loc[students, "teacher"]) if name not in models]
    if not absent or hardware is None:
        return ""
    teacher = absent[0]
    found = fitting(hardware).set_index("model").loc[teacher]
    recorded = recorded_tokens()
    studies = sorted(recorded.loc[recorded["model"] == teacher, "study"].unique())
    return (
        f"{teacher}, the teacher, does not fit: it takes {found['memory'] / 1e9:.0f} GB, or "
        f"{found['gpus']:.0f} GPUs of {hardware.memory / 1e9:.0f} GB. Ask it at an endpoint, with "
        "the engine openai of handan traces, or take what it wrote for the "
        f"recorded studies: {', '.join(studies)}."
    )


def basis(hardware: Hardware | None) -> str:
    """Say what the times of `estimate` rest on, in a sentence."""
    if hardware is None:
        return "How long it takes without a GPU is measured by the first answers."
    share, title = stated()["efficiency"]["value"], cards()[hardware.card].title
    return (
        "Times are an estimate, not a measurement. They rest on the stated figures of this machine: "
        f"{title}, and on the assumption that {share:.0%} of its limit is reached."
    )


def _needs(name: str, hardware: Hardware | None, answers: int, max_new_tokens: int) -> dict[str, Any]:
    context = max_new_tokens + PROMPT
    tokens, source = _expected(name, max_new_tokens)
    shape: Shape | None
    if name in tiny():
        # So small that calls take the time, of which the formula knows nothing.
        shape, disk, rate, fits = _tiny_shape(name, hardware), 0.0, _NAN, True
    else:
        shape = shapes(hardware.dtype if hardware else "float32").get(name)
        disk = shapes()[name].weights if shape else _NAN
        rate, fits = _rate(shape, hardware, context)
    memory = shape.memory(1, context) if shape else _NAN
    return {"disk": disk, "memory": memory, "tokens": tokens, "source": source, "rate": rate} | {
        "seconds": tokens * answers / rate,
        "fits": fits,
    }


def _rate(shape: Shape | None, hardware: Hardware | None, context: int) -> tuple[float, Any]:
    if shape is None or hardware is None:
        return _NAN, pd.NA
    rate = machine_of(hardware).rate(shape, context, stated()["efficiency"]["value"])
    return rate or _NAN, rate > 0


@cache  # every call reads all recorded studies
def _expected(name: str, max_new_tokens: int) -> tuple[float, str]:
    if name in tiny():
        return _tiny_means()[name], "its mean in the organism's study"
    expected = expected_tokens(behind_endpoint(name), max_new_tokens)
    return expected.tokens, expected.source


@cache
def _tiny_means() -> dict[str, float]:
    costs = load_study(ORGANISM).costs
    return costs.astype({"output_tokens": float}).groupby("model")["output_tokens"].mean().to_dict()


def _tiny_shape(name: str, hardware: Hardware | None) -> Shape:
    model = resolve(name)
    config = json.loads((Path(model.location) / "config.json").read_text(encoding="utf-8"))
    dtype = hardware.dtype if hardware else "float32"
    return shape_from(SimpleNamespace(**config), model.params or 0.0, dtype)
