"""`python -m bench.running similar --connections 64`: the answers per second of the server that runs in this folder.

wrk sends one kind of request in a closed loop. The ids come from the artifact, so give that of the served version.
"""

from __future__ import annotations

from pathlib import Path

from bench.load import run_wrk
from bench.markdown import table
from bench.options import artifact_parser, check, positive
from bench.workloads import PATH, WORKLOADS, workloads
from model.artifact import load_artifact
from ops import auth
from ops.settings import read_settings

_WARM_UP_S = 3


def main() -> None:
    """Measures, and prints a table of one row."""
    parser = artifact_parser("bench.running", __doc__)
    parser.add_argument("kind", choices=WORKLOADS, help="the kind of request")
    parser.add_argument("--connections", type=positive, default=64, help="how many requests are under way at once")
    parser.add_argument("--seconds", type=positive, default=8, help="the length of the load")
    options = parser.parse_args()
    check(parser, options.artifact, "wrk")
    settings = read_settings(Path("config.properties"), Path.cwd())
    key = auth.find_key(settings, "inference")
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    bodies = workloads(load_artifact(options.artifact))[options.kind].bodies
    url = settings.inference + PATH
    run_wrk(url, bodies, options.connections, min(_WARM_UP_S, options.seconds), headers)
    load = run_wrk(url, bodies, options.connections, options.seconds, headers)
    figures = (f"{load.answered_per_s:,.0f}", f"{load.p50_ms:.2f}", f"{load.p99_ms:.2f}")
    row = (options.kind, str(load.connections), *figures, f"{load.refused + load.broken:,}")
    print(table(("asked", "connections", "answers/s", "p50 ms", "p99 ms", "not answered"), 1, [row]))


if __name__ == "__main__":
    main()
