"""Drives the official openai SDK for the Go tests."""

import openai

import openai_media
import openai_responses
import openai_scenarios
import result
from serve import serve


def run(command: dict) -> dict:
    apis = {"respond": openai_responses, "media": openai_media}
    kind = command["scenario"].split("_")[0]
    scenario = getattr(apis.get(kind, openai_scenarios), command["scenario"])
    settings = {
        "base_url": command["base_url"],
        "api_key": command["api_key"],
        # The tests count requests, so the SDK must not repeat them by itself.
        "max_retries": 0,
        "timeout": 30,
    }
    # The SDK knows nothing of routing: people pass it as extra_body.
    arguments = {"extra_body": command["members"]} if command["members"] else {}
    try:
        return scenario(settings, command["model"], **arguments)
    except openai.OpenAIError as error:
        return result.of_error(error)


if __name__ == "__main__":
    serve(run)
