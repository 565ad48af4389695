"""Checks events, one JSON text a line of standard input, against the OCSF schema as its publishers give it.

Each event says itself which version, class and profiles it follows. Prints "ok events=N", or what is wrong with which line.
"""

import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

validators = {}


def validator(version, class_uid, profiles):
    kind = (version, class_uid, profiles)
    if kind not in validators:
        schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
        name = schema.lookup_class_name_from_uid(class_uid)
        validators[kind] = Draft202012Validator(schema.get_class_schema(name, list(profiles)))
    return validators[kind]


def mistakes(event):
    metadata = event["metadata"]
    check = validator(metadata["version"], event["class_uid"], tuple(metadata.get("profiles", [])))
    return [f"{error.json_path}: {error.message}" for error in check.iter_errors(event)]


count = 0
wrong = []
for line in sys.stdin:
    wrong += [f"line {count}: {mistake}" for mistake in mistakes(json.loads(line))]
    count += 1
print("\n".join(wrong[:20]) if wrong else f"ok events={count}")
sys.exit(1 if wrong else 0)
