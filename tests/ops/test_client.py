"""What a person reads where a server does not answer, or does not have the version."""

from pathlib import Path

import pytest

from ops import page
from ops.client import ClientError
from ops.versions.checks import RolloutError
from ops.versions.rollback import roll_back_start
from tests.ops.management import Management, client_for, served


def test_a_version_that_is_not_registered_is_refused_with_those_that_are(tmp_path: Path) -> None:
    management = Management()
    management.versions |= {"1.10": 1, "1.9": 1}
    with served(management) as address:
        client = client_for(tmp_path, address)
        client.check_registered("1.9")
        with pytest.raises(ClientError, match=r"^version 7 is not registered; registered: 1\.0, 1\.9, 1\.10$"):
            client.check_registered("7")


def test_no_server_at_the_address_is_said_so(tmp_path: Path) -> None:
    with served(Management()) as address:
        client = client_for(tmp_path, address)
    with pytest.raises(ClientError, match=f"^nothing answers at {address}: `make serve` starts a server$"):
        client.versions()


def test_no_page_is_opened_where_no_server_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(Management()) as address:
        pass
    settings = f"inference_address={address}\nmanagement_address={address}\nmodel_store=model-store\n"
    (tmp_path / "config.properties").write_text(settings)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    with pytest.raises(SystemExit):
        page.main()
    assert capsys.readouterr() == ("", f"open: nothing answers at {address}: `make serve` starts a server\n")


def test_without_any_version_there_is_nothing_to_roll_back_to(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match=r"^nothing to roll back to: no version was served yet$"):
        roll_back_start(tmp_path)
