"""Crossed effects without the cost of crossing: rotate items and models until rows fall apart.

Items of one task that the same models did are rotated, all models alike, so that intercept and
difficulty lie in the first two rotated items: the *head*. The *rest* have mean zero and no effect
of a model. Models of one role that did the same items are rotated too, so that what they share
lies in the first, the *lead*; what an item does to all models of a role is zero in the others.
The variances of models, items and noise are the same for anything rotated, so the likelihood is
that of the rows as they were, and most rows have become independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ._common import FloatArray

# How names of components of models begin, and how those are named that one role has.
MODELS, OF_ROLE = "model", "{} ({})"
# Rows of a group: small groups waste calls, large ones cost the cube of their size.
_GROUP = 60


@dataclass(frozen=True)
class Rows:
    """Rotated rows: values (n,), fixed effects (n, k) and columns (n, q) of the components."""

    value: FloatArray
    fixed: FloatArray
    random: dict[str, FloatArray]


@dataclass(frozen=True)
class Block:
    """Items of one task that the same models did, rotated.

    Attributes
    ----------
    turned : ndarray of shape (n_items, m)
        Values of the m models, items and models rotated.
    carried : ndarray of shape (n_items, 2)
        Intercept and difficulty; zero from the third item on.
    fixed : ndarray of shape (m, a)
        Fixed effects of the models' levels, which are those of their slopes too.
    model, by_task : ndarray of shape (m, n_models), (m, n_models * n_tasks)
        Which model, and which model in which task.
    kin : dict of str to ndarray of shape (n_models,)
        Which models have the role.
    shares : dict of str to ndarray of shape (m,)
        By how much an effect of an item reaches a model, for each component of items.
    leads : ndarray of shape (m,)
        False for rotated models that no fixed effect and no item reaches.
    """

    turned: FloatArray
    carried: FloatArray
    fixed: FloatArray
    model: FloatArray
    by_task: FloatArray
    kin: dict[str, FloatArray]
    shares: dict[str, FloatArray]
    leads: np.ndarray

    def rows(self, items: slice | np.ndarray, models: np.ndarray) -> Rows:
        """Lay out some items of some models, item after item."""
        value, carried = self.turned[items][:, models], self.carried[items]
        level, slope, alone = carried[:, :1], carried[:, 1:], np.eye(len(value))
        random = {
            "model": np.kron(level, self.model[models]),
            "model x difficulty": np.kron(slope, self.model[models]),
            "model x task": np.kron(level, self.by_task[models]),
            "model x task x difficulty": np.kron(slope, self.by_task[models]),
        }
        for role, those in self.kin.items():
            random[OF_ROLE.format("model", role)] = np.kron(level, self.model[models] * those)
            random[OF_ROLE.format("model x difficulty", role)] = np.kron(slope, self.model[models] * those)
        for name, share in self.shares.items():
            random[name] = np.kron(alone, share[models, None])
        return Rows(value.ravel(), np.kron(carried, self.fixed[models]), random)


def blocks(frame: pd.DataFrame, roles: Sequence[str]) -> Iterator[Block]:
    """Sort rows into blocks, and rotate items and models of each.

    Parameters
    ----------
    frame : DataFrame
        ``model, role, task, item, difficulty, value``, complete.
    roles : sequence of str
        Order of the roles.
    """
    wide = frame.pivot(index=["task", "item"], columns="model", values="value")
    kin = frame.drop_duplicates("model").set_index("model")["role"][wide.columns]
    difficulty = frame.drop_duplicates(["task", "item"]).set_index(["task", "item"])["difficulty"]
    member = (kin.to_numpy()[:, None] == np.array(roles)).astype(float)
    done = wide.notna().to_numpy()
    turn, leads = _alike(done, member)
    tasks = list(dict.fromkeys(frame["task"]))
    # A task's code is its deviation from the mean of tasks: the roles' terms are means over tasks.
    coded = np.vstack([np.eye(len(tasks) - 1), np.full((1, len(tasks) - 1), -1.0)])
    place = pd.Index(tasks).get_indexer(wide.index.get_level_values("task"))
    _, which = np.unique(np.column_stack([place, done]), axis=0, return_inverse=True)
    for number in range(which.max() + 1):
        here = np.flatnonzero(which.ravel() == number)
        index, at = np.flatnonzero(done[here[0]]), place[here[0]]
        own = turn[np.ix_(index, index)]
        carried = np.column_stack([np.ones(len(here)), difficulty.reindex(wide.index[here])])
        rotated = rotate(carried, wide.to_numpy(float)[np.ix_(here, index)] @ own)
        fixed = own @ np.hstack([member[index], np.tile(coded[at], (len(index), 1))])
        shares = {"item": own @ np.ones(len(index))}
        shares |= {f"item x {role}": own @ member[index, k] for k, role in enumerate(roles)}
        which_model, n_models = np.eye(len(kin))[index], len(kin)
        yield Block(
            rotated[:, 2:], rotated[:, :2], fixed, which_model,
            np.kron(np.eye(len(tasks))[at], which_model).reshape(len(index), n_models * len(tasks)),
            dict(zip(roles, member.T, strict=True)), shares, leads[index],
        )  # fmt: skip


def _alike(done: np.ndarray, member: FloatArray) -> tuple[FloatArray, np.ndarray]:
    """Rotation of the models that did the same items in one role, and which of them lead."""
    _, kind = np.unique(np.hstack([done.T, member]), axis=0, return_inverse=True)
    turn, leads = np.eye(len(member)), np.zeros(len(member), dtype=bool)
    for number in range(kind.max() + 1):
        those = np.flatnonzero(kind.ravel() == number)
        leads[those[0]] = True
        mirror = np.ones(len(those))
        mirror[0] += np.sqrt(len(those))
        turn[np.ix_(those, those)] -= 2 * np.outer(mirror, mirror) / (mirror @ mirror)
    return turn, leads


def affordable(found: Sequence[Block], most: int) -> tuple[list[Block], list[str]]:
    """Keep the largest blocks, as far as the group of the leads stays solvable.

    Parameters
    ----------
    found : sequence of Block
        All blocks.
    most : int
        Rows of that group.

    Returns
    -------
    blocks : list of Block
        None when even the largest is too large.
    notes : list of str
        What was left out.
    """
    largest = sorted(found, key=lambda block: -block.turned.size)
    rows = np.cumsum([min(2, len(block.turned)) * block.leads.sum() for block in largest])
    kept = largest[: int((rows <= most).sum())]
    lost = sum(len(block.turned) for block in largest[len(kept) :])
    return kept, [f"{lost} items left out, each done by an odd set of models"] if lost else []


def rotate(carried: FloatArray, values: FloatArray) -> FloatArray:
    """Reflect items so that two columns are zero from the third row on (Householder, 1958).

    Parameters
    ----------
    carried : ndarray of shape (n_items, 2)
        The two columns.
    values : ndarray of shape (n_items, m)
        Turned with them.

    Returns
    -------
    ndarray of shape (n_items, 2 + m)
        Both, turned; squares and products of columns are as before.

    References
    ----------
    Householder (1958), doi:10.1145/320941.320947.
    """
    turned = np.hstack([carried, values])
    for k in range(min(2, len(turned))):
        mirror = turned[k:, k].copy()
        mirror[0] += np.copysign(np.linalg.norm(mirror), mirror[0])
        if (length := np.linalg.norm(mirror)) > 0:
            mirror /= length
            turned[k:] -= 2 * np.outer(mirror, mirror @ turned[k:])
    turned[2:, :2] = 0
    turned[1:2, :1] = 0
    return turned


def head(parts: Sequence[Block]) -> Rows:
    """Rows of the leads that carry intercept or difficulty: all fixed effects are here."""
    from scipy.linalg import block_diag

    rows = [part.rows(slice(2), part.leads) for part in parts]
    # A model runs through all blocks; an item belongs to one.
    together = {name: [row.random[name] for row in rows] for name in rows[0].random}
    random = {
        name: _touched(np.vstack(columns) if name.startswith(MODELS) else block_diag(*columns))
        for name, columns in together.items()
    }
    return Rows(np.concatenate([row.value for row in rows]), np.vstack([row.fixed for row in rows]), random)


def contrasts(parts: Sequence[Block]) -> Iterator[Rows]:
    """Rows of the other models that carry intercept or difficulty, a few models at a time."""
    step = max(1, _GROUP // (2 * len(parts)))
    n_models = parts[0].model.shape[1]
    for start in range(0, n_models, step):
        some = [part.model[:, start : start + step].any(axis=1) & ~part.leads for part in parts]
        rows = [part.rows(slice(2), own) for part, own in zip(parts, some, strict=True) if own.any()]
        if rows:
            of_models = [name for name in rows[0].random if name.startswith(MODELS)]
            random = {name: _touched(np.vstack([row.random[name] for row in rows])) for name in of_models}
            value, fixed = np.concatenate([row.value for row in rows]), np.vstack([row.fixed for row in rows])
            yield Rows(value, np.zeros_like(fixed), random)


def _touched(columns: FloatArray) -> FloatArray:
    return columns[:, columns.any(axis=0)]


def rest(parts: Sequence[Block], most: int) -> Iterator[Rows]:
    """Rows that carry items and noise only, in groups of a size that is quick to solve.

    Parameters
    ----------
    parts : sequence of Block
        All blocks.
    most : int
        Rotated items to keep, evenly spaced; any of them tells the same about the variances.
    """
    found = sum(max(len(part.turned) - 2, 0) for part in parts)
    noise = [np.zeros(0)]
    for part in parts:
        n_items = len(part.turned)
        keep = int(np.ceil(max(n_items - 2, 0) * min(1.0, most / max(found, 1))))
        places = np.linspace(2, n_items - 1, keep).astype(int)
        noise.append(part.turned[places][:, ~part.leads].ravel())
        step = max(1, _GROUP // int(part.leads.sum()))
        for start in range(0, keep, step):
            rows = part.rows(places[start : start + step], part.leads)
            yield Rows(rows.value, rows.fixed, {name: rows.random[name] for name in part.shares})
    alone = np.concatenate(noise)
    if len(alone):
        yield Rows(alone, np.zeros((len(alone), 2 * parts[0].fixed.shape[1])), {})
