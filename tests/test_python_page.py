"""The blocks of docs/python.md run one after the other, without a server, on a version trained in seconds."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from train.config import TrainConfig
from train.dataset.demo import write_demo
from train.factors.config import FactorsConfig
from train.run import run

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- test: python -->\n```python\n(.*?)```", re.DOTALL)
QUICK = FactorsConfig(probe_sweeps=2, max_sweeps=2, epochs=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the embedded data set and version 1.0, as `make train` leaves them."""
    folder = tmp_path_factory.mktemp("python page")
    demo = folder / "build" / "demo"
    write_demo(demo)
    config = TrainConfig(data=demo, out=folder / "build" / "1.0", factors=QUICK)
    run(config, config.read(config.data, config.rating_scale))
    return folder


def test_every_python_block_of_the_page_is_marked_to_be_run() -> None:
    assert len(BLOCK.findall(PAGE)) == PAGE.count("```python\n") >= 5


def test_the_python_page_runs_from_top_to_bottom(folder: Path) -> None:
    code = "\n".join(BLOCK.findall(PAGE))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert " users " in done.stdout
    assert (folder / "build" / "notebook" / "ncf.pt").is_file()
