"""No pickle is read: not by our code, and not out of an artifact or a configuration that someone made up."""

import ast
import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from ts.utils.util import get_yaml_config

from model.artifact import Artifact, ArtifactError, load_artifact, save_artifact
from model.history import History

ROOT = Path(__file__).parents[1]
ROOMS = ("model", "handler", "train", "score", "ops", "bench")
READS_PICKLE = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
CALLS = {"torch.load", "torch.package.PackageImporter", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}
NAMES = {"read_pickle", "eval", "exec", "unpickle"}


def faults(source: str) -> Iterator[str]:
    """What in a file could read a pickle, or run what it read."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in READS_PICKLE)
        elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in READS_PICKLE:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            options = {option.arg: ast.unparse(option.value) for option in node.keywords}
            if name == "torch.load" and options.get("weights_only") == "True":
                continue  # tensors and plain values: any other object in the file is an error
            if (
                name in CALLS | NAMES
                or name.endswith(".read_pickle")
                or options.get("allow_pickle", "False") != "False"
            ):
                yield ast.unparse(node)
            if name == "np.load" and "allow_pickle" not in options:
                yield f"{ast.unparse(node)}: say allow_pickle=False"


@pytest.mark.parametrize("room", ROOMS)
def test_the_code_reads_no_pickle(room: str) -> None:
    found = [(str(path), fault) for path in (ROOT / room).rglob("*.py") for fault in faults(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load('ncf.pt')",
        "torch.load('ncf.pt', weights_only=False)",
        "pd.read_pickle('x')",
        "np.load(path, allow_pickle=True)",
        "np.load(path)",
        "yaml.load(text, Loader=yaml.Loader)",
    ],
)
def test_what_reads_one_would_be_found(source: str) -> None:
    assert list(faults(source))


class LeavesAMark:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that must not come to be; that the object would make it is seen first."""
    path = tmp_path / "mark"
    pickle.loads(pickle.dumps(LeavesAMark(path))).close()
    assert path.exists()
    path.unlink()
    return path


@pytest.mark.parametrize("member", ["data.pkl", "constants.pkl"])
def test_torchscript_does_not_run_a_pickle_inside_an_artifact(
    artifact: Artifact, tmp_path: Path, mark: Path, member: str
) -> None:
    save_artifact(artifact, tmp_path / "good.pt")
    with zipfile.ZipFile(tmp_path / "good.pt") as good, zipfile.ZipFile(tmp_path / "ncf.pt", "w") as bad:
        for entry in good.infolist():
            is_it = entry.filename.endswith(f"/{member}")
            bad.writestr(entry, pickle.dumps(LeavesAMark(mark), protocol=2) if is_it else good.read(entry))
    with pytest.raises(ArtifactError, match="not a readable TorchScript file"):
        load_artifact(tmp_path / "ncf.pt")
    assert not mark.exists()


def test_a_pickle_in_place_of_an_artifact_is_not_run(tmp_path: Path, mark: Path) -> None:
    torch.save(LeavesAMark(mark), tmp_path / "saved.pt")
    torch.save(LeavesAMark(mark), tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(LeavesAMark(mark)))
    for name in ("saved.pt", "legacy.pt", "plain.pt"):
        with pytest.raises(ArtifactError, match="not a readable TorchScript file"):
            load_artifact(tmp_path / name)
    assert not mark.exists()


def test_a_pickle_in_an_array_of_the_artifact_is_not_run(mark: Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, offsets=np.array([LeavesAMark(mark)], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        History.from_bytes(buffer.getvalue())
    assert not mark.exists()


def test_the_worker_makes_no_object_from_a_versions_settings(tmp_path: Path, mark: Path) -> None:
    (tmp_path / "model-config.yaml").write_text(f"handler: !!python/object/apply:builtins.open ['{mark}', 'w']\n")
    with pytest.raises(yaml.constructor.ConstructorError, match="could not determine a constructor"):
        get_yaml_config(str(tmp_path / "model-config.yaml"))
    assert not mark.exists()
