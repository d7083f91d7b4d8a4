"""Drives the official openrouter SDK for the Go tests."""

import base64
import hashlib
from datetime import datetime, timezone

import openrouter
from openrouter import errors, utils

import result
from questions import QUESTION, WEATHER
from serve import serve


def run(command: dict) -> dict:
    client = openrouter.OpenRouter(
        server_url=command["base_url"],
        api_key=command["api_key"],
        # Unless told not to, the SDK repeats what failed for up to an hour.
        retry_config=utils.RetryConfig("none", None, False),
        timeout_ms=30_000,
    )
    with client:
        try:
            return SCENARIOS[command["scenario"]](client, command["model"], command["members"])
        except errors.OpenRouterError as error:
            return result.of_error(error)


def chat(client, model, members):
    return result.of_completion(client.chat.send(model=model, messages=QUESTION, **members))


def stream(client, model, members):
    return collect(client.chat.send(model=model, messages=QUESTION, stream=True, **members))


def collect(chunks) -> dict:
    gathered = result.Stream()
    with chunks:
        for chunk in chunks:
            if chunk.error:
                # The SDK raises nothing here: its users look for themselves.
                return {
                    "text": gathered.text,
                    "error": {
                        "class": type(chunk.error).__name__,
                        "status": chunk.error.code,
                        "message": chunk.error.message,
                    },
                }
            gathered.add(chunk)
    return gathered.result()


def tools(client, model, members):
    return chat(client, model, members | {"tools": [WEATHER]})


def tools_stream(client, model, members):
    return stream(client, model, members | {"tools": [WEATHER]})


def metadata(client, model, members):
    """What the router says of its decision, where it was asked for it."""
    answer = client.chat.send(
        model=model, messages=QUESTION, x_open_router_metadata="enabled", **members
    )
    routed = answer.openrouter_metadata
    return routed and {
        "strategy": routed.strategy,
        "requested": routed.requested,
        "stages": [f"{stage.type} {stage.name}" for stage in routed.pipeline or []],
    }


def respond(client, model, members):
    return of_response(client.responses.send(model=model, input="hi", **members))


def respond_stream(client, model, members):
    events = client.responses.send(
        model=model, input="hi", stream=True, tools=[{"type": "function", **WEATHER["function"]}]
    )
    with events:
        for event in events:
            if event.type == "response.failed":
                failed = event.response.error
                return {"error": {"class": failed.code, "message": failed.message}}
            if event.type in ("response.completed", "response.incomplete"):
                return of_response(event.response)


def of_response(response) -> dict:
    items = response.output
    return {
        "id": response.id,
        "model": response.model,
        "text": "".join(
            part.text for item in items if item.type == "message" for part in item.content
        ),
        "finish": response.status,
        "calls": [
            {"id": item.call_id, "name": item.name, "arguments": item.arguments}
            for item in items
            if item.type == "function_call"
        ],
        "usage": {
            "input": response.usage.input_tokens,
            "output": response.usage.output_tokens,
            "cost": response.usage.cost,
        },
    }


def models(client, _model, _members):
    ids, page = [], client.models.list()
    while page:
        ids += [listed.id for listed in page.result.data]
        page = page.next()
    return {"models": ids}


def endpoints(client, model, _members):
    author, slug = model.split("/", 1)
    listed = client.endpoints.list(author=author, slug=slug).data
    return {"id": listed.id, "endpoints": [endpoint.tag for endpoint in listed.endpoints]}


def embeddings(client, model, members):
    return result.of_embeddings(
        client.embeddings.generate(model=model, input=["a", "b"], **members)
    )


def rerank(client, model, members):
    answer = client.rerank.rerank(
        model=model, query="q", documents=["a", {"text": "b"}, "c"], top_n=2, **members
    )
    return {
        "model": answer.model,
        "texts": [ranked.document.text for ranked in answer.results],
        "usage": {"input": answer.usage.search_units, "cost": answer.usage.cost},
    }


def of_image(seen) -> dict:
    """Tokens and cost of an answer, or of the last event of a stream."""
    return {
        "input": seen.usage.prompt_tokens,
        "output": seen.usage.completion_tokens,
        "cost": seen.usage.cost,
    }


def image_generation(client, model, members):
    answer = client.images.generate(model=model, prompt="a cat", n=2, **members)
    return {"texts": [image.b64_json for image in answer.data], "usage": of_image(answer)}


def image_stream(client, model, members):
    seen = {"texts": [], "usage": None}
    for event in client.images.generate(model=model, prompt="a cat", stream=True, **members):
        seen["texts"].append(f"{event.type} {event.b64_json}")
        if event.type == "image_generation.completed":
            seen["usage"] = of_image(event)
    return seen


def speech(client, model, members):
    answer = client.tts.create_speech(model=model, input="hello there", voice="alloy", **members)
    sound = answer.read()
    return {
        "text": f"{len(sound)} {hashlib.sha256(sound).hexdigest()}",
        "finish": answer.headers["content-type"],
    }


def transcription(client, model, members):
    sound = base64.b64encode(b"RIFF").decode()
    answer = client.stt.create_transcription(
        model=model, input_audio={"data": sound, "format": "wav"}, language="en", **members
    )
    return {"text": answer.text, "usage": {"cost": answer.usage.cost}}


def manage_own_keys(client, _model, members):
    """The life of an own key of a provider; what it was like at each step."""
    made = client.byok.create(provider=members["provider"], key=members["key"], name="sdk", is_required=True).data
    listed = client.byok.list(provider=members["provider"])
    rotated = client.byok.update(id=made.id, key=members["key"][:-4] + "wxyz", name=None, disabled=True).data
    shown = client.byok.get(id=made.id).data
    deleted = client.byok.delete(id=made.id).DELETED
    try:
        client.byok.get(id=made.id)
        status = 200
    except errors.OpenRouterError as error:
        status = error.status_code
    return {
        "id": made.id,
        "text": made.label,
        "finish": f"{made.is_required} {made.sort_order} {listed.result.total_count} {rotated.label} "
        f"{shown.name} {shown.disabled} {deleted} {status}",
    }


def manage_keys(client, _model, _members):
    """The life of a key, by a management key; what it was like at each step."""
    made = client.api_keys.create(
        name="sdk", limit=1.5, limit_reset="daily", expires_at=datetime(2999, 1, 1, tzinfo=timezone.utc)
    )
    key = made.data.hash
    listed = [each.hash for each in client.api_keys.list().data]
    changed = client.api_keys.update(hash=key, name="renamed", limit=None, disabled=True).data
    shown = client.api_keys.get(hash=key).data
    deleted = client.api_keys.delete(hash=key).DELETED
    try:
        client.api_keys.get(hash=key)
        status = 200
    except errors.OpenRouterError as error:
        status = error.status_code
    return {
        "id": key,
        "text": made.key,
        "finish": f"{made.data.limit} {made.data.limit_reset} {made.data.expires_at.year} {key in listed} "
        f"{changed.name} {changed.limit} {shown.disabled} {deleted} {status}",
    }


def manage_workspace(client, model, _members):
    """The life of a workspace with a key and a member."""
    made = client.workspaces.create(name="Lab", slug="lab", default_text_model=model).data
    listed = [each.slug for each in client.workspaces.list().result.data]
    changed = client.workspaces.update(id="lab", description="d").data
    key = client.api_keys.create(name="sdk", workspace_id=made.id)
    member = client.organization.list_members().result.data[0]
    added = client.workspaces.bulk_add_members(id=made.id, user_ids=[member.id])
    within = client.workspaces.list_members(id=made.id).result.data
    removed = client.workspaces.bulk_remove_members(id=made.id, user_ids=[member.id]).removed_count
    return {
        "id": made.id,
        "text": key.key,
        "finish": f"{listed} {made.default_text_model} {changed.description} {key.data.workspace_id == made.id} "
        f"{member.role} {added.added_count} {[each.user_id == member.id for each in within]} {removed}",
    }


def exchange_code(client, _model, _members):
    """A key by PKCE: the code is made with a management key, and exchanged once."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    code = client.o_auth.create_auth_code(
        callback_url="http://localhost:3000/back",
        code_challenge=challenge,
        code_challenge_method="S256",
        key_label="app",
        limit=1,
        usage_limit_type="monthly",
    ).data.id
    statuses = []
    key = ""
    for attempt in ("wrong", verifier, verifier):
        try:
            key = client.o_auth.exchange_auth_code_for_api_key(
                code=code, code_verifier=attempt, code_challenge_method="S256"
            ).key
            statuses.append(200)
        except errors.OpenRouterError as error:
            statuses.append(error.status_code)
    return {"text": key, "finish": str(statuses)}


def current_key(client, _model, _members):
    """What a key is told of itself."""
    key = client.api_keys.get_current_key_metadata().data
    return {
        "finish": f"{key.label} {key.limit} {key.limit_remaining} {key.organization_id} {key.workspace_id} "
        f"{key.free_model_daily_requests.limit} {key.allowed_data_regions} {[(each.scope, each.spend_usd) for each in key.budgets]}"
    }


def manage_budgets(client, _model, _members):
    """The budgets of a workspace."""
    budgets = client.workspaces
    made = budgets.set_budget(workspace_ref="default", interval="monthly", limit_usd=20).data
    listed = budgets.list_budgets(workspace_ref="default")
    deleted = budgets.delete_budget(workspace_ref="default", interval="monthly").DELETED
    return {"finish": f"{made.limit_usd} {made.reset_interval} {len(listed.data)} {listed.include_byok_in_budgets} {deleted}"}


def manage_guardrails(client, _model, _members):
    """The life of a guardrail, with a key that is held to it."""
    made = client.guardrails.create(
        name="strict",
        limit_usd=5,
        reset_interval="monthly",
        enforce_zdr_openai=True,
        content_filters=[{"pattern": "secret", "action": "redact", "label": "S"}],
        content_filter_builtins=[{"slug": "email", "action": "block"}],
    ).data
    key = client.api_keys.create(name="sdk").data.hash
    assigned = client.guardrails.bulk_assign_keys(id=made.id, key_hashes=[key]).assigned_count
    held = [each.key_hash == key for each in client.guardrails.list_key_assignments().result.data]
    changed = client.guardrails.update(id=made.id, limit_usd=None, description="d").data
    listed = [each.name for each in client.guardrails.list().result.data]
    removed = client.guardrails.bulk_unassign_keys(id=made.id, key_hashes=[key]).unassigned_count
    deleted = client.guardrails.delete(id=made.id).DELETED
    return {
        "finish": f"{made.limit_usd} {made.reset_interval} {made.enforce_zdr_openai} {made.content_filters[0].label} {assigned} "
        f"{held} {changed.limit_usd} {changed.description} {listed} {removed} {deleted}"
    }


def account(client, _model, _members):
    """What all keys have used, today's requests left out of the days."""
    used = client.credits.get_credits().data
    days = client.analytics.get_user_activity().data
    return {"usage": {"cost": used.total_usage}, "finish": f"{used.total_credits} {len(days)}"}


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        chat, stream, tools, tools_stream, metadata, respond, respond_stream, models, endpoints, embeddings, rerank,
        image_generation, image_stream, speech, transcription, manage_keys, manage_workspace, manage_budgets,
        manage_guardrails, current_key, manage_own_keys, exchange_code, account,
    )
}

if __name__ == "__main__":
    serve(run)
