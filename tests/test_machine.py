import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan import machine, machine_find, machine_fit, profiles
from handan.lineage import load_lineage
from handan.machine_estimate import basis, estimate, teacher_elsewhere
from handan.machine_keep import place
from handan.machine_models import (
    MAX_NEW_TOKENS,
    PROMPT,
    cards,
    family,
    fitting,
    machine_of,
    options,
    planned,
    shapes,
    tiny_family,
)
from handan.machine_welcome import lines
from handan.traces.budget import machines
from handan.traces.choose import Kind

torch = pytest.importorskip("torch")

COLAB = {"COLAB_RELEASE_TAG": "release-colab_20260819"}
KAGGLE = {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}
BINDER = {"BINDER_LAUNCH_HOST": "https://mybinder.org/"}


@pytest.fixture
def gpus(monkeypatch):
    """Let torch report GPUs: a name, a compute capability, and the bytes of each."""

    def pretend(name, capability, *memory):
        empty = torch.empty
        monkeypatch.setattr(torch, "empty", lambda *size, device=None, **more: empty(*size, **more))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(memory))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: name)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
        sizes = [types.SimpleNamespace(total_memory=int(size)) for size in memory]
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: sizes[number])

    return pretend


@pytest.fixture
def apple(monkeypatch):
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *size, device=None, **more: empty(*size, **more))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda major, minor: True)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 51_000_000_000)


@pytest.fixture
def no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


def here(tmp_path, env=None, **more):
    return machine.look(tmp_path, env=env or {}, root=tmp_path, **more)


@pytest.mark.parametrize(
    ("env", "folder", "name"),
    [
        (COLAB, None, "colab"),
        (KAGGLE, None, "kaggle"),
        (BINDER, None, "binder"),
        ({**COLAB, **KAGGLE}, None, "kaggle"),  # Kaggle's image keeps marks of Colab's
        ({}, "content/sample_data", "colab"),
        ({}, "kaggle/working", "kaggle"),
        ({"COLAB_GPU": ""}, None, "local"),
        ({}, None, "local"),
    ],
)
def test_the_platform_is_known_by_its_marks(tmp_path, env, folder, name):
    if folder:
        (tmp_path / folder).mkdir(parents=True)
    assert here(tmp_path, env, with_torch=False).platform == name


def test_without_a_gpu_a_model_would_run_on_the_processor(tmp_path):
    found = here(tmp_path)
    assert (found.device, found.gpus, found.gpu, found.dtype) == ("cpu", 0, None, "float32")
    assert found.reason == "float32: this is a CPU"
    assert profiles.for_machine(found).name == "cpu"


@pytest.mark.parametrize(
    ("name", "capability", "memory", "dtype", "profile"),
    [
        ("Tesla T4", (7, 5), [15.8e9], "float16", "t4"),
        ("Tesla T4", (7, 5), [15.8e9, 15.8e9], "float16", "t4"),  # Kaggle lends two
        ("NVIDIA GeForce RTX 3060 Laptop GPU", (8, 6), [6.2e9], "bfloat16", "t4"),
        ("NVIDIA L4", (8, 9), [23.8e9], "bfloat16", "l4"),
        ("Tesla V100-SXM2-32GB", (7, 0), [34e9], "float16", "l4"),
        ("NVIDIA A100-SXM4-40GB", (8, 0), [42.4e9], "bfloat16", "a100"),
        ("NVIDIA A100-SXM4-80GB", (8, 0), [85e9], "bfloat16", "a100"),
        ("NVIDIA H100 80GB HBM3", (9, 0), [85e9] * 8, "bfloat16", "cluster"),
        ("a card of two gigabytes", (7, 5), [2e9], "float16", "cpu"),
    ],
)
def test_a_gpu_is_seen_and_gets_its_profile(tmp_path, gpus, name, capability, memory, dtype, profile):
    gpus(name, capability, *memory)
    found = here(tmp_path, COLAB)
    assert (found.gpu, found.gpus, found.gpu_memory) == (name, len(memory), min(memory))
    assert (found.capability, found.dtype) == (capability, dtype)
    assert name in found.reason
    chosen = profiles.for_machine(found)
    assert chosen.name == profile
    if chosen.hardware:
        assert (chosen.hardware.memory, chosen.hardware.dtype) == (min(memory), dtype)
        assert chosen.hardware.gpus == (len(memory) if profile == "cluster" else 1)


def test_unequal_gpus_count_as_their_smallest(tmp_path, gpus):
    gpus("NVIDIA A100", (8, 0), 85e9, 42e9)
    assert here(tmp_path).gpu_memory == 42e9


def test_an_apple_gpu_gets_no_more_than_the_smallest_profile(tmp_path, apple):
    found = here(tmp_path)
    assert found.is_apple
    assert (found.gpu, found.gpus, found.gpu_memory, found.dtype) == ("Apple GPU", 1, 51e9, "bfloat16")
    chosen = profiles.for_machine(found)
    assert (chosen.name, chosen.hardware.memory) == ("t4", profiles.profile("t4").hardware.memory)


def test_a_mac_that_does_not_say_its_memory_computes_on_the_processor(tmp_path, apple, monkeypatch):
    monkeypatch.delattr(torch.mps, "recommended_max_memory")
    assert profiles.for_machine(here(tmp_path)).name == "cpu"


def test_without_torch_the_rest_is_known(tmp_path, no_torch):
    found = here(tmp_path, COLAB)
    assert (found.device, found.gpus, found.dtype) == (None, None, None)
    assert "torch is not installed" in found.reason
    assert found.cores >= 1
    assert profiles.for_machine(found).name == "cpu"


def test_a_broken_torch_is_named_and_not_raised(tmp_path, monkeypatch):
    def broken():
        raise RuntimeError("CUDA driver initialization failed")

    monkeypatch.setattr(torch.cuda, "is_available", broken)
    found = here(tmp_path)
    assert found.device is None
    assert "CUDA driver initialization failed" in found.reason


def test_what_cannot_be_known_is_none(tmp_path, monkeypatch, no_torch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    monkeypatch.setattr(os, "sysconf", lambda name: (_ for _ in ()).throw(ValueError(name)), raising=False)
    monkeypatch.setattr(
        machine_find.shutil, "disk_usage", lambda path: (_ for _ in ()).throw(OSError("gone"))
    )
    found = here(tmp_path)
    assert (found.cores, found.memory, found.disk) == (None, None, None)
    told = "\n".join(lines("02_traces", found, profiles.profile("cpu")))
    assert "an unknown number of processors, unknown size of memory" in told


def test_a_containers_limits_count(tmp_path):
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("2147483648\n")
    (group / "cpu.max").write_text("50000 100000\n")
    found = here(tmp_path, BINDER, with_torch=False)
    assert (found.memory, found.cores) == (2147483648, 1)
    (group / "memory.max").write_text("max\n")
    (group / "cpu.max").write_text("max 100000\n")
    free = here(tmp_path, with_torch=False)
    assert free.memory > 2147483648
    assert free.cores == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else True


def test_the_first_version_of_control_groups_counts_too(tmp_path):
    for name, value in {
        "cpu/cpu.cfs_quota_us": 100_000,
        "cpu/cpu.cfs_period_us": 100_000,
        "memory/memory.limit_in_bytes": 5e8,
    }.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(int(value)))
    found = here(tmp_path, with_torch=False)
    assert (found.cores, found.memory) == (1, 5e8)


def test_looking_is_light_and_imports_torch_only_when_asked():
    code = (
        "import sys\nfrom handan import profiles\nassert 'pandas' not in sys.modules\n"
        "from handan import machine\nfound = machine.look(with_torch=False)\nassert found.gpus is None\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def fake_program(folder, text):
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for nvidia-smi is a shell script")
@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("echo 'GPU 0: Tesla T4 (UUID: GPU-1)'", True),
        ("echo 'NVIDIA-SMI has failed because it could not communicate'; exit 9", False),
        (None, False),
    ],
)
def test_the_driver_says_whether_torch_is_worth_asking(tmp_path, monkeypatch, text, seen):
    if text:
        fake_program(tmp_path, text)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine_find.has_driver() is seen


def test_auto_is_the_profile_of_this_machine_under_its_own_name(monkeypatch, gpus):
    gpus("Tesla T4", (7, 5), 15.8e9)
    monkeypatch.setattr(machine_find, "has_driver", lambda: True)
    assert profiles.profile("auto").name == "t4"
    monkeypatch.setattr(machine_find, "has_driver", lambda: False)
    assert profiles.profile("auto") == profiles.profile("cpu")


# Which models fit


@pytest.mark.parametrize("name", ["t4", "l4", "a100", "cluster"])
def test_a_profile_asks_a_student_with_its_base_and_sibling_and_all_fit(name):
    hardware = profiles.profile(name).hardware
    table = fitting(hardware).set_index("model")
    asked = list(profiles.profile(name).models)
    assert table.loc[asked, "fits"].all()
    assert not table.loc[asked, "asks_first"].any()
    roles = table.loc[asked, "role"].tolist()
    assert roles[-3:] == ["student", "baseline", "baseline"]
    assert set(roles[:-3]) <= {"teacher"}


@settings(max_examples=30)
@given(
    st.sampled_from(["t4", "l4", "a100", "cluster"]),
    st.floats(2e9, 200e9),
    st.integers(0, 4).map(lambda power: 2**power),
    st.integers(100, 20_000),
)
def test_what_is_chosen_lies_within_the_memory(card, memory, count, longest):
    hardware = profiles.Hardware(card, count, memory, "bfloat16")
    known = shapes("bfloat16")
    for model in family(hardware, longest):
        assert known[model].memory(1, longest + PROMPT) <= count * memory
    table = fitting(hardware, longest)
    assert (table["memory"] <= table["gpus"] * memory).all()


@settings(max_examples=30)
@given(st.floats(2e9, 100e9), st.floats(0, 50e9))
def test_more_memory_never_holds_less(memory, more):
    small, large = (profiles.Hardware("a100", 1, size, "bfloat16") for size in (memory, memory + more))
    assert set(fitting(small).query("fits")["model"]) <= set(fitting(large).query("fits")["model"])


def test_known_sizes_are_judged_as_their_weights_demand():
    fits = {
        name: fitting(profiles.profile(name).hardware).set_index("model")["fits"]
        for name in ("t4", "l4", "a100", "cluster")
    }
    student = "DeepSeek-R1-Distill-Qwen-{}B".format
    # Two bytes a weight: 15 GB do not fit into 90 % of 16, 30 GB not into 24, 66 GB not into 40.
    assert [
        bool(fits[name][student(size)])
        for name, size in (("t4", "1.5"), ("t4", 7), ("l4", 7), ("l4", 14), ("a100", 14), ("a100", 32))
    ] == [True, False, True, False, True, False]
    assert not any(fits[name]["DeepSeek-R1"] for name in ("t4", "l4", "a100"))
    assert fits["cluster"]["DeepSeek-R1"]


def test_another_teacher_is_taken_where_the_own_one_is_too_large():
    names = family(profiles.Hardware("a100", 1, 85e9, "bfloat16"))
    assert names[0] == "QwQ-32B"
    assert "DeepSeek-R1" in teacher_elsewhere(names, profiles.Hardware("a100", 1, 85e9, "bfloat16"))


@pytest.mark.parametrize("name", ["cpu", "quick", "default"])
def test_without_a_gpu_the_packaged_family_is_asked(name):
    teacher, student, base = profiles.profile(name).models
    assert (teacher, student, base) == tiny_family()
    table = estimate([teacher, student, base], None, 100)
    assert table["role"].tolist() == ["teacher", "student", "baseline"]
    assert table["disk"].tolist() == [0, 0, 0]
    assert (table["memory"] < 1e9).all()
    assert table["seconds"].isna().all()


def test_the_plan_of_the_profiles_is_theirs():
    names = ["cpu", "t4", "cluster"]
    table = planned(names).set_index("profile")
    for name in names:
        one = profiles.profile(name)
        assert table.at[name, "models"] == ", ".join(one.models)
        if one.hardware:
            assert table.at[name, "largest"] <= one.hardware.gpus * table.at[name, "each"]
    assert table.loc["cpu", ["each", "largest"]].isna().all()


def test_one_gpu_takes_transformers_and_several_take_ray_with_vllm():
    assert (
        options("QwQ-32B", None).kind
        is options("QwQ-32B", profiles.profile("a100").hardware).kind
        is Kind.TRANSFORMERS
    )
    many = options("DeepSeek-R1", profiles.profile("cluster").hardware)
    assert (many.kind, many.inner) == (Kind.RAY, Kind.VLLM)
    assert many.gpus * many.actors == profiles.profile("cluster").hardware.gpus
    # The group that one copy takes holds it.
    real = machine_of(profiles.profile("cluster").hardware)
    assert shapes()["DeepSeek-R1"].memory(1, MAX_NEW_TOKENS + PROMPT) <= many.gpus * real.memory
    assert options("somebody/else", profiles.profile("cluster").hardware).gpus == 1


# What it takes


def test_time_is_tokens_over_the_rate_of_the_card():
    hardware = profiles.profile("t4").hardware
    name = "DeepSeek-R1-Distill-Qwen-1.5B"
    one = estimate([name], hardware, 1).iloc[0]
    many = estimate([name], hardware, 250).iloc[0]
    assert one["rate"] == cards()["t4"].rate(shapes("float16")[name], MAX_NEW_TOKENS + PROMPT, 0.5)
    assert many["seconds"] == pytest.approx(250 * one["tokens"] / one["rate"])
    assert one["disk"] == 2 * 1.78e9
    assert "estimate" in basis(hardware)
    assert cards()["t4"].title in basis(hardware)


def test_answers_are_expected_to_stay_within_the_limit():
    table = estimate(
        ["DeepSeek-R1-Distill-Qwen-1.5B", "Qwen2.5-Math-1.5B"], profiles.profile("t4").hardware, 10, 300
    )
    assert (table["tokens"] <= 300).all()


def test_of_a_model_nobody_knows_nothing_is_claimed():
    row = estimate(["somebody/else"], profiles.profile("t4").hardware, 10, 1000).iloc[0]
    assert row[["disk", "memory", "rate", "seconds", "fits"]].isna().all()
    assert row["tokens"] == 1000


def test_a_model_that_does_not_fit_says_so_and_has_no_time():
    row = estimate(["DeepSeek-R1"], profiles.profile("t4").hardware, 10).iloc[0]
    assert not row["fits"]
    assert row[["rate", "seconds"]].isna().all()


def test_a_missing_teacher_is_had_elsewhere():
    t4 = profiles.profile("t4")
    said = teacher_elsewhere(t4.models, t4.hardware)
    assert "the engine openai of handan traces" in said
    assert "pnas-r1" in said
    assert teacher_elsewhere(profiles.profile("cluster").models, profiles.profile("cluster").hardware) == ""
    assert teacher_elsewhere(tiny_family(), None) == ""


def test_the_cards_of_colab_name_sources_and_leave_the_plan_of_the_experiment_alone():
    planned, extra = machines(), set(cards()) - set(machines())
    assert extra == {"l4"}
    assert planned["a100"].memory == 2 * cards()["a100"].memory
    for name in ("l4", "a100"):
        assert "nvidia.com" in cards()[name].source
        assert cards()[name].price_note


# What is asked on a machine


T4 = {"gpu": "Tesla T4", "gpus": 1, "gpu_memory": 15.8e9, "dtype": "float16"}


def a_machine(**more):
    return machine.Machine("local", Path(), **{"memory": 16e9, "gpus": 0, "dtype": "float32"} | more)


@pytest.fixture
def disk(monkeypatch, tmp_path):
    """Pretend that so many bytes are free where models are downloaded to, a folder that is returned."""

    def pretend(free):
        monkeypatch.setattr(machine_find, "free_disk", lambda folder: free)
        monkeypatch.setattr(machine_fit, "downloads", lambda: tmp_path)
        return tmp_path

    return pretend


def choose(names, found, size="default"):
    return machine_fit.choose(names, machine_fit.present(profiles.profile(size), found, {}), found, 10)


def test_without_a_gpu_a_model_must_fit_into_the_machines_memory(disk):
    disk(1e12)
    choice = choose(["QwQ-32B", "DeepSeek-R1-Distill-Qwen-1.5B"], a_machine())
    assert choice.asked == ("DeepSeek-R1-Distill-Qwen-1.5B",)
    needed = shapes("float32")["QwQ-32B"].memory(1, MAX_NEW_TOKENS + PROMPT)
    assert choice.refused == {
        "QwQ-32B": f"it needs {needed / 1e9:.1f} GB of memory without a GPU, and this machine has 16.0 GB"
    }
    assert not choice.stands_in
    assert choose(["QwQ-32B"], a_machine(memory=1e12)).asked == ("QwQ-32B",)
    assert choose(["QwQ-32B"], a_machine(memory=None)).asked == ("QwQ-32B",)


def test_a_named_profile_is_held_against_the_gpu_that_is_here(disk):
    disk(1e12)
    for size in ("a100", "cluster", "default"):
        choice = choose(["DeepSeek-R1-Distill-Qwen-14B"], a_machine(**T4), size)
        assert "of GPU memory, and here is 1 × 16 GB" in choice.refused["DeepSeek-R1-Distill-Qwen-14B"]
    large = a_machine(**T4 | {"gpu_memory": 42e9})
    assert choose(["DeepSeek-R1-Distill-Qwen-14B"], large, "t4").asked == ("DeepSeek-R1-Distill-Qwen-14B",)


def test_a_hub_id_is_no_way_around_the_size(disk):
    disk(1e12)
    assert list(choose(["Qwen/QwQ-32B", "QwQ-32B"], a_machine(**T4)).refused) == ["QwQ-32B"]


def test_where_nothing_fits_the_tiny_family_stands_in(disk):
    disk(1e12)
    choice = choose(["QwQ-32B"], a_machine(**T4))
    assert choice.stands_in
    assert choice.asked == tiny_family()
    assert choice.needs["model"].tolist() == ["QwQ-32B", *tiny_family()]
    assert choice.download == 0


def test_a_model_of_unknown_size_is_asked_and_said_to_be_unknown(disk):
    disk(1e9)
    choice = choose(["somebody/else"], a_machine())
    assert (choice.asked, choice.unknown, dict(choice.refused)) == (("somebody/else",),) * 2 + ({},)


def test_downloads_must_fit_onto_the_disk_one_after_the_other(disk):
    names = ["DeepSeek-R1-Distill-Qwen-1.5B", "Qwen2.5-Math-1.5B", "base-carry-s0"]
    first, second = (shapes()[name].weights for name in names[:2])
    folder = disk(first + second / 2)
    choice = choose(names, a_machine(**T4))
    assert choice.asked == (names[0], names[2])
    assert choice.refused[names[1]].startswith(f"it downloads {second / 1e9:.1f} GB; ")
    assert f"{first / 1e9:.1f} GB of them are for the models before it" in choice.refused[names[1]]
    assert choice.download == first
    # What lies there already needs no room.
    hub = load_lineage().set_index("model").at[names[1], "hf_id"]
    blobs = folder / f"models--{hub.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    with (blobs / "weights").open("wb") as file:
        file.truncate(int(second))
    choice = choose(names, a_machine(**T4))
    assert choice.asked == tuple(names)
    assert choice.download == first
    disk(None)
    assert choose(names, a_machine(**T4)).asked == tuple(names)


@settings(max_examples=30, deadline=None)
@given(st.floats(1e9, 200e9), st.floats(1e9, 200e9), st.floats(0, 400e9), st.booleans())
def test_what_is_asked_always_fits(memory, card, free, has_gpu):
    found = a_machine(memory=memory, **(T4 | {"gpu_memory": card} if has_gpu else {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine_find, "free_disk", lambda folder: free)
        choice = choose([name for name in shapes() if name != "DeepSeek-R1"], found)
    needs = choice.needs.set_index("model")
    assert set(choice.asked) | set(choice.refused) == set(needs.index)
    assert choice.download <= free
    room = card if has_gpu else memory
    assert choice.stands_in or (needs.loc[list(choice.asked), "memory"] <= room).all()


def test_the_models_are_those_of_the_machine_where_the_profile_plans_for_another():
    found = a_machine(**T4)
    for size in ("t4", "quick"):
        assert machine_fit.wanted(profiles.profile(size), found, {}) == profiles.profile(size).models
        assert machine_fit.absent(profiles.profile(size), found, {}) == ""
    assert machine_fit.wanted(profiles.profile("a100"), found, {}) == family(profiles.hardware(found))
    assert "1 × 40 GB. Here is 1 × 16 GB (Tesla T4)" in machine_fit.absent(
        profiles.profile("a100"), found, {}
    )
    assert machine_fit.wanted(profiles.profile("t4"), a_machine(), {}) == tiny_family()


def test_the_gpus_of_a_ray_cluster_are_elsewhere_and_believed():
    cluster = profiles.profile("cluster")
    there = {"RAY_ADDRESS": "10.0.0.1:6379"}
    assert machine_fit.present(cluster, a_machine(), there) == cluster.hardware
    assert machine_fit.absent(cluster, a_machine(), there) == ""
    assert machine_fit.present(profiles.profile("t4"), a_machine(), there) is None
    assert machine_fit.present(cluster, a_machine(), {}) is None


def test_downloads_go_where_the_hub_library_puts_them(tmp_path):
    code = "from handan import machine_fit\nprint(machine_fit.downloads())"
    env = {**os.environ, "HF_HUB_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path)


# Where traces go


def test_your_own_folder_is_taken_and_made(tmp_path, capsys):
    path = machine.keep(tmp_path / "mine" / "deep", root=tmp_path)
    assert path.is_dir()
    assert str(path) in capsys.readouterr().out


def test_a_mounted_drive_is_used_on_colab(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "x")
    (tmp_path / "content/drive/MyDrive").mkdir(parents=True)
    path = machine.keep(root=tmp_path)
    assert path.is_relative_to(tmp_path / "content/drive/MyDrive")
    assert "outlives this session" in capsys.readouterr().out


def test_drive_is_mounted_only_when_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "x")
    asked = []

    def mount(place):
        asked.append(place)
        (Path(place) / "MyDrive").mkdir(parents=True)

    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace(mount=mount)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    local = machine.keep(root=tmp_path)
    assert not asked
    assert "lost when the session ends" in capsys.readouterr().out
    kept = machine.keep(mount=True, root=tmp_path)
    assert asked == [str(tmp_path / "content/drive")]
    assert local != kept
    assert kept.is_relative_to(tmp_path / "content/drive/MyDrive")


def test_a_folder_on_a_drive_that_is_not_mounted_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "x")
    drive = tmp_path / "content/drive"
    for folder in (drive / "MyDrive/mine", drive):
        with pytest.raises(OSError, match=r"not mounted.* Mount it first: machine\.keep\(mount=True\)"):
            machine.keep(folder, root=tmp_path)
    assert not drive.exists()
    (drive / "MyDrive").mkdir(parents=True)
    assert machine.keep(drive / "MyDrive/mine", root=tmp_path).is_dir()


def test_drive_is_mounted_for_a_folder_on_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "x")
    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace(mount=lambda place: (Path(place) / "MyDrive").mkdir(parents=True))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    mine = tmp_path / "content/drive/MyDrive/mine"
    assert machine.keep(mine, mount=True, root=tmp_path) == mine
    assert "It stays." in capsys.readouterr().out


def test_a_refused_permission_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "x")
    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace(mount=lambda place: (_ for _ in ()).throw(ValueError("mount failed")))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    with pytest.raises(OSError, match=r"could not be mounted .*mount failed.*go on without"):
        machine.keep(mount=True, root=tmp_path)


def test_drive_elsewhere_than_on_colab_is_refused(tmp_path, monkeypatch):
    for mark in (*COLAB, *KAGGLE, "COLAB_GPU", "COLAB_BACKEND_VERSION"):
        monkeypatch.delenv(mark, raising=False)
    with pytest.raises(OSError, match="on Colab only, and this is local"):
        machine.keep(mount=True, root=tmp_path)


@pytest.mark.parametrize(
    ("where", "folder", "lost"),
    [
        ("colab", None, True),
        ("kaggle", None, True),
        ("binder", None, True),
        ("local", None, False),
        ("local", "/data/traces", False),
        ("colab", "/content/traces", True),
        ("kaggle", "/tmp/traces", True),
    ],
)
def test_it_is_said_whether_traces_are_lost(tmp_path, where, folder, lost):
    path, said = place(folder, where, tmp_path)
    assert ("lost when the session ends" in said) is lost
    assert path.is_absolute()


# What a notebook says first


def test_the_welcome_of_a_t4_names_all_that_must_be_known_before(tmp_path, gpus):
    gpus("Tesla T4", (7, 5), 15.8e9)
    found = here(tmp_path, COLAB)
    told = "\n".join(lines("your_models", found, profiles.for_machine(found)))
    for part in ("Google Colab", "Tesla T4, 15.8 GB, compute capability 7.5", "has no bfloat16", "Profile: t4",
                 "DeepSeek-R1-Distill-Qwen-1.5B (student): 3.6 GB to download", "an estimate, not a measurement",
                 "DeepSeek-R1, the teacher, does not fit", "free disk"):  # fmt: skip
        assert part in told
    assert all(len(line) < 300 for line in told.splitlines())


def test_colab_without_a_gpu_says_where_to_get_one(tmp_path):
    told = "\n".join(lines("your_models", here(tmp_path, COLAB), profiles.profile("cpu")))
    assert "Runtime > Change runtime type > T4 GPU" in told
    assert "teacher-carry-s0 (teacher): nothing to download" in told


def test_a_profile_for_gpus_that_are_not_here_is_noticed(tmp_path):
    told = "\n".join(lines("02_traces", here(tmp_path), profiles.profile("l4")))
    assert "The profile l4 plans for GPUs that are not here: 1 × 24 GB. Here is no GPU" in told
    assert "DeepSeek" not in told
    assert "teacher-carry-s0" in told


def test_a_chapter_without_models_says_what_machine_it_is_all_the_same(tmp_path, gpus):
    gpus("Tesla T4", (7, 5), 15.8e9)
    found = here(tmp_path, COLAB)
    told = "\n".join(lines("04_alignment", found, profiles.for_machine(found), models=False))
    for part in (
        "Tesla T4, 15.8 GB, compute capability 7.5",
        "has no bfloat16",
        "Profile: t4",
        "needs no GPU",
    ):
        assert part in told
    assert "download" not in told


def test_a_chapter_without_models_leaves_them_and_torch_alone():
    code = (
        "import sys\nfrom handan import machine\nmachine.welcome('04_alignment', models=False)\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "04_alignment" in done.stdout
    assert "this notebook needs no GPU" in done.stdout


def test_the_welcome_ends_with_the_place_of_the_traces(tmp_path, capsys):
    machine.welcome("your_models", name="cpu", folder=tmp_path / "mine")
    told = capsys.readouterr().out
    assert "Profile: cpu" in told
    assert f"Traces would be kept in {tmp_path / 'mine'}" in told.splitlines()[-1]
    assert not (tmp_path / "mine").exists()
