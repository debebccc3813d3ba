"""Training by several processes: the number of this process, its share of the work, and the exchange of results.

`torchrun --nproc-per-node N -m train` starts N processes that run the same program on the same ratings. They
communicate by gloo between processors and by NCCL between GPUs. Each process does its share and receives the others'
results, so all of them hold the same model. With one process, every function here returns what it was given.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist

# Imported before the processes are joined, and not later by an optimizer: its functions take the group of that moment
# for a default and would keep it past stop(), and a process that leaves while gloo's threads run may end by abort.
import torch.distributed.nn
from torch import Tensor

_LOOK_EVERY_S = 0.5


def start() -> None:
    """Joins the group of processes, if torchrun started this one.

    Raises:
        ValueError: this host has fewer GPUs than processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        if torch.cuda.is_available():
            _check_number(int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count())
            torch.cuda.set_device(device())
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def end_with_torchrun() -> None:
    """From now on this process ends once torchrun has, if torchrun started it.

    A torchrun that was killed cannot end its processes. They would go on, beside a run that resumes.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return
    torchrun = os.getppid()

    def watch() -> None:
        while os.getppid() == torchrun:
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="watch torchrun", daemon=True).start()


def _check_number(processes: int, gpus: int) -> None:
    if processes > gpus:
        told = f"PROCESSES: got {processes} processes for the GPUs of this host, allowed: {gpus}, one for each GPU"
        raise ValueError(f"{told}; CUDA_VISIBLE_DEVICES= trains on the processor")


def stop() -> None:
    """Leaves the group."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """The number of this process, 0 to world() - 1. Process 0 writes and prints."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """The number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def device() -> torch.device:
    """The device of the training: this process's GPU, or the processor if there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


def quiet() -> bool | None:
    """The value for tqdm's `disable`: only process 0 shows a bar, and only on a terminal."""
    return True if rank() else None


def bounds(start: Tensor, total: int) -> list[int]:
    """The first entity of each process, (world() + 1,). All processes get about the same number of ratings.

    start (N,) ascending: where each entity's ratings begin among `total`.
    """
    if world() == 1:
        return [0, len(start)]
    # An entity costs something without ratings too: its K x K system stands for a few.
    cost = start + 8 * torch.arange(len(start), device=start.device)
    wanted = (total + 8 * len(start)) * torch.arange(1, world(), device=start.device) // world()
    return [0, *torch.searchsorted(cost, wanted).tolist(), len(start)]


def share(rows: Tensor) -> Tensor:
    """This process's part of the rows of a batch."""
    return rows if world() == 1 else rows.tensor_split(world())[rank()]


def gather_rows(part: Tensor, ends: Sequence[int]) -> Tensor:
    """All processes' rows, in the order of their numbers; process p's are ends[p] to ends[p + 1]."""
    if world() == 1:
        return part
    whole = part.new_empty(ends[-1], *part.shape[1:])
    whole[ends[rank()] : ends[rank() + 1]] = part
    for number in range(world()):
        if ends[number + 1] > ends[number]:
            dist.broadcast(whole[ends[number] : ends[number + 1]], number)
    return whole


def reduce_sum(value: Tensor) -> Tensor:
    """The sum over processes, in place."""
    if world() > 1:
        dist.all_reduce(value)
    return value


def reduce_gradients(parameters: Iterable[Tensor]) -> None:
    """Sums every parameter's gradient over processes, in one message."""
    if world() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = reduce_sum(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, summed in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(summed.view_as(gradient))


def agree(value: Tensor) -> Tensor:
    """Number 0's value for all, in place: processors that round differently must not decide differently."""
    if world() > 1:
        dist.broadcast(value, 0)
    return value


def agree_on(number: float) -> float:
    """The same of one number."""
    return number if world() == 1 else float(agree(torch.tensor(number, dtype=torch.float64, device=device())))


def all_have(something: bool) -> bool:
    """Whether every process has it."""
    if world() == 1:
        return something
    return int(reduce_sum(torch.tensor(int(something), device=device()))) == world()


def seed_dropout(seed: int) -> None:
    """Gives each process but number 0 random numbers of its own, once the parameters are drawn."""
    if rank():
        torch.manual_seed(seed + 1_000_003 * rank())
