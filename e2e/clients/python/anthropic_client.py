"""Drives the official anthropic SDK for the Go tests."""

import anthropic
import pydantic

import result
from questions import PIXEL, QUESTION
from serve import serve

WEATHER = {
    "name": "weather",
    "description": "The weather in a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


class City(pydantic.BaseModel):
    name: str
    inhabitants: int


def run(command: dict) -> dict:
    client = anthropic.Anthropic(
        # The SDK appends /v1 itself.
        base_url=command["base_url"].removesuffix("/v1"),
        api_key=command["api_key"],
        max_retries=0,
        timeout=30,
    )
    request = {"model": command["model"], "max_tokens": 4000, "messages": QUESTION}
    return SCENARIOS[command["scenario"]](client, request | command["members"])


def of_message(message, cost=None) -> dict:
    blocks = message.content
    return {
        "id": message.id,
        "model": message.model,
        "provider": getattr(message, "provider", ""),
        "text": "".join(block.text for block in blocks if block.type == "text"),
        "texts": [block.thinking for block in blocks if block.type == "thinking"],
        "finish": message.stop_reason,
        "calls": [
            {"id": block.id, "name": block.name, "arguments": result.json.dumps(block.input, ensure_ascii=False)}
            for block in blocks
            if block.type == "tool_use"
        ],
        "usage": {
            "input": message.usage.input_tokens,
            "output": message.usage.output_tokens,
            "cost": message.usage.cost if cost is None else cost,
        },
        "signatures": [block.signature for block in blocks if block.type == "thinking"],
    }


def whole(client, request):
    try:
        return of_message(client.messages.create(**request))
    except anthropic.APIError as error:
        return of_error(error)


def stream(client, request):
    """Lets the SDK put the stream together, as its users do."""
    text, cost = "", None
    try:
        with client.messages.stream(**request) as events:
            for event in events:
                if event.type == "text":
                    text += event.text
                elif event.type == "message_delta":
                    # What the SDK puts together leaves out the gateway's own.
                    cost = event.usage.cost
            return of_message(events.get_final_message(), cost)
    except anthropic.APIError as error:
        return of_error(error, text)


def of_error(error, text: str = "") -> dict:
    seen = result.of_error(error, text)
    seen["error"]["body"] = error.body
    return seen


def tools(client, request):
    return whole(client, request | {"tools": [WEATHER]})


def tools_stream(client, request):
    return stream(client, request | {"tools": [WEATHER]})


def events(client, request):
    """The names of a stream's events, in order."""
    with client.messages.create(stream=True, **request) as sent:
        return {"texts": [event.type for event in sent]}


def history(client, request):
    """A loop of tools whose second turn sends the first answer back as it came."""
    request |= {"tools": [WEATHER]}
    with client.messages.stream(**request) as first:
        answer = first.get_final_message()
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "sunny"}
        for block in answer.content
        if block.type == "tool_use"
    ]
    turns = [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
    return whole(client, request | {"messages": QUESTION + turns})


def image(client, request):
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL.partition(",")[2]}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    return whole(client, request | {"messages": [{"role": "user", "content": content}]})


def parse(client, request):
    message = client.messages.parse(output_format=City, **request)
    return of_message(message) | {"parsed": message.parsed_output.model_dump()}


def sampled(client, request):
    # The SDK no longer knows the parameter, and its guide says to send it so.
    return whole(client, request | {"extra_body": {"temperature": 0.5}})


def beta(client, request):
    return of_message(client.beta.messages.create(**request))


def count(client, request):
    del request["max_tokens"]
    try:
        counted = client.messages.count_tokens(**request)
    except anthropic.APIError as error:
        return of_error(error)
    return {"usage": {"input": counted.input_tokens, "output": 0, "cost": 0}}


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (whole, stream, tools, tools_stream, events, history, image, parse, sampled, beta, count)
}

serve(run)
