"""Scenarios of images and sound, for the openai SDK."""

import hashlib

import openai

SOUND = ("sound.wav", b"RIFF" + bytes(range(256)) * 400, "audio/wav")
PICTURE = ("cat.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "image/png")


def digest(data: bytes) -> str:
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}"


def of_images(answer) -> dict:
    usage = answer.usage
    return {
        "texts": [image.b64_json for image in answer.data],
        "usage": {"input": usage.input_tokens, "output": usage.output_tokens, "cost": usage.cost},
    }


def of_transcript(answer) -> dict:
    return {"text": answer.text, "usage": {"cost": answer.usage.cost}}


def media_image(settings, model, extra_body=None):
    return of_images(
        openai.OpenAI(**settings).images.generate(
            model=model, prompt="a cat", n=2, extra_body=extra_body
        )
    )


def media_image_stream(settings, model, extra_body=None):
    events = openai.OpenAI(**settings).images.generate(
        model=model, prompt="a cat", stream=True, partial_images=2, extra_body=extra_body
    )
    seen = {"texts": [], "usage": None}
    for event in events:
        seen["texts"].append(f"{event.type} {event.b64_json}")
        if event.type == "image_generation.completed":
            usage = event.usage
            seen["usage"] = {
                "input": usage.input_tokens,
                "output": usage.output_tokens,
                "cost": usage.cost,
            }
    return seen


def media_edit(settings, model, extra_body=None):
    return of_images(
        openai.OpenAI(**settings).images.edit(
            model=model,
            prompt="a hat on it",
            image=[PICTURE, PICTURE],
            mask=PICTURE,
            # As in other requests; the SDK spells it out in the form's fields.
            extra_body={"provider": {"order": ["draws"], "allow_fallbacks": False}},
        )
    )


def media_speech(settings, model, extra_body=None):
    answer = openai.OpenAI(**settings).audio.speech.create(
        model=model, input="hello there", voice="alloy", response_format="mp3"
    )
    return {"text": digest(answer.read()), "finish": answer.response.headers["content-type"]}


def media_speech_stream(settings, model, extra_body=None):
    sound = b""
    with openai.OpenAI(**settings).audio.speech.with_streaming_response.create(
        model=model, input="hello there", voice="alloy", response_format="mp3"
    ) as answer:
        for piece in answer.iter_bytes(100):
            sound += piece
        return {"text": digest(sound), "finish": answer.headers["content-type"]}


def media_transcript(settings, model, extra_body=None):
    return of_transcript(
        openai.OpenAI(**settings).audio.transcriptions.create(model=model, file=SOUND)
    )


def media_transcript_text(settings, model, extra_body=None):
    return {
        "text": openai.OpenAI(**settings).audio.transcriptions.create(
            model=model, file=SOUND, response_format="text"
        )
    }


def media_transcript_verbose(settings, model, extra_body=None):
    answer = openai.OpenAI(**settings).audio.transcriptions.create(
        model=model,
        file=SOUND,
        response_format="verbose_json",
        timestamp_granularities=["segment"],
    )
    return of_transcript(answer) | {"texts": [segment.text for segment in answer.segments]}


def media_transcript_stream(settings, model, extra_body=None):
    seen = {"text": "", "texts": [], "usage": None}
    for event in openai.OpenAI(**settings).audio.transcriptions.create(
        model=model, file=SOUND, stream=True
    ):
        if event.type == "transcript.text.delta":
            seen["text"] += event.delta
        elif event.type == "transcript.text.done":
            seen["texts"].append(event.text)
            seen["usage"] = {"cost": event.usage.cost}
    return seen


def media_translation(settings, model, extra_body=None):
    answer = openai.OpenAI(**settings).audio.translations.create(model=model, file=SOUND)
    return {"text": answer.text}
