"""What people do with the SDK. The Go tests script the providers' side."""

import asyncio
import json

import openai
import pydantic

import result
from questions import PIXEL, QUESTION, WEATHER


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


def chat(settings, model, extra_body=None):
    raw = openai.OpenAI(**settings).chat.completions.with_raw_response.create(
        model=model, messages=QUESTION, extra_body=extra_body
    )
    return result.of_completion(raw.parse()) | {"generation": raw.headers["x-generation-id"]}


def stream(settings, model, extra_body=None):
    """The plain iterator, as most programs use it."""
    client = openai.OpenAI(**settings)
    return collect(
        client.chat.completions.create(
            model=model, messages=QUESTION, stream=True, extra_body=extra_body
        )
    )


def collect(chunks) -> dict:
    gathered = result.Stream()
    try:
        for chunk in chunks:
            gathered.add(chunk)
    except openai.APIError as error:
        return result.of_error(error, gathered.text)
    return gathered.result()


def stream_helper(settings, model):
    """The accumulating helper, which checks more than the iterator."""
    client = openai.OpenAI(**settings)
    with client.chat.completions.stream(
        model=model, messages=QUESTION, stream_options={"include_usage": True}
    ) as events:
        for _ in events:
            pass
        return result.of_completion(events.get_final_completion())


def tools(settings, model):
    client = openai.OpenAI(**settings)
    return result.of_completion(
        client.chat.completions.create(model=model, messages=QUESTION, tools=[WEATHER])
    )


def tools_stream(settings, model):
    client = openai.OpenAI(**settings)
    return collect(
        client.chat.completions.create(model=model, messages=QUESTION, tools=[WEATHER], stream=True)
    )


def round_trip(settings, model):
    """Sends the answer back as history exactly as the SDK dumps it."""
    client = openai.OpenAI(**settings)
    first = client.chat.completions.create(model=model, messages=QUESTION, tools=[WEATHER])
    message = first.choices[0].message
    history = [*QUESTION, message.model_dump()]
    for call in message.tool_calls:
        city = json.loads(call.function.arguments)["city"]
        history.append({"role": "tool", "tool_call_id": call.id, "content": f"Sunny in {city}"})
    return result.of_completion(
        client.chat.completions.create(model=model, messages=history, tools=[WEATHER])
    )


def parse(settings, model):
    client = openai.OpenAI(**settings)
    completion = client.chat.completions.parse(
        model=model, messages=QUESTION, response_format=City
    )
    parsed = completion.choices[0].message.parsed
    return result.of_completion(completion) | {"parsed": parsed.model_dump()}


def image(settings, model):
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    return result.of_completion(
        openai.OpenAI(**settings).chat.completions.create(
            model=model, messages=[{"role": "user", "content": content}]
        )
    )


def hang_up(settings, model):
    """Leaves after the first text, as a person does who presses stop."""
    client = openai.OpenAI(**settings)
    chunks = client.chat.completions.create(model=model, messages=QUESTION, stream=True)
    for chunk in chunks:
        if chunk.choices and chunk.choices[0].delta.content:
            chunks.close()
            client.close()
            return {"text": chunk.choices[0].delta.content}
    return {"text": ""}


def models(settings, model):
    return {"models": [listed.id for listed in openai.OpenAI(**settings).models.list()]}


def async_chat(settings, model):
    async def ask():
        async with openai.AsyncOpenAI(**settings) as client:
            return await client.chat.completions.create(model=model, messages=QUESTION)

    return result.of_completion(asyncio.run(ask()))


def async_stream(settings, model):
    """Two streams at once on one client."""

    async def one(client):
        text = ""
        chunks = await client.chat.completions.create(model=model, messages=QUESTION, stream=True)
        async for chunk in chunks:
            for choice in chunk.choices:
                text += choice.delta.content or ""
        return text

    async def both():
        async with openai.AsyncOpenAI(**settings) as client:
            return await asyncio.gather(one(client), one(client))

    return {"texts": asyncio.run(both())}


def embeddings(settings, model, extra_body=None):
    """Asks for base64, as the SDK does unless told otherwise, and gets numbers."""
    return result.of_embeddings(
        openai.OpenAI(**settings).embeddings.create(
            model=model, input=["a", "b"], extra_body=extra_body
        )
    )


def embeddings_float(settings, model, extra_body=None):
    return result.of_embeddings(
        openai.OpenAI(**settings).embeddings.create(
            model=model, input=["a", "b"], encoding_format="float", extra_body=extra_body
        )
    )


def completion(settings, model, extra_body=None):
    answer = openai.OpenAI(**settings).completions.create(
        model=model, prompt="hi", extra_body=extra_body
    )
    (choice,) = answer.choices
    return {
        "id": answer.id,
        "model": answer.model,
        "text": choice.text,
        "finish": choice.finish_reason,
        "usage": result.of_usage(answer.usage),
    }


def completion_stream(settings, model, extra_body=None):
    chunks = openai.OpenAI(**settings).completions.create(
        model=model, prompt="hi", stream=True, extra_body=extra_body
    )
    seen = {"text": "", "finish": None, "usage": None}
    for chunk in chunks:
        seen["model"] = chunk.model
        seen["usage"] = result.of_usage(chunk.usage) if chunk.usage else seen["usage"]
        for choice in chunk.choices:
            seen["text"] += choice.text
            seen["finish"] = choice.finish_reason or seen["finish"]
    return seen
