#!/usr/bin/env python3
"""Writes the C++ source of a function of embedded.h: embed.py OUT FUNCTION FILE…"""

import os
import sys


def literal(text):
    """A raw string, in pieces that every compiler takes."""
    pieces = [text[i : i + 8000] for i in range(0, len(text), 8000)] or [""]
    return "\n".join(f'R"embed({piece})embed"' for piece in pieces)


def main():
    out_path, function, *paths = sys.argv[1:]
    entries = []
    for path in sorted(paths, key=os.path.basename):
        name = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as file:
            entries.append(f'      {{"{name}", {literal(file.read())}}},\n')
    with open(out_path, "w", encoding="utf-8") as out:
        out.write('#include "stress/config/embedded.h"\n\nnamespace stress {\n\n')
        out.write(f"std::vector<EmbeddedFile> {function}() {{\n  return {{\n")
        out.writelines(entries)
        out.write("  };\n}\n\n}  // namespace stress\n")


if __name__ == "__main__":
    main()
