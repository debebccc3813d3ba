"""Every file of an archive is checked before a server loads the archive."""

import hashlib
import stat
import zipfile
from pathlib import Path

import pytest

from model.archive import DIGESTS, MANIFEST
from ops.store.digests import DigestError, check_archive

FILES = {"ncf.pt": b"network", "model/ids.py": b"import numpy\n", MANIFEST: b"{}"}


def write(archive: Path, files: dict[str, bytes], listed: dict[str, bytes] = FILES) -> Path:
    """An archive with these files, and with the digests of the files `listed`."""
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in listed.items())
    with zipfile.ZipFile(archive, "w") as file:
        for name, data in {**files, DIGESTS: lines.encode()}.items():
            file.writestr(name, data)
    return archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ncf-1.0.mar"


def test_a_packed_archive_passes_and_its_digest_is_printed(path: Path) -> None:
    write(path, FILES)
    assert check_archive(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({**FILES, "ncf.pt": b"netwerk"}, r"ncf\.pt: changed"),
        ({**FILES, "sitecustomize.py": b"import os"}, r"sitecustomize\.py: not in SHA256SUMS"),
        ({name: data for name, data in FILES.items() if name != "ncf.pt"}, r"ncf\.pt: missing"),
        ({**FILES, "ncf.pt": b"", "x.py": b""}, r"ncf\.pt: changed; x\.py: not in SHA256SUMS"),
    ],
)
def test_a_file_that_differs_from_the_list_is_named(path: Path, files: dict[str, bytes], said: str) -> None:
    with pytest.raises(DigestError, match=rf"ncf-1\.0\.mar: {said}"):
        check_archive(write(path, files))


@pytest.mark.parametrize("name", ["../ncf.pt", "model/../../ncf.pt", "/etc/cron.d/ncf", "model\\..\\ncf.pt"])
def test_path_out_of_the_archive_is_refused(path: Path, name: str) -> None:
    with pytest.raises(DigestError, match="leads out of the archive"):
        check_archive(write(path, {**FILES, name: b""}, {**FILES, name: b""}))


def test_a_link_inside_is_refused(path: Path) -> None:
    write(path, FILES)
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(entry, "/etc/passwd")
    with pytest.raises(DigestError, match="'link': neither a file nor a folder"):
        check_archive(path)


def test_duplicate_name_is_refused(path: Path) -> None:
    write(path, FILES)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as file:
        file.writestr("ncf.pt", b"other")
    with pytest.raises(DigestError, match=r"'ncf\.pt': occurs twice"):
        check_archive(path)


def test_zip_bomb_is_refused_before_it_is_unpacked(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(110 * 2**20))
    with pytest.raises(DigestError, match="115343360 bytes unpacked, at most"):
        check_archive(path)


def test_damaged_archives_and_other_files_are_refused(path: Path) -> None:
    write(path, FILES)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"network", b"netw0rk"))
    with pytest.raises(DigestError, match=r"not a readable archive: Bad CRC-32 for file 'ncf\.pt'"):
        check_archive(path)
    for data in (whole[: len(whole) // 2], b"", b"no zip"):
        path.write_bytes(data)
        with pytest.raises(DigestError, match="not a readable archive"):
            check_archive(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        check_archive(path)


def test_an_archive_without_digests_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("ncf.pt", b"network")
    with pytest.raises(DigestError, match="no SHA256SUMS inside"):
        check_archive(path)


def test_link_out_of_the_store_is_refused_but_not_one_inside(path: Path) -> None:
    outside = path.parent / "elsewhere" / "x.mar"
    outside.parent.mkdir()
    write(outside, FILES)
    path.symlink_to(outside)
    with pytest.raises(DigestError, match="outside the model store"):
        check_archive(path)
    inside = path.with_name("ncf-1.1.mar")
    inside.symlink_to(write(path.with_name("kept.mar"), FILES).name)
    assert check_archive(inside)


def test_the_error_names_the_command_that_packs_again(path: Path) -> None:
    write(path, {**FILES, "ncf.pt": b"netwerk"})
    with pytest.raises(DigestError, match=rf": pack it again: `rm {path} && make package VERSION=1\.0`$"):
        check_archive(path)
