"""Text in any dialect is read; ids are integers only if this loses nothing, else strings."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from train.readers import ReadingRules, load_ratings, text_rows

HEADER = "user_id,movie_id,rating\n"
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")
IDS = st.text(CHARACTERS, min_size=1).map(str.strip).filter(bool)
MAX_INT64 = 9223372036854775807


def read_csv(folder: Path, content: str) -> pd.DataFrame:
    path = folder / "r.csv"
    path.write_bytes(content.encode())
    return load_ratings(path).ratings


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffuser_id,movie_id,rating\n7,0,8\n0,5,10\n",
        "user_id,movie_id,rating\r\n7,0,8\r\n0,5,10\r\n\r\n",
        '"user_id","movie_id","rating"\n"7","0","8"\n"0","5","10"',
        '\nrating,note,movie_id,user_id\n8,"a, ""b""\nc",0,7\n\n10.0,,5,0\n\n',
    ],
    ids=["bom", "crlf", "quoted", "order, notes, blanks"],
)
def test_dialect_of_a_csv_does_not_change_the_data(tmp_path: Path, content: str) -> None:
    assert read_csv(tmp_path, content).to_numpy().tolist() == [[7, 0, 8], [0, 5, 10]]


def test_quoted_line_break_may_be_in_any_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_rows, "_PYARROW_BYTES", 64)
    rows = "".join(f'{n},m,{n % 10},"note\n{n}, and\nmore"\n' for n in range(300))
    assert read_csv(tmp_path, HEADER[:-1] + ",note\n" + rows)["user_id"].tolist() == list(range(300))


@pytest.mark.parametrize(
    ("ids", "integers"),
    [
        (["0", "-5", str(MAX_INT64), str(-MAX_INT64 - 1)], True),
        (["1", "007"], False),
        (["1", "+2"], False),
        (["1", "-0"], False),
        (["1", "0x1f"], False),
        (["1", str(MAX_INT64 + 1)], False),
        (["1", "NA", "null", "é", "٣"], False),
    ],
)
def test_ids_are_integers_only_if_all_are_canonical(tmp_path: Path, ids: list[str], integers: bool) -> None:
    column = read_csv(tmp_path, HEADER + "".join(f"{i},m{i},{n}\n" for n, i in enumerate(ids)))["user_id"]
    assert pd.api.types.is_integer_dtype(column) == integers
    assert column.astype(str).tolist() == ids


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(IDS, min_size=2))
def test_any_string_id_is_read_unchanged(tmp_path: Path, ids: list[str]) -> None:
    quoted = ['"' + i.replace('"', '""') + '"' for i in ids]
    path = tmp_path / "r.csv"
    path.write_bytes((HEADER + "".join(f"{i},x,{n}\n" for n, i in enumerate(quoted))).encode())
    ratings = load_ratings(path, ReadingRules(user_ids="string")).ratings
    assert ratings["user_id"].astype(str).tolist() == ids
