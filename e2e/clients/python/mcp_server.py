"""A server of the Model Context Protocol over standard input and output: two tools,
one that shows an image and one that may fail."""

import base64

from mcp.server import MCPServer
from mcp.server.mcpserver import Image
from mcp.server.mcpserver.exceptions import ToolError

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
server = MCPServer("weather")


@server.tool()
def forecast(city: str) -> str:
    """The weather of tomorrow."""
    if city == "Atlantis":
        raise ToolError("no such city")
    return f"sunny in {city}"


@server.tool()
def radar() -> Image:
    """A picture of the rain."""
    return Image(data=PIXEL, format="png")


if __name__ == "__main__":
    server.run()
