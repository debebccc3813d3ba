"""`python -m bench.peers`: this project beside the servers that users would pick instead, in one run.

Every server is started here, one at a time, with one worker; its answers are compared with the in-process rating, and
then it is asked the same pairs by the same generators. Each round begins with another server. Ctrl-C ends the run
and prints the rounds that are finished; --resume goes on from those of all servers.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from bench.machine import RESULTS, describe_machine, write_results
from bench.options import check, rounds_parser
from bench.peers.asks import Judge, draw_asks, to_check
from bench.peers.figures import draw
from bench.peers.kept import KEPT, Rounds, keep, kept
from bench.peers.measure import Round, cells, measure
from bench.peers.processes import ROOT, is_installed
from bench.peers.servers import SERVERS
from bench.peers.summary import Summary, goals, rotated, summarize
from bench.peers.tables import report
from bench.peers.versions import peers_versions
from model.artifact import load_artifact


def run(
    artifact: Path, names: Sequence[str], rounds: int, seconds: int, finished: Rounds, kept_as: Mapping[str, object]
) -> Rounds:
    """Goes on after `finished` until there are so many rounds; those of all servers are kept for --resume."""
    loaded = load_artifact(artifact)
    asks, judge = draw_asks(loaded), Judge(loaded)
    checks = to_check(asks, loaded)
    left = (rounds - len(finished)) * sum(cells(SERVERS[name]) for name in names)
    with tqdm(total=left, unit="load", disable=None) as progress:
        try:
            for turn in range(len(finished), rounds):
                one: dict[str, Round] = {}
                for name in rotated(names, turn):
                    before = progress.n
                    progress.set_description(f"round {turn + 1}, {name}")
                    one[name] = measure(SERVERS[name], artifact, asks, checks, judge, seconds, turn, progress.update)
                    progress.update(before + cells(SERVERS[name]) - progress.n)
                    if error := one[name].error:
                        progress.write(f"round {turn + 1}, {SERVERS[name].title}: {error}", file=sys.stderr)
                finished.append({name: one[name] for name in names})
                if set(names) == set(SERVERS):
                    keep(finished, kept_as)
        except KeyboardInterrupt:
            progress.write(f"stopped: {len(finished)} rounds are finished; --resume goes on", file=sys.stderr)
    return finished


def main() -> None:
    """Measures, prints; a run of all servers also writes its section of README.md, results and figures."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    options = _options()
    names = options.only or list(SERVERS)
    artifact = options.artifact.resolve()
    machine = describe_machine(artifact)
    machine["versions"] |= peers_versions(names)
    kept_as = {"model": machine["model"]["digest"], "commit": machine["commit"], "seconds": options.seconds}
    try:
        if not options.resume and not options.only:
            KEPT.unlink(missing_ok=True)
        finished = kept(names, kept_as)[: options.rounds] if options.resume else []
    except ValueError as error:
        sys.exit(str(error))
    rounds = run(artifact, names, options.rounds, options.seconds, finished, kept_as)
    if not rounds:
        sys.exit("no round was finished")
    by_server = {name: [one[name] for one in rounds] for name in names}
    summaries = {name: found for name, one in by_server.items() if (found := summarize(one)) is not None}
    errors = {name: [one.error for one in found if one.error] for name, found in by_server.items()}
    text = report(summaries, goals(summaries), errors)
    print(text)
    if missing := [SERVERS[name].title for name in names if name not in summaries]:
        sys.exit(f"nothing was measured of {', '.join(missing)}{'' if options.only else ': nothing is written'}")
    if len(rounds) < options.rounds:
        print("nothing is written of a run that was stopped", file=sys.stderr)
        sys.exit(130)
    if not options.only:
        _write(machine, by_server, summaries, text)


def _write(
    machine: dict[str, Any], rounds: Mapping[str, list[Round]], summaries: Mapping[str, Summary], text: str
) -> None:
    pictures = [f"![{shows}](results/{name})" for shows, name in draw(summaries, RESULTS).items()]
    servers = {name: [asdict(one) for one in found] for name, found in rounds.items()}
    write_results("peers", {**machine, "servers": servers}, "\n\n".join([text, *pictures]))


def _options() -> argparse.Namespace:
    parser = rounds_parser("bench.peers", str(__doc__), 2)
    parser.add_argument("--only", nargs="+", choices=list(SERVERS), metavar="SERVER", help=" ".join(SERVERS))
    parser.add_argument("--resume", action="store_true", help=f"go on after the rounds in {KEPT.relative_to(ROOT)}")
    options = parser.parse_args()
    check(parser, options.artifact, "wrk", "cc")
    if twice := [name for name, number in Counter(options.only or ()).items() if number > 1]:
        parser.error(f"--only: {', '.join(twice)} is there more than once, expected each server once")
    if absent := [name for name in options.only or SERVERS if not is_installed(name)]:
        parser.error(f"not installed: {', '.join(absent)}; `make bench-peers` installs them, --only leaves others out")
    return options


def _end(*_: object) -> NoReturn:
    """What a signal does: servers are stopped on the way out."""
    sys.exit("ended by a signal: its servers are stopped")


if __name__ == "__main__":
    main()
