"""Routes, sockets and pages: the only room that knows HTTP."""
