"""Four processes give the same bits as one, and send each other what the formula says."""

import multiprocessing
from multiprocessing.connection import Connection

import numpy as np
import pytest
import torch

from tests.e2e.project import free_ports
from tests.waiting import DEADLINE_S
from train.factors.config import FactorsConfig
from train.factors.sweep import SweepData, start_state, sweep
from train.factors.user_part import UserPart, user_part
from train.parts.group import Group
from train.parts.tree import Tree

PARTS, ITEMS, WORLD, SWEEPS = 8, 3_000, 4, 3
FACTORS, CONFIG = 8, FactorsConfig()


def part(number: int) -> tuple[UserPart, torch.Tensor]:
    """A part and its target."""
    random = np.random.default_rng(number)
    user, item = np.sort(random.integers(0, 100, 2_000)), random.integers(0, ITEMS, 2_000)
    target = random.normal(size=2_000).astype(np.float32)
    return user_part(number, torch.from_numpy(user), torch.from_numpy(item), 100), torch.from_numpy(target)


def sweeps(group: Group) -> tuple[bytes, int]:
    """The items' means after a few sweeps, and the bytes that this process has sent."""
    torch.set_num_threads(1)
    count = torch.cat([part(number)[0].by_user.other for number in range(PARTS)]).bincount(minlength=ITEMS)
    parts = [part(number) for number in group.parts(PARTS)]
    targets = {one.number: (target, target[one.by_movie.order]) for one, target in parts}
    data = SweepData(Tree(group, PARTS), [one for one, _ in parts], count.float(), targets)
    state = start_state(data, (16.0, 1e6), FACTORS, CONFIG, 0, None)
    for _ in range(SWEEPS):
        sweep(state, data, CONFIG)
    return state.movie.mean.numpy().tobytes() + state.precision.numpy().tobytes(), group.sent


def one_of(rank: int, address: str, answer: Connection) -> None:
    answer.send(sweeps(Group(address, rank, WORLD)))


@pytest.fixture(scope="module")
def four() -> list[tuple[bytes, int]]:
    context = multiprocessing.get_context("spawn")
    [port] = free_ports(1)  # the system gives it to no client before it is bound, seconds later
    address = f"tcp://127.0.0.1:{port}"
    pipes = [context.Pipe(duplex=False) for _ in range(WORLD)]
    processes = [
        context.Process(target=one_of, args=(rank, address, theirs), daemon=True)
        for rank, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    try:
        assert all(ours.poll(DEADLINE_S) for ours, _ in pipes)
        return [ours.recv() for ours, _ in pipes]
    finally:
        for process in processes:
            process.terminate()


def test_four_processes_give_the_same_bits_as_one(four: list[tuple[bytes, int]]) -> None:
    alone, sent = sweeps(Group())
    assert {found for found, _ in four} == {alone}
    assert sent == 0


def test_processes_send_what_the_formula_says(four: list[tuple[bytes, int]]) -> None:
    size = FACTORS + 1
    triangle = size * (size + 1) // 2
    expected = 4 * ITEMS * (2 * triangle + 3 * size + 4) * (1 - 1 / WORLD) * WORLD * SWEEPS
    assert sum(sent for _, sent in four) == pytest.approx(expected, rel=0.02)
