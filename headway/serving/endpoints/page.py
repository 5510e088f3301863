"""`GET /` and what belongs to it: the page, its style and script, its live part, and signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from headway.serving.access import COOKIE
from headway.serving.http import Request
from headway.serving.page.language import choose_language
from headway.serving.page.live import show_live
from headway.serving.page.rendering import (
    POLICY,
    read_asset,
    render_page,
    render_painter,
    render_sign_in,
    render_writer,
)
from headway.serving.refusals import RefusalError

if TYPE_CHECKING:
    from headway.serving.service import Service

_HTML = b"text/html; charset=utf-8"
_SAFE = [(b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff"),
         (b"referrer-policy", b"same-origin"), (b"cache-control", b"no-store")]  # fmt: skip
_MOST_FORM = 4096


async def page(service: Service, request: Request) -> None:
    """Answer with the page; with keys, only for a browser that has signed in."""
    lang = choose_language(request, service.lang)
    if service.access.keys is not None and service.access.holder(request) is None:
        await request.answer(401, render_sign_in(lang, failed=False).encode(), kind=_HTML, headers=_SAFE)
        return
    scheme = request.scope.get("scheme", "http")
    url = f"{scheme}://{request.header(b'host') or 'localhost'}"
    name = request.query.get("model")
    if name in service.writers or (name is None and not len(service.registry) and service.writers):
        html = render_writer(service, service.writer(name), lang, url=url)
    elif name in service.painters or (name is None and not len(service.registry) and service.painters):
        html = render_painter(service, service.painter(name), lang, url=url)
    else:
        html = render_page(service, service.registry.get(service.registry.find(name)), lang, url=url)
    await request.answer(200, html.encode("utf-8", "replace"), kind=_HTML, headers=_SAFE)


async def sign_in(service: Service, request: Request) -> None:
    """Keep a valid key in a cookie that scripts cannot read and other sites cannot use, and go to the page."""
    lang = choose_language(request, service.lang)
    form = parse_qs((await request.body(service.limits, most=_MOST_FORM)).decode("latin-1"))
    key = form.get("key", [""])[0].strip()
    if service.access.keys is None or service.access.keys.find(key) is None:
        await request.answer(401, render_sign_in(lang, failed=True).encode(), kind=_HTML, headers=_SAFE)
        return
    secure = "; Secure" if request.scope.get("scheme") == "https" else ""
    cookie = f"{COOKIE}={key}; HttpOnly; SameSite=Strict; Path=/{secure}"
    headers = [(b"location", f"/?lang={lang}".encode()), (b"set-cookie", cookie.encode())]
    await request.answer(303, b"", kind=_HTML, headers=headers)


async def live(service: Service, request: Request) -> None:
    """Answer with the part of the page that moves."""
    html = show_live(service, choose_language(request, service.lang))
    await request.answer(200, html.encode("utf-8", "replace"), kind=_HTML, headers=_SAFE)


async def style(service: Service, request: Request) -> None:
    """Answer with the page's style."""
    del service
    await _asset(request, "page.css", b"text/css; charset=utf-8")


async def script(service: Service, request: Request) -> None:
    """Answer with the page's script."""
    del service
    await _asset(request, "page.js", b"text/javascript; charset=utf-8")


async def _asset(request: Request, name: str, kind: bytes) -> None:
    try:
        content = read_asset(name)
    except OSError as error:
        raise RefusalError(404, "not_found", f"{name} is not installed") from error
    headers = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"max-age=300")]
    await request.answer(200, content, kind=kind, headers=headers)
