"""What people do with the SDK's Responses API. The Go tests script the providers' side."""

import json

import openai

import result
from openai_scenarios import City
from questions import PIXEL, WEATHER

# The API has no object of its own around a function.
TOOL = {"type": "function", "strict": False, **WEATHER["function"]}


def of_response(response) -> dict:
    called = [item for item in response.output if item.type == "function_call"]
    return {
        "id": response.id,
        "model": response.model,
        "text": response.output_text,
        "finish": response.status,
        "calls": [
            {"id": call.call_id, "name": call.name, "arguments": call.arguments} for call in called
        ],
        "usage": {
            "input": response.usage.input_tokens,
            "output": response.usage.output_tokens,
            "cost": response.usage.cost,
        },
    }


def respond(settings, model, extra_body=None):
    raw = openai.OpenAI(**settings).responses.with_raw_response.create(
        model=model, input="hi", store=False, extra_body=extra_body
    )
    return of_response(raw.parse()) | {"generation": raw.headers["x-generation-id"]}


def respond_stream(settings, model):
    """The plain iterator: every event is of a type that the SDK has."""
    text, final = "", None
    events = openai.OpenAI(**settings).responses.create(model=model, input="hi", stream=True)
    for number, event in enumerate(events):
        assert event.sequence_number == number, event
        match event.type:
            case "response.output_text.delta":
                text += event.delta
            case "response.completed" | "response.incomplete":
                final = event.response
            case "response.failed":
                failed = event.response.error
                return {"text": text, "error": {"class": failed.code, "message": failed.message}}
    return of_response(final) | {"text": text}


def respond_helper(settings, model):
    """The accumulating helper, which checks more than the iterator."""
    client = openai.OpenAI(**settings)
    with client.responses.stream(model=model, input="hi", tools=[TOOL]) as events:
        for _ in events:
            pass
        return of_response(events.get_final_response())


def respond_round_trip(settings, model, extra_body=None):
    """Sends the answer's items back exactly as the SDK dumps them."""
    client = openai.OpenAI(**settings)
    asked = {
        "model": model,
        "tools": [TOOL],
        "include": ["reasoning.encrypted_content"],
        "extra_body": extra_body,
    }
    history = [{"role": "user", "content": "hi"}]
    first = client.responses.create(input=history, **asked)
    history += [item.model_dump() for item in first.output]
    for item in first.output:
        if item.type == "function_call":
            city = json.loads(item.arguments)["city"]
            history.append(
                {"type": "function_call_output", "call_id": item.call_id, "output": f"Sunny in {city}"}
            )
    return of_response(client.responses.create(input=history, **asked))


def respond_parse(settings, model):
    response = openai.OpenAI(**settings).responses.parse(model=model, input="hi", text_format=City)
    return of_response(response) | {"parsed": response.output_parsed.model_dump()}


def respond_image(settings, model):
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
    ]
    return of_response(
        openai.OpenAI(**settings).responses.create(
            model=model,
            instructions="Be brief.",
            input=[{"role": "user", "content": content}],
        )
    )


def respond_stored(settings, model):
    return of_response(openai.OpenAI(**settings).responses.create(model=model, input="hi", store=True))
