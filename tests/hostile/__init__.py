"""Everything that a stranger may send, to a real server; after each, the server is as it was."""
