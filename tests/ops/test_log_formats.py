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
