// What `lockorder` and `merge` share: the book that they judge by, and where their output goes.
#ifndef STRESS_COMMAND_ORDER_COMMAND_H_
#define STRESS_COMMAND_ORDER_COMMAND_H_

#include <optional>
#include <string>

#include "locking/witness/order_book.h"
#include "stress/command/command_line.h"
#include "stress/config/error.h"
#include "stress/host/files.h"
#include "stress/report/order_report.h"

namespace stress {

class OrderCommand {
 public:
  // Reads the book of --book and proves that --out can be written: throws CommandError.
  explicit OrderCommand(const Invocation& invocation);

  const std::string& book_path() const { return book_path_; }
  OrderJudgement Judge(const OrderResult& result) const;
  // In the form of --format; to standard output when --out cannot take it after all.
  void Write(const OrderJudgement& judged) const;

 private:
  const std::string format_;
  const std::string book_path_;
  const locking::OrderBook book_;
  std::optional<OutputFile> out_;
};

}  // namespace stress

#endif  // STRESS_COMMAND_ORDER_COMMAND_H_
