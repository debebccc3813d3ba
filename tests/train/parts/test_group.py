"""Four processes give the same bits as one, and send each other what the formula says."""

import multiprocessing
from multiprocessing.connection import Connection

import numpy as np
import pytest
import torch

from train.factors.config import FactorsConfig
from train.parts.group import Group, free_port
from train.parts.rows import FitRows, fit_rows
from train.parts.sweep import Job, start_state, sweep
from train.prepared.folder import sorted_rows

PARTS, ITEMS, WORLD, SWEEPS = 8, 3_000, 4, 3
FACTORS, CONFIG = 8, FactorsConfig()


def part(number: int) -> FitRows:
    random = np.random.default_rng(number)
    user, item = random.integers(0, 100, 2_000), random.integers(0, ITEMS, 2_000).astype(np.int32)
    rows = sorted_rows(user, item, random.normal(size=2_000).astype(np.float32), None)
    return fit_rows(number, rows, np.ones(2_000, dtype=np.bool_))


def sweeps(group: Group) -> tuple[bytes, int]:
    """The items' means after a few sweeps, and the bytes that this process has sent."""
    torch.set_num_threads(1)
    count = sum(np.bincount(part(number).by_user.other.numpy(), minlength=ITEMS) for number in range(PARTS))
    parts = [part(number) for number in group.parts(PARTS)]
    targets = {one.number: (one.rating, one.rating[one.by_item.order]) for one in parts}
    job = Job(group, PARTS, parts, torch.from_numpy(np.asarray(count)).float(), targets)
    state = start_state(job, (16.0, 1e6), FACTORS, CONFIG, 0, None)
    for _ in range(SWEEPS):
        sweep(state, job, CONFIG, lambda: None)
    return state.item.mean.numpy().tobytes() + state.precision.numpy().tobytes(), group.sent


def one_of(rank: int, address: str, answer: Connection) -> None:
    answer.send(sweeps(Group(address, rank, WORLD)))


@pytest.fixture(scope="module")
def four() -> list[tuple[bytes, int]]:
    context = multiprocessing.get_context("spawn")
    address = f"tcp://127.0.0.1:{free_port('127.0.0.1')}"
    pipes = [context.Pipe(duplex=False) for _ in range(WORLD)]
    processes = [
        context.Process(target=one_of, args=(rank, address, theirs), daemon=True)
        for rank, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    try:
        assert all(ours.poll(200) for ours, _ in pipes)
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
