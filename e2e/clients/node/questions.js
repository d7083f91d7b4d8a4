// What the scenarios ask, whichever the SDK.

export const QUESTION = [{ role: "user", content: "hi" }];

// A PNG of one pixel.
export const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk" +
  "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export const CITY = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
};

export const WEATHER = {
  type: "function",
  function: { name: "weather", description: "The weather in a city", parameters: CITY },
};
