"""`POST /v1/deploy`: a package as the body takes its place under load, once it is proven."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from headway.serving.endpoints.predict import wrong_media
from headway.serving.http import Request
from headway.serving.refusals import RefusalError, no_room, too_large

if TYPE_CHECKING:
    from headway.serving.service import Service

_KINDS = frozenset({"application/octet-stream", "application/zip"})


async def deploy(service: Service, request: Request) -> None:
    """Take a `.headway` file, check it beside the running package, and swap it in all workers, or in none.

    `?name=` serves it under another name than its own, `?force=1` lets it be another contract or worse. 409 with the
    figures where it must not be released, 507 where the disk has no room for it.
    """
    service.check_open()
    if service.deploy is None or service.folder is None:
        raise RefusalError(501, "not_here", "this service cannot exchange its packages")
    if request.kind not in _KINDS:
        raise wrong_media(request)
    wish = request.query
    path = service.folder / f"{secrets.token_hex(8)}.headway"
    announced = request.check_length(service.limits.package_bytes)
    try:
        await _save(service, request, path)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise no_room(service.folder, announced, error) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    # From here on the file is the supervisor's: a worker may be the last to open it when nobody waits any more.
    found = await service.deploy(
        {"path": str(path), "name": wish.get("name") or None, "force": wish.get("force") in {"1", "true"}}
    )
    await request.answer_json(200, {"deployed": found, "request_id": request.id})


async def _save(service: Service, request: Request, path: Path) -> None:
    """Write the body to a file as it comes."""
    most, size, more = service.limits.package_bytes, 0, True
    with path.open("wb") as file:
        while more:
            piece, more = await request.chunk(service.limits.body_seconds)
            size += len(piece)
            if size > most:
                raise too_large("the package", most=most, got=f"more than {most:,} bytes")
            file.write(piece)
