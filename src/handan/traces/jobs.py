"""What the command `handan traces` does, as functions: prepare, look, run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from handan.lineage import load_lineage
from handan.norms import task, tasks
from handan.traces.choose import Chosen, Kind, Options, choose
from handan.traces.errors import EngineError, RequestError
from handan.traces.progress import Progress
from handan.traces.prompts import problems, requests
from handan.traces.request import Decoding, Request
from handan.traces.run import Report, run
from handan.traces.store import Store


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
    items: Sequence[tuple[str, str]] | None = None,
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
    items : sequence of (str, str), optional
        Tasks and items to ask, in place of all those of the named tasks.

    Raises
    ------
    TracesError
        When model, task or settings make no sense.
    """
    if not names:
        raise RequestError(f"name a task with --task; there are: {', '.join(_askable())}, or all")
    chosen_tasks = _askable() if list(names) == ["all"] else list(names)
    asked = problems(chosen_tasks, limit=limit) if items is None else items
    family = load_lineage(lineage) if lineage else None
    chosen = choose(model, options, revision=revision, prompt=prompt, lineage=family)
    made = requests(
        chosen.model,
        asked,
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


def _keep_tokenizer(store: Store, job: Job) -> None:
    backend = getattr(job.chosen.tokenizer, "backend_tokenizer", None)
    if backend is not None:
        store.save_tokenizer(backend.to_str().encode(), job.chosen.model.revision)
