// The JSON results that the Go tests compare, the same for all SDKs.

export function ofCalls(calls) {
  return (calls ?? []).map(({ id, function: { name, arguments: args } }) => ({
    id,
    name,
    arguments: args,
  }));
}

// ofUsage has the token counts, and the cost that the gateway adds to them.
export function ofUsage(usage) {
  return { input: usage.prompt_tokens, output: usage.completion_tokens, cost: usage.cost };
}

export function ofCompletion(completion) {
  const [choice] = completion.choices;
  return {
    id: completion.id,
    model: completion.model,
    provider: completion.provider,
    text: choice.message.content ?? "",
    refusal: choice.message.refusal ?? "",
    finish: choice.finish_reason,
    calls: ofCalls(choice.message.tool_calls),
    usage: ofUsage(completion.usage),
  };
}

// Stream gathers the chunks of a stream.
export class Stream {
  text = "";
  finish = null;
  model = "";
  usage = null;
  calls = [];

  add(chunk) {
    this.model = chunk.model;
    this.usage = chunk.usage ? ofUsage(chunk.usage) : this.usage;
    for (const { delta, finish_reason } of chunk.choices) {
      this.text += delta.content ?? "";
      this.finish = finish_reason ?? this.finish;
      for (const piece of delta.tool_calls ?? []) {
        const call = (this.calls[piece.index] ??= { id: "", name: "", arguments: "" });
        call.id += piece.id ?? "";
        call.name += piece.function?.name ?? "";
        call.arguments += piece.function?.arguments ?? "";
      }
    }
  }

  result() {
    const { text, finish, model, usage, calls } = this;
    return { text, finish, model, usage, calls };
  }
}

// ofError has the error's class, status and body, and the text before it.
export function ofError(error, text = "") {
  return {
    text,
    error: {
      class: error.constructor.name,
      status: error.status ?? null,
      message: error.message,
      body: error.error ?? null,
    },
  };
}
