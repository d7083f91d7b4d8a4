"""The JSON results that the Go tests compare, the same for all SDKs."""

import openai


def of_calls(calls) -> list[dict]:
    return [
        {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
        for call in calls or []
    ]


def of_usage(usage) -> dict:
    """Token counts, and the cost that the gateway adds to them."""
    return {"input": usage.prompt_tokens, "output": usage.completion_tokens, "cost": usage.cost}


def of_completion(completion) -> dict:
    choice = completion.choices[0]
    return {
        "id": completion.id,
        "model": completion.model,
        "provider": completion.provider,
        "text": choice.message.content or "",
        "refusal": choice.message.refusal or "",
        "finish": choice.finish_reason,
        "calls": of_calls(choice.message.tool_calls),
        "usage": of_usage(completion.usage),
    }


def of_error(error: openai.OpenAIError, text: str = "") -> dict:
    """The exception's class, status and body, and the text received before it."""
    return {
        "text": text,
        "error": {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "message": str(error),
            "body": getattr(error, "body", None),
        },
    }
