// Drives the official openai SDK for the Go tests: the counterpart of
// ../python/client.py, with the same commands and results.

import { createInterface } from "node:readline";
import OpenAI from "openai";
import { ofError } from "./result.js";
import * as scenarios from "./scenarios.js";

async function run({ scenario, base_url, api_key, model }) {
  const client = new OpenAI({
    baseURL: base_url,
    apiKey: api_key,
    // The tests count requests, so the SDK must not repeat them by itself.
    maxRetries: 0,
    timeout: 30_000,
  });
  try {
    return await scenarios[scenario](client, model);
  } catch (error) {
    if (error instanceof OpenAI.OpenAIError) {
      return ofError(error);
    }
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line))));
}
