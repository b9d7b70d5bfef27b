"""What a notebook says before it starts: the machine, the profile, the models and what they take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from handan.machine_keep import place
from handan.profiles import AUTO, Profile, for_machine, profile

if TYPE_CHECKING:
    from handan.machine import Machine

ANSWERS = 100  # what times are told for
_TITLES = {"colab": "Google Colab", "kaggle": "Kaggle", "binder": "Binder", "local": "this computer"}
_NO_GPU = {
    "colab": "For a GPU: Runtime > Change runtime type > T4 GPU, then run this cell again.",
    "kaggle": "For a GPU: Settings > Accelerator, then run this cell again.",
}


def welcome(chapter: str, *, models: bool = True, name: str = AUTO, folder: str | Path | None = None) -> None:
    """Print what this machine is, which profile fits it, and what its models would take.

    The GPU and the number format are said in any case: they decide what the profile is.

    Parameters
    ----------
    chapter : str
        The notebook, ``04_alignment``.
    models : bool
        Whether the notebook asks the models of the profile. Otherwise nothing is said of them, nor
        where traces go, and torch is imported only where there is a GPU to ask it about.
    name : str
        The profile.
    folder : str or Path, optional
        Where you want traces kept.

    Raises
    ------
    LookupError
        When there is no such profile.
    OSError
        When the folder lies on a Google Drive that isn't mounted.
    """
    from handan.machine import look
    from handan.machine_find import has_driver, is_apple, platform

    kept, lasts = place(folder, platform(os.environ, Path("/")))
    # Importing torch takes seconds, which a notebook without models can spare where no GPU is.
    found = look(kept, with_torch=models or has_driver() or is_apple())
    size = for_machine(found) if name == AUTO else profile(name)
    print("\n".join(lines(chapter, found, size, models=models)))
    if models:
        print(f"Traces would be kept in {kept}. {lasts}")


def lines(chapter: str, found: Machine, size: Profile, *, models: bool = True) -> Iterator[str]:
    """Say it line by line.

    Parameters
    ----------
    chapter, models
        As for `welcome`.
    found : Machine
        From `handan.machine.look`.
    size : Profile
        From `handan.profiles.profile`.

    Yields
    ------
    str
        A short line.
    """
    known = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    yield f"{chapter} on {_TITLES[found.platform]}: Python {found.python}, {known}"
    cores = "an unknown number of" if found.cores is None else f"{found.cores}"
    yield f"{cores} processors, {_gb(found.memory)} of memory, {_gb(found.disk)} of free disk"
    yield from _gpu(found, advise=models)
    yield f"Profile: {size.name}. Bootstraps take {size.n_boot:,} resamples."
    if models:
        yield from _models(size, found)
    else:
        yield "The models of a profile are asked in your_models alone; this notebook needs no GPU."


def _gpu(found: Machine, *, advise: bool) -> Iterator[str]:
    if found.gpus:
        ability = ""
        if found.capability:
            ability = f", compute capability {'.'.join(map(str, found.capability))}"
        several = f"{found.gpus} × " if found.gpus > 1 else ""
        yield f"GPU: {several}{found.gpu}, {_gb(found.gpu_memory)}{ability}"
    else:
        advice = _NO_GPU.get(found.platform, "") if advise else ""
        yield f"No GPU. {advice}".rstrip()
    # without a GPU and without having asked torch there is one answer only
    yield f"Number format: {found.reason if found.dtype else 'float32, as everywhere without a GPU'}"


def _models(size: Profile, found: Machine) -> Iterator[str]:
    from handan.machine_estimate import basis, teacher_elsewhere
    from handan.machine_fit import absent, choose, present, wanted
    from handan.traces.progress import duration

    if said := absent(size, found):
        yield said
    hardware = present(size, found)
    choice = choose(wanted(size, found), hardware, found, ANSWERS)
    yield "Models that are asked here:"
    for one in choice.needs[choice.needs["model"].isin(choice.asked)].itertuples():
        time = (
            f"{ANSWERS} answers in about {duration(one.seconds)}" if one.seconds > 0 else "time not known yet"
        )
        yield f"  {one.model} ({one.role}): {_gb(one.disk)} to download, {_gb(one.memory)} of memory, {time}"
    for name, reason in choice.refused.items():
        yield f"  {name} is not asked: {reason}"
    yield basis(hardware)
    if said := teacher_elsewhere(choice.asked, hardware):
        yield said


def _gb(size: float | None) -> str:
    if size is None or size != size:
        return "unknown size"
    if size == 0:
        return "nothing"
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
