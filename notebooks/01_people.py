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
# # People: an item bank with response times
#
# **After this chapter you can**
#
# - say what a norm is, and make one from trials;
# - read a split-half reliability and turn it into a noise ceiling;
# - show a model the same problem that people saw.
#
# **Time:** 25 minutes to read, under a minute to run.
#
# If we want to know whether a model spends its effort where people do, we first need to know
# where people do. Cognitive psychologists measure effort by *reaction time* (RT): how long it
# takes from seeing a problem to answering it. For one person and one problem this number is
# mostly noise. Averaged over many people it becomes a property of the problem, a *norm*.
#
# This book comes with an item bank: eleven tasks whose norms rest on public data. Where each
# comes from, and under which licence, stands on its [data card](../book/data_cards). You can show these problems to any model.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
task = "all"  # or the name of one task of the bank
seed = 0

# %%
import numpy as np
import pandas as pd

from handan import figures, norms, profiles
from handan.book import show
from handan.norms.binary_arithmetic import carries
from handan.norms.reliability import noise_ceiling, split_half
from handan.norms.trials import item_norms

size = profiles.profile(profile)
tasks = norms.tasks() if task == "all" else [norms.task(task).name]
bank = norms.load_bank(tasks)
summary = norms.summary().set_index("task").loc[tasks].reset_index()

# %% [markdown]
# ## The bank

# %% tags=["hide-input"]
heads = {"task": "task", "items": "items", "participants": "people", "trials": "trials",
         "median_rt": "median RT (s)", "reliability": "reliability [95 %]", "ceiling": "noise ceiling"}  # fmt: skip
show.table(
    summary,
    "The item bank. RT is the mean response time of an item; reliability and ceiling are explained below.",
    labels=heads,
    digits={"median_rt": 1},
    intervals={"reliability": ("low", "high")},
    note="A dash means that the source has no such number: aggregates only (game of 24), or anonymous people (ARC).",
    name="bank",
)

# %% tags=["hide-input"]
show.say(
    "Together these are {items} items. The fastest take people {fastest:.1f} s, the slowest {slowest:.0f} s.",
    items=len(bank), fastest=summary["fastest_rt"].min(), slowest=summary["slowest_rt"].max(),
)  # fmt: skip

# %% tags=["hide-input"]
fig = figures.response_times(bank)
medians = summary.set_index("task")["median_rt"]
caption = (
    (
        f"Medians of the tasks reach from {medians.min():.1f} s ({medians.idxmin()}) to {medians.max():.0f} s "
        f"({medians.idxmax()}). A dot is an item."
    )
    if len(medians) > 1
    else f"The median item of {medians.index[0]} takes people {medians.iloc[0]:.1f} s. A dot is an item."
)
alt = f"Response times of the items of {len(tasks)} tasks on a logarithmic axis, sorted from fast to slow."
show.figure(fig, caption, alt, name="response-times")

# %% [markdown]
# The axis is logarithmic. Response times are skewed to the right, and effects on them tend to
# be ratios. So the bank stores `log_rt`, the natural logarithm of seconds, and every analysis
# in this book uses it.
#
# ## The same problem for a model
#
# An item is stored as a short code. From the code the bank writes the problem for a model,
# in our own words, and knows the right answer. Here is one item as people met it and as a
# model meets it.

# %% tags=["hide-input"]
shown = norms.task("binary-subtraction" if task == "all" else task)
show.say("**What people did.** {people}", people=shown.people)

# %% tags=["hide-input"]
if shown.has_prompt:
    print(shown.prompt(shown.example))
    print("\nKey:", shown.answer(shown.example))
else:
    print("The grids of this task are not in the package; its items are named by their public ids.")

# %% [markdown]
# A parser reads a model's reply and decides whether it is right. It looks for the last line
# that begins with `Answer:`.

# %% tags=["hide-input"]
if shown.has_prompt:
    for reply in (f"Let me see. Answer: {shown.answer(shown.example)}", "Answer: no idea", ""):
        print(repr(reply), "->", shown.grade(shown.example, reply))

# %% [markdown]
# ## What makes a problem hard?
#
# Subtract two binary numbers by hand and you will borrow. Each borrow is a step that can go
# wrong. People's time shows it.


# %%
def steps_table():
    binary = norms.load_bank(["binary-addition", "binary-subtraction"])
    binary["steps"] = [carries(item) for item in binary["item"]]
    return binary


binary = steps_table()
by_task = binary.groupby("task")[["steps", "log_rt"]]
by_step = by_task.apply(lambda part: np.polyfit(part["steps"], part["log_rt"], 1)[0])
r_step = by_task.apply(lambda part: part["steps"].corr(part["log_rt"]))
fig = figures.steps(binary, x="steps", xlabel="carries or borrows in the problem", group="task")
caption = (
    f"Every borrow makes a subtraction {100 * np.expm1(by_step['binary-subtraction']):.0f} % slower, every carry "
    f"an addition {100 * np.expm1(by_step['binary-addition']):.0f} %. A dot is an item; bars are 95 % intervals."
)
alt = "Mean response time rises with the number of carries or borrows, more steeply for subtraction."
show.figure(fig, caption, alt, name="steps")

# %% tags=["hide-input"]
show.say(
    "The number of steps alone correlates with log RT at r = {add:.2f} for addition and {sub:.2f} for subtraction. "
    "A model that spent its tokens by counting carries would align with people this well.",
    add=r_step["binary-addition"], sub=r_step["binary-subtraction"],
)  # fmt: skip

# %% [markdown]
# ## From trials to a norm
#
# A raw mean over trials would mix three things: how hard the item is, how fast the people
# were who happened to see it, and how practised they were by then. So the bank's norms are
# made in four steps.
#
# 1. Trials with a missing, impossible, too short or too long RT are left out and counted.
# 2. From each log RT we subtract the mean of its participant (and session).
# 3. Where the order was random, we remove the trend over the session.
# 4. The item's `log_rt` is the mean of what remains, plus the grand mean.
#
# The function that does this, `item_norms`, works on your own trials, too. Let us try it on
# people whom we made up, so that we know the truth: 40 people, 60 items, with people twice as
# different from each other as items are.


# %%
def made_up_trials(n_people=40, n_items=60, sd_item=0.25, sd_person=0.5, sd_trial=0.6):
    rng = np.random.default_rng(seed)
    truth = rng.normal(1.5, sd_item, n_items)
    person = rng.normal(0, sd_person, n_people)
    order = np.array([rng.permutation(n_items) for _ in range(n_people)])
    noise = rng.normal(0, sd_trial, (n_people, n_items))
    log_rt = truth + person[:, None] - 0.1 * np.log(order + 1) + noise
    people, items = np.indices(log_rt.shape)
    columns = dict(participant=people.ravel(), item=items.ravel(), position=order.ravel() + 1)
    trials = pd.DataFrame(columns | dict(rt_s=np.exp(log_rt).ravel()))
    return trials.drop(trials.sample(frac=0.5, random_state=seed).index), truth


trials, truth = made_up_trials()
trials.loc[trials.index[:6], "rt_s"] = [np.nan, -1.0, 0.05, 0.0, 5000.0, np.nan]  # as happens in real files
made = item_norms(trials, position="position", high=600)
print(made)

# %% tags=["hide-input"]
found = made.norms.assign(item=made.norms["item"].astype(int)).set_index("item")["log_rt"]
usable = trials[trials["rt_s"].between(0.2, 600)]
raw = np.log(usable["rt_s"]).groupby(usable["item"]).mean()
show.say(
    "Half of the trials were deleted, as if people had stopped early. The norm correlates with the truth at "
    "r = {clean:.3f}; the raw mean of log RT only at {raw:.3f}.",
    clean=np.corrcoef(found.sort_index(), truth)[0, 1], raw=np.corrcoef(raw.sort_index(), truth)[0, 1],
)  # fmt: skip

# %% [markdown]
# ## Reliability, and the ceiling it sets
#
# How good is a norm? Split the people into two random halves, make the norm twice, and
# correlate the halves. Two half-sized samples are noisier than the whole, and the
# Spearman-Brown formula corrects for that:
#
# $$ \text{reliability} = \frac{2 r_{\text{half}}}{1 + r_{\text{half}}} $$
#
# We average over hundreds of random splits. The interval comes from drawing the items again.
#
# No predictor can correlate with a noisy norm perfectly. The best that can be expected, even
# of a predictor that knows the truth, is
#
# $$ \text{noise ceiling} = \sqrt{\text{reliability}} . $$

# %%
half = split_half(made.residuals, n_splits=200, n_boot=size.n_boot // 5, seed=seed)
show.say(
    "For the made-up people the reliability is {value:.2f} (95 % interval {low:.2f} to {high:.2f}), so the ceiling is "
    "{ceiling:.2f}. The truth, which nobody knows in real data, correlates {truth:.2f} with the norm.",
    value=half.reliability, low=half.low, high=half.high, ceiling=float(noise_ceiling(half.reliability)),
    truth=np.corrcoef(found.sort_index(), truth)[0, 1],
)  # fmt: skip

# %% [markdown]
# Now the real tasks.

# %% tags=["hide-input"]
known = summary[summary["reliability"].notna()].sort_values("reliability", ascending=False)
if not known.empty:
    fig = figures.intervals(
        known, value="reliability", low="low", high="high", label="task", zero=False,
        xlabel="split-half reliability (Spearman-Brown), 95 % interval over items",
    )  # fmt: skip
    weakest = known.iloc[-1]
    caption = (
        f"The norms of {known.iloc[0]['task']} are nearly free of noise. The weakest, {weakest['task']} "
        f"({weakest['reliability']:.2f}), still allow an r of {weakest['ceiling']:.2f}."
    )
    alt = f"Reliability of the norms of {len(known)} tasks with intervals, sorted from high to low."
    show.figure(fig, caption, alt, name="reliability")

# %% [markdown]
# ## What these data can't say
#
# - **They are not the paper's items.** The paper used a corpus whose trials are not in this
#   package. The bank is a second, open corpus for the same question.
# - **Tasks differ in what RT contains.** Reading, moving a mouse, and typing are inside some
#   of these times. The [data cards](../book/data_cards) say what people did, task by task.
# - **Some people err often.** In syllogisms most answers to some items are wrong. The RT is
#   over all trials, right or wrong, as in the literature that we follow.
# - **Two tasks have no people to split.** For the game of 24 only aggregates are public, so it
#   has no ceiling. In ARC the solvers are anonymous, and its reliability splits solutions,
#   not people.
# - **A ceiling is an expectation.** With few items, a lucky model can exceed it.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
import seaborn as sns

# %% [markdown] tags=["exercise"]
# ### Exercise 1.1: How many people for a higher ceiling? (5 minutes)
#
# The norms of `cardinal-directions` rest on few people. With $k$ times as many, the reliability
# $\rho$ becomes
#
# $$ \rho_k = \frac{k \rho}{1 + (k - 1) \rho} . $$
#
# The formula of the chapter is the case $k = 2$. How many people are needed, at least, for a *noise
# ceiling* of 0.95? Put the whole number into `people`.

# %% tags=["solution"]
directions = norms.summary().set_index("task").loc["cardinal-directions"]
rho, tested, wanted = directions["reliability"], int(directions["participants"]), 0.95
### BEGIN SOLUTION
# A ceiling is the root of a reliability, so it is the square that the formula needs.
target = wanted**2
# The formula solved for k: noise averages away, the differences between items don't.
k = target * (1 - rho) / (rho * (1 - target))
# Half a person can't be tested, and one person fewer just misses the ceiling.
people = int(np.ceil(k * tested))
### END SOLUTION

# %% tags=["key"]
no_root = int(np.ceil(tested * wanted * (1 - rho) / (rho * (1 - wanted))))
in_proportion = int(np.ceil(tested * target / rho))
mistakes = {
    "That number makes the reliability 0.95. What is the relation of a ceiling to a reliability?": no_root,
    "Reliability does not grow in proportion to the number of people. Solve the formula for k.": in_proportion,
    "Did you round down? Then the ceiling is just missed.": int(k * tested),
    "Is that the number of people to add? The question is about all of them.": people - tested,
    "That is how many times as many people are needed, not how many people.": int(np.ceil(k)),
}
hint = "First turn the ceiling into a reliability, then solve the formula for k."
key("1.1", people, hint=hint, wrong=mistakes)

# %% [markdown] tags=["exercise"]
# ### Exercise 1.2: Three people in milliseconds (10 minutes)
#
# A lab sends you trials in seconds, or so it says. `item_norms` leaves out many of them as too slow.
# The reason: three people were recorded in *milliseconds*. Three others only left the room once, in
# the middle of a trial, and came back days later.
#
# Whose times are in milliseconds? Put the three names into `in_ms`, as a list.


# %% tags=["solution"]
def sent_trials():
    rng = np.random.default_rng(12)
    log_rt = rng.normal(1.5, 0.25, 30) + rng.normal(0, 0.5, (20, 1)) + rng.normal(0, 0.6, (20, 30))
    seconds, odd = np.exp(log_rt), rng.permutation(20)
    seconds[odd[:3]] *= 1000
    seconds[odd[3:6], 7] = 250_000
    who, item = np.indices(seconds.shape)
    names = [f"P{k:02d}" for k in who.ravel()]
    return pd.DataFrame({"participant": names, "item": item.ravel(), "rt_s": seconds.ravel()})


sent = sent_trials()
print(item_norms(sent))
### BEGIN SOLUTION
# One pause moves a person's mean and maximum; the median stays where most of the trials are.
typical = sent.groupby("participant")["rt_s"].median()
in_ms = typical.nlargest(3).index.tolist()
# A unit adds a constant to all logs of a person. Centring per person would take it out again,
# but most of these trials never get so far: the limit for slow trials comes first.
### END SOLUTION

# %% tags=["key"]
by_person = sent.groupby("participant")["rt_s"]
far = sorted(set(sent.loc[sent["rt_s"] > 60, "participant"]))
mistakes = {
    "One long pause is no unit, though it lifts the maximum of a person, and the mean. What is typical of all trials?":
        by_person.max().nlargest(3).index.tolist(),
    "These are all people with a trial above the limit. For whom is nearly every trial above it?": far,
}  # fmt: skip
hint = "Milliseconds make every trial of a person a thousand times longer. Describe each person by one number that a single trial can't move."
key("1.2", in_ms, hint=hint, wrong=mistakes)

# %% [markdown] tags=["exercise"]
# ### Exercise 1.3: Is a slow item an error-prone item? (10 minutes)
#
# We read a long RT as effort. If so, slow items should also be those on which people err. Draw the
# accuracy of the items against their log RT, one panel per task. In one of these tasks slower items
# are *more* accurate. Correlate the two within each task, and put the r of this task, with three
# decimals or more, into `r_odd`.

# %% tags=["solution"]
chosen = ["word-addition", "binary-subtraction", "syllogisms", "cardinal-directions", "game-of-24"]
people_did = norms.load_bank(chosen)
### BEGIN SOLUTION
# One panel per task: in a single cloud the differences between tasks would hide those within.
panels = sns.relplot(people_did, x="log_rt", y="accuracy", col="task", col_wrap=3, height=2.4, s=10,
                     facet_kws=dict(sharex=False))  # fmt: skip
panels.set_axis_labels("response time (ln s)", "share of right answers").set_titles("{col_name}")
show.figure(
    panels.figure,
    "Accuracy and response time of items. A dot is an item.",
    "Five scatter plots of accuracy against log response time.",
)
r_task = people_did.groupby("task")[["log_rt", "accuracy"]].apply(lambda part: part.corr().iloc[0, 1])
r_odd = r_task.max()
# Where time buys accuracy, a long RT is care that paid. Where both point to hard items, it is trouble.
### END SOLUTION

# %% tags=["key"]
odd = people_did[people_did["task"] == r_task.idxmax()]
mistakes = {
    "There slower items are less accurate, more clearly than anywhere else. Mind the direction.": r_task.min(),
    "That is one cloud of all tasks. The differences between tasks hide those within.":
        people_did["log_rt"].corr(people_did["accuracy"]),
    "That is the mean over tasks. The question is about one of them.": r_task.mean(),
    "Is that a correlation with seconds? Take their logarithm, as in the figure.": np.exp(odd["log_rt"]).corr(odd["accuracy"]),
    "That is a correlation of ranks. (Why is it so much lower? Look at the slowest items.)":
        odd["log_rt"].rank().corr(odd["accuracy"].rank()),
    "That is the slope of a line. The question is about the correlation.": np.polyfit(odd["log_rt"], odd["accuracy"], 1)[0],
}  # fmt: skip
hint = "Correlate accuracy with log RT within each task, over its items. One of the five is above zero."
key("1.3", r_odd, hint=hint, wrong=mistakes, digits=3)
