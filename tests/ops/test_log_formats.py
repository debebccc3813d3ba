"""Both formats of the server's log give the same message about a failed start."""

from dataclasses import replace
from pathlib import Path

import pytest

from ops.process import console, server
from ops.process.state import ServerError
from ops.settings import read_settings
from tests.ops.queries import ROOT

TEXT = "2026-11-24T08:54:11,611 INFO  MODEL_LOG "
JSON = '{"time":"2026-11-24T08:55:02.369Z","level":"INFO","logger":"MODEL_LOG","thread":"W-9000","message":"'


@pytest.mark.parametrize(("before", "after"), [(TEXT, ""), (JSON, '","exception":""}')])
def test_the_reason_of_a_failed_load_is_found(tmp_path: Path, before: str, after: str) -> None:
    said = [
        "Load model failed: ncf",
        "Traceback (most recent call last):",
        "model.artifact.ArtifactError: digest differs",
    ]
    settings = replace(read_settings(ROOT / "config.properties", ROOT), folder=tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "console.log").write_text("".join(f"{before}{line}{after}\n" for line in said))
    assert console.load_failure(settings) == "ArtifactError: digest differs"


def test_an_unknown_log_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "xml")
    settings = replace(read_settings(ROOT / "config.properties", ROOT), folder=tmp_path)
    with pytest.raises(ServerError, match="LOG_FORMAT: got 'xml', allowed: text, json"):
        server.start(settings)


LEFT = "io.netty.channel.unix.Errors$NativeIoException: readAddress(..) failed: Connection reset by peer"


@pytest.mark.parametrize(
    "left",
    [
        f"2026-11-24T08:54:12,000 ERROR HttpRequestHandler \n{LEFT}\n",
        f'{{"level":"ERROR","logger":"HttpRequestHandler","message":"","exception":"{LEFT}"}}\n',
    ],
)
def test_a_client_that_left_is_no_error_of_the_server(tmp_path: Path, left: str) -> None:
    settings = replace(read_settings(ROOT / "config.properties", ROOT), folder=tmp_path)
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "ts.log"
    log.write_text(left)
    assert console.last_error(settings) is None
    fault = "2026-11-24T08:54:11,611 ERROR WorkerThread Backend worker died"
    log.write_text(f"{fault}\n{left}{left}")
    assert console.last_error(settings) == fault
    log.write_text(f"{left}{fault}\n")
    assert console.last_error(settings) == fault


def test_reason_of_an_error_may_stand_in_the_next_line(tmp_path: Path) -> None:
    settings = replace(read_settings(ROOT / "config.properties", ROOT), folder=tmp_path)
    (tmp_path / "logs").mkdir()
    line = "2026-11-24T08:54:12,000 ERROR HttpRequestHandler "
    (tmp_path / "logs" / "ts.log").write_text(f"{line}\njava.lang.Error: bad form\n\tat org.Some.line\n")
    assert console.last_error(settings) == f"{line}java.lang.Error: bad form"
