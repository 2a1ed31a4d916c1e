"""Hostile and odd values of an inventory."""

from __future__ import annotations

from hypothesis import strategies as st

from fleethands.settings.values.names import MODEL

# what a shell, systemd, Jinja2, Go or a terminal gives a meaning to, and what is easily lost on the way
_SPECIAL = [*"\"'\\%$#;`=,:/~*?[]{}() \t\n\r\0\x01\x1b\x7f", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "\u200b"]
_SPECIAL += ["\ud800", "\udcff", "\ufffe", "\uffff", "\ufdd0", "\U0010ffff", "\U0001f600", "é", "e\u0301"]
_WORDS = [
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "%n",
    "%%",
    "\\n",
    "\\x41",
    "\\u0041",
    "\\\n",
    "{{ 7 * 7 }}",
    "EOF",
    "on",
]
_pieces = st.one_of(st.sampled_from(_SPECIAL), st.sampled_from(_WORDS), st.text(max_size=8))

texts = st.one_of(
    st.lists(_pieces, max_size=12).map("".join),
    st.text(max_size=60),
    st.text(st.characters(max_codepoint=0x2FF, exclude_categories=["Cs"], exclude_characters="\0"), max_size=60),
)
"""Any string at all, with a taste for what is special."""

paths = st.builds(lambda parts: "/srv/" + "/".join(parts), st.lists(texts, min_size=1, max_size=3))
"""Most of them absolute paths."""

origins = st.one_of(
    st.builds("".join, st.tuples(st.sampled_from(["https://", "app://", "*", ""]), texts)),
    st.sampled_from(["*", "https://*.example.net:8443", "vscode-webview://x"]),
)
"""Some of them origins."""

model_names = st.one_of(
    st.from_regex(MODEL, fullmatch=True),
    st.builds(
        lambda *parts: "".join(parts),
        st.sampled_from(["", "library/", "Library/", "registry.ollama.ai/team/", "Registry.Ollama.AI/library/"]),
        st.text("abzAZ09._-", min_size=1, max_size=80),
        st.sampled_from(["", ":latest", ":LATEST", ":7b", ":7B_q4.0-k"]),
    ),
    texts,
)
"""Many of them names of models."""
