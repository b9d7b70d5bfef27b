from dataclasses import astuple, replace
from pathlib import Path

import pytest

from handan import machine, profiles

HARDWARE = ("cpu", "t4", "l4", "a100", "cluster")


@pytest.mark.parametrize("name", HARDWARE)
def test_a_profile_of_a_machine_computes_as_much_as_the_default(name):
    default = profiles.profile("default")
    assert replace(profiles.profile(name), name="default", hardware=None) == default


def test_the_quick_profile_computes_less():
    quick, default = (astuple(profiles.profile(name))[1:4] for name in ("quick", "default"))
    assert all(less < more for less, more in zip(quick, default, strict=True))
    assert profiles.profile("quick").n_items < 100


def test_profiles_go_from_small_to_large():
    memory = [profiles.profile(name).hardware for name in HARDWARE[1:]]
    assert [one.gpus * one.memory for one in memory] == sorted(one.gpus * one.memory for one in memory)
    assert profiles.profile("cpu").hardware is None


def test_no_more_gpus_are_taken_than_are_asked_for():
    found = machine.Machine("local", Path(), gpus=8, gpu_memory=85e9, dtype="bfloat16")
    assert profiles.hardware(found) == profiles.Hardware("cluster", 8, 85e9, "bfloat16")
    assert profiles.hardware(found, most=1) == profiles.Hardware("a100", 1, 85e9, "bfloat16")
    assert profiles.hardware(found, most=32).gpus == 8
    assert profiles.hardware(replace(found, gpus=0)) is None


def test_an_unknown_profile_is_named_with_those_there_are():
    with pytest.raises(LookupError, match=r"no profile 'a10'.* Did you mean 'a100'"):
        profiles.profile("a10")
    with pytest.raises(LookupError) as caught:
        profiles.profile("gigantic")
    assert all(name in str(caught.value) for name in (*HARDWARE, "quick", "default", "auto"))


def test_auto_never_returns_itself():
    assert profiles.profile("auto").name in HARDWARE
