"""What goes over the wire between a client and a service, and the errors that come back."""

from __future__ import annotations

import base64
import io
import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from headway.errors import HeadwayError, InputError, MissingExtraError, PackageError

if TYPE_CHECKING:
    import ssl

    import httpx

# Whom to trust: True, the usual authorities; a file or folder of certificates; or nobody and everybody, False.
Trust: TypeAlias = "ssl.SSLContext | str | Path | bool"

# What a service says while it is full, stops or is being exchanged: the request was not worked on.
AGAIN = frozenset({429, 503})
_PIECE = 1 << 16


class ServiceError(HeadwayError):
    """The service refused a request or could not be reached; `status` is 0 for the latter."""

    def __init__(
        self, status: int, kind: str, what: str, *, expected: str = "", got: str = "", fix: str = "",
        request_id: str = "",
    ) -> None:  # fmt: skip
        """Keep the HTTP status, the word for programs and the request's id, for the service's log."""
        super().__init__(what, expected=expected, got=got, fix=fix)
        self.status, self.kind, self.request_id = status, kind, request_id


@dataclass(frozen=True)
class Answered:
    """The answers to one request; each prediction is a mapping as the service sends it."""

    predictions: Sequence[Mapping[str, Any]]
    model: str
    version: str
    request_id: str


def to_json(cell: Any) -> Any:
    """Return a cell, or a list or mapping of cells, as the service reads it.

    Pictures (paths, bytes, Pillow images, uint8 arrays of a picture's shape) become base64 text, NumPy's scalars plain
    ones, and what is missing or not finite null. Raises `InputError` for any other array.
    """
    if isinstance(cell, Mapping):
        return {str(name): to_json(value) for name, value in cell.items()}
    if isinstance(cell, list | tuple):
        return [to_json(value) for value in cell]
    if isinstance(cell, Path):
        return base64.b64encode(cell.read_bytes()).decode("ascii")
    if isinstance(cell, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(cell)).decode("ascii")
    if getattr(cell, "ndim", 0):
        cell = _picture(cell)
    if hasattr(cell, "save"):  # a Pillow image, which need not be installed here
        buffer = io.BytesIO()
        cell.save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue()).decode("ascii")
    return _plain(cell)


def _plain(cell: Any) -> Any:
    """Return a single value as JSON can hold it."""
    if cell != cell:  # noqa: PLR0124 - NaN, and NaT of NumPy and pandas
        return None
    if hasattr(cell, "item"):  # of NumPy; its dates in nanoseconds would become bare numbers
        cell = str(cell) if type(cell).__name__ == "datetime64" else cell.item()
    if hasattr(cell, "isoformat"):
        return cell.isoformat()
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _picture(array: Any) -> Any:
    """Return an array as a Pillow image, by the runtime's own rules."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(array)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in {3, 4})):
        raise InputError(
            "an array is sent as a picture, and this one is none",
            expected="uint8 of [height, width] or [height, width, 1, 3 or 4]",
            got=f"{pixels.dtype} of {list(pixels.shape)}", fix="send numbers as columns of their own",
        )  # fmt: skip
    return Image.fromarray(np.ascontiguousarray(pixels))


def to_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield rows as JSON Lines, some at a time."""
    buffer: list[bytes] = []
    size = 0
    for row in rows:
        buffer.append(json.dumps({name: to_json(cell) for name, cell in row.items()}, ensure_ascii=False).encode())
        size += len(buffer[-1])
        if size >= _PIECE:
            yield b"\n".join(buffer) + b"\n"
            buffer, size = [], 0
    if buffer:
        yield b"\n".join(buffer) + b"\n"


def to_archive(package: Path) -> bytes:
    """Return a package as one file; a folder is packed in memory, without compression."""
    if package.is_file():
        return package.read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(package.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(package).as_posix())
    return buffer.getvalue()


def to_answered(document: Any) -> Answered:
    """Return the answers that a document holds."""
    return Answered(document["predictions"], document["model"], document["version"], document["request_id"])


def to_document(answer: httpx.Response) -> Any:
    """Return the document of an answer; raises the error that it tells instead."""
    if answer.status_code >= 400:
        raise to_error(answer)
    return answer.json()


def to_error(answer: httpx.Response) -> HeadwayError:
    """Return the error that an answer tells, in the house's tree."""
    try:
        told = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        text = f"the service answered {answer.status_code}, and not as Headway does"
        return ServiceError(answer.status_code, "unknown", text, fix="is the address right?")
    if answer.status_code == 422 and told.get("problems"):
        first = told["problems"][0]
        row = f"rows[{first['row']}]." if "row" in first else ""
        parts = {"expected": first.get("expected", ""), "got": first.get("got", ""), "fix": first.get("next", "")}
        return InputError("the service cannot read the rows", where=f"{row}{first.get('field', '')}", **parts)
    # Elsewhere the message says what the first problem does.
    first = told["problems"][0] if answer.status_code in {409, 507} and told.get("problems") else {}
    if answer.status_code == 409:
        return PackageError(told["message"], where="the service refused the package", fix=told.get("next", ""),
                            expected=first.get("expected", ""), got=first.get("got", ""))  # fmt: skip
    return ServiceError(answer.status_code, told["type"], told["message"], expected=first.get("expected", ""),
                        got=first.get("got", ""), fix=told.get("next", ""),
                        request_id=told.get("request_id", ""))  # fmt: skip


def unreached(url: str, error: Exception) -> ServiceError:
    """Return the error for a service that cannot be reached."""
    text = f"the service at {url} did not answer: {error or type(error).__name__}"
    return ServiceError(0, "unreached", text, fix="is it running, and is the address right? headway serve PACKAGE")


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Raise `ServiceError` where a connection to the service breaks, or cannot be had."""
    try:
        yield
    except import_httpx().TransportError as error:
        raise unreached(url, error) from error


def may_ask_again(error: Exception) -> bool:
    """Tell whether a request may be asked again after an error of the connection: predicting changes nothing."""
    httpx = import_httpx()
    return isinstance(error, httpx.ConnectError | httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError)


def to_trust(verify: Trust) -> ssl.SSLContext | bool:
    """Return whom a connection trusts in httpx's terms; raises `InputError` for a file of certificates that is none."""
    if isinstance(verify, str | Path):
        import ssl

        place = Path(verify)
        try:
            folder = str(place) if place.is_dir() else None
            return ssl.create_default_context(cafile=None if folder else str(place), capath=folder)
        except OSError as error:
            raise InputError("the certificates cannot be read", where=str(place), expected="a PEM file, or a folder",
                             got=str(error)) from error  # fmt: skip
    return verify


def import_httpx() -> Any:
    """Return the HTTP library; raises `MissingExtraError` without it."""
    try:
        import httpx
    except ImportError as error:
        raise MissingExtraError("serve", purpose="asking a service") from error
    return httpx
