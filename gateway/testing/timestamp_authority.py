"""A timestamp authority to test with (RFC 3161): real tokens of a throwaway authority, over HTTP, with faults."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.ports.signing import TimestampAuthority
from gateway.sealing.timestamp import add_timestamp, read_timestamp, signature_digest
from gateway.sealing.verify import verify_dossier
from gateway.sealing.xades import sign
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey

POLICY = "1.3.6.1.4.1.99999.1"
FOR_TIMESTAMPS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])


class FakeTimestampAuthority:
    """ports.signing.TimestampAuthority in memory: P-256, its certificate issued by `root`. `at` is its clock; `fault`
    changes what it says: a function of the TSTInfo as a dictionary."""

    name = "authority"

    def __init__(
        self,
        at: datetime = AT,
        *,
        root: FakeSigningKey | None = None,
        usage: x509.ExtensionType = FOR_TIMESTAMPS,
        valid_around: datetime | None = None,
    ) -> None:
        self.at = at
        around = valid_around or at
        self.root = root or FakeSigningKey(name="Goc dau thoi gian", at=around, authority=True)
        self.key = FakeSigningKey(name="Dau thoi gian thu", at=around, issuer=self.root, extensions=[usage])
        self.fault: Callable[[dict[str, Any]], None] = lambda _info: None
        self.asked = 0

    @property
    def trust(self) -> list[x509.Certificate]:
        """What a verifier has to trust."""
        return [self.root.certificates[0]]

    def timestamp(self, digest: bytes) -> bytes:
        return self.token(digest, None)

    def token(self, digest: bytes, nonce: int | None) -> bytes:
        """A TimeStampToken over a SHA-256 digest."""
        self.asked += 1
        info: dict[str, Any] = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest},
            "serial_number": secrets.randbits(63),
            "gen_time": self.at.astimezone(UTC).replace(microsecond=0),
        }
        if nonce is not None:
            info["nonce"] = nonce
        self.fault(info)
        return self._signed(tsp.TSTInfo(info).dump())

    def answer(self, request: bytes) -> bytes:
        """The TimeStampResp to a TimeStampReq."""
        asked = tsp.TimeStampReq.load(request)
        token = self.token(asked["message_imprint"]["hashed_message"].native, asked["nonce"].native)
        response = {"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(token)}
        answer: bytes = tsp.TimeStampResp(response).dump()
        return answer

    def _signed(self, content: bytes) -> bytes:
        certificates = [
            asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)) for certificate in self.key.certificates
        ]
        own = certificates[0]
        named = tsp.SigningCertificateV2({"certs": [{"cert_hash": sha256(own.dump()).digest()}]})
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [sha256(content).digest()]}),
                cms.CMSAttribute({"type": "signing_certificate_v2", "values": [named]}),
            ]
        )
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": {"issuer_and_serial_number": {"issuer": own.issuer, "serial_number": own.serial_number}},
                "digest_algorithm": {"algorithm": "sha256"},
                "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": self.key.private_key.sign(attributes.untag().dump(force=True), ec.ECDSA(hashes.SHA256())),
            }
        )
        signed = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content)},
            "certificates": certificates,
            "signer_infos": [signer],
        }
        token: bytes = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)}).dump()
        return token


@contextmanager
def serve_authority(
    authority: FakeTimestampAuthority, spoil: Callable[[bytes], bytes | int] = lambda answer: answer
) -> Iterator[str]:
    """The authority behind HTTP on a port of its own; yields the address. `spoil` turns its answer into other bytes, or
    into a status to answer instead."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["content-length"]))
            answer = spoil(authority.answer(request))
            self.send_response(200 if isinstance(answer, bytes) else answer)
            body = answer if isinstance(answer, bytes) else b""
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TimestampContract:
    """What every timestamp authority promises. Subclass in a test module and say how to make one, and whom to trust."""

    def make_authority(self) -> TimestampAuthority:
        raise NotImplementedError

    def trust(self) -> list[x509.Certificate]:
        raise NotImplementedError

    def test_its_token_is_over_the_digest_it_was_given(self) -> None:
        digest = sha256(b"content").digest()
        assert read_timestamp(self.make_authority().timestamp(digest)).digest == digest

    def test_a_timestamped_seal_verifies_and_proves_its_time(self) -> None:
        key, authority = FakeSigningKey(), self.make_authority()
        sealed = sign(sample_dossier_xml(), key, AT)
        stamped = add_timestamp(sealed, authority.timestamp(signature_digest(sealed)))
        report = verify_dossier(stamped, [*key.certificates, *self.trust()])
        assert report.ok, report.words("en")
        assert report.timestamp is not None
        assert report.timestamp.counts
