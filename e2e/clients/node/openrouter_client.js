// Drives the official @openrouter/sdk for the Go tests.

import { createHash } from "node:crypto";
import { OpenRouter } from "@openrouter/sdk";
import { OpenRouterError } from "@openrouter/sdk/models/errors";
import { QUESTION, WEATHER } from "./questions.js";
import { serve } from "./serve.js";

const scenarios = {
  async chat(client, model, members) {
    const answer = await client.chat.send({
      chatRequest: { model, messages: QUESTION, ...ofSDK(members) },
    });
    const [choice] = answer.choices;
    return {
      id: answer.id,
      model: answer.model,
      text: choice.message.content ?? "",
      finish: choice.finishReason,
      calls: (choice.message.toolCalls ?? []).map(({ id, function: called }) => ({ id, ...called })),
      usage: ofUsage(answer.usage),
    };
  },

  async stream(client, model, members) {
    const chunks = await client.chat.send({
      chatRequest: { model, messages: QUESTION, stream: true, ...ofSDK(members) },
    });
    const seen = { text: "", finish: null, model: "", usage: null, calls: [] };
    for await (const { choices, error, usage, model: served } of chunks) {
      if (error) {
        // The SDK throws nothing here: its users look for themselves.
        const { code: status, message } = error;
        return { text: seen.text, error: { class: "ChatStreamChunkError", status, message } };
      }
      seen.model = served;
      seen.usage = usage ? ofUsage(usage) : seen.usage;
      for (const { delta, finishReason } of choices) {
        seen.text += delta.content ?? "";
        seen.finish = finishReason ?? seen.finish;
        for (const piece of delta.toolCalls ?? []) {
          const call = (seen.calls[piece.index] ??= { id: "", name: "", arguments: "" });
          call.id += piece.id ?? "";
          call.name += piece.function?.name ?? "";
          call.arguments += piece.function?.arguments ?? "";
        }
      }
    }
    return seen;
  },

  tools: (client, model, members) => scenarios.chat(client, model, { ...members, tools: [WEATHER] }),

  tools_stream: (client, model, members) =>
    scenarios.stream(client, model, { ...members, tools: [WEATHER] }),

  async respond(client, model, members) {
    return ofResponse(
      await client.responses.send({ responsesRequest: { model, input: "hi", ...ofSDK(members) } }),
    );
  },

  async respond_stream(client, model) {
    const tools = [{ type: "function", ...WEATHER.function }];
    const events = await client.responses.send({
      responsesRequest: { model, input: "hi", stream: true, tools },
    });
    for await (const event of events) {
      switch (event.type) {
        case "response.failed": {
          const { code, message } = event.response.error;
          return { error: { class: code, message } };
        }
        case "response.completed":
        case "response.incomplete":
          return ofResponse(event.response);
      }
    }
  },

  // metadata is what the router says of its decision, where it was asked for it.
  async metadata(client, model, members) {
    const { openrouterMetadata } = await client.chat.send({
      xOpenRouterMetadata: "enabled",
      chatRequest: { model, messages: QUESTION, ...ofSDK(members) },
    });
    return {
      strategy: openrouterMetadata?.strategy,
      requested: openrouterMetadata?.requested,
      stages: openrouterMetadata?.pipeline?.map(({ type, name }) => `${type} ${name}`),
    };
  },

  async models(client) {
    const ids = [];
    for await (const page of await client.models.list()) {
      ids.push(...page.result.data.map(({ id }) => id));
    }
    return { models: ids };
  },

  async endpoints(client, model) {
    const slash = model.indexOf("/");
    const { data } = await client.endpoints.list({
      author: model.slice(0, slash),
      slug: model.slice(slash + 1),
    });
    return { id: data.id, endpoints: data.endpoints.map(({ tag }) => tag) };
  },

  async embeddings(client, model, members) {
    const answer = await client.embeddings.generate({
      requestBody: { model, input: ["a", "b"], ...ofSDK(members) },
    });
    return {
      model: answer.model,
      vectors: answer.data.map(({ embedding }) => embedding),
      usage: { input: answer.usage.promptTokens, cost: answer.usage.cost },
    };
  },

  async rerank(client, model, members) {
    const answer = await client.rerank.rerank({
      requestBody: {
        model, query: "q", documents: ["a", { text: "b" }, "c"], topN: 2, ...ofSDK(members),
      },
    });
    return {
      model: answer.model,
      texts: answer.results.map(({ document }) => document.text),
      usage: { input: answer.usage.searchUnits, cost: answer.usage.cost },
    };
  },

  async image_generation(client, model, members) {
    const answer = await client.images.generate({
      imageGenerationRequest: { model, prompt: "a cat", n: 2, ...ofSDK(members) },
    });
    return { texts: answer.data.map(({ b64Json }) => b64Json), usage: ofUsage(answer.usage) };
  },

  async image_stream(client, model, members) {
    const events = await client.images.generate({
      imageGenerationRequest: { model, prompt: "a cat", stream: true, ...ofSDK(members) },
    });
    const seen = { texts: [], usage: null };
    for await (const event of events) {
      const { type, b64Json, usage } = event.data ?? event;
      seen.texts.push(`${type} ${b64Json}`);
      seen.usage = usage ? ofUsage(usage) : seen.usage;
    }
    return seen;
  },

  async speech(client, model, members) {
    const stream = await client.tts.createSpeech({
      speechRequest: { model, input: "hello there", voice: "alloy", ...ofSDK(members) },
    });
    const pieces = [];
    for await (const piece of stream) {
      pieces.push(piece);
    }
    const sound = Buffer.concat(pieces);
    return { text: `${sound.length} ${createHash("sha256").update(sound).digest("hex")}` };
  },

  async transcription(client, model, members) {
    const data = Buffer.from("RIFF").toString("base64");
    const answer = await client.stt.createTranscription({
      sttRequest: { model, inputAudio: { data, format: "wav" }, language: "en", ...ofSDK(members) },
    });
    return { text: answer.text, usage: { cost: answer.usage.cost } };
  },
};

function ofUsage({ promptTokens: input, completionTokens: output, cost }) {
  return { input, output, cost };
}

function ofResponse({ id, model, status: finish, output, usage }) {
  const said = output.filter(({ type }) => type === "message").flatMap(({ content }) => content);
  const { inputTokens, outputTokens, cost } = usage;
  return {
    id,
    model,
    finish,
    text: said.map(({ text }) => text).join(""),
    calls: output
      .filter(({ type }) => type === "function_call")
      .map((call) => ({ id: call.callId, name: call.name, arguments: call.arguments })),
    usage: { input: inputTokens, output: outputTokens, cost },
  };
}

// ofSDK spells the members of a request as the SDK does: serviceTier.
function ofSDK(members) {
  if (Array.isArray(members) || members === null || typeof members !== "object") {
    return members;
  }
  const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [camel(name), ofSDK(value)]),
  );
}

await serve(async ({ scenario, base_url, api_key, model, members }) => {
  const client = new OpenRouter({
    serverURL: base_url,
    apiKey: api_key,
    // Unless told not to, the SDK repeats what failed for up to an hour.
    retryConfig: { strategy: "none" },
    timeoutMs: 30_000,
  });
  try {
    return await scenarios[scenario](client, model, members);
  } catch (error) {
    if (!(error instanceof OpenRouterError)) {
      throw error;
    }
    const { statusCode: status, message, body } = error;
    return {
      text: "",
      error: { class: error.constructor.name, status, message, body: JSON.parse(body).error },
    };
  }
});
