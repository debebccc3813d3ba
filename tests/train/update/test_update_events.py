"""An update adds events: to known users, and to users who are known by them alone."""

from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact, load_artifact, save_artifact
from model.asks import BestAnswer, BestAsk
from model.predictor import Predictor
from train.update.__main__ import main


@pytest.fixture
def saved(taste_artifact: Artifact, tmp_path: Path) -> Path:
    save_artifact(taste_artifact, tmp_path / "ncf.pt")
    return tmp_path / "ncf.pt"


def update(base: Path, out: Path, ratings: str, events: str, *options: str) -> int:
    out.parent.mkdir(exist_ok=True)
    new, clicks = out.parent / f"{out.name}.csv", out.parent / f"clicks-{out.name}.csv"
    new.write_text("user_id,movie_id,rating\n" + ratings)
    clicks.write_text("user_id,movie_id\n" + events)
    words = ["--ratings", str(new), "--events", str(clicks), "--base", str(base), "--out", str(out)]
    return main([*words, "--version", out.name, *options])


def events_of(artifact: Artifact, user_id: int) -> list[int]:
    [row] = artifact.user_ids.rows([user_id]).tolist()
    return list(artifact.movie_ids.raw(artifact.events.of_user(row)))


def test_new_events_join_known_and_new_users(
    saved: Path, taste_artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = int(taste_artifact.user_ids.ids[0])
    rated = taste_artifact.movie_ids.ids[taste_artifact.history.seen(0)].tolist()
    other = next(movie for movie in taste_artifact.movie_ids.ids.tolist() if movie not in rated)
    clicks = f"{user},{other}\n{user},{other}\n{user},{rated[0]}\n987654321,{other}\n987654322,555555\n"
    assert update(saved, tmp_path / "1.1", f"{user},{rated[0]},9\n", clicks) == 0
    assert "; 2 new events" in capsys.readouterr().out
    assert "**Events without ratings:** 2;" in (tmp_path / "1.1" / "MODEL_CARD.md").read_text(encoding="utf-8")
    found = load_artifact(tmp_path / "1.1" / "ncf.pt")
    assert events_of(found, user) == [other]
    assert events_of(found, 987_654_321) == [other]
    assert 987_654_322 not in found.user_ids.ids
    [answer] = Predictor(found).answer([BestAsk(987_654_321, top_k=3, exclude_seen=True, rank_by="blend")])
    assert isinstance(answer, BestAnswer)
    assert answer.user_known
    assert other not in answer.movie_ids


def test_next_update_keeps_events_until_the_movie_is_rated(
    saved: Path, taste_artifact: Artifact, tmp_path: Path
) -> None:
    first, second = taste_artifact.movie_ids.ids[:2].tolist()
    assert update(saved, tmp_path / "1.1", f"3,{second},9\n", f"987654321,{first}\n987654321,{second}\n") == 0
    # a new user before all others, and a new movie before all others, move every row
    more = f"-7,{first},9\n-7,-5,9\n987654321,{first},8\n"
    assert update(tmp_path / "1.1" / "ncf.pt", tmp_path / "1.2", more, f"-7,{second}\n") == 0
    found = load_artifact(tmp_path / "1.2" / "ncf.pt")
    assert events_of(found, 987_654_321) == [second]
    assert events_of(found, -7) == [second]


def test_update_by_events_alone_leaves_ratings_unchanged(saved: Path, taste_artifact: Artifact, tmp_path: Path) -> None:
    user, movie = (
        int(taste_artifact.user_ids.ids[0]),
        int(taste_artifact.movie_ids.ids[taste_artifact.history.seen(0)[0]]),
    )
    rating = float(taste_artifact.history.of_user(0).ratings[0])
    assert update(saved, tmp_path / "1.1", f"{user},{movie},{rating}\n", f"987654321,{movie}\n") == 0
    found = load_artifact(tmp_path / "1.1" / "ncf.pt")
    users = np.repeat(taste_artifact.user_ids.ids, len(taste_artifact.movie_ids))
    movies = np.tile(taste_artifact.movie_ids.ids, len(taste_artifact.user_ids))
    before, after = (
        Predictor(one).scorer.rate(one.user_ids.rows(users), one.movie_ids.rows(movies))
        for one in (taste_artifact, found)
    )
    assert (before == after).all()
    assert len(found.history.ratings) == len(taste_artifact.history.ratings)
    assert events_of(found, 987_654_321) == [movie]


def test_measured_model_does_not_see_events_of_held_out_ratings(
    saved: Path, taste_artifact: Artifact, tmp_path: Path
) -> None:
    movies = taste_artifact.movie_ids.ids[:4].tolist()
    rows = "".join(f"987654321,{movie},9,{day}\n" for day, movie in enumerate(movies))
    out = tmp_path / "1.1"
    (tmp_path / "new.csv").write_text("user_id,movie_id,rating,time\n" + rows)
    (tmp_path / "clicks.csv").write_text("user_id,movie_id\n" + "".join(f"987654321,{movie}\n" for movie in movies))
    words = ["--ratings", str(tmp_path / "new.csv"), "--events", str(tmp_path / "clicks.csv"), "--hold-out", "0.5"]
    assert main([*words, "--base", str(saved), "--out", str(out), "--version", "1.1"]) == 0
    measured, served = (load_artifact(out / name) for name in ("measured.pt", "ncf.pt"))
    assert events_of(measured, 987_654_321) == []
    assert len(measured.history.ratings) == len(served.history.ratings) - 2


def test_update_without_anything_new_is_refused(
    saved: Path, taste_artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    movie = int(taste_artifact.movie_ids.ids[0])
    assert update(saved, tmp_path / "1.1", f"3,{movie},9\n", f"987654321,{movie}\n3,{movie}\n") == 0
    assert update(tmp_path / "1.1" / "ncf.pt", tmp_path / "1.2", f"3,{movie},9\n", f"987654321,{movie}\n") == 2
    assert "already has a rating or an event of each pair" in capsys.readouterr().err
    assert not (tmp_path / "1.2").exists()


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ("1,999999\n", "none of its movies, such as 999999, is known; allowed are the movie ids of version 1.0"),
        ("ann,5\n", 'clicks-1.1.csv:2: user_id "ann" is not an integer'),
    ],
)
def test_unusable_events_are_one_line_and_nothing_is_written(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], events: str, said: str
) -> None:
    assert update(saved, tmp_path / "1.1", "3,1002,9\n", events) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "1.1").exists()
