"""`python -m bench.gpu.carry`: one folder with all that the GPU check needs on a bare machine, at most 64 MiB.

Bare means: Python 3.12 with PyTorch for CUDA, no network, no Java. The folder has `carried.tar.xz`, with this project's
code, a model, and packages with a Java runtime; `run.sh`, which unpacks it and runs the check; and `contents.json`,
which says what is in it and what is left out. bench/gpu/contents.py decides that.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.gpu.contents import ASSUMED, MOST_MIB, OF_JAR, OF_PACKAGES, OF_TREE, PYTHON, TREE, LeftOut, is_left_out
from bench.gpu.wheels import download, unpack
from bench.machine import ROOT, describe_machine
from bench.open_loop import SOURCE
from bench.options import check
from train.compile_head import compile_head

CARRIED, SCRIPT, CONTENTS = "carried.tar.xz", "run.sh", "contents.json"
_JAR = "ts/frontend/model-server.jar"
# Where run.sh finds them inside the tree.
_ARTIFACT, _KMRD, _PROGRAM = Path("build/1.0/ncf.pt"), Path("data/kmrd"), Path("build/bench/open_loop")


def lay_tree(folder: Path, artifact: Path, kmrd: Path | None = None) -> None:
    """Copies this project's part into a new folder, with the model and, if given, KMRD."""
    for name in TREE:
        source = ROOT / name
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            relative = path.relative_to(ROOT)
            if path.is_file() and not is_left_out(relative.as_posix(), OF_TREE):
                _copy(path, folder / relative)
    _copy(artifact, folder / _ARTIFACT)
    for path in sorted(kmrd.iterdir()) if kmrd else []:
        _copy(path, folder / _KMRD / path.name)
    (folder / "COMMIT").write_text(f"{describe_machine()['commit']}\n", encoding="utf-8")
    compile_sender(folder / _PROGRAM)
    compile_head(folder / "model")


def compile_sender(program: Path) -> bool:
    """Compiles what sends the load, so that it needs no library of that machine; False without a C compiler here."""
    if shutil.which("cc") is None:
        return False
    program.parent.mkdir(parents=True)
    subprocess.run(["cc", "-O2", "-static", "-s", "-o", str(program), str(SOURCE), "-lm"], check=True)
    return True


def pack(folder: Path, tree: Path, site: Path, python: str, preset: int, most_mib: float = MOST_MIB) -> None:
    """Writes the three files of the bundle. python: the version that `site` is for. preset: of xz, 0 (fast) to 9.

    Raises:
        ValueError: the bundle is larger than `most_mib`; the message has its largest parts. Nothing is left of it.
    """
    sizes: Counter[str] = Counter()
    with lzma.open(folder / CARRIED, "wb", preset=preset) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for top, source, left_out in (("tree", tree, ()), ("site", site, OF_PACKAGES)):
            for path, content in _files(source, left_out):
                _add(archive, source / path, f"{top}/{path}", content)
                sizes["/".join((top, path.split("/")[0]))] += len(content)
    shutil.copy2(Path(__file__).with_name(SCRIPT), folder)
    (folder / CONTENTS).write_text(json.dumps({"python": python, **contents(sizes)}, indent=2) + "\n", encoding="utf-8")
    if (mib := size_mib(folder)) > most_mib:
        largest = ", ".join(f"{name} {size / 2**20:.1f} MiB" for name, size in sizes.most_common(5))
        shutil.rmtree(folder)
        told = f"the bundle has {mib:.1f} MiB, allowed: {most_mib} MiB"
        raise ValueError(f"{told}; unpacked, its largest parts: {largest}")


def contents(sizes: Counter[str]) -> dict[str, Any]:
    """What is in the bundle, in bytes before compression, what is not, and what the machine must have."""
    left_out = {"project": OF_TREE, "packages": OF_PACKAGES, "model-server.jar": OF_JAR}
    return {
        "bytes": dict(sorted(sizes.items())),
        "left_out": {name: {one.purpose: list(one.patterns) for one in ones} for name, ones in left_out.items()},
        "assumed": dict(ASSUMED),
    }


def size_mib(folder: Path) -> float:
    """The size of all files of the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def smaller_jar(jar: bytes) -> bytes:
    """TorchServe's jar without what no server needs. It is not compressed, since xz then compresses it better."""
    smaller = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(jar)) as old, zipfile.ZipFile(smaller, "w") as new:
        for entry in old.infolist():
            if not entry.is_dir() and not is_left_out(entry.filename, OF_JAR):
                new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry))
    return smaller.getvalue()


def _files(folder: Path, left_out: Sequence[LeftOut]) -> Iterator[tuple[str, bytes]]:
    """The path and the content of each file. Files of one kind follow each other, which compresses better."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    for path in sorted(paths, key=lambda path: (path.suffix, path)):
        name = path.relative_to(folder).as_posix()
        if not is_left_out(name, left_out):
            content = path.read_bytes()
            yield name, smaller_jar(content) if name == _JAR else content


def _add(archive: tarfile.TarFile, path: Path, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), path.stat().st_mode & 0o755, int(path.stat().st_mtime)
    archive.addfile(entry, io.BytesIO(content))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def main() -> None:
    """Writes the bundle."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu.carry", description=str(__doc__).splitlines()[0])
    parser.add_argument("--artifact", type=Path, default=Path("build/1.0/ncf.pt"), help="the model to carry")
    parser.add_argument("--kmrd", type=Path, help="KMRD's folder, so that the check trains on it")
    parser.add_argument("--out", type=Path, default=Path("build/gpu-bundle"), help="the folder; it is replaced")
    parser.add_argument("--wheels", type=Path, default=Path("build/gpu-wheels"), help="where downloaded packages stay")
    parser.add_argument("--python", default=PYTHON, help="the version of Python on that machine")
    parser.add_argument("--preset", type=int, default=9, help="of xz: 0 is fast, 9 is small")
    options = parser.parse_args()
    check(parser, options.artifact)
    if options.kmrd is not None and not (options.kmrd / "rates.csv").is_file():
        parser.error(f"--kmrd: there is no rates.csv in {options.kmrd}; `make data` downloads KMRD")
    with tempfile.TemporaryDirectory() as name:
        tree, site, made = (Path(name) / part for part in ("tree", "site", "made"))
        try:
            unpack(download(options.wheels, options.python), site)
            lay_tree(tree, options.artifact, options.kmrd)
            made.mkdir()
            pack(made, tree, site, options.python, options.preset)
        except (ValueError, OSError) as error:
            sys.exit(f"gpu-bundle: {error}")
        shutil.rmtree(options.out, ignore_errors=True)
        shutil.copytree(made, options.out)
    print(f"{options.out}: {size_mib(options.out):.1f} MiB of at most {MOST_MIB}. On that machine: sh {SCRIPT} FOLDER")


if __name__ == "__main__":
    main()
