"""Drives Pydantic AI for the Go tests, with each of its models that a gateway can serve."""

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import Agent, AgentRunResultEvent, BinaryContent, NativeOutput, ToolOutput
from pydantic_ai.messages import (
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.models.openrouter import OpenRouterModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openrouter import OpenRouterProvider

import framework
from questions import PIXEL
from serve import serve


def model_of(command: dict):
    base, name = command["base_url"], command["model"]
    if command["api"] == "messages":
        client = framework.client_of(AsyncAnthropic, base.removesuffix("/v1"), command)
        return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=client))
    client = framework.client_of(AsyncOpenAI, base, command)
    match command["api"]:
        case "openrouter":
            return OpenRouterModel(name, provider=OpenRouterProvider(openai_client=client))
        case "responses":
            return OpenAIResponsesModel(name, provider=OpenAIProvider(openai_client=client))
    return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client))


def agent_of(command: dict, **more) -> Agent:
    return Agent(model_of(command), **more)


def of_run(ran, text: str) -> dict:
    answers = [message for message in ran.all_messages() if isinstance(message, ModelResponse)]
    last = answers[-1]
    return {
        "text": text,
        "finish": last.finish_reason,
        "provider": (last.provider_details or {}).get("downstream_provider", ""),
        "calls": [
            {"id": call.tool_call_id, "name": call.tool_name, "arguments": call.args_as_dict()["city"]}
            for answer in answers
            for call in answer.tool_calls
        ],
        "usage": {
            "input": last.usage.input_tokens,
            "output": last.usage.output_tokens,
            "cost": (last.provider_details or {}).get("cost", 0),
        },
    }


async def chat(command, asked="hi", **more):
    ran = await agent_of(command, **more).run(asked)
    return of_run(ran, ran.output)


async def stream(command):
    text = ""
    try:
        async with agent_of(command).run_stream("hi") as ran:
            async for piece in ran.stream_text(delta=True, debounce_by=None):
                text += piece
            return of_run(ran, text)
    except Exception as error:
        return framework.of_error(error, text)


async def loop(command):
    return await chat(command, tools=[framework.weather])


async def loop_stream(command):
    """run_stream takes the first text for the last: events are for runs with tools."""
    ran, text = None, ""
    async with agent_of(command, tools=[framework.weather]).run_stream_events("hi") as events:
        async for event in events:
            match event:
                case PartStartEvent(part=TextPart(content=piece)):
                    text += piece
                case PartDeltaEvent(delta=TextPartDelta(content_delta=piece)):
                    text += piece
                case AgentRunResultEvent():
                    ran = event.result
    return of_run(ran, text)


async def parse_schema(command):
    ran = await agent_of(command, output_type=NativeOutput(framework.City)).run("hi")
    return {"parsed": ran.output.model_dump()}


async def parse_tool(command):
    ran = await agent_of(command, output_type=ToolOutput(framework.City, name="City")).run("hi")
    return {"parsed": ran.output.model_dump()}


async def image(command):
    return await chat(command, [framework.ASKED, BinaryContent.from_data_uri(PIXEL)])


serve(framework.player(globals()))
