"""The folder of a model of any size: checkpoints while it is trained, then the model and its record.

While training goes on there is only ``checkpoints/`` in it, with the settings of the
command. The model appears in the end, ``training.json`` last.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from handan.organism.any_data import Learner
from handan.organism.model_folder import first_difference, name_tokenizer_class, write_json
from handan.organism.trl_quiet import quiet
from handan.traces.errors import RequestError

TRAINING, CHECKPOINTS, ITEMS = "training.json", "checkpoints", "items.csv"
_SETTINGS = "settings.json"
_STATE = "trainer_state.json"  # what the trainer of transformers writes last into a checkpoint


def is_done(out: Path, settings: dict[str, Any]) -> bool:
    """Whether a folder holds the model of these settings already; False where it is free for it.

    Raises
    ------
    RequestError
        When the folder holds something else.
    """
    if not out.exists():
        return False
    if not out.is_dir():
        raise RequestError(f"{out} is a file; name a folder with --out")
    for place, done in ((out / TRAINING, True), (out / CHECKPOINTS / _SETTINGS, False)):
        if place.is_file():
            _must_be(settings, _read(place).get("settings"), out)
            return done
    if any(out.iterdir()):
        raise RequestError(f"{out} is not empty, and holds no training; name another folder with --out")
    return False


@contextmanager
def reserved(out: Path, settings: dict[str, Any]) -> Iterator[Path]:
    """Make the folder, or go on with it, and keep other trainings away from it meanwhile.

    Yields
    ------
    Path
        Where checkpoints go.

    Raises
    ------
    RequestError
        When another process is at it.
    """
    from filelock import FileLock, Timeout

    inner = out / CHECKPOINTS
    inner.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(inner / ".lock", timeout=0):
            write_json(inner / _SETTINGS, {"settings": settings})
            yield inner
    except Timeout:
        raise RequestError(f"another training goes on in {out}; wait for it to end") from None
    if (out / TRAINING).is_file():
        shutil.rmtree(inner)


def latest(inner: Path) -> Path | None:
    """Return the newest checkpoint that was written to its end; None without one."""
    found = {
        int(match[1]): path
        for path in inner.glob("checkpoint-*")
        if (match := re.fullmatch(r"checkpoint-(\d+)", path.name)) and (path / _STATE).is_file()
    }
    return found[max(found)] if found else None


def finish(out: Path, network: Any, learner: Learner, items: pd.DataFrame, record: dict[str, Any]) -> None:
    """Write the model so that ``handan traces`` takes the folder, and how it came about.

    Parameters
    ----------
    out : Path
        A folder that is `reserved`.
    network : transformers.PreTrainedModel
        The weights.
    learner : Learner
        Its tokenizer and tags.
    items : DataFrame
        ``task, item, part``.
    record : dict
        JSON values for ``training.json``; hashes of the weights are added.
    """
    draft = out / CHECKPOINTS / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    with quiet():
        network.save_pretrained(draft)
    learner.tokenizer.save_pretrained(draft)
    name_tokenizer_class(draft)
    about = {
        "think_open": learner.model.think_open,
        "think_close": learner.model.think_close,
        "prompt": learner.model.prompt,
        "params": network.num_parameters(),
    }
    write_json(draft / "handan.json", about)
    items.to_csv(draft / ITEMS, index=False, lineterminator="\n")
    hashes = {path.name: _hash(path) for path in sorted(draft.glob("*.safetensors"))}
    write_json(draft / TRAINING, {**record, "sha256": hashes})
    for path in sorted(draft.iterdir(), key=lambda one: one.name == TRAINING):
        path.chmod(0o644)  # weights are written as a private file
        path.replace(out / path.name)


def _must_be(wanted: dict[str, Any], found: Any, out: Path) -> None:
    if found != json.loads(json.dumps(wanted)):
        difference = first_difference(found, json.loads(json.dumps(wanted)))
        raise RequestError(
            f"{out} holds another training: {difference}. Name another folder with --out, or remove this one"
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} can't be read ({error}); remove its folder, and train again") from None
    return found if isinstance(found, dict) else {}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
