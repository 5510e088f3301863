"""The official `openai` client against a service that draws."""

import asyncio
import base64
import io

import httpx
import numpy as np
import openai
import pytest
from PIL import Image

from headway.serving.deployments import Registry
from headway.serving.drawing.deployment import deploy_painter
from headway.serving.limits import Limits
from headway.serving.service import Service
from tests.runtime.painters import OF_ONE_KIND, open_painter, write_painter


def make_service(*manifests, **limits):
    service = Service(Registry(), limits=Limits(**limits))
    for painter in [open_painter(manifest) for manifest in manifests] or [open_painter()]:
        service.put_painter(deploy_painter(painter, name=None))
    return service


def ask(service, work):
    """Let an official client talk to a service in this process."""

    async def run():
        transport = httpx.ASGITransport(app=service, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            client = openai.AsyncOpenAI(base_url="http://localhost/v1", api_key="none", http_client=http, max_retries=0)
            return await work(client)

    return asyncio.run(run())


def pixels(answer):
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each.b64_json)))) for each in answer.data]


@pytest.fixture(scope="module")
def service():
    return make_service()


def test_pictures_are_those_of_the_package(service):
    wishes = {"model": "painter", "prompt": "dog", "n": 3, "size": "5x6", "extra_body": {"seed": 4}}
    answer = ask(service, lambda client: client.images.generate(**wishes, response_format="b64_json"))
    expected = open_painter().generate(3, label="dog", seed=4)
    assert (np.stack(pixels(answer)) == expected[:, :, :, 0]).all()
    assert answer.created > 1_700_000_000


def test_an_empty_prompt_draws_any_label_another_each_time(service):
    one, other = (ask(service, lambda client: client.images.generate(prompt="", n=16)) for _ in range(2))
    assert len({int(picture[2, 0]) for picture in pixels(one)}) > 1
    assert [each.b64_json for each in one.data] != [each.b64_json for each in other.data]


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"prompt": "dgo"}, "did you mean dog"),
        ({"prompt": "", "size": "1024x1024"}, "5x6 or auto"),
        ({"prompt": "", "response_format": "url"}, "b64_json"),
        ({"prompt": "", "n": 65}, "from 1 to 64"),
        ({"prompt": "", "quality": "hd"}, "does not have it"),
        ({"prompt": "", "extra_body": {"sed": 1}}, "did you mean seed"),
        ({"prompt": "", "extra_body": {"seed": -1}}, "seed: expected"),
        ({"prompt": "", "stream": True}, "does not have it"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(service, wishes, words):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(service, lambda client: client.images.generate(**wishes))
    assert words in f"{refused.value} {refused.value.body}"


def test_an_unknown_model_is_told_with_the_known_ones(service):
    with pytest.raises(openai.NotFoundError, match="there is: painter"):
        ask(service, lambda client: client.images.generate(prompt="", model="other"))


def test_a_package_of_one_kind_takes_no_label():
    service = make_service(OF_ONE_KIND)
    assert len(ask(service, lambda client: client.images.generate(prompt="", n=2)).data) == 2
    with pytest.raises(openai.BadRequestError, match="prompt"):
        ask(service, lambda client: client.images.generate(prompt="dog"))


def test_models_are_listed_and_described(service):
    async def both(client):
        return await client.models.list(), await client.get("/models", cast_to=httpx.Response)

    listed, whole = ask(service, both)
    assert [model.id for model in listed.data] == ["painter"]
    (described,) = whole.json()["models"]
    assert described["draws"] == "5x6"
    assert described["labels"] == ["cat", "dog", 3]


def test_a_full_queue_is_refused_and_told_when_to_come_back():
    service = make_service(queue_texts=1)

    async def crowd(client):
        deployment = service.painters["painter"]
        await deployment.turn.acquire()  # somebody is being served
        waiting = asyncio.ensure_future(client.images.generate(prompt=""))
        while not deployment.waiting:  # noqa: ASYNC110 - the service tells nobody that one waits
            await asyncio.sleep(0.01)
        with pytest.raises(openai.RateLimitError):
            await client.images.generate(prompt="")
        deployment.turn.release()
        return await waiting

    assert len(ask(service, crowd).data) == 1


def test_a_turn_that_does_not_come_in_time_is_told():
    service = make_service(timeout=0.05)

    async def late(client):
        await service.painters["painter"].turn.acquire()
        with pytest.raises(openai.InternalServerError, match="no answer within"):
            await client.images.generate(prompt="")

    ask(service, late)


def test_the_page_and_the_openapi_document_speak_of_pictures(service):
    async def look(client):
        http = client._client
        return [(await http.get(path)).text for path in ("/?lang=zh", "/?lang=en", "/openapi.json", "/ready")]

    chinese, english, document, ready = ask(service, look)
    assert "它生成 5 x 6 像素的图片" in chinese
    assert 'id="drawn"' in english
    assert "images.generate(model=" in english
    assert "/v1/images/generations" in document
    assert "painter" in ready


@pytest.mark.slow
def test_a_running_service_draws_for_the_official_client(tmp_path):
    from tests.serving.conftest import Running

    package = write_painter(tmp_path / "package")
    service = Running(package, "--threads", "1")
    try:
        with openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as client:
            answer = client.images.generate(model="painter", prompt="cat", n=2, extra_body={"seed": 1})
        expected = open_painter().generate(2, label="cat", seed=1)
        assert (np.stack(pixels(answer)) == expected[:, :, :, 0]).all()
    finally:
        assert service.stop() == 0
