"""Rows as a form of files and fields: one row, or as many as each field is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.serving.http import Request
from headway.serving.limits import Limits
from headway.serving.refusals import FieldProblem, RefusalError, wrong_input
from headway.serving.rows import Asked, read_request

if TYPE_CHECKING:
    from headway.serving.service import Service


async def read_form(service: Service, request: Request) -> Asked:
    """Return the rows of a `multipart/form-data` body: files become bytes, fields text; `model` and `user` are wishes.

    Raises `RefusalError`: 413, 422, and 400 for a form that cannot be read.
    """
    from starlette.datastructures import Headers, UploadFile
    from starlette.formparsers import MultiPartException, MultiPartParser

    body = await request.body(service.limits)
    headers = Headers(raw=request.scope["headers"])
    if "boundary=" not in headers.get("content-type", ""):
        raise RefusalError(400, "not_a_form", "the form cannot be read: its content-type names no boundary")

    async def stream() -> Any:
        yield body
        yield b""

    try:
        form = await MultiPartParser(
            headers, stream(), max_files=service.limits.rows, max_part_size=service.limits.body_bytes
        ).parse()
    except (MultiPartException, UnicodeDecodeError, LookupError) as error:
        raise RefusalError(400, "not_a_form", f"the form cannot be read: {str(error)[:150]}") from error
    fields: dict[str, list[Any]] = {}
    for name, value in form.multi_items():
        fields.setdefault(name, []).append(await value.read() if isinstance(value, UploadFile) else value)
    await form.close()
    return _asked(fields, service.limits)


def _asked(fields: dict[str, list[Any]], limits: Limits) -> Asked:
    """Return the request that the fields make."""
    wishes: dict[str, Any] = {name: fields.pop(name)[0] for name in ("model", "user") if name in fields}
    counts = {len(values) for values in fields.values()}
    if len(counts) > 1:
        got = ", ".join(f"{name}: {len(values)}" for name, values in fields.items())[:200]
        raise wrong_input([FieldProblem(None, "body", "each field as often as the others", got)])
    rows = [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]
    return read_request({"rows": rows, **wishes}, limits)
