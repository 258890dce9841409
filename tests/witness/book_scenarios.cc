// What the order book says about two instances of one class.
#include <gtest/gtest.h>

#include "locking/witness/order_check.h"
#include "tests/witness/scenario.h"

namespace locking {
namespace {

WitnessOptions With(const std::string& book) {
  std::vector<std::string> errors;
  const std::optional<OrderBook> parsed = OrderBook::Parse(book, "book.toml", &errors);
  for (const std::string& error : errors) ADD_FAILURE() << error;
  WitnessOptions options;
  options.same_class_order = SameClassRule(parsed.value_or(OrderBook()));
  return options;
}

}  // namespace

void AddBookScenarios(std::vector<Scenario>* table) {
  const char* family = "Order book: one class";
  const WitnessOptions under =
      With("[[same_class]]\nclass = \"Y\"\nunder = \"X\"\nreason = \"r\"\n");
  const WitnessOptions either = With(
      "[[same_class]]\nclass = \"Y\"\norder = \"by-instance\"\nunder = \"X\"\nreason = \"r\"\n");
  const WitnessOptions any =
      With("[[same_class]]\nclass = \"Y\"\norder = \"any\"\nreason = \"r\"\n");
  const auto add = [&](const char* name, const char* paths, const char* expected,
                       const WitnessOptions& options) {
    table->push_back({.family = family, .name = name, .paths = paths, .expected = expected});
    table->back().others = {{"X", TestLock::kSleepableRw}};
    table->back().options = options;
  };
  add("under another, nested", "X Y#1 Y#2", "", under);
  add("under another, the other way", "X Y#2 Y#1", "", under);
  add("without the other", "Y#1 Y#2", "LK04/", under);
  add("the other was released", "X Y#1 -X Y#2", "LK04/", under);
  add("the other is only read", "rX Y#1 Y#2", "LK04/", under);
  add("first under the other, then without", "X Y#1 Y#2 -* Y#1 Y#2", "LK04/", under);
  add("by number or under another: by number", "Y#1 Y#2", "", either);
  add("by number or under another: under it", "X Y#2 Y#1", "", either);
  add("by number or under another: neither", "Y#2 Y#1", "LK04/", either);
  add("any order", "Y#2 Y#1 -* Y#1 Y#2", "", any);
}

}  // namespace locking
