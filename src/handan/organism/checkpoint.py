"""A trained model in a folder that says what it is and how it came about.

The weights are stored in 16 bits, and everything after training (a student that starts
from them, a trace that is generated) uses them as they are stored.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan import __version__
from handan.organism import grammar
from handan.organism.model_card import card
from handan.organism.model_folder import first_difference, name_tokenizer_class, write_json
from handan.organism.progress import Progress
from handan.organism.tokenizer import build

if TYPE_CHECKING:
    from transformers import Qwen2ForCausalLM

WEIGHTS = "model.safetensors"
TRAINING = "training.json"
_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy")


class CheckpointError(RuntimeError):
    """A model's folder is damaged, or holds another model than the one wanted."""


@dataclass(frozen=True)
class Training:
    """What is on record of a training.

    Attributes
    ----------
    settings : dict
        ``recipe``, ``condition`` and ``made_from`` (hashes of the models it came from).
    log : list of Progress
        Its reports.
    lesson : dict
        What a student learned from, in numbers; empty for others.
    seconds, cpu_seconds : float
        Time on the clock and on the processor.
    """

    settings: dict[str, Any]
    log: list[Progress]
    lesson: dict[str, float]
    seconds: float
    cpu_seconds: float


def save(folder: Path, model: Qwen2ForCausalLM, training: Training) -> None:
    """Write a model's folder: weights, tokenizer, settings, training record, card.

    The folder appears whole or not at all.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_model(draft, model)
        record = _record(folder.name, model, training, draft)
        write_json(draft / TRAINING, record)
        (draft / "README.md").write_text(card(folder.name, record), encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load(folder: Path) -> Qwen2ForCausalLM:
    """Load a model to go on training it, in 32 bits.

    Raises
    ------
    CheckpointError
        When the weights are not those on record.
    """
    import torch
    from transformers import Qwen2ForCausalLM

    _no_bars()
    read_training(folder)
    return Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.float32, use_safetensors=True).eval()


def read_training(folder: Path, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """Read a folder's training record, and check the weights against it.

    Parameters
    ----------
    folder : Path
        Folder of a model.
    settings : dict, optional
        How it ought to have been made.

    Raises
    ------
    CheckpointError
        When record or weights are missing or damaged, or the model was made otherwise.
    """
    again = f"Remove {folder}, and train again"
    try:
        record: dict[str, Any] = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
        weights = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder} holds no whole model ({error}). {again}") from None
    if not isinstance(record, dict) or record.get("sha256") != weights:
        raise CheckpointError(f"the weights in {folder} are not those of its {TRAINING}. {again}")
    for name, wanted in (settings or {}).items():
        if record.get(name) != wanted:
            raise CheckpointError(
                f"{folder} was trained with another {name.replace('_', ' ')}: "
                f"{first_difference(record.get(name), wanted)}. Name another folder, or remove this one"
            )
    return record


def _no_bars() -> None:
    """Keep transformers from drawing a bar for a file that is read in a blink."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def _write_model(folder: Path, model: Qwen2ForCausalLM) -> None:
    from transformers import GenerationConfig

    _no_bars()
    tokenizer = build()
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    model.generation_config = GenerationConfig(**ends)
    model.half().save_pretrained(folder)
    model.float()
    (folder / WEIGHTS).chmod(0o644)  # written as a private temporary file, but all may read a package
    tokenizer.save_pretrained(folder)
    name_tokenizer_class(folder)
    about = {
        "think_open": grammar.THINK_OPEN,
        "think_close": grammar.THINK_CLOSE,
        "prompt": "code",
        "params": model.num_parameters(),
    }
    write_json(folder / "handan.json", about)


def _record(name: str, model: Qwen2ForCausalLM, training: Training, folder: Path) -> dict[str, Any]:
    import torch

    return {
        "model": name,
        **training.settings,
        "lesson": training.lesson,
        "parameters": model.num_parameters(),
        "seconds": round(training.seconds),
        "cpu_seconds": round(training.cpu_seconds),
        "machine": f"{platform.system()} {platform.machine()}, threads: {torch.get_num_threads()}",
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
            "handan": __version__,
        },
        "log": [
            {"step": one.step, **{key: round(value, 4) for key, value in one.values.items()}}
            for one in training.log
        ],
        "sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
    }
