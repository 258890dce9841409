// What `lockorder` and `merge` come to, as text, graph and JSON (schema vmstress.lockorder/1), and
// how such a JSON is read again.
//
// Thread safety: plain values and pure functions.
#ifndef STRESS_REPORT_ORDER_REPORT_H_
#define STRESS_REPORT_ORDER_REPORT_H_

#include <string>
#include <vector>

#include "locking/witness/order_book.h"
#include "locking/witness/order_check.h"
#include "locking/witness/order_snapshot.h"
#include "stress/run/findings.h"

namespace stress {

// What one or more runs showed.
struct OrderResult {
  locking::OrderSnapshot order;
  std::vector<CountedFinding> findings;  // one of each signature and tier
};

// Both together: counts are added up, samples and findings united.
void MergeInto(OrderResult* result, const OrderResult& other);

// A document of schema vmstress.lockorder/1. Throws CommandError (2) if `text` is none, naming
// `path`. What follows from a book is not read: it is judged again.
OrderResult ReadOrderResult(const std::string& text, const std::string& path);

struct OrderJudgement {
  const locking::OrderBook& book;
  locking::OrderVerdict order;
  std::vector<CountedFinding> findings;

  // Whether the book does not approve something, or a finding fails.
  bool Failed() const;
};

// The result, against the book of `today` ("2026-11-21"). The book must outlive what is returned.
OrderJudgement JudgeOrder(const locking::OrderBook& book, const OrderResult& result,
                          const std::string& today);

// `format`: a choice of the flag --format.
std::string OrderReport(const std::string& format, const OrderJudgement& judged);

}  // namespace stress

#endif  // STRESS_REPORT_ORDER_REPORT_H_
