# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Claims: what holds, what does not, what cannot be told
#
# **After this chapter you can**
#
# - say of each claim of the paper what our data say, with an interval;
# - name the rule that decides, and where the claim was made;
# - run the same page on your own tables.
#
# **Time:** twenty minutes to read, about a minute to run.
#
# This page collects. Each number comes from a finding of an earlier chapter, and each verdict
# from a rule of the ledger. Nothing on it is typed.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
study = "all"  # or the name of one study
costs_file = ""  # your own costs, norms and lineage as CSV; they replace the recorded studies
norms_file = ""
lineage_file = ""
seed = 0

# %%
import json
from pathlib import Path

import pandas as pd

from handan import figures_claims as pictures
from handan import formats
from handan.battery import Sizes
from handan.book import show
from handan.book.download import download
from handan.book.live import Line
from handan.claimed import claimed
from handan.findings import constancy, rules, verdict
from handan.findings.claims import COLUMNS, as_json, tally
from handan.findings.ledger import ledger
from handan.findings.published import published_checks
from handan.profiles import profile as find_profile

# %%
size = find_profile(profile)
own = [Path(name) if name else None for name in (costs_file, norms_file, lineage_file)]
line = Line()
found, battery = claimed(
    *own,
    study=None if study == "all" or costs_file else [study],
    sizes=Sizes(n_boot=size.n_boot, n_pooled=size.n_pooled, seed=seed),
    report=lambda step: line.write(str(step)),
)
line.write(f"{len(found.rows)} verdicts from {len(battery.tables)} tables of findings")
rows = found.rows

# %% [markdown]
# ## The ledger
#
# A claim enters the ledger with what was said, where, and how sure we are of that. The full
# text of the paper was not available to us. *Verified* means that we read it in an abstract, a
# figure or another primary source. *Third party* means that somebody else says so.
# *Inferred* means that we read it into the paper's words.

# %%
entries = ledger()
LEDGER = {"claim": "claim", "said": "what is said", "paper": "number", "rule": "rule",
          "certainty": "how we know", "where": "where"}  # fmt: skip
listed = pd.DataFrame(
    [dict(claim=one.title, said=one.said, paper=one.paper, rule=one.rule, certainty=one.certainty, where=one.where)
     for one in entries]
)  # fmt: skip
listed["paper"] = [f"{value:.2f}" if isinstance(value, float) else value for value in listed["paper"]]
show.table(listed, "The claims, and where they come from.", labels=LEDGER, name="ledger")

# %% [markdown]
# ## The rules
#
# A rule turns an interval into a verdict. There are five, and each claim names one.

# %% tags=["hide-input"]
show.say(
    "- **direction**: *supported* when the whole interval of a difference lies on the claimed side of zero; *not "
    "supported* when a difference of {smallest:.2f} in that direction is ruled out. That is a third of the drop "
    "that the paper reports. It is the difference as observed that is ruled out. Where the norm is noisy, the true one "
    "may be larger.",
    smallest=verdict.SMALLEST,
)
show.say(
    "- **near**: *supported* when the whole interval lies within {near:.2f} of the published correlation; *not "
    "supported* when it lies outside as a whole, and not only because the norm is noisy.",
    near=rules.NEAR,
)

# %% tags=["hide-input"]
show.say(
    "- **factor**: the same for a ratio, within a factor of {factor:.2f} to either side.", factor=rules.FACTOR
)
show.say(
    "- **constant**: *supported* when the whole interval of the change per standard deviation of difficulty lies "
    "within a factor of {within:.2f} either way; *not supported* when a change is certain and may be larger.",
    within=constancy.WITHIN,
)
show.say("- **found**: the finding has a rule of its own, which its chapter states.")
show.say("Everything else is *cannot tell*, and so is anything with fewer than {n} items.", n=verdict.FEWEST)

# %% [markdown]
# The rules of direction and of constancy stood before any number was seen. The others were
# written with the ledger, before it was first run; correlations of earlier chapters were known by
# then. After the first run reviews found faults, and some things were changed. You should know
# them, because the numbers had been seen by then.
#
# - A correlation below the published one no longer speaks against it where the noise of the norm
#   explains it. This turned a *not supported* into a *cannot tell*.
# - Claims about the level of a correlation now need times of people. Levels, steps and grades no
#   longer speak to them, and the studies that have nothing else fell silent.
# - The size of the collapse became a claim of its own. Before, its number stood beside a rule that
#   looks at the direction alone.
# - Correlations over a handful of items no longer enter a mean, and many small tasks no longer
#   count as a large one. The distributions of effort were brought under this rule last.
# - The reliability of a norm is itself an estimate. Where its interval is known, a verdict of the rule
#   *near* that hangs on it is marked as lying on the edge.
#
# ## All verdicts at a glance

# %% tags=["hide-input"]
counts = tally(rows)
total = rows["verdict"].value_counts()
caption = (
    f"Of {len(rows)} verdicts {total.get('supported', 0)} support the claim, {total.get('not supported', 0)} do "
    f"not, and {total.get('cannot tell', 0)} leave it open. An empty place: the study cannot speak to the claim."
)
alt = f"A grid of {rows['title'].nunique()} claims by {rows['study'].nunique()} studies with a marker per verdict."
show.figure(pictures.verdict_grid(rows), caption, alt, name="grid")

# %% tags=["hide-input"]
TALLY = {"title": "claim", "supported": "supported", "not supported": "not supported",
         "cannot tell": "cannot tell", "studies": "verdicts"}  # fmt: skip
note = (
    "The organism counts twice, once for each repertoire of its bases. Its student is student-matched, over all four "
    "tasks. Chapter 9 shows binary arithmetic alone, and some of its verdicts differ."
)
show.table(counts, "Verdicts by claim, counted over studies.", labels=TALLY, note=note, name="tally")

# %% [markdown]
# The studies are not votes. They differ in what stands for difficulty, in the models, and in
# the number of items. A study with measured times of people says more about the paper than
# one with the grades of a language model. The measure therefore stands beside each verdict.
# The verdicts are not corrected for their number.
#
# ## Claim by claim

# %% tags=["hide-input"]
CLAIM = {"study": "study", "verdict": "verdict", "on_edge": "edge", "ours": "ours [95 %]",
         "n_items": "items", "ceiling": "ceiling", "truncated": "share cut", "measure": "difficulty"}  # fmt: skip
EDGE = (
    "Edge: the verdict lies so close to a limit that another seed could change it, or, by the rule near, a noise "
    "ceiling elsewhere in its own interval."
)
DIGITS = {"ours": 3, "low": 3, "high": 3, "n_items": 0}


# %% tags=["hide-input"]
def tell(entry):
    here = rows[rows["claim"] == entry.name]
    show.say("### {title}", title=entry.title)
    show.say("{said} ({certainty}: {where})", said=entry.said, certainty=entry.certainty, where=entry.where)
    if here.empty:
        return show.say("No study here can speak to it: it needs {needs}.", needs=entry.needs)
    labels = CLAIM if entry.source.units == "items" else CLAIM | {"n_items": entry.source.units}
    show.table(here, f"{entry.title}: the claim is {claimed_value(entry)}, and we get this.", labels=labels, digits=DIGITS,
               intervals={"ours": ("low", "high")}, name=entry.name, note=EDGE)  # fmt: skip
    draw(entry, here)
    explain_held(entry, here)
    for sentence in here["sentence"]:
        show.say("- {sentence}", sentence=sentence)


# %% tags=["hide-input"]
UNITS = {"near": "r", "direction": "difference of correlations", "factor": "multiplier",
         "constant": "change of the multiplier per SD of difficulty (factor)", "found": "difference"}  # fmt: skip
# what the line of a figure stands for, by rule or claim, where it is not a published number
MARKS = {"constant": "a constant multiplier", "collapse-size": "difference of the published means"}


def claimed_value(entry):
    return formats.number(entry.paper) if isinstance(entry.paper, float) else entry.paper


# %% tags=["hide-input"]
def explain_held(entry, here):
    """Say which intervals hold the number and are not near it as a whole."""
    if entry.rule not in ("near", "factor"):
        return
    bottom, top = rules.band(entry.rule, entry.paper)
    holds = (here["low"] <= entry.paper) & (here["high"] >= entry.paper)
    wide = here[holds & ((here["low"] < bottom) | (here["high"] > top))]
    if len(wide):
        show.say(
            "The interval holds the number {paper} in {studies}, and this is not enough: *supported* asks that the whole "
            "interval lie near it, between {bottom:.2f} and {top:.2f}.",
            paper=claimed_value(entry), studies=wide["study"].tolist(), bottom=bottom, top=top,
        )  # fmt: skip


# %% tags=["hide-input"]
def draw(entry, here):
    each = {
        name: int((here["verdict"] == name).sum()) for name in ("supported", "not supported", "cannot tell")
    }
    told = ", ".join(f"{number} {name}" for name, number in each.items())
    caption = f"{entry.title}: {told}. Bars: 95 % intervals."
    alt = f"Estimates with intervals, a line each: {formats.listing(here['study'])}. Claimed: {claimed_value(entry)}."
    mark = MARKS.get(entry.name) or MARKS.get(entry.rule, "the published number")
    unit = "difference of correlations" if entry.source.table == "collapse" else UNITS[entry.rule]
    fig = pictures.beside_the_paper(here, unit, mark)
    show.figure(fig, caption, alt, name=f"figure-{entry.name}")


# %%
for entry in entries:
    tell(entry)

# %% [markdown]
# ## Who is silent, and why
#
# A study that lacks a model or a measure says nothing about a claim. That is no support and no
# contradiction.

# %% tags=["hide-input"]
titles = {one.name: one.title for one in entries}
silent = found.silent.assign(claim=found.silent["claim"].map(titles))
together = silent.groupby(["claim", "reason"], sort=False)["study"].agg(", ".join).reset_index()
SILENT = {"claim": "claim", "study": "studies that cannot speak", "reason": "why"}
show.table(together, "Claims and the studies that cannot speak to them.", labels=SILENT, name="silent")

# %% [markdown]
# ## Do the printed numbers fit together?
#
# Some numbers that are quoted for the paper can be checked without its data.

# %%
checks = published_checks()
CHECKS = {"check": "what is checked", "printed": "printed", "recomputed": "recomputed", "agrees": "agrees",
          "note": "what follows"}  # fmt: skip
show.table(
    checks,
    "Published numbers, recomputed.",
    labels=CHECKS,
    digits={"printed": 3, "recomputed": 3},
    name="checks",
)

# %% [markdown]
# ## Take it with you
#
# The terminal prints the same from the same call: `handan claims`, with `--format csv` or
# `--format json` for a program. With your own tables it is
# `handan claims my_costs.csv --norms my_norms.csv --lineage my_models.csv`.

# %% tags=["hide-input"]
download(
    "claims.json",
    json.dumps(as_json(found), indent=2, ensure_ascii=False),
    "claims.json: every verdict of this page",
)
download("claims.csv", rows[COLUMNS].to_csv(index=False), "claims.csv: the verdicts as a table")

# %% [markdown]
# ## What this page can't say
#
# - **It is not a vote.** A claim that is supported in one study and not in another is one that
#   depends on something. The chapter on the multiverse asks on what.
# - **Not the paper's data.** We test the paper's claims on other items, mostly with weaker
#   measures of difficulty. A claim that fails here may hold on the paper's own data.
# - **Bands are choices.** How near is near enough was fixed before the ledger was run, but it was fixed by us.
# - **These models, new items.** An interval speaks about other items of the same kind. Only
#   the organism was trained more than once, so only there are models random too.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
import numpy as np
import pandas as pd

from handan import figures
from handan.book import show
from handan.costs import load_study
from handan.findings.ledger import ledger
from handan.findings.rules import band, factor
from handan.findings.verdict import verdict
from handan.stats.overlapping import zou_interval

# %% [markdown] tags=["exercise"]
# ### Exercise 11.1: Does it hold the paper's number? (8 minutes)
#
# `cases` has intervals of multipliers from made-up studies, of a hundred items each. Which of them does the rule
# *factor* call *supported*, given the published multiplier `paper`? Put their letters into the list `supported`. Look
# also at those that hold the published number, and at those that don't.

# %% tags=["solution"]
paper = next(one.paper for one in ledger() if one.name == "inflation-size")
cases = {"A": (2.0, 2.9), "B": (1.2, 2.3), "C": (3.2, 4.4), "D": (2.41, 2.50),
         "E": (0.9, 6.0), "F": (2.6, 3.0), "G": (1.1, 1.9)}  # fmt: skip
### BEGIN SOLUTION
# The question is not whether the number lies in the interval. A wide interval holds many numbers, and a narrow
# one can miss the number and still be near it. The whole interval has to lie in the band around the number.
supported = [name for name, (low, high) in cases.items() if factor(low, high, paper, 100) == "supported"]
### END SOLUTION

# %% tags=["key"]
bottom, top = band("factor", paper)
mistakes = {
    "You took those that hold the published number. One of them holds nearly every other number, too.": [name for name, (low, high) in cases.items() if low <= paper <= high],
    "You took those whose middle is near the number. What about their ends?": [name for name, (low, high) in cases.items() if bottom <= np.sqrt(low * high) <= top],
    "You took all that are not *not supported*. There is a third verdict.": [name for name, (low, high) in cases.items() if low <= top and high >= bottom],
    "You looked at the upper ends only.": [name for name, (_, high) in cases.items() if high <= top],
}  # fmt: skip
key(
    "11.1",
    supported,
    points=2,
    wrong=mistakes,
    hint="Draw the band, and ask of each interval whether all of it lies inside.",
)

# %% [markdown] tags=["exercise"]
# ### Exercise 11.2: The same items (12 minutes)
#
# Is the reinforced model of `gpqa-minutes` more aligned than the student that it was made from? Both answered the same
# items, and `both` has their mean log tokens beside the log time of experts. Compute the interval of the
# difference of the two correlations with `zou_interval(r_a, r_b, r_ab, n)`, where a is the reinforced model. Draw
# it beside the one you would get if the two models had answered different items. Put the *lower end* of the first,
# with four decimals or more, into `lower`. Which verdict does each interval lead to?

# %%
gpqa = load_study("gpqa-minutes")
pair = ["AceReason-Nemotron-14B", "DeepSeek-R1-Distill-Qwen-14B"]
spent = gpqa.costs.query("model in @pair")
spent = spent.assign(log_tokens=np.log(spent["reasoning_tokens"].astype(float)))
spent = spent.groupby(["item", "model"])["log_tokens"].mean().unstack()
both = pd.DataFrame(
    {"reinforced": spent[pair[0]], "student": spent[pair[1]],
     "experts": gpqa.norms.set_index("item")["log_rt"]}
)  # fmt: skip

# %% tags=["solution"]
### BEGIN SOLUTION
r = both.corr()
r_a, r_b, r_ab = r.at["reinforced", "experts"], r.at["student", "experts"], r.at["reinforced", "student"]
# The two models err on the same items. Their errors go together and cancel in the difference, and
# r_ab is what says how much. Without shared items it would be zero.
compared = pd.DataFrame({"items": ["same", "different"], "difference": r_a - r_b})
compared["low"], compared["high"] = zou_interval(r_a, r_b, [r_ab, 0.0], len(both))
lower = compared.at[0, "low"]
verdicts = [verdict(low, high) for low, high in zip(compared["low"], compared["high"], strict=True)]
compared["label"] = compared["items"] + " items: " + pd.Series(verdicts)
fig = figures.intervals(compared, value="difference", low="low", high="high", label="label",
                        xlabel="r(reinforced) − r(student)")  # fmt: skip
caption = "Two intervals of one difference, and the verdict that each of them leads to."
show.figure(fig, caption, "Two intervals of one difference: for the same items and for different ones.")
### END SOLUTION

# %% tags=["key"]
from handan.stats.correlation import fisher_interval

alone = [fisher_interval(one, len(both)) for one in (r_a, r_b)]
key(
    "11.2", lower, digits=4, points=3,
    hint="Three correlations go in: each model with the experts, and the models with each other.",
    wrong={
        "This is the interval for models that answered different items. What do they share here?": compared.at[1, "low"],
        "You took the distance between the ends of two single intervals. They don't know that the items are the same.": float(alone[0].low - alone[1].high),
        "This is the lower end for one model, not for a difference.": float(alone[0].low),
        "This is the upper end.": compared.at[0, "high"],
        "The order is turned around: reinforced minus student.": -compared.at[0, "high"],
    },
)  # fmt: skip

# %% [markdown] tags=["exercise"]
# ### Exercise 11.3: Twelve studies and no difference (8 minutes)
#
# Suppose that teacher and student are equally aligned everywhere, and that twelve independent studies test the
# claim of collapse, each with a correct interval of the usual kind: in the long run it misses the truth once in
# twenty times, equally often on either side. How likely is it that *at least one* study says *supported*? Put the
# probability into `lucky`.

# %% tags=["solution"]
MISSED = 1 / 20
STUDIES = 12
### BEGIN SOLUTION
# Supported means that the interval lies above zero. That is one of the two ways to miss the truth.
one_study = MISSED / 2
lucky = 1 - (1 - one_study) ** STUDIES
# The page makes more comparisons than these. So one *supported* among many is no finding yet. But its studies
# share models, and their luck goes together: the number holds for independent ones.
### END SOLUTION

# %% tags=["key"]
key(
    "11.3", lucky, digits=2, points=2,
    hint="How likely is it that one study does not say it? And that none of them does?",
    wrong={
        "You counted both ways to miss. An interval below zero does not say *supported*.": 1 - (1 - MISSED) ** STUDIES,
        "This is the number of such studies to be expected. It is not the probability of at least one.": STUDIES * one_study,
        "That is one study's risk. There are more of them.": one_study,
        "This is the probability that all of them are right.": (1 - one_study) ** STUDIES,
    },
)  # fmt: skip
