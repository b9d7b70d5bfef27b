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
# # Questions and worked answers
#
# These questions are for an exam, a discussion in class, or yourself. Each stands with the chapter that
# answers it, with its level and the minutes that it takes a student who has read the chapter. Open the fold
# below a question for a worked answer.
#
# *Recall* asks for what the chapter says, *apply* for a step that it shows, *analyse* for a judgement. The
# answer to a discussion says what a good answer contains. Numbers in the answers are computed by the
# cells on this page, which are folded.

# %% tags=["parameters"]
seed = 0  # another seed draws another exam, and another sample where one is simulated
minutes = 60  # length of the exam that is drawn below

# %% tags=["hide-input"]
from math import comb, sqrt

import numpy as np
import pandas as pd

from handan.book import show
from handan.course.asking import ask, table
from handan.course.questions import LEVELS, draw, load_questions

questions = load_questions()
listed = table(questions)

# %% [markdown]
# ## All questions

# %% tags=["hide-input"]
levels = listed["level"].value_counts()
show.say(
    "There are {n} questions on {chapters} chapters, {each}. All together they take {minutes} minutes.",
    n=len(listed), chapters=listed["chapter"].nunique(), minutes=int(listed["minutes"].sum()),
    each=[f"{levels[level]} to {level}" for level in LEVELS],
)  # fmt: skip
show.table(listed.astype({"chapter": str}), "The questions of this page.", name="questions")

# %% [markdown]
# ## An exam
#
# The next table is an exam, drawn from all questions so that chapters and levels are mixed. Another
# `seed` draws another one.

# %% tags=["hide-input"]
exam = table(draw(questions, minutes, seed))
show.table(
    exam.astype({"chapter": str}),
    f"An exam of {exam['minutes'].sum()} minutes, drawn with seed {seed}.",
    name="exam",
)

# %% [markdown]
# ## Chapter 1: People

# %% tags=["hide-input"]
from handan.norms import noise_ceiling

half = 0.62
reliability = 2 * half / (1 + half)
ask("1.1")
ask("1.2")
ask("1.3", half=half, reliability=reliability, ceiling=noise_ceiling(reliability), forgotten=sqrt(half))
r, known = 0.60, 0.64
ask("1.4", r=r, reliability=known, naive=r**2, ceiling=noise_ceiling(known), share=r**2 / known)
ask("1.5")

# %% [markdown]
# ## Chapter 2: Traces

# %% tags=["hide-input"]
lengths = [120, 300, 90, 410]
ask("2.1")
ask("2.2")
ask("2.3", lengths=lengths, padded=max(lengths), right=np.mean(lengths))
ask("2.4")

# %% [markdown]
# ## Chapter 3: Costs

# %% tags=["hide-input"]
complete, limit = [1_000, 2_000, 3_000], 4_000
ask("3.1")
ask("3.2")
ask(
    "3.3",
    complete=complete,
    limit=limit,
    dropped=np.mean(complete),
    restricted=np.mean([*complete, limit, limit]),
)
ask("3.4")

# %% [markdown]
# ## Chapter 4: Alignment

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import seaborn as sns

rng = np.random.default_rng(seed)
cloud = pd.DataFrame(rng.standard_normal((200, 2)), columns=["people", "model"])
cloud["task"] = np.repeat(["first", "second"], 100)
cloud.loc[cloud["task"] == "second", ["people", "model"]] += [4, 5]
fig, axes = plt.subplots(figsize=(5.5, 3.4))
sns.scatterplot(cloud, x="people", y="model", hue="task", style="task", palette="colorblind", ax=axes)
axes.set(xlabel="response time (SD of ln seconds)", ylabel="tokens (SD of ln tokens)")
show.figure(
    fig, "Made-up costs of a model in two tasks. A point is an item.",
    "Scatter plot of two round clouds of points, one to the lower left and one to the upper right.", name="clouds",
)  # fmt: skip

# %% tags=["hide-input"]
from handan.stats.correlation import fisher_interval, partial_correlation

within = {name: part["people"].corr(part["model"]) for name, part in cloud.groupby("task")}
ask("4.1", pooled=cloud["people"].corr(cloud["model"]), **within)
ask("4.2")
r, with_prompt, people = 0.50, 0.60, 0.40
ask(
    "4.3",
    r=r,
    with_prompt=with_prompt,
    people=people,
    partial=float(partial_correlation(r, with_prompt, people)),
)

# %% tags=["hide-input"]
r, few, many = 0.45, 20, 500
ends = {name: fisher_interval(r, n) for name, n in {"few": few, "many": many}.items()}
ask(
    "4.4", r=r, few=few, many=many, few_low=float(ends["few"].low), few_high=float(ends["few"].high),
    many_low=float(ends["many"].low), many_high=float(ends["many"].high),
)  # fmt: skip

# %% [markdown]
# ## Chapter 5: Collapse

# %% tags=["hide-input"]
from handan.findings.verdict import SMALLEST, verdict
from handan.stats.correlation import independent_difference
from handan.stats.overlapping import williams_t

r_a, r_b, r_ab, n = 0.55, 0.40, 0.80, 60
ask("5.1")
ask(
    "5.2", r_a=r_a, r_b=r_b, r_ab=r_ab, n=n, williams=float(williams_t(r_a, r_b, r_ab, n).p),
    independent=float(independent_difference(r_a, r_b, n, n).p),
)  # fmt: skip
low, high = -0.05, 0.18
ask("5.3", difference=(low + high) / 2, low=low, high=high, smallest=SMALLEST, verdict=verdict(low, high))
cells = 6 * 7
ask("5.4", cells=cells, df=2 * cells - 2)

# %% [markdown]
# ## Chapter 6: Transfer

# %% tags=["hide-input"]
from handan.costs import load_study
from handan.findings.alignment import align
from handan.findings.join import join

roles = {
    "teacher": "DeepSeek-R1",
    "student": "DeepSeek-R1-Distill-Qwen-32B",
    "baseline": "Qwen2.5-32B-Instruct",
}
math = load_study("mip-math")
aligned = (
    align(join(math.costs, math.norms), n_boot=200, seed=seed).set_index("model").loc[list(roles.values())]
)
aligned = aligned.assign(role=list(roles)).reset_index()

# %% tags=["hide-input"]
show.table(
    aligned, f"Three models of mip-math. Difficulty: {math.measure}.", name="three",
    labels={"role": "role", "model": "model", "n": "items", "r": "r [Fisher interval]"}, intervals={"r": ("r_low", "r_high")},
)  # fmt: skip

# %% tags=["hide-input"]
r = aligned.set_index("role")["r"]
ask("6.1")
ask("6.2")
ask("6.3", collapse=r["teacher"] - r["student"], transfer=r["student"] - r["baseline"], measure=math.measure)
ask("6.4")

# %% [markdown]
# ## Chapter 7: Inflation

# %% tags=["hide-input"]
base, student = [100, 200, 400, 4_000], [200, 500, 900, 4_100]
ratios = np.divide(student, base)
ask(
    "7.1",
    base=base,
    student=student,
    of_means=np.mean(student) / np.mean(base),
    geometric=np.exp(np.log(ratios).mean()),
)
ask("7.2")
mean, share = 1_000, 0.20
ask("7.3", mean=mean, share=share, index=mean / share, other=mean, times=1 / share)
ask("7.4")

# %% [markdown]
# ## Chapter 8: Geometry

# %% tags=["hide-input"]
models, students = 5, 2
choices = comb(models, students)
could = "No: such a test can't speak." if 1 / choices > 0.05 else "Yes, if no other choice reaches as much."
ask("8.1")
ask("8.2", models=models, students=students, choices=choices, smallest=1 / choices, could=could)
r, reliability = 0.50, 0.52
ask("8.3", r=r, reliability=reliability, corrected=r / reliability)
models = 22
ask("8.4", models=models, entries=comb(models, 2), df=comb(models, 2) - 2, per_model=models - 1)

# %% [markdown]
# ## Chapter 9: Organism

# %% tags=["hide-input"]
from handan.costs import ORGANISM
from handan.organism.study import COST, pooled

organism = load_study(ORGANISM)
sums = organism.costs.query("task in ['binary-addition', 'binary-subtraction']")
kin = organism.lineage.query("repertoire == 'carry' and condition in ['base', 'teacher']")
sums = sums[sums["model"].isin(kin["model"])]
steps = align(join(pooled(sums, organism.lineage, "steps"), organism.norms, COST), n_boot=100)
single = align(join(sums, organism.norms, COST), n_boot=100).merge(kin[["model", "condition"]], on="model")
of_steps, of_four = steps.groupby("model")["r"].mean(), single.groupby("condition")["r"].mean()

# %% tags=["hide-input"]
ask("9.1")
ask("9.2")
ask(
    "9.3", base=of_four["base"], teacher=of_four["teacher"], base_steps=of_steps["base-carry"],
    teacher_steps=of_steps["teacher-carry"],
)  # fmt: skip
ask("9.4")

# %% [markdown]
# ## Chapter 10: Multiverse

# %% tags=["hide-input"]
from itertools import product

costs = ["reasoning tokens", "output tokens", "characters"]
every = list(product(costs, ["log", "raw"], ["pearson", "spearman"], ["all", "right only"]))
distinct = {(cost, None if r == "spearman" else scale, r, items) for cost, scale, r, items in every}
ask("10.1")
ask("10.2", costs=len(costs), all=len(every), distinct=len(distinct))
ask("10.3")
ask("10.4")

# %% [markdown]
# ## Chapter 11: Claims

# %% tags=["hide-input"]
from scipy.stats import t as student_t

from handan.findings.ledger import ledger
from handan.findings.published import CELLS, QUOTED_P, QUOTED_T
from handan.findings.rules import FACTOR, band, factor

dfs = {"unpaired": 2 * CELLS - 2, "paired": CELLS - 1}
p = {name: float(2 * student_t.sf(QUOTED_T, df)) for name, df in dfs.items()}
ask("11.1")
ask("11.2")
ask("11.3", t=QUOTED_T, quoted=QUOTED_P, cells=CELLS, unpaired_df=dfs["unpaired"], paired_df=dfs["paired"], **p)  # fmt: skip

# %% tags=["hide-input"]
paper = next(one.paper for one in ledger() if one.name == "inflation-size")
(bottom, top), low, high, lower, n = band("factor", paper), 2.10, 2.80, 1.80, 200
ask(
    "11.4", paper=paper, ours=2.43, low=low, high=high, lower=lower, n=n, within=FACTOR, bottom=bottom, top=top,
    verdict=factor(low, high, paper, n), other=factor(lower, high, paper, n),
)  # fmt: skip
