"""From what a user types to a model that can be loaded, pinned to what exactly was loaded."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from handan.lineage import UnknownModelError, find
from handan.tables import packaged
from handan.traces.errors import ModelError

TINY = "base-carry-s0"  # the packaged model that chapters and examples ask first
_COMMIT = re.compile(r"[0-9a-f]{40}")
# What decides the next token: weights, architecture, stop tokens, tokenizer, chat template.
_CONTENT = (
    *("*.safetensors", "config.json", "generation_config.json", "*.jinja"),
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "merges.txt"),
)
_SAYS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "think_open": str,
    "think_close": str,
    "prompt": str,
    "params": (int, float),
}


class Style(StrEnum):
    """How a problem is put to a model: in words, or as the item's code."""

    WORDING = "wording"
    CODE = "code"


@dataclass(frozen=True)
class Model:
    """A model and where it is.

    Parameters
    ----------
    name : str
        Name in the costs table and the lineage.
    model_id : str
        Hub id, ``local:NAME`` for a folder, or an endpoint's name for it.
    location : str
        What a loader is given: hub id or path.
    revision : str
        Commit of the hub repository, or content hash of the folder.
    think_open, think_close : str
        Tags around the chain of thought; empty where it has none.
    prompt : Style or str
        ``wording`` or ``code``: whether it reads a problem in words or the item's code.
    params : float, optional
        Number of parameters, where known.
    """

    name: str
    model_id: str
    location: str
    revision: str
    think_open: str = "<think>"
    think_close: str = "</think>"
    prompt: str = Style.WORDING
    params: float | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on this machine."""
        return self.model_id.startswith("local:")

    def pinned(self) -> dict[str, Any]:
        """Return the arguments that make a ``from_pretrained`` load exactly this and run no foreign code."""
        pin = {} if self.is_local else {"revision": self.revision}
        return {"pretrained_model_name_or_path": self.location, "trust_remote_code": False, **pin}


def tiny() -> list[str]:
    """Names of the tiny models that come with the package: one family, see `handan.organism`."""
    return sorted(path.parent.name for path in packaged("models").glob("*/config.json"))


def resolve(model: str, revision: str | None = None, *, lineage: pd.DataFrame | None = None) -> Model:
    """Find a model by its name in the lineage, its hub id, or its folder.

    Parameters
    ----------
    model : str
        A packaged tiny model (see `tiny`); a folder; a name or hub id of the lineage;
        or any other hub id (``organisation/name``).
    revision : str, optional
        Commit to load. By default the pinned one of the lineage, else the newest, which
        is looked up so that it can be recorded.
    lineage : DataFrame, optional
        By default the packaged table.

    Raises
    ------
    ModelError
        When it is neither, when a folder holds no model, or when the newest commit of a
        hub repository can't be looked up.
    """
    if model in tiny():
        return _folder(packaged(f"models/{model}"), name=model)
    if Path(model).is_dir():
        return _folder(Path(model), name=None)
    try:
        known = find(model, lineage)
    except UnknownModelError as error:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
            raise ModelError(f"{model!r} is neither a folder nor a hub id; {error}") from None
        return Model(model.split("/")[1], model, model, revision or _newest(model))
    if pd.isna(known["hf_id"]):
        raise ModelError(f"{model} has no published weights; reach it with --engine openai")
    pin = revision or (known["revision"] if pd.notna(known["revision"]) else _newest(known["hf_id"]))
    opened, closed = (known[name] if pd.notna(known[name]) else "" for name in ("think_open", "think_close"))
    params = None if pd.isna(known["params"]) else float(known["params"])
    return Model(known["model"], known["hf_id"], known["hf_id"], pin, opened, closed, params=params)


def behind_endpoint(model: str, *, lineage: pd.DataFrame | None = None) -> Model:
    """Name a model that is reached through an interface: nothing of it can be pinned.

    Parameters
    ----------
    model : str
        What the endpoint calls it. A name or hub id of the lineage brings its place there.
    lineage : DataFrame, optional
        By default the packaged table.
    """
    try:
        known = find(model, lineage)
    except UnknownModelError:
        return Model(model, model, model, "unknown")
    opened, closed = (known[name] if pd.notna(known[name]) else "" for name in ("think_open", "think_close"))
    return Model(known["model"], model, model, "unknown", opened, closed)


def content_hash(paths: Iterable[Path]) -> str:
    """Hash names and contents of files: the revision of a folder, whatever its path or age."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda one: one.name):
        with path.open("rb") as file:
            digest.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:40]


def _folder(path: Path, name: str | None) -> Model:
    if not (path / "config.json").is_file():
        raise ModelError(f"{path} holds no model: there is no config.json in it")
    if not list(path.glob("*.safetensors")):
        raise ModelError(f"{path} has no *.safetensors file; other formats can run code and are not loaded")
    said = _said(path / "handan.json")
    own_name = said.pop("name", path.resolve().name)
    name = name or own_name
    content = [file for pattern in _CONTENT for file in path.glob(pattern)]
    return Model(name, f"local:{name}", str(path.resolve()), content_hash(content), **said)


def _said(path: Path) -> dict[str, Any]:
    """Read what a folder says about itself: its name, its tags, how it wants to be asked."""
    if not path.is_file():
        return {}
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from None
    if not isinstance(said, dict):
        raise ModelError(f"{path} holds no settings: it must be one JSON object")
    for key, value in said.items():
        if key not in _SAYS:
            raise ModelError(f"{path} has an unknown setting {key!r}; there are: {', '.join(_SAYS)}")
        if not isinstance(value, _SAYS[key]) or (key == "prompt" and value not in list(Style)):
            raise ModelError(f"{path}: {value!r} is no value for {key}")
    return said


def _newest(hub_id: str) -> str:
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise ModelError(
            f"no commit is pinned for {hub_id}; pip install 'handan[traces]' to look it up"
        ) from None
    try:
        commit = HfApi().model_info(hub_id).sha
    except Exception as error:
        raise ModelError(
            f"no commit is pinned for {hub_id} and the newest could not be looked up "
            f"({type(error).__name__}); give one with --revision, or download the model and name its folder"
        ) from error
    if not commit or not _COMMIT.fullmatch(commit):
        raise ModelError(f"the hub gave no commit for {hub_id}; give one with --revision")
    return str(commit)
