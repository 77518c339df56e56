"""XML Signature (W3C xmldsig-core 1.1, section 3.2, core validation) in the one profile that the Ministry of Health's
papers use.

Canonical XML 1.0 without comments, RSA with SHA-256, references by `#Id` to papers and to parts of the signature.
Everything else does not verify: no other transform, no empty or external URI, no reference to another element, no Id
that occurs twice. Digests are taken over the very elements that are read afterwards, in the tree they are read from, so
a signature cannot be fitted to one element while another is believed (signature wrapping). signxml is not used here:
it writes out and parses the whole document for each signature, which a file of a thousand papers cannot afford, and it
hands back a copy. Tests compare with xmlsec1.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha1, sha256
from hmac import compare_digest
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, parse_xml
from gateway.sealing.certificates import read_certificates

_DS = "{http://www.w3.org/2000/09/xmldsig#}"
SIGNATURE = f"{_DS}Signature"
_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_TRANSFORMS: tuple[list[str], ...] = ([], [_C14N], [_ENVELOPED], [_ENVELOPED, _C14N])
_METHODS: Mapping[str, hashes.HashAlgorithm] = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": hashes.SHA256(),
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": hashes.SHA1(),  # noqa: S303 - recognised, never trusted
}
_DIGESTS: Mapping[str, Any] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": sha256,
    "http://www.w3.org/2000/09/xmldsig#sha1": sha1,
}
_IDS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
_MOST_CERTIFICATES = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """One signature after core validation: what it covers, and why it does not hold ("" when it does)."""

    covers: tuple[XmlElement, ...]
    problem: str = ""
    weak: bool = False
    chain: tuple[x509.Certificate, ...] = ()  # the signer's first


class _BrokenError(Exception):
    """The signature does not hold; the argument is the reason."""


def elements_by_id(root: XmlElement) -> dict[str, list[XmlElement]]:
    """Every element that any tool could take for the one of an Id."""
    found: dict[str, list[XmlElement]] = {}
    for element in root.iter("*"):
        for name in _IDS:
            if (value := element.get(name)) is not None:
                found.setdefault(value, []).append(element)
    return found


def check_signature(
    signature: XmlElement, ids: Mapping[str, list[XmlElement]], papers: Collection[XmlElement]
) -> Checked:
    """Core validation of one signature. `ids` is `elements_by_id`, `papers` are the elements that it may cover. Never
    raises for bad content."""
    covers: list[XmlElement] = []
    try:
        signed_info, value, key_info = _parts(signature)
        targets = [(_target(reference, signature, ids, papers), reference) for reference in _references(signed_info)]
        covers = [target for target, _ in targets if target in papers]
        if not covers:
            raise _BrokenError("no signature covers this paper")
        digests = [_check_digest(target, signature, reference) for target, reference in targets]
        method = _algorithm(signed_info.find(f"{_DS}SignatureMethod"), _METHODS)
        chain = _signer_first(key_info, value, _canonical(signed_info), method)
    except _BrokenError as broken:
        return Checked(tuple(covers) or _claimed(signature, ids, papers), str(broken))
    weak = sha1 in digests or isinstance(method, hashes.SHA1)
    return Checked(tuple(covers), weak=weak, chain=chain)


def _claimed(
    signature: XmlElement, ids: Mapping[str, list[XmlElement]], papers: Collection[XmlElement]
) -> tuple[XmlElement, ...]:
    """The papers that a broken signature names, to tell the reason with them."""
    named = {(reference.get("URI") or "").removeprefix("#") for reference in signature.iter(f"{_DS}Reference")}
    return tuple(element for name in named for element in ids.get(name, ()) if element in papers)


def _parts(signature: XmlElement) -> tuple[XmlElement, bytes, XmlElement]:
    """SignedInfo, the signature's bytes and KeyInfo."""
    found = [signature.findall(f"{_DS}{name}") for name in ("SignedInfo", "SignatureValue", "KeyInfo")]
    if [len(nodes) for nodes in found] != [1, 1, 1]:
        raise _BrokenError("the signature is not built as it should be")
    (signed_info,), (value,), (key_info,) = found
    methods = signed_info.findall(f"{_DS}CanonicalizationMethod")
    if [method.get("Algorithm") for method in methods] != [_C14N] or len(methods[0]):
        raise _BrokenError("an algorithm is not accepted")
    return signed_info, _base64(value), key_info


def _references(signed_info: XmlElement) -> list[XmlElement]:
    references: list[XmlElement] = signed_info.findall(f"{_DS}Reference")
    if len({reference.get("URI") for reference in references}) != len(references):
        raise _BrokenError("the signature is not built as it should be")
    return references


def _target(
    reference: XmlElement,
    signature: XmlElement,
    ids: Mapping[str, list[XmlElement]],
    papers: Collection[XmlElement],
) -> XmlElement:
    """The one element a reference names: a paper that the signature stands in or beside, or a part of the signature."""
    uri = reference.get("URI") or ""
    found = ids.get(uri[1:], []) if uri.startswith("#") else []
    if len(found) != 1:
        raise _BrokenError("a reference does not name exactly one element")
    target = found[0]
    holder = signature.getparent().getparent()
    beside = target in papers and (target.getparent() is holder or target is holder)
    if not beside and signature not in target.iterancestors():
        raise _BrokenError("a reference names another element")
    return target


def _check_digest(target: XmlElement, signature: XmlElement, reference: XmlElement) -> Any:
    transforms = reference.findall(f"{_DS}Transforms/{_DS}Transform")
    algorithms = [transform.get("Algorithm") for transform in transforms]
    if algorithms not in _TRANSFORMS or any(len(transform) for transform in transforms):
        raise _BrokenError("an algorithm is not accepted")
    if _ENVELOPED in algorithms and signature in target.iterancestors():
        raise _BrokenError("an algorithm is not accepted")  # it would leave nothing of a part of the signature
    digest = _algorithm(reference.find(f"{_DS}DigestMethod"), _DIGESTS)
    enveloped = _ENVELOPED in algorithms and target in signature.iterancestors()
    content = _without(target, signature) if enveloped else _canonical(target)
    if not compare_digest(digest(content).digest(), _base64(reference.find(f"{_DS}DigestValue"))):
        raise _BrokenError("the content is not what was signed")
    return digest


def _without(target: XmlElement, signature: XmlElement) -> bytes:
    """The canonical form of an element without the signature inside it; the tree is as before afterwards."""
    parent, place, tail = signature.getparent(), signature.getparent().index(signature), signature.tail
    before = signature.getprevious()
    kept = parent.text if before is None else before.tail
    if before is None:
        parent.text = (kept or "") + (tail or "")
    else:
        before.tail = (kept or "") + (tail or "")
    signature.tail = None
    parent.remove(signature)
    try:
        return _canonical(target)
    finally:
        parent.insert(place, signature)
        signature.tail = tail
        if before is None:
            parent.text = kept
        else:
            before.tail = kept


def _canonical(element: XmlElement) -> bytes:
    """Canonical XML 1.0 without comments, with the namespaces of the place where the element stands.

    Written out and parsed first: lxml's canonical form of an element inside a tree misplaces namespaces that the
    element inherits. Attributes of `xml:` are not inherited; such a signature does not verify."""
    try:
        alone = parse_xml(etree.tostring(element, encoding="utf-8", with_tail=False))
        return bytes(etree.tostring(alone, method="c14n", exclusive=False, with_comments=False))
    except (etree.C14NError, UnreadableMessage, ValueError):  # e.g. a relative namespace name has no canonical form
        raise _BrokenError("the content has no canonical form") from None


def _signer_first(
    key_info: XmlElement, value: bytes, signed: bytes, method: hashes.HashAlgorithm
) -> tuple[x509.Certificate, ...]:
    """The certificates in KeyInfo, first the one whose key made the signature: their order means nothing."""
    nodes = key_info.findall(f"{_DS}X509Data/{_DS}X509Certificate")[:_MOST_CERTIFICATES]
    try:
        chain = read_certificates([_base64(node) for node in nodes])
    except ValueError:
        raise _BrokenError("the certificate cannot be read") from None
    if not chain:
        raise _BrokenError("the signature brings no certificate")
    for certificate in chain:
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            continue
        try:
            key.verify(value, signed, padding.PKCS1v15(), method)
        except InvalidSignature:
            continue
        return (certificate, *(other for other in chain if other != certificate))
    raise _BrokenError("the signature does not fit the certificate")


def _algorithm(node: XmlElement | None, known: Mapping[str, Any]) -> Any:
    name = "" if node is None else node.get("Algorithm", "")
    if name not in known or (node is not None and len(node)):
        raise _BrokenError("an algorithm is not accepted")
    return known[name]


def _base64(node: XmlElement | None) -> bytes:
    if node is None or len(node):
        raise _BrokenError("the signature is not built as it should be")
    try:
        return b64decode("".join((node.text or "").split()), validate=True)
    except ValueError:
        raise _BrokenError("the signature is not built as it should be") from None
