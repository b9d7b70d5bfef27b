"""How the trainers of TRL are set up so that they do what the plain loops do, and no more."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan.organism import reinforced, supervised
from handan.organism.recipe import Reinforced, Supervised
from handan.organism.supervised import CLIP

if TYPE_CHECKING:
    from trl import GRPOTrainer, SFTTrainer

Columns = Mapping[str, Sequence[Any]]
Grade = Callable[[str, str, Sequence[int]], bool]
Rewards = list[float | None]


def supervised_trainer(
    model: Any,
    tokenizer: Any,
    rows: Columns,
    how: Supervised,
    *,
    folder: str | Path,
    at_once: int | None = None,
    **settings: Any,
) -> SFTTrainer:
    """Set TRL up for learning from texts.

    Parameters
    ----------
    model, tokenizer
        What is trained.
    rows : mapping of str to sequence
        Columns, in the order of training: ``prompt, completion`` as texts, or
        ``input_ids, completion_mask``. The loss is that of completions only.
    how : Supervised
        Steps and rates.
    folder : str or Path
        Where checkpoints go, if `settings` ask for any.
    at_once : int, optional
        Most texts in memory at a time; by default a whole batch.
    **settings
        Further fields of ``SFTConfig``.
    """
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    weights = [one for one in model.parameters() if one.requires_grad]
    config = SFTConfig(
        max_steps=how.steps,
        **_portions(how.batch, at_once),
        completion_only_loss=True,
        max_length=None,
        packing=False,
        train_sampling_strategy="sequential",
        **{**_usual(model, folder), **settings},
    )
    return SFTTrainer(
        model,
        config,
        train_dataset=Dataset.from_dict(dict(rows)),
        processing_class=tokenizer,
        optimizers=supervised.optimisation(weights, how),
    )


def reinforced_trainer(
    model: Any,
    tokenizer: Any,
    rows: Columns,
    how: Reinforced,
    grade: Grade,
    *,
    folder: str | Path,
    seed: int,
    at_once: int | None = None,
    **settings: Any,
) -> GRPOTrainer:
    """Set TRL up for learning from a reward: 1 for a right answer, less a price per token.

    Parameters
    ----------
    model, tokenizer
        What is trained.
    rows : mapping of str to sequence
        Columns ``prompt, task, item``, in the order of training.
    how : Reinforced
        Steps, group, rate and price.
    grade : callable
        Task, item and generated tokens, up to and including the stop token, to whether
        the answer is right.
    folder : str or Path
        Where checkpoints go, if `settings` ask for any.
    seed : int
        Seed of the samples.
    at_once : int, optional
        Most samples that are learned from at a time; by default all of a step.
    **settings
        Further fields of ``GRPOConfig``.
    """
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    weights = [one for one in model.parameters() if one.requires_grad]
    config = GRPOConfig(
        max_steps=how.steps,
        **_portions(how.prompts * how.group, at_once),
        num_generations=how.group,
        max_completion_length=how.max_new_tokens,
        shuffle_dataset=False,
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        beta=0.0,
        num_iterations=1,
        scale_rewards="none",
        loss_type="dapo",
        seed=seed,
        **{**_usual(model, folder), **settings},
    )
    return GRPOTrainer(
        model,
        _rewards(grade, how.price),
        config,
        train_dataset=Dataset.from_dict(dict(rows)),
        processing_class=tokenizer,
        optimizers=reinforced.optimisation(weights, how),
    )


def reinforced_values(logs: Mapping[str, float]) -> dict[str, float]:
    """Pick what we report on reinforcement from what TRL logs: ``reward, right, tokens_each``."""
    return {
        "reward": logs["reward"],
        "right": logs["rewards/right/mean"],
        "tokens_each": logs["completions/mean_length"],
    }


def follow(
    trainer: Any, note: Callable[[int, dict[str, float]], Any], begin: Callable[[Any], Any] | None = None
) -> None:
    """Have a trainer tell how it goes, and print nothing itself.

    Parameters
    ----------
    trainer
        Of TRL or transformers.
    note : callable
        Called after every step with the number of steps done and what was logged.
    begin : callable, optional
        Called before the first step with the trainer's state, which knows what was done before.
    """
    from transformers import PrinterCallback, TrainerCallback

    class Follower(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Tell of the start."""
            if begin:
                begin(state)

        def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            """Tell of a step."""
            if "loss" in more["logs"]:  # at the very end comes a summary without one
                note(state.global_step, more["logs"])

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Follower())


def seed_of(label: str) -> int:
    """Return a seed for TRL that a label stands for."""
    return int(hashlib.sha256(label.encode()).hexdigest()[:8], 16) % 2**31


def _rewards(grade: Grade, price_of_one: float) -> list[Any]:
    """Make the two rewards that are added up; TRL logs each under its name."""

    def right(completion_ids: list[list[int]], task: list[str], item: list[str], **_: Any) -> Rewards:
        """Return 1 for a right answer, 0 for a wrong one."""
        return [float(grade(*one)) for one in zip(task, item, completion_ids, strict=True)]

    def price(completion_ids: list[list[int]], **_: Any) -> Rewards:
        """Return what the tokens cost, below 0."""
        return [-price_of_one * len(ids) for ids in completion_ids]

    return [right, price]


def _usual(model: Any, folder: str | Path) -> dict[str, Any]:
    on_cpu = model.device.type == "cpu"
    return {
        "output_dir": str(folder),
        "max_grad_norm": CLIP,
        "use_cpu": on_cpu,
        "dataloader_pin_memory": not on_cpu,
        "bf16": False,
        "gradient_checkpointing": False,
        "use_cache": model.config.use_cache,  # otherwise switched off in the model, and saved with it
        "save_strategy": "no",
        "report_to": [],
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
    }


def _portions(total: int, at_once: int | None) -> dict[str, Any]:
    most = min(at_once or total, total)
    size = next(size for size in range(most, 0, -1) if total % size == 0)
    return {"per_device_train_batch_size": size, "gradient_accumulation_steps": total // size}
