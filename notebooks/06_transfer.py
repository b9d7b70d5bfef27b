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
# # Transfer: is the student less aligned than it was before?
#
# **After this chapter you can**
#
# - say what a student's baseline is, and why there are two candidates;
# - test for negative transfer, pair by pair and pooled;
# - say how far a student would have to fall for a study to notice;
# - say where a model without reasoning tokens follows difficulty better than the teachers.
#
# **Time:** 25 minutes to read, under a minute to run.
#
# The paper's second claim is stronger than collapse. Students do not only stay below their
# teachers: they fall *below their own baselines*, the models that they were before they saw
# a single trace. The paper calls this *negative transfer*. Distillation would then not fail
# to teach the allocation of effort. It would damage what was there.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
study = "all"  # or the name of one study
seed = 0

# %%
import numpy as np
import pandas as pd

from handan import costs, figures, profiles
from handan.book import show
from handan.findings.alignment import align
from handan.findings.contrast import unpaired_cells
from handan.findings.detectable import detectable
from handan.findings.join import join
from handan.findings.published import QUOTED_P, QUOTED_T, degrees_of_freedom
from handan.findings.transfer import baselines_ahead, teachers_against_baselines, transfer
from handan.findings.verdict import TRANSFER, no_data
from handan.lineage import load_lineage, paper_design
from handan.stats.pair_design import PairDesign
from handan.stats.power_tasks import simulated_cells

# %%
size = profiles.profile(profile)
names = costs.studies() if study == "all" else [study]
studies = {name: costs.load_study(name) for name in names}
joined = {name: join(one.costs, one.norms) for name, one in studies.items()}
lineage = load_lineage()
roles = lineage.set_index("model")["role"].to_dict()

# %% [markdown]
# ## What is a baseline?
#
# The six public students of DeepSeek-R1 did not start where one might think. This is the
# design of the paper as far as it can be known. We did not find the list of its 14 models, so the rows
# are inferred.

# %%
design = paper_design()
DESIGN = {"model": "model", "paper_role": "role in the paper", "counterpart": "instruct counterpart",
          "starting_point": "true starting checkpoint", "certainty": "in the paper?"}  # fmt: skip
show.table(
    design,
    "The models of the paper, as far as they can be known.",
    labels=DESIGN,
    note="RLHF: reinforcement learning from human feedback. People rate replies, and the model learns to write what they "
    "like. A pre-distillation counterpart is what a student is taken to have been before; inferred: we found no list.",
    name="design",
)

# %% tags=["hide-input"]
students = design[design["counterpart"].notna()]
differ = int((students["counterpart"] != students["starting_point"]).sum())
show.say(
    "For {differ} of the {n} students the instruct model of the family is *not* the checkpoint that was distilled.",
    differ=differ, n=len(students),
)  # fmt: skip

# %% [markdown]
# So there are two comparisons, and they answer different questions.
#
# - **true base**: the student against the very weights that it started from. This is what
#   "before distillation" means. A base that was never taught to follow instructions writes
#   in its own way, which makes its token counts hard to read.
# - **instruct sibling**: the student against the instruct model of the same family and size.
#   This is easy to measure, and it compares two ways of training the same base.
#
# A student of an instruct model, such as s1.1, LIMO or R1-Distill-Llama-70B, has its true
# base on both counts. In `pretrained-bases` four R1-Distill students stand beside the pretrained
# checkpoints that they were made from. There, costs are words under a tight limit.

# %%
found = {
    name: transfer(joined[name], lineage, studies[name].reliability, n_boot=size.n_pooled, seed=seed)
    for name in names
}
speaking = [name for name in names if not found[name].pairs.empty]
silent = [name for name in names if found[name].pairs.empty]

# %% [markdown]
# ## Every student and its baseline
#
# The tests are those of the chapter on [collapse](05_collapse). A difference to the left of
# zero is what the paper claims: the student is *less* aligned than its baseline.


# %% tags=["hide-input"]
def pair_figure(name):
    pairs = found[name].pairs
    task = ", " + pairs["task"] if pairs["task"].nunique() > 1 else ""
    return figures.intervals(
        pairs.assign(label=pairs["a"] + " − " + pairs["b"] + task), value="difference", low="boot_low",
        high="boot_high", label="label", group="relation", xlabel="r of the student minus r of its baseline",
    )  # fmt: skip


# %% tags=["hide-input"]
def counted(pairs):
    n_pairs, n_tasks = len(pairs[["a", "b"]].drop_duplicates()), pairs["task"].nunique()
    return f"These are {n_pairs} pairs in {n_tasks} tasks. " if n_tasks > 1 else ""


# %% tags=["hide-input"]
for name in speaking:
    pairs = found[name].pairs
    below, above = (pairs["boot_high"] < 0).sum(), (pairs["boot_low"] > 0).sum()
    caption = (
        f"In {name} the student lies below its baseline with the whole interval in {below} of {len(pairs)} comparisons, "
        f"and above it in {above}. {counted(pairs)}Bars: 95 % item bootstrap."
    )
    alt = f"Differences between student and baseline in {len(pairs)} comparisons of {name}, with intervals."
    show.figure(pair_figure(name), caption, alt, name=f"pairs-{name}")

# %% tags=["hide-input"]
PAIR = {"a": "student", "b": "baseline", "task": "task", "relation": "baseline is", "n": "items", "r_a": "r student",
        "r_b": "r baseline", "r_ab": "r of the two", "difference": "difference [Zou]",
        "williams_p": "Williams p", "williams_p_holm": "p, Holm", "ceiling": "ceiling"}  # fmt: skip
for name in speaking:
    show.table(
        found[name].pairs,
        f"Students against their baselines in {name} (difficulty: {studies[name].measure}). "
        "Holm's correction is over the pairs of a study with the same kind of baseline.",
        labels=PAIR,
        intervals={"difference": ("zou_low", "zou_high")},
        name=f"table-{name}",
    )

# %% [markdown]
# ## Pooled, with a verdict
#
# The rule is the same as before, turned around: negative transfer is *supported* when the
# whole interval lies below zero.

# %% tags=["hide-input"]
if speaking:
    POOLED = {"study": "study", "relation": "baseline is", "difference": "difference [95 %]", "verdict": "verdict", "on_edge": "on the edge",
              "n_pairs": "pairs", "n_items": "items", "r_a": "r students", "r_b": "r baselines"}  # fmt: skip
    show.table(
        pd.concat([found[name].pooled for name in speaking], ignore_index=True),
        "Student minus baseline, pooled over pairs; intervals from the item bootstrap.",
        labels=POOLED,
        digits={"difference": 3, "low": 3, "high": 3},
        intervals={"difference": ("low", "high")},
        name="pooled",
    )

# %% tags=["hide-input"]
for name in speaking:
    show.say("**{study}** (difficulty: {measure})", study=name, measure=studies[name].measure)
    for sentence in found[name].pooled["sentence"]:
        show.say("- {sentence}", sentence=sentence)

# %% tags=["hide-input"]
for name in silent:
    reason = "it does not have a student together with a baseline of its own"
    show.say("{sentence}", sentence=no_data(TRANSFER, name, reason))

# %% [markdown]
# ## Baselines against teachers
#
# If reasoning is what makes a model follow human difficulty, teachers should be ahead of
# models that do not reason. We test it.

# %%
ahead = {
    name: teachers_against_baselines(
        joined[name], lineage, studies[name].reliability, n_boot=size.n_pooled, seed=seed
    )
    for name in speaking
}
for name in speaking:
    for sentence in ahead[name].pooled["sentence"]:
        show.say("- {sentence}", sentence=sentence)

# %% tags=["hide-input"]
for name in speaking:
    beaten = baselines_ahead(ahead[name])
    for pair in beaten.itertuples():
        show.say(
            "In {study} the baseline {b} (r = {rb:.2f}) is ahead of the teacher {a} (r = {ra:.2f}): a difference of "
            "{d:.2f}, 95 % interval {low:.2f} to {high:.2f}.",
            study=name, a=pair.a, b=pair.b, ra=pair.r_a, rb=pair.r_b, d=-pair.difference,
            low=-pair.boot_high, high=-pair.boot_low,
        )  # fmt: skip
    if beaten.empty:
        show.say("In {study} no baseline is ahead of a teacher with its whole interval.", study=name)

# %% [markdown]
# Where a baseline beats the teachers, think about the measure before you think about minds.
# In `mip-gsm8k`, and in half of `pretrained-bases`, difficulty is the number of calculations in a written solution. An instruct
# model writes about one line per calculation, so its length follows this measure almost by
# construction. A reasoning model checks itself, tries other ways, and writes long traces for
# short problems. "Below its baseline" is then true, and says little about effort.
#
# ## The paper's own test
#
# The same unpaired t test over model × task correlations as in the last chapter, with the
# same reservation: it takes its cells for independent observations, which they are not.

# %%
aligned = pd.concat([align(joined[name], n_boot=100, seed=seed) for name in names], ignore_index=True)
unpaired = unpaired_cells(aligned, roles, "student", "baseline")
if not unpaired.empty:
    CELLS = {"study": "study", "n_a": "student cells", "n_b": "baseline cells",
             "difference": "difference [95 %]", "t": "t", "df": "df", "p": "p"}  # fmt: skip
    show.table(
        unpaired,
        "The unpaired t test over model × task correlations.",
        labels=CELLS,
        digits={"df": 0},
        intervals={"difference": ("low", "high")},
        note="A cell is the correlation of one model in one task. Baselines without a student in the study are among the "
        "cells, as in a comparison of groups.",
        name="unpaired",
    )

# %% [markdown]
# How far may it go wrong? Its cells depend on one another in two ways, and these pull in
# opposite directions.
#
# - **Models of one side are alike.** What the students share apart from what people find hard
#   pushes all their correlations the same way, and the test counts it once for every student.
#   This makes p too small.
# - **Tasks differ.** Where every model has a high r in one task and a low one in another, the
#   cells of both sides spread. The test takes this for noise, although both sides did the same
#   tasks, so that it cancels in the difference. This makes p too large.
#
# Which is stronger? We draw studies of the size that the paper may have had: six students and
# six baselines, 50 items per task. All models are equally aligned, so that there is nothing
# to find. Once difficulty for people is held constant, models of one side correlate at 0.4, and
# models of different sides not at all. In one kind of study r differs between tasks as it does for DeepSeek-R1 in
# `pnas-r1`; in the other, every task has the mean of these r.

# %%
r1 = costs.load_study("pnas-r1")
r_tasks = align(join(r1.costs, r1.norms), n_boot=100, seed=seed)["r"].to_numpy()


def false_alarms(task_r):
    tasks = [PairDesign(r, r, own=0, alike_a=0.4, alike_b=0.4, across=0, n_pairs=6) for r in task_r]
    found = simulated_cells(tasks, 50, n_studies=min(size.n_studies, 1_000), seed=seed)
    return 100 * found.set_index("test")[["share", "low", "high"]]


differing = false_alarms(r_tasks)
same = false_alarms(np.full(len(r_tasks), r_tasks.mean()))

# %% tags=["hide-input"]
for title, wrong in (
    (f"Where all {len(r_tasks)} tasks have an r of {r_tasks.mean():.2f}", same),
    (f"Where r differs, from {r_tasks.min():.2f} to {r_tasks.max():.2f}", differing),
):
    t, boot = wrong.loc["unpaired_t"], wrong.loc["item_bootstrap"]
    show.say(
        "- {title}, the t test finds a difference in {t:.1f} % of studies (95 % interval of the simulation {t_low:.1f} "
        "to {t_high:.1f}), the item bootstrap in {boot:.1f} % ({low:.1f} to {high:.1f}).",
        title=title, t=t["share"], t_low=t["low"], t_high=t["high"],
        boot=boot["share"], low=boot["low"], high=boot["high"],
    )  # fmt: skip

# %% tags=["hide-input"]
df, (fewest, most) = 2 * 6 * len(r_tasks) - 2, degrees_of_freedom(QUOTED_T, QUOTED_P)
show.say(
    "It should be 5 %. With {n} tasks the t test has {df} degrees of freedom. A third party quotes t = {t} and p = {p} for "
    "negative transfer in the paper; these fit for {fewest} to {most} degrees of freedom.",
    n=len(r_tasks), df=df, t=-QUOTED_T, p=f"{QUOTED_P:.3f}", fewest=fewest, most=most,
)  # fmt: skip

# %% [markdown]
# So the paper's test may well be of this kind, which is a guess. If it is, its p can be too
# small or too large, and without the cells we can't say which. The item bootstrap has neither
# fault: it keeps what models share, and compares within tasks.
#
# ## How far must a student fall to be noticed?
#
# A student and its baseline often have little in common apart from the difficulty of the items.
# Then their luck with the items does not cancel, and many items are needed. We ask of each
# comparison, as in the chapter on [collapse](05_collapse): given its items, its pairs, and how
# alike its models are, which drop below the baselines would the rule support with a
# probability of 80 %?

# %%
could = pd.concat(
    [detectable(joined[name], lineage, studies[name].reliability) for name in names], ignore_index=True
)
could = could[could["claim"] == "transfer"]

# %% tags=["hide-input"]
COULD = {"study": "study", "relation": "baseline is", "n_pairs": "pairs", "n_items": "items",
         "r_b": "r baselines", "between": "r of the two", "smallest_drop": "smallest drop", "note": "note"}  # fmt: skip
if len(could):
    show.table(
        could,
        "The smallest drop of students below their baselines that each comparison could have seen.",
        labels=COULD,
        note="By formula, for normal data, with baselines as aligned as they are.",
        name="could",
    )

# %% tags=["hide-input"]
for row in could.drop_duplicates("study").itertuples():
    show.say(
        "- **{study}** ({relation}, {n} items): a student would have to fall by {drop:.2f}, from {r:.2f} to {low:.2f}.",
        study=row.study, relation=row.relation, n=row.n_items, drop=row.smallest_drop, r=row.r_b,
        low=row.r_b - row.smallest_drop,
    )  # fmt: skip

# %% [markdown]
# A drop as large as a baseline's whole alignment is not a small effect. Where a study could
# only have seen that much, *cannot tell* was to be expected. Of the paper's negative transfer
# we know no size, so we cannot say which of these studies could have seen it.
#
# ## What these data can't say
#
# - **The true base was measured for some students only, and roughly.** In `pretrained-bases`
#   costs are words under a limit of 2,000 tokens, and a pretrained base may run on after its
#   answer. Which answers count, and which task, moves the verdict there: the chapter on the
#   [multiverse](10_multiverse) shows how far.
# - **Baselines are not untouched.** According to its makers, DeepSeek-V3 took part of its
#   reasoning from a model of the R1 series. "Before distillation" is not the same as "never
#   saw a trace".
# - **Two different quantities are compared.** A student is measured by its reasoning, a
#   baseline by everything it wrote. The chapter on [costs](03_costs) shows what the choice does.
# - **No study here has human times and baselines.** The claim is about human time. What we
#   can test is a level, a count of steps, and the judgement of a language model.
# - **A difference in r is not damage.** A student may follow difficulty as well as before and
#   add noise from long traces.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
import seaborn as sns

from handan.costs import load_study

# %% [markdown] tags=["exercise"]
# ### Exercise 6.1: Who was really measured before? (6 minutes)
#
# Negative transfer is about what a student was *before* distillation: its true base. `load_lineage`
# names the `base` and the `sibling` of every model. Which of the R1-Distill students stand beside
# their true base in `pm-bench`? Put the names into `with_base`, as a list.

# %% tags=["solution"]
measured = set(load_study("pm-bench").costs["model"])
family = load_lineage()
distilled = family[family["model"].str.contains("R1-Distill")]
### BEGIN SOLUTION
# The base is the checkpoint that was trained on. That an instruct model has the same name and size
# does not make it the base: mostly it was trained from the same base, another way.
with_base = distilled.loc[distilled["base"].isin(measured), "model"].tolist()
### END SOLUTION

# %% tags=["key"]
sibling = distilled.loc[distilled["sibling"].isin(measured), "model"].tolist()
mistakes = {
    "These stand beside the instruct model of their family. Is that what was distilled?": sibling,
    "For most of these it is the sibling that was measured. Look at the column `base`.": distilled["model"].tolist(),
    "Those are the bases. The question is about students.": distilled.loc[distilled["base"].isin(measured), "base"].tolist(),
}  # fmt: skip
hint = "Take the base of each student, and look whether it is among the models that were measured."
key("6.1", with_base, hint=hint, wrong=mistakes)

# %% [markdown] tags=["exercise"]
# ### Exercise 6.2: Blind to difficulty, or just noisy? (15 minutes)
#
# In `mip-gsm8k` DeepSeek-R1-Distill-Qwen-32B follows the number of steps less closely than
# Qwen2.5-32B-Instruct does. A lower r can mean two things: its costs *rise less* with difficulty, or they
# *scatter more* around their line.
#
# Fit a line of log cost on `human` for both, and draw both. Then suppose that the student kept its
# slope, but had the residual scatter of the instruct model. Which r would it have? Put it into
# `r_quiet`. For a line of slope $b$, with $s$ the standard deviation of `human` and $e$ that of the
# residuals,
#
# $$ r = \frac{b s}{\sqrt{b^2 s^2 + e^2}} . $$

# %% tags=["solution"]
gsm = load_study("mip-gsm8k")
costs_of = join(gsm.costs, gsm.norms).rows.pivot(index="item", columns="model", values="log_cost")
human = gsm.norms.set_index("item")["difficulty"].reindex(costs_of.index).astype(float)
student, instruct = "DeepSeek-R1-Distill-Qwen-32B", "Qwen2.5-32B-Instruct"
### BEGIN SOLUTION
slope, scatter = {}, {}
for model in (student, instruct):
    slope[model], level = np.polyfit(human, costs_of[model], 1)
    scatter[model] = (costs_of[model] - level - slope[model] * human).std()
signal = slope[student] * human.std()
r_quiet = signal / np.sqrt(signal**2 + scatter[instruct] ** 2)
long = costs_of[[student, instruct]].assign(steps=human).melt("steps", value_name="log_cost")
plot = sns.lmplot(long, x="steps", y="log_cost", col="model", height=3, ci=None, scatter_kws=dict(alpha=0.2))
plot.set_axis_labels("steps in a human solution", "cost (ln tokens)").set_titles("{col_name}")
show.figure(plot.figure, "Costs of two models. A dot is an item.", "Two scatter plots with rising lines.")
# Most of the gap closes. The student's costs rise nearly as steeply, and scatter far more: while
# most of its traces keep to the line, some are very long, whatever the number of steps.
### END SOLUTION

# %% tags=["key"]
r_own = costs_of[student].corr(human)
swapped = slope[instruct] * human.std()
mistakes = {
    "Did you swap the two? The slope is the student's, the scatter is the instruct model's.": swapped / np.hypot(swapped, scatter[student]),
    "That is the student's r as it is.": r_own,
    "That is the instruct model's r as it is.": costs_of[instruct].corr(human),
    "Is the scatter the standard deviation of the costs? Take that of the residuals, after the line is taken away.":
        signal / np.hypot(signal, costs_of[instruct].std()),
    "A slope is not yet a spread: multiply it with the standard deviation of the steps.": slope[student] / np.hypot(slope[student], scatter[instruct]),
}  # fmt: skip
hint = "Take b from the line of the student, e from the residuals of the instruct model, s from `human`."
key("6.2", r_quiet, hint=hint, wrong=mistakes, points=2)

# %% [markdown] tags=["exercise"]
# ### Exercise 6.3: The best of six baselines (10 minutes)
#
# A lab does not know its student's base. So it takes the *best aligned* of six baselines. Suppose that
# all seven models are equally aligned, at a true r of 0.4: there is nothing to find.
#
# The cell draws 4,000 such studies of 50 items: `r[:, 0]` is the student, the other six columns
# are the baselines. By how much does the student fall below the baseline so chosen, on average over
# studies? Put it, as a positive number with three decimals or more, into `apparent`.


# %% tags=["solution"]
def studies_without_effect(n_studies=4_000, n_items=50, true_r=0.4):
    rng = np.random.default_rng(63)
    people = rng.normal(size=(n_studies, 1, n_items))
    own = rng.normal(size=(n_studies, 7, n_items))
    cost = true_r * people + np.sqrt(1 - true_r**2) * own
    x, y = (z - z.mean(axis=2, keepdims=True) for z in (people, cost))
    return (x * y).sum(axis=2) / np.sqrt((x**2).sum(axis=2) * (y**2).sum(axis=2))


r = studies_without_effect()
### BEGIN SOLUTION
# Whoever picks the best picks the luckiest. The student had one try, the baseline six. So a
# baseline must be chosen by its lineage, before anybody sees its r.
apparent = (r[:, 1:].max(axis=1) - r[:, 0]).mean()
### END SOLUTION

# %% tags=["key"]
drops = r[:, 1:].max(axis=1) - r[:, 0]
mistakes = {
    "Did you compare with the mean of the baselines? The lab takes the best.": r[:, 1:].mean() - r[:, 0].mean(),
    "Is the student among those that the best was chosen from?": (r.max(axis=1) - r[:, 0]).mean(),
    "Mind the sign: baseline minus student.": -apparent,
    "That is the spread over studies. The question is about the mean.": drops.std(),
}  # fmt: skip
hint = "Take the highest of columns 1 to 6 in each study, subtract column 0, and average over studies."
key("6.3", apparent, hint=hint, wrong=mistakes, digits=3)
