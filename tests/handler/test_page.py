"""The page goes to browsers alone, and to nobody where it is switched off."""

from collections.abc import Callable

import pytest

from tests.handler.conftest import Worker

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_the_page_and_other_clients_get_json(worker: Callable[..., Worker]) -> None:
    [page] = worker().replies({}, headers=BROWSER)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for headers in ({}, {"accept": "*/*"}, {"accept": "application/json"}):
        [got] = worker().replies({}, headers=headers)
        assert (got.status, got.headers["content-type"]) == (400, "application/json")


def test_a_browser_that_sends_a_body_gets_json(worker: Callable[..., Worker]) -> None:
    [got] = worker().replies({"body": b'{"search": ""}'}, headers=BROWSER)
    assert (got.status, got.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize("setting", [True, False])
def test_page_false_switches_the_page_off_and_nothing_else(worker: Callable[..., Worker], setting: bool) -> None:
    served = worker(page=setting)
    [page] = served.replies({}, headers=BROWSER)
    assert page.status == (200 if setting else 400)
    assert served.ask({"search": ""})[0][0] == 200
