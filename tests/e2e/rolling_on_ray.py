"""Runs in its own process: a Ray cluster on this host, clients that send requests, and a change of the version.

Arguments: the model store, and the port of HTTP. Prints the clients' results as JSON.
"""

import json
import sys
import threading
from collections import Counter
from pathlib import Path

import httpx
import ray
from ray import serve

from ops.ray.serving import build
from tests.waiting import wait_until

BODY = {"instances": [{"ratings": [], "top_k": 1}]}
# Between two requests of a client: without it, the clients would take the cores on which the replicas load torch.
_PAUSE_S = 0.05
# Requests in flight at which a replica is added: fewer than these clients have.
_FEW = 0.1


class Clients:
    """Clients that send one request after the other, each over one connection, until they are stopped."""

    def __init__(self, url: str, number: int) -> None:
        self.seen: Counter[str] = Counter()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(url,)) for _ in range(number)]
        for thread in self._threads:
            thread.start()

    def _ask(self, url: str) -> None:
        with httpx.Client(timeout=240, trust_env=False) as client:
            while not self._ended.is_set():
                try:
                    answer = client.post(url, json=BODY)
                    self.seen[f"{answer.status_code} {answer.headers.get('x-model-version')}"] += 1
                except httpx.HTTPError as error:
                    self.seen[repr(error)] += 1
                self._ended.wait(_PAUSE_S)

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def replicas() -> int:
    [deployment] = serve.status().applications["default"].deployments.values()
    return sum(number for state, number in deployment.replica_states.items() if state == "RUNNING")


def wait_for(number: int) -> int:
    """The number of replicas, once there are so many. A new replica takes minutes on a slow and busy machine."""
    wait_until(lambda: replicas() >= number, lambda: f"{number} replicas; there are {replicas()}", pause_s=0.2)
    return replicas()


def main() -> None:
    store, port = Path(sys.argv[1]), int(sys.argv[2])
    arguments = {"store": str(store), "min_replicas": 1, "max_replicas": 2, "requests_per_replica": _FEW, "cpus": 0.1}
    # Without an address it would join any cluster that runs on this machine.
    ray.init("local", num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    try:
        serve.run(build({**arguments, "version": "1.0"}))
        few = replicas()
        clients = Clients(f"http://127.0.0.1:{port}/predictions/ncf", number=6)
        try:
            most = wait_for(2)
            serve.run(build({**arguments, "version": "1.1"}))
            wait_until(lambda: clients.seen["200 1.1"], lambda: f"an answer of version 1.1: {clients.seen}")
        finally:
            clients.stop()
        answer = httpx.post(f"http://127.0.0.1:{port}/predictions/ncf/1.1", json=BODY, timeout=240, trust_env=False)
        gone = httpx.post(f"http://127.0.0.1:{port}/predictions/ncf/1.0", json=BODY, timeout=240, trust_env=False)
        told = {"seen": clients.seen, "few": few, "most": most, "after": [answer.status_code, gone.status_code]}
        print(json.dumps(told), flush=True)
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main()
