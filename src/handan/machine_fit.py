"""Which models are asked on this machine: what they need, against the memory and the disk that are here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from handan import machine_find
from handan.lineage import load_lineage
from handan.machine_estimate import estimate
from handan.machine_models import MAX_NEW_TOKENS, chosen, tiny_family
from handan.profiles import ENOUGH, Hardware, Profile, hardware
from handan.traces.models import tiny

if TYPE_CHECKING:
    from handan.machine import Machine

_USABLE = 0.9  # share of the main memory that a model can have; the system needs the rest


@dataclass(frozen=True)
class Choice:
    """Models that are asked on a machine, and those that are not.

    Attributes
    ----------
    needs : DataFrame
        What each model takes, as from `handan.machine_estimate.estimate`.
    asked : tuple of str
        Those that are asked, never empty.
    refused : mapping of str to str
        Those that are not, each with the reason in words.
    unknown : tuple of str
        Those of the asked of whose size nothing is known beforehand.
    stands_in : bool
        Whether the tiny family of the package is asked because nothing that was wanted can be.
    download : float
        Bytes that the asked models still have to load from the network, where that is known.
    free : float or None
        Bytes of disk that are free where downloads go.
    """

    needs: pd.DataFrame
    asked: tuple[str, ...]
    refused: Mapping[str, str]
    unknown: tuple[str, ...]
    stands_in: bool
    download: float
    free: float | None


def present(size: Profile, found: Machine, env: Mapping[str, str] | None = None) -> Hardware | None:
    """Describe the GPUs that models run on: no more than the profile takes, and none that is not here.

    Parameters
    ----------
    size : Profile
        From `handan.profiles.profile`.
    found : Machine
        From `handan.machine.look`.
    env : mapping of str to str, optional
        Environment variables, by default those of this process. Where ``RAY_ADDRESS`` names a
        cluster, its GPUs are on other machines and the profile is believed.

    Returns
    -------
    Hardware or None
        None where models run on the processor.
    """
    planned = size.hardware
    if planned and planned.gpus > 1 and (os.environ if env is None else env).get("RAY_ADDRESS"):
        return planned
    return hardware(found, most=planned.gpus if planned else 1)


def absent(size: Profile, found: Machine, env: Mapping[str, str] | None = None) -> str:
    """Say that a profile plans for more GPUs, or larger ones, than are here; empty where it doesn't.

    Parameters
    ----------
    size, found, env
        As for `present`.
    """
    planned, real = size.hardware, present(size, found, env)
    if planned is None:
        return ""
    if real and real.gpus >= planned.gpus and real.memory >= ENOUGH * planned.memory:
        return ""
    here = f"{_cards(real)} ({found.gpu})" if real else "no GPU that a model could run on"
    return (
        f"The profile {size.name} plans for GPUs that are not here: {_cards(planned)}. "
        f"Here is {here}, and what is asked goes by that."
    )


def wanted(size: Profile, found: Machine, env: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Name the models of a profile, or of the machine where the profile's GPUs are not here.

    Parameters
    ----------
    size, found, env
        As for `present`.
    """
    return chosen(present(size, found, env)) if absent(size, found, env) else size.models


def choose(
    models: Sequence[str],
    real: Hardware | None,
    found: Machine,
    answers: int,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> Choice:
    """Choose those models that fit into the memory and onto the disk of this machine.

    A model of unknown size is asked, because its user named it. Downloads count in the order
    of the models; what was downloaded before takes no room a second time.

    Parameters
    ----------
    models : sequence of str
        Names or hub ids.
    real : Hardware or None
        From `present`.
    found : Machine
        From `handan.machine.look`.
    answers, max_new_tokens
        As for `handan.machine_estimate.estimate`.
    """
    needs = estimate(list(dict.fromkeys(map(_named, models))), real, answers, max_new_tokens)
    free = machine_find.free_disk(downloads())
    refused: dict[str, str] = {}
    download = 0.0
    for one in needs.itertuples():
        left = 0.0 if pd.isna(one.disk) else max(0.0, one.disk - _downloaded(one.model))
        reason = _too_large(one, real, found) or _no_room(left, free, download)
        if reason:
            refused[one.model] = reason
        else:
            download += left
    asked = tuple(name for name in needs["model"] if name not in refused)
    unknown = tuple(needs.loc[needs["memory"].isna() & needs["model"].isin(asked), "model"])
    if not asked:
        needs = pd.concat([needs, estimate(tiny_family(), real, answers, max_new_tokens)], ignore_index=True)
    return Choice(needs, asked or tiny_family(), refused, unknown, not asked, download, free)


def downloads() -> Path:
    """Folder that models are downloaded to, as the library that does it says."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
    except ImportError:
        return Path.home()
    return Path(HF_HUB_CACHE)


def _too_large(one: Any, real: Hardware | None, found: Machine) -> str:
    if one.model in tiny() or pd.isna(one.memory):
        return ""
    needed = f"it needs {one.memory / 1e9:.1f} GB"
    if real:
        return "" if one.fits else f"{needed} of GPU memory, and here is {_cards(real)}"
    if found.memory is None or one.memory <= _USABLE * found.memory:
        return ""
    return f"{needed} of memory without a GPU, and this machine has {found.memory / 1e9:.1f} GB"


def _no_room(left: float, free: float | None, download: float) -> str:
    if not left or free is None or left <= free - download:
        return ""
    others = f", and {download / 1e9:.1f} GB of them are for the models before it" if download else ""
    return f"it downloads {left / 1e9:.1f} GB; {free / 1e9:.1f} GB of disk are free{others}"


def _downloaded(model: str) -> float:
    """Bytes of a model that are on the disk already, whole or in part."""
    folder = downloads() / f"models--{_hub_ids().get(model, model).replace('/', '--')}"
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return float(sum(path.stat().st_size for path in files))


def _named(model: str) -> str:
    """Name a model as the lineage does, which knows its size, where it was given by its hub id."""
    return next((name for name, hub_id in _hub_ids().items() if hub_id == model), model)


@cache
def _hub_ids() -> dict[str, str]:
    lineage = load_lineage().dropna(subset=["hf_id"])
    return dict(zip(lineage["model"], lineage["hf_id"], strict=True))


def _cards(some: Hardware) -> str:
    return f"{some.gpus} × {some.memory / 1e9:.0f} GB"
