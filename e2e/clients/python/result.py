"""The JSON results that the Go tests compare, the same for all SDKs."""

import json


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
        # The openrouter SDK leaves it out of what it hands on.
        "provider": getattr(completion, "provider", ""),
        "text": choice.message.content or "",
        "refusal": choice.message.refusal or "",
        "finish": choice.finish_reason,
        "calls": of_calls(choice.message.tool_calls),
        "usage": of_usage(completion.usage),
    }


def of_embeddings(answer) -> dict:
    return {
        "model": answer.model,
        "provider": getattr(answer, "provider", ""),
        "vectors": [item.embedding for item in answer.data],
        "usage": {"input": answer.usage.prompt_tokens, "cost": answer.usage.cost},
    }


class Stream:
    """Gathers the chunks of a stream, as all SDKs shape them."""

    def __init__(self):
        self.text, self.finish, self.model, self.usage, self.calls = "", None, "", None, {}

    def add(self, chunk) -> None:
        self.model = chunk.model
        if chunk.usage:
            self.usage = of_usage(chunk.usage)
        for choice in chunk.choices:
            self.text += choice.delta.content or ""
            self.finish = choice.finish_reason or self.finish
            for piece in choice.delta.tool_calls or []:
                call = self.calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
                call["id"] += piece.id or ""
                call["name"] += piece.function.name or ""
                call["arguments"] += piece.function.arguments or ""

    def result(self) -> dict:
        return {
            "text": self.text,
            "finish": self.finish,
            "model": self.model,
            "usage": self.usage,
            "calls": [self.calls[index] for index in sorted(self.calls)],
        }


def of_error(error: Exception, text: str = "") -> dict:
    """The exception's class, status and body, and the text received before it."""
    body = getattr(error, "body", None)
    return {
        "text": text,
        "error": {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "message": str(error),
            # The openai SDK hands on the `error` in the body, openrouter the text.
            "body": json.loads(body).get("error") if isinstance(body, str) else body,
        },
    }
