"""The folder that `docker build` or `podman build` turns into an image."""

from __future__ import annotations

import sys

from headway.export.content import Content, Options
from headway.export.docker.requirements import needed_distributions, write_requirements
from headway.export.docker.wheel import build_wheel
from headway.export.packed import Packed
from headway.export.words import Language, say

PORT = 8000
USER = 10001
# Exact versions, so that the same folder gives the same image; another one is named with --base.
_BASES = {(3, 11): "3.11.13", (3, 12): "3.12.11", (3, 13): "3.13.5", (3, 14): "3.14.0"}


def make_image(packed: Packed, options: Options) -> Content:
    """Return a Dockerfile, what it copies, and a note on how to build and run it.

    Raises `MissingExtraError` where the server is not installed, because its exact versions are taken from here.
    """
    needed = needed_distributions(tokens=packed.reads_tokens)
    wheel_name, wheel = build_wheel()
    image = options.image or image_name(packed)
    files = {
        "Dockerfile": write_dockerfile(packed, wheel_name, options.base or default_base()).encode(),
        ".dockerignore": f"*\n!package\n!requirements.txt\n!{wheel_name}\n".encode(),
        "requirements.txt": write_requirements(needed).encode(),
        wheel_name: wheel,
        **{f"package/{name}": content for name, content in packed.all_files.items()},
        "README.md": _note(packed, image, "en").encode(),
        "README.zh.md": _note(packed, image, "zh").encode(),
    }
    return Content(files)


def image_name(packed: Packed) -> str:
    """Return the name of the image with a tag that changes with the package."""
    return f"{packed.slug}:{packed.version}"


def default_base() -> str:
    """Return the official image of the Python that the versions were taken from."""
    return f"python:{_BASES.get(sys.version_info[:2], '.'.join(map(str, sys.version_info[:3])))}-slim-bookworm"


def write_dockerfile(packed: Packed, wheel: str, base: str) -> str:
    """Return the Dockerfile: packages are installed in a first stage, so that no installer or cache is in the image."""
    health = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}/health', timeout=2)"
    return f"""\
# {packed.slug}, written by `headway export --to docker`. Build it in this folder.
FROM {base} AS build
WORKDIR /build
COPY requirements.txt {wheel} ./
RUN python -m venv --without-pip /opt/headway \\
    && python -m pip --python /opt/headway/bin/python install --no-cache-dir --no-deps \\
        --disable-pip-version-check --requirement requirements.txt ./{wheel}

FROM {base}
LABEL org.opencontainers.image.title="{packed.slug}" \\
      org.opencontainers.image.version="{packed.version}"
ENV PATH=/opt/headway/bin:$PATH \\
    HOME=/tmp \\
    PYTHONDONTWRITEBYTECODE=1 \\
    PYTHONUNBUFFERED=1
COPY --from=build /opt/headway /opt/headway
COPY package /srv/package
RUN ["headway", "package", "verify", "/srv/package"]
USER {USER}:{USER}
EXPOSE {PORT}
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \\
    CMD ["python", "-c", "{health}"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["headway", "serve", "/srv/package", "--host", "0.0.0.0", "--port", "{PORT}"]
"""


def _note(packed: Packed, image: str, lang: Language) -> str:
    """Return how to build and run the image, in Markdown."""
    return say("docker:note", lang).format(name=packed.manifest.name, image=image, port=PORT)
