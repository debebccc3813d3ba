"""Downloads KMRD-small from its public repository: 600 movies and 140,710 ratings of Naver Movie, about 4 MB.

The repository (github.com/lovit/kmrd) states no licence for the data. So use it for measurements, but publish no row.

    python -m train.dataset.download OUT_DIR [--url BASE]
"""

from __future__ import annotations

import hashlib
import http.client
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import tyro
from tqdm import tqdm

from train.command import run_command
from train.dataset.folder import whole_folder
from train.errors import DataError
from train.readers.kmrd import CATALOGUE_FILES, RATINGS_FILE

KMRD_URL = (
    "https://raw.githubusercontent.com/lovit/kmrd/8ca98b12bbd46a53f8ee89c678e7a0c050e190cf"
    "/kmr_dataset/datafile/kmrd-small/"
)
KMRD_SHA256 = "9c373d914a15af2c4d13bb9ee7a5c0ea2c42c30113b819b2f88cddc909edcb52"
KMRD_FILES = (RATINGS_FILE, *CATALOGUE_FILES)

_TIMEOUT_S = 30
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class DownloadConfig:
    """Download KMRD-small, 140,710 Korean movie ratings."""

    out_dir: tyro.conf.Positional[Path]
    """The folder to make."""
    url: str = KMRD_URL
    """The URL of the folder with the files; change it to use a mirror."""


def download_kmrd(out_dir: Path, url: str = KMRD_URL, sha256: str = KMRD_SHA256) -> bool:
    """Downloads KMRD_FILES from `url` into `out_dir`, all or none. Returns False if they already existed.

    sha256: the expected SHA-256 of rates.csv.

    Raises:
        DataError: a file cannot be downloaded completely, its digest differs, or `out_dir` contains other files.
    """
    complete = all((out_dir / name).is_file() for name in KMRD_FILES)
    if complete and _sha256(out_dir / RATINGS_FILE) == sha256:
        return False
    with whole_folder(out_dir) as folder:
        for name in KMRD_FILES:
            _fetch(f"{url.rstrip('/')}/{name}", folder / name)
            if name == RATINGS_FILE:
                _check_digest(folder / name, url, sha256)
    return True


def _fetch(url: str, target: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response, target.open("wb") as file:
            length = response.headers.get("Content-Length")
            expected = None if length is None else int(length)
            with tqdm(desc=target.name, total=expected, unit="B", unit_scale=True, leave=False) as progress:
                while chunk := response.read(_CHUNK_BYTES):
                    file.write(chunk)
                    progress.update(len(chunk))
    except urllib.error.HTTPError as error:
        error.close()
        raise DataError(f"{url}: the server answered {error.code} {error.reason}") from None
    except http.client.IncompleteRead:
        raise DataError(f"{url}: cut short") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{url}: cannot be downloaded: {str(reason) or repr(reason)}") from None
    received = target.stat().st_size
    if expected is not None and received != expected:  # read(n) does not raise if the connection is lost
        raise DataError(f"{url}: cut short: got {received} bytes of {expected}")


def _check_digest(path: Path, url: str, sha256: str) -> None:
    got = _sha256(path)
    if got != sha256:
        raise DataError(f"{path.name} from {url}: SHA-256 is {got}; allowed is {sha256}: not the published data")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _advice(out_dir: Path) -> str:
    return (
        "Without a network, any of these will do:\n"
        f"  - download {', '.join(KMRD_FILES)} elsewhere, from\n    {KMRD_URL}\n    into {out_dir}\n"
        "  - train on the embedded data set, which needs no download: leave DATA unset\n"
        "  - train on ratings that you have: DATA=folder (or file)"
    )


def main(arguments: list[str] | None = None) -> int:
    """Downloads KMRD-small; returns the exit status."""
    config = tyro.cli(DownloadConfig, prog="python -m train.dataset.download", args=arguments)
    return run_command("data", lambda: _downloaded(config))


def _downloaded(config: DownloadConfig) -> str:
    try:
        fetched = download_kmrd(config.out_dir, config.url)
    except DataError as error:
        raise DataError(f"{error}\n{_advice(config.out_dir)}") from error
    return f"{config.out_dir}: KMRD-small {'downloaded' if fetched else 'already there'}"


if __name__ == "__main__":
    sys.exit(main())
