"""The language model that ASR needs: where it lies, and what is missing otherwise."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

DECODER = "Qwen/Qwen2.5-0.5B"
"""Of X-ARES."""
DECODER_VARIABLE = "AECC_ASR_DECODER"
"""Environment variable that names its folder."""


class NoDecoderError(Exception):
    """The decoder cannot be had; the text says why, and what mends it."""


def find_decoder() -> Path:
    """The decoder's folder; nothing is downloaded.

    Raises:
        NoDecoderError: it, or a library that it needs, is not there.
    """
    missing = [name for name in ("transformers", "jiwer") if find_spec(name) is None]
    if missing:
        raise NoDecoderError(f"ASR needs {' and '.join(missing)}: `pip install 'audio-encoder-checker[asr]'`")
    named = os.environ.get(DECODER_VARIABLE)
    if named:
        if not Path(named, "config.json").is_file():
            raise NoDecoderError(f"{DECODER_VARIABLE} names {named!r}, which holds no config.json")
        return Path(named)
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(DECODER, "config.json")
    if not isinstance(cached, str):
        raise NoDecoderError(f"its decoder is not on this machine: `hf download {DECODER}`")
    return Path(cached).parent
