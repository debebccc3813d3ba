"""The download is complete and checked, or leaves nothing; a local server stands in for the repository."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from train.dataset.download import KMRD_FILES, download_kmrd, main
from train.dataset.folder import whole_folder
from train.errors import DataError

BODIES = {name: f"the bytes of {name}\n".encode() * 3 for name in KMRD_FILES}
DIGEST = hashlib.sha256(BODIES["rates.csv"]).hexdigest()


class Server(HTTPServer):
    """Serves BODIES. `fault` damages peoples.txt, the last file, so that all other files were downloaded before."""

    fault = ""
    requests = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        name = self.path.removeprefix("/small/")
        spoilt = name == "peoples.txt"
        if name not in BODIES or (spoilt and self.server.fault == "404"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODIES[name])))
        self.end_headers()
        cut = spoilt and self.server.fault == "cut"
        self.wfile.write(BODIES[name][:10] if cut else BODIES[name])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with Server(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield http
        http.shutdown()
        thread.join()


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/small"


def test_all_files_are_downloaded_only_once(server: Server, tmp_path: Path) -> None:
    assert download_kmrd(tmp_path / "kmrd", url(server), DIGEST)
    assert {path.name: path.read_bytes() for path in (tmp_path / "kmrd").iterdir()} == BODIES
    asked = server.requests
    assert not download_kmrd(tmp_path / "kmrd", url(server), DIGEST)
    assert server.requests == asked


@pytest.mark.parametrize(
    ("fault", "digest", "message"),
    [
        ("404", DIGEST, r"peoples\.txt: the server answered 404 Not Found"),
        ("cut", DIGEST, r"peoples\.txt: cut short"),
        ("", "0" * 64, rf"rates\.csv from .*: SHA-256 is {DIGEST}; allowed is 0000"),
    ],
)
def test_failed_download_leaves_no_files(server: Server, tmp_path: Path, fault: str, digest: str, message: str) -> None:
    server.fault = fault
    with pytest.raises(DataError, match=message):
        download_kmrd(tmp_path / "kmrd", url(server), digest)
    assert list(tmp_path.iterdir()) == []


def test_folder_with_other_content_is_not_changed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("mine")
    with pytest.raises(DataError, match="already exists, with other content"):
        download_kmrd(tmp_path, url(server), DIGEST)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    assert server.requests == 0


def test_without_a_network_one_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert main([str(tmp_path / "kmrd"), "--url", f"http://127.0.0.1:{closed_port()}"]) == 2
    said = capsys.readouterr().err
    for part in (
        "rates.csv: cannot be downloaded",
        "Connection refused",
        "DATA=folder",
        "embedded data set",
        "peoples.txt",
    ):
        assert part in said
    assert "Traceback" not in said


def test_an_invalid_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be downloaded"):
        download_kmrd(tmp_path / "kmrd", "nowhere")


def test_folder_is_unchanged_if_its_replacement_fails(tmp_path: Path) -> None:
    target = tmp_path / "set"
    target.mkdir()
    (target / "old").touch()

    def fail_half_way() -> None:
        with whole_folder(target, replaceable=True) as folder:
            (folder / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    with pytest.raises(FileNotFoundError), whole_folder(target, replaceable=True) as folder:
        folder.rmdir()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["set", "set/old"]
