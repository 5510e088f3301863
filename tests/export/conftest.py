import json
import shutil

import pytest

from headway.errors import ExportError
from headway.export.browser import webruntime
from headway.export.packed import open_packed
from tests.export.packages import family_package


@pytest.fixture(scope="session")
def table_package(tmp_path_factory):
    """Text, a number, a category and a date."""
    return family_package(tmp_path_factory.mktemp("table") / "package", "linear", measured={"memory_mb": 100.0})


@pytest.fixture(scope="session")
def image_package(tmp_path_factory):
    return family_package(tmp_path_factory.mktemp("image") / "package", "pixels_linear")


@pytest.fixture(scope="session")
def token_package(tmp_path_factory):
    pytest.importorskip("torch")
    return family_package(tmp_path_factory.mktemp("tokens") / "package", "text_cnn")


@pytest.fixture(scope="session")
def value_package(tmp_path_factory):
    """A regression without anything measured."""
    return family_package(tmp_path_factory.mktemp("value") / "package", "baseline", "regress")


@pytest.fixture(scope="session")
def several_package(tmp_path_factory):
    """Labels and a number from the same rows."""
    return family_package(tmp_path_factory.mktemp("several") / "package", "linear", "several")


@pytest.fixture(scope="session")
def packed_table(table_package):
    return open_packed(table_package)


@pytest.fixture(scope="session")
def web_runtime(pytestconfig):
    """A folder with onnxruntime-web as npm has it, fetched once and kept in pytest's cache."""
    folder = pytestconfig.cache.mkdir("onnxruntime-web") / webruntime.VERSION
    try:
        webruntime.find_web_runtime(folder)
    except ExportError:
        try:
            fetched = webruntime.find_web_runtime(None)
        except ExportError as error:
            pytest.skip(f"needs onnxruntime-web from npm: {error}")
        shutil.rmtree(folder, ignore_errors=True)
        for name, (source, _) in webruntime._FILES.items():
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            (folder / source).write_bytes(fetched.files[name])
        (folder / "package.json").write_text(json.dumps({"version": fetched.version}))
    return folder
