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
