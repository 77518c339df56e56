"""HL7 v2 messages of a hospital stay: a newborn under one of two numbers, an adult who dies. Everybody is invented."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

HOME = "12 Lê Lợi^Phường Quy Nhơn^^Tỉnh Gia Lai^^VNM^P^^21583"
MOTHER = f"NK1|1|Nguyễn^Mẫu^Thị|MTH|{HOME}||||||||||||19950501|||||||||||||||||99919500000{{0}}^^^BCA^NI"
"""The mother of the child of BN1 or, another woman, of BN2."""


@dataclass(frozen=True)
class Told:
    """One message as the model sees it. `minute` is the event's time, which orders messages; `given` a new given name,
    `weight` grams, `dead` what PID-30 says."""

    minute: int
    trigger: str
    number: str
    given: str = ""
    weight: int = 0
    dead: str = ""
    gone: str = ""

    @property
    def raw(self) -> bytes:
        at = f"2026112308{self.minute:02d}00+0700"
        kind = "ORU^R01" if self.trigger == "R01" else f"ADT^{self.trigger}"
        name = f"Lê^{self.given}^Văn" if self.given else ""
        died = "202611230730+0700" if self.dead == "Y" else ""
        control = f"M{self.minute:02d}{self.trigger}{self.number}"
        lines = [
            f"MSH|^~\\&|HIS|99001|HOTICH|UBND|{at}||{kind}|{control}|P|2.5||||||UNICODE UTF-8",
            f"EVN|{self.trigger}|{at}",
            f"PID|1||{self.number}^^^BV^MR||{name}||{self.born}|M|||{HOME}" + "|" * 18 + f"{died}|{self.dead}",
        ]
        if self.gone:
            lines.append(f"MRG|{self.gone}^^^BV^MR")
        if self.weight:
            lines += ["OBR|1|||8339-4^^LN", f"OBX|1|NM|8339-4^Cân nặng^LN||{self.weight}|g^g^UCUM|||||F"]
        return "\r".join([*lines, *self.more]).format(self.number[-1]).encode() + b"\r"

    born: ClassVar[str] = "202611230700+0700"
    more: ClassVar[tuple[str, ...]] = ()


class Newborn(Told):
    more = (MOTHER, "PV1|1|I|KHOA_SAN|N")


class NewbornNews(Told):
    """A cancellation or a merge of a newborn: it names neither the mother nor the ward."""


class Paper(Told):
    """A giấy chứng sinh of the child of BN1: it names the mother, and the child if `given`."""

    @property
    def raw(self) -> bytes:
        name = f"<TEN_CON>LÊ VĂN {self.given.upper()}</TEN_CON>" if self.given else ""
        text = f"""<HSDLGCS><GIAYCHUNGSINH Id="G1"><MA_GCS>00777.GCS.99001.26</MA_GCS>
<HOTEN_NND>NGUYỄN THỊ MẪU</HOTEN_NND>
<LOAI_GIAYTO_NND>1</LOAI_GIAYTO_NND><SO_CCCD_NND>999195000001</SO_CCCD_NND><MATINH_CU_TRU>52</MATINH_CU_TRU>
<NOI_CU_TRU_NND>12 Lê Lợi</NOI_CU_TRU_NND><MAXA_CU_TRU>21583</MAXA_CU_TRU>{name}<GIOI_TINH_CON>1</GIOI_TINH_CON>
<SO_CON>1</SO_CON><NGAY_SINH_CON>20261123070000</NGAY_SINH_CON><NGAY_CT>20261123</NGAY_CT></GIAYCHUNGSINH></HSDLGCS>"""
        return text.encode()


class FhirUpdate(Told):
    """A Patient resource of a child with a number: no evidence of a birth, but it may bring the name."""

    @property
    def raw(self) -> bytes:
        kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
        told = {
            "resourceType": "Patient",
            "id": f"tre-{self.number}",
            "meta": {"lastUpdated": f"2026-11-23T08:{self.minute:02d}:00+07:00"},
            "identifier": [{"system": "urn:bv:mr", "value": self.number, "type": kind}],
            "name": [{"text": f"Lê Văn {self.given}"}],
            "gender": "male",
            "birthDate": "2026-11-23",
        }
        return json.dumps(told, ensure_ascii=False).encode()


class Adult(Told):
    born = "19500101"
    more = ("PV1|1|I|KHOA_NOI|R",)
