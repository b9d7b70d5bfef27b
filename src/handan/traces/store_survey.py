"""Look at a store's folder, and decide what holds where it and the manifest disagree."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from handan.traces import parts
from handan.traces.manifest import Manifest, TornManifestError, load
from handan.traces.parts import Part
from handan.traces.store_files import TEMPORARY, Files


@dataclass
class Survey:
    """What a look at the folder found.

    Parameters
    ----------
    manifest : Manifest
        As it should be.
    listed : Manifest, optional
        As it is on disk; None where it is missing or torn.
    torn : bool
        Whether the manifest on disk is damaged.
    damaged : dict
        Part file -> what is wrong with it.
    strays : list of str
        Leftovers that nothing needs, as paths below the root.
    lost : list of str
        What can't be read, a sentence each.
    taken : list of str
        What an interrupted program left unlisted and is taken in, a sentence each.
    """

    manifest: Manifest
    listed: Manifest | None = None
    torn: bool = False
    damaged: dict[str, str] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


def survey(files: Files, *, thorough: bool) -> Survey:
    """Compare the manifest with the part files.

    A listed part that is missing, has another size or can't be opened is dropped: its
    requests count as not done. A part that isn't listed is taken in, unless a merge that
    didn't come to its end left it.

    Parameters
    ----------
    files : Files
        The store.
    thorough : bool
        Open every local part and hash what is taken in; else compare sizes only.

    Raises
    ------
    StoreError
        When a newer version of handan wrote the manifest.
    """
    while True:
        found = _once(files, thorough)
        # A part that vanished under our eyes was merged away if the manifest is another by now.
        if not found.damaged or found.torn or load(files) == found.listed:
            return found


def _once(files: Files, thorough: bool) -> Survey:
    try:
        listed, sizes = _agreeing(files)
        found = Survey(listed or Manifest(), listed)
    except TornManifestError as error:
        listed, sizes = None, files.sizes(parts.FOLDER)
        found = Survey(Manifest(), torn=True, lost=[f"{error}; it is rebuilt from the parts"])
    for part in found.manifest.parts:
        wrong = _fault(files, part, sizes, open_it=thorough and not files.remote)
        if wrong:
            found.damaged[part.name] = wrong
            found.lost.append(f"{part.path}: {wrong}; its {part.rows:,} rows count as not done")
    for name in sorted(set(sizes) - {part.name for part in found.manifest.parts}):
        if parts.NAME.fullmatch(name):
            _take_in(files, name, sizes[name], found, rebuilt=listed is None, hashed=thorough)
    for folder in ("", parts.FOLDER, "runs", "tokenizers"):
        found.strays += [
            f"{folder}/{name}".lstrip("/") for name in files.sizes(folder) if name.endswith(TEMPORARY)
        ]
    found.manifest = found.manifest.without(set(found.damaged))
    return found


def _agreeing(files: Files) -> tuple[Manifest | None, dict[str, int]]:
    """Read manifest and folder; again, when a merge replaced parts between the one and the other."""
    listed = load(files)
    while True:
        sizes = files.sizes(parts.FOLDER)
        if listed is None or all(part.name in sizes for part in listed.parts):
            return listed, sizes
        before, listed = listed, load(files)
        if listed == before:
            return listed, sizes


def _fault(files: Files, part: Part, sizes: dict[str, int], *, open_it: bool) -> str:
    size = sizes.get(part.name)
    if size is None:
        return "missing"
    if size != part.bytes:
        return f"has {size:,} bytes instead of {part.bytes:,}"
    if open_it:
        try:
            with files.open(part.path) as file:
                parts.read_footer(file)
        except FileNotFoundError:
            return "missing"
        except ValueError as error:
            return str(error)
    return ""


def _take_in(files: Files, name: str, size: int, found: Survey, *, rebuilt: bool, hashed: bool) -> None:
    path = f"{parts.FOLDER}/{name}"
    if name in found.manifest.superseded:
        found.strays.append(path)
        return
    try:
        with files.open(path) as file:
            footer = parts.read_footer(file)
            file.seek(0)
            part = Part(name, footer.num_rows, size, parts.digest(file) if hashed else "")
    except FileNotFoundError:  # merged away since the listing
        return
    except ValueError as error:
        found.damaged[name] = str(error)
        found.lost.append(f"{path}: {error}; its rows count as not done")
        return
    told = parts.about(footer)
    merged = set(told.get("compacted", []))
    if merged and not rebuilt and merged <= {one.name for one in found.manifest.parts} - set(found.damaged):
        found.strays.append(path)
        return
    found.manifest = found.manifest.adding(part)
    found.taken.append(f"{path}: not in the manifest; its {part.rows:,} rows are taken in")
    if rebuilt:
        found.manifest = replace(found.manifest, runs=_with_runs(found.manifest.runs, told))


def _with_runs(known: tuple[dict[str, Any], ...], told: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    runs = {run["run"]: run for run in known}
    for span in told.get("runs", []):
        if span.get("run"):
            runs.setdefault(span["run"]["run"], span["run"])
    return tuple(sorted(runs.values(), key=lambda run: str(run["run"])))
