"""Our own certificate: what no seal would count with is refused at start."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509

from adapters.signing.own_certificates import check_certificates
from gateway.errors import SettingsError
from gateway.sealing.certificates import chain_problem, days_left, trust_anchor
from gateway.testing.dossiers import AT
from gateway.testing.signing import FakeSigningKey

ROOT = FakeSigningKey(name="Goc", authority=True)
BETWEEN = FakeSigningKey(name="Trung gian", issuer=ROOT, authority=True)
SIGNER = FakeSigningKey(name="Benh vien", issuer=BETWEEN)


def usage(**allowed: bool) -> x509.KeyUsage:
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
    names += ["key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def refusal(certificates: list[x509.Certificate], at=AT) -> str:
    with pytest.raises(SettingsError) as refused:
        check_certificates("cert.pem", certificates, certificates[0].public_key(), at)
    assert "cert.pem" in str(refused.value)
    return refused.value.code


def test_a_chain_in_order_is_right_with_and_without_its_root() -> None:
    assert chain_problem(SIGNER.certificates, AT) == ""
    assert chain_problem(SIGNER.certificates[:2], AT) == ""
    assert chain_problem(SIGNER.certificates[:1], AT) == ""


def test_a_chain_out_of_order_or_with_a_gap_is_refused() -> None:
    signer, between, root = SIGNER.certificates
    assert refusal([signer, root, between]) == "signing.chain_broken"
    assert refusal([signer, root]) == "signing.chain_broken"


def test_an_authority_of_the_same_name_does_not_make_a_chain() -> None:
    namesake = FakeSigningKey(name="Trung gian", issuer=ROOT, authority=True)
    assert refusal([SIGNER.certificates[0], *namesake.certificates]) == "signing.chain_broken"


def test_an_authority_that_ended_before_its_certificate_is_refused() -> None:
    early = FakeSigningKey(name="Goc cu", at=AT - timedelta(days=360), authority=True)
    signer = FakeSigningKey(issuer=early)
    assert chain_problem(signer.certificates, AT) == ""
    assert refusal(signer.certificates, AT + timedelta(days=10)) == "signing.chain_broken"


@pytest.mark.parametrize("name", ["digital_signature", "content_commitment"])
def test_a_certificate_for_signatures_is_right(name: str) -> None:
    key = FakeSigningKey(extensions=[usage(**{name: True})])
    check_certificates("cert.pem", key.certificates, key.private_key.public_key(), AT)


def test_a_certificate_for_something_else_is_refused() -> None:
    assert refusal(FakeSigningKey(extensions=[usage(key_encipherment=True)]).certificates) == "signing.chain_broken"


def test_days_left_are_whole_days_and_negative_afterwards() -> None:
    certificate = FakeSigningKey().certificates[0]
    assert days_left(certificate, AT) == 365
    assert days_left(certificate, AT + timedelta(hours=1)) == 364
    assert days_left(certificate, AT + timedelta(days=366)) == -1


def test_the_anchor_is_the_one_of_several_trusted_that_vouches() -> None:
    others = [FakeSigningKey(name=f"Khac {number}", authority=True).certificates[0] for number in range(3)]
    assert trust_anchor(SIGNER.certificates, [*others, *ROOT.certificates], AT) == ROOT.certificates[0]
    assert trust_anchor(SIGNER.certificates, others, AT) is None
    assert trust_anchor(SIGNER.certificates, [*others, SIGNER.certificates[0]], None) == SIGNER.certificates[0]
