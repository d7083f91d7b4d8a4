"""Drives LlamaIndex for the Go tests: OpenAILike and OpenRouter."""

import base64

from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from llama_index.llms.openrouter import OpenRouter

import framework
from questions import PIXEL
from serve import serve

WEATHER = FunctionTool.from_defaults(framework.weather)
QUESTION = [ChatMessage(role="user", content="hi")]


def model_of(command: dict, **more):
    kind = OpenRouter if command["api"] == "openrouter" else OpenAILike
    settings = {
        "model": command["model"],
        "api_base": command["base_url"],
        "api_key": command["api_key"],
        "is_chat_model": True,
        "is_function_calling_model": True,
        # The tests count requests: only those that ask for it repeat them.
        "max_retries": 0,
        "timeout": 30,
    }
    return kind(**settings | command["members"] | more)


def of_answer(answer) -> dict:
    told = answer.additional_kwargs
    usage = getattr(answer.raw, "usage", None)
    return {
        "text": answer.message.content or "",
        "usage": {
            "input": told.get("prompt_tokens", 0),
            "output": told.get("completion_tokens", 0),
            "cost": getattr(usage, "cost", 0),
        },
    }


def streamed(answers, gathered=None):
    """The last of a stream's answers, which holds those before it."""
    last = None
    for last in answers:
        if gathered is not None:
            gathered.append(last.delta or "")
    return last


def chat(command):
    return of_answer(model_of(command).chat(QUESTION))


def stream(command):
    pieces = []
    try:
        return of_answer(streamed(model_of(command).stream_chat(QUESTION), pieces))
    except Exception as error:
        return framework.of_error(error, "".join(pieces))


def whole(model, messages):
    return model.chat_with_tools([WEATHER], chat_history=messages, allow_parallel_tool_calls=True)


def in_pieces(model, messages):
    return streamed(
        model.stream_chat_with_tools(
            [WEATHER], chat_history=messages, allow_parallel_tool_calls=True
        )
    )


def loop(command, ask=whole):
    """Runs the tools that are called until none is, as an agent does."""
    model = model_of(command)
    messages, called = [*QUESTION], []
    while True:
        answer = ask(model, messages)
        messages.append(answer.message)
        calls = model.get_tool_calls_from_response(answer, error_on_no_tool_call=False)
        if not calls:
            return of_answer(answer) | {"calls": called}
        for call in calls:
            city = call.tool_kwargs["city"]
            called.append({"id": call.tool_id, "name": call.tool_name, "arguments": city})
            messages.append(
                ChatMessage(
                    role="tool",
                    content=framework.weather(city),
                    additional_kwargs={"tool_call_id": call.tool_id},
                )
            )


def loop_stream(command):
    return loop(command, in_pieces)


def parse_tool(command, **more):
    model = model_of(command, **more).as_structured_llm(framework.City)
    return {"parsed": model.chat(QUESTION).raw.model_dump()}


def parse_schema(command):
    return parse_tool(command, should_use_structured_outputs=True)


def image(command):
    picture = ImageBlock(
        image=base64.b64decode(PIXEL.partition(",")[2]), image_mimetype="image/png"
    )
    asked = ChatMessage(role="user", blocks=[TextBlock(text=framework.ASKED), picture])
    return of_answer(model_of(command).chat([asked]))


serve(framework.player(globals()))
