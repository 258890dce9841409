"""Exits with 1 and says why when a document breaks its JSON schema: validate_json.py SCHEMA DOCUMENT."""

import json
import sys

from jsonschema import FormatChecker
from jsonschema.validators import validator_for


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        document = json.load(file)
    validator = validator_for(schema)
    validator.check_schema(schema)
    errors = list(validator(schema, format_checker=FormatChecker()).iter_errors(document))
    for error in errors:
        print("/".join(map(str, error.path)), error.message[:300])
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
