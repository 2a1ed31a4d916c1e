"""Which requests the gateway passes on, and what it answers to others."""

from __future__ import annotations

# ollama/ollama server/routes.go `GenerateRoutes`, v0.32.15. Each is a whole "METHOD PATH" after nginx has decoded the
# path, and Ollama gets the path in this spelling, without a query.
USES = (
    r"^POST /(v1/(chat/completions|completions|embeddings|responses|messages)"
    r"|api/(generate|chat|embed|embeddings|show))\z",
    r"^(GET|HEAD) /(v1/models(/[A-Za-z0-9][A-Za-z0-9._:/-]*)?|api/(tags|ps|version))?\z",
)
MANAGES = (
    r"^POST /api/(pull|create|copy|push)\z",
    r"^DELETE /api/delete\z",
    r"^(HEAD|POST) /api/blobs/sha256:[0-9a-f]{64}\z",
)
LARGEST_BODY = "64m"  # a prompt with pictures
REFUSALS = (
    (401, "this gateway needs a header: Authorization: Bearer TOKEN, with a token that it knows"),
    (403, "this client may not do this through the gateway"),
    (413, f"the request is larger than {LARGEST_BODY[:-1]} MiB"),
    (429, "too many requests without a valid token"),
    (502, "Ollama does not answer on this host"),
    (504, "Ollama did not answer in time"),
)
