"""TorchServe's workers without its front end: a real worker process, which gets TorchServe's frames."""

import zipfile
from pathlib import Path

import orjson
import pytest

from bench.gpu import workers
from bench.gpu.workers import statuses
from handler.frames import Frame, write_frame
from handler.request import Request, Response
from model.artifact import Artifact, save_artifact
from tests.conftest import MOVIE_IDS, USER_IDS
from tests.handler.frames import sized
from train.package import PackageConfig, package

PAIR = orjson.dumps({"user_id": USER_IDS[1], "movie_id": MOVIE_IDS[1]})


@pytest.fixture
def archive(artifact: Artifact, tmp_path: Path) -> Path:
    save_artifact(artifact, tmp_path / "ncf.pt")
    return package(PackageConfig("1.0", tmp_path / "ncf.pt", tmp_path / "store"))


def test_workers_answer_frames_and_are_gone_afterwards(archive: Path, tmp_path: Path) -> None:
    with workers.started(archive, tmp_path, 2, None) as ready:
        assert ready.batch == 48
        load = ready.send([PAIR, PAIR], 3, 1)  # two go to one worker, and one to the other
        assert (load.connections, load.refused, load.broken) == (3, 0, 0)
        assert load.answered_per_s > 10
        assert 0 < load.p50_ms <= load.p99_ms < 10_000
        one = ready.send([PAIR], 1, 1)  # the other worker gets nothing
        assert one.answered_per_s > 5
        with pytest.raises(RuntimeError, match="refused 1 of 1 requests, status 400"):
            ready.send([b"[]"], 1, 1)
        told = (tmp_path / "worker-0.log").read_text()
        assert "serving version 1.0 on cpu" in told
    with pytest.raises(OSError, match="file descriptor"):
        ready.send([PAIR], 1, 1)


def test_statuses_of_a_frame_of_answers() -> None:
    frame = Frame([sized(b"one"), sized(b"two")], [Request(b"", {"a": "b"}), Request(b"")])
    answer = write_frame(frame, [Response(b"[1]"), Response(b"{}", 404)], {"X-Model-Version": "1.0"})
    assert statuses(answer) == [200, 404]


def test_an_archive_that_does_not_load_is_an_error(archive: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mar"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(broken, "w") as rest:
        for entry in whole.infolist():
            if entry.filename != "ncf.pt":
                rest.writestr(entry, whole.read(entry))
    with (
        pytest.raises(RuntimeError, match=r"did not load broken\.mar: .*ncf\.pt"),
        workers.started(broken, tmp_path / "elsewhere", 1, None),
    ):
        pass
