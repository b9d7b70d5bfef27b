"""Merge the parts of a store into few, without a moment at which a row is in none."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from handan.traces import manifest as manifests
from handan.traces import parts
from handan.traces.errors import StoreError
from handan.traces.manifest import Manifest
from handan.traces.parts import Part
from handan.traces.store_files import Files

if TYPE_CHECKING:
    import pyarrow as pa

MERGED_ROWS = 200_000
MERGED_BYTES = 256_000_000


@dataclass(frozen=True)
class CompactReport:
    """What a merge did.

    Parameters
    ----------
    parts_before, parts_after : int
        Part files.
    bytes_before, bytes_after : int
        Their sizes together.
    rows : int
        Rows kept: one per key.
    dropped_errors : int
        Failures left out, since a later row has the same key.
    dropped_others : int
        Other rows left out for this reason.
    """

    parts_before: int
    parts_after: int
    bytes_before: int
    bytes_after: int
    rows: int
    dropped_errors: int
    dropped_others: int

    def __str__(self) -> str:
        return (
            f"{self.parts_before:,} parts ({self.bytes_before / 1e6:,.1f} MB) became {self.parts_after:,} "
            f"({self.bytes_after / 1e6:,.1f} MB) with {self.rows:,} rows; left out, as a later row has the "
            f"same key: {self.dropped_errors:,} failures and {self.dropped_others:,} others"
        )


@dataclass(frozen=True)
class _Source:
    """A part, and which of its rows are kept."""

    part: Part
    keep: np.ndarray


def merge(files: Files, manifest: Manifest, tables: list[pa.Table]) -> tuple[Manifest, CompactReport]:
    """Merge parts; the manifest is the point of no return, the old parts go after it.

    Parameters
    ----------
    files : Files
        The store.
    manifest : Manifest
        Of a store without rows in its journal.
    tables : list of Table
        ``key, stop`` of every part, in order.

    Raises
    ------
    StoreError
        When there is no room, or a merged part doesn't read back as it should. The store
        is unchanged then.
    """
    import pyarrow as pa

    if not manifest.parts:
        return manifest, CompactReport(0, 0, 0, 0, 0, 0, 0)
    everything = pa.concat_tables(tables)
    keep = parts.winners(everything)
    failed = everything["stop"].to_numpy() == "error"
    ends = np.cumsum([len(table) for table in tables])[:-1]
    sources = [_Source(*pair) for pair in zip(manifest.parts, np.split(keep, ends), strict=True)]
    groups = [group for group in _groups(sources) if len(group) > 1 or not group[0].keep.all()]
    old = {source.part.name for group in groups for source in group}
    after = _commit(files, manifest, _write(files, groups, manifest.next_number()), old)
    return after, CompactReport(
        parts_before=len(manifest.parts),
        parts_after=len(after.parts),
        bytes_before=sum(part.bytes for part in manifest.parts),
        bytes_after=sum(part.bytes for part in after.parts),
        rows=int(keep.sum()),
        dropped_errors=int((~keep & failed).sum()),
        dropped_others=int((~keep & ~failed).sum()),
    )


def _groups(sources: list[_Source]) -> Iterator[list[_Source]]:
    group: list[_Source] = []
    rows = size = 0
    for source in sources:
        kept = int(source.keep.sum())
        if group and (rows + kept > MERGED_ROWS or size + source.part.bytes > MERGED_BYTES):
            yield group
            group, rows, size = [], 0, 0
        group.append(source)
        rows, size = rows + kept, size + source.part.bytes
    yield group


def _write(files: Files, groups: list[list[_Source]], number: int) -> list[Part]:
    written: list[Part] = []
    try:
        for place, group in enumerate(groups):
            if any(source.keep.any() for source in group):
                written.append(_write_group(files, group, number + place))
    except BaseException:
        for part in written:
            files.remove(part.path)
        raise
    return written


def _write_group(files: Files, group: list[_Source], number: int) -> Part:
    name = parts.part_name(number, secrets.token_hex(4))
    about = {
        "format": manifests.FORMAT,
        "runs": _joined(span for source in group for span in _spans(files, source)),
        "compacted": [source.part.name for source in group],
    }
    expected: list[str] = []

    def _kept() -> Iterator[pa.Table]:
        for source in group:
            start = 0
            for table in parts.row_groups(files, source.part.name):
                chosen = table.filter(source.keep[start : start + len(table)])
                start += len(table)
                expected.extend(chosen["key"].to_pylist())
                yield chosen

    part = parts.write_part(files, name, _kept(), about)
    found = [key for table in parts.row_groups(files, name) for key in table["key"].to_pylist()]
    if found != expected:
        files.remove(part.path)
        raise StoreError(f"{files.label}/{part.path} doesn't read back as written; the old parts are kept")
    return part


def _spans(files: Files, source: _Source) -> Iterator[dict[str, Any]]:
    """Count the kept rows of every run in a part."""
    with files.open(source.part.path) as file:
        told = parts.about(parts.read_footer(file)).get("runs") or [{"rows": source.part.rows, "run": None}]
    start = 0
    for span in told:
        kept = int(source.keep[start : start + span["rows"]].sum())
        start += span["rows"]
        if kept:
            yield {"rows": kept, "run": span["run"]}


def _joined(spans: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join neighbours of the same run."""
    joined: list[dict[str, Any]] = []
    for span in spans:
        if joined and joined[-1]["run"] == span["run"]:
            joined[-1]["rows"] += span["rows"]
        else:
            joined.append(span)
    return joined


def _commit(files: Files, manifest: Manifest, new: list[Part], old: set[str]) -> Manifest:
    if not old:
        return manifest
    after = replace(manifest.without(old).adding(*new), superseded=tuple(sorted(old)))
    after = replace(after, rolled=after.next_number())
    manifests.save(files, after)
    for name in sorted(old):
        files.remove(f"{parts.FOLDER}/{name}")
    return after
