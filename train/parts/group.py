"""The processes of a training by parts: what each sends to the others.

Everything is built on one exchange, in which each process sends a piece to each. No sum is left to the library, whose
order depends on the number of processes. The group is no default one of torch.distributed, so that what the first
process computes alone, with the code of a training in one process, needs no other.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor
from torch.distributed import ProcessGroupGloo
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

# A process may wait so long for the first one, which chooses and reports alone.
_PATIENCE = timedelta(hours=2)


class LostProcessError(RuntimeError):
    """Another process of the group has ended, so that this one cannot go on."""


class Group:
    """Process `rank` of `world`. `sent`: bytes that this process has sent to others."""

    def __init__(self, address: str | None = None, rank: int = -1, world: int = -1) -> None:
        """address: `env://` as torchrun sets it, or `tcp://host:port` of the first process; None is a group of one.

        Raises:
            LostProcessError: another process has ended before all have joined.
        """
        self.rank, self.world, self.sent = 0, 1, 0
        self._gloo: Any = None
        if address is None:
            return
        try:
            store, self.rank, self.world = next(iter(rendezvous(address, rank, world, timeout=_PATIENCE)))
            if self.world > 1:
                store = PrefixStore("ncf", store)
                self._gloo = ProcessGroupGloo(store, self.rank, self.world, _PATIENCE)
        except RuntimeError as error:
            told = f"the processes did not all join: {str(error).splitlines()[0]}"
            raise LostProcessError(told) from error

    @property
    def first(self) -> bool:
        """Whether this process is the one that chooses, reports and writes."""
        return self.rank == 0

    def parts(self, number: int, rank: int | None = None) -> range:
        """The parts of a process (this one by default), of so many: neighbours, about as many for each."""
        rank = self.rank if rank is None else rank
        return range(number * rank // self.world, number * (rank + 1) // self.world)

    def exchange(self, pieces: Sequence[Tensor]) -> list[Tensor]:
        """Sends piece p (any length, one type for all) to process p; returns what each has sent to this one."""
        if self._gloo is None:
            return [pieces[0]]
        sizes = torch.tensor([len(piece) for piece in pieces])
        theirs, outgoing = torch.empty_like(sizes), torch.cat(list(pieces))
        try:
            self._gloo.alltoall_base(theirs, sizes, [], []).wait()
            incoming = outgoing.new_empty(int(theirs.sum()))
            self._gloo.alltoall_base(incoming, outgoing, theirs.tolist(), sizes.tolist()).wait()
        except RuntimeError as error:
            told = f"process {self.rank} of {self.world} lost another: {str(error).splitlines()[0]}"
            raise LostProcessError(told) from error
        self.sent += (len(outgoing) - len(pieces[self.rank])) * outgoing.element_size()
        return list(incoming.split(theirs.tolist()))

    def gather(self, own: Tensor) -> Tensor:
        """The rows (N, ...) of all processes, in the order of their numbers, for every one."""
        flat = own.contiguous().flatten()
        found = self.exchange([flat] * self.world)
        return torch.cat([one.view(-1, *own.shape[1:]) for one in found])

    def tell(self, value: Any) -> Any:
        """The first process's value, for every one: tensors, numbers, texts, and lists and dicts of them."""
        if self.world == 1:
            return value
        packed = _packed(value) if self.first else _NOTHING
        for rank in range(1, self.world):  # one after the other, so that no copies lie side by side
            found = self.exchange([packed if one == rank else _NOTHING for one in range(self.world)])
            value = _unpacked(found[0]) if rank == self.rank else value
        return value

    def collect(self, values: Iterable[Any], rounds: int) -> Iterator[Any]:
        """The values of all processes, for the first one. Each gives at most `rounds`, and computes its next meanwhile.

        The values come round by round; those that tell of parts must hold their number.
        """
        found = iter(values)
        for _ in range(rounds):
            own = next(found, None)
            if self.world == 1:
                yield own
                continue
            packed = _NOTHING if own is None or self.first else _packed(own)
            received = self.exchange([packed, *[_NOTHING] * (self.world - 1)])
            if self.first:
                yield from (one for one in [own, *map(_unpacked, filter(len, received[1:]))] if one is not None)

    def each(self, number: int, compute: Callable[[int], Any]) -> Iterator[Any]:
        """`compute(part)` of all parts, computed where they lie, for the first process; others get nothing."""
        most = -(-number // self.world)
        return self.collect((compute(part) for part in self.parts(number)), most)


def free_port(host: str) -> int:
    """A port of this machine that nobody uses."""
    with socket.create_server((host, 0)) as server:
        port: int = server.getsockname()[1]
        return port


_NOTHING = torch.empty(0, dtype=torch.uint8)


def _packed(value: Any) -> Tensor:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return torch.frombuffer(bytearray(buffer.getbuffer()), dtype=torch.uint8)


def _unpacked(data: Tensor) -> Any:
    return torch.load(io.BytesIO(data.numpy().tobytes()), weights_only=True)
