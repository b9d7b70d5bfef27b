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
# # Geometry: whose fingerprint does a student have?
#
# **After this chapter you can**
#
# - describe a model by *which* items it finds hard, and compare two such descriptions;
# - read a heatmap and a map of models, and say how far they can be trusted;
# - say whether a student resembles its teacher or the model that it was before.
#
# **Time:** 30 minutes to read, under a minute to run.
#
# So far people were the measure of everything. But two models can follow people equally well
# and still find different items hard. And a student can be far from people because it took
# over its teacher's habits, or because it kept its own. To tell these apart we compare models
# with *models*.
#
# Third parties report that the paper does this with *difficulty fingerprints*, and
# with a matrix of their correlations. Its results are not known to us. If students copy the
# form of reasoning and not its allocation, as the paper argues, then their fingerprints
# should stay near those of their bases. That expectation is our reading, not a number of the paper.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
study = "all"  # or the name of one study
seed = 0

# %%
from itertools import groupby

import pandas as pd

from handan import costs, figures, figures_geometry, formats, profiles
from handan.book import show
from handan.findings.geometry import geometry
from handan.findings.join import join
from handan.findings.verdict import SMALLEST
from handan.lineage import load_lineage
from handan.organism.study import COST as ORGANISM_COST
from handan.tables import ROLES

size = profiles.profile(profile)
names = [*costs.studies(), costs.ORGANISM] if study == "all" else [study]
names.sort(key=lambda name: name != "pm-bench")  # the study with the most models comes first
studies = {name: costs.load_study(name) for name in names}

# %% [markdown]
# ## What is a fingerprint?
#
# Take the log of what a model spent on each item. Subtract the mean over the items of the task,
# and divide by the standard deviation. What is left says which items are hard *for this
# model*. How much it writes altogether is gone. With several tasks, the scores of one task
# follow those of the other in one long vector.


# %%
def matched(name):
    """Costs beside norms; the tiny models may answer at once, so there the answer counts too."""
    one = studies[name]
    return join(one.costs, one.norms, ORGANISM_COST if name == costs.ORGANISM else "reasoning_tokens")


joined = {name: matched(name) for name in names}
first = next(iter(joined.values())).rows
task = first[first["task"] == first["task"].iloc[0]]
wide = task.pivot(index="item", columns="model", values="log_cost")
fingerprint = (wide - wide.mean()) / wide.std(ddof=0)

# %% tags=["hide-input"]
shown = fingerprint.iloc[:6, :4].reset_index()
show.table(
    shown, f"Beginnings of fingerprints: {len(shown)} items of {names[0]}. Above 0 the model spends more than usual for it.",
    name="beginnings",
)  # fmt: skip

# %% [markdown]
# The similarity of two models is the correlation of their fingerprints over the items that both
# have. People are one more row. Where nobody was timed, that row is called by what was measured.
# Items are resampled within tasks, once for all models, which gives every similarity an interval.

# %%
found = {}
for name, one in studies.items():
    own = one.lineage if one.lineage is not None else load_lineage()
    spent = ORGANISM_COST if name == costs.ORGANISM else "reasoning_tokens"
    found[name] = geometry(
        joined[name], own, one.reliability, one.costs, cost=spent, measure=one.measure,
        n_boot=size.n_pooled, n_perm=size.n_boot, seed=seed,
    )  # fmt: skip

# %% [markdown]
# The tiny models of `organism` differ in their seed, too. There the log costs are averaged over the seeds of
# a condition first, so that a condition is one row.

# %% tags=["hide-input"]
STUDIES = {"study": "study", "measure": "row of people", "n_models": "models", "n_tasks": "tasks",
           "n_items": "items", "cophenetic": "cophenetic r", "share": "share on the map", "stress": "stress",
           "spread": "mean displacement", "note": "what is missing"}  # fmt: skip
show.table(
    pd.concat([one.studies for one in found.values()], ignore_index=True),
    "What each study can be asked, and how well the tree and the map below fit.",
    labels=STUDIES,
    note="Row of people: what stands for them. Cophenetic r: correlation of distances in the tree with the true ones. Stress: 0 is a "
    "perfect map. Mean displacement: how far a model moves when items are drawn again, in radii of the map.",
    name="studies",
)

# %% [markdown]
# ## The matrix, in order
#
# A matrix of similarities is hard to read in the order of the alphabet. A *hierarchical order* puts
# similar models side by side: it joins the two nearest, then the next nearest, and so on. It
# does not know what a teacher is. If the roles still form blocks, they have something to do with it.

# %% tags=["hide-input"]
drawn = [name for name in names if found[name].models["leaf"].notna().any()]


def blocks(models):
    """Count the runs of equal roles in the hierarchical order, and the roles; people have none."""
    kept = models[models["role"].isin(ROLES) & models["leaf"].notna()]
    roles = kept.sort_values("leaf")["role"].tolist()
    return len(list(groupby(roles))), len(set(roles))


def extremes(pairs):
    """Most and least similar pair of models."""
    models = pairs[(pairs["role_b"] != "norms") & pairs["r"].notna()].sort_values("r")
    said = [f"{row.a} and {row.b} (r = {formats.number(row.r)})" for row in models.iloc[[-1, 0]].itertuples()]
    return f"Most alike are {said[0]}, least {said[1]}."


# %% tags=["hide-input"]
for name in drawn:
    one = found[name]
    runs, roles = blocks(one.models)
    caption = (
        f"Similarity of fingerprints in {name}. {extremes(one.pairs)} In hierarchical order the models' "
        f"{roles} {'role forms' if roles == 1 else 'roles form'} {runs} {'block' if runs == 1 else 'blocks'}."
    )
    alt = f"Heatmap of the correlations of {one.studies['n_mapped'].iloc[0]} fingerprints in {name}, blue below zero, red above."
    show.figure(figures_geometry.heatmap(one.pairs, one.models), caption, alt, name=f"matrix-{name}")

# %% tags=["hide-input"]
for name in [name for name in names if name not in drawn]:
    show.say("**{study}** has no matrix: {note}.", study=name, note=found[name].studies["note"].iloc[0])

# %% [markdown]
# ## A map, and how stable it is
#
# A map puts similar models near each other. The distance of two models is √(2(1 − r)), which is what lies
# between two fingerprints of length one. Two dimensions never hold everything: look for the share
# and the stress in the table above.
#
# A map is a finding from a sample of items. So we draw the items again, make a new map, turn
# it until it fits the first, and do this many times. The ellipse holds 95 % of the places that a model
# gets. Where two ellipses overlap widely, don't read anything into their places. A marker has the number that
# stands before the model's name in the key and in the tables below. Where markers crowd, a thin line leads to
# the number.

# %% tags=["hide-input"]
for name in drawn:
    one = found[name]
    about = one.studies.iloc[0]
    steady = one.models.dropna(subset=["spread"]).sort_values("spread")["model"]
    ends = f" {steady.iloc[0]} moves least, {steady.iloc[-1]} most." if len(steady) else ""
    caption = (
        f"Map of the fingerprints in {name}: {100 * about['share']:.0f} % of the variance. When items are drawn again, a model "
        f"moves by {formats.number(about['spread'])} of the map's radius on average.{ends}"
    )
    alt = f"Scatter of {about['n_mapped']} numbered models in two dimensions with ellipses, markers by role, names in a key."
    show.figure(figures_geometry.similarity_map(one.models), caption, alt, name=f"map-{name}")

# %% [markdown]
# Who is nearest to whom can be asked without a map. The last column says in what share of the
# resamples the same model comes out as the nearest.

# %% tags=["hide-input"]
NEAREST = {"number": "on the map", "model": "model", "role": "role", "n_items": "items", "truncated": "share cut", "mean_r": "mean r",
           "nearest": "nearest model", "nearest_r": "r", "nearest_share": "in share of resamples"}  # fmt: skip
for name in drawn:
    places = found[name].models.assign(number=figures_geometry.map_numbers(found[name].models))
    show.table(
        places.sort_values("number", kind="stable"), f"The nearest neighbour of every model in {name}.", labels=NEAREST,
        name=f"nearest-{name}",
        note="On the map: the model's number there. Share cut: traces cut at the limit. Mean r: with all others. "
        "r: with the nearest model.",
    )  # fmt: skip

# %% [markdown]
# ## Noise makes strangers
#
# A model that is asked once per item gives a noisy fingerprint. Two copies of the same noisy model would
# not correlate perfectly. With several samples per item the noise can be measured, and r can be
# corrected for it: divided by the root of the two reliabilities. With one sample it can't, and
# we don't guess.

# %% tags=["hide-input"]
NOISE = {
    "study": "study",
    "model": "model",
    "role": "role",
    "n_samples": "samples per item",
    "reliability": "reliability",
}
every = pd.concat([one.models for one in found.values()], ignore_index=True)
known = every[every["reliability"].notna()]
if known.empty:
    show.say("No model of this study was asked several times per item, so no similarity can be corrected.")
else:
    show.table(known, "Reliability of fingerprints, where it is known.", labels=NOISE, name="reliability")

# %% tags=["hide-input"]
for name, one in found.items():
    pairs = one.pairs[one.pairs["corrected"].notna()]
    if len(pairs):
        show.say(
            "In {study} {n} of {all} similarities can be corrected. Their median goes from {raw} to {corrected}; "
            "{above} of them come out above 1.",
            study=name, n=len(pairs), all=len(one.pairs), raw=pairs["r"].median(),
            corrected=pairs["corrected"].median(), above=int((pairs["corrected"] > 1).sum()),
        )  # fmt: skip
    else:
        show.say("In {study} no similarity can be corrected.", study=name)

# %% [markdown]
# A corrected r above 1 is no mystery. Reliabilities are estimates, too, and small ones are
# uncertain.
#
# Keep this in mind when two similarities are compared. A base whose replies vary from one sample to the
# next is a poor likeness of everybody, itself included. A low r with it need not mean another
# allocation.
#
# ## Is it only the length of the prompt?
#
# All models may spend more on long prompts. Then they are alike for a dull reason. The partial r
# holds the log length of the prompt constant.

# %% tags=["hide-input"]
for name, one in found.items():
    pairs = one.pairs.dropna(subset=["r", "partial"])
    if pairs.empty:
        show.say("{study}: the lengths of prompts are not known, or do not vary.", study=name)
        continue
    show.say(
        "{study}: the median similarity is {r}, and {partial} given the length of the prompt ({covariate}); "
        "the largest change is {most}.",
        study=name, r=pairs["r"].median(), partial=pairs["partial"].median(),
        covariate=pairs["covariate"].iloc[0], most=float((pairs["partial"] - pairs["r"]).abs().max()),
    )  # fmt: skip

# %% [markdown]
# ## Whom do students resemble?
#
# Entries of a matrix are not independent: each model has a hand in many of them. So we don't shuffle
# entries. We shuffle the *labels of models*. If it made no difference who is called a student, any
# other choice of as many models could have been the students, and the difference that we
# see should not stand out among all choices. Tests that correlate two whole matrices in this way are called *Mantel
# tests*.
#
# Each test needs something to be *exchangeable*; the table says what. And each has a smallest p
# that it can reach, whatever the data are. With five models, of which two are students, there are ten choices, and no p
# lies below .10. Such a test is not evidence for "no difference". It can't speak.

# %% tags=["hide-input"]
TESTS = {"study": "study", "test": "test", "n_models": "models", "n_items": "items", "r_own": "mean r own",
         "r_others": "mean r others", "effect": "effect [95 %]", "p": "p", "p_smallest": "smallest p",
         "n_perm": "relabellings", "exchangeable": "exchangeable", "note": "note"}  # fmt: skip
tests = pd.concat([one.tests for one in found.values()], ignore_index=True)
show.table(
    tests,
    "Permutation tests of whom students resemble. The interval is over items, p over relabellings of models.",
    labels=TESTS,
    digits={"p_smallest": 3},
    intervals={"effect": ("low", "high")},
    note="Mean r own: of the pairs that the question is about; others: of the pairs that they are compared with. p is one-sided; not "
    "corrected for their number. The last two tests of a study have Mantel's r as their effect.",
    name="tests",
)

# %% tags=["hide-input"]
speaking = tests[(tests["p_smallest"] < 0.05) & (tests["statistic"] == "difference of mean r")]
for row in speaking.itertuples():
    show.say(
        "**{study}.** {question} Mean r is {own} against {others}, a difference of {effect}, 95 % interval {low} to {high} "
        "({p:p}; the smallest possible is {least:p}).",
        study=row.study, question=row.question, own=row.r_own, others=row.r_others, effect=row.effect,
        low=row.low, high=row.high, p=row.p, least=row.p_smallest,
    )  # fmt: skip
if speaking.empty:
    show.say("None of these tests could have reached p < .05 here: there are too few models.")

# %% [markdown]
# A small p says that *these* models are set apart by the label. It does not say why. Models of a
# family share data and tokenizers, and the students here are mostly of one family. The two Mantel tests ask
# about rivals: role against size.
#
# ## Does a student keep the allocation of its base?
#
# Now the question of this chapter. For each student: its r with its own base, minus its r with its own
# teacher, on the items that all three have. Above zero it stayed where it came from. Below
# zero it moved to its teacher.

# %% tags=["hide-input"]
for name, one in found.items():
    students = one.students[one.students["difference"].notna()]
    if len(students):
        near = int((students["high"] < 0).sum())
        stay = int((students["low"] > 0).sum())
        fig = figures.intervals(
            students.assign(label=students["student"] + " / " + students["base"]), value="difference", low="low",
            high="high", label="label", group="relation", xlabel="r with the base minus r with the teacher",
        )  # fmt: skip
        caption = (
            f"In {name} {near} of {len(students)} students are nearer to their teacher with the whole interval, {stay} to their "
            "base. Bars: 95 % item bootstrap."
        )
        alt = f"Differences of two correlations for {len(students)} students in {name}, with intervals."
        show.figure(fig, caption, alt, name=f"students-{name}")

# %% [markdown]
# The rule of the verdict is that of the chapters before. *Supported* means that the whole interval lies above
# zero; *not supported*, that a difference worth the name in the direction of the claim is ruled out.

# %% tags=["hide-input"]
pooled = pd.concat([one.allocation for one in found.values()], ignore_index=True)
ALLOCATION = {"study": "study", "relation": "base is", "n_pairs": "pairs", "n_items": "items", "r_base": "r with base",
              "r_teacher": "r with teacher", "difference": "difference [95 %]", "corrected": "without noise",
              "verdict": "verdict", "on_edge": "on the edge"}  # fmt: skip
if len(pooled):
    show.table(
        pooled, "Students keep the allocation of their base: pooled over the students of a study.", labels=ALLOCATION,
        digits={"difference": 3, "low": 3, "high": 3}, intervals={"difference": ("low", "high")}, name="allocation",
        note=f"Smallest difference of interest: {SMALLEST:.2f}. Without noise: the difference of the two r after each was corrected "
        "for the noise of its models, where this is known. On the edge: other random draws could change the verdict.",
    )  # fmt: skip

# %% tags=["hide-input"]
for name, one in found.items():
    show.say("**{study}** (difficulty: {measure})", study=name, measure=studies[name].measure)
    for sentence in one.allocation["sentence"]:
        show.say("- {sentence}", sentence=sentence)
    if one.allocation.empty:
        show.say("- Cannot be told: no student was measured with its own teacher and a baseline of its own.")

# %% [markdown]
# Compare this with the chapters on collapse and transfer. A student can lie below its teacher in its alignment with people
# and still be its teacher's child: where it is wrong about what is hard, it may be wrong in its
# teacher's way, with noise on top. *Losing alignment* and *keeping the base's allocation* are two claims. One can
# hold without the other.
#
# ## Try it
#
# 1. Set `study` to one name above and look which rows change.
# 2. Take two models of the first table. Correlate their columns yourself, over all items, and find the
#    number in the matrix.
# 3. Leave out the items with the longest prompts. Do the blocks stay?
#
# ## What these data can't say
#
# - **Students write like reasoning models.** A base that does not reason spends its tokens on other things:
#   on its answer. Some of the distance from the base is one between two kinds of text, and not between two ways to
#   allocate effort.
# - **Noise differs between models.** Where a model was asked once per item, a low r with it can be its noise.
#   Only studies with repeats can tell.
# - **The true base is mostly missing.** An instruct sibling was trained apart from the student. It may have gone
#   its own way.
# - **Models are few and related.** Six students of one teacher are not six experiments. No test here
#   generalises to other teachers.
# - **Items decide.** A fingerprint over one kind of item may say nothing about another kind. In the study with the
#   most models all items are about one subject, and nobody was timed.
# - **A map is not a mechanism.** Near in fingerprint does not mean alike inside.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from handan.book import show
from handan.costs import load_study

# %% [markdown] tags=["exercise"]
# ### Exercise 8.1: Two models that look the same (8 minutes)
#
# Somebody correlates the log tokens of two tiny models over all items of `organism` and finds that they
# are nearly the same model. One of them is the teacher. The other learned from chains of thought that belong to other
# problems. Compute their similarity as this chapter does: over all items, but from *fingerprints*. Put r
# into `similarity`. `logs` has the mean log tokens of each item.

# %% tags=["solution"]
two = ["teacher-equal-s0", "student-shuffled-equal-s0"]
table = load_study("organism").costs.query("model in @two")
table = table.assign(log_tokens=np.log(table["output_tokens"].astype(float)))
logs = table.groupby(["task", "item", "model"])["log_tokens"].mean().unstack()
### BEGIN SOLUTION
# Tasks differ in length, and every model knows that. Within a task, the mean and the spread have to go
# first. What is left says which items are hard for this model.
tasks = logs.groupby("task")
fingerprints = (logs - tasks.transform("mean")) / tasks.transform("std")
similarity = fingerprints.corr().loc[two[0], two[1]]
### END SOLUTION

# %% tags=["key"]
centred = logs - tasks.transform("mean")
each = [part.corr().loc[two[0], two[1]] for _, part in logs.groupby("task")]
key(
    "8.1", similarity, digits=2, points=2,
    hint="What must happen to the log costs of each task before the tasks are put one after the other?",
    wrong={
        "This r knows that some tasks are longer than others, and hardly anything about items.": logs.corr().loc[two[0], two[1]],
        "You took the means off, but a task with a large spread still decides.": centred.corr().loc[two[0], two[1]],
        "This is the mean of the tasks' r. A small task counts there as much as a large one.": np.mean(each),
        "Tokens without their logarithm, and with the means of tasks in them.": np.exp(logs).corr().loc[two[0], two[1]],
    },
)  # fmt: skip

# %% [markdown] tags=["exercise"]
# ### Exercise 8.2: How alike would they be without noise? (12 minutes)
#
# Reinforcement made AceReason-Nemotron-14B out of DeepSeek-R1-Distill-Qwen-14B. Each answered the items of
# `gpqa-minutes` at least twice. Correlate the *means of the two samples*, and correct this r for noise:
# divide it by the square root of the two reliabilities. A reliability is that of a mean of two
# samples. You get it from the correlation of the samples by the formula of Spearman and Brown. Put the
# corrected r into `corrected`. `samples[model]` has a column per sample.

# %% tags=["solution"]
two = ["DeepSeek-R1-Distill-Qwen-14B", "AceReason-Nemotron-14B"]
table = load_study("gpqa-minutes").costs.query("model in @two and sample < 2")
table = table.assign(log_tokens=np.log(table["reasoning_tokens"].astype(float)))
samples = table.pivot(index="item", columns=["model", "sample"], values="log_tokens").dropna()
### BEGIN SOLUTION
raw = samples[two[0]].mean(axis=1).corr(samples[two[1]].mean(axis=1))
single = [samples[name][0].corr(samples[name][1]) for name in two]
# The mean of two samples has less noise than one sample: Spearman and Brown say by how much.
reliable = [2 * r / (1 + r) for r in single]
corrected = raw / np.sqrt(reliable[0] * reliable[1])
# Near 1: reinforcement changed how much the model writes, and hardly which items it finds hard.
### END SOLUTION

# %% tags=["key"]
key(
    "8.2", corrected, digits=2, points=3,
    hint="Three steps: r of the two means, two reliabilities of means, one division.",
    wrong={
        "This r still has the noise in it.": raw,
        "These are the reliabilities of a single sample. You correlated means of two.": raw / np.sqrt(single[0] * single[1]),
        "You divided by the product of the reliabilities. Something is missing between them and r.": raw / (reliable[0] * reliable[1]),
        "You multiplied. Noise lowers a correlation. Which way must the correction go?": raw * np.sqrt(reliable[0] * reliable[1]),
        "You corrected for the noise of one model only.": raw / np.sqrt(reliable[0]),
    },
)  # fmt: skip

# %% [markdown] tags=["exercise"]
# ### Exercise 8.3: A test that must find something (15 minutes)
#
# Three rows of `pm-bench` are the same model, QwQ-32B, under three settings. If permutation tests of
# labels are any good, they must notice. `apart(chosen)` gives the mean r within a choice of models minus the
# mean r of these with all others. Compute it for *every* choice of three models, and draw the values. What share of the
# choices reaches at least the value of the three? Put this p, with four decimals or more, into `p`.

# %%
wide = load_study("pm-bench").costs.pivot(index="item", columns="model", values="reasoning_tokens")
r = np.log(wide.astype(float)).corr()
same = ["QwQ-32B", "QwQ-32B@steps-8k", "QwQ-32B@nosteps-8k"]


def apart(chosen):
    inside = r.columns.isin(list(chosen))
    within = r.to_numpy()[np.ix_(inside, inside)]
    k = inside.sum()
    return (within.sum() - k) / (k * (k - 1)) - r.to_numpy()[np.ix_(inside, ~inside)].mean()


# %% tags=["solution"]
### BEGIN SOLUTION
observed = apart(same)
values = np.array([apart(chosen) for chosen in combinations(r.columns, 3)])
# The choice that was made is one of all choices, so p can't be zero. A tiny tolerance, because equal
# sums can differ in their last digit.
p = np.mean(values >= observed - 1e-12)
fig, axes = plt.subplots(figsize=(6, 3.6))
sns.histplot(values, bins=15, ax=axes)
axes.axvline(observed, color="0.2", linestyle="--")
axes.set(xlabel="mean r within the choice minus mean r with the others", ylabel="choices of three models")
caption = f"{len(values):,} choices of three models. Dashed line: the three runs of QwQ-32B."
show.figure(fig, caption, "Histogram of differences, with a dashed line at the value of the three.")
### END SOLUTION

# %% tags=["key"]
from scipy.stats import ttest_ind

inner = [r.at[a, b] for a, b in combinations(same, 2)]
outer = [r.at[a, b] for a in same for b in r.columns if b not in same]
key(
    "8.3", p, digits=4, points=3,
    hint="Count the choices whose value is at least that of the three, the three included. Divide by their number.",
    wrong={
        "This t test takes entries of the matrix for independent. Each model has a hand in many of them.": ttest_ind(inner, outer).pvalue,
        "You counted the choices that lie below. The test asks for those at or above.": np.mean(values < observed),
        "This is the smallest p that the test could reach. How many choices reach the value?": 1 / len(values),
    },
)  # fmt: skip
