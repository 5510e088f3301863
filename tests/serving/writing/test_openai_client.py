"""The official `openai` client against a running service: it is the specification."""

import json

import httpx
import openai
import pytest

from tests.runtime.generation.packages import open_tiny, write_tiny
from tests.serving.conftest import Running

MESSAGES = [{"role": "user", "content": "Hello"}]
SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["mood", "stars"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("openai") / "package")


@pytest.fixture(scope="module")
def service(package):
    started = Running(package, "--threads", "1")
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="module")
def client(service):
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as found:
        yield found


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return open_tiny(tmp_path_factory.mktemp("beside") / "package")


def test_models_are_listed(client, service):
    assert [(model.id, model.owned_by) for model in client.models.list()] == [("tiny", "headway")]
    assert httpx.get(f"{service.url}/v1/models").json()["models"][0]["engine"] == "onnx"


def test_one_model_is_described_by_its_name(client, service):
    found = client.models.retrieve("tiny")
    assert (found.id, found.object, found.owned_by, found.window) == ("tiny", "model", "headway", 120)
    assert found.created == next(iter(client.models.list())).created
    with pytest.raises(openai.NotFoundError, match="there is: tiny") as caught:
        client.models.retrieve("huge/one")
    assert caught.value.code == "model_not_found"
    assert httpx.post(f"{service.url}/v1/models/tiny").status_code == 405
    assert "/v1/models/{model}" in httpx.get(f"{service.url}/openapi.json").json()["paths"]


def test_an_answer_goes_back_as_the_client_dumps_it(client):
    first = client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=5, seed=1).choices[0].message
    talk = [*MESSAGES, first.model_dump(), {"role": "user", "content": "And then?"}]
    assert client.chat.completions.create(model="tiny", messages=talk, max_tokens=2).choices[0].message.role
    for change in ({"name": "Ann"}, {"tool_calls": [{"id": "1"}]}):
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="tiny", messages=[{**MESSAGES[0], **change}])
        assert caught.value.param == f"messages[0].{next(iter(change))}"


def test_a_chat_is_answered_as_the_package_answers(client, generator):
    from headway.runtime import Message

    answer = client.chat.completions.create(model="tiny", messages=MESSAGES, max_completion_tokens=9, temperature=0)
    expected = generator.generate([[Message("user", "Hello")]], max_tokens=9, temperature=0)[0]
    choice = answer.choices[0]
    assert choice.message.content == expected.text
    assert choice.message.role == "assistant"
    assert choice.finish_reason == expected.finish
    assert answer.usage.completion_tokens == expected.tokens
    assert answer.usage.prompt_tokens == len(generator.ids_of([Message("user", "Hello")]))
    assert answer.object == "chat.completion"


def test_a_streamed_chat_joins_to_the_whole_one(client):
    wishes = {"model": "tiny", "messages": MESSAGES, "max_tokens": 20, "seed": 4, "n": 2}
    whole = client.chat.completions.create(**wishes)
    texts, finishes, usage = ["", ""], [None, None], None
    for chunk in client.chat.completions.create(**wishes, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            finishes[choice.index] = choice.finish_reason or finishes[choice.index]
    assert texts == [choice.message.content for choice in whole.choices]
    assert finishes == [choice.finish_reason for choice in whole.choices]
    assert usage == whole.usage
    assert texts[0] != texts[1]


def test_completions_with_stop_and_logprobs(client, generator):
    plain = client.completions.create(model="tiny", prompt="ab", max_tokens=30, temperature=0, logprobs=2)
    expected = generator.generate(["ab"], max_tokens=30, temperature=0, chances=2)[0]
    told = plain.choices[0].logprobs
    assert told.token_logprobs == pytest.approx([chance.logprob for chance in expected.chances], abs=1e-5)
    assert [len(each) for each in told.top_logprobs] == [2] * len(told.tokens)
    assert all(token in each for token, each in zip(told.tokens, told.top_logprobs, strict=True))
    named = [token for token in told.tokens if token.startswith("bytes:")]
    assert named == [f"bytes:\\x{chance.raw[0]:02x}" for chance in expected.chances if chance.raw[0] > 127]
    assert named
    text = plain.choices[0].text
    stop = next(text[place : place + 2] for place in range(3, len(text)) if text.find(text[place : place + 2]) == place)
    cut = client.completions.create(model="tiny", prompt="ab", max_tokens=30, temperature=0, stop=[stop])
    assert cut.choices[0].text == text[: text.find(stop)]
    assert cut.choices[0].finish_reason == "stop"
    streamed = client.completions.create(model="tiny", prompt="ab", max_tokens=30, temperature=0, stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed if chunk.choices) == text


def test_chat_logprobs_name_the_likeliest(client):
    answer = client.chat.completions.create(
        model="tiny", messages=MESSAGES, max_tokens=3, temperature=0, logprobs=True, top_logprobs=2
    )
    for token in answer.choices[0].logprobs.content:
        assert token.logprob == pytest.approx(token.top_logprobs[0].logprob)
        assert len(token.top_logprobs) == 2


def test_bytes_of_tokens_join_to_the_text(client):
    form = {"type": "json_schema", "json_schema": {"name": "mood", "schema": {"enum": ["很好🎉"]}}}
    answer = client.chat.completions.create(
        model="tiny", messages=MESSAGES, max_tokens=60, logprobs=True, top_logprobs=2, response_format=form
    )
    assert json.loads(answer.choices[0].message.content) == "很好🎉"
    told = answer.choices[0].logprobs.content
    assert b"".join(bytes(token.bytes) for token in told).decode() == answer.choices[0].message.content
    parts = [token for token in told if token.bytes[0] > 127]
    assert len(parts) == len("很好🎉".encode())
    assert [token.token for token in parts] == [f"\\x{token.bytes[0]:02x}" for token in parts]


def test_answers_keep_a_json_schema(client):
    for seed in range(3):
        answer = client.chat.completions.create(
            model="tiny", messages=MESSAGES, max_tokens=60, seed=seed,
            response_format={"type": "json_schema", "json_schema": {"name": "mood", "schema": SCHEMA, "strict": True}},
        )  # fmt: skip
        found = json.loads(answer.choices[0].message.content)
        assert set(found) == {"mood", "stars"}
        assert found["mood"] in {"good", "bad"}
        assert 1 <= found["stars"] <= 5
        assert answer.choices[0].finish_reason == "stop"


def test_a_schema_that_turns_out_to_be_too_much_is_an_error_and_no_short_answer(client):
    endless = {"type": "json_schema", "json_schema": {"name": "endless", "schema": {"$ref": "#"}}}
    with pytest.raises(openai.BadRequestError, match="cannot be held") as caught:
        client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=20, response_format=endless)
    assert caught.value.param == "response_format"
    assert "state" not in caught.value.message
    with pytest.raises(openai.APIError, match="cannot be held"):
        list(client.chat.completions.create(
            model="tiny", messages=MESSAGES, max_tokens=20, stream=True, response_format=endless))  # fmt: skip
    assert client.chat.completions.create(model="tiny", messages=MESSAGES, max_tokens=3).usage.completion_tokens == 3


@pytest.mark.parametrize(
    "options", [{"temperature": 1e-50, "top_p": 0.9}, {"top_p": 0}, {"temperature": 2, "top_p": 0}]
)
def test_the_coldest_wishes_take_the_likeliest_token(client, options):
    plain = client.completions.create(model="tiny", prompt="ab", max_tokens=8, temperature=0)
    found = client.completions.create(model="tiny", prompt="ab", max_tokens=8, seed=5, extra_body=options)
    assert found.choices[0].text == plain.choices[0].text


def test_errors_come_in_the_clients_own_classes(client, service):
    with pytest.raises(openai.BadRequestError, match=r"130|1[0-9]{2} tokens") as caught:
        client.completions.create(model="tiny", prompt="y" * 130)
    assert caught.value.code == "context_length_exceeded"
    assert caught.value.param == "prompt"
    assert "window of 120" in caught.value.message
    with pytest.raises(openai.BadRequestError, match="window") as caught:
        client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "y" * 130}])
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")
    with pytest.raises(openai.NotFoundError, match="tiny") as caught:
        client.chat.completions.create(model="huge", messages=MESSAGES)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="tools"):
        client.chat.completions.create(model="tiny", messages=MESSAGES, tools=[{"type": "function"}])
    assert httpx.post(f"{service.url}/v1/predict", json={"rows": [{"a": 1}]}).status_code == 404
    assert httpx.post(f"{service.url}/v1/chat/completions", content=b"{").status_code == 400
    assert httpx.get(f"{service.url}/ready").json()["models"] == ["tiny"]


def test_the_page_and_the_description_of_the_api_know_the_writer(service):
    page = httpx.get(service.url)
    assert page.status_code == 200
    assert 'data-model="tiny"' in page.text
    assert "chat.completions.create" in page.text
    assert "开始写" in httpx.get(f"{service.url}/?lang=zh&model=tiny").text
    assert "/v1/chat/completions" in httpx.get(f"{service.url}/openapi.json").json()["paths"]
    assert httpx.get(f"{service.url}/v1/models").json()["models"][0]["window"] == 120


def test_the_async_client_leaves_a_stream_early_and_others_go_on(service):
    import asyncio

    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as found:
            stream = await found.completions.create(model="tiny", prompt="ab", max_tokens=100, stream=True)
            async for _ in stream:
                break
            await stream.close()
            answers = await asyncio.gather(
                *(found.completions.create(model="tiny", prompt="ab", max_tokens=12, seed=7) for _ in range(6))
            )
            return {answer.choices[0].text for answer in answers}

    assert len(asyncio.run(ask())) == 1
