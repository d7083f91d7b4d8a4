// What people do with the SDK's Responses API. The Go tests script the providers'
// side.

import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { PIXEL, WEATHER } from "./questions.js";

const City = z.object({ name: z.string(), inhabitants: z.number() });

// TOOL has no object of its own around the function.
const TOOL = { type: "function", strict: false, ...WEATHER.function };

function ofResponse(response) {
  const called = response.output.filter(({ type }) => type === "function_call");
  const { input_tokens: input, output_tokens: output, cost } = response.usage;
  return {
    id: response.id,
    model: response.model,
    text: response.output_text,
    finish: response.status,
    calls: called.map((call) => ({ id: call.call_id, name: call.name, arguments: call.arguments })),
    usage: { input, output, cost },
  };
}

export async function respond(client, model, members) {
  const { data, response } = await client.responses
    .create({ model, input: "hi", store: false, ...members })
    .withResponse();
  return { ...ofResponse(data), generation: response.headers.get("x-generation-id") };
}

export async function respond_stream(client, model) {
  let text = "";
  let final = null;
  for await (const event of await client.responses.create({ model, input: "hi", stream: true })) {
    switch (event.type) {
      case "response.output_text.delta":
        text += event.delta;
        break;
      case "response.completed":
      case "response.incomplete":
        final = event.response;
        break;
      case "response.failed": {
        const { code, message } = event.response.error;
        return { text, error: { class: code, message } };
      }
    }
  }
  return { ...ofResponse(final), text };
}

// respond_helper accumulates, and checks more than the iterator.
export async function respond_helper(client, model) {
  const events = client.responses.stream({ model, input: "hi", tools: [TOOL] });
  return ofResponse(await events.finalResponse());
}

// respond_round_trip sends the answer's items back exactly as they came.
export async function respond_round_trip(client, model, members) {
  const asked = {
    model,
    tools: [TOOL],
    include: ["reasoning.encrypted_content"],
    ...members,
  };
  const history = [{ role: "user", content: "hi" }];
  const { output } = await client.responses.create({ input: history, ...asked });
  history.push(...output);
  for (const item of output.filter(({ type }) => type === "function_call")) {
    const { city } = JSON.parse(item.arguments);
    history.push({
      type: "function_call_output",
      call_id: item.call_id,
      output: `Sunny in ${city}`,
    });
  }
  return ofResponse(await client.responses.create({ input: history, ...asked }));
}

export async function respond_parse(client, model) {
  const response = await client.responses.parse({
    model,
    input: "hi",
    text: { format: zodTextFormat(City, "City") },
  });
  return { ...ofResponse(response), parsed: response.output_parsed };
}

export async function respond_image(client, model) {
  const content = [
    { type: "input_text", text: "What is this?" },
    { type: "input_image", image_url: PIXEL, detail: "auto" },
  ];
  return ofResponse(
    await client.responses.create({
      model,
      instructions: "Be brief.",
      input: [{ role: "user", content }],
    }),
  );
}

export async function respond_stored(client, model) {
  return ofResponse(await client.responses.create({ model, input: "hi", store: true }));
}
