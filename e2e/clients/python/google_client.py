"""Drives the official google-genai SDK for the Go tests."""

import asyncio
import base64

import pydantic
from google import genai
from google.genai import errors, types

import result
from questions import PIXEL
from serve import serve

QUESTION = "hi"

WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="The weather in a city",
            parameters=types.Schema(
                type=types.Type.OBJECT,
                properties={"city": types.Schema(type=types.Type.STRING, nullable=True)},
                required=["city"],
            ),
        )
    ]
)


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


def run(command: dict) -> dict:
    client = genai.Client(
        api_key=command["api_key"],
        http_options=types.HttpOptions(
            # The SDK appends /v1/models itself.
            base_url=command["base_url"].removesuffix("/v1"),
            timeout=30_000,
            retry_options=types.HttpRetryOptions(attempts=1),
            extra_body=command["members"] or None,
        ),
    )
    with client:
        try:
            return SCENARIOS[command["scenario"]](client, command["model"])
        except errors.APIError as error:
            return of_error(error)


def of_error(error, text: str = "") -> dict:
    return {
        "text": text,
        "error": {
            "class": type(error).__name__,
            "status": error.code,
            "message": error.message,
            "body": error.details,
        },
    }


class Answer:
    """Gathers answers, of which a stream is many."""

    def __init__(self):
        self.seen = {"text": "", "texts": [], "calls": [], "signatures": [], "finish": None, "usage": None}

    def add(self, answer) -> None:
        seen = self.seen
        seen["id"], seen["model"] = answer.response_id, answer.model_version
        for part in answer.candidates[0].content.parts:
            if part.function_call:
                call = part.function_call
                arguments = result.json.dumps(call.args, ensure_ascii=False)
                seen["calls"].append({"id": call.id, "name": call.name, "arguments": arguments})
            elif part.thought:
                seen["texts"].append(part.text)
            elif part.text:
                seen["text"] += part.text
            if part.thought_signature:
                seen["signatures"].append(base64.b64encode(part.thought_signature).decode())
        if answer.candidates[0].finish_reason:
            seen["finish"] = answer.candidates[0].finish_reason.value
            counts = answer.usage_metadata
            seen["usage"] = {
                "input": counts.prompt_token_count,
                "output": counts.candidates_token_count + (counts.thoughts_token_count or 0),
            }


def whole(client, model, config=None, contents=QUESTION):
    answer = Answer()
    answer.add(client.models.generate_content(model=model, contents=contents, config=config))
    return answer.seen


def stream(client, model, config=None):
    answer = Answer()
    try:
        for chunk in client.models.generate_content_stream(model=model, contents=QUESTION, config=config):
            answer.add(chunk)
    except errors.APIError as error:
        return of_error(error, answer.seen["text"])
    return answer.seen


def async_whole(client, model):
    async def ask():
        async with client.aio as aio:
            answer = Answer()
            answer.add(await aio.models.generate_content(model=model, contents=QUESTION))
            return answer.seen

    return asyncio.run(ask())


def async_stream(client, model):
    async def ask():
        async with client.aio as aio:
            answer = Answer()
            async for chunk in await aio.models.generate_content_stream(model=model, contents=QUESTION):
                answer.add(chunk)
            return answer.seen

    return asyncio.run(ask())


def image(client, model):
    data = base64.b64decode(PIXEL.partition(",")[2])
    contents = ["what is it?", types.Part.from_bytes(data=data, mime_type="image/png")]
    return whole(client, model, contents=contents)


def thinking(client, model):
    config = {"thinking_config": {"thinking_budget": 2000, "include_thoughts": True}, "max_output_tokens": 4000}
    return whole(client, model, config)


def thinking_stream(client, model):
    config = {"thinking_config": {"thinking_budget": 2000, "include_thoughts": True}, "max_output_tokens": 4000}
    return stream(client, model, config)


def tools(client, model):
    return whole(client, model, {"tools": [WEATHER]})


def tools_stream(client, model):
    return stream(client, model, {"tools": [WEATHER]})


def forced(client, model):
    config = {
        "tools": [WEATHER],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["weather"]}},
    }
    return whole(client, model, config)


def automatic(client, model):
    """The SDK calls the function itself, and asks again with what it gave."""

    def weather(city: str) -> str:
        """The weather in a city."""
        return "Sunny in " + city

    return whole(client, model, {"tools": [weather]})


def chat(client, model):
    """A loop of tools whose second turn sends the streamed answer back as it came."""
    talk = client.chats.create(
        model=model,
        config={
            "tools": [WEATHER],
            "thinking_config": {"thinking_budget": 2000, "include_thoughts": True},
            "max_output_tokens": 4000,
        },
    )
    calls = []
    for chunk in talk.send_message_stream(QUESTION):
        calls += chunk.function_calls or []
    results = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name=call.name, response={"result": "Sunny in " + call.args["city"]}
            )
        )
        for call in calls
    ]
    answer = Answer()
    answer.add(talk.send_message(results))
    return answer.seen


def parse(client, model):
    answer = client.models.generate_content(
        model=model,
        contents=QUESTION,
        config={"response_mime_type": "application/json", "response_schema": City},
    )
    return {"text": answer.text, "parsed": answer.parsed.model_dump()}


def count(client, model):
    counted = client.models.count_tokens(model=model, contents=QUESTION)
    return {"usage": {"input": counted.total_tokens, "output": 0}}


def models(client, model):
    return {"models": [listed.name for listed in client.models.list()]}


def embed(client, model):
    config = {"task_type": "RETRIEVAL_DOCUMENT", "output_dimensionality": 256}
    answer = client.models.embed_content(model=model, contents=["a", "b"], config=config)
    return {"vectors": [vector.values for vector in answer.embeddings]}


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        whole, stream, async_whole, async_stream, image, thinking, thinking_stream,
        tools, tools_stream, forced, automatic, chat, parse, count, models, embed,
    )
}

serve(run)
