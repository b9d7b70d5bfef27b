"""Many GPUs or machines: another engine in the actors of Ray Data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from handan.traces.engine import Engine
from handan.traces.errors import EngineError
from handan.traces.ray_cluster import connect, disconnect, last_line
from handan.traces.ray_worker import TRIES, Tally, Worker, probe
from handan.traces.request import Completion, Request
from handan.traces.wire import pack_request, unpack_completion

if TYPE_CHECKING:
    from ray.data import DataContext, Dataset

# By how much blocks shrink from pass to pass: a request that kills its actor is cornered in three.
_SHRINK = 16


class RayEngine:
    """Requests spread by Ray Data over actors that run another engine.

    Ray Data does the scheduling, this class the accounting. Requests travel in blocks; a
    block's answers come back when all of it is answered, are yielded at once and so become
    durable in the store, by the key of their request. The same run started again asks only
    for what the store lacks: that is the checkpoint. Samples are seeded by the key, so a block
    tried again on another actor gives the same answers.

    A block whose actor dies is tried again; when the actor dies each time, the block's
    requests are tried in smaller blocks and at last one by one. A request that still kills its
    actor becomes a failed completion, and the others are answered.

    Parameters
    ----------
    recipe : callable
        Builds the inner engine on a worker, so it must be possible to pickle it; for example
        ``partial(TransformersEngine, model, dtype="bfloat16")``. A model in a folder must be
        at the same path on every machine.
    actors : int
        Engines at work at the same time.
    cpus_per_actor : float
        Logical CPUs of each, for Ray's scheduler.
    gpus_per_actor : float, optional
        GPUs of each. By default one where the cluster has any, else none; without, an actor sees no GPU.
    address : str, optional
        See `handan.traces.ray_cluster.connect`.
    block_rows : int
        Requests in a block, at most: what an actor holds at a time, and what is done again
        when it dies. Fewer where there would not be two blocks per actor.
    start_seconds : float
        How long to wait for room for the first actor, for clusters that grow on demand.

    Raises
    ------
    EngineError
        When a number makes no sense.
    """

    name = "ray"

    def __init__(
        self,
        recipe: Callable[[], Engine],
        *,
        actors: int = 2,
        cpus_per_actor: float = 1.0,
        gpus_per_actor: float | None = None,
        address: str | None = None,
        block_rows: int = 256,
        start_seconds: float = 600.0,
    ) -> None:
        if actors < 1 or block_rows < 1 or cpus_per_actor < 0 or (gpus_per_actor or 0) < 0:
            raise EngineError(
                f"actors and block_rows must be at least 1, CPUs and GPUs at least 0: "
                f"got {actors}, {block_rows}, {cpus_per_actor}, {gpus_per_actor}"
            )
        self._recipe = recipe
        self._actors = actors
        self._needs: dict[str, Any] = {"num_cpus": cpus_per_actor, "num_gpus": gpus_per_actor}
        self._address = address
        self._block_rows = block_rows
        self._start_seconds = start_seconds
        self._cluster: Any = None
        self._worker: dict[str, Any] = {}

    def __enter__(self) -> RayEngine:
        self._cluster = connect(self._address, self._actors * self._needs["num_cpus"] + 1)
        try:
            if self._needs["num_gpus"] is None:
                self._needs["num_gpus"] = float(self._cluster.resources.get("GPU", 0) >= 1)
            self._worker = self._probe()
        except BaseException:
            disconnect(self._cluster)
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        disconnect(self._cluster)

    def settings(self) -> dict[str, Any]:
        """See `Engine`. Under ``inner``: the engine's own, as a worker of the cluster gave them."""
        import ray

        inner = self._worker.get("settings", {})
        return {
            "engine": self.name,
            "device": inner.get("device", "unknown"),
            "ray": ray.__version__,
            "address": self._cluster.address if self._cluster else self._address,
            "nodes": self._cluster.nodes if self._cluster else None,
            "resources": self._cluster.resources if self._cluster else {},
            "actors": self._actors,
            **self._needs,
            "block_rows": self._block_rows,
            "tries": TRIES,
            "worker": {name: value for name, value in self._worker.items() if name != "settings"},
            "inner": inner,
        }

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """See `Engine`.

        Raises
        ------
        EngineError
            When the workers compute in another dtype than the requests say, when Ray gives up,
            or when the engine broke down before it answered anything.
        """
        self._check_dtype(requests)
        waiting = {request.key: request for request in requests}
        reasons: dict[str, str] = {}
        rows = min(self._block_rows, math.ceil(len(waiting) / (2 * self._actors)))
        while waiting:
            for key, answer, reason in self._pass(list(waiting.values()), rows):
                if answer is None:
                    reasons[key] = reason
                elif waiting.pop(key, None):
                    yield unpack_completion(answer)
            if len(waiting) == len(requests) > rows:
                raise EngineError(f"no worker answers anything: {self._why(reasons, next(iter(waiting)))}")
            if rows == 1:
                break
            rows = math.ceil(rows / _SHRINK)
        for key in waiting:
            yield Completion.failed(key, self._why(reasons, key))

    def _why(self, reasons: dict[str, str], key: str) -> str:
        return f"{reasons.get(key, 'its block got lost')}; Ray's logs: {self._cluster.logs}"

    def _pass(self, requests: list[Request], rows: int) -> Iterator[tuple[str, str | None, str]]:
        import ray

        items = [{"request": pack_request(request)} for request in requests]
        blocks = ray.data.from_items(items, override_num_blocks=math.ceil(len(items) / rows))
        _settle(blocks.context)
        try:
            # Without prefetching a block is handed over the moment it is there, not with its successor.
            tables: Any = self._answers(blocks).iter_batches(
                batch_size=None, batch_format="pyarrow", prefetch_batches=0
            )
            for table in tables:
                yield from zip(
                    *(table[name].to_pylist() for name in ("key", "answer", "reason")), strict=True
                )
        except Exception as error:
            raise EngineError(
                f"Ray could not go on ({last_line(error)}); what was answered is safe, and the "
                f"same run goes on from there. Ray's logs: {self._cluster.logs}"
            ) from error

    def _answers(self, blocks: Dataset) -> Dataset:
        import ray

        # Ray Data retries without end by default, and its arguments that would limit this go
        # away in Ray 2.64; the tally limits it in every version.
        tally = ray.remote(num_cpus=0)(Tally).remote()
        return blocks.map_batches(
            Worker,  # type: ignore[arg-type]  # Ray's stubs know no callable class with arguments
            fn_constructor_args=(self._recipe, tally, self._actors),
            batch_size=None,
            batch_format="pyarrow",
            # One block at a time: a second one, waiting at an actor, would only wait longer.
            compute=ray.data.ActorPoolStrategy(size=self._actors, max_tasks_in_flight_per_actor=1),
            **self._needs,
        )

    def _probe(self) -> dict[str, Any]:
        import ray

        asked = ray.remote(probe).options(**self._needs).remote(self._recipe)
        try:
            found: dict[str, Any] = ray.get(asked, timeout=self._start_seconds)
        except ray.exceptions.GetTimeoutError:
            ray.cancel(asked)
            raise EngineError(
                f"the Ray cluster found no room for an actor with {self._needs} in "
                f"{self._start_seconds:g} s; it has {self._cluster.resources}"
            ) from None
        except ray.exceptions.RayError as error:
            raise EngineError(f"a Ray worker could not set up its engine: {last_line(error)}") from error
        return found

    def _check_dtype(self, requests: Sequence[Request]) -> None:
        found = self._worker.get("settings", {}).get("dtype")
        other = {request.dtype for request in requests} - {found}
        if isinstance(found, str) and other:
            raise EngineError(
                f"the Ray workers compute in {found}, but requests say {', '.join(sorted(other))}: name "
                f"the dtype for both, since this machine may have another device than the workers"
            )


def _settle(context: DataContext) -> None:
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # Data of a block whose actor keeps dying is dropped by Ray and asked for again by us.
    context.max_errored_blocks = -1
    # A long chain of thought is not a stalled pipeline; older Ray versions know no such limit.
    if hasattr(context, "execution_no_progress_timeout_s"):
        context.execution_no_progress_timeout_s = -1
