"""Mapping: start-up of the whole set, births read through their rules, and forms filled, a second on one core.

Run: python -m benchmarks.mapping
The baseline of the same run is merely parsing the same messages with the common Python parser (`hl7`).
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path

import hl7

from adapters.hospital.fhir import FhirReader
from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.moh_xml import MohReader
from benchmarks.read_hl7v2 import per_second
from gateway.domain.case import Reading, fold
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import read_event
from gateway.pipeline.prepare import prepare_dossier
from gateway.ports.hospital import Feed

MAPPINGS = Path(__file__).parents[1] / "mappings"
_HOME = "12 Tràng Thi^Phường Quy Nhơn^^Tỉnh Gia Lai^^VNM^P^^21583"
BIRTH = f"""MSH|^~\\&|HIS_MAU|99001|HOTICH|UBND|20261123081500+0700||ADT^A01^ADT_A01|{{id}}|P|2.5|||||VNM|UNICODE UTF-8
EVN|A01|20261123081500+0700|||BS0007^Đặng^Yến^Thị
PID|1||BN42^^^BV_MAU&1.2.3&ISO^MR||BB Nguyễn Thị Mẫu||202611230745+0700|F|||{_HOME}||||||||||BN41^^^BV_MAU^MR|01||N||VNM
PD1|||BỆNH VIỆN MẪU^^99001
NK1|1|Nguyễn^Mẫu^Thị|MTH^Mẹ^HL70063|{_HOME}|0982000222{"|" * 11}19950501{"|" * 17}999195000001^^^BCA^NI
NK1|2|Trần^Dũng^Văn|FTH^Cha^HL70063|{_HOME}|0982000223{"|" * 11}19930201{"|" * 17}999093000001^^^BCA^NI
PV1|1|I|KHOA_SAN^P204^G3^BV_MAU|N
OBX|1|NM|8339-4^Cân nặng lúc sinh^LN||3200|g^g^UCUM|||||F
OBX|2|NM|11884-4^Tuổi thai^LN||39|wk^wk^UCUM|||||F
OBX|3|NM|57722-1^Số con^LN||1||||||F
OBX|4|NM|9279-1^Nhịp thở^LN||44|/min^/min^UCUM|||||F
ZVN|1|Ghi chú nội bộ
""".replace("\n", "\r")


def main() -> None:
    readers = {"hl7v2": Hl7v2Reader(), "fhir": FhirReader(), "moh": MohReader()}
    begin = time.perf_counter()
    catalogue = Catalogue.load(MAPPINGS, readers)
    loaded = time.perf_counter()
    units = len(catalogue.units.communes())
    print(f"start-up: rules and codes {loaded - begin:.3f} s, {units} communes {time.perf_counter() - loaded:.3f} s")
    reader, feed, today = readers["hl7v2"], Feed(facility_code="99001"), date(2026, 11, 23)
    raws = [BIRTH.format(id=f"M{number:05d}").encode() for number in range(200)]

    def read(raw: bytes) -> list[Reading]:
        return [read_event(catalogue, "hl7v2", event, "m", feed, today) for event in reader.events(raw, feed)]

    readings = read(raws[0])
    if len(readings) != 1 or readings[0].notification.mother.name is None:
        raise SystemExit("the sample is not read as one birth")
    case, now = fold("birth", readings, {}, {}), datetime(2026, 11, 23, 2, tzinfo=UTC)
    baseline = per_second(lambda raw: hl7.parse(raw.decode()), raws)

    def dossier(raw: bytes) -> object:
        return prepare_dossier(fold("birth", read(raw), {}, {}), feed, catalogue, now)

    rate = per_second(read, raws)
    print(f"birth ADT of 12 segments to Reading: {rate:,.0f}/s, {rate / baseline:.2f} x hl7.parse of it")
    rate = per_second(lambda _: prepare_dossier(case, feed, catalogue, now), raws)
    print(f"case to dossier (63 fields, commune, clocks): {rate:,.0f}/s")
    rate = per_second(dossier, raws)
    print(f"the same ADT to dossier: {rate:,.0f}/s, {rate / baseline:.2f} x hl7.parse of it (must reach 1,000/s)")


if __name__ == "__main__":
    main()
