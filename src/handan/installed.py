"""Which versions of which packages are here."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Look up installed versions; nothing is imported.

    Parameters
    ----------
    packages : iterable of str
        Names as pip knows them.

    Returns
    -------
    dict of str to str
        Version by name, in the given order; what is not installed is left out.
    """
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
