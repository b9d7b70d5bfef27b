"""What measured models are to one another; `handan.lineage` is the door to it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

# What is said in place of a role of models that stand in no comparison.
OTHER_SETTINGS = "other settings"
NOT_PLACED = "not in the lineage"


def model_of(name: str) -> str:
    """Name the model that was measured: ``QwQ-32B@steps-8k`` is a run of ``QwQ-32B`` under other settings."""
    return name.split("@")[0]


def role_of(name: str, roles: Mapping[str, str]) -> str:
    """Say which role one measured model plays, as `handan.lineage.roles_of`; `roles` are the lineage's."""
    return roles.get(name, OTHER_SETTINGS if model_of(name) in roles else NOT_PLACED)


def set_apart(roles: Mapping[str, str]) -> dict[str, list[str]]:
    """List the models that no comparison takes in, by the reason; a run is told with its model."""
    runs = {name: f"{name} (another run of {model_of(name)})" for name in roles}
    found = {
        NOT_PLACED: [name for name, role in roles.items() if role == NOT_PLACED],
        OTHER_SETTINGS: [runs[name] for name, role in roles.items() if role == OTHER_SETTINGS],
    }
    return {why: names for why, names in found.items() if names}


def collapse_pairs(present: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Pair every teacher with every student; `present` is the lineage of the measured models, by name."""
    teachers = present.index[present["role"] == "teacher"]
    students = present[present["role"] == "student"]
    return [
        (teacher, student, _teaching(teacher, own))
        for teacher in teachers
        for student, own in students["teacher"].items()
    ]


def _teaching(teacher: str, own: object) -> str:
    if pd.isna(own):
        return "teacher not known"
    return "own teacher" if own == teacher else "other teacher"


def transfer_pairs(present: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Pair every student with its base and its sibling, where they were measured; see `collapse_pairs`."""
    students = present[present["role"] == "student"]
    measured = set(present.index)
    return [
        (student, row[link], relation)
        for student, row in students.iterrows()
        for link, relation in (("base", "true base"), ("sibling", "instruct sibling"))
        if row[link] in measured
    ]
