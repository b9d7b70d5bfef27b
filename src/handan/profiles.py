"""How much a chapter computes: one dial, named by the parameter `profile` of every chapter."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches


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
    """

    name: str
    n_boot: int
    n_pooled: int
    n_studies: int
    n_items: int | None


_PROFILES = (
    Profile("quick", n_boot=1_000, n_pooled=5_000, n_studies=400, n_items=32),
    Profile("default", n_boot=10_000, n_pooled=100_000, n_studies=2_000, n_items=None),
)


def profile(name: str) -> Profile:
    """Find a profile by name.

    Raises
    ------
    LookupError
        When there is none; the message lists those there are.
    """
    known = {one.name: one for one in _PROFILES}
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise LookupError(f"no profile {name!r}.{hint} There are: {', '.join(known)}")
    return known[name]
