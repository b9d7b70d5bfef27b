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
# # Organism: does imitation lose what reinforcement built?
#
# **After this chapter you can**
#
# - train a teacher by reinforcement and students by imitation, on your own machine;
# - watch alignment with people rise or fall while a model learns;
# - say what an experiment with tiny models can decide, and what it can't.
#
# **Time:** 40 minutes to read, about four minutes to run.
#
# The paper's last claim is about causes. Human-like allocation of effort, it says, comes from
# active reinforcement and not from passive imitation. But its data are correlations. A large
# teacher and its student differ in size, in their base model, in their data and in how they were
# trained. Any of these could be the reason.
#
# So here is an experiment. Biologists study a *model organism*: a small creature that lives fast
# and can be bred under control. Ours are tiny language models. We train whole families of
# them from scratch. Within a family, teacher and student have the same base, the same size
# and the same kinds of problems. They differ in their last step.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
recipe = "quick"  # "full" trains the base too, and everything longer: about 15 minutes
repertoire = "carry"  # or "equal": what the base of the live family knows
seed = 0
out = ""  # a folder keeps the live family; empty takes a temporary one

# %%
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from handan import figures_organism, formats, profiles, traces
from handan.book import show
from handan.book.live import Line
from handan.costs import ORGANISM, load_study
from handan.findings.alignment import align
from handan.findings.families import families
from handan.findings.join import join

# %% tags=["hide-input"]
from handan.organism import checkpoint, conditions, corpus, curve, family, grammar, study
from handan.organism.recipe import RECIPES
from handan.tables import packaged
from handan.traces import jobs
from handan.traces.choose import Options
from handan.traces.store import Store

size = profiles.profile(profile)
folder = Path(out or mkdtemp(prefix="family-"))

# %% [markdown]
# ## The design
#
# A family has a *base*. It learned from texts that a program wrote. A *teacher* is the base after
# reinforcement: it got 1 for a right answer, less a small price for every token. A *student* is
# the base after imitation: it learned from right traces that the teacher wrote. Each other student
# is made like *student-matched*, but for what the table says.

# %% tags=["hide-input"]
design = pd.DataFrame(
    {"model": one.name, "role": one.role, "starts from": one.parent or "nothing", "what is special": one.says}
    for one in conditions.CONDITIONS
)
size_of = traces.resolve("teacher-carry-s0").params
show.table(
    design, f"The models of a family, of {size_of:,} parameters where not halved. Every family is trained with other seeds.",
    name="design",
)  # fmt: skip

# %% [markdown]
# Three of them are controls. *student-shuffled* learns from the teacher's chains of thought, but
# each stands with another problem. It can learn how reasoning looks, and not when more of it is
# needed. *teacher-half* is the small base, reinforced itself. If it is aligned and *student-half* is
# not, then size alone is not the reason. *student-returned* shows what a little reinforcement adds
# after imitation.
#
# Reinforcement here is *GRPO*: the model writes a group of replies to a problem, and moves towards those
# that did better than the mean of the group. The two kinds of last step can't be equal in every respect.
# This is all that differs.

# %% tags=["hide-input"]
steps = conditions.last_steps(RECIPES["full"])
show.table(steps, "The two kinds of last step, in the full recipe.", name="steps")

# %% [markdown]
# One more thing to know about *student-hard*: hard problems are mostly longer ones. One-digit sums,
# which people did, are never among them.
#
# ## What a base knows
#
# Every text that the base has read is in one of three styles, drawn at random **whatever the
# difficulty**: the answer at once, all the steps, or all the steps twice. What a *step* is depends on
# the repertoire. This is the choice that matters most, so there are two of them.

# %% tags=["hide-input"]
unseen = corpus.held_out_items(("binary-addition",))
item = next(one for one in unseen if grammar.work(*one).carries == 3)
written = {
    f"{name}, {style}": grammar.completion(*item, style, name) for name in grammar.REPERTOIRES for style in ("once", "steps")
}  # fmt: skip
lines = pd.DataFrame({name: pd.Series(text.split("\n")) for name, text in written.items()}).fillna("")
show.table(lines, f"The item {item[1]} in both repertoires, in two of three styles.", name="styles")

# %% [markdown]
# In the repertoire *equal* every column costs the same. All sums of four bits are equally long. In
# *carry* a column is written briefly, and a carry is a line of its own. There a sum with more carries
# is longer. People, too, take longer where there is more to carry. So a model that writes all its
# steps in *carry* will look human. We built that in, and we say so. What we did **not** build in is
# who chooses to write the steps, and when.
#
# Half of the item bank's problems were kept out of all training, as they are written. All that
# follows is measured on that half.
#
# ## A family, live
#
# Now we train one. Its base comes with the package, since base training takes the longest; teacher and
# students are made here. A look at the model every few steps asks it all held-out items and correlates the
# length of what it writes with people's response times.

# %%
live = replace(RECIPES[recipe], repertoire=repertoire, seed=seed)
base = packaged(f"models/base-{repertoire}-s0") if recipe == "quick" else None
tasks = ("binary-addition", "binary-subtraction")
watch = curve.Curve(live, tasks)
line = Line()


def report(told):
    line.write(f"{told.number} of {told.of}: {told.model}  {told.progress or 'done'}")


family.train(live, folder / "models", conditions.CORE, start=base, report=report, watch=watch)
looks = watch.save(folder / "looks.csv")

# %% tags=["hide-input"]
seen = looks[looks["stage"] != "base"]
fig = figures_organism.learning(seen)
last = seen.groupby("condition", sort=False).tail(1).set_index("condition")
caption = (
    f"Alignment with people while one family learns (recipe {recipe}, repertoire {repertoire}, seed {seed}). It ends at "
    + ", ".join(f"{name} {value:.2f}" for name, value in last["r"].items())
    + ". A gap means that all traces were equally long, so that r does not exist."
)
show.figure(
    fig, caption, "Line plot of correlation with response times against training step.", name="learning"
)

# %% tags=["hide-input"]
student = seen[(seen["condition"] == "student-matched") & (seen["step"] > 0)].dropna(subset=["r"])
if len(student):
    worst, best = student.loc[student["r"].idxmin()], student.loc[student["r"].idxmax()]
    finished = checkpoint.load(folder / "models" / f"student-matched-{repertoire}-s{seed}")
    again = curve.Curve(live, tasks)
    again("student-matched", int(worst["step"]), finished)
    again("student-matched", int(best["step"]), finished)
    r_worst, r_best = again.table()["r"]

# %% tags=["hide-input"]
if len(student):
    show.say(
        "A line that falls and rises again need not mean that a model forgot something. A look asks only a few times per item, and a "
        "few replies in another style can lower r a lot. At the same step all models draw with the same random numbers, so bad luck is "
        "shared: two students can fall together. The lowest look of student-matched is that at step {worst}, with r = {r_then}. Take "
        "the same student as it is at the end. With the random numbers of step {worst} it has r = {r_worst}, with those of step "
        "{best} r = {r_best}.",
        worst=int(worst["step"]), best=int(best["step"]), r_then=float(worst["r"]), r_worst=r_worst, r_best=r_best,
    )  # fmt: skip

# %% [markdown]
# All lines start from the same base. In reinforcement the model is paid for right answers and pays for
# tokens. In imitation it reads its teacher's right traces: once of the usual mix of problems, once of
# hard problems only. How right the models are, and how much they write, belongs beside it.

# %% tags=["hide-input"]
show.table(
    last[["step", "accuracy", "tokens", "r"]].reset_index(), "The live family at the end of each training: share of right answers, mean tokens, and r with people.",
    name="ends",
)  # fmt: skip

# %% [markdown]
# A student may end above its teacher here. It learned from right traces only, and a short imitation settles the
# choice of a style sooner than a short reinforcement does. What that has to do with r comes below. One
# family of one seed is an anecdote anyway.
#
# ## The same item, by different models
#
# These are models of a family that was trained for longer and comes with the package. All of
# them read the same item.

# %%
chosen = [
    f"{name}-carry-s0" for name in ("base", "teacher", "student-matched", "student-hard", "student-shuffled")
]
decoding = traces.Decoding(max_new_tokens=200, temperature=1.0, top_p=1.0, seed=seed)
told = {}
for name in chosen:
    job = jobs.prepare(name, [item[0]], decoding, Options(), items=[item])
    jobs.execute(job, folder / "traces")
store = Store.open(folder / "traces", writable=False)
rows = store.read().set_index("model").loc[chosen]

# %% tags=["hide-input"]
beside = pd.DataFrame(
    {
        name.removesuffix("-carry-s0"): pd.Series(text.strip().split("\n"))
        for name, text in rows["text"].items()
    }
)
show.table(beside.fillna(""), f"{item[1]}, as five models of one family reason about it.", name="beside")

# %% [markdown]
# *student-shuffled* learned chains of thought that belong to other problems. Compare the digits in
# its steps with those of the problem.
#
# ## The whole experiment
#
# Two repertoires, several seeds, twelve models in each family. Each model did every held-out
# item of four tasks four times. The costs come with the package, with the recipe, the seeds and the
# hash of every model. `handan train family` makes them again.
#
# The verdicts of this chapter are for **binary arithmetic alone**, addition and subtraction, unless a table names
# another task. [Chapter 11](11_claims) takes all four tasks together, so some of its verdicts differ.

# %%
whole = load_study(ORGANISM)
groups = {"binary arithmetic": tasks} | {task: (task,) for task in ("digit-addition", "cardinal-directions")}
joined = join(whole.costs, whole.norms, study.COST)
found = families(
    joined,
    whole.lineage,
    whole.reliability,
    whole.costs,
    tasks=groups,
    cost=study.COST,
    n_boot=size.n_boot // 5,
    seed=seed,
)
binary = found.conditions[found.conditions["task"] == "binary arithmetic"]

# %% tags=["hide-input"]
models = whole.costs["model"].nunique()
n_seeds = whole.lineage["seed"].nunique()
show.say(
    "{models} models of {seeds} seeds wrote {rows} traces of {items} items; {cut} of them were cut at the limit.",
    models=models, seeds=n_seeds, rows=len(whole.costs), items=len(whole.norms),
    cut=int((whole.costs["stop"] == "length").sum()),
)  # fmt: skip

# %% tags=["hide-input"]
fig = figures_organism.conditions(binary, found.models[found.models["task"] == "binary arithmetic"])
best = binary.set_index(["repertoire", "condition"])["r_or_zero"]
caption = (
    f"Alignment with people on binary arithmetic by condition. With steps that follow carries the teacher reaches "
    f"{best['carry', 'teacher']:.2f} and its base {best['carry', 'base']:.2f}; with steps of equal length "
    f"{best['equal', 'teacher']:.2f} and {best['equal', 'base']:.2f}."
)
show.figure(
    fig,
    caption,
    "Dots with intervals: correlation by condition, one panel per repertoire.",
    name="conditions",
)

# %% [markdown]
# Each dot is a seed. A cross is a seed whose model spends the same on every item of one of the two tasks.
# Then r does not exist there, and the model tells nothing about people. Leaving it out would choose by the
# outcome, so such an r counts as 0. One odd trace among hundreds is enough to make an r of it, though.

# %% tags=["hide-input"]
BINARY = {"repertoire": "repertoire", "condition": "condition", "n_seeds": "seeds", "n_undefined": "seeds without r",
          "r_or_zero": "r (0 where undefined) [95 %]", "ceiling": "noise ceiling", "accuracy": "accuracy",
          "tokens": "tokens", "truncated": "share cut"}  # fmt: skip
show.table(
    binary, "Binary arithmetic by condition: r with its interval over seeds and items.", labels=BINARY,
    intervals={"r_or_zero": ("zero_low", "zero_high")}, name="binary",
    note="Accuracy: share of right answers. Tokens: mean of a trace. Share cut: traces cut at the limit.",
)  # fmt: skip

# %% [markdown]
# The dotted line is the *noise ceiling*: what a model without error could reach. It was computed from
# all items of the bank, not from the held-out half alone.
#
# ## What did reinforcement change?
#
# Before you conclude that reinforcement made the model human, look at what it changed. Here all seeds
# of a condition are pooled. The first columns say how often each style was chosen. Then comes r of all
# traces, and r of those traces alone that are written in the style *steps*.

# %%
mine = whole.costs[whole.costs["task"].isin(tasks)]
chosen = ["base", "teacher", "student-matched", "student-hard", "student-shuffled"]
kept = [f"{name}-{kind}" for kind in grammar.REPERTOIRES for name in chosen]
alike = {
    "all traces": study.pooled(mine, whole.lineage),
    "steps only": study.pooled(mine, whole.lineage, "steps"),
}
r = {
    name: align(join(table, whole.norms, study.COST), n_boot=200).groupby("model")["r"].mean()
    for name, table in alike.items()
}

# %% tags=["hide-input"]
shares = alike["all traces"].groupby("model")["style"].value_counts(normalize=True).unstack(fill_value=0)
shares = shares.reindex(columns=[*grammar.STYLES, "none"], fill_value=0).add_prefix("share of ")
both = shares.join(pd.DataFrame(r).add_prefix("r, ")).loc[kept].astype(float).reset_index()
show.table(
    both, "Binary arithmetic: how often each style is chosen, and r of all traces and of one style.", name="chosen"
)  # fmt: skip

# %% tags=["hide-input"]
base_r, teacher_r = (both.set_index("model").loc[f"{name}-carry"] for name in ("base", "teacher"))
show.say(
    "Among the traces that show all steps, the base has r = {base} and the teacher {teacher}. Over all traces it is "
    "{base_all} and {teacher_all}. The teacher shows all steps in {share:.0f} % of its traces, the base in "
    "{base_share:.0f} %.",
    base=base_r["r, steps only"], teacher=teacher_r["r, steps only"], base_all=base_r["r, all traces"],
    teacher_all=teacher_r["r, all traces"], share=100 * teacher_r["share of steps"],
    base_share=100 * base_r["share of steps"],
)  # fmt: skip

# %% [markdown]
# So read the picture with care. A base that writes its steps writes as many as the sum needs, just as the
# teacher does. But it changes its style from one reply to the next, and the style makes far more
# difference to the length than the carries do. With four replies per item, that noise hides the rest.
# With thousands of replies it would average out.
#
# Reinforcement made one style the rule. It hardly taught the model to spend more where more is needed: within
# a style the notation had done that before. A correlation from a few replies can't tell the two apart. This
# holds for large models too, wherever a model is asked once or a few times per item.

# %% tags=["hide-input"]
wide = mine.merge(whole.lineage[["model", "condition", "repertoire"]], on="model")
wide["steps"] = [grammar.work(*one).carries for one in zip(wide["task"], wide["item"], strict=True)]
wide["tokens"] = wide[study.COST].astype(float)
in_carry = wide[wide["repertoire"] == "carry"]
by_steps = wide.groupby(["repertoire", "condition", "steps"])["tokens"].mean().unstack()
few, most = by_steps.columns.min(), by_steps.columns.max()
rise = (by_steps[most] - by_steps[few])["carry"]

# %% tags=["hide-input"]
fig = figures_organism.tokens_by_steps(in_carry, label="carries or borrows in the problem", order=chosen)
others = [name for name in chosen if name != "student-shuffled"]
caption = (
    f"Mean tokens by number of carries or borrows, repertoire carry. From {few} to {most} of them {formats.listing(others)} "
    f"rise by {rise[others].min():.0f} to {rise[others].max():.0f} tokens, student-shuffled by {rise['student-shuffled']:.0f}."
)
show.figure(
    fig, caption, "Lines of mean tokens against the number of carries, one per condition.", name="carries"
)

# %% tags=["hide-input"]
ends = by_steps.loc[[("carry", "teacher"), ("equal", "teacher")], [few, most]].to_numpy()
show.say(
    "The teacher of the repertoire carry spends {carry_few:.0f} tokens on a problem with {few} carries and {carry_most:.0f} on one "
    "with {most}. The teacher of the repertoire equal, which is not drawn, spends {equal_few:.0f} and {equal_most:.0f}.",
    carry_few=ends[0, 0], carry_most=ends[0, 1], equal_few=ends[1, 0], equal_most=ends[1, 1], few=few, most=most,
)  # fmt: skip

# %% [markdown]
# The second lesson is the repertoire's. Both teachers were paid for the same thing: right answers, few
# tokens. Whether what they found looks human depends on what a careful solution costs in the notation that
# they inherited.
#
# ## Does imitation lose alignment?
#
# Here is the paper's claim for this organism: teacher minus student, within a family. The rule for
# the verdict is that of the large models.


# %% tags=["hide-input"]
def effects(comparison, group="binary arithmetic"):
    return found.effects.query("comparison == @comparison and task == @group")


def labelled(first, second, *before):
    """The headings of a table of effects, when it is clear which two r are subtracted."""
    names = {"repertoire": "repertoire", "condition": "condition", "r_a": f"r {first}", "r_b": f"r {second}",
             "difference": "difference [95 %]", "sd": "SD over seeds", "verdict": "verdict", "on_edge": "on the edge"}  # fmt: skip
    return {name: name for name in before} | names


EFFECT = dict(
    intervals={"difference": ("low", "high")},
    note="An r that does not exist counts as 0. SD over seeds: of the difference. On the edge: other random draws could change the verdict.",
)
show.table(
    effects("collapse"), "Teacher minus student on binary arithmetic.", labels=labelled("teacher", "student"),
    name="collapse", **EFFECT,
)  # fmt: skip

# %% tags=["hide-input"]
for _, row in found.effects.query(
    "comparison == 'collapse' and task == 'binary arithmetic' and condition == 'student-matched'"
).iterrows():
    show.say("{sentence}", sentence=row["sentence"])

# %% [markdown]
# *student-onetask* saw traces of binary addition only. What happens to the tasks that it was not
# taught again?

# %% tags=["hide-input"]
elsewhere = found.conditions[
    found.conditions["condition"].isin(["base", "teacher", "student-matched", "student-onetask"])
]
show.table(
    elsewhere.pivot_table(index=["repertoire", "condition"], columns="task", values=["r_or_zero", "accuracy"], sort=False)
    .pipe(lambda wide: wide.set_axis([f"{b}: {a.replace('r_or_zero', 'r')}" for a, b in wide.columns], axis=1))
    .reset_index(),
    "Alignment and accuracy in every task, for the student of one task and those beside it.", name="elsewhere",
)  # fmt: skip

# %% tags=["hide-input"]
others = found.effects.query("condition == 'student-onetask' and task != 'binary arithmetic'")
others = others[others["comparison"].isin(["collapse", "transfer"])]
ONETASK = {"repertoire": "repertoire", "task": "task", "comparison": "comparison", "r_a": "r first", "r_b": "r second",
           "difference": "difference [95 %]", "sd": "SD over seeds", "verdict": "verdict", "on_edge": "on the edge"}  # fmt: skip
show.table(
    others, "The student of one task in the tasks that it was not taught again: first minus second.", labels=ONETASK,
    intervals=EFFECT["intervals"], name="onetask",
    note="In collapse the teacher is first and the student second, in transfer the student is first and its base second. "
    + EFFECT["note"],
)  # fmt: skip

# %% [markdown]
# ## Is a student less aligned than its own base?
#
# This is negative transfer, the paper's second claim: student minus the base that it started from.

# %% tags=["hide-input"]
show.table(
    effects("transfer"), "Student minus its own base on binary arithmetic.", labels=labelled("student", "base"),
    name="transfer", **EFFECT,
)  # fmt: skip

# %% [markdown]
# And three questions that large models can't answer. Is a teacher above its own base? Is it size? Does
# reinforcement bring alignment back?

# %% tags=["hide-input"]
rest = pd.concat([effects(name) for name in ("advantage", "size", "return")])
show.table(
    rest,
    "Binary arithmetic, first minus second. advantage: teacher minus its base. size: the small teacher minus the small "
    "student. return: the student that was reinforced afterwards minus what it was before.",
    labels=labelled("first", "second", "comparison"), name="rest", **EFFECT,
)  # fmt: skip

# %% [markdown]
# ## Is the multiplier constant?
#
# The paper's third claim is that students spend a constant multiple of tokens. It does not say of whose
# ([chapter 7](07_inflation)). Here we take the teacher's.

# %% tags=["hide-input"]
law = found.inflation.query("relation == 'own teacher' and task == 'binary arithmetic'")
show.table(
    law,
    "Binary arithmetic: student's tokens over its teacher's (geometric mean), and the factor by which that multiplier changes "
    "per standard deviation of difficulty. A constant multiplier has a change of 1.",
    labels={"repertoire": "repertoire", "condition": "student", "n_seeds": "seeds", "n_items": "items",
            "multiplier": "multiplier [95 %]", "change": "change [95 %]", "verdict": "constant?", "on_edge": "on the edge"},
    intervals={name: (f"{name}_low", f"{name}_high") for name in ("multiplier", "change")}, digits=3, name="inflation",
    note="All four tasks together, in the repertoire carry: the last table of chapter 7. On the edge: other random draws could "
    "change the verdict.",
)  # fmt: skip

# %% [markdown]
# A verdict of *supported* says little where both models spend nearly the same on every item, as in the
# repertoire *equal*: a ratio of two constants is constant. And compare the multiplier itself with the
# paper's 2.44.
#
# ## What this shows, and what it doesn't
#
# - **It is an experiment.** Base, size and kinds of problems are the same. A difference between teacher and
#   student is due to the last step, with all that the table above lists.
# - **The organism is tiny.** The paper's models are thousands to millions of times larger. Ours know three
#   ways to think. A large model knows many, and can find new ones.
# - **The alignment was possible by construction.** People and the repertoire *carry* share one
#   thing: carries cost. Where a human-like repertoire comes from in a large model can't be told from here.
# - **One price.** The price of a token stands in the table above. An earlier trial had used it, and we did not
#   vary it. A higher one can make models answer at once, and another rate or number of updates can give
#   other students.
# - **Held out means as written.** A sum of other length with the same numbers, such as 01+10 for 0001+0010, may
#   have been in the training.
# - **Verdicts are not corrected for their number**, as everywhere in this book.
#
# What carries over are two questions to ask of a large student. Which traces was it given: of all tasks
# or of one, paired with the right problems or not? And how many replies stand behind each item, so that its policy can be told
# from its noise?
#
# ## Your own family
#
# ```
# handan train family --profile quick --seeds 4 --out families
# handan families families/costs.csv
# handan traces families/models/teacher-carry-s0 --task binary-addition --temperature 1 --out traces
# ```
#
# The first command takes a few minutes on two cores. With `--profile full --repertoire both --seeds 5` it makes what
# this page shows, in two hours or so. `handan train reinforce` and `handan train distil` do the same with any model,
# on a GPU.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from handan.book import show
from handan.costs import load_study
from handan.organism import conditions

# %% [markdown] tags=["exercise"]
# ### Exercise 9.1: Only because it is small? (6 minutes)
#
# Suppose that `student-half` were less aligned than `teacher`. "Of course," says a reviewer, "it has half the
# size." Which two models of a family have to be compared, so that the size is the small one on both sides and
# only the last step differs? `conditions.CONDITIONS` has the design: each condition says its `name`, `step`,
# `parent` and `is_half`. Put the two names into the list `compared`.

# %% tags=["solution"]
### BEGIN SOLUTION
# Both have half the size, and both start from the same trained base: what remains is how they
# were made from it. A base itself has had no last step.
compared = [one.name for one in conditions.CONDITIONS if one.is_half and one.parent]
### END SOLUTION

# %% tags=["key"]
key(
    "9.1", compared, points=1,
    hint="Write down for each of your two models: size, where it starts, last step. Only one may differ.",
    wrong={
        "These two differ in their size and in their last step. The reviewer would ask again.": ["teacher", "student-half"],
        "Both of these learned by imitation. They show what size does to imitation.": ["student-matched", "student-half"],
        "Both of these were reinforced. They show what size does to reinforcement.": ["teacher", "teacher-half"],
        "One of these has had no last step at all. They show what imitation changes.": ["base-half", "student-half"],
        "One of these has had no last step at all. They show what reinforcement changes.": ["base-half", "teacher-half"],
    },
)  # fmt: skip

# %% [markdown] tags=["exercise"]
# ### Exercise 9.2: How many replies until the steps show? (18 minutes)
#
# The base changes its style from reply to reply, and that noise hides what its steps have in common with
# people. So ask it more often. `replies(condition)` gives ln tokens with a row per item and a column per
# reply: five seeds, four replies each. For k = 1, 2, ... take the mean of the first k columns and correlate it with
# people. Draw r against k for `base` and for `teacher`. Put the r of the base with *all* replies, with four
# decimals or more, into `r_base`.

# %%
organism = load_study("organism")
sums = organism.costs.query("task == 'binary-addition'").merge(organism.lineage, on="model")
people = organism.norms.query("task == 'binary-addition'").set_index("item")["log_rt"]


def replies(condition):
    part = sums.query("condition == @condition and repertoire == 'carry'")
    part = part.assign(log_tokens=np.log(part["output_tokens"].astype(float)))
    return part.pivot(index="item", columns=["sample", "seed"], values="log_tokens")


# %% tags=["solution"]
### BEGIN SOLUTION
r_of = {}
for condition in ("base", "teacher"):
    logs = replies(condition)
    # Average first and correlate then: a mean of noisy correlations stays as low as each of them.
    means = (logs.iloc[:, :k].mean(axis=1) for k in range(1, logs.shape[1] + 1))
    r_of[condition] = [mean.corr(people) for mean in means]
r_base = r_of["base"][-1]
curve = pd.DataFrame(r_of, index=range(1, len(r_of["base"]) + 1)).rename_axis("k")
fig, axes = plt.subplots(figsize=(6, 3.6))
sns.lineplot(curve, markers=True, ax=axes)
axes.set(xlabel="replies per item (count)", ylabel="r with ln response time", xticks=range(2, 21, 2))
show.figure(fig, "Alignment with people by the number of replies per item, for a base and its teacher.",
            "Two lines of r against the number of replies, one for the base and one for the teacher.")  # fmt: skip
### END SOLUTION

# %% tags=["key"]
base_logs = replies("base")
key(
    "9.2", r_base, digits=4, points=3,
    hint="One number per item: the mean of all its replies. Then one correlation over items.",
    wrong={
        "You correlated every reply and averaged the r. Average the replies first.": base_logs.corrwith(people).mean(),
        "This is the r of one reply per item.": base_logs.iloc[:, 0].corr(people),
        "Here each seed stands for itself: this is a mean of five r, each of four replies.": base_logs.T.groupby(level="seed").mean().T.corrwith(people).mean(),
        "This is the teacher's.": replies("teacher").mean(axis=1).corr(people),
    },
)  # fmt: skip
