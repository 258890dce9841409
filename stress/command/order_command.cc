#include "stress/command/order_command.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "stress/config/text.h"
#include "stress/host/machine.h"

namespace stress {
namespace {

constexpr char kDefaultBook[] = "ci/lock_order.toml";

std::string FormatOf(const Invocation& invocation) {
  if (invocation.flags.Given("format")) return invocation.flags.Text("format");
  return FindSetting("format", invocation.command->bit)->fallback;
}

locking::OrderBook LoadBook(const std::string& path) {
  std::vector<std::string> errors;
  std::optional<locking::OrderBook> book =
      locking::OrderBook::Parse(ReadInputFile(path, kTextBytesMax), path, &errors);
  if (!book.has_value())
    FailUsage(errors.empty() ? OneLine(path) + ": not an order book" : OneLine(errors.front()));
  return *std::move(book);
}

}  // namespace

OrderCommand::OrderCommand(const Invocation& invocation)
    : format_(FormatOf(invocation)),
      book_path_(invocation.flags.Given("book") ? invocation.flags.Text("book") : kDefaultBook),
      book_(LoadBook(book_path_)) {
  const Settings& flags = invocation.flags;
  if (flags.Given("out")) out_.emplace("--out", flags.Text("out"));
}

OrderJudgement OrderCommand::Judge(const OrderResult& result) const {
  return JudgeOrder(book_, result, Today());
}

void OrderCommand::Write(const OrderJudgement& judged) const {
  const std::string text = OrderReport(format_, judged);
  if (!out_.has_value()) {
    std::fputs(text.c_str(), stdout);
    return;
  }
  try {
    out_->Write(text);
  } catch (const CommandError&) {
    std::fputs(text.c_str(), stdout);  // rather than lost
    throw;
  }
}

}  // namespace stress
