"""The same report for a program: every table in full, every number as it was computed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from handan.output import records

if TYPE_CHECKING:
    from handan.report.compose import Composer
    from handan.report.material import Material

SCHEMA = 1


def as_json(material: Material, composed: Composer) -> str:
    """Write everything as one JSON object; what is missing or not finite is null.

    Parameters
    ----------
    material : Material
        Everything that the report shows.
    composed : Composer
        Gives the figures' captions.

    Returns
    -------
    str
        ``schema, title, made`` (UTC, ISO 8601), ``command, cost, studies, inputs`` (files with
        SHA-256), ``sizes, versions, sources, facts, tasks, models, left_out, claims, silent,
        skipped, remarks, tables`` (by name, lists of rows) and ``figures``.
    """
    found = material.battery
    told = {
        "schema": SCHEMA, "title": material.title, "made": material.made.isoformat(timespec="seconds"),
        "command": material.command, "cost": material.cost, "studies": material.studies,
        "inputs": records(material.files), "sizes": asdict(found.sizes), "versions": material.software,
        "sources": material.cards, "facts": records(found.facts), "tasks": records(material.tasks),
        "models": records(material.models), "left_out": records(material.left_out),
        "claims": records(material.claims.rows), "silent": records(material.claims.silent),
        "skipped": records(found.skipped), "remarks": found.remarks,
        "tables": {name: records(frame) for name, frame in found.tables.items()},
        "figures": composed.captions,
    }  # fmt: skip
    return _spelled(told) + "\n"


def _spelled(value: Any) -> str:
    """JSON with a line per entry and per row of a table, so that two reports can be compared by line."""
    if isinstance(value, dict) and any(isinstance(one, dict | list) for one in value.values()):
        inside = [f"{json.dumps(name)}: {_spelled(one)}" for name, one in value.items()]
        return "{\n" + ",\n".join(inside) + "\n}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(_spelled(one) for one in value) + "\n]"
    # Escapes throughout: a terminal that shows the file must not obey a model's name.
    return json.dumps(value, allow_nan=False, ensure_ascii=True)
