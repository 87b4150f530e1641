"""ISOGRAD_* variables: what they mean, and that nonsense in them is named."""

import os
import threading

import pytest

from isograd.backend.errors import ConfigurationError
from isograd.backend.settings import (
    Settings,
    environment_in_force,
    read_settings,
    settings,
    settings_override,
)


def test_an_empty_environment_gives_the_defaults():
    assert read_settings({}) == Settings(None, 0, False, False, True, True)


def test_every_variable_reaches_its_own_field():
    environment = {
        "ISOGRAD_DEVICE": " strict ",
        "ISOGRAD_SEED": "18446744073709551615",
        "ISOGRAD_DEBUG": "1",
        "ISOGRAD_DISABLE_KERNELS": "1",
        "ISOGRAD_COMPILED": "0",
        "ISOGRAD_KEEP_MEMORY": "1",
    }
    expected = Settings("strict", 2**64 - 1, True, True, compiled=False, keep_memory=True)
    assert read_settings(environment) == expected
    environment |= {"ISOGRAD_COMPILED": "1", "ISOGRAD_KEEP_MEMORY": "0"}
    expected = Settings("strict", 2**64 - 1, True, True, compiled=True, keep_memory=False)
    assert read_settings(environment) == expected


def test_an_empty_variable_counts_as_unset():
    assert read_settings({"ISOGRAD_SEED": "", "ISOGRAD_DEVICE": ""}) == Settings()


def test_variables_of_others_and_of_the_tests_are_left_alone():
    environment = {"OMP_NUM_THREADS": "abc", "ISOGRAD_DATA": "x", "ISOGRAD_REQUIRE_GPU": "1"}
    assert read_settings(environment) == Settings()


@pytest.mark.parametrize("value", ["-1", "1.0", "0x10", "18446744073709551616", "one", " 1", "٣"])
def test_a_seed_that_is_no_64_bit_integer_is_refused(value):
    with pytest.raises(ConfigurationError, match="ISOGRAD_SEED: must be an integer from 0"):
        read_settings({"ISOGRAD_SEED": value})


@pytest.mark.parametrize("variable", ["DEBUG", "DISABLE_KERNELS", "COMPILED", "KEEP_MEMORY"])
@pytest.mark.parametrize("value", ["true", "yes", "2", "-1", " 1", "on"])
def test_a_switch_is_0_or_1_and_nothing_else(variable, value):
    with pytest.raises(ConfigurationError) as caught:
        read_settings({f"ISOGRAD_{variable}": value})
    assert str(caught.value) == f'ISOGRAD_{variable}: must be "0" or "1", got {value!r}'


def test_an_unknown_variable_is_named_with_the_nearest_known_one():
    with pytest.raises(ConfigurationError, match=r"ISOGRAD_DEVISE.*did you mean ISOGRAD_DEVICE"):
        read_settings({"ISOGRAD_DEVISE": "cpu"})


def test_a_configuration_error_is_a_value_error():
    with pytest.raises(ValueError):
        read_settings({"ISOGRAD_DEBUG": "maybe"})


def test_settings_are_read_once(monkeypatch):
    before = settings()
    monkeypatch.setenv("ISOGRAD_SEED", "12345")
    assert settings() is before


def test_an_override_is_seen_by_every_thread_and_ends_with_its_block():
    before = settings()
    seen = []
    with settings_override(debug=True, seed=7) as changed:
        thread = threading.Thread(target=lambda: seen.append(settings()))
        thread.start()
        thread.join()
    assert (seen[0].debug, seen[0].seed) == (True, 7)
    assert changed is seen[0]
    assert settings() is before


def test_an_override_ends_when_its_block_raises():
    before = settings()
    with pytest.raises(KeyError), settings_override(seed=1):
        raise KeyError
    assert settings() is before


def test_an_override_of_an_unknown_field_is_refused():
    expected = pytest.raises(ConfigurationError, match="colour must be among device, seed")
    with expected, settings_override(colour="red"):
        pass


def test_the_variables_in_force_are_those_of_the_process(monkeypatch):
    monkeypatch.setenv("ISOGRAD_SEED", "3")
    expected = {name: text for name, text in os.environ.items() if name.startswith("ISOGRAD_")}
    assert environment_in_force() == expected
