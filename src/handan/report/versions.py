"""With which software a report was made, and from which files."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from handan import installed

if TYPE_CHECKING:
    from handan.gather import Gathered

PACKAGES = ("handan", "numpy", "pandas", "scipy", "statsmodels", "pingouin", "matplotlib", "seaborn")


def versions() -> dict[str, str]:
    """Name versions of Python, of what the findings use, and the commit of a checkout.

    Returns
    -------
    dict of str to str
        By name; a package that is not installed is left out.
    """
    from handan.traces.provenance import provenance

    found = {"python": platform.python_version(), **installed.versions(PACKAGES)}
    git = provenance()["git"]
    changed = " with local changes" if git.get("dirty") else ""
    return found | ({"git commit of handan": f"{git['commit']}{changed}"} if git else {})


def own_files(
    costs: Path | None, norms: Path | None, lineage: Path | None, reliability: Path | None
) -> list[tuple[str, Path]]:
    """List the files of a user's call, with what each is; packaged ones where none was given."""
    from handan.tables import packaged

    given = [("costs", costs), ("norms", norms), ("reliability", reliability), ("lineage", lineage)]
    if norms is None and costs is not None:
        given[1] = ("norms (the item bank)", packaged("norms/bank.csv"))
        given[2] = (given[2][0], reliability or packaged("norms/bank-reliability.csv"))
    if lineage is None:
        given[3] = ("lineage (packaged)", packaged("lineage.csv"))
    return [(what, path) for what, path in given if path is not None]


def recorded_files(given: Gathered, names: Sequence[str]) -> list[tuple[str, Path]]:
    """List the packaged files of recorded studies, with what each is."""
    from handan.costs import ORGANISM
    from handan.tables import packaged

    found = []
    for name in names:
        ending = "organism/costs.csv.gz" if name == ORGANISM else f"costs/{name}.csv"
        people = "organism/norms.csv" if name == ORGANISM else f"costs/{name}-norms.csv"
        found += [(f"costs of {name}", packaged(ending)), (f"norms of {name}", packaged(people))]
    return [*found, ("reliability", packaged("costs/reliability.csv"))] if given.inputs else found


def fingerprints(files: Sequence[tuple[str, Path]]) -> pd.DataFrame:
    """Hash files.

    Parameters
    ----------
    files : sequence of (str, Path)
        What each is, and where.

    Returns
    -------
    DataFrame
        ``what, file`` (its name, without the folder), ``bytes, sha256``.

    Raises
    ------
    OSError
        When a file can't be read.
    """
    rows = []
    for what, path in files:
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        rows.append(dict(what=what, file=path.name, bytes=path.stat().st_size, sha256=digest))
    return pd.DataFrame(rows, columns=["what", "file", "bytes", "sha256"])
