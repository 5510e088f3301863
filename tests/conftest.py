"""No test reads or writes the caches of the person who runs it, and none goes to a model hub."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_caches(tmp_path_factory):
    cache = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWAY_CACHE", str(cache / "headway"))
        patch.setenv("HF_HUB_CACHE", str(cache / "hub"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield
