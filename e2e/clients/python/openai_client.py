"""Drives the official openai SDK for the Go tests.

Reads one JSON command a line from standard input, {"scenario", "base_url",
"api_key", "model"}, and prints one JSON result a line: what the scenario saw,
or the error that the SDK raised, in the words of result.py.
"""

import json
import sys

import openai

import result
import scenarios


def run(command: dict) -> dict:
    scenario = getattr(scenarios, command["scenario"])
    settings = {
        "base_url": command["base_url"],
        "api_key": command["api_key"],
        # The tests count requests, so the SDK must not repeat them by itself.
        "max_retries": 0,
        "timeout": 30,
    }
    try:
        return scenario(settings, command["model"])
    except openai.OpenAIError as error:
        return result.of_error(error)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
