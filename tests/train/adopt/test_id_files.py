import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.train.adopt.conftest import USERS
from train.adopt.id_columns import Side
from train.adopt.id_files import NetworkIds, read_network_ids
from train.dataset.reading import Reading
from train.errors import DataError
from train.readers import names

SIDE = Side("users", "user", names.USER)


def rows_by_id(path: Path, side: Side = SIDE, header: bool = True) -> dict[int | str, int]:
    found = read_network_ids(path, side, header, Reading())
    return dict(zip(found.ids.raw(np.arange(len(found.ids))), found.rows.tolist(), strict=True))


def shuffled() -> pd.DataFrame:
    return pd.DataFrame({"row": range(len(USERS)), "user_id": USERS}).sample(frac=1, random_state=1)


WRITERS: dict[str, Callable[[Path], object]] = {
    "position.csv": lambda path: path.write_text("user_id\n" + "\n".join(map(str, USERS))),
    "column.csv": lambda path: shuffled().to_csv(path, index=False),
    "column.tsv": lambda path: shuffled().to_csv(path, index=False, sep="\t"),
    "pandas.csv": lambda path: shuffled().set_axis(["user_idx", "userId"], axis=1).to_csv(path, index=False),
    "position.json": lambda path: path.write_text(json.dumps(USERS)),
    "object.json": lambda path: path.write_text(json.dumps({str(raw): row for row, raw in enumerate(USERS)})),
    "objects.json": lambda path: path.write_text(shuffled().to_json(orient="records")),
    "lines.jsonl": lambda path: path.write_text(shuffled().to_json(orient="records", lines=True)),
    "index.csv": lambda path: shuffled().set_index("row").rename_axis(None).to_csv(path),
    "numbers.csv": lambda path: path.write_text("\n".join(map(str, USERS))),
    "numbers.txt": lambda path: path.write_text("\n".join(map(str, USERS))),
    "column.parquet": lambda path: shuffled().to_parquet(path),
    "position.npy": lambda path: np.save(path, np.array(USERS)),
    "strings.npy": lambda path: np.save(path, np.array(list(map(str, USERS)))),
}


@pytest.mark.parametrize("name", WRITERS)
def test_ids_are_read_in_any_order_from_any_format(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    assert rows_by_id(tmp_path / name) == {raw: row for row, raw in enumerate(USERS)}


def test_strings_stay_strings(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user_id\n007\n12\nzoë\n")
    assert rows_by_id(tmp_path / "users.csv") == {"007": 0, "12": 1, "zoë": 2}


def test_a_row_of_nobody_is_left_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "users.json").write_text("[null, 5, 3]")
    assert rows_by_id(tmp_path / "users.json") == {5: 1, 3: 2}


def test_a_file_without_a_header_is_one_of_ids(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("ann\nbob\n")
    assert rows_by_id(tmp_path / "users.csv", header=False) == {"ann": 0, "bob": 1}
    with pytest.raises(DataError, match=r'users\.csv:1: "ann" may be a column name or an id: .*--no-header'):
        read_network_ids(tmp_path / "users.csv", SIDE, True, Reading())


def test_columns_without_a_header_are_named_by_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("1,5\n0,3\n")
    assert rows_by_id(tmp_path / "users.csv", Side("users", "user", names.USER, "2", "1")) == {5: 1, 3: 0}


def test_columns_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("place,who\n1,5\n0,3\n")
    assert rows_by_id(tmp_path / "users.csv", Side("users", "user", names.USER, "who", "place")) == {5: 1, 3: 0}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "user_id\n5\n6\n5\n", r"a\.csv:4: user id 5 occurs a second time, first at a\.csv:2"),
        ("a.json", '{"5": 1, "6": 1}', r'a\.json, "6": row 1 occurs a second time, first at a\.json, "5"'),
        ("a.json", '{"5": -1}', r'a\.json, "5": row -1; allowed is 0 or more'),
        ("a.json", "[1.5]", r"a\.json, item 1: got 1\.5; allowed are integers and strings"),
        ("a.json", "[]", r"a\.json: contains no users"),
        ("a.json", f"[{2**63}, 1]", r"a\.json, item 1: id 9223372036854775808 does not fit 64 bits"),
        ("a.json", "[", r"a\.json"),
        ("a.json", '{"5": "1"}', r'a\.json, "5": the row is "1"; allowed are whole numbers, such as {"5": 0}'),
        ("a.json", f'{{"5": {2**64 - 1}}}', r'a\.json, "5": row 18446744073709551615; allowed is 0 or more, within 64'),
        ("a.csv", "5,0\n6,1\n", r"a\.csv: got 2 columns and no header line: .* --user-column 1 --user-row-column 2"),
        ("a.csv", "row,what\n0,5\n", r"a\.csv: no column of users; found: row, what; name it with --user-column"),
        ("a.csv", "row,user_id\n0,5\nx,6\n", r'a\.csv:3: row "x" is not a whole number'),
        ("a.csv", "row,user_id\n0,5\n1,\n", r"a\.csv:3: user_id is empty"),
    ],
)
def test_an_id_file_that_cannot_be_used_is_told(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=told):
        read_network_ids(tmp_path / name, SIDE, True, Reading())


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "users.npy", np.array(["ann", 5], dtype=object))
    with pytest.raises(DataError, match=r"users\.npy: cannot be read as an array of integers or strings"):
        read_network_ids(tmp_path / "users.npy", SIDE, True, Reading())


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--users: .*none\.csv: no such file"):
        read_network_ids(tmp_path / "none.csv", SIDE, True, Reading())


def test_ids_are_ascending_in_the_map(tmp_path: Path) -> None:
    np.save(tmp_path / "users.npy", np.array(USERS))
    found: NetworkIds = read_network_ids(tmp_path / "users.npy", SIDE, True, Reading())
    assert found.ids.ids.tolist() == sorted(USERS)
