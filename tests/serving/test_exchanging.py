import asyncio
import resource
from contextlib import contextmanager

import pytest

from headway.serving.exchanging import Exchange
from headway.serving.logs import Log
from headway.serving.numbering import Numbering
from headway.serving.opening import Opener
from headway.serving.refusals import RefusalError
from headway.serving.settings import Package, Settings
from headway.serving.telemetry import Telemetry
from tests.serving.conftest import make_service
from tests.serving.packages import write_tiny


class Supervisor:
    """Says to the only worker what the real one would."""

    def __init__(self):
        self.said = []

    def tell(self, words):
        self.said.append(words)
        if words.get("ask") == "deploy":
            self.exchange.obey({"do": "load", "id": 1, **words})
        elif words["did"] == "load" and "error" in words:
            self.exchange.obey({"do": "forget", "id": 1})
            self.exchange.obey({"do": "deployed", "token": 0, **words})
        elif words["did"] == "load":
            self.exchange.obey({"do": "switch", "id": 1})
            self.exchange.obey({"do": "deployed", "token": 0, "found": words["found"]})


def exchange(service, package, log):
    """Exchange a package in a service of this process; return what was found."""

    async def run():
        supervisor = Supervisor()
        settled = asyncio.Event()
        settled.set()
        opener = Opener(Settings((Package(None, str(package)),)), Telemetry.alone(), log, threads=1)
        supervisor.exchange = Exchange(service, opener, supervisor.tell, settled=settled)
        return await supervisor.exchange.ask({"path": str(package), "name": None, "force": False})

    return asyncio.run(run())


@contextmanager
def no_file_longer_than(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def log(tmp_path):
    opened = Log(tmp_path / "log")
    yield opened
    opened.close()


def test_where_the_shared_numbers_cannot_be_written_nothing_is_exchanged(tmp_path, log):
    path = tmp_path / "numbers.jsonl"
    service = make_service("numbers", numbers=Numbering(path), folder=tmp_path)
    before, version = path.read_bytes(), service.registry.get("numbers").version
    better = write_tiny(tmp_path / "better", metrics={"accuracy": 0.95})
    with no_file_longer_than(len(before) + 10), pytest.raises(RefusalError, match="cannot be stored") as caught:
        exchange(service, better, log)
    assert (caught.value.status, caught.value.kind) == (507, "no_room")
    assert path.read_bytes() == before  # not even a part of a line
    assert service.registry.get("numbers").version == version
    found = exchange(service, better, log)
    assert found["replaces"] == version
    assert service.registry.get("numbers").version == found["version"]
    assert Numbering(path).all() == service.numbers.all()


def test_a_worse_package_is_refused_with_its_figures(tmp_path, log):
    service = make_service("numbers")
    with pytest.raises(RefusalError, match="worse than the one it replaces") as caught:
        exchange(service, write_tiny(tmp_path / "worse", metrics={"accuracy": 0.5}), log)
    assert (caught.value.status, caught.value.kind) == (409, "not_released")
    assert caught.value.message == "the package is worse than the one it replaces: accuracy"
    (told,) = caught.value.as_json("zh")["problems"]
    assert told["expected"] == "不差于 0.9（95% 区间 0.85 至 0.95）"
    assert told["got"] == "0.5"
    assert told["next"] == "如仍要发布，请用 --force 部署"


def test_what_is_no_package_is_told_without_the_path_where_the_service_keeps_it(tmp_path, log):
    path = tmp_path / "0123.headway"
    path.write_text("no package")
    with pytest.raises(RefusalError) as caught:
        exchange(make_service("numbers"), path, log)
    told = caught.value.as_json("zh")
    assert told["message"] == "这不是模型包"
    assert "0123" not in str(told)
    assert "--force" not in told["next"]  # it would not help
