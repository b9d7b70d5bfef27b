"""What the command `handan traces` does, as functions: prepare, look, run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from handan.lineage import load_lineage
from handan.norms import task, tasks
from handan.traces.choose import Chosen, Kind, Options, choose
from handan.traces.errors import EngineError, RequestError
from handan.traces.plan import expected_tokens, plan
from handan.traces.progress import Progress
from handan.traces.prompts import problems, requests
from handan.traces.request import Decoding, Request
from handan.traces.run import Report, run
from handan.traces.store import Store

_WHY_SHOWN = 20


@dataclass(frozen=True)
class Job:
    """A run that is ready to be looked at or done.

    Attributes
    ----------
    chosen : Chosen
        Model and engine.
    options : Options
        As asked for.
    requests : list of Request
        All that is wanted.
    """

    chosen: Chosen
    options: Options
    requests: list[Request]

    @property
    def says(self) -> str:
        """What was chosen, and why, in one line."""
        model = self.chosen.model
        return f"{model.name} ({model.model_id} at {model.revision[:10]}), {self.chosen.reason}"


def prepare(
    model: str,
    names: Sequence[str],
    decoding: Decoding,
    options: Options,
    *,
    samples: int = 1,
    limit: int | None = None,
    revision: str | None = None,
    prompt: str | None = None,
    lineage: Path | None = None,
) -> Job:
    """Find the model and write down every request; nothing is loaded but a tokenizer.

    Parameters
    ----------
    model : str
        See `handan.traces.choose.choose`.
    names : sequence of str
        Tasks of the bank; ``all`` are those that a model can be asked.
    decoding, options, samples, limit, revision, prompt
        As in the command.
    lineage : Path, optional
        A user's own lineage.

    Raises
    ------
    TracesError
        When model, task or settings make no sense.
    """
    if not names:
        raise RequestError(f"name a task with --task; there are: {', '.join(_askable())}, or all")
    chosen_tasks = _askable() if list(names) == ["all"] else list(names)
    items = problems(chosen_tasks, limit=limit)
    family = load_lineage(lineage) if lineage else None
    chosen = choose(model, options, revision=revision, prompt=prompt, lineage=family)
    made = requests(
        chosen.model,
        items,
        decoding,
        samples=samples,
        dtype=chosen.dtype,
        render=chosen.render,
        template=chosen.template,
    )
    return Job(chosen, options, made)


def execute(
    job: Job,
    out: Path,
    *,
    retry_errors: bool = False,
    batches: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Report:
    """Do what is left of a job.

    Parameters
    ----------
    job : Job
        From `prepare`.
    out : Path
        Folder of the store.
    retry_errors : bool
        Ask failed requests again.
    batches : sequence of Path
        Take the answers from these batch files instead of asking.
    progress : Progress, optional
        By default silent.

    Raises
    ------
    TracesError
        When the engine or the store can't go on; what was answered is kept.
    """
    model = job.chosen.model
    info = {
        "model": asdict(model),
        "passed": asdict(job.options),
        "decoding": asdict(job.requests[0].decoding),
    }
    with Store.open(out) as store:
        if model.is_local or job.chosen.tokenizer is not None:
            _keep_tokenizer(store, job)
        engine, todo = job.chosen.engine, job.requests
        if batches:
            from handan.traces.openai_batch import BatchFiles

            engine = BatchFiles(batches)
            todo = engine.known(job.requests)
        return run(todo, engine, store, retry_errors=retry_errors, info=info, progress=progress)


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


def write_batch(job: Job, out: Path, path: Path) -> list[Path]:
    """Write what is left to do as OpenAI batch files."""
    from handan.traces.openai_batch import write_batch as write

    if job.options.kind is not Kind.OPENAI:
        raise EngineError("batch files are for --engine openai")
    with Store.open(out) as store:
        settled = store.done([request.key for request in job.requests])
    left = [request for request in job.requests if request.key not in settled]
    if not left:
        raise RequestError("nothing to do: every request is in the store")
    return write(left, path)


def _askable() -> list[str]:
    return [name for name in tasks() if task(name).has_prompt]


def _labelled(found: pd.DataFrame, request: Request) -> pd.DataFrame:
    if found.empty:
        found = pd.DataFrame([{"part": "none", "stored": "no row of this item and sample", "asked": ""}])
    return found.assign(task=request.task, item=request.item, sample=request.sample)


def _keep_tokenizer(store: Store, job: Job) -> None:
    backend = getattr(job.chosen.tokenizer, "backend_tokenizer", None)
    if backend is not None:
        store.save_tokenizer(backend.to_str().encode(), job.chosen.model.revision)


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
