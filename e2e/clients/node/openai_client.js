// Drives the official openai SDK for the Go tests.

import OpenAI from "openai";
import * as media from "./openai_media.js";
import * as responses from "./openai_responses.js";
import * as chats from "./openai_scenarios.js";
import { ofError } from "./result.js";
import { serve } from "./serve.js";

const scenarios = { ...chats, ...media, ...responses };

await serve(async ({ scenario, base_url, api_key, model, members }) => {
  const client = new OpenAI({
    baseURL: base_url,
    apiKey: api_key,
    // The tests count requests, so the SDK must not repeat them by itself.
    maxRetries: 0,
    timeout: 30_000,
  });
  try {
    return await scenarios[scenario](client, model, members);
  } catch (error) {
    if (error instanceof OpenAI.OpenAIError) {
      return ofError(error);
    }
    throw error;
  }
});
