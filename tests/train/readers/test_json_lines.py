"""JSON Lines are read by field names; errors name the line."""

import json
from pathlib import Path

import pytest

from train.readers import DataError, load_ratings

ROWS = [[1, 10, 3.0], [2, 20, 4.5], [1, 20, 2.0]]


def test_one_odd_id_in_json_does_not_change_the_type_of_all(tmp_path: Path) -> None:
    users: list[int | str] = [*range(50), "NA"]
    lines = [json.dumps({"user_id": user, "movie_id": n % 7, "rating": n % 5}) for n, user in enumerate(users)]
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r'^r\.jsonl:51: user_id "NA" is not an integer \(7, not 007\), while 50 of 51'):
        load_ratings(tmp_path / "r.jsonl")


@pytest.mark.parametrize("as_array", [False, True])
def test_json_lines_are_read_by_field_names(tmp_path: Path, as_array: bool) -> None:
    objects = [{"userId": u, "rating": r, "item": {"10": "ten", "20": "two"}[str(m)]} for u, m, r in ROWS]
    text = json.dumps(objects) if as_array else "\n".join(map(json.dumps, objects)) + "\n"
    (tmp_path / "r.jsonl").write_text(text)
    data = load_ratings(tmp_path / "r.jsonl")
    assert data.ratings["movie_id"].tolist() == ["ten", "two", "two"]
    assert data.ratings["user_id"].tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"user_id": 1, "movie_id": 2', "r.jsonl:3: not JSON"),
        ("[1, 2]", "r.jsonl:3: got list; allowed is an object"),
        ('{"user_id": 1, "rating": 2}', "r.jsonl:3: movie_id is missing"),
        ('{"user_id": 1, "movie_id": 2, "rating": null}', "r.jsonl:3: rating is missing"),
        ('{"user_id": 1, "movie_id": [2], "rating": 1}', "r.jsonl: movie_id holds values of these types: int, list"),
        ('{"user_id": 1.5, "movie_id": 2, "rating": 1}', "r.jsonl:3: user_id 1.5 is not an id"),
    ],
)
def test_faulty_line_of_json_is_reported(tmp_path: Path, line: str, message: str) -> None:
    good = '{"user_id": 1, "movie_id": 2, "rating": 3}\n'
    (tmp_path / "r.jsonl").write_text(f"{good}\n{line}\n{good.replace('3', '4')}")
    with pytest.raises(DataError) as error:
        load_ratings(tmp_path / "r.jsonl")
    assert str(error.value).startswith(message)


def test_an_object_around_the_list_of_ratings_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps({"count": 1, "ratings": [{"user_id": 1, "movie_id": 2, "rating": 3}]}))
    told = 'r.json: the file is one object, with a list of objects in "ratings"; allowed are that list alone, or an'
    with pytest.raises(DataError) as error:
        load_ratings(tmp_path / "r.json")
    assert str(error.value).startswith(told)
