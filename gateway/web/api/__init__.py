"""HTTP for machines: intake (hl7v2, fhir, moh), reading (cases, messages, deliveries) and health."""
