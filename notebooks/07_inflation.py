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
# # Inflation: does the student just write more?
#
# **After this chapter you can**
#
# - compare how two models spread their effort, with and without bins;
# - say what a right answer costs, and why that number runs away;
# - see why a regression through the origin finds a constant multiplier where there is none;
# - test whether a multiplier is constant, and find out which item or model it hangs on.
#
# **Time:** 35 minutes to read, about two minutes to run.
#
# The abstract of the paper's second version states a *linear inflation law*: students spend a
# roughly constant multiple of tokens, about 2.44, whatever the complexity of the task. That would be the
# mark of a *cargo cult*. The form of thinking is copied, its length above all, without the
# policy that says when to think long.
#
# The abstract does not say a multiple of what. Third parties report three analyses behind it:
# a *relative effort*, compared by a divergence; an *inverse efficiency index*; and a regression of the
# students' index on that of their baselines. We could not read how any of them was done. This
# chapter does all three, and adds the check that each of them lacks.

# %% tags=["parameters"]
profile = "default"  # "quick" takes fewer resamples
study = "all"  # or the name of one study
seed = 0

# %%
import pandas as pd

from handan import costs, figures_effort, formats, inputs, profiles
from handan.book import show
from handan.findings.constancy import WITHIN
from handan.findings.effort import effort, relative_effort
from handan.findings.efficiency import efficiency
from handan.findings.efficiency_law import efficiency_law, r2_about_zero
from handan.findings.inflation import measure
from handan.findings.inflation_sim import simulated_study
from handan.findings.influence import influence
from handan.findings.join import join
from handan.findings.ledger import ledger
from handan.findings.mixed import mixed
from handan.findings.paired_costs import paired_costs
from handan.lineage import load_lineage

# %%
size = profiles.profile(profile)
names = [name for name in (costs.studies() if study == "all" else [study]) if name != costs.ORGANISM]
studies = {name: costs.load_study(name) for name in names}
joined = {name: join(one.costs, one.norms) for name, one in studies.items()}
lineage = load_lineage()
options = dict(n_boot=min(size.n_boot, 4_000), seed=seed)
PUBLISHED = next(claim.paper for claim in ledger() if claim.name == "inflation-size")
unit = {name: "words" if costs.card(name)["tokens"].startswith("Words") else "tokens" for name in names}
in_words = [name for name in names if unit[name] == "words"]


# %% tags=["hide-input"]
def stacked(tables):
    """The rows of all studies; a table without rows has nothing to say."""
    filled = [table for table in tables if not table.empty]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def told(sentences):
    for sentence in sentences:
        show.say("- {sentence}", sentence=sentence)


def counted(part):
    """How many pairs of models; a row is a pair in one task."""
    n_pairs, n_tasks = len(part[["student", "reference"]].drop_duplicates()), part["task"].nunique()
    n_studies = part["study"].nunique()
    if len(part) == n_pairs:
        return f"{n_pairs} pairs"
    where = f"{n_studies} studies" if n_studies > 1 else f"{n_tasks} tasks"
    return f"{len(part)} comparisons ({n_pairs} pairs of models in {where})"


# %% tags=["hide-input"]
if in_words:
    show.say(
        "A cost is a number of tokens. In {studies} it is a number of words instead, since half of the texts are missing "
        "and only their words were counted. A ratio of two costs has no unit, so it can be compared.", studies=in_words,
    )  # fmt: skip

# %% [markdown]
# ## Relative effort
#
# Divide what a model spends on an item by what its teacher spends on average. At 1 it works
# as hard as the teacher does on a typical item. The division makes tasks comparable. It changes
# nothing about the *shape* of a distribution: on a log scale it only moves it.

# %%
efforts = stacked(relative_effort(joined[name], one.costs, lineage) for name, one in studies.items())
apart = {name: effort(joined[name], one.costs, lineage, **options) for name, one in studies.items()}
distances = stacked(found.distances for found in apart.values())


# %% tags=["hide-input"]
def largest_group(part):
    """The teacher with whom most models are compared."""
    return part[part["teacher"] == part.groupby("teacher")["model"].nunique().idxmax()]


for (name, task), part in efforts.groupby(["study", "task"], sort=False) if len(efforts) else []:
    part = largest_group(part)
    teacher = part["teacher"].iloc[0]
    means = part[part["part"] == "student"].groupby("model")["effort"].mean()
    caption = (
        f"In {name} ({task}) {(means < 1).sum()} of {len(means)} students spend less than {teacher} on average: "
        f"their mean relative efforts reach from {means.min():.2f} to {means.max():.2f}."
    )
    alt = (
        f"Box plots of relative effort of {part['model'].nunique()} models on {part['item'].nunique()} items."
    )
    show.figure(figures_effort.efforts(part), caption, alt, name=f"effort-{name}-{task}")

# %% [markdown]
# How far apart are two such distributions? Third parties report that the paper uses the
# *Kullback–Leibler divergence*. It needs bins, and we do not know the paper's. Ours: equal bins of
# the log cost over all models that are compared with a teacher, and half a count added to every bin.
# The table shows what half and twice as many bins would give.
#
# Beside it stands the *Wasserstein distance*, which needs no bins. Sort the costs of both models and
# take the mean distance of the sorted values. In ln cost, 0.69 means a factor of two. *Shape* is the
# same after taking off each model's own mean: it no longer sees that one model writes more.
#
# Two samples of one distribution lie apart too. *Chance* is the distance that remains when the
# two costs of an item are swapped at random.

# %% tags=["hide-input"]
DISTANCES = {"study": "study", "task": "task", "student": "student", "teacher": "teacher", "relation": "relation",
             "n": "items", "effort": "relative effort [95 %]", "wasserstein": "Wasserstein [95 %]",
             "wasserstein_chance": "chance", "shape": "shape [95 %]", "shape_chance": "chance (shape)",
             "kl": "KL [95 %]", "kl_chance": "chance (KL)", "kl_half_bins": "KL, half the bins",
             "kl_twice_bins": "KL, twice the bins", "note": "note"}  # fmt: skip
ENDS = {name: (f"{name}_low", f"{name}_high") for name in ("effort", "wasserstein", "shape", "kl")}
if len(distances):
    show.table(
        distances, "How far students' efforts lie from their teachers'. Wasserstein in ln cost, KL in nats.",
        labels=DISTANCES, intervals=ENDS, name="distances",
        note="Relation: whether the teacher is the student's own. KL: Kullback–Leibler divergence. Chance: what swapped costs give.",
    )  # fmt: skip

# %% tags=["hide-input"]
if len(distances):
    known = distances.dropna(subset=["kl"])
    moved = (known["kl_twice_bins"] / known["kl_half_bins"]).where(known["kl_half_bins"] > 0)
    show.say(
        "With twice as many bins instead of half as many, the divergence of a pair is multiplied by {low:.2f} to "
        "{high:.2f}. Without the bins of the paper its value cannot be compared with ours.",
        low=moved.min(), high=moved.max(),
    )  # fmt: skip

# %% [markdown]
# ### Is the form copied?
#
# Teachers write long, and so do their students. That alone shows no copying: the comparison must be with
# what the student was before. So take the distance of the student from its teacher, and take off the
# distance of the student's own baseline. Below zero, distillation brought it nearer. The rule goes by
# the sign alone, because nobody has published how large a copied form would be.

# %% tags=["hide-input"]
forms = stacked(found.pooled for found in apart.values())
if len(forms):
    FORM = {"study": "study", "relation": "teacher", "n_pairs": "pairs", "n_items": "items",
            "distance_student": "students", "distance_baseline": "baselines", "form": "difference [95 %]",
            "shape": "shape only [95 %]", "verdict": "form copied?", "on_edge": "on the edge", "note": "note"}  # fmt: skip
    show.table(
        forms, "Wasserstein distances from the teacher in ln cost, pooled over pairs.", labels=FORM,
        intervals={name: (f"{name}_low", f"{name}_high") for name in ("form", "shape")}, name="form",
        note="Teacher: whether it is the students' own. Shape only: without the models' own means. On the edge: other random draws could change the verdict.",
    )  # fmt: skip
    told(forms["sentence"])

# %% tags=["hide-input"]
pairs_of_form = stacked(found.form for found in apart.values())
if len(pairs_of_form):
    against = pairs_of_form[pairs_of_form["verdict"] == "not supported"]
    show.say(
        "Pair by pair, the form is copied in {yes} of {n} comparisons. The baseline lies nearer to the teacher in {no}.",
        yes=int((pairs_of_form["verdict"] == "supported").sum()), n=len(pairs_of_form), no=len(against),
    )  # fmt: skip
    told(against["sentence"])

# %% [markdown]
# ## What a right answer costs
#
# The *inverse efficiency index* (IEI) divides the mean cost by the accuracy (Townsend and Ashby, 1978). It was made for
# response times of people who are nearly always right. Where accuracy is low it runs away: a model that is right
# one time in five has its cost multiplied by five.

# %%
prices = {name: efficiency(joined[name], one.costs, lineage, **options) for name, one in studies.items()}
graded = (
    stacked(found.models for found in prices.values()).query("index == 'IEI'") if names else pd.DataFrame()
)

# %% tags=["hide-input"]
if len(graded):
    MODELS = {"study": "study", "task": "task", "model": "model", "role": "role", "n": "items",
              "n_ungraded": "not graded", "unit": "cost in", "mean_cost": "mean cost", "accuracy": "accuracy",
              "value": "cost of a right answer [95 %]", "note": "note"}  # fmt: skip
    show.table(
        graded.assign(unit=graded["study"].map(unit)),
        "What a right answer costs, in the unit of its study. Items without a grade take no part.",
        labels=MODELS, digits={"mean_cost": 0, "value": 0},
        intervals={"value": ("value_low", "value_high")}, name="prices",
        note="A reinforced-student learned from a teacher's traces and was reinforced afterwards. Compare costs within a study only.",
    )  # fmt: skip

# %% tags=["hide-input"]
if len(graded):
    worst = graded.loc[(graded["value"] / graded["mean_cost"]).idxmax()]
    show.say(
        "{model} in {study} is graded as right in {share:.0f} % of its answers, so its index is {times:.1f} times its mean cost.",
        model=worst["model"], study=worst["study"], share=100 * worst["accuracy"], times=worst["value"] / worst["mean_cost"],
    )  # fmt: skip

# %% tags=["hide-input"]
LETTERS = 4  # a question of GPQA has four answers to choose from
boxed = graded.query("study == 'gpqa-minutes'") if len(graded) else graded
if len(boxed):
    below = boxed.loc[boxed["accuracy"] < 1 / LETTERS, "model"].tolist()
    show.say(
        "Mind the grades of {study}. A parser looked for a letter in a box, and what it calls right is too little for "
        "some models. Guessing one of {letters} letters would be right in {guess:.0f} %; {below} less often than that. Where a "
        "grade is too low, the cost of a right answer is too high.",
        study="gpqa-minutes", letters=LETTERS, guess=100 / LETTERS,
        below=f"{formats.listing(below)} {'is' if len(below) == 1 else 'are'} graded as right" if below else "no model is right",
    )  # fmt: skip

# %% [markdown]
# Third parties report that the law is a regression of students' index on that of their baselines. A
# point is then a pair of models in a task. Where a study graded no answers, as in pm-bench, the plain
# mean cost must stand in. An interval over so few points is rough, and takes points that share items for
# independent.

# %% tags=["hide-input"]
points = stacked(found.points for found in prices.values())
if len(points):
    LAW = {"study": "study", "index_": "index", "relation": "baseline is", "n_points": "points",
           "through_origin": "through the origin [95 %]", "slope": "slope", "intercept": "intercept",
           "geometric": "mean ratio", "loglog_ols": "log-log slope", "loglog_deming": "log-log, Deming",
           "r2_origin": "R² about 0", "r2": "R²", "influential": "most influential", "without": "without it"}  # fmt: skip
    mixes = any(unit[name] == "words" for name in points["study"]) and points["study"].nunique() > 1
    law = efficiency_law(points, **options).rename(columns={"index": "index_"})
    several = law[law["n_points"] > 1]

# %% tags=["hide-input"]
if len(points):
    show.table(
        several, "Students' index on their baselines': one line, several fits.", labels=LAW,
        intervals={"through_origin": ("through_origin_low", "through_origin_high")}, digits={"intercept": 0},
        note="Index: IEI is the inverse efficiency index. Intervals need five points. A log-log slope fits ln cost on ln cost; "
        "1 would be a constant multiplier. Deming's allows for errors on both sides. Without it: the slope through the origin "
        "without the most influential point." + (" Rows of all studies mix tokens and words." if mixes else ""), name="law",
    )  # fmt: skip

# %% tags=["hide-input"]
if len(points) and len(several):
    low, high = several["through_origin"].min(), several["through_origin"].max()
    widest = several.loc[(several["highest"] / several["lowest"]).idxmax()]
    show.say(
        "Through the origin the multipliers of these sets of points lie between {low:.2f} and {high:.2f}. One point can "
        "decide: in {study} ({relation}, {index}) the slope is {all:.2f}, and {without:.2f} without {point}.",
        low=low, high=high, study=widest["study"], relation=widest["relation"], index=widest["index_"],
        all=widest["through_origin"], without=widest["without"], point=widest["influential"],
    )  # fmt: skip

# %% [markdown]
# ## A law that is constant by construction
#
# Simulate two studies. In the first, a student spends a constant multiple of its base's tokens on every item. In the
# second, the multiple grows with difficulty. Both are scaled so that a line through the origin has the same slope.

# %%
GROWTH = 1.25  # factor per standard deviation of difficulty
worlds = {"constant": simulated_study(1.0, seed=seed), "growing": simulated_study(GROWTH, seed=seed)}
simulated = {
    name: measure(join(one.costs, one.norms), one.costs, one.lineage, **options)
    for name, one in worlds.items()
}
sides = {
    name: next(iter(paired_costs(join(one.costs, one.norms), one.costs, one.lineage)))
    for name, one in worlds.items()
}


# %% tags=["hide-input"]
def by_item(name, side):
    columns = dict(reference=side.reference[:, 0], student=side.student[:, 0])
    table = pd.DataFrame(
        dict(panel=name, human=(side.human - side.human.mean()) / side.human.std(ddof=1)) | columns
    )
    return table.assign(ratio=table["student"] / table["reference"])


both = stacked(by_item(name, side) for name, side in sides.items())
slopes = {name: found.pairs["through_origin"].item() for name, found in simulated.items()}
fits = {name: r2_about_zero(table["reference"], table["student"]) for name, table in both.groupby("panel")}

# %% tags=["hide-input"]
show.figure(
    figures_effort.origin_lines(both, slopes),
    f"A line through the origin has a slope of {slopes['constant']:.2f} in one world and {slopes['growing']:.2f} in the "
    f"other, with an R² of {fits['constant']:.3f} and {fits['growing']:.3f}.",
    "Cost of student against cost of base for two simulated studies; both clouds follow the same line.",
    name="origin",
)
hard, easy = (
    both.query(f"panel == 'growing' and {side}")["ratio"].mean() for side in ("human > 1", "human < -1")
)

# %% tags=["hide-input"]
show.say(
    "The lines do not tell the two worlds apart. Yet in the second one the multiple grows by a factor of {growth} per "
    "standard deviation of difficulty: the student spends {easy:.2f} times its base's tokens on "
    "easy items (more than one standard deviation below the mean) and {hard:.2f} times on hard ones.",
    easy=easy, hard=hard, growth=GROWTH,
)  # fmt: skip

# %% [markdown]
# There are two reasons. A line through the origin minimises squared errors in tokens, so the few dear items decide and
# the many cheap ones have no say. And its R² is taken about zero: it compares the line with a guess of
# no tokens at all, which any line beats.
#
# The cure is to look at the ratio itself, item by item, against the difficulty for people.

# %% tags=["hide-input"]
rows = []
for name, found in simulated.items():
    pair = found.pairs.iloc[0]
    rows += [
        dict(panel=name, human=d, multiplier=pair["geometric"] * pair["change"] ** d) for d in (-2.5, 2.5)
    ]
changes = {name: found.pairs["change"].item() for name, found in simulated.items()}
show.figure(
    figures_effort.ratios(both, pd.DataFrame(rows), xlabel="difficulty (standard deviations)"),
    f"The same data: the multiplier changes by a factor of {changes['constant']:.2f} per standard deviation in one "
    f"world and {changes['growing']:.2f} in the other.",
    "Ratio of student's to base's cost against difficulty, flat in one panel and rising in the other.",
    name="ratios",
)

# %% tags=["hide-input"]
told(
    f"{name.capitalize()} world: {sentence}"
    for name, found in simulated.items()
    for sentence in found.pairs["sentence"]
)

# %% [markdown]
# ## The multiplier, and whether it is constant
#
# So we report two numbers. The *multiplier* is the mean ratio of costs over items (geometric, so that doubling and halving
# cancel). The *change* is the factor by which it grows when an item is one standard deviation harder. A constant
# multiplier has a change of 1.

# %% tags=["hide-input"]
show.say(
    "The verdict is *supported* when the whole interval of the change lies within a factor of {within:.2f} either way, "
    "*not supported* when it excludes 1 and reaches beyond, and *cannot tell* otherwise.", within=WITHIN,
)  # fmt: skip

# %%
measured = {
    name: measure(joined[name], one.costs, lineage, one.reliability, n_boot=size.n_boot, seed=seed)
    for name, one in studies.items()
}
pairs = stacked(found.pairs for found in measured.values())
pooled = stacked(found.pooled for found in measured.values())

# %% tags=["hide-input"]
short = lineage.set_index("model")["label"]
if len(pairs):
    labelled = pairs.assign(label=pairs["student"].map(short) + " / " + pairs["reference"].map(short))
    tasks = pairs.groupby("study")["task"].transform("nunique")
    labelled["label"] += (" (" + pairs["task"] + ")").where(tasks > 1, "")

# %% [markdown]
# A row of the figures below names the student, then the reference. The names are short. *R1* is DeepSeek-R1, and
# *R1-Qwen-14B* is its student DeepSeek-R1-Distill-Qwen-14B. *-It* stands for *Instruct*: a model trained to follow
# instructions.

# %% tags=["hide-input"]
for name, part in labelled.groupby("study", sort=False) if len(pairs) else []:
    constant, changing = ((part["verdict"] == verdict).sum() for verdict in ("supported", "not supported"))
    show.figure(
        figures_effort.changes(part, WITHIN),
        f"In {name} the multiplier counts as constant in {constant} of {counted(part)} and as changing in {changing}. "
        "Bars: 95 % item bootstrap.",
        f"Change of the multiplier per standard deviation of difficulty for {counted(part)} in {name}.",
        name=f"changes-{name}",
    )

# %% [markdown]
# How large is the multiplier? That depends on the fit. A line through the origin and a ratio of means listen to the dear
# items, the mean ratio listens to all.

# %% tags=["hide-input"]
for name, part in labelled.groupby("study", sort=False) if len(pairs) else []:
    holds = ((part["geometric_low"] <= PUBLISHED) & (part["geometric_high"] >= PUBLISHED)).sum()
    show.figure(
        figures_effort.multipliers(part, published=PUBLISHED),
        f"In {name} the mean ratios of {counted(part)} reach from {part['geometric'].min():.2f} to "
        f"{part['geometric'].max():.2f}. The interval of the mean ratio holds the paper's {PUBLISHED} in {holds}. "
        "Bars: 95 % item bootstrap.",
        f"Multipliers of {counted(part)} in {name} through three fits, with intervals, and a line at {PUBLISHED}.",
        name=f"multipliers-{name}",
    )

# %% tags=["hide-input"]
if len(pairs):
    apart_most = pairs.loc[(pairs["geometric"] / pairs["through_origin"]).idxmax()]
    show.say(
        "Fits can contradict each other. In {study} {student} spends {mean:.2f} times the {unit} of {reference} on the "
        "average item, and {origin:.2f} times through the origin.", study=apart_most["study"], unit=unit[apart_most["study"]],
        student=apart_most["student"], mean=apart_most["geometric"], reference=apart_most["reference"],
        origin=apart_most["through_origin"],
    )  # fmt: skip

# %% tags=["hide-input"]
PAIRS = {"study": "study", "task": "task", "relation": "relation", "student": "student", "reference": "reference",
         "n": "items", "through_origin": "through the origin [95 %]", "slope": "slope", "intercept": "intercept",
         "geometric": "mean ratio [95 %]", "loglog_deming": "log-log, Deming", "change": "change [95 %]",
         "ceiling": "ceiling", "truncated_student": "cut, student", "truncated_reference": "cut, reference",
         "verdict": "constant?", "note": "note"}  # fmt: skip
if len(pairs):
    show.table(
        pairs, "Every pair, task by task. A cut trace counts as far as it was written: a lower bound.", labels=PAIRS,
        intervals={name: (f"{name}_low", f"{name}_high") for name in ("through_origin", "geometric", "change")},
        digits={"intercept": 0}, name="pairs",
        note="Slope and intercept: a line that need not go through the origin; the intercept is in tokens or words. Log-log, Deming: "
        "slope of ln cost on ln cost with errors on both sides. Ceiling: the highest r that the errors of the norms allow, where "
        "it is known. Cut: share of traces.",
    )  # fmt: skip


# %% tags=["hide-input"]
from handan.stats.multiplier import positive_log


def correlation_of_logs(row):
    """How ln cost of the two models of a pair correlate over the items of its task."""
    name, models = row["study"], ["student", "reference"]
    side = next(
        side for side in paired_costs(joined[name], studies[name].costs, lineage) if side.task == row["task"]
    )
    k = (side.pairs[models] == row[models]).all(axis=1).idxmax()
    return pd.Series(positive_log(side.student[:, k])).corr(pd.Series(positive_log(side.reference[:, k])))


# %% tags=["hide-input"]
if len(pairs) and pairs["loglog_deming"].notna().any():
    wildest = pairs.loc[pairs["loglog_deming"].abs().idxmax()]
    show.say(
        "Don't read anything into the wildest of *Deming's* slopes. A line with errors on both sides has no direction where two "
        "costs hardly correlate: then its slope can take any value, and means nothing. In {study}, {student} over {reference} "
        "gets {slope:.2f}. Their log costs correlate with r = {r:.2f}.",
        study=wildest["study"], student=wildest["student"], reference=wildest["reference"],
        slope=wildest["loglog_deming"], r=correlation_of_logs(wildest),
    )  # fmt: skip

# %% [markdown]
# ## Pooled, with a verdict

# %% tags=["hide-input"]
POOLED = {"study": "study", "relation": "relation", "n_pairs": "pairs", "n_tasks": "tasks", "n_items": "items",
          "multiplier": "multiplier [95 %]", "change": "change [95 %]", "ceiling": "ceiling",
          "truncated_student": "cut, students", "truncated_reference": "cut, references", "verdict": "constant?",
          "on_edge": "on the edge", "note": "note"}  # fmt: skip
if len(pooled):
    show.table(
        pooled, "Multipliers pooled over pairs and tasks; intervals from one item bootstrap for all pairs.",
        labels=POOLED, intervals={name: (f"{name}_low", f"{name}_high") for name in ("multiplier", "change")},
        name="pooled",
        note="Cut: share of traces. Ceiling as above. On the edge: other random draws could change the verdict.",
    )  # fmt: skip
    told(pooled["sentence"])
else:
    show.say("None of these studies has a student beside its own teacher or baseline: nothing can be pooled.")

# %% [markdown]
# ## What a multiplier hangs on
#
# Leave out every item in turn, and every pair, and see how far the pooled number moves.

# %%
moved = {name: influence(joined[name], one.costs, lineage) for name, one in studies.items()}
single = stacked(found.pooled for found in moved.values())

# %% tags=["hide-input"]
MOVED = {"study": "study", "relation": "relation", "estimate": "estimate", "value": "with all", "unit": "left out",
         "left_out": "which", "without": "without it", "lowest": "lowest", "highest": "highest"}  # fmt: skip
if len(single):
    # The widest kind of baseline of every study, and its teachers.
    widest = single[single["relation"] != "own teacher"].groupby("study")["relation"].transform("last")
    shown = single[
        (single["relation"] == "own teacher") | (single["relation"] == widest.reindex(single.index))
    ]
    show.table(
        shown.dropna(subset=["without"]), "The one item, and the one pair, whose removal moves a pooled estimate most.",
        labels=MOVED, name="moved",
        note="Lowest and highest: the estimate over all removals of one item, or of one pair.",
    )  # fmt: skip

# %% tags=["hide-input"]
largest = stacked(found.items for found in moved.values())
by_pair = single[single["unit"] == "pair"] if len(single) else single
for table, what in ((largest, "item"), (by_pair, "pair")):
    known = table.dropna(subset=["factor"]) if len(table) else table
    for row in (
        known.loc[known["factor"].map(lambda f: max(f, 1 / f)).nlargest(1).index].itertuples()
        if len(known)
        else []
    ):
        show.say(
            "- The most that one {what} does: in {study} ({relation}, {estimate}{who}) the estimate is {value:.2f}, and "
            "{without:.2f} without {which}.", what=what, study=row.study, relation=row.relation,
            estimate=row.estimate.replace("_", " "), who=f", {row.student}" if what == "item" else "",
            value=row.value, without=row.without, which=str(row.left_out),
        )  # fmt: skip

# %% [markdown]
# ## The same test in a mixed model
#
# All of the above is about *these* models: only items are resampled. A mixed model takes models as a sample too. It
# lets the log cost depend on difficulty, on the role of the model and on both together. The last is the *interaction*, and its
# exponential is again a change of the multiplier. With so few models the intervals are wide, and with a
# single baseline there is none.

# %%
together = stacked(mixed(joined[name], lineage, studies[name].reliability).law for name in names)

# %% tags=["hide-input"]
if len(together):
    MIXED = {"study": "study", "relation": "multiplier of", "n_models": "models", "n_items": "items",
             "change": "change [95 %]", "p": "p", "verdict": "constant?", "note": "note"}  # fmt: skip
    show.table(
        together, "Change of the multiplier per standard deviation of difficulty, from a mixed model.", labels=MIXED,
        intervals={"change": ("change_low", "change_high")}, name="mixed",
    )  # fmt: skip
    told(together["sentence"])

# %% [markdown]
# ## The organism
#
# The tiny models of [chapter 9](09_organism) were trained from several seeds, so that seeds are random too. All students there
# saw their teacher's traces or altered ones; `student-shuffled` saw traces that belong to other problems.

# %%
families = (
    inputs.in_families(None, n_boot=min(size.n_boot, 2_000), seed=seed)
    if study in ("all", costs.ORGANISM)
    else None
)


# %% tags=["hide-input"]
def constant(part):
    return f"{(part['verdict'] == 'supported').sum()} of {len(part)}"


if families is not None:
    tiny = families.inflation.query("task == 'all' and repertoire == 'carry'")
    tiny = tiny.assign(label=tiny["condition"] + " / " + tiny["relation"])
    teacher, base = (tiny[tiny["relation"] == name] for name in ("own teacher", "true base"))
    show.figure(
        figures_effort.changes(tiny, WITHIN),
        f"Over their own teachers the multiplier of tiny students changes by a factor of {teacher['change'].min():.2f} to "
        f"{teacher['change'].max():.2f} per standard deviation of difficulty, and counts as constant in {constant(teacher)} kinds "
        f"of students; over their bases by {base['change'].min():.2f} to {base['change'].max():.2f}, and as constant in "
        f"{constant(base)}. Bars: 95 % over seeds and items.",
        "Change of the multiplier for every kind of tiny student, against its teacher and its base.",
        name="organism",
    )

# %% tags=["hide-input"]
if families is not None:
    show.table(
        tiny, "The organism with the repertoire carry, all tasks together; intervals over seeds and items.",
        labels={"condition": "student", "relation": "over its", "n_seeds": "seeds", "n_items": "items",
                "multiplier": "multiplier [95 %]", "change": "change [95 %]", "verdict": "constant?"},
        intervals={name: (f"{name}_low", f"{name}_high") for name in ("multiplier", "change")},
        digits=3, name="organism-law",
    )  # fmt: skip

# %% [markdown]
# A student that imitates well spends what its teacher spends. Its multiplier is then constant, and near 1. So a
# constant multiplier alone is no sign of a cargo cult. It is what perfect imitation gives as well.
#
# ## The paper's 2.44, and ours

# %% tags=["hide-input"]
baselines = pooled[pooled["relation"] != "own teacher"] if len(pooled) else pooled
for row in baselines.itertuples():
    show.say(
        "- {study}, {relation}: {value:.2f} (95 % interval {low:.2f} to {high:.2f}), which {holds} {published}; constant: {verdict}.",
        study=row.study, relation=row.relation, value=row.multiplier, low=row.multiplier_low, high=row.multiplier_high,
        holds="holds" if row.multiplier_low <= PUBLISHED <= row.multiplier_high else "does not hold",
        verdict=row.verdict, published=PUBLISHED,
    )  # fmt: skip

# %% tags=["hide-input"]
for row in (
    law.query("study == 'all studies' and relation == 'any baseline'").itertuples() if len(points) else []
):
    show.say(
        "- Through the origin over all {n} points ({index}): {value:.2f}. Leaving out one point moves it between {low:.2f} "
        "and {high:.2f}.", n=row.n_points, index=row.index_, value=row.through_origin, low=row.lowest, high=row.highest,
    )  # fmt: skip
if len(pairs):
    low, high = pairs["geometric"].min(), pairs["geometric"].max()
    show.say(
        "Among our {n} the mean ratio reaches from {low:.2f} to {high:.2f}{so}.", n=counted(pairs), low=low, high=high,
        so=f", so that some average near {PUBLISHED} is easy to find" if low < PUBLISHED < high else "",
    )  # fmt: skip

# %% [markdown]
# The size of a multiplier depends on the pair, on the task and on the fit, so a single value tells little. What a law needs
# is a change of 1, and that is what the verdicts are about.
#
# ## What these data can't say
#
# - **We do not know what the paper regressed on what.** Its reference may be the teacher, a baseline or a task's mean. Tables
#   above name the reference in every row.
# - **Difficulty is no measured human time** in the studies that have students of large models. It is a level, a count of steps, minutes that
#   people reported or, in pm-bench, the judgement of a language model. Errors of such a measure pull every change towards 1. A law that looks constant may only
#   have been measured badly.
# - **A baseline's tokens are all of its output**, a student's are its reasoning. The ratio of the two mixes lengths
#   of different things. The chapter on [costs](03_costs) shows what that does.
# - **Cut traces** cost at least what was counted. Where a column of cut traces is not zero, multipliers over that model
#   are wrong in a known direction.
# - **Intervals over items are not intervals over models.** Other students could differ by more than the table shows; the
#   mixed model says by how much, as far as so few models can.
# - **No correction for the number of verdicts** was made, as everywhere in this book.

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %%
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from handan.book import show
from handan.costs import load_study
from handan.findings.inflation_sim import simulated_study

# %% [markdown] tags=["exercise"]
# ### Exercise 7.1: What does reinforcement add? (8 minutes)
#
# AceReason-Nemotron-14B is DeepSeek-R1-Distill-Qwen-14B after further reinforcement. How many times
# the tokens does it spend on an item of `gpqa-minutes`? Take the multiplier of this chapter: the *mean
# ratio*, in which doubling and halving cancel. `spent` holds the mean tokens of each item. Put the factor
# into `multiplier`.

# %% tags=["solution"]
before, after = "DeepSeek-R1-Distill-Qwen-14B", "AceReason-Nemotron-14B"
gpqa = load_study("gpqa-minutes")
spent = gpqa.costs.groupby(["item", "model"])["reasoning_tokens"].mean().unstack()[[before, after]]
### BEGIN SOLUTION
# In logs, twice as much and half as much are equally far from "the same". So every item has the same
# say, and no item decides because it is dear.
multiplier = np.exp(np.log(spent[after] / spent[before]).mean())
### END SOLUTION

# %% tags=["key"]
plain = spent[after] / spent[before]
key(
    "7.1", multiplier, digits=2, points=2,
    hint="Divide item by item first. Then average the ratios so that 2 and 1/2 cancel.",
    wrong={
        "You divided the mean of one model by the mean of the other. Then the dear items decide.": spent[after].mean() / spent[before].mean(),
        "You averaged the ratios themselves. Do a ratio of 4 and one of 1/4 cancel in that mean?": plain.mean(),
        "This is a line through the origin. It listens to the dearest items most.": (spent[after] * spent[before]).sum() / (spent[before] ** 2).sum(),
        "Upside down: how many times as much does the *reinforced* model spend?": 1 / multiplier,
        "This is still a logarithm. Turn it back into a factor.": np.log(multiplier),
    },
)  # fmt: skip

# %% [markdown] tags=["exercise"]
# ### Exercise 7.2: Is that multiplier the same for easy and hard items? (12 minutes)
#
# Take the same two models. By which factor does their ratio grow when an item is one standard deviation
# harder for people? Difficulty is the log of the time that experts needed. Fit a line to the *log* of the
# ratio; its slope, taken out of the log, is the factor. Draw the log ratio against difficulty, and put the
# factor, with three decimals or more, into `change`.

# %% tags=["solution"]
gpqa = load_study("gpqa-minutes")
spent = gpqa.costs.groupby(["item", "model"])["reasoning_tokens"].mean().unstack()
spent = spent[["DeepSeek-R1-Distill-Qwen-14B", "AceReason-Nemotron-14B"]]
log_time = gpqa.norms.set_index("item")["log_rt"].reindex(spent.index)
### BEGIN SOLUTION
log_ratio = np.log(spent["AceReason-Nemotron-14B"] / spent["DeepSeek-R1-Distill-Qwen-14B"])
# Standard deviations make tasks comparable. A slope in logs is a factor, once it is taken out of the log.
difficulty = (log_time - log_time.mean()) / log_time.std()
change = np.exp(np.polyfit(difficulty, log_ratio, 1)[0])
fig, axes = plt.subplots(figsize=(6, 3.6))
sns.scatterplot(x=difficulty, y=log_ratio, s=18, alpha=0.6, ax=axes)
axes.set(xlabel="difficulty for experts (SD of ln seconds)", ylabel="ln ratio of tokens, after / before")
caption = "Tokens after reinforcement over tokens before, by difficulty. A point is an item of gpqa-minutes."
show.figure(fig, caption, "Scatter of log token ratios against difficulty.")
# Reinforcement lengthened the traces of hard questions most. Whether that is more than chance, the
# chapter's rule would say: it needs the interval.
### END SOLUTION

# %% tags=["key"]
own_cost = np.log(spent["DeepSeek-R1-Distill-Qwen-14B"])
by_own_cost = np.polyfit((own_cost - own_cost.mean()) / own_cost.std(), log_ratio, 1)[0]
key(
    "7.2", change, digits=3, points=3,
    hint="Fit a line to the log of the ratio, with the z-scored log time below it. Its slope is a log, too.",
    wrong={
        "This is the slope in logs. Which factor is that?": np.log(change),
        "This is the factor per unit of log time. Asked for is one standard deviation of it.": np.exp(np.polyfit(log_time, log_ratio, 1)[0]),
        "You took the length of the earlier model's own traces as difficulty. Its errors stand on both axes then.": np.exp(by_own_cost),
        "You fitted the ratio itself. Then an item with a ratio of 4 pulls more than one of 1/4.": np.polyfit(difficulty, np.exp(log_ratio), 1)[0],
        "The ratio is upside down: it should be after over before.": 1 / change,
    },
)  # fmt: skip

# %% [markdown] tags=["exercise"]
# ### Exercise 7.3: Find the mistake (12 minutes)
#
# A colleague has no response times. She takes the base's own log cost as difficulty, and reports that the
# multiplier shrinks on hard items. Try her method in a world where it is known that nothing shrinks:
# `world` was drawn with the same multiplier for all items, and noise in both costs. The columns of `spent`
# are `base-0` and `student-0`. By which factor does
# the multiplier seem to change per standard deviation of the base's log cost? Put it into `apparent`.

# %% tags=["solution"]
world = simulated_study(1.0, noise=0.6, n_items=400, seed=11)
spent = world.costs.pivot(index="item", columns="model", values="reasoning_tokens")
### BEGIN SOLUTION
base, student = np.log(spent["base-0"]), np.log(spent["student-0"])
own_difficulty = (base - base.mean()) / base.std()
# An item on which the base came out too dear by chance looks hard, and has too small a ratio. So the
# slope is below zero though the law holds: regression to the mean. Times of people have errors, too,
# but errors of their own.
apparent = np.exp(np.polyfit(own_difficulty, student - base, 1)[0])
### END SOLUTION

# %% tags=["key"]
true_difficulty = world.norms.set_index("item")["log_rt"].reindex(spent.index)
true_difficulty = (true_difficulty - true_difficulty.mean()) / true_difficulty.std()
own_student = (student - student.mean()) / student.std()
key(
    "7.3", apparent, digits=2, points=3,
    hint="Do exactly what she did: the log of the ratio, against the z-scored log cost of the base.",
    wrong={
        "This is what people's times would have said. What does her method say?": np.exp(np.polyfit(true_difficulty, student - base, 1)[0]),
        "This is the slope in logs. Which factor is that?": np.log(apparent),
        "This is the factor per unit of log cost, not per standard deviation.": np.exp(np.polyfit(base, student - base, 1)[0]),
        "You took the student's cost as difficulty. She took the base's. (Why does yours err the other way?)": np.exp(np.polyfit(own_student, student - base, 1)[0]),
    },
)  # fmt: skip
