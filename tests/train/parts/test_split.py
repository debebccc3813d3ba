"""The splits by parts hold out what those of a training without parts do, but for equal times and chance."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from model.ids import IdMap
from tests.e2e.project import free_ports
from train.__main__ import parse_options
from train.dataset.tensors import Ratings
from train.factors.drift import popularity_by_time, popularity_of
from train.parts import load
from train.parts.config import PartsConfig
from train.parts.group import Group
from train.parts.largest import ascending_keys, nth_largest
from train.parts.load import Part, load_parts
from train.parts.newness import seen_since
from train.prepared.folder import PreparedFolder
from train.prepared.prepare import prepare
from train.readers import ReadingRules
from train.splitting import split_as_asked

DAYS = 9  # so few that hundreds of ratings share their time with the first one that is held out


@pytest.fixture(scope="module")
def timed(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ratings with times: all different ones."""
    frame = pd.read_csv(small_file)
    random = np.random.default_rng(0)
    return written(frame.assign(timestamp=86_400 * random.permutation(len(frame))), tmp_path_factory.mktemp("timed"))


@pytest.fixture(scope="module")
def by_day(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ratings with times: a few days, some of them before 1970."""
    frame = pd.read_csv(small_file)
    days = np.random.default_rng(1).integers(-2, DAYS - 2, len(frame))
    return written(frame.assign(timestamp=86_400 * days), tmp_path_factory.mktemp("by-day"))


def written(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_csv(folder / "ratings.csv", index=False)
    return folder / "ratings.csv"


def parts_of(data: Path, out: Path, *options: str) -> list[Part]:
    """The parts of prepared ratings, of which `options` hold out some."""
    prepare(data, ReadingRules(), None, out, show=False)
    return loaded(parse_options(["--data", str(out), *options], PartsConfig), Group())


def loaded(config: PartsConfig, group: Group) -> list[Part]:
    folder = PreparedFolder(config.data)
    return load_parts(folder, IdMap(folder.items()), config, group).parts


def held_out(parts: list[Part], item_ids: np.ndarray) -> set[tuple[int, int, float]]:
    """Raw ids and ratings."""
    return {
        (int(user), int(item), float(rating))
        for part in parts
        for user, item, rating in zip(
            part.rows.users[part.rows.owner[part.held_out]],
            item_ids[part.rows.item[part.held_out]],
            part.rows.rating[part.held_out],
            strict=True,
        )
    }


@pytest.mark.parametrize("kind", ["time", "time-per-user", "leave-last-out"])
def test_a_split_by_time_holds_out_what_a_training_without_parts_does(timed: Path, tmp_path: Path, kind: str) -> None:
    options = ["--split", kind, "--test-size", "0.15"]
    config = parse_options(["--data", str(timed), *options], PartsConfig)
    theirs = split_as_asked(config, config.read(timed, None)).held_out
    assert theirs is not None
    found = parts_of(timed, tmp_path / "prepared", *options)
    ours = held_out(found, PreparedFolder(tmp_path / "prepared").items())
    assert ours == set(theirs[["user_id", "movie_id", "rating"]].itertuples(index=False, name=None))
    assert sum(int(part.held_out.sum()) for part in found) == len(theirs)


def test_of_equal_times_exactly_as_many_are_held_out_as_are_wanted(by_day: Path, tmp_path: Path) -> None:
    parts = parts_of(by_day, tmp_path / "prepared", "--split", "time")
    frame = pd.read_csv(by_day)
    ours = held_out(parts, PreparedFolder(tmp_path / "prepared").items())
    assert sum(int(part.held_out.sum()) for part in parts) == int(np.ceil(0.2 * len(frame)))
    rows = frame[["user_id", "movie_id", "rating"]].itertuples(index=False, name=None)
    frame["held_out"] = [row in ours for row in rows]
    days = frame.groupby("timestamp")["held_out"].mean()
    assert sorted(days) == days.tolist()
    torn = days[(days > 0) & (days < 1)]
    assert len(torn) == 1


def test_the_new_users_keep_as_many_ratings_as_are_given(timed: Path, tmp_path: Path) -> None:
    parts = parts_of(timed, tmp_path / "prepared", "--split", "users", "--given", "4", "--test-size", "0.3")
    new, candidates = 0, 0
    for part in parts:
        count = np.diff(part.rows.start)
        held = np.bincount(part.rows.owner[part.held_out], minlength=len(count))
        assert set((count - held)[held > 0].tolist()) <= {4}
        new, candidates = new + int((held > 0).sum()), candidates + int((count > 4).sum())
    assert candidates == 300
    assert 0.2 * candidates < new < 0.4 * candidates


def test_what_is_measured_does_not_depend_on_what_is_held_out(
    by_day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a torn day the ratings with the highest hashes are held out; measured are as many of them as of others."""
    monkeypatch.setattr(load, "_MEASURED", 470)
    parts = parts_of(by_day, tmp_path / "prepared", "--split", "time")
    items = PreparedFolder(tmp_path / "prepared").items()
    ours = held_out(parts, items)
    assert len(ours) == 940
    measured = {
        (int(part.rows.users[user]), int(items[item]), float(rating))
        for part in parts
        for user, item, rating in zip(*part.measured, strict=True)
    }
    assert measured < ours
    frame = pd.read_csv(by_day)
    last = frame[frame["timestamp"] == frame["timestamp"].max()]
    whole_day = set(last[["user_id", "movie_id", "rating"]].itertuples(index=False, name=None))
    shares = [len(measured & rows) / len(rows) for rows in (ours & whole_day, ours - whole_day)]
    assert shares == pytest.approx([0.5, 0.5], abs=0.08)


@pytest.mark.parametrize("world", [2, 4])
def test_the_split_does_not_depend_on_the_number_of_processes(by_day: Path, tmp_path: Path, world: int) -> None:
    alone = parts_of(by_day, tmp_path / "prepared", "--split", "time")
    config = PartsConfig(data=tmp_path / "prepared", split="time")
    [port] = free_ports(1)

    def one_of(rank: int) -> list[Part]:
        return loaded(config, Group(f"tcp://127.0.0.1:{port}", rank, world))

    with ThreadPoolExecutor(world) as threads:
        together = [part for parts in threads.map(one_of, range(world)) for part in parts]
    assert [part.number for part in together] == [part.number for part in alone]
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.held_out, other.held_out)
        assert all(map(np.array_equal, one.measured, other.measured))


def test_the_nth_largest_number_is_that_of_a_sort() -> None:
    random = np.random.default_rng(0)
    numbers = np.concatenate([random.normal(size=500), random.integers(-3, 3, 500), [0.0, -0.0, 1e300, -1e300]])
    keys = ascending_keys(numbers)
    assert np.array_equal(np.argsort(keys, kind="stable"), np.argsort(numbers, kind="stable"))
    descending = np.sort(keys)[::-1]
    for number in range(1, len(keys) + 1):
        found, left = nth_largest(np.array_split(keys, 3), number, Group())
        assert found == descending[number - 1]
        assert left == number - int((keys > found).sum())


def test_movies_are_as_new_as_without_parts() -> None:
    random = np.random.default_rng(2)
    movie, time = random.integers(0, 40, 500), random.permutation(500).astype(np.float64)
    movie[time > 470] += 40  # rated at the end alone, and so not before
    ratings = Ratings(torch.zeros(500).long(), torch.from_numpy(movie), torch.ones(500), torch.from_numpy(time))
    expected = popularity_by_time(ratings, 90)
    assert expected is not None
    cuts = [(item, when, slice(None)) for item, when in zip(np.split(movie, 4), np.split(time, 4), strict=True)]
    found = popularity_of(torch.bincount(ratings.movie_index, minlength=90), seen_since(cuts, 90, Group()))
    torch.testing.assert_close(found, expected)
    assert len(set(expected.tolist())) > 20
