"""Errors that any room may raise, and that the web and the command line both know."""


class LimitError(RuntimeError):
    """The server has no room for this now; the message says for what. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QueueFullError(LimitError):
    """Too many runs wait."""
