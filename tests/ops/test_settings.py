"""Where every verb finds the server: config.properties, read as TorchServe reads it, and what overrides it."""

import json
import os
from pathlib import Path

import pytest

from ops.properties import parse_properties
from ops.settings import read_settings, stamp

CONFIG = """inference_address=http://127.0.0.1:8080
management_address=http://127.0.0.1:8081
metrics_address=http://127.0.0.1:8082
grpc_inference_port=7070
grpc_management_port=7071
model_store=model-store
"""


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("a=1", "a", "1"),
        ("a = 1 ", "a", "1 "),
        ("a : 1", "a", "1"),
        ("a 1", "a", "1"),
        ("  a=1", "a", "1"),
        ("a=1\na=2", "a", "2"),
        ("# a=0\n! a=3\na=1", "a", "1"),
        ("a=1,\\\n   2", "a", "1,2"),
        ("a=1\\\\\nb=2", "a", "1\\"),
        ("a\\=b=1", "a=b", "1"),
        ("a=\\u00e9\\t", "a", "é\t"),
        ("a=http://h:1", "a", "http://h:1"),
        ("a", "a", ""),
        ("a=1\r\nb=2", "b", "2"),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, name: str, value: str) -> None:
    assert parse_properties(text)[name] == value


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.properties"
    path.write_text(CONFIG)
    return path


def test_spaces_around_the_equals_sign_are_ignored(config: Path) -> None:
    config.write_text(CONFIG.replace("=", " = "))
    assert read_settings(config, config.parent, {}).inference == "http://127.0.0.1:8080"


def test_port_moves_all_five_addresses(config: Path) -> None:
    settings = read_settings(config, config.parent, {"PORT": "9090"})
    assert settings.inference == "http://127.0.0.1:9090"
    assert settings.management == "http://127.0.0.1:9091"
    assert settings.metrics == "http://127.0.0.1:9092"
    assert [port for _, port in settings.listens] == [9090, 9091, 9092, 9093, 9094]


@pytest.mark.parametrize("port", ["0", "65532", "http", "-1", "8080.5", "٣"])
def test_an_invalid_port_is_refused(config: Path, port: str) -> None:
    with pytest.raises(ValueError, match=r"^PORT: got .*, allowed: an integer from 1 to 65531$"):
        read_settings(config, config.parent, {"PORT": port})


def test_torchserves_own_variables_override_port_and_file(config: Path) -> None:
    own = {"TS_INFERENCE_ADDRESS": "http://0.0.0.0:1234", "PORT": "9090", "TS_GRPC_INFERENCE_PORT": "99"}
    settings = read_settings(config, config.parent, own)
    assert settings.inference == "http://127.0.0.1:1234"  # the address for a server that listens everywhere
    assert ("0.0.0.0", 1234) in settings.listens
    assert settings.management == "http://127.0.0.1:9091"
    assert settings.endpoints["grpc_inference_port"] == "99"


def note(config: Path, endpoints: dict[str, str]) -> None:
    (config.parent / ".run").mkdir()
    started = {"file": stamp(config), "endpoints": endpoints}
    (config.parent / ".run" / "server.json").write_text(json.dumps({"started_with": started}))


def test_a_running_server_is_found_where_it_was_started(config: Path) -> None:
    note(config, {"inference_address": "http://127.0.0.1:9090"})
    assert read_settings(config, config.parent, {}).inference == "http://127.0.0.1:9090"
    assert read_settings(config, config.parent, {"PORT": "7000"}).inference == "http://127.0.0.1:7000"


def test_edited_file_moves_the_next_start_and_not_the_running_server(config: Path) -> None:
    note(config, {"inference_address": "http://127.0.0.1:9090"})
    assert read_settings(config, config.parent, {}, starting=True).inference == "http://127.0.0.1:9090"
    os.utime(config, ns=(0, 0))
    assert read_settings(config, config.parent, {}, starting=True).inference == "http://127.0.0.1:8080"
    assert read_settings(config, config.parent, {}).inference == "http://127.0.0.1:9090"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"started_with": null}', '{"started_with": {"file": 1}}'])
def test_a_damaged_state_is_ignored(config: Path, text: str) -> None:
    (config.parent / ".run").mkdir()
    (config.parent / ".run" / "server.json").write_text(text)
    assert read_settings(config, config.parent, {}).inference == "http://127.0.0.1:8080"
