import asyncio

from headway.serving.deployments import Registry, deploy_model
from headway.serving.limits import Limits
from headway.serving.service import Service
from headway.serving.settling import play_through
from tests.serving.packages import open_tiny


def test_requests_that_are_played_are_in_no_figure():
    heard = []
    service = Service(Registry(), limits=Limits())
    model = open_tiny("numbers")
    service.put(deploy_model(model, name="n", limits=Limits(), on_batch=lambda *seen: heard.append(seen)))
    assert asyncio.run(play_through(service, rounds=3)) > 0
    assert heard == []
