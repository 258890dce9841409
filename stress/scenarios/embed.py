#!/usr/bin/env python3
"""Writes the C++ source that holds the shipped scenario files: embed.py OUT FILE.toml…"""

import os
import sys


def literal(text):
    """A raw string, in pieces that every compiler takes."""
    pieces = [text[i : i + 8000] for i in range(0, len(text), 8000)] or [""]
    return "\n".join(f'R"scenario({piece})scenario"' for piece in pieces)


def main():
    entries = []
    for path in sorted(sys.argv[2:], key=os.path.basename):
        name = os.path.basename(path).removesuffix(".toml")
        with open(path, encoding="utf-8") as file:
            entries.append(f'      {{"{name}", {literal(file.read())}}},\n')
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write('#include "stress/config/scenario.h"\n\nnamespace stress {\n\n')
        out.write("std::vector<EmbeddedScenario> EmbeddedScenarios() {\n  return {\n")
        out.writelines(entries)
        out.write("  };\n}\n\n}  // namespace stress\n")


if __name__ == "__main__":
    main()
