"""vLLM on a Ray cluster through files: for runs that outlive the program that started them.

Three steps, each on its own machine if need be:

1. `handan.traces.ray_files.write_requests` puts a work list into Parquet files at any place
   that fsspec knows.
2. `generate` reads them on the cluster, runs them through a pipeline, writes Parquet with the
   generated tokens beside them, and remembers finished requests by their key: run again after
   a crash, it goes on with the rest.
3. `handan.traces.ray_files.collect` turns these files into completions for the store.

The pipeline of `vllm_pipeline` is Ray's own (``ray.data.llm``): replicas of vLLM over GPUs and
machines, models split over several GPUs included. It needs ``pip install 'ray[data,llm]'`` on
the cluster, where it has not been run by us; everything around it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handan.traces.errors import EngineError
from handan.traces.models import Model
from handan.traces.ray_cluster import last_line
from handan.traces.ray_files import reach
from handan.traces.vllm_terms import model_arguments

if TYPE_CHECKING:
    from ray.data import Dataset

Pipeline = Callable[["Dataset"], "Dataset"]


def vllm_pipeline(
    model: Model,
    *,
    dtype: str,
    replicas: int = 1,
    tensor_parallel: int = 1,
    max_model_len: int | None = None,
    gpu_memory_utilization: float = 0.9,
    batch_rows: int = 64,
    accelerator: str | None = None,
    **options: Any,
) -> Pipeline:
    """Build Ray's pipeline around vLLM, for `generate`.

    Parameters
    ----------
    model : Model
        Who is asked; a folder must be at the same path on every machine.
    dtype : str
        Number format of the weights, as in the requests.
    replicas : int
        Copies of the model.
    tensor_parallel : int
        GPUs that each copy is split over.
    max_model_len : int, optional
        Context, prompt and reply together.
    gpu_memory_utilization : float
        Share of each GPU's memory to take.
    batch_rows : int
        Requests handed to a copy at a time; it has eight such batches under way.
    accelerator : str, optional
        Kind of GPU by Ray's name, such as ``H100``.
    **options
        Further engine arguments of vLLM.

    Raises
    ------
    EngineError
        When Ray's LLM package is missing or too old.
    """
    try:
        from ray.data.llm import build_processor, vLLMEngineProcessorConfig
    except ImportError as error:
        raise EngineError(
            f"this needs a current ray[data,llm]: pip install -U 'ray[data,llm]' ({error})"
        ) from None
    own = {key: value for key, value in model_arguments(model, dtype).items() if key != "model"}
    limit = {} if max_model_len is None else {"max_model_len": max_model_len}
    config = vLLMEngineProcessorConfig(
        model_source=model.location,
        engine_kwargs={
            "tensor_parallel_size": tensor_parallel,
            "gpu_memory_utilization": gpu_memory_utilization,
            **limit,
            **options,
            **own,
        },
        concurrency=replicas,
        batch_size=batch_rows,
        accelerator_type=accelerator,
        # One prompt that is too long would otherwise end the run.
        should_continue_on_error=True,
        chat_template_stage=False,
        tokenize_stage=False,
        detokenize_stage=False,
    )
    pipeline: Pipeline = build_processor(config, preprocess=_Asking(model.location))
    return pipeline


def generate(
    requests_at: str, answers_at: str, pipeline: Pipeline, *, done_at: str | None = None, block_rows: int = 64
) -> None:
    """Run a work list through a pipeline on the Ray cluster that this program is connected to.

    Parameters
    ----------
    requests_at : str
        Where `write_requests` wrote.
    answers_at : str
        Folder for the results; every machine must reach it.
    pipeline : callable
        See `vllm_pipeline`. Keeps ``key`` and adds ``generated_tokens``, ``num_input_tokens``,
        ``time_taken_llm`` and, for a request that failed, ``__inference_error__``.
    done_at : str, optional
        Folder in which Ray remembers finished requests, failed ones among them; by default
        beside the results. It is kept: the same call does nothing more once all are done.
    block_rows : int
        Requests that are written, and so become safe, together.

    Raises
    ------
    EngineError
        When Ray is too old to remember, or gives up. What was finished is safe.
    """
    import ray

    try:
        from ray.data.checkpoint import CheckpointConfig
    except ImportError:
        raise EngineError(f"Ray {ray.__version__} keeps no checkpoints: pip install -U 'ray[data]'") from None
    requests_files, source = _place(requests_at)
    answers_files, sink = _place(answers_at)
    done_files, done = _place(done_at or f"{answers_at.rstrip('/')}-done")
    try:
        asked = ray.data.read_parquet(source, filesystem=requests_files)
        asked.context.checkpoint_config = CheckpointConfig(
            "key", done, override_filesystem=done_files, delete_checkpoint_on_success=False
        )
        # A long chain of thought is not a stalled pipeline.
        asked.context.execution_no_progress_timeout_s = -1
        blocks = asked.repartition(target_num_rows_per_block=block_rows)
        pipeline(blocks).map(_answer).write_parquet(sink, filesystem=answers_files)
    except Exception as error:
        raise EngineError(
            f"Ray could not go on; what is finished is in {answers_at}: {last_line(error)}"
        ) from error


class _Asking:
    """Gives Ray's vLLM stage what it asks for."""

    def __init__(self, location: str) -> None:
        self._location = location

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        # The stage would take any other name in the column `model` for an adapter to load.
        return {
            "model": self._location,
            "tokenized_prompt": row["tokens"],
            "sampling_params": json.loads(row["sampling"]),
        }


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    error = str(row.get("__inference_error__") or "")
    ids = row.get("generated_tokens")
    if not error and (ids is None or len(ids) == 0):
        error = "nothing was generated"
    return {
        "key": row["key"],
        "ids": [] if error or ids is None else [int(token) for token in ids],
        "prompt_tokens": int(row.get("num_input_tokens") or 0),
        "seconds": float(row.get("time_taken_llm") or 0.0),
        "error": error,
    }


def _place(location: str) -> tuple[Any, str]:
    from pyarrow.fs import FSSpecHandler, LocalFileSystem, PyFileSystem

    files, folder = reach(location)
    local = "file" in ([files.protocol] if isinstance(files.protocol, str) else files.protocol)
    return (LocalFileSystem() if local else PyFileSystem(FSSpecHandler(files))), folder
