"""The ways to serve: the first one that starts serves all, and what is served so is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.gpu.section import Context, Row
from bench.gpu.served import kinds
from bench.gpu.ways import CPU, GPU, Kind, Send, Way, Ways
from bench.load import Load

ONE = Kind(CPU, 1)


def send(_bodies: object, connections: int, _seconds: int) -> Load:
    return Load(connections, 1.0, 1.0, 1.0, 0, 0)


@contextmanager
def works(_artifact: Path, folder: Path, _kind: Kind) -> Iterator[Send]:
    folder.mkdir()  # each start gets a new one
    yield send


@contextmanager
def fails(_artifact: Path, _folder: Path, _kind: Kind) -> Iterator[Send]:
    raise RuntimeError("no Java here\nand more lines")
    yield send


def started(ways: Ways, folder: Path, kind: Kind = ONE) -> list[Row]:
    with ways.started(Path("ncf.pt"), folder, kind) as (rows, found):
        assert found is send
        return rows


def test_the_first_way_serves_all_and_is_said_once(tmp_path: Path) -> None:
    ways = Ways([Way("by TorchServe", works, "wrk sends"), Way("by frames", fails, "")])
    assert started(ways, tmp_path) == [Row("by TorchServe", "passed", note="wrk sends")]
    assert started(ways, tmp_path, Kind(GPU, 2)) == []


def test_a_way_that_does_not_start_is_left_out_and_the_next_serves(tmp_path: Path) -> None:
    ways = Ways([Way("by TorchServe", fails, "wrk sends"), Way("by frames", works, "without the JVM")])
    rows = started(ways, tmp_path)
    assert rows == [
        Row("by TorchServe", "left out", note="no Java here"),
        Row("by frames", "passed", note="without the JVM"),
    ]
    assert started(ways, tmp_path) == []


def test_a_way_that_has_served_is_not_changed_for_one_kind(tmp_path: Path) -> None:
    @contextmanager
    def serves_one(artifact: Path, folder: Path, kind: Kind) -> Iterator[Send]:
        if kind != ONE:
            raise RuntimeError("the GPU has no memory left")
        with works(artifact, folder, kind) as found:
            yield found

    ways = Ways([Way("by TorchServe", serves_one, ""), Way("by frames", works, "")])
    started(ways, tmp_path)
    with pytest.raises(RuntimeError, match="no memory left"):
        started(ways, tmp_path, Kind(GPU, 8))


def test_without_any_way_the_error_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no Java here"):
        started(Ways([Way("by TorchServe", fails, "")]), tmp_path)


@pytest.mark.parametrize(
    ("device", "small", "cores", "expected"),
    [
        ("cuda", False, 16, ["1 GPU worker", "1 CPU worker", "8 GPU workers", "8 CPU workers"]),
        ("cuda", False, 2, ["1 GPU worker", "1 CPU worker"]),
        ("cuda", True, 16, ["1 GPU worker", "1 CPU worker"]),
        ("cpu", False, 4, ["1 CPU worker", "2 CPU workers"]),
    ],
)
def test_workers_with_and_without_a_gpu_are_compared(
    device: str, small: bool, cores: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert [str(kind) for kind in kinds(Context(device, small, Path("ncf.pt"), None, 0.0))] == expected
