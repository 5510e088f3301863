"""Models of the Hugging Face hub: found in its cache on this machine, or fetched when they are asked for by name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from headway.bases.memory import float32_mb, refuse_too_large
from headway.errors import BaseModelError, MissingExtraError

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

_ID = re.compile(r"[A-Za-z0-9][\w.\-]*/[\w.\-]+")
# Names that are often written without their owner: what they begin with, and whose they are.
_OWNERS = {
    r"bert-(base|large)-": "google-bert",
    r"distilbert-base-": "distilbert",
    r"(xlm-)?roberta-(base|large)$": "FacebookAI",
    r"albert-x*(base|large)-v": "albert",
    r"gpt2(-medium|-large|-xl)?$": "openai-community",
    r"(all|paraphrase|multi-qa|distiluse)-": "sentence-transformers",
    r"(multilingual-)?e5-(small|base|large)": "intfloat",
    r"bge-": "BAAI",
}
_TIMEOUT = 6.0  # seconds until a hub that does not answer counts as out of reach
# Files of a model that are of use here; never code, and pickles only where there is nothing else.
_WANTED = ["*.json", "*.safetensors", "*.txt", "*.model", "README.md", "1_Pooling/*"]
_NOT_WANTED = ["onnx/*", "openvino/*", "*/model.safetensors", "coreml/*"]
_PICKLES = ["pytorch_model*.bin"]
# One kind of these is opened, the first that is there.
_WEIGHTS = ("model.safetensors", "*.safetensors", *_PICKLES)
Tell = Callable[[str], None]


def is_hub_id(name: str) -> bool:
    """Tell whether a name has the form `owner/name`."""
    return _ID.fullmatch(name) is not None


def add_owner(name: str) -> str | None:
    """Return the id of a well-known model that is named without its owner, None where it is none of these."""
    owner = next((owner for start, owner in _OWNERS.items() if re.match(start, name, re.IGNORECASE)), None)
    return None if owner is None else f"{owner}/{name}"


def hub_cache() -> Path:
    """Return where the hub's client keeps what it fetched."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache).expanduser() if cache else Path.home() / ".cache") / "huggingface" / "hub"


def list_cached() -> Iterator[tuple[str, Path]]:
    """Yield the id and the newest snapshot of every model in the hub's cache."""
    for place in sorted(hub_cache().glob("models--*--*")):
        folder = _snapshot(place)
        if folder is not None:
            yield place.name.removeprefix("models--").replace("--", "/", 1), folder


def find_cached(name: str) -> Path | None:
    """Return the snapshot of a model in the hub's cache, or None."""
    return _snapshot(hub_cache() / f"models--{name.replace('/', '--')}")


def is_offline() -> bool:
    """Tell whether the user has told the hub's client to stay off the network."""
    values = (os.environ.get(name, "").upper() for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return any(value in {"1", "ON", "YES", "TRUE"} for value in values)


def fetch_from_hub(name: str, *, tell: Tell | None = None, memory_mb: float = float("inf")) -> Path:
    """Download a model into the hub's own cache and return its folder; `tell` hears of it.

    A hub that does not answer within seconds is out of reach. Raises `BaseModelError`, also where the hub says that the
    weights cannot fit `memory_mb`: nothing is downloaded then.
    """
    if is_offline():
        raise _unreachable(name, "HF_HUB_OFFLINE is set", "unset HF_HUB_OFFLINE")
    try:
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
    except ImportError as error:
        raise MissingExtraError("deep", purpose="fetching a model from the hub") from error
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        model = HfApi(endpoint=endpoint).model_info(name, timeout=_TIMEOUT, files_metadata=True)
        refuse_too_large(name, _size_mb(model), memory_mb)
        if tell:
            tell(f"the base {name} is downloaded from the hub")
        names = [file.rfilename for file in model.siblings or []]
        wanted = _WANTED if any(each.endswith(".safetensors") for each in names) else [*_WANTED, *_PICKLES]
        folder = snapshot_download(
            name,
            cache_dir=hub_cache(),
            endpoint=endpoint,
            allow_patterns=wanted,
            ignore_patterns=_NOT_WANTED,
            etag_timeout=_TIMEOUT,
        )
    except GatedRepoError:
        raise _unreachable(name, "its owner wants you to accept terms first", "accept them and set HF_TOKEN") from None
    except RepositoryNotFoundError:
        raise BaseModelError(
            "no such model on the hub",
            where=name,
            expected=f"an id of {endpoint}",
            fix="headway bases lists some names",
        ) from None
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise _unreachable(name, f"{type(error).__name__}: {error}".split("\n")[0][:200], "") from None
    except Exception as error:
        # The HTTP library under the hub's client has changed before; all its errors are of the network.
        if not type(error).__module__.startswith(("httpx", "httpcore", "requests", "urllib3")):
            raise
        raise _unreachable(name, f"{type(error).__name__}: {error}".split("\n")[0][:200], "") from None
    return Path(folder)


def _size_mb(model: ModelInfo) -> float:
    """Return what the hub says the weights take in float32, 0 where it does not say; of pickles the bytes there are."""
    if model.safetensors is not None and model.safetensors.total:
        return float32_mb(model.safetensors.total)
    sizes = {file.rfilename: file.size or 0 for file in model.siblings or [] if "/" not in file.rfilename}
    for pattern in _WEIGHTS:
        found = sum(size for name, size in sizes.items() if fnmatch(name, pattern))
        if found:
            return found / 1024**2
    return 0.0


def _snapshot(place: Path) -> Path | None:
    """Return the folder of the revision `main`, else of the newest one."""
    ref = place / "refs" / "main"
    if ref.is_file():
        folder = place / "snapshots" / ref.read_text().strip()
        if folder.is_dir():
            return folder
    folders = sorted(place.glob("snapshots/*"), key=lambda path: path.stat().st_mtime)
    return folders[-1] if folders else None


def _unreachable(name: str, got: str, fix: str) -> BaseModelError:
    usual = "check the network, or take one that needs no hub: headway bases"
    return BaseModelError(
        f"{name} cannot be fetched from the hub",
        expected="a copy in the hub's cache, or a hub that answers",
        got=got,
        fix=f"{fix}, or take one that needs no hub: headway bases" if fix else usual,
    )
