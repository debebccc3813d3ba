"""`python -m bench.peers`: compares this project with the servers that users would choose instead, in one run.

Every server starts here, one at a time, with one worker. Its answers are compared with the in-process ratings; then the
same generators ask it the same requests. Each round begins with another server. Ctrl-C ends the run and prints the
finished rounds; --resume continues a run of all servers.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import NoReturn

from tqdm import tqdm

from bench.machine import ROOT, describe_machine
from bench.options import check, rounds_parser
from bench.peers.figures import draw
from bench.peers.kept import KEPT, Rounds, load_rounds, save_rounds
from bench.peers.measure import Round, Setup, measure, set_up, steps
from bench.peers.processes import is_installed
from bench.peers.servers import SERVERS
from bench.peers.summary import goals, rotated, summarize
from bench.peers.tables import report
from bench.peers.versions import peers_versions
from bench.publish import RESULTS, publish


def run(setup: Setup, names: Sequence[str], rounds: int, finished: Rounds, same: Mapping[str, object]) -> None:
    """Adds rounds to `finished` until there are `rounds`, or until Ctrl-C. Rounds of all servers are saved."""
    left = (rounds - len(finished)) * sum(steps(SERVERS[name]) for name in names)
    with tqdm(total=left, unit="load", disable=None) as progress:
        try:
            for turn in range(len(finished), rounds):
                finished.append(_round(setup, names, turn, progress))
                if set(names) == set(SERVERS):
                    save_rounds(finished, same)
        except KeyboardInterrupt:
            progress.write(f"stopped: {len(finished)} rounds are finished; --resume continues", file=sys.stderr)


def _round(setup: Setup, names: Sequence[str], turn: int, progress: tqdm) -> dict[str, Round]:
    found: dict[str, Round] = {}
    for name in rotated(names, turn):
        server = SERVERS[name]
        end = progress.n + steps(server)
        progress.set_description(f"round {turn + 1}, {name}")
        found[name] = measure(server, setup, turn, progress.update)
        progress.update(end - progress.n)
        if error := found[name].error:
            progress.write(f"round {turn + 1}, {server.title}: {error}", file=sys.stderr)
    return {name: found[name] for name in names}


def main() -> None:
    """Measures; a complete run of all servers also publishes the section `peers` and its pictures."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    options = _options()
    names = options.only or list(SERVERS)
    artifact = options.artifact.resolve()
    machine = describe_machine(artifact)
    machine["versions"] |= peers_versions(names)
    same = {"model": machine["model"]["digest"], "commit": machine["commit"], "seconds": options.seconds}
    rounds = _finished_rounds(options, names, same)
    run(set_up(artifact, options.seconds), names, options.rounds, rounds, same)
    if not rounds:
        sys.exit("no round was finished")
    by_server = {name: [one[name] for one in rounds] for name in names}
    summaries = {name: summary for name, found in by_server.items() if (summary := summarize(found)) is not None}
    errors = {name: [one.error for one in found if one.error] for name, found in by_server.items()}
    text = report(summaries, goals(summaries), errors)
    missing = [SERVERS[name].title for name in names if name not in summaries]
    complete = len(rounds) == options.rounds and not missing and not options.only
    options.write_nothing = options.write_nothing or not complete
    if not options.write_nothing:
        pictures = draw(summaries, RESULTS)
        text = "\n\n".join([text, *(f"![{shows}](../bench/results/{name})" for shows, name in pictures.items())])
    servers = {name: [asdict(one) for one in found] for name, found in by_server.items()}
    publish("peers", {**machine, "servers": servers}, text, options)
    if missing:
        sys.exit(f"nothing was measured of {', '.join(missing)}, so nothing was written")
    if len(rounds) < options.rounds:
        print("the run was stopped, so nothing was written", file=sys.stderr)
        sys.exit(130)


def _finished_rounds(options: argparse.Namespace, names: Sequence[str], same: Mapping[str, object]) -> Rounds:
    """The rounds that --resume continues. Without it, a run of all servers deletes the rounds of the last run."""
    if not options.resume:
        if not options.only:
            KEPT.unlink(missing_ok=True)
        return []
    try:
        return load_rounds(names, same)[: options.rounds]
    except ValueError as error:
        sys.exit(str(error))


def _options() -> argparse.Namespace:
    parser = rounds_parser("bench.peers", __doc__, rounds=5, seconds=2)
    only = f"measure these and write nothing: {' '.join(SERVERS)}"
    parser.add_argument("--only", nargs="+", choices=list(SERVERS), metavar="SERVER", help=only)
    resume = f"continue after the rounds in {KEPT.relative_to(ROOT)}"
    parser.add_argument("--resume", action="store_true", help=resume)
    options = parser.parse_args()
    check(parser, options.artifact, "wrk", "cc")
    if twice := [name for name, number in Counter(options.only or ()).items() if number > 1]:
        parser.error(f"--only: got {', '.join(twice)} more than once, expected each server once")
    if absent := [name for name in options.only or SERVERS if not is_installed(name)]:
        parser.error(f"not installed: {', '.join(absent)}; `make bench-peers` installs them, --only leaves them out")
    return options


def _end(*_: object) -> NoReturn:
    """Handles a signal: the exit stops the server."""
    sys.exit("ended by a signal; the server was stopped")


if __name__ == "__main__":
    main()
