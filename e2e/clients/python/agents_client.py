"""Drives the OpenAI Agents SDK for the Go tests, with either of its models."""

import json
import logging

import agents
from openai import AsyncOpenAI

import framework
from questions import PIXEL
from serve import serve

WEATHER = agents.function_tool(framework.weather)
# Its traces would go to OpenAI.
agents.set_tracing_disabled(True)
logging.getLogger("openai.agents").setLevel(logging.CRITICAL)


def agent_of(command: dict, **more) -> agents.Agent:
    client = framework.client_of(AsyncOpenAI, command["base_url"], command)
    kind = agents.OpenAIChatCompletionsModel
    if command["api"] == "responses":
        kind = agents.OpenAIResponsesModel
    return agents.Agent(
        name="tester", model=kind(model=command["model"], openai_client=client), **more
    )


def of_run(ran, text: str) -> dict:
    last = ran.raw_responses[-1]
    called = [
        item.raw_item for item in ran.new_items if isinstance(item, agents.ToolCallItem)
    ]
    return {
        "text": text,
        "calls": [
            {"id": call.call_id, "name": call.name, "arguments": json.loads(call.arguments)["city"]}
            for call in called
        ],
        "usage": {"input": last.usage.input_tokens, "output": last.usage.output_tokens, "cost": 0},
    }


async def chat(command, asked="hi", **more):
    ran = await agents.Runner.run(agent_of(command, **more), asked)
    return of_run(ran, ran.final_output)


async def stream(command, **more):
    text = ""
    try:
        ran = agents.Runner.run_streamed(agent_of(command, **more), "hi")
        async for event in ran.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                text += event.data.delta
        return of_run(ran, text)
    except Exception as error:
        return framework.of_error(error, text)


async def loop(command):
    return await chat(command, tools=[WEATHER])


async def loop_stream(command):
    return await stream(command, tools=[WEATHER])


async def parse_schema(command):
    ran = await agents.Runner.run(agent_of(command, output_type=framework.City), "hi")
    return {"parsed": ran.final_output.model_dump()}


async def image(command):
    content = [
        {"type": "input_text", "text": framework.ASKED},
        {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
    ]
    return await chat(command, [{"role": "user", "content": content}])


serve(framework.player(globals()))
