"""Running a trainer of TRL on a model of any size: loading, going on, stopping, what ran out."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan.organism import any_folder, trl_trainers
from handan.organism.progress import Progress
from handan.organism.recipe import Reinforced
from handan.organism.trl_quiet import quiet, unpatched
from handan.traces.device import resolve_device, resolve_dtype
from handan.traces.errors import EngineError, RequestError
from handan.traces.memory import out_of_memory

if TYPE_CHECKING:
    from handan.organism.any_job import Job

_LINES = 50  # of progress, at most


def precision(device: str, lora: bool) -> tuple[str, dict[str, bool], str]:
    """Choose number formats: of the weights, of computing with them, and the reason in words.

    Weights that are trained stay in 32 bits, as a small step would be rounded away in 16;
    a CUDA device computes with 16 bits of them. Weights below adapters don't change.
    """
    best, reason = resolve_dtype(device)
    mixed = device.startswith("cuda")
    flags = {"bf16": mixed and best == "bfloat16", "fp16": mixed and best == "float16"}
    if lora and mixed:
        return best, flags, f"adapters in 32 bits on frozen weights; {reason}"
    return "float32", flags, f"weights in 32 bits; {reason}"


def adapted(network: Any, rank: int) -> Any:
    """Put low-rank adapters on all linear layers but the last.

    Raises
    ------
    RequestError
        When peft is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise RequestError("adapters need one more package: pip install peft") from None
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(network, config)


def run(
    job: Job, folder: Path, report: Callable[[Progress], Any] | None
) -> tuple[Any, list[dict[str, float]]]:
    """Train from the newest checkpoint on; return the network and the log of all steps."""
    from transformers import set_seed

    options = job.options
    device = resolve_device(options.device)
    network, flags = _load(job, device)
    set_seed(options.seed)
    adaptive = adapted(network, options.lora) if options.lora else network
    settings = {
        **flags,
        "folder": folder,
        "at_once": options.at_once,
        "seed": options.seed,
        "gradient_checkpointing": device != "cpu",
        "save_strategy": "steps",
        "save_steps": options.save_every,
        "save_total_limit": 2,
    }
    with quiet(), unpatched(network):
        trainer = _trainer(job, adaptive, settings)
        _tell(trainer, job, report)
        start = any_folder.latest(folder)
        with _gently(trainer) as stop, _memory(job, device):
            trainer.train(resume_from_checkpoint=str(start) if start else None)
        if stop.is_set() and trainer.state.global_step < job.how.steps:
            raise KeyboardInterrupt
        logged = [one for one in trainer.state.log_history if "loss" in one]
    log = [{"step": one["step"], **_values(job, one)} for one in logged]
    return (adaptive.merge_and_unload() if options.lora else network).eval(), log


def _load(job: Job, device: str) -> tuple[Any, dict[str, bool]]:
    from handan.traces.loading import load_network

    dtype, flags, _ = precision(device, bool(job.options.lora))
    return load_network(job.learner.model, device=device, dtype=dtype), flags


def _trainer(job: Job, network: Any, settings: dict[str, Any]) -> Any:
    tokenizer, rows = job.learner.tokenizer, job.rows
    tokenizer.padding_side = "left"  # as replies are generated; texts to learn from are filled up by TRL
    if isinstance(job.how, Reinforced):
        return trl_trainers.reinforced_trainer(
            network, tokenizer, rows, job.how, job.learner.is_right, **settings
        )
    return trl_trainers.supervised_trainer(network, tokenizer, rows, job.how, **settings)


def _values(job: Job, logs: Mapping[str, float]) -> dict[str, float]:
    return trl_trainers.reinforced_values(logs) if isinstance(job.how, Reinforced) else {"loss": logs["loss"]}


def _tell(trainer: Any, job: Job, report: Callable[[Progress], Any] | None) -> None:
    steps, every = job.how.steps, max(job.how.steps // _LINES, 1)
    before: list[float] = []  # time, steps and tokens at the start

    def _begin(state: Any) -> None:
        before[:] = time.perf_counter(), state.global_step, state.num_input_tokens_seen

    def _note(step: int, logs: dict[str, float]) -> None:
        if not report or (step % every and step != steps):
            return
        spent, read = time.perf_counter() - before[0], logs.get("num_tokens", 0.0) - before[2]
        left = spent / (step - before[1]) * (steps - step)
        report(Progress(step, steps, read / spent, left, _values(job, logs)))

    trl_trainers.follow(trainer, _note, _begin)


@contextmanager
def _gently(trainer: Any) -> Iterator[threading.Event]:
    """Let Ctrl-C end and save the step under way; a second one stops at once."""
    from transformers import TrainerCallback

    asked = threading.Event()

    class Stopper(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Save and stop, if asked."""
            if asked.is_set():
                control.should_save = control.should_training_stop = True

    def _ask(number: int, frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    trainer.add_callback(Stopper())
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, _ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _memory(job: Job, device: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise EngineError(
            f"training {job.learner.model.name} takes more memory than {device} has; "
            f"take a smaller --at-once than {job.options.at_once}, shorter texts, or --lora 16"
        ) from error
