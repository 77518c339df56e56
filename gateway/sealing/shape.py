"""The one shape a seal has: canonical bytes, one signature as the last child, three references, at most one timestamp.

Whatever digests and signature do not cover is compared with what `xades.sign` and `timestamp.add_timestamp` write, so
that there is no place where something could be added, moved or spelt otherwise.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import Any

from lxml import etree

from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, parse_xml
from gateway.sealing.dossier_xml import NAMESPACE
from gateway.sealing.xades import C14N, DS, ENVELOPED, XADES

_SIGNATURE = f"{{{DS}}}Signature"
_SHAPE = [f"{{{DS}}}{name}" for name in ("SignedInfo", "SignatureValue", "KeyInfo", "Object")]
_XADES = f"{{{XADES}}}"
_TIMESTAMP = [
    f"{_XADES}UnsignedProperties",
    f"{_XADES}UnsignedSignatureProperties",
    f"{_XADES}SignatureTimeStamp",
    f"{{{DS}}}CanonicalizationMethod",
    f"{_XADES}EncapsulatedTimeStamp",
]


class SealBroken(Exception):
    """A check failed; `code` is a key of report.PROBLEMS, `detail` a place or reason without any value."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def canonical_root(xml: bytes) -> XmlElement:
    """The root, if the bytes are in the canonical form they were sealed in. Raises SealBroken."""
    try:
        root: Any = parse_xml(xml)
    except UnreadableMessage as error:
        raise SealBroken("xml.unreadable", error.where) from None
    try:
        canonical = etree.tostring(root.getroottree(), method="c14n", with_comments=False)
    except etree.C14NError:  # e.g. a relative namespace name has no canonical form
        raise SealBroken("form.not_canonical") from None
    if canonical != xml:
        raise SealBroken("form.not_canonical")
    return root


def the_signature(root: XmlElement) -> XmlElement:
    """The one signature, as last child of the dossier, in the shape that covers the whole document."""
    if root.tag != f"{{{NAMESPACE}}}dossier":
        raise SealBroken("form.not_a_dossier", "/")
    signatures = list(root.iter(_SIGNATURE))
    if not signatures:
        raise SealBroken("signature.absent")
    signature = signatures[0]
    if len(signatures) > 1 or signature.getparent() is not root or signature.getnext() is not None:
        raise SealBroken("signature.shape", "Signature")
    if [child.tag for child in signature] != _SHAPE:
        raise SealBroken("signature.shape", "Signature/*")
    _check_shape(signature)
    return signature


def _check_shape(signature: XmlElement) -> None:
    """Exactly the three references `xades.sign` makes, and no content that none of them covers."""
    signed_info, value, key_info, holder = signature
    if len(holder) != 1 or len(holder[0]) not in (1, 2) or holder[0][0].tag != f"{_XADES}SignedProperties":
        raise SealBroken("signature.shape", "Object")
    qualifying, properties = holder[0], holder[0][0]
    for unsigned in qualifying[1:]:
        _check_unsigned(unsigned)
    references = list(signed_info.iterfind("{*}Reference"))
    expected = ["", f"#{properties.get('Id')}", f"#{key_info.get('Id')}"]
    if [reference.get("URI") for reference in references] != expected:
        raise SealBroken("signature.shape", "Reference/@URI")
    transforms = [[node.get("Algorithm") for node in reference.iter("{*}Transform")] for reference in references]
    if transforms != [[ENVELOPED, C14N], [], []]:
        raise SealBroken("signature.shape", "Transform")
    own = signature.get("Id")
    bare = {holder: {}, value: {}, signature: {"Id": own}, qualifying: {"Target": f"#{own}"}}
    if any(dict(node.attrib) != attributes for node, attributes in bare.items()):
        raise SealBroken("signature.shape", "@*")
    between = [node.text for node in (signature, holder, qualifying)]
    between += [node.tail for node in (*signature, qualifying, properties)]
    if any(between) or len(value) or not _is_plain_base64(value.text or ""):
        raise SealBroken("signature.shape", "text()")


def _check_unsigned(unsigned: XmlElement) -> None:
    """No unsigned property but one timestamp, as `timestamp.add_timestamp` writes it."""
    nodes = list(unsigned.iter())
    token = nodes[-1].text or ""
    method = {"Algorithm": C14N}
    if [node.tag for node in nodes] != _TIMESTAMP or [len(node) for node in nodes] != [1, 1, 2, 0, 0]:
        raise SealBroken("signature.shape", "UnsignedProperties")
    if [dict(node.attrib) for node in nodes] != [{}, {}, {}, method, {}]:
        raise SealBroken("signature.shape", "UnsignedProperties/@*")
    if any(node.text for node in nodes[:-1]) or any(node.tail for node in nodes) or not _is_plain_base64(token):
        raise SealBroken("signature.shape", "UnsignedProperties/text()")


def _is_plain_base64(text: str) -> bool:
    """Whether `text` is the one spelling of its bytes: no white space, no stray bits before the padding."""
    try:
        return b64encode(b64decode(text, validate=True)).decode("ascii") == text
    except (binascii.Error, ValueError):
        return False
