"""Large arrays inside a zip file. Processes map them instead of reading them, so a host holds them once.

Each array is an uncompressed .npy entry. Its numbers begin at a multiple of 64 bytes, so that numpy can use them in
place.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

_ALIGNMENT = 64
_LOCAL_HEADER_BYTES, _FIELD_BYTES, _ZIP64_BYTES = 30, 4, 20
# Fills the gap before an array: an extra field of the zip format, which readers skip, with the id that PyTorch uses.
_FILLER = 0x4246


def entry_names(arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    """The name of each array's entry in the file. An array with two names has one entry."""
    first: dict[int, str] = {}
    return {name: first.setdefault(id(array), f"mapped/{name}.npy") for name, array in arrays.items()}


def append_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Adds arrays to a zip file, as the entries of `entry_names`."""
    entries = {entry: arrays[name] for name, entry in reversed(entry_names(arrays).items())}
    with zipfile.ZipFile(path, "a") as file:
        assert file.fp is not None
        for name, array in entries.items():
            entry = zipfile.ZipInfo(name)
            start = file.start_dir + _LOCAL_HEADER_BYTES + len(name.encode()) + _FIELD_BYTES + _ZIP64_BYTES
            gap = -start % _ALIGNMENT
            entry.extra = struct.pack("<HH", _FILLER, gap) + bytes(gap)
            with file.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
                stream.write(raw_bytes(array))


def map_arrays(path: Path, entries: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Maps the arrays of these entries, by name. Writing to an array does not change the file.

    Raises:
        KeyError: an entry does not exist.
        ValueError: an entry is damaged, or contains Python objects.
    """
    if not entries:
        return {}
    try:
        with zipfile.ZipFile(path) as file:
            found = {entry: _map_array(path, file.getinfo(entry)) for entry in set(entries.values())}
    except (zipfile.BadZipFile, struct.error) as error:
        raise ValueError(f"{path.name}: the entries of its large tables are damaged: {error}") from error
    return {name: found[entry] for name, entry in entries.items()}


def raw_bytes(array: np.ndarray) -> memoryview:
    """The bytes of an array of numbers or bytes; without a copy if the array is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _map_array(path: Path, entry: zipfile.ZipInfo) -> np.ndarray:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename}: is compressed, so it cannot be mapped")
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER_BYTES)
        name_bytes, extra_bytes = struct.unpack("<HH", header[-4:])
        file.seek(name_bytes + extra_bytes, 1)
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{entry.filename}: is not an array of this project")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject or fortran_order:
            raise ValueError(f"{entry.filename}: holds {dtype}, allowed are numbers and bytes, row by row")
        if 0 in shape:
            return np.empty(shape, dtype)
        return np.asarray(np.memmap(path, dtype, "c", file.tell(), shape))
