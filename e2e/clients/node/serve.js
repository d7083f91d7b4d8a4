// The protocol between the Go tests and the programs that drive an SDK, the
// same as ../python/serve.py.

import { createInterface } from "node:readline";

export async function serve(run) {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await run(JSON.parse(line))));
  }
}
