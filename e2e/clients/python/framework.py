"""What the programs share that drive frameworks: libraries which run the tools
themselves and hide the wire."""

import asyncio
import gc
import inspect

import pydantic


class City(pydantic.BaseModel):
    """A city"""

    name: str
    inhabitants: int


ASKED = "What is this?"

EVENTS = asyncio.new_event_loop()
CLIENTS = {}


def client_of(kind, base_url: str, command: dict):
    """A vendor's asynchronous client: one for each key, as they belong to the loop of events."""
    # The tests count requests: only those that ask for it repeat them.
    retries = command["members"].get("max_retries", 0)
    known = (kind, command["api_key"], retries)
    if known not in CLIENTS:
        CLIENTS[known] = kind(
            base_url=base_url, api_key=command["api_key"], max_retries=retries, timeout=30
        )
    return CLIENTS[known]


def player(scenarios: dict):
    """Plays the scenario that a command names, to its end also if it is asynchronous."""
    gc.freeze()  # what is imported need not be looked through below

    def run(command: dict) -> dict:
        try:
            seen = scenarios[command["scenario"]](command)
            if inspect.isawaitable(seen):
                seen = EVENTS.run_until_complete(seen)
        except Exception as error:
            seen = of_error(error)
        if "error" in seen:
            # A stream that broke off is closed when it is collected. Within the next
            # request httpcore would wait for its own lock, for ever.
            gc.collect()
        return seen

    return run


def weather(city: str) -> str:
    """The weather in a city"""
    return f"Sunny in {city}"


def of_error(error: BaseException, text: str = "") -> dict:
    """The exception, and the wait that the gateway has told it of."""
    return {
        "text": text,
        "error": {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "message": str(error),
            "retry_after": retry_after(error),
        },
    }


def retry_after(error: BaseException | None) -> str:
    """The header, which libraries keep in different places, or not at all."""
    while error is not None:
        for holder in (error, getattr(error, "response", None)):
            for name in ("headers", "litellm_response_headers"):
                headers = getattr(holder, name, None) or {}
                if "retry-after" in headers:
                    return headers["retry-after"]
        error = error.__cause__
    return ""
