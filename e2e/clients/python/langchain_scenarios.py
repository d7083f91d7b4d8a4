"""What people do with LangChain's models of chats, whichever the vendor's class."""

import functools

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool

import framework
from questions import PIXEL

WEATHER = tool(framework.weather)


def of_message(message) -> dict:
    usage = message.usage_metadata or {}
    told = message.response_metadata
    return {
        "text": message.text,
        "finish": told.get("finish_reason") or told.get("stop_reason") or told.get("status"),
        "usage": {
            "input": usage.get("input_tokens", 0),
            "output": usage.get("output_tokens", 0),
            "cost": (told.get("token_usage") or {}).get("cost", 0),
        },
    }


def streamed(model, messages, gathered=None):
    """The chunks of a stream, put together as LangChain does it."""
    whole = None
    for chunk in model.stream(messages):
        whole = chunk if whole is None else whole + chunk
        if gathered is not None:
            gathered.append(chunk.text)
    return whole


def chat(model_of, command):
    return of_message(model_of(command).invoke("hi"))


def stream(model_of, command):
    pieces = []
    try:
        return of_message(streamed(model_of(command), "hi", pieces))
    except Exception as error:
        return framework.of_error(error, "".join(pieces))


def loop(model_of, command, ask=lambda model, messages: model.invoke(messages)):
    """Runs the tools that are called until none is, as an agent does."""
    model = model_of(command).bind_tools([WEATHER])
    messages, called = [HumanMessage("hi")], []
    while True:
        message = ask(model, messages)
        messages.append(message)
        if not message.tool_calls:
            return of_message(message) | {"calls": called}
        for call in message.tool_calls:
            called.append({"id": call["id"], "name": call["name"], "arguments": call["args"]["city"]})
            messages.append(ToolMessage(WEATHER.invoke(call["args"]), tool_call_id=call["id"]))


def loop_stream(model_of, command):
    return loop(model_of, command, streamed)


def parse(model_of, command, **more):
    asked = model_of(command).with_structured_output(framework.City, **more)
    return {"parsed": asked.invoke("hi").model_dump()}


def parse_tool(model_of, command):
    return parse(model_of, command, method="function_calling")


def parse_schema(model_of, command):
    return parse(model_of, command, method="json_schema")


def image(model_of, command):
    content = [
        {"type": "text", "text": framework.ASKED},
        {"type": "image", "base64": PIXEL.partition(",")[2], "mime_type": "image/png"},
    ]
    return of_message(model_of(command).invoke([HumanMessage(content)]))


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (chat, stream, loop, loop_stream, parse_tool, parse_schema, image)
}


def player(model_of, **others):
    """Plays scenarios with the models that model_of makes, and others of the program's own."""
    return framework.player(
        {name: functools.partial(scenario, model_of) for name, scenario in SCENARIOS.items()} | others
    )
