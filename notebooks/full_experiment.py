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
# # What the full experiment costs
#
# The paper asks 14 models. The item bank of this book has more than two thousand items with
# human response times that a model can be asked. This page works out what it takes to bring
# the two together: how many tokens, how many hours of which machine, how much money.
#
# Nothing here was measured by us on a GPU: we had none. The speed is the limit that memory
# and arithmetic set, times an assumed share of it. The prices are list prices, read on the day
# that is given. Both are parameters of this page. Put in your own, and run it again.
#
# **Time:** 10 minutes to read, seconds to run.

# %% tags=["parameters"]
samples = 4  # answers per item and model
efficiency = 0.5  # share of the limit that a machine reaches
seed = 0  # for the book's sake: nothing here is random

# %%
import pandas as pd

from handan import figures_traces as figures
from handan.book import show
from handan.norms import load_bank
from handan.traces.budget import machines, stated
from handan.traces.experiment import askable_items, bill, workload

# %% [markdown]
# ## How much there is to write
#
# One answer costs what the model writes. How much that is depends on the problem. We take the
# mean answer of each role from two recorded studies: one with school problems (`mip-gsm8k`)
# and one with hard puzzles (`pm-bench`). The truth for the bank lies somewhere between.

# %% tags=["hide-input"]
loads = {"school problems": workload(samples, "mip-gsm8k"), "hard puzzles": workload(samples, "pm-bench")}
lengths = pd.DataFrame(
    {name: load.groupby("role", sort=False)["tokens_per_answer"].mean() for name, load in loads.items()}
).reset_index()
show.table(lengths, "Mean tokens of an answer, by role, in two recorded studies.", name="lengths")

# %% tags=["hide-input"]
items = len(askable_items())
total = {name: load["tokens_out"].sum() for name, load in loads.items()}
show.say(
    "{items:,} of the bank's {bank:,} items can be put to a model. With {samples} samples of each, a model answers "
    "{requests:,} times. The 14 models together write between {low:.0f} and {high:.0f} million tokens.",
    items=items, bank=len(load_bank()), samples=samples, requests=items * samples,
    low=min(total.values()) / 1e6, high=max(total.values()) / 1e6,
)  # fmt: skip

# %% [markdown]
# Why more than one sample? A model that samples its words writes a different number of tokens
# each time. With one sample this noise can't be told from a difference between items, and it
# lowers every correlation.
#
# ## How fast it can be written
#
# To write one token, a GPU reads every weight of the model once. That takes at least *size of
# the model ÷ memory bandwidth*. The same read serves all answers that are written side by
# side, so machines write many at a time, as many as their memory holds. The text so far of
# each answer lies in memory too, and it is read again for every token.

# %% tags=["hide-input"]
costs = pd.concat([bill(load, efficiency).assign(length=name) for name, load in loads.items()])
chosen = ["DeepSeek-R1", "DeepSeek-R1-Distill-Qwen-1.5B", "DeepSeek-R1-Distill-Qwen-7B",
          "DeepSeek-R1-Distill-Qwen-32B", "DeepSeek-R1-Distill-Llama-70B"]  # fmt: skip
hard = costs[costs["length"] == "hard puzzles"]
rates = hard[hard["gpus"] > 0].pivot(index="model", columns="machine", values="rate").loc[chosen]
order = [machine.title for machine in machines().values()]
show.table(rates[order].reset_index(), "Tokens per second of five models. A dash: the model does not fit.",
           digits=0, name="rates")  # fmt: skip

# %% [markdown]
# These are estimates, and they flatter: sharing a model between GPUs is taken to be free, and
# prompts are not counted. A large model that just fits has room for few answers at a time, and
# is slow. That is why a 32-billion model is cheaper on two GPUs than on one.
#
# ## The bill

# %% tags=["hide-input"]
whole = costs.dropna(subset=["usd"]).groupby(["length", "machine"], sort=False)
summary = whole.agg(models=("model", "size"), hours=("hours", "sum"), usd=("usd", "sum")).reset_index()
summary.loc[summary["machine"].str.startswith("API"), "hours"] = float("nan")
summary["gpu_hours"] = summary["hours"] * summary["machine"].map(
    {m.title: m.gpus for m in machines().values()}
)
heads = {"length": "answers as for", "machine": "machine", "models": "models that fit", "hours": "hours",
         "gpu_hours": "GPU hours", "usd": "US dollars"}  # fmt: skip
show.table(summary[list(heads)], "What the models that fit take on each machine, all items and samples.",
           labels=heads, digits=1, name="bill")  # fmt: skip

# %% tags=["hide-input"]
largest = summary[summary["models"] == summary["models"].max()]
small = hard[(hard["machine"] == machines()["t4"].title) & hard["usd"].notna()]
show.say(
    "All {models} models fit on {machine}. There the whole experiment takes between {low:.0f} and {high:.0f} dollars. "
    "A free T4 holds {few} of the models, in about {hours:.1f} hours.",
    models=int(largest["models"].iloc[0]), machine=largest["machine"].iloc[0], low=largest["usd"].min(),
    high=largest["usd"].max(), few=len(small), hours=small["hours"].sum(),
)  # fmt: skip

# %% tags=["hide-input"]
fig = figures.bill(hard[hard["gpus"] > 0], order)
caption = "Hours per model and machine, for answers as long as for hard puzzles. Every tick to the left is ten times less."
alt = "Dot plot of hours per model, one colour per machine, on a logarithmic axis."
show.figure(fig, caption, alt, name="hours")

# %% [markdown]
# ## What the estimate rests on

# %% tags=["hide-input"]
facts = pd.DataFrame(
    {
        "machine": one.title,
        "memory": one.memory / 1e9,
        "bandwidth": one.bandwidth / 1e9,
        "usd": one.usd_per_hour,
        "source": one.source,
        "price_note": one.price_note,
    }
    for one in machines().values()
)
heads = {"machine": "machine", "memory": "GB per GPU", "bandwidth": "GB/s per GPU", "usd": "dollars per GPU hour",
         "source": "source", "price_note": "price from"}  # fmt: skip
show.table(facts, "Machines and prices.", labels=heads, note=f"Read on {stated()['read']}.", name="machines")

# %% tags=["hide-input"]
endpoint = stated()["endpoints"]["deepseek"]
show.say(
    "The endpoint is charged at {usd_in} dollars per million tokens read and {usd_out} per million written "
    "({note}; {source}). The share of the limit is {efficiency}: {why}",
    usd_in=endpoint["usd_in"], usd_out=endpoint["usd_out"], note=endpoint["price_note"],
    source=endpoint["source"], efficiency=efficiency, why=stated()["efficiency"]["why"],
)  # fmt: skip

# %% [markdown]
# ## Your own number
#
# A machine tells you its speed better than a formula. Make a few traces, then ask what the rest
# would take:
#
# ```
# handan traces DeepSeek-R1-Distill-Qwen-1.5B --task all --limit 2 --out traces
# handan traces DeepSeek-R1-Distill-Qwen-1.5B --task all --samples 4 --out traces --dry-run
# ```
#
# The second command writes nothing. It counts what is left to do and uses the speed that the
# first one reached. Then run it without `--dry-run`. When the session ends, when the machine
# is taken away, when the disk is full: the same command goes on where it stopped.
