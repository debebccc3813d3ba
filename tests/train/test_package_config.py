"""Settings that a worker would end of are refused when they are packed."""

import re
from pathlib import Path

import pytest

from model.artifact import Artifact, save_artifact
from train.package import PackageConfig, main, package


@pytest.fixture
def config(artifact: Artifact, tmp_path: Path) -> PackageConfig:
    save_artifact(artifact, tmp_path / "ncf.pt")
    return PackageConfig("1.0", tmp_path / "ncf.pt", tmp_path / "store", tmp_path / "model-config.yaml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("handler: {unknown: maybe}", "handler.unknown: got 'maybe', allowed: answer, error"),
        ("handler: {max_top_k: 0}", "handler.max_top_k: got 0, allowed: an integer of at least 1"),
        ("handler: {max_topk: 5}", "handler.max_topk: no such setting, allowed: fast_wire, "),
        ("handler: 5", "handler: got 5, expected names with values"),
        ("batchSize: many", "batchSize: got 'many', allowed: an integer of at least 1"),
        ("maxBatchDelay: 0", "maxBatchDelay: got 0, allowed: an integer of at least 1"),
        ("- batchSize", "got list, expected names with values"),
        ("handler: {unknown: [", "no YAML: "),
    ],
)
def test_wrong_settings_are_not_packed(config: PackageConfig, text: str, reason: str) -> None:
    config.config.write_text(text)
    with pytest.raises(ValueError, match=re.escape(f"{config.config}: {reason}")):
        package(config)
    assert list(config.store.iterdir()) == []


def test_the_command_says_the_reason_in_a_line(config: PackageConfig, capfd: pytest.CaptureFixture[str]) -> None:
    config.config.write_text("handler: {unknown: maybe}")
    words = ["--artifact", str(config.artifact), "--store", str(config.store), "--config", str(config.config)]
    assert main(words) == 2
    assert capfd.readouterr().err == f"package: {config.config}: handler.unknown: got 'maybe', allowed: answer, error\n"


def test_settings_that_are_left_out_keep_their_defaults(config: PackageConfig) -> None:
    config.config.write_text("handler: {max_top_k: 5}")
    assert package(config).is_file()
