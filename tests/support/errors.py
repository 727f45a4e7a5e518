"""The one form of errors, and that of the Open Inference Protocol."""

ERROR = {"error", "code", "field", "params"}


def form_of_errors(path):
    """The fields of an error at that address: the protocol at /v2 has but one."""
    return {"error"} if path.startswith("/v2") else ERROR


def is_an_error(response, status):
    """A status, a sentence with its code, field and values, no path and no traceback; returns the sentence."""
    assert response.status_code == status, response.text
    assert set(response.json()) == form_of_errors(response.request.url.path)
    message = response.json()["error"]
    assert "Traceback" not in message
    assert "/work" not in message
    assert "site-packages" not in message
    return message
