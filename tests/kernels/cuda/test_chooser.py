"""The chooser: measured tables before rules, what a table file must be, candidates that fail."""

import dataclasses
import json

import pytest

from isograd.backend.errors import KernelError
from isograd.kernels.cuda import chooser, gpu, table
from isograd.kernels.cuda.matmul_plan import NoAlgorithmError
from isograd.kernels.cuda.problem import CANDIDATES, Problem
from isograd.kernels.cuda.table import (
    FARTHEST,
    Entry,
    Table,
    TableError,
    file_name,
    find_table,
    read_table,
    write_table,
)

CARD = "NVIDIA H200"
LARGE = Problem(8192, 4096, 4096, arch=90)
EVERYTHING = dict.fromkeys(CANDIDATES)


@pytest.fixture(autouse=True)
def card(monkeypatch, tmp_path):
    """One GPU, an H200, nothing known of it, and no table but the test's own."""
    monkeypatch.setattr(gpu, "architecture", lambda device_id: 90)
    monkeypatch.setattr(gpu, "product_name", lambda device_id: CARD)
    monkeypatch.setattr(table, "user_folder", lambda: tmp_path / "mine")
    monkeypatch.setattr(table, "SHIPPED", tmp_path / "shipped")
    chooser.forget()
    yield tmp_path
    chooser.forget()


def entry(m, n, k, **microseconds):
    changes = {name: microseconds.pop(name) for name in ("dtype", "layout") if name in microseconds}
    fields = {"layout": "nt", "dtype": "float32", "precision": "highest", "activation": "none"}
    return Entry(m, n, k, **{**fields, **changes}, microseconds=microseconds)


def a_table(*entries):
    made = {"machine": "a test", "date": "2026-01-01", "versions": {}, "commit": "none"}
    return Table(CARD, 90, made, entries)


def chosen(problem, names=EVERYTHING, fits=lambda name, problem: True):
    return chooser.choose(problem, names, fits, 0)


# -- rules -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "mma_3xtf32"),
        ({"arch": 75}, "cublaslt"),
        ({"arch": 75, "k": 64}, "simt"),
        ({"arch": 89}, "cublaslt"),
        ({"arch": 120, "k": 64}, "simt"),
        ({"m": 128, "n": 512, "k": 784}, "mma_3xtf32"),
        ({"m": 128, "n": 512, "k": 128}, "simt"),
        ({"m": 128, "n": 10, "k": 64}, "simt"),
        ({"m": 10**6, "n": 10}, "cublaslt"),
        ({"precision": "high"}, "cublaslt"),
        ({"precision": "high", "k": 512}, "mma_tf32"),
        ({"precision": "high", "n": 10}, "mma_tf32"),
        ({"precision": "high", "arch": 75}, "cublaslt"),
        ({"precision": "medium"}, "cublaslt"),
        ({"dtype": "bfloat16"}, "cublaslt"),
        ({"dtype": "float16", "k": 256}, "mma_half"),
        ({"dtype": "float64"}, "cublaslt"),
    ],
)
def test_without_a_table_rules_choose(changes, expected):
    assert chosen(LARGE._replace(**changes)) == expected


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
@pytest.mark.parametrize("arch", [75, 80, 90, 120])
@pytest.mark.parametrize("size", [1, 100, 5000])
def test_rules_never_give_away_accuracy(size, arch, precision, dtype):
    less = {"highest": {"mma_tf32", "mma_half"}, "high": {"mma_half"}, "medium": {"mma_half"}}
    problem = Problem(size, size, size, "nt", dtype, precision, arch=arch)
    forbidden = less[precision] if dtype == "float32" else {"mma_tf32", "mma_3xtf32"}
    assert not forbidden & set(chooser.rules(problem))
    assert {"simt", "cublaslt"} <= set(chooser.rules(problem))


def test_a_candidate_that_does_not_fit_is_passed_over():
    assert chosen(LARGE, fits=lambda name, problem: name == "simt") == "simt"
    chooser.forget()
    assert chosen(LARGE, fits=lambda name, problem: False) is None


# -- tables ----------------------------------------------------------------------------------------


def test_the_fastest_at_the_nearest_measured_size_is_taken(card):
    small, large = entry(64, 64, 64, simt=2.0, cublaslt=3.0), entry(8192, 8192, 8192, cublaslt=1.0)
    write_table(a_table(small, large), card / "mine" / file_name(CARD))
    assert chosen(Problem(100, 60, 64, arch=90)) == "simt"
    assert chosen(LARGE) == "cublaslt"


def test_what_was_measured_far_away_says_nothing():
    measured = a_table(entry(64, 64, 64, simt=2.0))
    octaves = int(FARTHEST)
    assert measured.order(Problem(64 << octaves, 64, 64)) == ("simt",)
    assert measured.order(Problem(64 << octaves, 65, 64)) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "float16"},
        {"layout": "nn"},
        {"precision": "high"},
        {"activation": "relu"},
        {"batch": 2},
        {"aligned": False},
    ],
)
def test_a_measurement_of_something_else_says_nothing(changes):
    measured = a_table(entry(64, 64, 64, simt=2.0))
    assert measured.order(Problem(64, 64, 64)) == ("simt",)
    assert measured.order(Problem(64, 64, 64)._replace(**changes)) == ()


def test_the_users_table_comes_before_the_shipped_one(card):
    write_table(a_table(entry(64, 64, 64, simt=1.0)), card / "shipped" / file_name(CARD))
    assert find_table(90, CARD).entries[0].microseconds == {"simt": 1.0}
    write_table(a_table(entry(64, 64, 64, cublaslt=1.0)), card / "mine" / file_name(CARD))
    assert find_table(90, CARD).entries[0].microseconds == {"cublaslt": 1.0}


def test_a_table_is_read_as_it_was_written(card):
    written = a_table(entry(64, 32, 16, simt=2.0, cublaslt=3.5), entry(8, 8, 8, dtype="float16"))
    write_table(written, card / "one.json")
    assert read_table(card / "one.json", 90, CARD) == written
    assert [path.name for path in card.iterdir()] == ["one.json"]  # nothing half-written remains


def test_a_file_is_named_for_its_card():
    assert file_name("NVIDIA GeForce RTX 4090") == "matmul-nvidia-geforce-rtx-4090.json"
    assert file_name("../..//x") == "matmul-x.json"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"schema": 2}, "schema must be 1, got 2"),
        ({"entries": None}, "is no table of measured times"),
        ({"entries": [{"m": 1}]}, "is no table of measured times"),
        ({"arch": 80}, r"measured on NVIDIA H200 \(sm_80\), this GPU is NVIDIA H200 \(sm_90\)"),
        ({"device": "NVIDIA A100"}, "measured on NVIDIA A100"),
    ],
)
def test_a_table_that_cannot_be_used_is_an_error_with_the_remedy(card, damage, words):
    path = card / "mine" / file_name(CARD)
    write_table(a_table(entry(64, 64, 64, simt=1.0)), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(TableError, match=words) as raised:
        chosen(LARGE)
    assert isinstance(raised.value, KernelError)
    assert "python -m isograd tune" in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"microseconds": {"simd": 1.0}},
        {"microseconds": {"simt": -1.0}},
        {"microseconds": {"simt": "1"}},
        {"m": 0},
        {"m": 1.5},
        {"layout": "xx"},
        {"dtype": "int8"},
    ],
)
def test_an_entry_that_means_nothing_is_an_error(card, changes):
    path = card / "mine" / file_name(CARD)
    wrong = dataclasses.replace(entry(64, 64, 64, simt=1.0), **changes)
    write_table(a_table(wrong), path)
    with pytest.raises(TableError, match="is no table of measured times"):
        read_table(path, 90, CARD)


def test_a_file_that_is_cut_short_is_an_error(card):
    path = card / "cut.json"
    write_table(a_table(entry(64, 64, 64, simt=1.0)), path)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(TableError, match="is no table"):
        read_table(path, 90, CARD)


# -- running ---------------------------------------------------------------------------------------


class Array:
    """Stands for an array on a GPU."""

    device = type("Device", (), {"id": 0})


def test_a_candidate_that_turns_out_not_to_serve_is_not_asked_again():
    ran = []

    def none(problem, *arrays):
        ran.append("cublaslt")
        raise NoAlgorithmError("none")

    candidates = {"cublaslt": none, "simt": lambda problem, *arrays: ran.append("simt")}
    problem = Problem(128, 512, 784, arch=90)
    for _ in range(2):
        assert chooser.run(problem, candidates, lambda name, problem: True, Array())
    assert ran == ["cublaslt", "simt", "simt"]


def test_nothing_is_run_where_no_candidate_serves():
    assert not chooser.run(LARGE, {}, lambda name, problem: True, Array())


def test_a_choice_is_made_once():
    asked = []

    def fits(name, problem):
        asked.append(name)
        return True

    for _ in range(3):
        chosen(LARGE, fits=fits)
    assert len(asked) == len(CANDIDATES)
