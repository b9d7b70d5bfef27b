"""Do what is left to do: requests through an engine into a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from handan.traces.engine import Engine
from handan.traces.errors import EngineError, RequestError
from handan.traces.request import Request
from handan.traces.rows import row

if TYPE_CHECKING:
    from handan.traces.progress import Progress
    from handan.traces.store import Store


@dataclass(frozen=True)
class Report:
    """What a run did.

    Attributes
    ----------
    asked : int
        Requests of the run.
    settled : int
        Of these, stored before it began.
    done, failed : int
        Answered now, and failed now.
    tokens : int
        Generated now.
    seconds : float
        From the start of the engine to its end.
    """

    asked: int
    settled: int
    done: int = 0
    failed: int = 0
    tokens: int = 0
    seconds: float = 0.0


def run(
    requests: Sequence[Request],
    engine: Engine,
    store: Store,
    *,
    retry_errors: bool = False,
    info: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Answer every request that the store has no answer to.

    Each answer is stored as it comes. When this is interrupted, by whatever, the same call
    goes on with what is left. When nothing is left, the engine isn't even started.

    Parameters
    ----------
    requests : sequence of Request
        All that is wanted, done or not.
    engine : Engine
        Not yet entered.
    store : Store
        Open for writing.
    retry_errors : bool
        Whether to ask again where a stored request failed.
    info : mapping, optional
        JSON values for the record of the run: what was asked for on the command line.
    progress : Progress, optional
        By default silent.

    Raises
    ------
    RequestError
        When two requests have the same key.
    EngineError
        When the engine can't go on, or breaks its promise of one answer per request.
    StoreError
        When an answer can't be written; all before it are safe.
    """
    wanted = {request.key: request for request in requests}
    if len(wanted) < len(requests):
        raise RequestError(f"{len(requests) - len(wanted)} requests repeat another one of the same run")
    settled = store.done(wanted, retry_errors=retry_errors)
    todo = {key: request for key, request in wanted.items() if key not in settled}
    report = Report(asked=len(wanted), settled=len(settled))
    if not todo:
        return report
    with engine:
        store.add_run({"requests": list(wanted), "engine": engine.settings(), **(info or {})})
        return _answer(todo, engine, store, report, progress)


def _answer(
    todo: dict[str, Request], engine: Engine, store: Store, report: Report, progress: Progress | None
) -> Report:
    from handan.traces.progress import Meter

    meter = progress.start(len(todo)) if progress else Meter(len(todo))
    before = store.attempts(list(todo))
    waiting = dict(todo)
    answers = engine.complete(list(todo.values()))
    try:
        for completion in answers:
            request = waiting.pop(completion.key, None)
            if request is None:
                raise EngineError(f"engine {engine.name} answered {completion.key} twice, or unasked")
            earlier = before.get(completion.key, 0)
            store.add(row(request, replace(completion, attempt=completion.attempt + earlier), engine.name))
            meter.count(completion)
            if progress:
                progress.update(meter)
    finally:
        # Stops an engine that still has work in flight, when we leave by an exception.
        close = getattr(answers, "close", None)
        if close:
            close()
        if progress:
            progress.stop(meter)
    if waiting:
        raise EngineError(f"engine {engine.name} left {len(waiting)} of {len(todo)} requests unanswered")
    done = meter.rows - meter.errors
    now = {"done": done, "failed": meter.errors, "tokens": meter.tokens, "seconds": meter.seconds}
    return Report(**(asdict(report) | now))
