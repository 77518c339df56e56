"""Laws of the seal: XML loses nothing, and no changed byte passes."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.dossier import Correction, Dossier, Owed
from gateway.domain.finding import FINDINGS, Finding
from gateway.domain.identity import IdentityResult, Verdict
from gateway.domain.provenance import Provenance
from gateway.sealing.dossier_xml import DossierDocument, Envelope, parse_dossier, write_dossier
from gateway.sealing.timestamp import add_timestamp, signature_digest
from gateway.sealing.verify import verify_dossier
from gateway.sealing.xades import sign
from gateway.testing.dossiers import AT, sample_dossier_xml
from gateway.testing.signing import FakeSigningKey
from gateway.testing.timestamp_authority import FakeTimestampAuthority

KEY = FakeSigningKey()
SEALED = sign(sample_dossier_xml(), KEY, AT)
AUTHORITY = FakeTimestampAuthority(AT + timedelta(hours=1))
TRUST = [*KEY.certificates, *AUTHORITY.trust]
_TOKEN = AUTHORITY.timestamp(signature_digest(SEALED))
TOKEN, STAMPED = b64encode(_TOKEN), add_timestamp(SEALED, _TOKEN)
WHOLE = verify_dossier(STAMPED, TRUST)
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

words = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._:/@#-]{0,12}", fullmatch=True)
# Everything XML 1.0 can carry: composed and decomposed Vietnamese, markup, line ends, other scripts and planes.
letters = st.one_of(
    st.sampled_from("Đặng Thị Hòa ưỡẵ\u0301\u0323\u031b<>&\"']]>\r\n\t\u00a0\u0085\u2028"),
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
)
texts = st.text(letters, max_size=20)
days = st.dates().map(str)
values = st.one_of(texts, st.dictionaries(words, texts, min_size=1, max_size=4))
communes = st.builds(Commune, code=words, name=texts, province_code=texts, province=texts, list=days)
dossiers = st.builds(
    Dossier,
    kind=st.sampled_from(["birth", "death"]),
    procedure=words,
    form=words,
    in_force=days,
    fields=st.dictionaries(words, values, max_size=5),
    owed=st.lists(st.builds(Owed, words, st.sampled_from(["family", "facility", "commune", "officer"]))).map(tuple),
    missing=st.just(()),
    commune=st.builds(CommuneAnswer, communes, st.just(()), texts),
    deadlines=st.dictionaries(words, days, max_size=2),
    findings=st.lists(st.builds(Finding, st.sampled_from(sorted(FINDINGS)), texts, texts), max_size=3).map(tuple),
    provenance=st.dictionaries(words, st.builds(Provenance, texts, texts, texts), max_size=4),
    mapping_hash=texts,
    corrections=st.lists(st.builds(Correction, words, st.just("") | words, texts, texts, texts, texts), max_size=3).map(
        tuple
    ),
    withdrawn=st.booleans(),
)
instants = st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
envelopes = st.builds(Envelope, words, st.integers(1, 99), words, instants, texts, texts)
verdicts = st.builds(
    IdentityResult,
    role=words,
    verdict=st.sampled_from(Verdict),
    differing=st.lists(st.sampled_from(["name", "born", "cmnd"]), unique=True).map(tuple),
    asked_at=texts,
    entry=texts,
)
identities = st.lists(verdicts, max_size=3, unique_by=lambda result: result.role).map(
    lambda results: {result.role: result for result in results}
)


@given(dossiers, envelopes, identities)
def test_whatever_is_written_is_read_back(
    dossier: Dossier, envelope: Envelope, identity: dict[str, IdentityResult]
) -> None:
    xml = write_dossier(dossier, envelope, identity)
    assert parse_dossier(xml) == DossierDocument(envelope, dossier, identity)


@settings(max_examples=15)
@given(dossiers, envelopes, identities)
def test_whatever_is_sealed_verifies_and_reads_back(
    dossier: Dossier, envelope: Envelope, identity: dict[str, IdentityResult]
) -> None:
    report = verify_dossier(sign(write_dossier(dossier, envelope, identity), KEY, AT), KEY.certificates)
    assert report.ok, report.words("en")
    assert report.document == DossierDocument(envelope, dossier, identity)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_no_changed_byte_is_intact(place: int, mask: int) -> None:
    changed = bytearray(SEALED)
    changed[place] ^= mask
    assert not verify_dossier(bytes(changed)).intact


@given(st.integers(0, len(SEALED)), st.binary(min_size=1, max_size=3))
def test_no_added_byte_is_intact(place: int, more: bytes) -> None:
    assert not verify_dossier(SEALED[:place] + more + SEALED[place:]).intact


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 40))
def test_no_removed_byte_is_intact(place: int, count: int) -> None:
    assert not verify_dossier(SEALED[:place] + SEALED[place + count :]).intact


@given(st.integers(STAMPED.index(TOKEN), STAMPED.index(TOKEN) + len(TOKEN) - 1), st.sampled_from(BASE64))
def test_no_changed_byte_of_a_timestamp_makes_it_say_something_else(place: int, letter: int) -> None:
    """What the authority's signature does not cover may differ; what the report says from it may not."""
    changed = bytearray(STAMPED)
    changed[place] = letter
    report = verify_dossier(bytes(changed), TRUST)
    assert not report.ok or report.timestamp is None or not report.timestamp.counts or report == WHOLE


@settings(max_examples=10)
@given(st.timedeltas(timedelta(days=-364), timedelta(days=364)))
def test_the_claimed_time_is_kept_to_the_second(shift: timedelta) -> None:
    at = (AT + shift).replace(microsecond=0)
    assert verify_dossier(sign(sample_dossier_xml(), KEY, at)).signed_at == at
