"""The one form of errors."""


def is_an_error(response, status):
    """A status, a sentence, no path and no traceback; returns the sentence."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    message = response.json()["error"]
    assert "Traceback" not in message
    assert "/work" not in message
    assert "site-packages" not in message
    return message
