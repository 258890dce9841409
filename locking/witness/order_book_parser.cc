#include "locking/witness/order_book_parser.h"

#include <algorithm>
#include <cstdio>

#include "locking/toml_bounds.h"

namespace locking {
namespace {

// What follows from the chains is kept for each pair of classes.
constexpr std::size_t kClassesMax = 1000;

std::string Quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string List(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + Quoted(name);
  return text;
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto nearest = std::min_element(candidates.begin(), candidates.end(),
                                        [&](const std::string& a, const std::string& b) {
                                          return EditDistance(name, a) < EditDistance(name, b);
                                        });
  if (nearest == candidates.end() || EditDistance(name, *nearest) > 2) return "";
  return "; did you mean " + Quoted(*nearest) + "?";
}

int LineOf(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

}  // namespace

OrderBookParser::OrderBookParser(std::string_view text, const std::string& file,
                                 std::vector<std::string>* errors)
    : errors_(errors), errors_before_(errors->size()) {
  book_.file_ = file;
  book_.text_ = text;
}

std::optional<OrderBook> OrderBookParser::Parse() {
  if (const int line = FindLongTomlLine(book_.text_); line != 0) {
    Error(line, std::string("the line is too long; accepted: ") + kTomlLinesAccepted);
    return std::nullopt;
  }
  toml::table root;
  try {
    root = toml::parse(book_.text_, book_.file_);
  } catch (const toml::parse_error& error) {
    Error(static_cast<int>(error.source().begin.line),
          std::string(error.description()) + "; accepted: an order book in TOML");
    return std::nullopt;
  }
  CheckKeys(root, {"order", "leaves", "same_class", "exception"});
  if (const toml::node* order = root.get("order")) ParseOrder(*order);
  if (const toml::node* leaves = root.get("leaves")) ParseLeaves(*leaves);
  if (const toml::node* same = root.get("same_class"))
    ForEachTable(*same, "same_class", &OrderBookParser::ParseSameClass);
  if (const toml::node* exceptions = root.get("exception"))
    ForEachTable(*exceptions, "exception", &OrderBookParser::ParseException);
  CloseOrder();
  CheckLeaves();
  if (errors_->size() != errors_before_) return std::nullopt;
  return std::move(book_);
}

void OrderBookParser::ParseOrder(const toml::node& node) {
  const toml::array* chains = node.as_array();
  if (chains == nullptr)
    return Error(node,
                 "`order` is no array; accepted: an array of chains, [[\"map\", \"object\"]]");
  book_.order_end_ = OffsetOf(node.source().end) - 1;
  for (const toml::node& chain : *chains) ParseChain(chain);
  if (!chains->empty()) book_.last_chain_end_ = OffsetOf(chains->back().source().end);
}

void OrderBookParser::ParseChain(const toml::node& node) {
  const toml::array* names = node.as_array();
  if (names == nullptr || names->size() < 2)
    return Error(node,
                 "a chain of `order` is no array of two or more class names; accepted: "
                 "[\"map\", \"object\"], the outer one first");
  std::string outer;
  for (const toml::node& name : *names) {
    const std::optional<std::string> inner = name.value_exact<std::string>();
    if (!inner.has_value() || inner->empty())
      return Error(name,
                   "a chain of `order` holds something that is no class name; accepted: "
                   "strings");
    if (!outer.empty()) AddPair(outer, *inner, LineOf(name));
    outer = *inner;
  }
}

void OrderBookParser::AddPair(const std::string& outer, const std::string& inner, int line) {
  if (outer == inner)
    return Error(line, Quoted(outer) +
                           " stands inside itself; accepted: [[same_class]] for two instances of "
                           "one class");
  classes_.insert({outer, inner});
  if (classes_.size() > kClassesMax)
    return Error(
        line, "the order has too many classes; accepted: at most " + std::to_string(kClassesMax));
  if (line_of_pair_.try_emplace({outer, inner}, line).second)
    book_.pairs_.emplace_back(outer, inner);
}

void OrderBookParser::ParseLeaves(const toml::node& node) {
  const toml::array* names = node.as_array();
  if (names == nullptr) return Error(node, "`leaves` is no array; accepted: class names");
  for (const toml::node& name : *names) {
    const std::optional<std::string> leaf = name.value_exact<std::string>();
    if (!leaf.has_value() || leaf->empty()) {
      Error(name, "`leaves` holds something that is no class name; accepted: strings");
      continue;
    }
    if (!book_.leaves_.insert(*leaf).second) {
      Error(name, Quoted(*leaf) + " is a leaf twice; accepted: once");
      continue;
    }
    book_.leaf_names_.push_back(*leaf);
    line_of_leaf_[*leaf] = LineOf(name);
  }
}

void OrderBookParser::ForEachTable(const toml::node& node, const char* key,
                                   void (OrderBookParser::*parse)(const toml::table&)) {
  const toml::array* tables = node.as_array();
  if (tables == nullptr)
    return Error(node, Quoted(key) + " is no array of tables; accepted: [[" + key + "]]");
  for (const toml::node& entry : *tables) {
    if (const toml::table* table = entry.as_table(); table != nullptr)
      (this->*parse)(*table);
    else
      Error(entry, Quoted(key) + " holds something that is no table; accepted: [[" + key + "]]");
  }
}

void OrderBookParser::ParseSameClass(const toml::table& table) {
  CheckKeys(table, {"class", "order", "under", "reason"});
  const std::string name = Text(table, "class");
  SameClassOrder declared;
  if (table.contains("under")) declared.under = Text(table, "under");
  if (table.contains("order") || !table.contains("under")) {
    const std::string order = Text(table, "order");
    if (!order.empty() && order != "by-instance" && order != "any")
      Error(*table.get("order"), "`order` is " + Quoted(order) +
                                     "; accepted: `by-instance`, `any`" +
                                     DidYouMean(order, {"by-instance", "any"}));
    declared.order = order == "any" ? InstanceOrder::kAny : InstanceOrder::kByInstance;
  }
  Text(table, "reason");
  if (const toml::node* under = table.get("under"); under != nullptr) {
    if (declared.order == InstanceOrder::kAny)
      Error(*under, "`under` adds nothing to the order `any`; accepted: one of the two");
    if (declared.under == name)
      Error(*under, Quoted(name) + " is under itself; accepted: another class");
  }
  if (!book_.same_class_.emplace(name, std::move(declared)).second)
    Error(table, Quoted(name) + " has an order of its instances already; accepted: one");
}

void OrderBookParser::ParseException(const toml::table& table) {
  CheckKeys(table, {"from", "to", "site", "reason", "expires"});
  OrderException exception;
  exception.from = Text(table, "from");
  exception.to = Text(table, "to");
  exception.site = Text(table, "site");
  exception.reason = Text(table, "reason");
  exception.expires = Day(table, "expires");
  exception.line = LineOf(table);
  book_.exceptions_.push_back(std::move(exception));
}

std::string OrderBookParser::Text(const toml::table& table, const char* key) {
  const toml::node* node = table.get(key);
  if (node == nullptr) {
    Error(table, Quoted(key) + " is missing; accepted: a string");
    return "";
  }
  const std::optional<std::string> text = node->value_exact<std::string>();
  if (!text.has_value() || text->empty()) {
    Error(*node, Quoted(key) + " is no text; accepted: a string");
    return "";
  }
  return *text;
}

std::string OrderBookParser::Day(const toml::table& table, const char* key) {
  const toml::node* node = table.get(key);
  if (node == nullptr) {
    Error(table, Quoted(key) + " is missing; accepted: a day, 2027-06-30");
    return "";
  }
  const std::optional<toml::date> day = node->value_exact<toml::date>();
  if (!day.has_value()) {
    Error(*node, Quoted(key) + " is no day; accepted: 2027-06-30, without quotes");
    return "";
  }
  char text[32];
  std::snprintf(text, sizeof(text), "%04u-%02u-%02u", static_cast<unsigned>(day->year),
                static_cast<unsigned>(day->month), static_cast<unsigned>(day->day));
  return text;
}

void OrderBookParser::CheckKeys(const toml::table& table,
                                const std::vector<std::string>& accepted) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (std::find(accepted.begin(), accepted.end(), name) == accepted.end())
      Error(static_cast<int>(key.source().begin.line), "unknown key " + Quoted(name) +
                                                           "; accepted: " + List(accepted) +
                                                           DidYouMean(name, accepted));
  }
}

void OrderBookParser::CloseOrder() {
  std::map<std::string, std::vector<std::string>> inside;
  for (const auto& [outer, inner] : book_.pairs_) inside[outer].push_back(inner);
  for (const auto& [outer, direct] : inside) {
    std::set<std::string>& all = book_.inside_[outer];
    std::vector<std::string> queue = direct;
    while (!queue.empty()) {
      const std::string name = queue.back();
      queue.pop_back();
      if (!all.insert(name).second) continue;
      if (const auto next = inside.find(name); next != inside.end())
        queue.insert(queue.end(), next->second.begin(), next->second.end());
    }
  }
  for (const auto& [outer, inner] : book_.pairs_) {
    const auto back = book_.inside_.find(inner);
    if (back == book_.inside_.end() || !back->second.contains(outer)) continue;
    Error(line_of_pair_[{outer, inner}], "the declared order has a cycle: " + Quoted(outer) +
                                             " -> " + Quoted(inner) + ", and by other chains " +
                                             Quoted(inner) + " -> " + Quoted(outer) +
                                             "; accepted: chains that agree");
  }
}

void OrderBookParser::CheckLeaves() {
  for (const std::string& leaf : book_.leaf_names_)
    if (const auto it = book_.inside_.find(leaf); it != book_.inside_.end())
      Error(line_of_leaf_[leaf], Quoted(leaf) + " is a leaf, and a chain takes " +
                                     Quoted(*it->second.begin()) +
                                     " inside it; accepted: a leaf at the end of its chains");
}

void OrderBookParser::Error(const toml::node& node, const std::string& text) {
  Error(LineOf(node), text);
}

void OrderBookParser::Error(int line, const std::string& text) {
  errors_->push_back(book_.file_ + ":" + std::to_string(line) + ": " + text);
}

// Columns count characters, not bytes.
std::size_t OrderBookParser::OffsetOf(const toml::source_position& position) const {
  std::size_t offset = 0;
  for (toml::source_index line = 1; line < position.line; ++line)
    offset = book_.text_.find('\n', offset) + 1;
  for (toml::source_index column = 1; column < position.column; ++column) {
    ++offset;
    while (offset < book_.text_.size() &&
           (static_cast<unsigned char>(book_.text_[offset]) & 0xC0) == 0x80)
      ++offset;
  }
  return offset;
}

}  // namespace locking
