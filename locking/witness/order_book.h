// The order book: a small TOML file that declares in which order lock classes may be taken. Chains
// go from the outermost class inwards; their union, followed transitively, is the declared order.
//
//   order = [
//     ["map", "object", "page queues"],
//     ["object", "pmap"],
//   ]
//   leaves = ["free queue"]            # taken under anything, nothing is taken inside
//
//   [[same_class]]                     # two instances of one class
//   class = "map entry"
//   order = "by-instance"              # the lower number first; or "any"
//   under = "map"                      # in any order while this is held exclusively; then `order`
//                                      # may be left out
//   reason = "the number is the entry's address in the space"
//
//   [[exception]]                      # against the order, and known to be harmless
//   from = "pmap"
//   to = "object"
//   site = "vm/pmap.cc:88"             # where `to` is taken; a file alone stands for all its lines
//   reason = "the object is not visible yet"
//   expires = 2027-06-30
//
// Thread safety: immutable once parsed.
#ifndef LOCKING_WITNESS_ORDER_BOOK_H_
#define LOCKING_WITNESS_ORDER_BOOK_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace locking {

using ClassPair = std::pair<std::string, std::string>;  // outer, inner

enum class InstanceOrder { kNone, kByInstance, kAny };

// What is declared about two instances of one class.
struct SameClassOrder {
  InstanceOrder order = InstanceOrder::kNone;
  std::string under;  // while this class is held exclusively, any order; empty: no such class
};

struct OrderException {
  std::string from;
  std::string to;
  std::string site;
  std::string reason;
  std::string expires;  // "2027-06-30": the last day on which it holds
  int line = 0;
};

class OrderBook {
 public:
  // nullopt: `errors` has a line for each thing wrong: file, line, what was found, what is
  // accepted. `file` is only what messages call it.
  static std::optional<OrderBook> Parse(std::string_view text, const std::string& file,
                                        std::vector<std::string>* errors);
  static std::optional<OrderBook> Load(const std::string& path, std::vector<std::string>* errors);

  // Whether `inner` may be taken inside `outer`, by a chain or because it is a leaf.
  bool Allows(const std::string& outer, const std::string& inner) const;
  bool IsLeaf(const std::string& name) const { return leaves_.contains(name); }
  // nullptr: nothing is declared.
  const SameClassOrder* OrderWithin(const std::string& name) const;
  // The neighbours in chains, each once, in order of the file.
  const std::vector<ClassPair>& pairs() const { return pairs_; }
  const std::vector<std::string>& leaves() const { return leaf_names_; }
  const std::vector<OrderException>& exceptions() const { return exceptions_; }
  const std::string& file() const { return file_; }
  const std::string& text() const { return text_; }

  // The text of the book with these pairs in its order; comments and everything else stay. Each is
  // given with a note for its comment.
  std::string TextWith(const std::vector<std::pair<ClassPair, std::string>>& added) const;

 private:
  friend class OrderBookParser;

  std::string file_;
  std::string text_;
  std::vector<ClassPair> pairs_;
  std::map<std::string, std::set<std::string>> inside_;  // all that may be taken inside, by chains
  std::vector<std::string> leaf_names_;
  std::set<std::string> leaves_;
  std::map<std::string, SameClassOrder> same_class_;
  std::vector<OrderException> exceptions_;
  // Where the text's `order` ends: the offset of its `]`; npos if there is none.
  std::size_t order_end_ = std::string::npos;
  // The offset behind the last chain; npos if there is none.
  std::size_t last_chain_end_ = std::string::npos;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_ORDER_BOOK_H_
