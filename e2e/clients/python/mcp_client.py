"""A tool loop between the tools of an MCP server and any model of the gateway. What
the server lists and answers is passed on as it is: no code in between translates."""

import asyncio
import json
import pathlib
import sys

import openai
from mcp import ClientSession, StdioServerParameters, stdio_client

import result
from serve import serve

SERVER = StdioServerParameters(
    command=sys.executable, args=[str(pathlib.Path(__file__).with_name("mcp_server.py"))]
)


def as_sent(message) -> dict:
    """A message of the protocol as it goes over the wire."""
    return message.model_dump(mode="json", by_alias=True)


async def loop(client: openai.AsyncOpenAI, model: str) -> dict:
    async with stdio_client(SERVER) as streams, ClientSession(*streams) as session:
        await session.initialize()
        tools = [as_sent(tool) for tool in (await session.list_tools()).tools]
        messages = [{"role": "user", "content": "What is the weather?"}]
        while True:
            answer = await client.chat.completions.create(model=model, messages=messages, tools=tools)
            said = answer.choices[0].message
            messages.append(said.model_dump(exclude_none=True))
            if not said.tool_calls:
                return result.of_completion(answer)
            for call in said.tool_calls:
                answered = await session.call_tool(call.function.name, json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": as_sent(answered)})


def run(command: dict) -> dict:
    client = openai.AsyncOpenAI(
        base_url=command["base_url"], api_key=command["api_key"], max_retries=0, timeout=30
    )
    try:
        return asyncio.run(loop(client, command["model"]))
    except openai.OpenAIError as error:
        return result.of_error(error)


if __name__ == "__main__":
    serve(run)
