// Any text is an order book, which is still one after an edge was written into it, or is refused.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "locking/witness/order_book.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using locking::OrderBook;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> errors;
  const std::optional<OrderBook> book = OrderBook::Parse(text, "b.toml", &errors);
  if (!book.has_value()) {
    if (errors.empty()) std::abort();
    return 0;
  }
  // What the book says of the two classes itself, the edge may contradict.
  if (text.find("fuzz outer") != text.npos || text.find("fuzz inner") != text.npos) return 0;
  const std::string longer = book->TextWith({{{"fuzz outer", "fuzz inner"}, "seen"}});
  const std::optional<OrderBook> again = OrderBook::Parse(longer, "b.toml", &errors);
  if (!again.has_value() || !again->Allows("fuzz outer", "fuzz inner")) std::abort();
  return 0;
}
