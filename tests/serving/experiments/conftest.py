from tests.serving.production import cluster, failed, served, store, told  # noqa: F401 - fixtures
