// Reads an order book and says what is wrong with it. Internal to OrderBook.
//
// Thread safety: none; lives for one parse.
#ifndef LOCKING_WITNESS_ORDER_BOOK_PARSER_H_
#define LOCKING_WITNESS_ORDER_BOOK_PARSER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "locking/toml.h"
#include "locking/witness/order_book.h"

namespace locking {

class OrderBookParser {
 public:
  OrderBookParser(std::string_view text, const std::string& file, std::vector<std::string>* errors);
  std::optional<OrderBook> Parse();

 private:
  void ParseOrder(const toml::node& node);
  void ParseChain(const toml::node& node);
  void ParseLeaves(const toml::node& node);
  void ParseSameClass(const toml::table& table);
  void ParseException(const toml::table& table);
  // Calls `parse` for each table of an array of tables.
  void ForEachTable(const toml::node& node, const char* key,
                    void (OrderBookParser::*parse)(const toml::table&));
  // The value of `key`, which must be there and no empty string.
  std::string Text(const toml::table& table, const char* key);
  std::string Day(const toml::table& table, const char* key);
  void CheckKeys(const toml::table& table, const std::vector<std::string>& accepted);
  // Follows the chains transitively; a cycle among them is an error.
  void CloseOrder();
  void CheckLeaves();
  void AddPair(const std::string& outer, const std::string& inner, int line);
  void Error(const toml::node& node, const std::string& text);
  void Error(int line, const std::string& text);
  std::size_t OffsetOf(const toml::source_position& position) const;

  OrderBook book_;
  std::vector<std::string>* errors_;
  const std::size_t errors_before_;
  std::map<ClassPair, int> line_of_pair_;
  std::map<std::string, int> line_of_leaf_;
  std::set<std::string> classes_;  // of the chains
};

}  // namespace locking

#endif  // LOCKING_WITNESS_ORDER_BOOK_PARSER_H_
