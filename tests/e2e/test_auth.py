"""AUTH=on: who has no key, a wrong one or an expired one is refused at every address, gRPC included."""

import json
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import grpc
import httpx
import pytest

from ops import auth
from ops.client import Client, ClientError
from ops.process import server
from ops.process.supervise import ASK_S
from tests.e2e.conftest import Project, copy_project
from tests.e2e.grpc_client import GrpcClient
from tests.e2e.supervised import supervised

pytestmark = pytest.mark.e2e

PAIR = {"user_id": 1, "movie_id": 2}
INFERENCE = (
    *("/predictions/ncf", "/predictions/ncf/1.0", "/explanations/ncf", "/invocations?model_name=ncf"),
    *("/v1/models/ncf:predict", "/v1/models/ncf:explain", "/v2/models/ncf/infer", "/ncf/predict", "/models/ncf/invoke"),
)
GRPC = {
    "inference": ("Ping", "Predictions", "StreamPredictions", "StreamPredictions2"),
    "management": ("DescribeModel", "ListModels", "RegisterModel", "ScaleWorker", "SetDefault", "UnregisterModel"),
}
# What TorchServe answers to anybody: the list of its own paths, and metrics at their own address.
OPEN = {("options", "/"), ("get", "/api-description")}


@pytest.fixture(scope="module")
def guarded(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A server of its own that asks for tokens."""
    copy = copy_project(tmp_path_factory.mktemp("guarded"))
    shutil.copytree(project.folder / "model-store", copy.folder / "model-store")
    (copy.folder / "build").symlink_to(project.folder / "build")
    auth.choose(copy.settings, "on")
    server.start(copy.settings)
    server.wait_until_ready(copy.settings)
    yield copy
    server.stop(copy.settings)


def request(method: str, url: str, token: str | None, **options: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.request(method, url, headers=headers, timeout=30, trust_env=False, **options)  # type: ignore[arg-type]


def is_refused(response: httpx.Response) -> bool:
    return response.status_code == 400 and response.json()["type"] == "InvalidKeyException"


def call_grpc(project: Project, address: str, method: str, token: str | None) -> bytes:
    """The answer to an empty message, as bytes."""
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.insecure_channel(f"127.0.0.1:{project.ports['7070' if address == 'inference' else '7071']}") as channel:
        service = f"/org.pytorch.serve.grpc.{address}.{address.capitalize()}APIsService"
        answer: bytes = channel.unary_unary(f"{service}/{method}")(b"", timeout=30, metadata=metadata)
        return answer


def refused_grpc(project: Project, address: str, token: str | None) -> list[str]:
    """The methods that refuse the token."""
    found = []
    for method in GRPC[address]:
        try:
            call_grpc(project, address, method, token)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                found.append(method)
    return found


@pytest.mark.parametrize("key", [None, "", "wrong", "management", "API"])
def test_inference_is_refused_without_its_key(guarded: Project, key: str | None) -> None:
    token = auth.find_key(guarded.settings, key) if key in ("management", "API") else key
    for path in INFERENCE:
        assert is_refused(request("POST", guarded.settings.inference + path, token, json=PAIR)), path
    assert is_refused(request("GET", guarded.settings.inference + "/ping", token))
    assert refused_grpc(guarded, "inference", token) == list(GRPC["inference"])


@pytest.mark.parametrize("key", [None, "", "wrong", "inference", "API"])
def test_management_is_refused_without_its_key(guarded: Project, key: str | None) -> None:
    token = auth.find_key(guarded.settings, key) if key in ("inference", "API") else key
    for method, path in (
        ("GET", "/models"),
        ("GET", "/models/ncf?customized=true"),
        ("POST", "/models?url=ncf-1.1.mar"),
        ("PUT", "/models/ncf?min_worker=0"),
        ("PUT", "/models/ncf/1.0/set-default"),
        ("DELETE", "/models/ncf/1.0"),
        ("GET", "/workflows"),
        ("POST", "/workflows?url=x.war"),
        ("GET", "/v1/models/ncf"),
    ):
        assert is_refused(request(method, guarded.settings.management + path, token)), path
    if key != "API":
        assert is_refused(request("GET", guarded.settings.management + "/token?type=inference", token))
    assert refused_grpc(guarded, "management", token) == list(GRPC["management"])


def test_every_path_that_the_server_names_asks_for_a_key_but_the_list_itself_and_metrics(guarded: Project) -> None:
    metrics = f"http://127.0.0.1:{guarded.ports['8082']}"
    answered = set()
    for address in (guarded.settings.inference, guarded.settings.management, metrics):
        paths = httpx.options(f"{address}/", trust_env=False).json()["paths"]
        assert paths
        for path, methods in paths.items():
            filled = path.format(model_name="ncf", model_version="1.0", workflow_name="w")
            for method in methods.keys() & {"get", "post", "put", "delete", "options", "head", "patch"}:
                if not is_refused(request(method.upper(), address + filled, None)):
                    answered.add((address, method, path))
    assert {(method, path) for address, method, path in answered if address != metrics} == OPEN
    assert (metrics, "get", "/metrics") in answered


def test_the_right_key_passes_and_the_verbs_use_it(guarded: Project) -> None:
    token = auth.find_key(guarded.settings, "inference")
    address = guarded.settings.inference
    assert "rating" in request("POST", f"{address}/predictions/ncf", token, json=PAIR).json()
    assert "parts" in request("POST", f"{address}/explanations/ncf", token, json=PAIR).json()
    with GrpcClient(f"127.0.0.1:{guarded.ports['7070']}", token) as client:
        assert "rating" in client.predict({"body": json.dumps(PAIR).encode()})
    assert b'"models"' in call_grpc(guarded, "management", "ListModels", auth.find_key(guarded.settings, "management"))
    assert '"rating":' in guarded.make("predict", f"BODY={json.dumps(PAIR)}")
    assert "READY" in guarded.make("versions")
    for verb in ("register", "promote"):
        guarded.make(verb, "VERSION=1.1")
    assert "1.0" in guarded.make("promote", "VERSION=1.0")
    guarded.make("unregister", "VERSION=1.1")


def test_what_make_serve_prints_can_be_pasted(guarded: Project) -> None:
    printed = guarded.make("serve")
    line, answer = next(
        pair for pair in zip(printed.splitlines(), printed.splitlines()[1:], strict=False) if "curl" in pair[0]
    )
    assert str(auth.find_key(guarded.settings, "inference")) not in printed
    assert json.loads(guarded.run("bash", "-ec", line).stdout) == json.loads(answer)


def test_only_the_owner_reads_the_key_file(guarded: Project) -> None:
    assert stat.S_IMODE(auth.key_file(guarded.settings).stat().st_mode) == 0o600
    ignored = guarded.folder / ".gitignore"
    assert "/key_file.json" in ignored.read_text().splitlines()


def test_rotation_ends_the_old_keys(guarded: Project) -> None:
    old = auth.find_key(guarded.settings, "inference")
    said = guarded.make("rotate-keys")
    assert "a new inference key, until" in said
    assert is_refused(request("POST", f"{guarded.settings.inference}/predictions/ncf", old, json=PAIR))
    assert stat.S_IMODE(auth.key_file(guarded.settings).stat().st_mode) == 0o600


def test_running_clients_go_on_through_rotations(guarded: Project) -> None:
    over = threading.Event()

    def ask() -> int:
        client, answered = Client(guarded.settings), 0
        while not over.is_set():
            assert "rating" in client.predict(PAIR)
            answered += 1
        return answered

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            keys = {auth.find_key(guarded.settings, "inference")}
            for _ in range(10):
                auth.rotate(guarded.settings)
                keys.add(auth.find_key(guarded.settings, "inference"))
                time.sleep(0.1)
        finally:
            over.set()
        assert all(one.result() > 10 for one in asking)
    assert len(keys) == 11


def test_lost_keys_are_made_anew_by_the_start_that_the_verbs_advise(guarded: Project) -> None:
    for lose in (lambda path: path.unlink(), lambda path: path.write_text("{}")):
        lose(auth.key_file(guarded.settings))
        assert "`make rotate-keys` makes new keys" in guarded.make("versions", check=False)
        for verb in ("rotate-keys", "token"):
            told = guarded.make(verb, check=False)
            assert "no keys there: `make serve AUTH=on` starts a server that asks for them" in told
            assert "Traceback" not in told
    guarded.make("serve", "AUTH=on")
    assert "READY" in guarded.make("versions")


def test_a_supervisor_whose_key_is_refused_says_so_once_and_restarts_nothing(guarded: Project, tmp_path: Path) -> None:
    server.stop(guarded.settings)
    with supervised(guarded, tmp_path, "--unanswered-s", "3") as one:
        before, keys = one.front_end(), auth.key_file(guarded.settings).read_text()
        expired = {kind: {**entry, "key": "expired"} for kind, entry in json.loads(keys).items()}
        auth.key_file(guarded.settings).write_text(json.dumps(expired))
        one.wait_for("`make rotate-keys` makes new keys")
        time.sleep(ASK_S + 2)  # another look
        assert one.said.count("its key is refused") == 1
        assert "no ready worker" not in one.said
        assert one.front_end() == before
        auth.key_file(guarded.settings).write_text(keys)
        assert "rating" in guarded.client.predict(PAIR)


def test_an_expired_key_is_refused_until_it_is_rotated(guarded: Project) -> None:
    server.stop(guarded.settings)
    config = guarded.folder / "config.properties"
    usual = config.read_text()
    config.write_text(usual.replace("token_expiration_min=43200", "token_expiration_min=0.2"))
    try:
        server.start(guarded.settings)  # and no word of AUTH: the choice is remembered
        token = wait_for_expiry(guarded)
        assert is_refused(request("POST", f"{guarded.settings.inference}/predictions/ncf", token, json=PAIR))
        assert refused_grpc(guarded, "inference", token) == list(GRPC["inference"])
        management = auth.find_key(guarded.settings, "management")
        assert is_refused(request("GET", f"{guarded.settings.management}/models", management))
        assert refused_grpc(guarded, "management", management) == list(GRPC["management"])
        with pytest.raises(ClientError, match=r"expired, .*: `make rotate-keys` makes new keys"):
            guarded.client.versions()
        auth.rotate(guarded.settings)
        assert guarded.client.versions()
    finally:
        config.write_text(usual)


def wait_for_expiry(project: Project) -> str:
    """The inference key, once it and the other one have expired and the server listens."""
    while not auth.find_key(project.settings, "inference"):
        time.sleep(0.1)
    keys = json.loads(auth.key_file(project.settings).read_text())
    times = [datetime.fromisoformat(keys[kind]["expiration time"][:26] + "+00:00") for kind in auth.KINDS]
    while datetime.now(UTC) <= max(times) or not listens(project):
        time.sleep(0.2)
    return str(keys["inference"]["key"])


def listens(project: Project) -> bool:
    try:
        return bool(httpx.get(f"{project.settings.management}/models", trust_env=False))
    except httpx.HTTPError:
        return False


def test_off_lets_everybody_in_again(guarded: Project) -> None:
    assert "AUTH: got 'perhaps'" in guarded.make("serve", "AUTH=perhaps", check=False)
    assert "Authorization" not in guarded.make("serve", "AUTH=off")
    assert not auth.key_file(guarded.settings).exists()
    assert "rating" in guarded.ask(PAIR).json()
    assert "no keys there" in guarded.make("token", check=False)
