"""How much a chapter computes, and which models it asks: one dial, the parameter `profile` of every chapter.

``quick`` and ``default`` say how much is computed. The others compute as much as ``default``
and name a machine, from which the models follow. ``auto`` is the one that fits this machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handan.machine import Machine

AUTO = "auto"
# Drivers keep a part of a card's memory for themselves.
ENOUGH = 0.9


@dataclass(frozen=True)
class Hardware:
    """What a profile takes a machine to have.

    Attributes
    ----------
    card : str
        Card whose speed estimates rest on: one of `handan.machine_models.cards`.
    gpus : int
        How many GPUs.
    memory : float
        Bytes of memory of one GPU.
    dtype : str
        Number format that it computes in.
    """

    card: str
    gpus: int
    memory: float
    dtype: str


@dataclass(frozen=True)
class Profile:
    """Sizes of the computations of a chapter.

    Attributes
    ----------
    name : str
        Its name.
    n_boot : int
        Resamples of items in a bootstrap.
    n_pooled : int
        Resamples of items behind a verdict, whose ends must not depend on the seed.
    n_studies : int
        Simulated studies per condition.
    n_items : int or None
        Items per task that models are asked; all when None.
    hardware : Hardware or None
        The GPUs; None where models run on the processor.
    """

    name: str
    n_boot: int
    n_pooled: int
    n_studies: int
    n_items: int | None
    hardware: Hardware | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models to ask; `handan.machine_models.chosen` computes them from the hardware."""
        from handan.machine_models import chosen

        return chosen(self.hardware)


_DEFAULT = Profile("default", n_boot=10_000, n_pooled=100_000, n_studies=2_000, n_items=None)
_PROFILES = (
    Profile("quick", n_boot=1_000, n_pooled=5_000, n_studies=400, n_items=32),
    _DEFAULT,
    replace(_DEFAULT, name="cpu"),
    replace(_DEFAULT, name="t4", hardware=Hardware("t4", 1, 16e9, "float16")),
    replace(_DEFAULT, name="l4", hardware=Hardware("l4", 1, 24e9, "bfloat16")),
    replace(_DEFAULT, name="a100", hardware=Hardware("a100", 1, 40e9, "bfloat16")),
    replace(_DEFAULT, name="cluster", hardware=Hardware("cluster", 32, 80e9, "bfloat16")),
)
_CLUSTER = "cluster"


def profile(name: str) -> Profile:
    """Find a profile by name.

    Parameters
    ----------
    name : str
        ``auto`` looks at this machine and returns the one that fits, under its own name.

    Raises
    ------
    LookupError
        When there is none; the message lists those there are.
    """
    if name == AUTO:
        return for_machine(_look())
    known = {one.name: one for one in _PROFILES}
    if name not in known:
        names = [*known, AUTO]
        close = get_close_matches(name, names, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise LookupError(f"no profile {name!r}.{hint} There are: {', '.join(names)}")
    return known[name]


def for_machine(found: Machine) -> Profile:
    """Choose the profile for a machine; its hardware is what is really there.

    Parameters
    ----------
    found : Machine
        From `handan.machine.look`.

    Returns
    -------
    Profile
        ``cpu`` where there is no GPU, or none whose memory is known, or where no large model fits.
    """
    real = hardware(found)
    if real is None or not _holds_a_family(real):
        return profile("cpu")
    return replace(profile(real.card), hardware=real)


def hardware(found: Machine, most: int | None = None) -> Hardware | None:
    """Describe the GPUs of a machine as a profile does.

    A card smaller than all that are named goes by the smallest name, and ``cluster`` takes
    several cards of the largest kind. Of an Apple GPU, which shares the machine's memory
    and is slower, no more is taken than the smallest profile needs.

    Parameters
    ----------
    found : Machine
        From `handan.machine.look`.
    most : int, optional
        No more GPUs than these are taken.

    Returns
    -------
    Hardware or None
        None where there is no GPU, or none whose memory is known.
    """
    if not found.gpus or not found.gpu_memory or not found.dtype:
        return None
    cards = [one.hardware for one in _PROFILES if one.hardware and one.name != _CLUSTER]
    memory = min(found.gpu_memory, cards[0].memory) if found.is_apple else found.gpu_memory
    fits = [one for one in cards if ENOUGH * one.memory <= memory]
    card = fits[-1] if fits else cards[0]
    count = found.gpus if most is None else min(most, found.gpus)
    # Chapters load a model onto one card; a second one beside a small card is left alone.
    several = card is cards[-1] and count > 1
    name, gpus = (_CLUSTER, count) if several else (card.card, 1)
    return Hardware(name, gpus, memory, found.dtype)


def _holds_a_family(real: Hardware) -> bool:
    from handan.machine_models import family

    return bool(family(real))


def _look() -> Machine:
    from handan.machine import look
    from handan.machine_find import has_driver, is_apple

    # Importing torch takes seconds, and most machines without a driver have no use for it.
    return look(with_torch=has_driver() or is_apple())
