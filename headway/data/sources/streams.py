"""Bytes out of files: decompressed within limits, and turned into UTF-8."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from headway.data.sources.encoding import check_encoding, find_encoding
from headway.errors import DataError

COMPRESSED = (".gz", ".xz", ".bz2")
# A stream that grows past both limits is a bomb, not data: real tables and texts shrink 3 to 30 times.
LARGEST_RATIO = 200
LARGEST_FREE = 64 * 2**20
LARGEST_TOTAL = 64 * 2**30

_SAMPLE = 2**18
_CHUNK = 2**20


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, decompressing gzip, xz and bzip2; raise DataError where that fails."""
    try:
        if path.suffix == ".gz":
            return cast("BinaryIO", gzip.open(path))
        if path.suffix == ".xz":
            return cast("BinaryIO", lzma.open(path))
        if path.suffix == ".bz2":
            return cast("BinaryIO", bz2.open(path))
        return path.open("rb")
    except OSError as error:
        raise DataError("the file cannot be opened", where=str(path), got=str(error)) from error


def read_chunks(path: Path, *, size: int = _CHUNK) -> Iterator[bytes]:
    """Yield the decompressed bytes of a file; raise DataError for a damaged file or a decompression bomb."""
    guard = Guard(str(path), path.stat().st_size if path.suffix in COMPRESSED else None)
    with open_bytes(path) as stream:
        while True:
            try:
                chunk = stream.read(size)
            except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
                raise DataError(
                    "the compressed file is damaged", where=str(path), got=str(error), fix="copy or download it again"
                ) from error
            if not chunk:
                return
            guard.count(len(chunk))
            yield chunk


class Guard:
    """Counts the bytes that come out of a compressed file and stops a decompression bomb."""

    def __init__(self, where: str, packed: int | None) -> None:
        """Watch the file `where` of `packed` bytes; None when it is not compressed."""
        self._where, self._packed, self._total = where, packed, 0

    def count(self, size: int) -> None:
        """Add `size` unpacked bytes; raise DataError when there are too many for so small a file."""
        self._total += size
        if self._packed is None or self._total <= LARGEST_FREE:
            return
        if self._total > self._packed * LARGEST_RATIO or self._total > LARGEST_TOTAL:
            raise DataError(
                "the archive unpacks to far more than it holds, like a decompression bomb",
                where=self._where,
                expected=f"at most {LARGEST_RATIO} times its size of {self._packed:,} bytes",
                got=f"more than {self._total:,} bytes",
                fix="unpack it yourself if you trust it, and name the unpacked file",
            )


def read_sample(path: Path, *, size: int = _SAMPLE) -> bytes:
    """Return the first `size` decompressed bytes."""
    sample = b""
    for chunk in read_chunks(path, size=size):
        sample += chunk
        if len(sample) >= size:
            break
    return sample[:size]


def read_utf8(path: Path, encoding: str | None) -> Iterator[bytes]:
    """Yield the file as UTF-8 without byte order mark; bytes that are not valid in its encoding stay as they are.

    `encoding` None has it found in the first part of the file. Old Mac line ends become newlines.
    """
    sample = read_sample(path)
    name = check_encoding(encoding) if encoding else find_encoding(sample)
    chunks = read_chunks(path)
    if name not in ("utf-8", "utf-8-sig", "ascii"):
        chunks = _transcode(chunks, name)
        sample = next(_transcode(iter([sample]), name), b"")
    elif sample.startswith(codecs.BOM_UTF8):
        chunks = _without_mark(chunks)
    if b"\r" in sample and b"\n" not in sample:
        return (chunk.replace(b"\r", b"\n") for chunk in chunks)
    return chunks


def _transcode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield next(chunks)[len(codecs.BOM_UTF8) :]
    yield from chunks
