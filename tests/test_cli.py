"""The command line answers bad input with a sentence and a status, never with a traceback."""

import signal
import subprocess
import sys

import pytest

from isograd.__main__ import main
from isograd.benchmarks import demo, digits


@pytest.fixture
def training(monkeypatch):
    """The calls that would have started a training."""
    calls = []
    monkeypatch.setattr(demo, "_train", lambda *arguments: calls.append(arguments))
    return calls


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--epochs", "-1"], "argument --epochs: must be an integer of at least 1, got '-1'"),
        (["--seed", "1.5"], "argument --seed: must be an integer of at least 0, got '1.5'"),
        (["--seed", "²"], "argument --seed: must be an integer of at least 0, got '²'"),
        (["--seed", str(2**64)], "must be an integer of at most 2**64 - 1"),
        (["--output", "picture.txt"], "must end in .pdf, .png, .svg, got 'picture.txt'"),
        (["--output", "no/such/folder/picture.png"], "must be a file that can be written"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_bad_words_are_refused_before_anything_is_trained(words, says, training, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["demo", *words])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err
    assert not training


def test_a_folder_is_no_file_to_write_a_picture_to(tmp_path, training, capsys):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--output", str(tmp_path / "folder.png")])
    assert stopped.value.code == 2
    assert "must be a file that can be written" in capsys.readouterr().err


def test_an_unknown_device_is_refused_with_those_that_exist(training, tmp_path, capsys):
    assert main(["demo", "--device", "cdua", "--output", f"{tmp_path}/p.png"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("isograd demo: no device is called 'cdua'; a device is one of auto, ")
    assert not training


def test_checking_the_output_leaves_no_file_and_keeps_the_old_one(tmp_path, capsys):
    old, new = tmp_path / "old.png", tmp_path / "new.png"
    old.write_bytes(b"a picture")
    for path in (old, new):
        assert main(["demo", "--device", "cdua", "--output", str(path)]) == 2
    assert old.read_bytes() == b"a picture"
    assert not new.exists()


def test_ctrl_c_while_training_ends_the_demo_with_130(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(digits, "_evaluate", lambda *_: signal.raise_signal(signal.SIGINT))
    assert main(["demo", "--device", "cpu", "--output", str(tmp_path / "picture.png")]) == 130
    assert capsys.readouterr().err.endswith("isograd demo: stopped\n")


def test_a_full_disk_is_a_message_and_the_status_1(monkeypatch, capsys, tmp_path):
    def refuse(*arguments):
        raise OSError(28, "No space left on device", "p.png")

    monkeypatch.setattr(demo, "main", lambda **options: refuse())
    assert main(["demo", "--output", f"{tmp_path}/p.png"]) == 1
    assert capsys.readouterr().err == "isograd demo: [Errno 28] No space left on device: 'p.png'\n"


@pytest.mark.parametrize("buffering", [[], ["-u"]])
def test_a_reader_that_leaves_early_is_no_reason_to_complain(buffering, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    command = [sys.executable, *buffering, "-m", "isograd", "info"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_info_names_the_versions_and_the_devices(capsys):
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("isograd", "numpy", "cpu"))


def test_python_m_isograd_is_the_same_command():
    run = subprocess.run(
        [sys.executable, "-m", "isograd", "demo", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--output FILE" in run.stdout
    assert "started-again" not in run.stdout
