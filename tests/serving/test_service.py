import asyncio
import json

from headway.serving.deployments import open_deployment
from headway.serving.limits import Limits
from headway.serving.observing import Silent
from headway.serving.writing.deployment import deploy_generator
from tests.runtime.generation.packages import open_tiny
from tests.serving.conftest import Notes, make_service
from tests.serving.packages import write_tiny


class Heard(Silent):
    def __init__(self):
        self.opened_ones = []

    def opened(self, event):
        self.opened_ones.append((event.name, event.version, event.task, event.path))


def test_the_observer_hears_of_each_package_that_is_served_and_where_it_lies(tmp_path):
    heard = Heard()
    service = make_service("values", observer=heard)
    package = write_tiny(tmp_path / "newer")
    opened = open_deployment(package, name="mine", limits=Limits(), threads=1)
    service.put(opened, swapped=True)
    first, second = heard.opened_ones
    assert (first[0], first[2:]) == ("values", ("regress", None))
    assert second == ("mine", opened.version, "classify", str(package))


class Gone:
    """A client that hangs up as soon as its request is sent, as uvicorn tells of it."""

    disconnected, more_body = True, False

    def __init__(self):
        self.sent = []

    async def receive(self):
        return {"type": "http.request", "body": json.dumps({"prompt": "ab", "max_tokens": 100}).encode()}

    async def send(self, message):
        self.sent.append(message)


def test_a_client_that_hangs_up_while_its_text_is_written_is_no_failure_of_the_service(tmp_path):
    notes, client = Notes(), Gone()
    service = make_service("values", observer=notes)
    scope = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": [], "client": ("127.0.0.1", 1)}

    async def ask():
        service.put_writer(deploy_generator(open_tiny(tmp_path / "tiny"), name=None, limits=Limits()))
        await service(scope, client.receive, client.send)
        service.writers["tiny"].author.retire()

    asyncio.run(ask())
    assert [(event.status, event.kind) for event in notes.events] == [(499, "client_gone")]
    assert client.sent == []
    assert service.telemetry.read("abandoned") == 1
