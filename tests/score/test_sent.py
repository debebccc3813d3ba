"""`python -m score --ratings` and `--events`: lists for users by what they sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.artifact import Artifact, load_artifact, save_artifact
from model.asks import BestAnswer, BestAsk, FoldInAnswer, FoldInAsk
from model.predictor import Predictor
from tests.score.conftest import lists, score


def test_ratings_sent_along_count_for_new_users_and_known_ones(saved: Path) -> None:
    saved.with_name("new.csv").write_text(
        "user_id,movie_id,rating\n11242,10253,1\n5,3,9\n5,10102,2\n5,3,8\n11242,99,7\n"
    )
    assert score(saved, "--ratings", str(saved.with_name("new.csv")), "--top-k", "4") == 0
    found = lists(saved)
    assert {user_id: row["user_known"] for user_id, row in found.items()} == {5: False, 11_242: True}
    predictor = Predictor(load_artifact(saved))
    for user_id, sent in ((5, {3: 8.0, 10_102: 2.0}), (11_242, {10_253: 1.0})):
        inner = BestAsk(user_id, top_k=4, exclude_seen=True, rank_by="blend")
        [answer] = predictor.answer([FoldInAsk(inner, list(sent), list(sent.values()))])
        assert isinstance(answer, FoldInAnswer)
        assert isinstance(answer.answer, BestAnswer)
        assert found[user_id]["movie_ids"].tolist() == list(answer.answer.movie_ids)
        assert found[user_id]["ratings"].tolist() == pytest.approx(answer.answer.ratings.tolist(), abs=1e-5)


def test_events_sent_along_count_for_new_users_and_known_ones(saved: Path) -> None:
    saved.with_name("new.csv").write_text("user_id,movie_id,rating\n5,3,9\n8,10102,2\n")
    saved.with_name("clicks.csv").write_text("user_id,movie_id\n11242,10253\n5,10102\n6,3\n6,99\n")
    files = ("--ratings", str(saved.with_name("new.csv")), "--events", str(saved.with_name("clicks.csv")))
    assert score(saved, *files, "--top-k", "4") == 0
    assert score(saved, *files[2:], "--top-k", "4", "--part-users", "2", out="clicks.parquet") == 0
    both, clicks = lists(saved), lists(saved, "clicks.parquet")
    assert {user_id: row["user_known"] for user_id, row in both.items()} == {5: False, 6: False, 8: False, 11_242: True}
    assert list(clicks) == [5, 6, 11_242]
    predictor = Predictor(load_artifact(saved))
    cases = [(both, 5, {3: 9.0}, [10_102]), (both, 8, {10_102: 2.0}, []), (clicks, 5, {}, [10_102])]
    cases += [(found, user, {}, events) for found in (both, clicks) for user, events in ((6, [3]), (11_242, [10_253]))]
    for found, user_id, rated, events in cases:
        inner = BestAsk(user_id, top_k=4, exclude_seen=True, rank_by="blend")
        [answer] = predictor.answer([FoldInAsk(inner, list(rated), list(rated.values()) or None, events)])
        assert isinstance(answer, FoldInAnswer)
        assert isinstance(answer.answer, BestAnswer)
        assert found[user_id]["movie_ids"].tolist() == list(answer.answer.movie_ids)
        assert found[user_id]["scores"].tolist() == pytest.approx(answer.answer.scores.tolist(), abs=1e-5)


def test_version_without_an_interest_part_refuses_events(
    artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_artifact(artifact, tmp_path / "ncf.pt")
    (tmp_path / "clicks.csv").write_text("user_id,movie_id\n5,3\n")
    assert score(tmp_path / "ncf.pt", "--events", str(tmp_path / "clicks.csv")) == 2
    assert "--events: this version has no interest part" in capsys.readouterr().err


def test_guests_may_have_ids_of_another_type(saved: Path) -> None:
    saved.with_name("new.csv").write_text("user_id,movie_id,rating\nguest-b,3,9\nguest-a,10102,2\n")
    assert score(saved, "--ratings", str(saved.with_name("new.csv")), "--user-ids", "string") == 0
    assert list(lists(saved)) == ["guest-a", "guest-b"]
