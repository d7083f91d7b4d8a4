// Scenarios of images and sound, for the openai SDK.

import { createHash } from "node:crypto";
import { toFile } from "openai";

const bytes = (times) => Buffer.concat(Array(times).fill(Buffer.from([...Array(256).keys()])));
const sound = () => toFile(Buffer.concat([Buffer.from("RIFF"), bytes(400)]), "sound.wav", { type: "audio/wav" });
const picture = () => toFile(bytes(40), "cat.png", { type: "image/png" });

const digest = (data) => `${data.length} ${createHash("sha256").update(data).digest("hex")}`;

function ofImages({ data, usage }) {
  return {
    texts: data.map(({ b64_json }) => b64_json),
    usage: { input: usage.input_tokens, output: usage.output_tokens, cost: usage.cost },
  };
}

function ofTranscript({ text, usage }) {
  return { text, usage: { cost: usage.cost } };
}

export async function media_image(client, model, members) {
  return ofImages(await client.images.generate({ model, prompt: "a cat", n: 2, ...members }));
}

export async function media_image_stream(client, model, members) {
  const events = await client.images.generate({
    model,
    prompt: "a cat",
    stream: true,
    partial_images: 2,
    ...members,
  });
  const seen = { texts: [], usage: null };
  for await (const { type, b64_json, usage } of events) {
    seen.texts.push(`${type} ${b64_json}`);
    if (type === "image_generation.completed") {
      seen.usage = { input: usage.input_tokens, output: usage.output_tokens, cost: usage.cost };
    }
  }
  return seen;
}

export async function media_edit(client, model) {
  return ofImages(
    await client.images.edit({
      model,
      prompt: "a hat on it",
      image: [await picture(), await picture()],
      mask: await picture(),
      // As in other requests; the SDK spells it out in the form's fields.
      provider: { order: ["draws"], allow_fallbacks: false },
    }),
  );
}

async function speak(client, model) {
  return client.audio.speech.create({
    model,
    input: "hello there",
    voice: "alloy",
    response_format: "mp3",
  });
}

export async function media_speech(client, model) {
  const answer = await speak(client, model);
  const data = Buffer.from(await answer.arrayBuffer());
  return { text: digest(data), finish: answer.headers.get("content-type") };
}

export async function media_speech_stream(client, model) {
  const answer = await speak(client, model);
  const pieces = [];
  for await (const piece of answer.body) {
    pieces.push(piece);
  }
  return { text: digest(Buffer.concat(pieces)), finish: answer.headers.get("content-type") };
}

export async function media_transcript(client, model) {
  return ofTranscript(await client.audio.transcriptions.create({ model, file: await sound() }));
}

export async function media_transcript_text(client, model) {
  const text = await client.audio.transcriptions.create({
    model,
    file: await sound(),
    response_format: "text",
  });
  return { text };
}

export async function media_transcript_verbose(client, model) {
  const answer = await client.audio.transcriptions.create({
    model,
    file: await sound(),
    response_format: "verbose_json",
    timestamp_granularities: ["segment"],
  });
  return { ...ofTranscript(answer), texts: answer.segments.map(({ text }) => text) };
}

export async function media_transcript_stream(client, model) {
  const events = await client.audio.transcriptions.create({
    model,
    file: await sound(),
    stream: true,
  });
  const seen = { text: "", texts: [], usage: null };
  for await (const event of events) {
    if (event.type === "transcript.text.delta") {
      seen.text += event.delta;
    } else if (event.type === "transcript.text.done") {
      seen.texts.push(event.text);
      seen.usage = { cost: event.usage.cost };
    }
  }
  return seen;
}

export async function media_translation(client, model) {
  const { text } = await client.audio.translations.create({ model, file: await sound() });
  return { text };
}
