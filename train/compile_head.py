"""Compiles the default network's head where there is a C compiler: ratings then take less time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from model.compiled_head import LIBRARY, SOURCE

# -O3 unrolls the loops over lanes before it can make vectors of them: it takes twice the time of -O2.
_OPTIONS = ("-O2", "-ftree-vectorize", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC", "-s", "-std=gnu11")


def compile_head(folder: Path, source: Path = SOURCE) -> Path | None:
    """Writes the library into a folder, and returns its path; None where there is no `cc`, or it refuses the source.

    The library is for processors of this machine's kind, and needs none of its extensions.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / LIBRARY
    done = subprocess.run([compiler, *_OPTIONS, "-o", library, source], capture_output=True, text=True)
    return library if done.returncode == 0 else None
