"""Drives LangChain for the Go tests: ChatOpenAI with either API, ChatAnthropic."""

import tiktoken
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

import langchain_scenarios
from serve import serve


def model_of(command: dict):
    settings = {
        "model": command["model"],
        "api_key": command["api_key"],
        # The tests count requests: only those that ask for it repeat them.
        "max_retries": 0,
        "timeout": 30,
    } | command["members"]
    base = command["base_url"]
    match command["api"]:
        case "messages":
            return ChatAnthropic(base_url=base.removesuffix("/v1"), **settings)
        case "responses":
            return ChatOpenAI(base_url=base, use_responses_api=True, store=False, **settings)
    return ChatOpenAI(base_url=base, **settings)


def embeddings(command, **more):
    model = OpenAIEmbeddings(
        model=command["model"],
        base_url=command["base_url"],
        api_key=command["api_key"],
        max_retries=0,
        **more,
    )
    return {"vectors": model.embed_documents(["a", "b"])}


def embeddings_tokens(command):
    """What the library does by default: it sends tokens and no text."""
    return embeddings(command)


def embeddings_text(command):
    return embeddings(command, check_embedding_ctx_length=False)


# The tokens of OpenAI's models are a download. Bytes will do.
tiktoken.registry.ENCODINGS["cl100k_base"] = tiktoken.Encoding(
    name="cl100k_base",
    pat_str=r"[\s\S]+",
    mergeable_ranks={bytes([byte]): byte for byte in range(256)},
    special_tokens={},
)

serve(
    langchain_scenarios.player(
        model_of, embeddings_tokens=embeddings_tokens, embeddings_text=embeddings_text
    )
)
