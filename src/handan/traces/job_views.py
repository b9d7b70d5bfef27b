"""Look at a job and at a store before anything is done, and after."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from handan.traces.choose import Kind
from handan.traces.jobs import Job
from handan.traces.plan import expected_tokens, plan
from handan.traces.request import Request
from handan.traces.store import Store

_WHY_SHOWN = 20


def dry_run(
    job: Job, out: Path | None, *, price_in: float | None = None, price_out: float | None = None
) -> pd.DataFrame:
    """Say what a job would take; see `handan.traces.plan.plan`."""
    stored, settled = None, 0
    if out is not None and out.is_dir():
        with Store.open(out, create=False, writable=False) as store:
            settled = len(store.done([request.key for request in job.requests]))
            stored = store.read(["model", "engine", "output_tokens", "seconds"])
    limit = job.requests[0].decoding.max_new_tokens
    expected = expected_tokens(job.chosen.model, limit, stored)
    rate, source = _measured_rate(job, out)
    return plan(
        job.requests,
        settled,
        expected,
        tokenizer=job.chosen.tokenizer,
        memory=_memory(job, int(expected.tokens)),
        rate=rate,
        rate_source=source,
        price_in=price_in,
        price_out=price_out,
    )


def why(job: Job, out: Path) -> pd.DataFrame:
    """List, for requests that are not in a store, the stored ones that are nearest and what differs.

    Returns
    -------
    DataFrame
        Columns ``task, item, sample, part, stored, asked``; at most 20 requests are explained.
    """
    with Store.open(out, create=False, writable=False) as store:
        settled = store.done([request.key for request in job.requests])
        missing = [request for request in job.requests if request.key not in settled][:_WHY_SHOWN]
        parts = [_labelled(store.why(request.parts()), request) for request in missing]
    columns = ["task", "item", "sample", "part", "stored", "asked"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def runs(store: Store) -> pd.DataFrame:
    """List the runs of a store, each with what of it is settled.

    Returns
    -------
    DataFrame
        Columns ``started, model, engine, requests, settled, failed``.
    """
    rows = []
    for entry in store.runs():
        engine, model = entry.get("engine", {}), entry.get("model", {})
        named = {"started": entry["started"], "model": model.get("name"), "engine": engine.get("engine")}
        rows.append(named | {name: entry[name] for name in ("requests", "settled", "failed")})
    return pd.DataFrame(rows, columns=["started", "model", "engine", "requests", "settled", "failed"])


def _labelled(found: pd.DataFrame, request: Request) -> pd.DataFrame:
    if found.empty:
        found = pd.DataFrame([{"part": "none", "stored": "no row of this item and sample", "asked": ""}])
    return found.assign(task=request.task, item=request.item, sample=request.sample)


def _measured_rate(job: Job, out: Path | None) -> tuple[float | None, str]:
    if out is None or not out.is_dir():
        return None, ""
    with Store.open(out, create=False, writable=False) as store:
        rate = store.rate(job.chosen.model.name, job.chosen.engine.name)
    return rate, f"measured with {job.chosen.engine.name} in this store"


def _memory(job: Job, answer: int) -> float | None:
    if job.options.kind is Kind.OPENAI:
        return None
    from transformers import AutoConfig

    from handan.traces.budget import shape_from

    model = job.chosen.model
    params = _weights(Path(model.location)) if model.is_local else model.params
    if params is None:
        return None
    return shape_from(AutoConfig.from_pretrained(**model.pinned()), params, job.chosen.dtype).memory(
        1, answer
    )


def _weights(folder: Path) -> float:
    """Count the weights of a folder from the headers of its files; no weight is read."""
    from safetensors import safe_open

    count = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="np") as file:
            count += sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    return float(count)
