"""What `isograd info` tells."""

import os

import array_api_compat
import numpy as np

import isograd as ig
from isograd.backend.info import collect_info, print_info
from isograd.backend.settings import settings_override


def test_info_has_the_versions_in_use():
    info = collect_info()
    assert info["isograd"] == ig.__version__
    assert info["numpy"] == np.__version__
    assert info["array-api-compat"] == array_api_compat.__version__


def test_info_has_the_processors_and_the_blas():
    info = collect_info()
    assert info["processors"].startswith(str(os.cpu_count()))
    assert info["blas"]
    assert info["blas threads"]


def test_info_has_the_devices_and_the_current_one():
    with ig.using("strict:device1"):
        info = collect_info()
    assert info["current device"] == "strict:device1"
    assert info["devices"] == ig.devices()


def test_info_has_the_variables_in_force(monkeypatch):
    monkeypatch.setenv("ISOGRAD_SEED", "3")
    assert collect_info()["settings"]["ISOGRAD_SEED"] == "3"


def test_a_device_that_is_configured_wrongly_is_told_and_not_raised(monkeypatch):
    monkeypatch.setattr("isograd.backend.device._chosen_by_main_thread", None)
    with settings_override(device="quantum"):
        assert "no device is called 'quantum'" in collect_info()["current device"]


def test_info_prints_a_line_for_each_and_the_tables(capsys, monkeypatch):
    monkeypatch.setenv("ISOGRAD_SEED", "3")
    print_info()
    printed = capsys.readouterr().out
    assert f"numpy             {np.__version__}\n" in printed
    assert "\ndevices\ndevice " in printed
    assert "\nISOGRAD_SEED=3\n" in printed
