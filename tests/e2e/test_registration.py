"""Only archives of the model store can be registered. The server neither opens nor runs anything else."""

import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import grpc
import httpx
import pytest

from tests.e2e import plain_http
from tests.e2e.project import Project

pytestmark = pytest.mark.e2e

PASSWD = Path("/etc/passwd")
LEAVES_A_MARK = """
from pathlib import Path

Path({mark!r}).touch()

def handle(data, context):
    return [b""]
"""


class Listener(ThreadingHTTPServer):
    """Serves one archive to every client, and counts the connections."""

    def __init__(self, archive: Path) -> None:
        self.asked: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(archive.read_bytes())

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def listener(served: Project) -> Iterator[Listener]:
    server = Listener(served.folder / "model-store" / "ncf-1.1.mar")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A folder with a handler that creates the file `mark` when it is imported."""
    folder = tmp_path / "evil"
    folder.mkdir()
    (folder / "evil.py").write_text(LEAVES_A_MARK.format(mark=str(tmp_path / "mark")))
    return folder


def register(served: Project, url: str, **more: str) -> httpx.Response:
    """Registers as curl does; `url` is sent unchanged, including percent signs."""
    query = "&".join(f"{name}={value}" for name, value in {"model_name": "evil", "handler": "evil.py", **more}.items())
    return plain_http.post(f"{served.settings.management}/models?url={url}&{query}")


def register_by_json(served: Project, url: str) -> httpx.Response:
    body = {"url": unquote(url), "model_name": "evil", "handler": "evil.py", "initial_workers": 1, "synchronous": True}
    return plain_http.post(f"{served.settings.management}/models", json=body)


def register_by_grpc(served: Project, url: str) -> bytes:
    """RegisterModelRequest {handler = 2, model_name = 5, url = 9}, on the wire: a tag, a length, the text.

    Raises:
        grpc.RpcError: the server refused.
    """
    fields = {2: b"evil.py", 5: b"evil", 9: url.encode()}
    assert len(url) < 128  # so that one byte holds the length
    message = b"".join(bytes([number << 3 | 2, len(text)]) + text for number, text in fields.items())
    with grpc.insecure_channel(f"127.0.0.1:{served.ports['7071']}") as channel:
        method = "/org.pytorch.serve.grpc.management.ManagementAPIsService/RegisterModel"
        answer: bytes = channel.unary_unary(method)(message, timeout=120)
        return answer


def models(served: Project) -> set[str]:
    listed = plain_http.get(f"{served.settings.management}/models").json()
    return {one["modelName"] for one in listed["models"]}


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "FILE:///etc/passwd", "file:/etc/passwd", "fil:///etc/passwd", "/etc/passwd"),
        *(
            "file:///etc/",
            "/etc",
            "%20/etc",
            "%0A/etc",
            "//etc",
            "file://localhost/etc/passwd",
            "jar:file:/etc/passwd!/x",
        ),
        *("../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%252e%252e%252fetc%252fpasswd"),
        *("..%5c..%5cetc%5cpasswd", "../model-store/ncf-1.1.mar", "..%2fmodel-store%2fncf-1.1.mar"),
        *("model-store", "handler", ".", "%2e", "", "starts-with", "passwd", "ncf-1.1.mar%00", "no-such.mar"),
        *("s3://bucket/other.mar", "ftp://127.0.0.1/x.mar", "https://127.0.0.1/x.mar"),
    ],
)
def test_only_archives_of_the_store_can_be_registered(served: Project, url: str) -> None:
    for answer in (register(served, url), register_by_json(served, url)):
        assert answer.status_code >= 400
        assert "root:" not in answer.text
    assert models(served) == {"ncf"}
    scratch = Path(json.loads((served.folder / ".run" / "server.json").read_text())["scratch"])
    assert not [path for path in scratch.rglob("*") if path.name == "passwd" or path.resolve() == Path("/etc")]
    assert not (served.folder / "model-store" / "passwd").exists()


def test_nothing_is_fetched_from_another_host(served: Project, listener: Listener) -> None:
    port = listener.server_port
    for scheme in ("http", "HTTP", "%20http", "url:http", "https", "ftp"):
        url = f"{scheme}://127.0.0.1:{port}/x.mar"
        assert register(served, url).status_code >= 400
        assert register_by_json(served, url).status_code >= 400
    workflow = {"url": f"http://127.0.0.1:{port}/x.war", "workflow_name": "evil"}
    answer = plain_http.post(f"{served.settings.management}/workflows", params=workflow)
    assert "does not match any allowed URL" in answer.text
    assert listener.asked == []
    assert plain_http.get(f"http://127.0.0.1:{port}/").is_success  # this server does answer
    assert not list((served.folder / "model-store").glob("x.*"))


def test_a_folder_of_the_host_is_not_run(served: Project, evil: Path) -> None:
    inside = served.folder / "model-store" / "evil"
    shutil.copytree(evil, inside)
    named_like_one = shutil.copytree(evil, evil.with_name("a:b"))
    try:
        for url in (str(evil), str(evil.parent), f"%0A{evil}", f"{evil}/", str(named_like_one), str(inside), "evil"):
            assert register(served, url, initial_workers="1", synchronous="true").status_code >= 400
            assert register_by_json(served, url).status_code >= 400
    finally:
        shutil.rmtree(inside)
    for url in (
        str(evil),
        "evil",
        "/etc",
        "file:///etc/passwd",
        "../model-store/ncf-1.1.mar",
        "http://127.0.0.1:1/x.mar",
    ):
        with pytest.raises(grpc.RpcError):
            register_by_grpc(served, url)
    register_by_grpc(served, "ncf-1.1.mar")  # this shows that the message is well-formed
    assert models(served) == {"ncf", "evil"}
    plain_http.delete(f"{served.settings.management}/models/evil")
    assert models(served) == {"ncf"}
    assert not (evil.parent / "mark").exists()


def test_the_workflow_api_finds_no_archive(served: Project, evil: Path) -> None:
    store = served.folder / "model-store"
    with zipfile.ZipFile(store / "evil.war", "w") as war:
        war.write(evil / "evil.py", "evil.py")
        war.writestr("spec.yaml", "models:\n    m:\n        url: ncf-1.1.mar\ndag:\n    pre: [m]\n")
        facts = {"workflowName": "evil", "specFile": "spec.yaml", "handler": "evil.py"}
        told = {"createdOn": "now", "archiverVersion": "0.2.12", "runtime": "python", "workflow": facts}
        war.writestr("WAR-INF/MANIFEST.json", json.dumps(told))
    try:
        for url in ("evil.war", str(store / "evil.war"), f"file://{store}/evil.war", "../model-store/evil.war", ""):
            query = {"url": url, "workflow_name": "evil"}
            answer = plain_http.post(f"{served.settings.management}/workflows", params=query)
            assert answer.status_code >= 400, url
    finally:
        (store / "evil.war").unlink()
    assert plain_http.get(f"{served.settings.management}/workflows").json()["workflows"] == []
    assert models(served) == {"ncf"}
    assert not (evil.parent / "mark").exists()


def test_link_in_the_store_is_refused_by_make_though_torchserve_follows_it(served: Project, tmp_path: Path) -> None:
    """Users with write access to the store decide what is served: TorchServe itself follows links."""
    store = served.folder / "model-store"
    outside = shutil.copy2(store / "ncf-1.1.mar", tmp_path / "x.mar")
    (store / "ncf-9.0.mar").symlink_to(outside)
    try:
        said = served.make("register", "VERSION=9.0", check=False)
        assert f"a link to {outside}, outside the model store" in said
        assert register(served, "ncf-9.0.mar", initial_workers="0").status_code == 200
        plain_http.delete(f"{served.settings.management}/models/evil")
    finally:
        (store / "ncf-9.0.mar").unlink()


def test_an_archive_that_was_changed_is_not_registered(served: Project) -> None:
    store = served.folder / "model-store"
    shutil.copy2(store / "ncf-1.1.mar", store / "ncf-9.1.mar")
    with zipfile.ZipFile(store / "ncf-9.1.mar", "a") as archive:
        archive.writestr("sitecustomize.py", "")
    try:
        said = served.make("register", "VERSION=9.1", check=False)
        assert "ncf-9.1.mar: sitecustomize.py: not in SHA256SUMS" in said
        assert {one["version"] for one in served.client.versions()} == {"1.0"}
    finally:
        (store / "ncf-9.1.mar").unlink()
