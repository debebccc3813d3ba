from pathlib import Path

import pytest

from bench.closed_loops import Spread
from bench.goals import Goal
from bench.load import Load
from bench.open_loop import OpenLoad
from bench.peers.kept import load_rounds, save_rounds
from bench.peers.measure import Round
from bench.peers.servers import OURS, SERVERS
from bench.peers.summary import Summary, best_rate, goals, rotated, summarize
from bench.peers.tables import report

PAIRS = {1: 100.0, 8: 500.0, 64: 1_000.0, 256: 800.0}


def one_round(times: float = 1.0, p99_ms: float = 5.0, kinds: tuple[str, ...] = ("columns",)) -> Round:
    loads = {f"pair/{number}": Load(number, rate * times, 1.0, 2.0, 1, 2) for number, rate in PAIRS.items()}
    loads |= {f"{kind}/8": Load(8, 300 * times, 1.0, 2.0, 0, 0) for kind in kinds}
    opened = {share: OpenLoad(500 * times, 1_000, 3, 1.0, p99_ms, 0.1) for share in ("0.25", "0.5")}
    return Round(2.0 * times, loads, opened, 0.5, 300.0)


def summary(times: float, p99_ms: float = 5.0, kinds: tuple[str, ...] = ("columns",)) -> Summary:
    found = summarize([one_round(times, p99_ms, kinds)])
    assert found is not None
    return found


def test_each_round_asks_all_servers_and_begins_with_another() -> None:
    orders = [rotated(["a", "b", "c"], turn) for turn in range(4)]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_summary_has_medians_ranges_and_sums_of_lost_requests() -> None:
    found = summarize([one_round(1), one_round(3, 9), one_round(2, 7), Round(error="did not start")])
    assert found is not None
    assert found.closed["pair/64"].answered_per_s == Spread(2_000, 1_000, 3_000)
    assert (found.closed["pair/64"].refused, found.closed["pair/64"].broken) == (3, 6)
    assert found.opened["0.5"].p99_ms == Spread(7, 5, 9)
    assert (found.opened["0.5"].failed, found.opened["0.5"].sent) == (9, 3_000)
    assert found.start_s.median == 4.0


def test_server_without_a_good_round_has_no_summary() -> None:
    assert summarize([Round(error="not installed")]) is None


def test_best_rate_is_over_kinds_and_connections() -> None:
    both = summary(1, kinds=("columns", "binary"))
    assert best_rate(both, "pair") == 1_000
    assert best_rate(both, "columns", "binary") == 300
    assert best_rate(both, "best") == 0


def test_each_goal_compares_with_the_best_peer() -> None:
    found = goals(
        {
            OURS: summary(4, 6.0, ("columns", "binary")),
            "triton": summary(2, 9.0, ("columns", "binary")),
            "stock": summary(1, 5.0, ()),
        }
    )
    assert [goal.figure for goal in found] == pytest.approx([2, 2, 2, 2, 2, 2, 2, 1.2, 8])
    assert [goal.met for goal in found] == [True, True, True, False, True, True, True, False, False]


@pytest.mark.parametrize(
    ("figure", "sign", "met"),
    [
        (1.3, ">=", True),
        (1.29, ">=", False),
        (1.29, "<", True),
        (1.3, "<", False),
        (1.3, "<=", True),
        (1.31, "<=", False),
    ],
)
def test_goal_is_met_on_the_right_side_of_its_bound(figure: float, sign: str, met: bool) -> None:
    assert Goal("", figure, sign, 1.3).met is met


def test_there_are_no_goals_without_ours_or_without_peers() -> None:
    assert goals({OURS: summary(1)}) == goals({"triton": summary(1)}) == []


def test_report_has_figures_goals_and_failed_rounds() -> None:
    found = {OURS: summary(2), "fastapi": summary(1)}
    text = report(found, goals(found), {OURS: [], "fastapi": [], "triton": ["FileNotFoundError: not installed"] * 2})
    assert "| one pair, 64 connections: times the best peer | 2.00 | >= 2 | met |" in text
    assert "| one pair, 256 connections: times the best peer | 2.00 | >= 2.5 | **missed** |" in text
    row = "| FastAPI + uvicorn | pair | 100 (1.00) | 500 (1.00) | 1,000 (1.00) | 800 (1.00) | 12 |"
    assert row in text
    assert text.count("Triton, 2 rounds: FileNotFoundError: not installed") == 1


def test_every_server_answers_pairs() -> None:
    assert OURS in SERVERS
    assert all("pair" in server.dialects for server in SERVERS.values())


def test_finished_rounds_load_only_for_the_same_servers_model_commit_and_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.peers.kept.KEPT", tmp_path / "bench" / "rounds.json")
    rounds = [{OURS: one_round(), "triton": Round(error="not installed")}]
    run = {"model": "a", "commit": "b", "seconds": 2}
    names = [OURS, "triton"]
    assert load_rounds(names, run) == []
    save_rounds(rounds, run)
    assert load_rounds(names, run) == rounds
    for others, other_run in (([OURS], run), (names, {**run, "seconds": 3}), (names, {**run, "model": "c"})):
        with pytest.raises(ValueError, match="run without --resume"):
            load_rounds(others, other_run)
