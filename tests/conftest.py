"""No test uses the caches of the person who runs it, none goes to a model hub, and none hangs on the time."""

import hypothesis
import pytest

# A busy machine may take any time over an example.
hypothesis.settings.register_profile("headway", deadline=None)
hypothesis.settings.load_profile("headway")


@pytest.fixture(autouse=True, scope="session")
def own_caches(tmp_path_factory):
    cache = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWAY_CACHE", str(cache / "headway"))
        patch.setenv("HF_HUB_CACHE", str(cache / "hub"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield
