"""The verbs of make, typed as a user types them, on versions that make did and did not make."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import plain_http
from tests.e2e.conftest import QUICK, end
from tests.e2e.project import Project, copy_trained, environment, free_ports

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def person(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A clone on a path with a space, with version 1.0 trained on the embedded data; no server runs."""
    clone = copy_trained(trained, tmp_path_factory.mktemp("made") / "a clone")
    shutil.rmtree(clone.folder / "build" / "1.1")
    (clone.folder / "model-store" / "ncf-1.1.mar").unlink()
    yield clone
    end(clone)


def mine(folder: Path) -> str:
    """Some of the embedded ratings, as a user's own file."""
    lines = (folder / "build" / "demo" / "rates.csv").read_text().splitlines()[1:6000]
    rows = [",".join(line.split(",")[:3]) for line in lines]
    (folder / "mine.csv").write_text("\n".join(["who,what,stars", *rows]) + "\n")
    return "mine.csv"


COLUMNS = "--user-column who --movie-column what --rating-column stars"


def test_unknown_variable_is_reported(person: Project) -> None:
    for verb in ("serve", "help", "versions"):
        told = person.make(verb, "VERSON=1.2", check=False)
        assert "no such variable: VERSON; did you mean VERSION? Allowed: VERSION " in told


def test_help_fits_one_screen(person: Project) -> None:
    lines = person.make("help").splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100


def test_version_made_without_make_is_packed_and_reported(person: Project) -> None:
    own = person.folder / "build" / "own-1"
    own.mkdir()
    for name in ("ncf.pt", "metrics.json", "held_out.npz"):
        shutil.copy(person.folder / "build" / "1.0" / name, own)
    before = (own / "ncf.pt").read_bytes()
    assert "wrote build/own-1/report.html" in person.make("report", "VERSION=own-1")
    assert "wrote model-store/ncf-own-1.mar" in person.make("package", "VERSION=own-1")
    told = person.make("train", "VERSION=own-1", "PRESET=mlp", check=False)
    assert "train: version own-1 was made elsewhere, and a version is never replaced" in told
    assert (own / "ncf.pt").read_bytes() == before


def test_other_data_makes_a_new_version_that_remembers_its_columns(person: Project) -> None:
    data, before = mine(person.folder), (person.folder / "build" / "1.0" / "ncf.pt").read_bytes()
    arguments = (f"DATA={data}", f"TRAIN_ARGS={QUICK} {COLUMNS}")
    assert "this is version 1.1" in person.make("train", *arguments)
    assert (person.folder / "build" / "1.0" / "ncf.pt").read_bytes() == before
    assert "version 1.1 was already made from exactly this" in person.make("train", *arguments)
    (person.folder / "new.csv").write_text("who,what,stars\n1,2,3\n")
    assert "wrote build/1.2/ncf.pt" in person.make("update", "RATINGS=new.csv", "FROM=1.1")
    assert "wrote build/1.1/report.html" in person.make("report", "VERSION=1.1")


def test_nothing_is_deleted_without_force(person: Project) -> None:
    told = person.make("clean", check=False)
    assert "build/1.0/ncf.pt" in told
    assert "nothing was deleted: `make clean FORCE=1` deletes them" in told
    assert (person.folder / "model-store" / "ncf-1.0.mar").is_file()


def test_every_verb_obeys_another_port(person: Project) -> None:
    port = int(free_ports(5)[0])
    told = person.make("serve", f"PORT={port}")
    assert f"curl -s 127.0.0.1:{port}/predictions/ncf" in told
    assert plain_http.get(f"http://127.0.0.1:{port + 1}/models").status_code == 200
    status = person.make("status")  # without PORT, because the running server is found at its address
    assert f"predictions  http://127.0.0.1:{port}/predictions/ncf" in status
    assert "1.0         yes" in status
    assert '"recommendations"' in person.make("predict")
    assert '"rating"' in person.make("predict", 'BODY={"user_id": 1, "movie_id": 2}', "VERSION=1.0")
    assert "READY" in person.make("versions")
    done = person.run(".venv/bin/python", "-m", "ops.ready")
    assert done.returncode == 0
    assert "ModelServer" in person.make("logs")
    proxied = {**environment(), "http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    for verb in ("versions", "predict", "serve"):
        subprocess.run(["make", verb], cwd=person.folder, env=proxied, check=True, capture_output=True)
    config = person.folder / "config.properties"
    config.write_text(f"{config.read_text()}\n")
    for verb in ("status", "versions"):  # the server stays where it was started
        assert "1.0         yes" in person.make(verb)
    assert f"predictions  http://127.0.0.1:{port}/predictions/ncf" in person.make("status")
    stopped = person.make("stop").splitlines()
    assert stopped[0].startswith("stopping: requests in flight are answered first, for up to 20 s")
    assert stopped[1:] == ["stopped"]
    assert person.make("stop").strip() == "no server of this folder is running"
    assert "No server of this folder runs." in person.make("status")
    assert "nothing answers at http://127.0.0.1:" in person.make("predict", check=False)


def test_own_variables_of_torchserve_move_the_server_and_a_long_tmpdir_does_not_stop_it(
    person: Project, tmp_path: Path
) -> None:
    """The path of a socket may have 107 characters."""
    [port], long = free_ports(1), tmp_path / ("x" * 120)
    long.mkdir()
    own = {**environment(), "TS_INFERENCE_ADDRESS": f"http://127.0.0.1:{port}", "TMPDIR": str(long)}
    done = subprocess.run(["make", "serve"], cwd=person.folder, env=own, capture_output=True, text=True, timeout=900)
    assert f"curl -s 127.0.0.1:{port}/predictions/ncf" in done.stdout, done.stderr
    end(person)


def test_failed_start_restores_the_former_server(person: Project) -> None:
    person.make("serve")
    before = person.make("predict"), person.default_version, (person.folder / "model-store" / "versions").read_text()
    bad = person.folder / "build" / "bad"
    bad.mkdir()
    shutil.copy(person.folder / "build" / "1.0" / "ncf.pt", bad)
    handler = person.folder / "handler" / "ncf_handler.py"
    text = handler.read_text()
    handler.write_text(text.replace("torch.set_num_threads(1)", "raise RuntimeError('out of order')"))
    try:
        told = person.make("serve", "VERSION=bad", check=False)
    finally:
        handler.write_text(text)
    assert "serve: a worker could not load the archive" in told
    assert "out of order" in told
    assert "starting the former server again" in told
    record = (person.folder / "model-store" / "versions").read_text()
    assert (person.make("predict"), person.default_version, record) == before
