"""matmul_precision: which word is in force where."""

import threading

import pytest

from isograd.backend.errors import HyperparameterError
from isograd.kernels.precision import current_matmul_precision, matmul_precision


@pytest.fixture(autouse=True)
def _highest():
    """A choice made as a statement would outlive its test."""
    yield
    matmul_precision("highest")


def in_a_thread(function):
    """What a function returns in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_products_are_as_accurate_as_float32_by_default():
    assert current_matmul_precision() == "highest"


def test_a_choice_made_as_a_statement_stays():
    matmul_precision("medium")
    assert current_matmul_precision() == "medium"


def test_a_choice_made_for_a_block_ends_with_it_and_with_an_error_in_it():
    with matmul_precision("high") as word:
        assert word == current_matmul_precision() == "high"
    assert current_matmul_precision() == "highest"
    with pytest.raises(ZeroDivisionError), matmul_precision("high"):
        _ = 1 / 0
    assert current_matmul_precision() == "highest"


def test_blocks_may_be_nested():
    with matmul_precision("high"):
        with matmul_precision("medium"):
            assert current_matmul_precision() == "medium"
        assert current_matmul_precision() == "high"


def test_a_statement_within_a_block_ends_with_the_block():
    with matmul_precision("high"):
        matmul_precision("medium")
        assert current_matmul_precision() == "medium"
    assert current_matmul_precision() == "highest"
    assert in_a_thread(current_matmul_precision) == "highest"


def test_the_choice_of_the_main_thread_holds_for_threads_that_make_none():
    matmul_precision("high")
    assert in_a_thread(current_matmul_precision) == "high"


def test_a_block_holds_for_its_own_thread_alone():
    with matmul_precision("medium"):
        assert in_a_thread(current_matmul_precision) == "highest"


def test_the_choice_of_another_thread_stays_there():
    in_a_thread(lambda: matmul_precision("medium"))
    assert current_matmul_precision() == "highest"


@pytest.mark.parametrize(
    ("word", "meant"), [("hihgest", "highest"), ("tf32", "high"), ("BF16", "medium")]
)
def test_an_unknown_word_is_refused_with_the_one_that_was_meant(word, meant):
    with pytest.raises(HyperparameterError, match=f"got '{word}'; did you mean '{meant}'"):
        matmul_precision(word)
    assert current_matmul_precision() == "highest"


def test_a_block_cannot_be_entered_twice():
    chosen = matmul_precision("high")
    with chosen:
        pass
    with pytest.raises(HyperparameterError, match="call matmul_precision again"), chosen:
        pass
