// What people do with the SDK. The Go tests script the providers' side.

import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { PIXEL, QUESTION, WEATHER } from "./questions.js";
import { ofCompletion, ofError, ofUsage, Stream } from "./result.js";

const City = z.object({ name: z.string(), inhabitants: z.number() });

export async function chat(client, model, members) {
  const { data, response } = await client.chat.completions
    .create({ model, messages: QUESTION, ...members })
    .withResponse();
  return { ...ofCompletion(data), generation: response.headers.get("x-generation-id") };
}

// stream is the plain iterator, as most programs use it.
export async function stream(client, model, members) {
  return collect(
    await client.chat.completions.create({ model, messages: QUESTION, stream: true, ...members }),
  );
}

async function collect(chunks) {
  const gathered = new Stream();
  try {
    for await (const chunk of chunks) {
      gathered.add(chunk);
    }
  } catch (error) {
    return ofError(error, gathered.text);
  }
  return gathered.result();
}

// stream_helper accumulates, and checks more than the iterator.
export async function stream_helper(client, model) {
  const events = client.chat.completions.stream({
    model,
    messages: QUESTION,
    stream_options: { include_usage: true },
  });
  return ofCompletion(await events.finalChatCompletion());
}

export async function tools(client, model) {
  return ofCompletion(
    await client.chat.completions.create({ model, messages: QUESTION, tools: [WEATHER] }),
  );
}

export async function tools_stream(client, model) {
  return collect(
    await client.chat.completions.create({
      model,
      messages: QUESTION,
      tools: [WEATHER],
      stream: true,
    }),
  );
}

// round_trip sends the answer back as history exactly as it came.
export async function round_trip(client, model) {
  const first = await client.chat.completions.create({
    model,
    messages: QUESTION,
    tools: [WEATHER],
  });
  const { message } = first.choices[0];
  const history = [...QUESTION, message];
  for (const call of message.tool_calls) {
    const { city } = JSON.parse(call.function.arguments);
    history.push({ role: "tool", tool_call_id: call.id, content: `Sunny in ${city}` });
  }
  return ofCompletion(
    await client.chat.completions.create({ model, messages: history, tools: [WEATHER] }),
  );
}

export async function parse(client, model) {
  const completion = await client.chat.completions.parse({
    model,
    messages: QUESTION,
    response_format: zodResponseFormat(City, "City"),
  });
  return { ...ofCompletion(completion), parsed: completion.choices[0].message.parsed };
}

export async function image(client, model) {
  const content = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: { url: PIXEL } },
  ];
  return ofCompletion(
    await client.chat.completions.create({ model, messages: [{ role: "user", content }] }),
  );
}

// hang_up leaves after the first text, as a person does who presses stop.
export async function hang_up(client, model) {
  const chunks = await client.chat.completions.create({ model, messages: QUESTION, stream: true });
  for await (const chunk of chunks) {
    const text = chunk.choices[0]?.delta.content;
    if (text) {
      chunks.controller.abort();
      return { text };
    }
  }
  return { text: "" };
}

export async function models(client) {
  const ids = [];
  for await (const listed of client.models.list()) {
    ids.push(listed.id);
  }
  return { models: ids };
}

// embeddings asks for base64, as the SDK does unless told otherwise, and gets numbers.
export async function embeddings(client, model, members) {
  return ofEmbeddings(await client.embeddings.create({ model, input: ["a", "b"], ...members }));
}

export async function embeddings_float(client, model, members) {
  return embeddings(client, model, { encoding_format: "float", ...members });
}

function ofEmbeddings({ model, provider, data, usage }) {
  return {
    model,
    provider,
    vectors: data.map(({ embedding }) => Array.from(embedding)),
    usage: { input: usage.prompt_tokens, cost: usage.cost },
  };
}

export async function completion(client, model, members) {
  const answer = await client.completions.create({ model, prompt: "hi", ...members });
  const [choice] = answer.choices;
  return {
    id: answer.id,
    model: answer.model,
    text: choice.text,
    finish: choice.finish_reason,
    usage: ofUsage(answer.usage),
  };
}

export async function completion_stream(client, model, members) {
  const seen = { text: "", finish: null, usage: null };
  const chunks = await client.completions.create({ model, prompt: "hi", stream: true, ...members });
  for await (const chunk of chunks) {
    seen.model = chunk.model;
    seen.usage = chunk.usage ? ofUsage(chunk.usage) : seen.usage;
    for (const choice of chunk.choices) {
      seen.text += choice.text;
      seen.finish = choice.finish_reason ?? seen.finish;
    }
  }
  return seen;
}
