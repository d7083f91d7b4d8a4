// Drives Vercel's AI SDK with the vendors' own providers for the Go tests: what they
// send to OpenAI, Anthropic and Google goes to the gateway.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { generateObject, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { CITY, PIXEL } from "./questions.js";
import { serve } from "./serve.js";

// What the tests do not look at they need not see.
globalThis.AI_SDK_LOG_WARNINGS = false;
process.noDeprecation = true;

const ofVendor = {
  chat: ({ base_url: baseURL, api_key: apiKey, model }) =>
    createOpenAI({ baseURL, apiKey }).chat(model),
  responses: ({ base_url: baseURL, api_key: apiKey, model }) =>
    createOpenAI({ baseURL, apiKey }).responses(model),
  messages: ({ base_url: baseURL, api_key: apiKey, model }) =>
    createAnthropic({ baseURL, apiKey })(model),
  // The SDK takes an id with a slash for a whole resource name.
  google: ({ base_url: baseURL, api_key: apiKey, model }) =>
    createGoogle({ baseURL, apiKey })(`models/${model}`),
  openrouter: ({ base_url: baseURL, api_key: apiKey, model }) =>
    createOpenRouter({ baseURL, apiKey })(model),
};

const WEATHER = tool({
  description: "The weather in a city",
  inputSchema: jsonSchema(CITY),
  execute: ({ city }) => `Sunny in ${city}`,
});

const LOOP = { tools: { weather: WEATHER }, stopWhen: stepCountIs(5) };

const POPULATION = jsonSchema({
  type: "object",
  properties: { name: { type: "string" }, inhabitants: { type: "number" } },
  required: ["name", "inhabitants"],
  additionalProperties: false,
});

const scenarios = {
  chat: async (asked, more) => ofResult(await generateText({ ...asked, ...more })),

  async stream(asked, more) {
    let [failure, text, finish] = [null, "", null];
    const result = streamText({ ...asked, ...more, onError: () => {} });
    for await (const part of result.fullStream) {
      text += part.type === "text-delta" ? part.text : "";
      failure = part.type === "error" ? part.error : failure;
      finish = part.type === "finish" ? part.rawFinishReason : finish;
    }
    if (failure) {
      return ofError(failure, text);
    }
    // Some of the providers do not see an error beside a choice.
    return finish === "error" ? { text, finish } : ofResult(result);
  },

  loop: (asked) => scenarios.chat(asked, LOOP),

  loop_stream: (asked) => scenarios.stream(asked, LOOP),

  async parse_schema(asked) {
    return { parsed: (await generateObject({ ...asked, schema: POPULATION })).object };
  },

  async parse_stream(asked) {
    const result = streamText({ ...asked, output: Output.object({ schema: POPULATION }) });
    let partial;
    for await (partial of result.partialOutputStream);
    return { parsed: (await result.output) ?? partial };
  },

  image({ prompt, ...asked }) {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "file", mediaType: "image/png", data: PIXEL.split(",")[1] },
    ];
    return scenarios.chat({ ...asked, messages: [{ role: "user", content }] });
  },
};

// ofResult reads the result of a whole answer or, with promises for its
// members, of a stream.
async function ofResult(result) {
  const steps = await result.steps;
  const last = steps.at(-1);
  return {
    text: last.text,
    finish: last.rawFinishReason,
    model: last.response.modelId,
    calls: steps
      .flatMap(({ toolCalls }) => toolCalls)
      .map(({ toolCallId: id, toolName: name, input }) => ({ id, name, arguments: input.city })),
    usage: { input: last.usage.inputTokens, output: last.usage.outputTokens, cost: 0 },
  };
}

function ofError(error, text = "") {
  // Errors inside a stream come as they were sent.
  const { statusCode: status = null, message = JSON.stringify(error), responseHeaders } = error;
  return {
    text,
    error: {
      class: error.constructor.name, status, message,
      retry_after: responseHeaders?.["retry-after"] ?? "",
    },
  };
}

await serve(async ({ api, scenario, members, ...command }) => {
  // The tests count requests: only those that ask for it repeat them.
  const { max_retries: maxRetries = 0 } = members;
  const model = ofVendor[api](command);
  // Unless told so it sends ids of what a stateful API had kept.
  const providerOptions = { openai: { store: false } };
  try {
    return await scenarios[scenario]({ model, prompt: "hi", maxRetries, providerOptions });
  } catch (error) {
    if (error instanceof Error) {
      return ofError(error);
    }
    throw error;
  }
});
