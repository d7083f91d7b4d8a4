// Drives Vercel's AI SDK with OpenRouter's own provider for the Go tests.

import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { APICallError, embedMany, generateText, jsonSchema, streamText, tool } from "ai";
import { CITY } from "./questions.js";
import { serve } from "./serve.js";

const WEATHER = tool({ description: "The weather in a city", inputSchema: jsonSchema(CITY) });

// The tests count requests, so the SDK must not repeat them by itself.
const ASK = { prompt: "hi", maxRetries: 0 };

const scenarios = {
  // embeddings asks for no form, and reads numbers only.
  async embeddings(model) {
    const { embeddings, providerMetadata } = await embedMany({
      model, values: ["a", "b"], maxRetries: 0,
    });
    const [{ openrouter }] = [providerMetadata].flat();
    return {
      vectors: embeddings,
      provider: openrouter.provider,
      usage: { input: openrouter.usage.promptTokens, cost: openrouter.usage.cost },
    };
  },

  chat: async (model, settings) => ofResult(await generateText({ model, ...ASK, ...settings })),

  async stream(model, settings) {
    let failure = null;
    let text = "";
    const result = streamText({ model, ...ASK, ...settings, onError: () => {} });
    for await (const part of result.fullStream) {
      text += part.type === "text-delta" ? part.text : "";
      failure = part.type === "error" ? part.error : failure;
    }
    return failure ? ofError(failure, text) : ofResult(result);
  },

  tools: (model) => scenarios.chat(model, { tools: { weather: WEATHER } }),

  tools_stream: (model) => scenarios.stream(model, { tools: { weather: WEATHER } }),
};

// ofResult reads the result of a whole answer or, with promises for its
// members, of a stream.
async function ofResult(result) {
  const { openrouter } = (await result.finalStep).providerMetadata;
  const calls = await result.toolCalls;
  return {
    id: (await result.response).id,
    model: (await result.response).modelId,
    provider: openrouter.provider,
    text: await result.text,
    finish: (await result.finishReason).replace("-", "_"),
    calls: calls.map(({ toolCallId: id, toolName: name, input }) => ({
      id,
      name,
      arguments: JSON.stringify(input),
    })),
    usage: {
      input: openrouter.usage.promptTokens,
      output: openrouter.usage.completionTokens,
      cost: openrouter.usage.cost,
    },
  };
}

function ofError(error, text = "") {
  const { message } = error;
  if (!APICallError.isInstance(error)) {
    return { text, error: { class: error.constructor.name, status: null, message } };
  }
  const { statusCode: status, data } = error;
  return { text, error: { class: error.constructor.name, status, message, body: data?.error } };
}

await serve(async ({ scenario, base_url, api_key, model, members }) => {
  const { provider, ...extraBody } = members;
  const openrouter = createOpenRouter({ baseURL: base_url, apiKey: api_key });
  try {
    const kind = scenario === "embeddings" ? openrouter.textEmbeddingModel : openrouter;
    return await scenarios[scenario](kind(model, { provider, extraBody }));
  } catch (error) {
    if (error instanceof Error) {
      return ofError(error);
    }
    throw error;
  }
});
