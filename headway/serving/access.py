"""Who may ask: keys and their rates, and guards against web pages that use a visitor's browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from headway.serving.http import Request
from headway.serving.keys import Key, KeyRing
from headway.serving.rates import Rates
from headway.serving.refusals import RefusalError, over_rate

# Probes of load balancers carry no keys; the sign-in page and what it needs come before a key.
OPEN = frozenset({"/health", "/ready", "/", "/sign-in", "/page.css", "/page.js"})
COOKIE = "headway_key"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# What a proxy adds: behind one every request seems to come from this machine.
_FORWARDED = (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip")


@dataclass(frozen=True)
class Access:
    """What is asked of a request before it is heard.

    Without `keys` everybody may predict, and only this machine may deploy, where the service `is_local`: listens to no
    other machine. `hosts` are the names under which the service may be called, None for any: a service on localhost so
    refuses pages that rebind their name to it. `origins` are the web pages of others that may ask (CORS); none by
    default.
    """

    keys: KeyRing | None = None
    rates: Rates = field(default_factory=Rates.alone)
    hosts: frozenset[str] | None = None
    origins: tuple[str, ...] = ()
    is_local: bool = True

    def admit(self, request: Request) -> None:
        """Let a request pass or raise `RefusalError`: 401 or 403, or 429 beyond the key's rate."""
        if self.hosts is not None and _host_of(request) not in self.hosts:
            text = f"this service does not answer to the name {_host_of(request)[:80]!r}"
            raise RefusalError(403, "wrong_host", text, next="use localhost, or start it with --host or --allow-host")
        origin = request.headers.get(b"origin")
        if origin is not None:
            self._check_origin(request, origin.decode("latin-1"))
        if self.keys is None:
            if request.path == "/v1/deploy":
                self._check_near(request)
            return
        if request.path in OPEN or request.method == "OPTIONS":
            return
        self._check_key(request, self.keys)

    def holder(self, request: Request) -> tuple[int, Key] | None:
        """Return the key that comes with a request, None without a valid one."""
        given = given_key(request)
        return self.keys.find(given) if self.keys is not None and given else None

    def _check_key(self, request: Request, keys: KeyRing) -> None:
        given = given_key(request)
        found = keys.find(given) if given else None
        if found is None:
            text = "this key is not known, or it was revoked" if given else "this service needs an API key"
            headers = {"www-authenticate": 'Bearer realm="headway"'}
            raise RefusalError(401, "no_key", text, headers=headers, next="send the header Authorization: Bearer KEY")
        place, key = found
        request.key = key.id
        needed = "deploy" if request.path == "/v1/deploy" else "predict"
        if needed not in key.rights:
            fix = f"headway keys add --right {needed}"
            raise RefusalError(403, "not_allowed", f"this key may not {needed}", next=fix)
        if key.rate:
            wait = self.rates.wait(place, key.rate)
            if wait:
                raise over_rate(key.rate, wait)

    def _check_near(self, request: Request) -> None:
        """Let a deploy without keys pass from this very machine only, and through no proxy that says it is one."""
        client = request.scope.get("client")
        if not self.is_local:
            text = "without keys nobody may deploy to a service that other machines reach"
        elif client is None or client[0] not in _LOOPBACK:
            text = "without keys only this machine may deploy"
        elif any(name in request.headers for name in _FORWARDED):
            text = "without keys only this machine may deploy, and this request came through a proxy"
        else:
            return
        fix = "headway keys add NAME --right deploy, then headway serve --keys keys.json"
        raise RefusalError(403, "not_allowed", text, next=fix)

    def _check_origin(self, request: Request, origin: str) -> None:
        """Let pages of this service and of the allowed origins pass, and no others."""
        if origin in self.origins:
            request.extra += [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin"),
                              (b"access-control-expose-headers", b"x-request-id, retry-after")]  # fmt: skip
        elif urlsplit(origin).netloc != request.header(b"host"):
            text = f"pages of {origin[:80]!r} may not use this service"
            raise RefusalError(403, "wrong_origin", text, next=f"start it with --cors {origin[:80]}")


def given_key(request: Request) -> str:
    """Return the key that a request carries: as a bearer, as X-API-Key, or as the page's cookie."""
    scheme, _, key = request.header(b"authorization").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    return request.header(b"x-api-key") or cookie_key(request)


def cookie_key(request: Request) -> str:
    """Return the key in the page's cookie, which a browser sends for the page itself only (SameSite=Strict)."""
    text = request.header(b"cookie")
    if COOKIE not in text:
        return ""
    try:
        morsel = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def _host_of(request: Request) -> str:
    """Return the name under which the service was called, without the port."""
    host = request.header(b"host").lower()
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
