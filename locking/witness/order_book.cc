#include "locking/witness/order_book.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "locking/witness/order_book_parser.h"

namespace locking {

std::optional<OrderBook> OrderBook::Parse(std::string_view text, const std::string& file,
                                          std::vector<std::string>* errors) {
  // It would stand in the middle of a text that something is written in front of.
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  while (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return OrderBookParser(text, file, errors).Parse();
}

std::optional<OrderBook> OrderBook::Load(const std::string& path,
                                         std::vector<std::string>* errors) {
  std::ifstream file(path);
  std::ostringstream text;
  if (!(file && text << file.rdbuf())) {
    errors->push_back(path + ": cannot be read; accepted: an order book in TOML");
    return std::nullopt;
  }
  return Parse(text.str(), path, errors);
}

bool OrderBook::Allows(const std::string& outer, const std::string& inner) const {
  if (IsLeaf(outer)) return false;
  if (IsLeaf(inner)) return true;
  const auto it = inside_.find(outer);
  return it != inside_.end() && it->second.contains(inner);
}

const SameClassOrder* OrderBook::OrderWithin(const std::string& name) const {
  const auto it = same_class_.find(name);
  return it == same_class_.end() ? nullptr : &it->second;
}

std::string OrderBook::TextWith(const std::vector<std::pair<ClassPair, std::string>>& added) const {
  if (added.empty()) return text_;
  std::string lines;
  for (const auto& [pair, note] : added)
    lines += "  [\"" + pair.first + "\", \"" + pair.second + "\"],  # " + note + "\n";
  if (order_end_ == std::string::npos) return "order = [\n" + lines + "]\n\n" + text_;
  std::string head = text_.substr(0, order_end_);
  if (last_chain_end_ != std::string::npos) {
    // The last chain needs a comma behind it; one inside a comment is none.
    std::string between;
    bool comment = false;
    for (char c : head.substr(last_chain_end_)) {
      comment = (comment && c != '\n') || c == '#';
      if (!comment) between += c;
    }
    if (between.find(',') == std::string::npos) head.insert(last_chain_end_, ",");
  }
  while (head.ends_with(' ')) head.pop_back();
  if (!head.ends_with('\n')) head += '\n';
  return head + lines + text_.substr(order_end_);
}

}  // namespace locking
