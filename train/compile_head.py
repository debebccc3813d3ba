"""Compiles the default network's head for an archive, where there is a C compiler: ratings then take less time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from model.compiled_head import LIBRARY

_SOURCE = LIBRARY.with_suffix(".c").name
# -O3 unrolls the loops over lanes before it can make vectors of them: it takes twice the time of -O2.
_OPTIONS = ("-O2", "-ftree-vectorize", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC", "-s", "-std=gnu11")


def compile_head(folder: Path) -> bool:
    """Compiles the source in a folder to a library beside it; False where there is no `cc`, or it refuses the source.

    The library is for processors of this machine's kind, and needs none of its extensions.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        return False
    command = [compiler, *_OPTIONS, "-o", LIBRARY.name, _SOURCE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode == 0
