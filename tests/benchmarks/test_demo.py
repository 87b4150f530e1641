"""The demo learns, repeats itself bit for bit, draws what happened, and finds its way to a GPU."""

import subprocess
import sys

import numpy as np
import pytest

from isograd.__main__ import main
from isograd.backend import settings_override
from isograd.benchmarks import bring_cupy, demo, digits, pictures
from isograd.benchmarks.digits import Epoch, Outcome, Part, Reading, Split
from isograd.benchmarks.progress import progress


@pytest.fixture
def no_driver(monkeypatch):
    """A machine without an NVIDIA driver, whatever this one has."""
    monkeypatch.setattr(bring_cupy, "cuda_extra", lambda: "")


@pytest.fixture
def driver_without_cupy(monkeypatch):
    """A machine with an NVIDIA driver for CUDA 13 and no CuPy; the commands that it was given."""
    commands = []
    monkeypatch.setattr(bring_cupy, "cuda_extra", lambda: "cuda13")
    monkeypatch.setattr(bring_cupy.CUPY, "is_installed", lambda: False)
    monkeypatch.setattr(bring_cupy, "is_clone", lambda root: True)
    monkeypatch.setattr(bring_cupy, "_succeeds", lambda command: not commands.append(command))
    monkeypatch.setattr(bring_cupy, "_become", lambda command: sys.exit(commands.append(command)))
    monkeypatch.setenv("UV", "/bin/uv")
    return commands


@pytest.fixture
def no_work(monkeypatch):
    """A demo that neither trains nor draws: only what it says is of interest."""
    monkeypatch.setattr(digits, "train", lambda split, n_epochs, seed, **_: outcome(n_epochs))
    monkeypatch.setattr(demo, "why_no_picture", lambda: "none")


def first_images(n):
    """A Split with so many images in each part: enough to see that a device works."""
    return Split(*(Part(part.images[:n, :], part.labels[:n]) for part in digits.split_digits()))


def reading(labels, answers, sureness):
    """A Reading of blank images, each answer given with its probability."""
    probabilities = np.zeros((len(labels), 3))
    probabilities[np.arange(len(labels)), answers] = sureness
    return Reading(np.zeros((len(labels), 64)), np.asarray(labels), probabilities)


def outcome(n_epochs):
    """An Outcome that no training has led to."""
    epochs = tuple(Epoch(1.0 / n, 1.2 / n, 1.0 - 0.1 / n) for n in range(1, n_epochs + 1))
    return Outcome(epochs, reading([0, 1, 2], [0, 1, 1], [0.9, 0.6, 0.5]), 1e-3)


# -- learning -----------------------------------------------------------------------------------


def test_the_default_training_reads_97_percent_of_the_test_digits():
    assert digits.train(digits.split_digits(), digits.EPOCHS, seed=0).test.accuracy >= 0.97


def test_the_same_seed_gives_the_same_result_bit_for_bit():
    split = digits.split_digits()
    first, second = (digits.train(split, 2, seed=3) for _ in range(2))
    assert first.epochs == second.epochs
    assert first.test.probabilities.tobytes() == second.test.probabilities.tobytes()


def test_another_seed_starts_from_other_weights(monkeypatch):
    monkeypatch.setattr(digits, "DROPOUT", 0.0)
    split = first_images(digits.BATCH_SIZE)  # one batch: its order changes nothing but rounding
    losses = [digits.train(split, 1, seed).epochs[0].training_loss for seed in (0, 1)]
    assert abs(losses[0] - losses[1]) > 1e-3


def test_every_device_learns_what_numpy_learns(device):
    on_device = digits.train(first_images(64), 3, seed=0).epochs[-1]
    with demo.using("cpu"):
        on_cpu = digits.train(first_images(64), 3, seed=0).epochs[-1]
    assert on_device.training_loss == pytest.approx(on_cpu.training_loss, rel=1e-4)
    assert on_device.validation_loss == pytest.approx(on_cpu.validation_loss, rel=1e-4)


def test_no_digit_is_in_two_parts_and_all_are_in_one():
    parts = [{image.tobytes() for image in part.images} for part in digits.split_digits()]
    assert [len(part) for part in parts] == [1222, 216, 359]
    assert len(set.union(*parts)) == 1797


# -- what a person sees -------------------------------------------------------------------------


@pytest.mark.usefixtures("no_driver")
def test_the_demo_run_twice_says_and_draws_the_same(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    said, drawn = [], []
    for _ in range(2):
        path = tmp_path / "picture.png"
        assert main(["demo", "--device", "cpu", "--epochs", "2", "--output", str(path)]) == 0
        said.append([s for s in capsys.readouterr().out.splitlines() if not s.startswith("speed")])
        drawn.append(path.read_bytes())
    assert said[0] == said[1]
    assert drawn[0] == drawn[1]
    topics = [line.split()[0] for line in said[0]]
    assert topics == ["device", "data", "epoch", "epoch", "test", "picture"]
    assert said[0][-1].endswith(str(path))


@pytest.mark.usefixtures("no_driver", "no_work")
def test_auto_says_why_it_uses_no_gpu(capsys, monkeypatch):
    monkeypatch.setattr(demo.CUPY, "is_installed", lambda: False)
    demo.main(device="auto")
    assert "cpu (no GPU: CuPy is not installed; " in capsys.readouterr().out.splitlines()[0]


def test_without_matplotlib_the_demo_succeeds_and_says_how_to_get_the_picture(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(digits, "train", lambda split, n_epochs, seed, **_: outcome(n_epochs))
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    path = tmp_path / "picture.png"
    assert main(["demo", "--device", "cpu", "--epochs", "1", "--output", str(path)]) == 0
    assert 'pip install "isograd[demo]"' in capsys.readouterr().out.splitlines()[-1]
    assert not path.exists()


def test_the_variable_chooses_the_device_and_its_error_names_it(capsys, tmp_path):
    with settings_override(device="gpuu"):
        assert main(["demo", "--output", str(tmp_path / "picture.png")]) == 2
    assert "ISOGRAD_DEVICE: no device is called 'gpuu'" in capsys.readouterr().err


@pytest.mark.usefixtures("no_work")
def test_the_option_wins_over_the_variable(capsys):
    with settings_override(device="gpuu"):
        demo.main(device="cpu")
    assert capsys.readouterr().out.startswith("device   cpu\n")


def test_a_person_who_watches_sees_a_bar_and_the_lines_stay_in_the_output(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress(3) as bar:
        bar.advance()
        bar.say("a line")
    seen = capsys.readouterr()
    assert "a line\n" in seen.out
    assert "1/3" in seen.err


def test_nobody_who_watches_no_bar(capsys):
    with progress(3) as bar:
        bar.advance()
        bar.say("a line")
    assert tuple(capsys.readouterr()) == ("a line\n", "")


# -- the picture --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_epochs", "suffix", "begins"),
    [(1, ".png", b"\x89PNG"), (2, ".svg", b"<?xml"), (30, ".PDF", b"%PDF")],
)
def test_a_picture_without_a_date_is_drawn_for_any_number_of_epochs(
    tmp_path, n_epochs, suffix, begins
):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"picture{suffix}"
    assert pictures.draw_training(path, outcome(n_epochs), seed=0) == path.resolve()
    drawn = path.read_bytes()
    assert drawn.startswith(begins)
    assert b"Date" not in drawn
    assert b"dc:date" not in drawn


def test_the_worst_readings_are_the_surest_wrong_ones():
    read = reading([0, 1, 2, 0], [1, 1, 1, 2], [0.5, 0.9, 0.8, 0.4])
    assert pictures.worst(read) == [2, 0, 3]
    assert read.accuracy == 0.25


def test_the_least_sure_readings_are_right_ones():
    read = reading([0, 1, 2, 0], [0, 1, 1, 0], [0.5, 0.9, 0.1, 0.4])
    assert pictures.least_sure(read) == [3, 0, 1]


def test_a_class_that_was_never_read_right_is_left_out_of_the_surest():
    read = reading([0, 0, 2, 1], [0, 0, 2, 2], [0.5, 0.9, 0.8, 0.4])
    assert pictures.surest_of_each_class(read) == [1, 2]


# -- the way to a GPU ---------------------------------------------------------------------------


def test_uv_run_starts_the_demo_again_with_cupy(driver_without_cupy):
    with pytest.raises(SystemExit):
        demo.main(epochs=7, seed=5, output=demo.Path("x.png"))
    probe, again = driver_without_cupy
    assert again[:2] == ["/bin/uv", "run"]
    assert again[4:7] == ["--extra", "cuda13", "isograd"]
    assert again[7:] == [
        *("demo", "--device", "auto", "--epochs", "7", "--seed", "5", "--output", "x.png"),
        "--started-again",
    ]
    assert probe == [*again[:7], "--version"]


@pytest.mark.usefixtures("no_work")
def test_the_second_process_does_not_start_a_third(driver_without_cupy, tmp_path):
    assert main(["demo", f"--output={tmp_path}/p.png", "--started-again"]) == 0
    assert driver_without_cupy == []


@pytest.mark.parametrize("name", ["cpu", "strict"])
def test_who_asks_for_no_gpu_gets_no_cupy(driver_without_cupy, monkeypatch, name):
    monkeypatch.setattr(demo.digits, "split_digits", lambda: sys.exit())
    with pytest.raises(SystemExit):
        demo.main(device=name)
    assert driver_without_cupy == []


def test_when_uv_cannot_install_the_demo_goes_on(driver_without_cupy, monkeypatch, capsys):
    monkeypatch.setattr(bring_cupy, "_succeeds", lambda command: False)
    bring_cupy.bring_cupy(["demo"])
    assert "going on without" in capsys.readouterr().out
    assert driver_without_cupy == []


@pytest.mark.parametrize("missing", ["uv", "clone", "driver"])
def test_without_uv_clone_or_driver_nothing_is_started(driver_without_cupy, monkeypatch, missing):
    if missing == "uv":
        monkeypatch.delenv("UV")
    elif missing == "clone":
        monkeypatch.setattr(bring_cupy, "is_clone", lambda root: False)
    else:
        monkeypatch.setattr(bring_cupy, "cuda_extra", lambda: "")
    bring_cupy.bring_cupy(["demo"])
    assert driver_without_cupy == []


@pytest.mark.usefixtures("driver_without_cupy", "no_work")
def test_without_uv_the_first_line_tells_how_to_get_cupy(monkeypatch, capsys):
    monkeypatch.delenv("UV")
    monkeypatch.setattr("isograd.backend.cuda.cuda_extra", lambda: "cuda13")
    demo.main()
    assert 'pip install "isograd[cuda13]"' in capsys.readouterr().out.splitlines()[0]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for uv")
def test_the_process_is_replaced_by_what_uv_runs(tmp_path):
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "uv was given: $*"\n')
    uv.chmod(0o755)
    code = (
        "from isograd.benchmarks import bring_cupy; "
        f"bring_cupy._succeeds(['{uv}', '--version']); "
        f"bring_cupy._become(['{uv}', 'run', 'demo']); "
        "print('still here')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "uv was given: run demo\n"
