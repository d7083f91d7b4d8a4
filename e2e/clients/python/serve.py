"""The protocol between the Go tests and the programs that drive an SDK.

One JSON command a line comes from standard input: {"scenario", "base_url",
"api_key", "model", "members", "api"}: members are further ones of the request, and
api tells a program that knows several which to call.
One JSON result a line goes to standard output: what the scenario saw, in the
words of result.py.
"""

import faulthandler
import json
import sys


def serve(run) -> None:
    faulthandler.enable()
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
