// Drives the official @anthropic-ai/sdk for the Go tests.

import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { CITY, PIXEL, QUESTION } from "./questions.js";
import { serve } from "./serve.js";

const WEATHER = { name: "weather", description: "The weather in a city", input_schema: CITY };

const City = z.object({ name: z.string(), inhabitants: z.number() });

function ofMessage(message, cost = message.usage.cost) {
  const of = (kind) => message.content.filter(({ type }) => type === kind);
  return {
    id: message.id,
    model: message.model,
    provider: message.provider,
    text: of("text").map(({ text }) => text).join(""),
    texts: of("thinking").map(({ thinking }) => thinking),
    finish: message.stop_reason,
    calls: of("tool_use").map(({ id, name, input }) => ({ id, name, arguments: JSON.stringify(input) })),
    usage: { input: message.usage.input_tokens, output: message.usage.output_tokens, cost },
    signatures: of("thinking").map(({ signature }) => signature),
  };
}

const scenarios = {
  whole: async (client, request) => ofMessage(await client.messages.create(request)),

  // stream lets the SDK put the stream together, as its users do.
  async stream(client, request) {
    let [text, cost] = ["", undefined];
    const events = client.messages.stream(request);
    events.on("text", (piece) => (text += piece));
    // What the SDK puts together leaves out the gateway's own.
    events.on("streamEvent", ({ type, usage }) => {
      cost = type === "message_delta" ? usage.cost : cost;
    });
    try {
      return ofMessage(await events.finalMessage(), cost);
    } catch (error) {
      return ofError(error, text);
    }
  },

  tools: (client, request) => scenarios.whole(client, { ...request, tools: [WEATHER] }),

  tools_stream: (client, request) => scenarios.stream(client, { ...request, tools: [WEATHER] }),

  // events are the names of a stream's events, in order.
  async events(client, request) {
    const texts = [];
    for await (const { type } of await client.messages.create({ ...request, stream: true })) {
      texts.push(type);
    }
    return { texts };
  },

  // history is a loop of tools whose second turn sends the first answer back as it came.
  async history(client, request) {
    const asked = { ...request, tools: [WEATHER] };
    const { content } = await client.messages.stream(asked).finalMessage();
    const results = content
      .filter(({ type }) => type === "tool_use")
      .map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "sunny" }));
    const turns = [{ role: "assistant", content }, { role: "user", content: results }];
    return scenarios.whole(client, { ...asked, messages: [...QUESTION, ...turns] });
  },

  image(client, request) {
    const source = { type: "base64", media_type: "image/png", data: PIXEL.split(",")[1] };
    const content = [{ type: "image", source }, { type: "text", text: "What is this?" }];
    return scenarios.whole(client, { ...request, messages: [{ role: "user", content }] });
  },

  async parse(client, request) {
    const format = zodOutputFormat(City);
    const message = await client.messages.parse({ ...request, output_config: { format } });
    return { ...ofMessage(message), parsed: message.parsed_output };
  },

  sampled: (client, request) => scenarios.whole(client, { ...request, temperature: 0.5 }),

  beta: async (client, request) => ofMessage(await client.beta.messages.create(request)),

  async count(client, { max_tokens, ...request }) {
    const { input_tokens: input } = await client.messages.countTokens(request);
    return { usage: { input, output: 0, cost: 0 } };
  },
};

function ofError(error, text = "") {
  const { status = null, message, error: body = null } = error;
  return { text, error: { class: error.constructor.name, status, message, body } };
}

await serve(async ({ scenario, base_url, api_key, model, members }) => {
  const client = new Anthropic({
    // The SDK appends /v1 itself.
    baseURL: base_url.replace(/\/v1$/, ""),
    apiKey: api_key,
    maxRetries: 0,
    timeout: 30_000,
  });
  const request = { model, max_tokens: 4000, messages: QUESTION, ...members };
  try {
    return await scenarios[scenario](client, request);
  } catch (error) {
    if (error instanceof Anthropic.APIError) {
      return ofError(error);
    }
    throw error;
  }
});
