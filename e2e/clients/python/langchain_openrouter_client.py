"""Drives LangChain's ChatOpenRouter for the Go tests."""

from langchain_openrouter import ChatOpenRouter

import langchain_scenarios
from serve import serve


def model_of(command: dict):
    settings = {
        "model": command["model"],
        "base_url": command["base_url"],
        "api_key": command["api_key"],
        "max_retries": 0,
        "timeout": 30_000,  # milliseconds
    }
    return ChatOpenRouter(**settings | command["members"])


serve(langchain_scenarios.player(model_of))
