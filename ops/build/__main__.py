"""`python -m ops.build VERB`: the implementation of `make VERB`. make passes its variables in the environment.

`GIVEN` lists the variables that the user set on make's command line or in the environment: `GIVEN="DATA VERSION"`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from ops.build import commands, running, verbs
from ops.build.adopting import adopt
from ops.build.scoring import score
from ops.build.shelf import BUILD, Shelf
from ops.client import ClientError
from ops.command import failing_in_one_line
from ops.process.state import ServerError
from ops.settings import read_settings

VERBS = ("train", "package", "update", "adopt", "report", "score", "serve", "run", "clean", "artifact", "demo")


def given(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that the user set, by name."""
    return {name: environment.get(name, "") for name in environment.get("GIVEN", "").split()}


def main(arguments: list[str] | None = None) -> None:
    """Runs one of the verbs."""
    parser = argparse.ArgumentParser(prog="python -m ops.build", description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=VERBS)
    verb = parser.parse_args(arguments).verb
    for number in (signal.SIGTERM, signal.SIGHUP):  # undo what was begun, as after a Ctrl-C
        signal.signal(number, signal.default_int_handler)
    known = (ServerError, ClientError, ValueError, OSError)
    with failing_in_one_line(verb, known, f"{verb}: interrupted; no version was changed"):
        try:
            _do(verb, given(os.environ))
        except commands.CommandError as error:  # it has already printed the reason
            sys.exit(error.status)


def _do(verb: str, asked: Mapping[str, str]) -> None:
    settings = read_settings(Path("config.properties"), Path.cwd(), starting=True)
    shelf = Shelf(BUILD, _as_given(settings.model_store))
    if verb in ("serve", "run", "clean"):
        getattr(running, verb)(asked, shelf, settings)
    elif verb in ("train", "package", "update", "report"):
        getattr(verbs, verb)(asked, shelf)
    elif verb == "adopt":
        adopt(asked, shelf)
    elif verb == "score":
        score(asked, shelf)
    elif verb == "artifact":
        print_artifact(asked, shelf)
    else:
        verbs.prepare_demo(asked)


def print_artifact(asked: Mapping[str, str], shelf: Shelf) -> None:
    """Prints only the path of a version's artifact, for `$(…)` in a shell."""
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    path = shelf.artifact(verbs.train(asked, shelf, "artifact"))
    os.write(output, f"{path}\n".encode())


def _as_given(path: Path) -> Path:
    """A path relative to this folder, as people write it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    main()
