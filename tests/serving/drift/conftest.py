import pytest

from tests.serving.drift.watched import write_watched
from tests.serving.production import cluster, failed, served, store, told  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def watched_package(tmp_path_factory):
    return write_watched(tmp_path_factory.mktemp("watched") / "package")
