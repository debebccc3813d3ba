"""Debian's nginx with a configuration of ops/nginx, in its own folder, on its own ports, before a server or an echo."""

from __future__ import annotations

import getpass
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.project import ROOT, Project, free_ports
from tests.waiting import DEADLINE_S, wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
PAIR = {"user_id": 1, "movie_id": 2}
# Most requests of the tests come from one address.
NO_LIMIT = {"rate=100r/s": "rate=100000r/s"}
_MAIN = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running nginx: its ports by the names in the configuration, and a client that trusts its certificate."""

    folder: Path
    ports: Mapping[str, str]
    client: httpx.Client

    @property
    def certificate(self) -> Path:
        return self.folder / "ncf.pem"


@contextmanager
def run_nginx(config: str, folder: Path, changes: Mapping[str, str]) -> Iterator[Proxy]:
    """Runs ops/nginx/CONFIG with `changes` in its text, each of which must match; ends it by its PID."""
    text = (ROOT / "ops" / "nginx" / config).read_text()
    ports = dict(zip(("80", "443", "8090"), free_ports(3), strict=True))
    make_certificate(folder)
    usual = {
        "listen 80;": f"listen 127.0.0.1:{ports['80']};",
        "listen 443 ssl;": f"listen 127.0.0.1:{ports['443']} ssl;",
        "/etc/ssl/certs/": f"{folder}/",
        "/etc/ssl/private/": f"{folder}/",
        "listen 127.0.0.1:8090;": f"listen 127.0.0.1:{ports['8090']};",
        "/var/log/nginx/": f"{folder}/",
    }
    for old, new in usual.items():
        text = text.replace(old, new)
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=getpass.getuser()))
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    assert "warn" not in tested.stderr
    process = subprocess.Popen(command)
    try:
        port = ports["443" if "443" in config or "ssl" in text else "8090"]
        wait_until(lambda: is_open(int(port)), f"nginx listens on {port}")
        trusted = ssl.create_default_context(cafile=str(folder / "ncf.pem"))
        base = f"https://127.0.0.1:{port}" if "ssl" in text else f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base, verify=trusted, timeout=120, trust_env=False) as client:
            yield Proxy(folder, ports, client)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def upstream(served: Project) -> dict[str, str]:
    """The change of the configuration that points nginx to this server."""
    return {"127.0.0.1:8080": served.settings.inference.removeprefix("http://")}


@contextmanager
def run_before_echo(folder: Path) -> Iterator[tuple[Proxy, list[str]]]:
    """The proxy before a busy server, and the heads of the requests that arrive there."""
    heard: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = ""
            while not head.endswith("\r\n\r\n"):
                head += self.rfile.readline().decode()
            heard.append(head)
            self.wfile.write(b'HTTP/1.1 503 busy\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"code":503}')

    port = int(free_ports(1)[0])
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with run_nginx("ncf.conf", folder, {"127.0.0.1:8080": f"127.0.0.1:{port}"}) as running:
            yield running, heard
        server.shutdown()


def raw(proxy: Proxy, text: str) -> bytes:
    """Sends unchanged bytes over TLS; returns everything that comes back before the other side closes."""
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    plain = socket.create_connection(("127.0.0.1", int(proxy.ports["443"])), timeout=120)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        connection.sendall(text.encode())
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def assert_error(response: httpx.Response, code: int) -> None:
    """Checks for an error in the handler's format."""
    assert response.status_code == code, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"code", "type", "message"}
    assert body["code"] == code


def make_certificate(folder: Path) -> None:
    """A self-signed certificate for 127.0.0.1."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(folder / "ncf.key"), "-out", str(folder / "ncf.pem"), "-days", "1"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
