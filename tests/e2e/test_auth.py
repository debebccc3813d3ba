"""AUTH=on: requests with no key, a wrong key or an expired key are refused at every address, including gRPC."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import grpc
import httpx
import pytest

from ops import auth
from ops.client import ClientError
from ops.process import server
from tests.e2e import plain_http
from tests.e2e.conftest import end
from tests.e2e.grpc_client import GrpcClient
from tests.e2e.guarded import PAIR, guarding, is_refused, request
from tests.e2e.project import Project
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

INFERENCE = (
    *("/predictions/ncf", "/predictions/ncf/1.0", "/explanations/ncf", "/invocations?model_name=ncf"),
    *("/v1/models/ncf:predict", "/v1/models/ncf:explain", "/v2/models/ncf/infer", "/ncf/predict", "/models/ncf/invoke"),
)
GRPC = {
    "inference": ("Ping", "Predictions", "StreamPredictions", "StreamPredictions2"),
    "management": ("DescribeModel", "ListModels", "RegisterModel", "ScaleWorker", "SetDefault", "UnregisterModel"),
}
# TorchServe answers these without a key: the list of its own paths, and the metrics at their own address.
OPEN = {("options", "/"), ("get", "/api-description")}


@pytest.fixture(scope="module")
def guarded(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with guarding(project, tmp_path_factory.mktemp("guarded")) as copy:
        yield copy


def call_grpc(project: Project, address: str, method: str, token: str | None) -> bytes:
    """The answer to an empty message, as bytes."""
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.insecure_channel(f"127.0.0.1:{project.ports['7070' if address == 'inference' else '7071']}") as channel:
        service = f"/org.pytorch.serve.grpc.{address}.{address.capitalize()}APIsService"
        answer: bytes = channel.unary_unary(f"{service}/{method}")(b"", timeout=120, metadata=metadata)
        return answer


def refused_grpc(project: Project, address: str, token: str | None) -> list[str]:
    """The methods that refuse this token."""
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


def test_every_listed_path_needs_a_key_except_the_list_and_metrics(guarded: Project) -> None:
    metrics = f"http://127.0.0.1:{guarded.ports['8082']}"
    answered = set()
    for address in (guarded.settings.inference, guarded.settings.management, metrics):
        paths = plain_http.options(f"{address}/").json()["paths"]
        assert paths
        for path, methods in paths.items():
            filled = path.format(model_name="ncf", model_version="1.0", workflow_name="w")
            for method in methods.keys() & {"get", "post", "put", "delete", "options", "head", "patch"}:
                if not is_refused(request(method.upper(), address + filled, None)):
                    answered.add((address, method, path))
    assert {(method, path) for address, method, path in answered if address != metrics} == OPEN
    assert (metrics, "get", "/metrics") in answered


def test_the_right_key_passes(guarded: Project) -> None:
    token = auth.find_key(guarded.settings, "inference")
    address = guarded.settings.inference
    assert "rating" in request("POST", f"{address}/predictions/ncf", token, json=PAIR).json()
    assert "parts" in request("POST", f"{address}/explanations/ncf", token, json=PAIR).json()
    with GrpcClient(f"127.0.0.1:{guarded.ports['7070']}", token) as client:
        assert "rating" in client.predict({"body": json.dumps(PAIR).encode()})
    assert b'"models"' in call_grpc(guarded, "management", "ListModels", auth.find_key(guarded.settings, "management"))


def test_an_expired_key_is_refused_until_it_is_rotated(guarded: Project) -> None:
    """Waits for twelve seconds: a key lives that long, so that a new one is still good when it is used."""
    end(guarded)
    config = guarded.folder / "config.properties"
    usual = config.read_text()
    config.write_text(usual.replace("token_expiration_min=43200", "token_expiration_min=0.2"))
    try:
        server.start(guarded.settings)  # without AUTH, because the choice is remembered
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
    """The inference key, after it and the management key have expired; the server listens."""
    wait_until(lambda: auth.find_key(project.settings, "inference"), "the keys")
    keys = json.loads(auth.key_file(project.settings).read_text())
    times = [datetime.fromisoformat(keys[kind]["expiration time"][:26] + "+00:00") for kind in auth.KINDS]
    wait_until(lambda: datetime.now(UTC) > max(times) and listens(project), "the keys have expired")
    return str(keys["inference"]["key"])


def listens(project: Project) -> bool:
    try:
        return bool(plain_http.get(f"{project.settings.management}/models"))
    except httpx.HTTPError:
        return False
