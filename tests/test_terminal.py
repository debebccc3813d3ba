"""Commands at a terminal: a Ctrl-C while they import, and a reader that has read enough."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def start(folder: Path, *command: str) -> subprocess.Popen[str]:
    """A command in a folder of its own, whose modules come first."""
    (folder / "config.properties").write_text((ROOT / "config.properties").read_text())
    environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"}
    return subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", *command],  # a background job ignores it
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("command", "library"),
    [("train", "tyro"), ("train.update", "tyro"), ("score", "tyro"), ("ops.build", "httpx"), ("ops.predict", "httpx")],
)
def test_ctrl_c_during_the_imports_prints_one_line(tmp_path: Path, command: str, library: str) -> None:
    lines = ["import time", "print('importing', flush=True)", "try: time.sleep(60)"]
    lines += ["except BaseException: raise ImportError('initialization failed')"]  # as some C extensions do
    (tmp_path / f"{library}.py").write_text("\n".join(lines))
    with start(tmp_path, command, "--help") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "interrupted\n")
    assert process.returncode == 130


def test_ctrl_c_during_the_work_of_a_verb_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PORT", str(silent.getsockname()[1]))
        with start(tmp_path, "ops.predict") as process:
            connection, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            assert process.communicate() == ("", "predict: interrupted\n")
            connection.close()
    assert process.returncode == 130


def test_ctrl_c_during_a_training_is_its_own(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ratings.csv")
    with (
        start(tmp_path, "train", "--data", "ratings.csv", "--out", "out") as process,
        (tmp_path / "ratings.csv").open("wb"),  # once the training reads
    ):
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "train: interrupted; nothing was overwritten, --resume continues\n")
    assert process.returncode == 130


def test_any_other_error_during_the_imports_keeps_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "tyro.py").write_text("raise RuntimeError('as asked')")
    with start(tmp_path, "train") as process:
        _, told = process.communicate()
    assert told.startswith("Traceback")
    assert told.endswith("RuntimeError: as asked\n")


@pytest.mark.parametrize(
    ("command", "status"), [(["ops.versions.status"], 3), (["train.dataset.demo", "data"], 0), (["score", "--help"], 0)]
)
def test_a_reader_that_has_left_changes_nothing(tmp_path: Path, command: list[str], status: int) -> None:
    with start(tmp_path, *command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == status


@pytest.mark.parametrize("verb", ["help", "help-bench"])
def test_help_of_make_is_silent_without_a_reader(verb: str) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    with subprocess.Popen(["make", verb], cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_library_changes_nothing(tmp_path: Path) -> None:
    code = "import signal, sys; before = signal.getsignal(signal.SIGINT), sys.stdout; import train, score, ops\n"
    code += "assert (signal.getsignal(signal.SIGINT), sys.stdout) == before"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
