#include "locking/toml_bounds.h"

#include <algorithm>

namespace locking {

int FindLongTomlLine(std::string_view text) {
  int line = 1;
  for (; !text.empty(); ++line) {
    const std::size_t length = text.find('\n');
    if (std::min(length, text.size()) > kTomlLineBytesMax) return line;
    text.remove_prefix(length == std::string_view::npos ? text.size() : length + 1);
  }
  return 0;
}

}  // namespace locking
