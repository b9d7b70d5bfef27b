"""What a command works on: recorded studies by name, or a user's own tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from handan.findings.families import Families
    from handan.findings.join import Joined


@dataclass(frozen=True)
class Inputs:
    """One study, ready for the findings.

    Attributes
    ----------
    joined : Joined
        Costs beside norms.
    reliability : DataFrame or None
        Reliability of the norms, where known.
    costs, norms : DataFrame
        The tables that were joined, checked.
    cost : str
        The cost column.
    measure : str
        What stands for human difficulty, in words.
    """

    joined: Joined
    reliability: pd.DataFrame | None
    costs: pd.DataFrame
    norms: pd.DataFrame
    cost: str = "reasoning_tokens"
    measure: str = "the norms' own measure"

    def remarks(self, lineage: pd.DataFrame | None = None) -> list[str]:
        """Say what takes no part in a finding, and why, a line per reason.

        Parameters
        ----------
        lineage : DataFrame, optional
            Names the models that can be compared; the others are remarked upon.
        """
        from handan.lineage import roles_of, set_apart

        lines = []
        for (study, reason), part in self.joined.excluded.groupby(["study", "reason"], sort=False):
            models = ", ".join(part["model"].unique())
            rows = "1 cost row" if part["n"].sum() == 1 else f"{part['n'].sum()} cost rows"
            lines.append(f"{study}: {rows} left out, {reason} ({models})")
        roles = {} if lineage is None else roles_of(self.joined.rows["model"].unique(), lineage)
        apart = set_apart(roles).items()
        return [*lines, *(f"{why}, so not compared: {', '.join(names)}" for why, names in apart)]


def recorded(names: Sequence[str] | None, cost: str) -> list[Inputs]:
    """Load recorded studies.

    Parameters
    ----------
    names : sequence of str or None
        Names of studies; all when None or empty.
    cost : str
        The cost column.

    Raises
    ------
    LookupError
        When a study is unknown, or has no such column.
    """
    from handan.costs import load_study, studies
    from handan.findings.join import join

    loaded = [load_study(name) for name in dict.fromkeys(names or studies())]
    return [
        Inputs(join(one.costs, one.norms, cost), one.reliability, one.costs, one.norms, cost, one.measure)
        for one in loaded
    ]


def own(costs: Path, norms: Path | None, reliability: Path | None, cost: str) -> Inputs:
    """Read a user's tables.

    Parameters
    ----------
    costs : Path
        CSV or Parquet with at least ``model, task, item, reasoning_tokens``.
    norms : Path or None
        CSV with at least ``task, item, log_rt``; the item bank when None.
    reliability : Path or None
        CSV with ``task, reliability``; that of the item bank when both are None.
    cost : str
        The cost column.

    Raises
    ------
    TableError, LookupError, NoOverlap
        When a table is bad, the column is missing, or the tables share no item.
    """
    from handan.costs.files import read_costs
    from handan.findings.join import join
    from handan.norms import load_bank
    from handan.tables import check_costs, check_norms, read_table

    people = load_bank() if norms is None else read_table(norms)
    # A CSV by any other ending is one too.
    told = check_costs(read_costs(costs) if costs.suffix.lower() == ".parquet" else read_table(costs))
    people = check_norms(people)
    joined = join(told, people, cost)
    measure = "human response time" if people["log_rt"].notna().any() else "the norms' difficulty"
    return Inputs(joined, _reliability(joined, norms, reliability), told, people, cost, measure)


def contrasts(
    inputs: Sequence[Inputs],
    lineage: pd.DataFrame,
    claim: str = "both",
    *,
    n_boot: int = 100_000,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare teachers with students, and students with baselines, in several studies.

    Parameters
    ----------
    inputs : sequence of Inputs
        The studies.
    lineage : DataFrame
        Who taught whom.
    claim : {"collapse", "transfer", "both"}
        Which comparison.
    n_boot, seed : int
        Item bootstrap.

    Returns
    -------
    tuple of (DataFrame, DataFrame)
        Pairs and pooled rows as in `handan.findings.contrast.Contrast`, each with a
        column ``claim``.

    Raises
    ------
    LookupError
        When no study holds both models of any pair.
    """
    import pandas as pd

    from handan.findings.collapse import collapse
    from handan.findings.transfer import transfer

    chosen = {"collapse": collapse, "transfer": transfer}
    names = list(chosen) if claim == "both" else [claim]
    found = [
        (name, chosen[name](one.joined, lineage, one.reliability, n_boot=n_boot, seed=seed))
        for one in inputs
        for name in names
    ]
    pairs = [result.pairs.assign(claim=name) for name, result in found if len(result.pairs)]
    if not pairs:
        raise LookupError(
            "no pair to compare: the costs need a teacher and its student, or a student and its baseline, "
            "on the same tasks. `handan models` shows the roles; --lineage takes your own"
        )
    pooled = [result.pooled for _, result in found if len(result.pooled)]
    if not pooled:
        raise LookupError(f"no pair has a correlation for both models: {pairs[0]['note'].iloc[0]}")
    return pd.concat(pairs, ignore_index=True), pd.concat(pooled, ignore_index=True)


def in_families(
    costs: Path | pd.DataFrame | None,
    lineage: Path | None = None,
    cost: str = "output_tokens",
    *,
    n_boot: int = 2_000,
    seed: int = 0,
) -> Families:
    """Compare the conditions of families of tiny models.

    Parameters
    ----------
    costs : Path or DataFrame or None
        A costs table, or a file of one; the packaged study when None.
    lineage : Path or None
        A lineage with ``condition, repertoire, seed``; read from the models' names when None.
    cost : str
        The cost column.
    n_boot, seed : int
        Item bootstrap.

    Returns
    -------
    Families
        See `handan.findings.families.families`.

    Raises
    ------
    TableError, LookupError, NoOverlap
        When a table is bad, or its models are not those of a family.
    """
    from handan.costs import ORGANISM, load_study
    from handan.costs.files import read_costs
    from handan.findings.families import families
    from handan.findings.join import join
    from handan.lineage import load_lineage
    from handan.norms import load_bank, load_reliability
    from handan.organism import study
    from handan.organism.conditions import lineage as from_names
    from handan.tables import check_costs

    if costs is None:
        recorded_study = load_study(ORGANISM)
        people, told, reliability = recorded_study.norms, recorded_study.costs, recorded_study.reliability
    else:
        told = check_costs(read_costs(costs) if isinstance(costs, Path) else costs)
        # Who brings a lineage of their own need not have held out what this project did.
        people = load_bank() if lineage else study.norms(tuple(told["task"].unique()))
        reliability = load_reliability().assign(study=told["study"].iloc[0])
    kin = load_lineage(lineage) if lineage else from_names(list(told["model"].unique()))
    return families(join(told, people, cost), kin, reliability, told, cost=cost, n_boot=n_boot, seed=seed)


def _reliability(joined: Joined, norms: Path | None, reliability: Path | None) -> pd.DataFrame | None:
    from handan.norms import load_reliability
    from handan.tables import check_reliability, read_table

    if reliability is not None:
        known = check_reliability(read_table(reliability))
    elif norms is None:
        known = load_reliability()
    else:
        return None
    # A task is as reliable whatever the user calls the study.
    known = known.drop(columns="study")
    if (twice := known["task"].duplicated()).any():
        raise LookupError(
            f"the reliability table has task {known['task'][twice].iloc[0]!r} twice; keep one row"
        )
    found = joined.rows[["study", "task"]].drop_duplicates().merge(known, on="task")
    if reliability is not None and found.empty:
        raise LookupError(
            f"the reliability table knows none of the tasks: {', '.join(joined.rows['task'].unique())}"
        )
    return found
