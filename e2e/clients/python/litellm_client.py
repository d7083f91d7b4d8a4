"""Drives LiteLLM for the Go tests, with each of its providers that a gateway can be."""

import os

# Else it fetches its prices when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import json

import litellm

import framework
import result
from questions import PIXEL, QUESTION, WEATHER
from serve import serve

# The provider that comes first in a model's name, for each API.
PROVIDERS = {"chat": "openai", "openrouter": "openrouter", "messages": "anthropic"}

litellm.suppress_debug_info = True


def ask(command: dict, messages=QUESTION, **more):
    base = command["base_url"]
    if command["api"] == "messages":
        base = base.removesuffix("/v1")
    return litellm.completion(
        model=f"{PROVIDERS[command['api']]}/{command['model']}",
        messages=messages,
        api_base=base,
        api_key=command["api_key"],
        # The tests count requests, so the library must not repeat them by itself.
        max_retries=0,
        timeout=30,
        **command["members"],
        **more,
    )


def of_answer(answer) -> dict:
    choice = answer.choices[0]
    usage = answer.usage
    return {
        "text": choice.message.content or "",
        "finish": choice.finish_reason,
        "usage": {
            "input": usage.prompt_tokens,
            "output": usage.completion_tokens,
            "cost": getattr(usage, "cost", None) or 0,
        },
    }


def streamed(command, messages=QUESTION, gathered=None, **more):
    """The chunks of a stream, put together as the library does it."""
    chunks = []
    for chunk in ask(command, messages, stream=True, stream_options={"include_usage": True}, **more):
        chunks.append(chunk)
        if gathered is not None and chunk.choices:
            gathered.append(chunk.choices[0].delta.content or "")
    return litellm.stream_chunk_builder(chunks, messages=messages)


def chat(command):
    return of_answer(ask(command))


def stream(command):
    pieces = []
    try:
        return of_answer(streamed(command, gathered=pieces))
    except Exception as error:
        return framework.of_error(error, "".join(pieces))


def loop(command, ask=ask):
    """Runs the tools that are called until none is, as an agent does."""
    messages, called = [*QUESTION], []
    while True:
        answer = ask(command, messages, tools=[WEATHER])
        message = answer.choices[0].message
        messages.append(message.model_dump())
        if not message.tool_calls:
            return of_answer(answer) | {"calls": called}
        for call in result.of_calls(message.tool_calls):
            city = json.loads(call["arguments"])["city"]
            called.append(call | {"arguments": city})
            messages.append(
                {"role": "tool", "tool_call_id": call["id"], "content": framework.weather(city)}
            )


def loop_stream(command):
    return loop(command, streamed)


def parse_schema(command):
    answer = ask(command, response_format=framework.City)
    parsed = framework.City.model_validate_json(answer.choices[0].message.content)
    return {"parsed": parsed.model_dump()}


def image(command):
    content = [
        {"type": "text", "text": framework.ASKED},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    return of_answer(ask(command, [{"role": "user", "content": content}]))


serve(framework.player(globals()))
