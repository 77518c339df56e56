"""PDFs by typst: a template of the mapping set and data. The one home of that library.

Text reaches a template as JSON in `sys.inputs.data` and never as source, so that whatever a name holds comes out as
text. Only the fonts inside typst count (Libertinus Serif has all Vietnamese letters), no file and no package can be
read, and the time in the document is fixed: equal data give equal bytes on every machine.
"""

from __future__ import annotations

import atexit
import os
import re
import threading
from collections.abc import Mapping
from functools import cache
from tempfile import mkdtemp
from typing import Any

import orjson
import typst

from gateway.errors import GatewayError

_PACKAGE = re.compile(rb'"\s*@')
_turn = threading.Lock()


def set_pdf(name: str, template: bytes, data: Mapping[str, Any]) -> bytes:
    """The template as PDF with `data`. GatewayError `letter.template` when it cannot be set; its message is without
    the data, `hotich letters check` tells more."""
    try:
        return _set(template, data)
    except (typst.TypstError, ValueError):
        words = f"the template letters/{name}.typ cannot be set; run `hotich letters check`"
        raise GatewayError("letter.template", words) from None


def template_mistake(template: bytes, data: Mapping[str, Any]) -> str:
    """What is wrong with a template, set with invented data; "" when nothing is."""
    try:
        _set(template, data)
    except (typst.TypstError, ValueError) as error:
        return str(error)
    return ""


def _set(template: bytes, data: Mapping[str, Any]) -> bytes:
    if _PACKAGE.search(template):
        raise ValueError("a template imports no packages: nothing is fetched from elsewhere")
    inputs = {"data": orjson.dumps(data).decode()}
    with _turn:  # a compiler is not for several threads, and a page takes milliseconds
        made = _compiler().compile(input=template, format="pdf", sys_inputs=inputs, timestamp=0)
    if not isinstance(made, bytes):
        raise ValueError("the template makes no single document")
    return made


@cache
def _compiler() -> typst.Compiler:
    """Made once: fonts are found in a hundredth of a second. Its root is empty, so templates read no files."""
    empty = mkdtemp(prefix="hotich-typst-")
    atexit.register(os.rmdir, empty)
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    return typst.Compiler(font_paths=fonts, ignore_system_fonts=True, root=empty, package_path=empty)
