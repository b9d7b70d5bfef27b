"""The list of a store's parts and runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from handan.traces import parts
from handan.traces.errors import StoreError
from handan.traces.parts import Part
from handan.traces.store_files import Files
from handan.traces.store_lines import Header

NAME = "manifest.json"
FORMAT = 1


class TornManifestError(StoreError):
    """The manifest can't be read, and has to be rebuilt from the parts."""


@dataclass(frozen=True)
class Manifest:
    """What a store consists of.

    Parameters
    ----------
    parts : tuple of Part
        In the order of their numbers, oldest rows first.
    runs : tuple of dict
        One per started run, in the order of their starts.
    rolled : int
        Every journal with a lower number has become a part.
    superseded : tuple of str
        Parts whose rows are in a newer part; they may still lie about.
    """

    parts: tuple[Part, ...] = ()
    runs: tuple[dict[str, Any], ...] = ()
    rolled: int = 1
    superseded: tuple[str, ...] = ()

    def next_number(self) -> int:
        """Return a number above those of all parts and journals so far."""
        return max([self.rolled, *(part.number + 1 for part in self.parts)])

    def adding(self, *new: Part) -> Manifest:
        """Return it with further parts; one of the same name is replaced."""
        named = {part.name: part for part in (*self.parts, *new)}
        return replace(self, parts=tuple(sorted(named.values(), key=lambda part: (part.number, part.name))))

    def without(self, names: set[str]) -> Manifest:
        """Return it without some parts."""
        return replace(self, parts=tuple(part for part in self.parts if part.name not in names))


def covers(manifest: Manifest, header: Header | None) -> bool:
    """Whether the rows of a journal are in a part."""
    if header is None:
        return False
    made = parts.part_name(header.number, header.id)
    return header.number < manifest.rolled or any(part.name == made for part in manifest.parts)


def save(files: Files, manifest: Manifest) -> None:
    """Write the manifest, whole or not at all.

    Raises
    ------
    StoreError
        When it can't be written.
    """
    data = {"format": FORMAT, **asdict(manifest)}
    with files.create(NAME) as path:
        path.write_text(json.dumps(data, indent=1, default=str), encoding="utf-8")


def load(files: Files) -> Manifest | None:
    """Read the manifest; None where there is none.

    Raises
    ------
    TornManifestError
        When it isn't what `save` writes.
    StoreError
        When a newer version of handan wrote it.
    """
    try:
        data = json.loads(files.read(NAME))
        if int(data["format"]) > FORMAT:
            raise StoreError(
                f"{files.label} was written by a newer version of handan (format {data['format']}, this one "
                f"knows {FORMAT}); upgrade handan to use it"
            )
        manifest = Manifest(
            tuple(Part(str(one["name"]), int(one["rows"]), int(one["bytes"]), str(one["sha256"]))
                  for one in data["parts"]),
            tuple(dict(run) for run in data["runs"]),
            int(data["rolled"]),
            tuple(map(str, data["superseded"])),
        )  # fmt: skip
        # A name from a file may not lead out of the folder: parts are moved and removed.
        for name in (*manifest.superseded, *(part.name for part in manifest.parts)):
            parts.number_of(name)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise TornManifestError(
            f"{files.label}/{NAME} is damaged ({type(error).__name__}: {error})"
        ) from error
    return manifest
