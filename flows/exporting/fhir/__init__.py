"""FHIR R4: what documents say of their patients, as NDJSON, one file for each type of resource."""
