"""devices(): what this machine has, and what it lacks and why."""

import pytest

import isograd as ig
from isograd.backend.device_table import DeviceRecord, DeviceTable
from isograd.backend.libraries import CUPY, libraries


def test_every_library_has_a_record_and_the_cpu_is_first():
    table = ig.devices()
    assert {record.library for record in table} == {library.name for library in libraries()}
    assert (table[0].name, table[0].available) == ("cpu", True)


def test_every_device_that_answers_can_be_used():
    for record in ig.devices():
        if record.available:
            with ig.using(record.name) as device:
                assert device == record.name


def test_a_library_that_is_missing_has_a_reason_and_a_remedy(monkeypatch):
    monkeypatch.setattr(CUPY, "is_installed", lambda: False)
    record = next(record for record in ig.devices() if record.library == "cupy")
    assert (record.name, record.available, record.version) == ("cuda", False, "")
    assert record.reason == "CuPy is not installed"
    assert 'pip install "isograd[cuda1' in record.remedy


def test_the_table_prints_one_line_a_record_with_aligned_columns():
    table = DeviceTable(
        [
            DeviceRecord("cpu", "numpy", "2.4.6", True),
            DeviceRecord("cuda:0", "cupy", "14.2", True, "H200", 2**30, 2 * 2**30),
            DeviceRecord("torch", "torch", "", False, reason="gone", remedy="pip install torch"),
        ]
    )
    assert str(table) == repr(table)
    assert str(table).splitlines() == [
        "device  library      answers  details",
        "cpu     numpy 2.4.6  yes",
        "cuda:0  cupy 14.2    yes      H200, 1.0 of 2.0 GiB free",
        "torch   torch        no       gone; pip install torch",
    ]


def test_a_record_cannot_be_changed():
    with pytest.raises(AttributeError):
        ig.devices()[0].name = "cuda"
