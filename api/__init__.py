"""The edge of Yima: HTTP, WebSocket, command line, processes, and the composition root."""
