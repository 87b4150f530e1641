"""The page of `isograd bench --html`: one file that shows results in a browser, without a network.

The parts lie in assets/. Titles and reasons come from outside, so they travel as JSON that no HTML
parser can leave, and the scripts write them as text, never as HTML.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (  # a script may use what an earlier one defines
    "elements.js",
    "numbers.js",
    "candidates.js",
    "comparisons.js",
    "header.js",
    "details.js",
    "table.js",
    "curves.js",
    "roofline.js",
    "main.js",
)


def page(results: Mapping[str, Any]) -> str:
    """HTML that holds the results, in the form of results.py, and all that shows them."""
    style, script = _asset("page.css"), "\n".join(map(_asset, SCRIPTS))
    return Template(_asset("page.html")).substitute(
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        results=_embedded(results),
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What the page's Content-Security-Policy calls a text: the browser runs no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _embedded(results: Mapping[str, Any]) -> str:
    """JSON for inside a script element: without "<", which alone could end it."""
    text = json.dumps(_finite(results), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _finite(value: Any) -> Any:
    """The value with null for NaN and the infinities, which JSON in a browser does not have."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
